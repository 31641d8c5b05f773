//! From a tale to a course: each fact that was not withdrawn is put where it belongs.

use super::{Course, Entered, Handed, Pass, Rejected, Run, Violation};
use crate::agreement::standing::PassKind;
use crate::record::field::well_known;
use crate::record::{Fact, FactKind, Timestamp};
use crate::report::story::{Told, withdrawn};
use crate::report::tale::{Entry, Tale};
use std::collections::HashSet;
use std::sync::Arc;

impl Course {
    /// Puts a tale together.
    pub fn of(tale: Tale) -> Self {
        let Tale { key, entries, latest } = tale;
        let live = live(&entries);
        let disputes = upheld(&live);
        let course = Course {
            key,
            merged: false,
            gone: false,
            passes: Vec::new(),
            violations: Vec::new(),
            source: None,
            campaign: None,
            latest,
        };
        let mut gathering = Gathering { course, disputes, assigned: Vec::new() };
        live.iter().for_each(|entry| gathering.take(entry));
        gathering.finish(&live)
    }
}

/// What was not withdrawn, in the order of its moments; of one moment in the journal's order.
fn live(entries: &[Entry]) -> Vec<&Entry> {
    let taken_back = entries.iter().any(|e| e.fact.kind == FactKind::Withdrawn);
    let mut live: Vec<&Entry> = if taken_back {
        let told: Vec<Told<'_>> = entries.iter().map(|e| Told { fact: &e.fact, seen_at: e.seen_at }).collect();
        let struck = withdrawn(&told);
        entries.iter().zip(struck).filter(|(_, struck)| !struck).map(|(entry, _)| entry).collect()
    } else {
        entries.iter().collect()
    };
    live.sort_by_key(|entry| entry.fact.at);
    live
}

/// The facts, by key and moment, of which a dispute was upheld.
fn upheld(live: &[&Entry]) -> HashSet<(String, i64)> {
    let disputed = live.iter().filter(|e| e.fact.kind == FactKind::Upheld).filter_map(|e| {
        let key = e.fact.detail.get("fact")?.as_str()?;
        Some((key.to_owned(), e.fact.detail.get("at")?.as_i64()?))
    });
    disputed.collect()
}

struct Gathering {
    course: Course,
    disputes: HashSet<(String, i64)>,
    /// Who got the record when.
    assigned: Vec<(Timestamp, Arc<str>)>,
}

impl Gathering {
    fn take(&mut self, entry: &Entry) {
        let fact = &entry.fact;
        match fact.kind {
            FactKind::PassBegan => {
                self.pass(fact).kind = pass_kind(&fact.item);
                self.pass(fact).began = fact.at;
            }
            FactKind::StageEntered => self.enter(fact),
            FactKind::HandedOver => self.hand_over(fact),
            FactKind::Converted => self.pass(fact).converted = Some(fact.at),
            FactKind::Recycled | FactKind::Nurtured => self.pass(fact).taken = true,
            FactKind::Rejected => self.reject(fact),
            FactKind::DefinitionFailed => self.fail(fact, "definition"),
            FactKind::ViolationOpened => self.open(fact),
            FactKind::ViolationClosed => self.close(fact),
            FactKind::Assigned => self.assigned.push((fact.at, fact.item.clone())),
            FactKind::Merged | FactKind::Deleted | FactKind::Restored => {
                self.course.merged = fact.kind == FactKind::Merged;
                self.course.gone = fact.kind != FactKind::Restored;
            }
            FactKind::ClockStarted => self.start(entry),
            _ => self.of_run(fact),
        }
    }

    /// The pass that a fact belongs to.
    fn pass(&mut self, fact: &Fact) -> &mut Pass {
        let passes = &mut self.course.passes;
        let known = passes.iter().position(|p| p.number == fact.pass);
        let i = known.unwrap_or_else(|| {
            passes.push(new_pass(fact.pass, fact.at));
            passes.len() - 1
        });
        &mut passes[i]
    }

    fn is_excused(&self, fact: &Fact) -> bool {
        !self.disputes.is_empty() && self.disputes.contains(&(fact.key(), fact.at.as_millis()))
    }

    fn enter(&mut self, fact: &Fact) {
        let stage = fact.item.as_ref().into();
        let (party, owner) = (fact.party.clone(), fact.owner.clone());
        self.pass(fact).entries.push(Entered { stage, at: fact.at, party, owner, undated: false });
    }

    /// Whoever receives it has it from the stage of the handoff on.
    fn hand_over(&mut self, fact: &Fact) {
        let (handoff, at) = (fact.source.clone(), fact.at);
        let pass = self.pass(fact);
        if let Some(entered) = pass.entries.last_mut().filter(|e| e.at == at) {
            entered.party = fact.party.clone();
        }
        let handed = Handed { handoff, at, undated: false, wrong: Vec::new(), waiting: false };
        pass.handed.push(handed);
    }

    /// A handoff did not give what was agreed. A definition that fails is told twice, as a fact and
    /// as a violation; a dispute about either excuses it.
    fn fail(&mut self, fact: &Fact, kind: &'static str) {
        let excused = self.is_excused(fact);
        let Some(handed) = self.pass(fact).handed.iter_mut().rev().find(|h| h.handoff == fact.source) else { return };
        match handed.wrong.iter_mut().find(|(wrong, _)| *wrong == kind) {
            Some((_, known)) => *known |= excused,
            None => handed.wrong.push((kind, excused)),
        }
    }

    fn reject(&mut self, fact: &Fact) {
        let text = |key: &str| fact.detail.get(key).and_then(|v| v.as_str()).unwrap_or_default().trim().to_owned();
        let rejected = Rejected {
            handoff: fact.source.clone(),
            at: fact.at,
            party: fact.party.clone(),
            reason: text("reason"),
            worked: fact.detail.get("worked").and_then(serde_json::Value::as_bool),
            excused: self.is_excused(fact),
        };
        self.pass(fact).rejections.push(rejected);
    }

    fn open(&mut self, fact: &Fact) {
        let excused = self.is_excused(fact);
        match &*fact.item {
            "definition" => self.fail(fact, "definition"),
            "missing" => self.fail(fact, "missing"),
            "rejection" => self.pass(fact).unreasoned.push((fact.source.clone(), fact.at, excused)),
            _ => {}
        }
        self.course.violations.push(Violation {
            kind: fact.item.clone(),
            source: fact.source.clone(),
            party: fact.party.clone(),
            pass: fact.pass,
            opened: fact.at,
            closed: None,
            excused,
        });
    }

    fn close(&mut self, fact: &Fact) {
        let same = |v: &&mut Violation| {
            v.closed.is_none() && v.kind == fact.item && v.source == fact.source && v.pass == fact.pass
        };
        if let Some(violation) = self.course.violations.iter_mut().find(same) {
            violation.closed = Some(fact.at);
        }
    }

    fn start(&mut self, entry: &Entry) {
        let fact = &entry.fact;
        let run = Run {
            clock: fact.source.clone(),
            number: fact.run,
            party: fact.party.clone(),
            owner: fact.owner.clone(),
            started: fact.at,
            told: entry.seen_at,
            deadline: deadline(fact),
            breached: None,
            answered: None,
            answered_by: None,
            owned: None,
            ended: None,
            pauses: Vec::new(),
            silent: false,
            excused: false,
        };
        self.pass(fact).runs.push(run);
    }

    fn of_run(&mut self, fact: &Fact) {
        let excused = self.is_excused(fact);
        let runs = &mut self.pass_of_run(fact);
        let Some(run) = runs.iter_mut().find(|r| r.clock == fact.source && r.number == fact.run) else { return };
        match fact.kind {
            FactKind::Paused => run.pauses.push((fact.at, None)),
            FactKind::Resumed => {
                if let Some((_, to)) = run.pauses.last_mut() {
                    *to = Some(fact.at);
                }
                run.deadline = deadline(fact).or(run.deadline);
            }
            FactKind::Recomputed => run.deadline = deadline(fact).or(run.deadline),
            FactKind::Breached => {
                run.breached = Some(fact.at);
                run.deadline = Some(fact.at);
                run.owner = fact.owner.clone();
                run.excused |= excused;
            }
            FactKind::Met | FactKind::MetLate | FactKind::Answered => {
                run.answered = Some(fact.at);
                run.answered_by = fact.owner.clone();
                run.ended = Some(fact.at);
                run.excused |= excused;
                if run.breached.is_none() {
                    run.owner = fact.owner.clone();
                }
            }
            FactKind::Cancelled | FactKind::Transferred => run.ended = Some(fact.at),
            _ => {}
        }
    }

    fn pass_of_run(&mut self, fact: &Fact) -> &mut [Run] {
        let found = self.course.passes.iter_mut().find(|p| p.number == fact.pass);
        found.map_or(&mut [], |pass| &mut pass.runs)
    }

    fn finish(mut self, live: &[&Entry]) -> Course {
        let w = well_known();
        for entry in live.iter().filter(|e| e.fact.kind == FactKind::Imported) {
            self.silence(&entry.fact);
        }
        let mut course = self.course;
        course.passes.sort_by_key(|p| p.number);
        let last = course.passes.len().saturating_sub(1);
        for (i, pass) in course.passes.iter_mut().enumerate() {
            pass.is_over = i < last;
            let waits = course.latest.as_ref().filter(|_| i == last).map_or(&[][..], |l| &l.unjudged);
            pass.handed.iter_mut().for_each(|h| h.waiting = h.wrong.is_empty() && waits.contains(&h.handoff));
            pass.runs.iter_mut().for_each(|run| run.owned = owned(run, &self.assigned));
        }
        let text = |name| course.fields().and_then(|f| f.get(name).as_text()).map(str::to_owned);
        (course.source, course.campaign) = (text(w.source), text(w.campaign));
        course
    }

    /// What a first import lists was overdue, or is of unknown start: the latter never breaches, and
    /// what was entered when it began is of unknown date.
    fn silence(&mut self, fact: &Fact) {
        let listed = fact.detail.get("clocks").and_then(|v| v.as_array()).cloned().unwrap_or_default();
        let Some(pass) = self.course.passes.iter_mut().find(|p| p.number == fact.pass) else { return };
        let mut unknown = HashSet::new();
        for run in pass.runs.iter_mut().filter(|r| r.started <= fact.at && r.breached.is_none()) {
            run.silent = listed.iter().any(|name| name.as_str() == Some(&*run.clock));
            if run.silent {
                unknown.insert(run.started);
            }
        }
        pass.entries.iter_mut().for_each(|e| e.undated |= unknown.contains(&e.at));
        pass.handed.iter_mut().for_each(|h| h.undated |= unknown.contains(&h.at));
    }
}

fn new_pass(number: u32, began: Timestamp) -> Pass {
    Pass {
        number,
        kind: PassKind::First,
        began,
        entries: Vec::new(),
        handed: Vec::new(),
        runs: Vec::new(),
        rejections: Vec::new(),
        unreasoned: Vec::new(),
        converted: None,
        taken: false,
        is_over: false,
    }
}

fn pass_kind(item: &str) -> PassKind {
    let kinds = [PassKind::Recycled, PassKind::Revived, PassKind::Returned];
    kinds.into_iter().find(|kind| kind.as_str() == item).unwrap_or(PassKind::First)
}

/// The deadline that a fact's detail tells.
fn deadline(fact: &Fact) -> Option<Timestamp> {
    fact.detail.get("deadline").and_then(serde_json::Value::as_i64).map(Timestamp::from_millis)
}

/// When the owner who answered got the record, where that was during the run.
fn owned(run: &Run, assigned: &[(Timestamp, Arc<str>)]) -> Option<Timestamp> {
    let (answered, owner) = (run.answered?, run.answered_by.as_ref()?);
    let during = assigned.iter().filter(|(at, _)| *at > run.started && *at <= answered);
    during.filter(|(_, to)| **to == *owner.as_str()).map(|(at, _)| *at).next_back()
}
