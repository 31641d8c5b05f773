//! Applying one entry of a record's history to its standing. Reads are in `reading`, what follows
//! for stages, clocks, violations and writes of ours in `stage`, `clock`, `violation` and `moves`;
//! what is done, in `steps`.

use super::echo::{forget_old_writes, without_echoes};
use super::model::{Agreement, Clock};
use super::predicate::{Predicate, Term, View};
use super::standing::{Gone, OwnWrite, Phase, Run, Standing};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Actor, Change, EffectKey, Elapsed, Fact, FactKind, Timestamp, Value, What};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// A CRM's `Date` header counts whole seconds: a read may be so much later than it says.
pub(super) const DATE_GRAIN: Elapsed = Elapsed::from_secs(1);

/// When a change happened: an end is believed at the earliest, a start at the latest moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub end: Timestamp,
    pub start: Timestamp,
}

impl Moment {
    pub fn exact(at: Timestamp) -> Self {
        Self { end: at, start: at }
    }
}

/// What a change did to the fields that clocks care about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stirred {
    pub owner: bool,
    pub status: bool,
    pub touches: f64,
}

/// What a fact is about, beside the record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About<'s> {
    pub source: &'s str,
    pub run: u32,
    pub item: &'s str,
}

/// A standing on its way through its history.
pub(super) struct Fold<'a> {
    pub agreement: &'a Agreement,
    pub standing: Standing,
    pub facts: Vec<Fact>,
    /// What belongs into the history.
    pub history: Vec<Change>,
    /// Two values of one moment were seen, or something else that only a read settles.
    pub doubt: bool,
    /// What was added to the history has its place before what was folded already.
    pub refold: bool,
    /// The whole history is being folded: nothing is older than what was told.
    pub is_refold: bool,
    /// A move of ours is being undone.
    pub is_undoing: bool,
    /// The first count of touches is being read: what begins meanwhile does not know its own yet.
    pub counting: bool,
    /// The effect that this decision settles.
    pub settled: Option<EffectKey>,
    /// Effects that a newer one stands in for, if they have not left yet.
    pub outdated: Vec<EffectKey>,
}

impl<'a> Fold<'a> {
    pub fn new(agreement: &'a Agreement, standing: Standing) -> Self {
        let (facts, history) = (Vec::new(), Vec::new());
        let (settled, outdated) = (None, Vec::new());
        let (doubt, refold, counting) = (false, false, false);
        let (is_refold, is_undoing) = (false, false);
        Self { agreement, standing, facts, history, doubt, refold, is_refold, is_undoing, counting, settled, outdated }
    }

    /// Applies one entry. Entries must come in the order of their times.
    pub fn change(&mut self, change: &Change) {
        match &change.what {
            What::Fields(values) => {
                self.advance_before(change.at);
                let values = self.without_echoes(values, change.at, &change.by);
                let values = self.without_known_link(values, change.at);
                let stirred = self.set_fields(&values, change.at, &change.by);
                self.follow(Moment::exact(change.at), &change.by, stirred);
                // Somebody changed it after it was gone: a read tells whether it is there after all.
                self.doubt |= self.standing.gone == Some(Gone::Deleted);
            }
            What::Read(reading) => self.read(reading, change.at, &change.by),
            What::Wrote { effect, action, values, since } => {
                self.advance_before(change.at);
                self.remember_own_write(effect, values, *since, change.at);
                self.wrote(effect, action, values, change.at);
            }
            What::Deleted => self.gone(Gone::Deleted, FactKind::Deleted, change),
            What::Merged { into } => self.gone(Gone::MergedInto(into.clone()), FactKind::Merged, change),
            What::Restored => self.restored(change.at, &change.by),
        }
        self.folded(change.at);
    }

    /// Nothing older than this moment can be taken any more without folding anew.
    pub fn folded(&mut self, to: Timestamp) {
        self.standing.folded_to = self.standing.folded_to.max(to);
    }

    /// Sets fields, but for those of which something later is known.
    pub fn set_fields(&mut self, values: &FieldValues, at: Timestamp, by: &Actor) -> Stirred {
        let w = well_known();
        let mut stirred = Stirred::default();
        for (name, value) in values {
            let before = self.standing.fields.get(*name).clone();
            // A read may have told something later than this event; its `Date` has whole seconds only.
            let newer = self.standing.fields.field(*name).is_some_and(|f| f.at > at);
            if newer || !self.standing.fields.set(*name, value.clone(), at) {
                continue;
            }
            if *name == w.owner {
                stirred.owner = true;
                self.assigned(&before, at, by);
            } else if *name == w.status {
                stirred.status = true;
            } else if *name == w.touches {
                stirred.touches = self.touched(&before, value, at);
            }
        }
        stirred
    }

    /// How many touches a new count means, and what it says about runs that did not know theirs.
    fn touched(&mut self, before: &Value, after: &Value, at: Timestamp) -> f64 {
        let Some(now) = after.as_number() else { return 0.0 };
        let more = match before.as_number() {
            Some(before) => (now - before).max(0.0),
            // A read showed that there was none yet.
            None if self.standing.last_read.is_some() => now,
            // The first count that we see was raised by this very event; a read corrects it.
            None => 1.0_f64.min(now),
        };
        for run in self.standing.runs.iter_mut().filter(|r| r.is_open()) {
            match &mut run.touches_before {
                None => run.touches_before = Some(now - more),
                // A touch from before the run began is none of the run's.
                Some(known) if at < run.started => *known += more,
                Some(_) => {}
            }
        }
        if more > 0.0 {
            self.standing.touched = self.standing.touched.max(Some(at));
        }
        more
    }

    /// Everything that follows from changed fields: first what ends, then what falls due before the
    /// change is over, then what begins. For a change of known time these are one moment.
    pub fn follow(&mut self, moment: Moment, by: &Actor, stirred: Stirred) {
        self.follow_ends(moment, by);
        self.follow_starts(moment, by, stirred);
    }

    /// A stage may end a pass, a pass ends runs, and only then clocks look at what is left.
    pub fn follow_ends(&mut self, moment: Moment, by: &Actor) {
        if self.standing.gone.is_none() {
            self.restage(moment, by);
            self.end_runs(moment, by);
        }
    }

    pub fn follow_starts(&mut self, moment: Moment, by: &Actor, stirred: Stirred) {
        if self.standing.gone.is_none() {
            self.advance_before(moment.start);
            self.spare(moment.start, by, stirred);
            self.contest(moment.start, by, stirred);
            self.restart_runs(moment.start, by, stirred);
            self.start_clocks(moment.start, by);
            self.cancel_converted(moment.end);
            self.mend(moment.start);
            self.folded(moment.start);
        }
    }

    /// The latest moment at which a field was set.
    pub fn last_change(&self) -> Timestamp {
        self.standing.fields.iter().map(|f| f.at).max().unwrap_or(Timestamp::MIN)
    }

    fn remember_own_write(&mut self, effect: &EffectKey, values: &FieldValues, since: Timestamp, at: Timestamp) {
        let writes = &mut self.standing.own_writes;
        writes.retain(|w| &w.effect != effect);
        writes.push(OwnWrite { effect: effect.clone(), values: values.clone(), since, until: Some(at) });
        forget_old_writes(writes);
    }

    pub fn without_echoes(&self, values: &FieldValues, at: Timestamp, by: &Actor) -> FieldValues {
        without_echoes(&self.standing.own_writes, values, at, by)
    }

    fn gone(&mut self, how: Gone, kind: FactKind, change: &Change) {
        self.advance_before(change.at);
        if self.standing.gone.is_some() {
            return;
        }
        self.cancel_open(change.at, kind.as_str());
        self.standing.gone = Some(how);
        self.standing.checks.clear();
        self.standing.rejection = None;
        self.standing.violations.clear();
        self.fact(kind, change.at, About::default(), &change.by, Map::new());
    }

    /// Back from the bin: its clocks start anew, and a read tells what it is now.
    pub fn restored(&mut self, at: Timestamp, by: &Actor) {
        if self.standing.gone.take().is_some() {
            self.fact(FactKind::Restored, at, About::default(), by, Map::new());
            self.standing.on.clear();
            self.doubt = true;
            self.follow(Moment::exact(at), by, Stirred::default());
        }
    }

    /// What conditions look at; `touches` since that run began, or the field itself.
    pub fn view<'s>(&'s self, run: Option<&Run>) -> View<'s> {
        view(self.agreement, &self.standing, run)
    }

    /// The terms of a condition with the values seen, for the journal.
    pub fn terms(&self, condition: &Predicate, run: Option<&Run>) -> Json {
        let terms: Vec<Term> = condition.explain(&self.view(run));
        serde_json::to_value(terms).unwrap_or(Json::Null)
    }

    /// Adds a fact and answers it, for what only its teller knows. It bears whose the record was, and
    /// at which stage, at its moment.
    pub fn fact(
        &mut self,
        kind: FactKind,
        at: Timestamp,
        about: About<'_>,
        by: &Actor,
        detail: Map<String, Json>,
    ) -> &mut Fact {
        let Phase { owner, party, stage, .. } = self.phase_at(at);
        let fact = Fact {
            kind,
            at,
            pass: self.standing.pass,
            source: Arc::from(about.source),
            run: about.run,
            item: Arc::from(about.item),
            party,
            owner,
            stage,
            by: by.clone(),
            detail,
        };
        let last = self.facts.len();
        self.facts.push(fact);
        &mut self.facts[last]
    }

    /// Takes a fact back: as if it had never been told where it is of this decision, else by a
    /// withdrawal that the journal keeps.
    pub fn take_back(&mut self, kind: FactKind, at: Timestamp, about: About<'_>) {
        let pass = self.standing.pass;
        let is_it = |f: &Fact| {
            f.kind == kind && f.at == at && f.pass == pass && &*f.source == about.source && &*f.item == about.item
        };
        if let Some(told) = self.facts.iter().rposition(|f| is_it(f) && f.run == about.run) {
            self.facts.remove(told);
            return;
        }
        let key = format!("{pass}/{}/{}/{}/{}", about.source, about.run, kind.as_str(), about.item);
        let detail = details([("at", at.as_millis().into())]);
        self.fact(FactKind::Withdrawn, at, About { item: &key, ..about }, &Actor::Leadpact, detail);
    }

    pub fn clock(&self, name: &str) -> Option<&'a Clock> {
        self.agreement.clock_named(name)
    }
}

/// A fact's detail.
pub(super) fn details<const N: usize>(pairs: [(&str, Json); N]) -> Map<String, Json> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What conditions look at.
pub(super) fn view<'s>(agreement: &Agreement, standing: &'s Standing, run: Option<&Run>) -> View<'s> {
    let touches = run.map(|run| {
        let now = standing.fields.get(well_known().touches).as_number().unwrap_or(0.0);
        run.touches_before.map_or(0.0, |before| (now - before).max(0.0))
    });
    View {
        fields: &standing.fields,
        stage: standing.stage.as_ref().and_then(|s| agreement.stage_index(s.as_str())),
        furthest: standing.furthest.as_ref().and_then(|s| agreement.stage_index(s.as_str())),
        touches,
    }
}

/// The clock and the run that an effect's key names: `connection/object/id/pass/source/run/…`.
pub(super) fn source_and_run(effect: &EffectKey) -> (String, u32) {
    let mut parts = effect.as_str().split('/').skip(4);
    let source = parts.next().unwrap_or_default();
    let run = parts.next().and_then(|r| r.parse().ok()).unwrap_or(0);
    (source.replace("%2F", "/").replace("%25", "%"), run)
}

/// `/` would split a key in the wrong place.
pub(super) fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}
