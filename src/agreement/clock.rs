//! The life of a run: it starts at an edge, pauses and resumes, restarts with a new owner or a
//! touch, is met, breached once, or cancelled. Its steps are in `steps`.

use super::fold::{DATE_GRAIN, Fold, Moment, Stirred};
use super::model::{Clock, ClockOf, Span, StepAt, Until};
use super::predicate::Predicate;
use super::span;
use super::standing::{Run, Spared, StepRun, StepState, ViolationKind};
use crate::record::field::well_known;
use crate::record::{Actor, Elapsed, Fact, FactKind, Timestamp};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// How long a touch after the breach spares a lead where the agreement has no `[recycling]`.
const DEFAULT_SPARE: Elapsed = Elapsed::from_secs(86_400);

impl Fold<'_> {
    /// Looks at every open run and every start after a change.
    pub(super) fn run_clocks(&mut self, moment: Moment, by: &Actor, stirred: Stirred) {
        for i in 0..self.standing.runs.len() {
            if self.standing.runs[i].is_open() {
                self.run_clock(i, moment, by, stirred);
            }
        }
        self.start_clocks(moment.start, by);
        if self.is_converted() {
            self.cancel_open(moment.end, "converted");
        }
    }

    fn run_clock(&mut self, i: usize, moment: Moment, by: &Actor, stirred: Stirred) {
        let Some(clock) = self.clock(&self.standing.runs[i].clock) else { return };
        if let Some(terms) = self.until_holds(clock, i) {
            return self.meet(i, moment, by, terms);
        }
        if clock.cancels.as_ref().is_some_and(|p| p.holds(&self.view(Some(&self.standing.runs[i])))) {
            return self.end(i, FactKind::Cancelled, moment.end, by, reason("its cancelling condition holds"));
        }
        if stirred.owner && clock.restarts_on_owner {
            self.end(i, FactKind::Transferred, moment.start, by, Map::new());
            return self.start(clock, moment.start, by);
        }
        if stirred.touches > 0.0 && clock.restarts_on_touch {
            self.end(i, FactKind::Answered, moment.start, by, Map::new());
            return self.start(clock, moment.start, by);
        }
        self.pause_or_resume(clock, i, moment, by);
    }

    /// The terms that held, when the run's condition holds now.
    fn until_holds(&self, clock: &Clock, i: usize) -> Option<Json> {
        let run = &self.standing.runs[i];
        match &clock.until {
            Until::Condition(p) => p.holds(&self.view(Some(run))).then(|| self.terms(p, Some(run))),
            Until::Filled(fields) => {
                let all = fields.iter().all(|f| !self.standing.fields.get(*f).is_null());
                all.then(|| Json::Null)
            }
        }
    }

    fn meet(&mut self, i: usize, moment: Moment, by: &Actor, terms: Json) {
        let run = &self.standing.runs[i];
        let at = moment.end.max(run.started);
        let in_time = run.silent || run.paused.is_some() || at <= run.deadline;
        if in_time {
            self.withdraw_breach(i);
        } else {
            self.breach(i);
        }
        let kind = if in_time { FactKind::Met } else { FactKind::MetLate };
        let mut detail = Map::new();
        detail.insert("terms".into(), terms);
        self.end(i, kind, at, by, detail);
    }

    /// Ends a run. What it had issued is withdrawn by `steps`.
    fn end(&mut self, i: usize, kind: FactKind, at: Timestamp, by: &Actor, mut detail: Map<String, Json>) {
        let run = &mut self.standing.runs[i];
        let at = at.max(run.started);
        run.ended = Some(at);
        detail.insert("deadline".into(), run.deadline.as_millis().into());
        self.run_fact(kind, at, i, by, detail);
    }

    fn run_fact(&mut self, kind: FactKind, at: Timestamp, i: usize, by: &Actor, detail: Map<String, Json>) {
        let run = &self.standing.runs[i];
        let (name, number) = (run.clock.clone(), run.number);
        let party = self.clock(&name).map(|c| c.party.clone());
        self.fact(kind, at, &name, number, "", by, detail);
        if let (Some(party), Some(fact)) = (party, self.facts.last_mut()) {
            fact.party = Some(party);
        }
    }

    pub(super) fn cancel(&mut self, clock: &str, at: Timestamp, why: &str) {
        let open = self.standing.runs.iter().position(|r| r.is_open() && &*r.clock == clock);
        if let Some(i) = open {
            self.end(i, FactKind::Cancelled, at, &Actor::Unknown, reason(why));
        }
    }

    pub(super) fn cancel_open(&mut self, at: Timestamp, why: &str) {
        for i in 0..self.standing.runs.len() {
            if self.standing.runs[i].is_open() {
                self.end(i, FactKind::Cancelled, at, &Actor::Unknown, reason(why));
            }
        }
    }

    /// An agreed rejection meets the clocks of the handoff that it answers.
    pub(super) fn meet_clocks_of(&mut self, handoff: &str, moment: Moment, by: &Actor) {
        for i in 0..self.standing.runs.len() {
            let Some(clock) = self.clock(&self.standing.runs[i].clock) else { continue };
            let of = matches!(clock.of, ClockOf::Handoff(h) if &*self.agreement.handoffs[h].name == handoff);
            if of && self.standing.runs[i].is_open() {
                self.meet(i, moment, by, "rejected for an agreed reason".into());
            }
        }
    }

    /// At an ending a clock is met where its condition holds, else cancelled.
    pub(super) fn end_clocks_at_ending(&mut self, found: usize, moment: Moment, by: &Actor) {
        for i in 0..self.standing.runs.len() {
            if !self.standing.runs[i].is_open() {
                continue;
            }
            match self.clock(&self.standing.runs[i].clock).and_then(|clock| self.until_holds(clock, i)) {
                Some(terms) => self.meet(i, moment, by, terms),
                None => {
                    let why = format!("ended as {}", self.agreement.stages[found].name);
                    self.end(i, FactKind::Cancelled, moment.end, by, reason(&why));
                }
            }
        }
    }

    fn start_clocks(&mut self, at: Timestamp, by: &Actor) {
        for clock in &self.agreement.clocks {
            if clock.object != self.standing.key.object {
                continue;
            }
            let was = self.standing.on.contains(&clock.name);
            let is = self.start_holds(clock);
            if is && !was {
                self.standing.on.push(clock.name.clone());
                self.start(clock, at, by);
            } else if was && !is {
                self.standing.on.retain(|name| name != &clock.name);
            }
        }
    }

    /// A clock's stage is reached: the record is at it or past it, and not at another ending.
    fn start_holds(&self, clock: &Clock) -> bool {
        let Some(now) = self.standing.stage.as_ref().and_then(|s| self.agreement.stage_index(s.as_str())) else {
            return false;
        };
        let open = self.agreement.stages[now].ends.is_none();
        now == clock.starts_at
            || (open && now >= clock.starts_at && self.agreement.stages[clock.starts_at].ends.is_none())
    }

    /// Starts a run; never for what was handed over before the agreement was in effect.
    fn start(&mut self, clock: &Clock, at: Timestamp, by: &Actor) {
        if at < self.agreement.effective_at || self.standing.gone.is_some() {
            return;
        }
        let number = self.standing.runs.iter().filter(|r| r.clock == clock.name).count() as u32 + 1;
        let touches = self.standing.fields.get(well_known().touches).as_number();
        let run = Run {
            clock: clock.name.clone(),
            number,
            started: at,
            touches_before: touches.or(self.standing.last_read.map(|_| 0.0)),
            ..new_run(self.agreement, clock, at)
        };
        let mut detail = Map::new();
        detail.insert("deadline".into(), run.deadline.as_millis().into());
        self.standing.runs.push(run);
        let i = self.standing.runs.len() - 1;
        if let ClockOf::Requirement(_) = clock.of {
            self.standing.party.get_or_insert_with(|| clock.party.clone());
        }
        self.run_fact(FactKind::ClockStarted, at, i, by, detail);
        // It may be over before it began: the next stage was reached in the same change.
        self.run_clock(i, Moment::exact(at), by, Stirred::default());
    }

    fn pause_or_resume(&mut self, clock: &Clock, i: usize, moment: Moment, by: &Actor) {
        let Some(condition) = &clock.pauses else { return };
        let holds = condition.holds(&self.view(Some(&self.standing.runs[i])));
        match (holds, self.standing.runs[i].paused) {
            // A pause is believed at its earliest moment, its end at the latest: time stands still for the owner.
            (true, None) => {
                let at = moment.end.max(self.standing.runs[i].started);
                self.standing.runs[i].paused = Some(at);
                self.tell_pause(FactKind::Paused, at, i, by, condition);
            }
            (false, Some(since)) => {
                resume(self.agreement, clock, &mut self.standing.runs[i], since, moment.start);
                self.tell_pause(FactKind::Resumed, moment.start, i, by, condition);
            }
            _ => {}
        }
    }

    fn tell_pause(&mut self, kind: FactKind, at: Timestamp, i: usize, by: &Actor, condition: &Predicate) {
        let mut detail = Map::new();
        detail.insert("terms".into(), self.terms(condition, Some(&self.standing.runs[i])));
        detail.insert("deadline".into(), self.standing.runs[i].deadline.as_millis().into());
        self.run_fact(kind, at, i, by, detail);
    }

    /// Breaches what fell due before this moment.
    pub(super) fn advance_before(&mut self, t: Timestamp) {
        self.advance(Timestamp::from_millis(t.as_millis().saturating_sub(1)));
    }

    /// Breaches what fell due up to and including this moment, in the order of the deadlines.
    pub(super) fn advance(&mut self, to: Timestamp) {
        let mut due: Vec<(Timestamp, usize)> = (0..self.standing.runs.len())
            .filter_map(|i| Some((self.judged_at(i)?, i)))
            .filter(|(at, _)| *at <= to)
            .collect();
        due.sort_unstable();
        for (_, i) in due {
            self.breach(i);
        }
    }

    /// When an open run will be judged as breached; `None` while it cannot be.
    pub(super) fn judged_at(&self, i: usize) -> Option<Timestamp> {
        let run = &self.standing.runs[i];
        if !run.is_open() || run.silent || run.paused.is_some() || run.breached.is_some() {
            return None;
        }
        let clock = self.clock(&run.clock)?;
        // What a form lacks is judged only on a read made since it is mandatory.
        if matches!(clock.until, Until::Filled(_)) && !self.read_covers(run.started) {
            return None;
        }
        // A rejection whose reason may still be filled in is waited for.
        let waits =
            self.standing.rejection.as_ref().filter(|r| r.at <= run.deadline).map(|r| r.at + self.agreement.settle);
        Some(run.deadline.max(waits.unwrap_or(Timestamp::MIN)))
    }

    /// Whether the record was read at or after this moment.
    pub(super) fn read_covers(&self, at: Timestamp) -> bool {
        self.standing.last_read.is_some_and(|r| r.at + DATE_GRAIN > at)
    }

    fn breach(&mut self, i: usize) {
        let run = &mut self.standing.runs[i];
        if run.breached.is_some() {
            return;
        }
        let at = run.deadline;
        run.breached = Some(at);
        let mut detail = Map::new();
        detail.insert("started".into(), run.started.as_millis().into());
        let name = run.clock.clone();
        if let Some(Until::Condition(p)) = self.clock(&name).map(|c| &c.until) {
            detail.insert("terms".into(), self.terms(p, Some(&self.standing.runs[i])));
        }
        self.run_fact(FactKind::Breached, at, i, &Actor::Leadpact, detail);
        self.standing.folded_to = self.standing.folded_to.max(at);
        if let Some(ClockOf::Requirement(r)) = self.clock(&name).map(|c| c.of) {
            let requirement = &self.agreement.requirements[r];
            let missing = self.missing(&requirement.fields);
            self.open_violation(ViolationKind::Missing, &requirement.name, at, missing);
        }
    }

    /// A breach that turned out not to have happened.
    fn withdraw_breach(&mut self, i: usize) {
        let run = &mut self.standing.runs[i];
        let Some(at) = run.breached.take() else { return };
        let (name, number) = (run.clock.clone(), run.number);
        let same = |f: &Fact| f.kind == FactKind::Breached && f.source == name && f.run == number && f.at == at;
        if let Some(told) = self.facts.iter().rposition(same) {
            self.facts.remove(told);
            return;
        }
        let key = format!("{}/{name}/{number}/breached/", self.standing.pass);
        let mut detail = Map::new();
        detail.insert("at".into(), at.as_millis().into());
        self.fact(FactKind::Withdrawn, at, &name, number, &key, &Actor::Leadpact, detail);
    }

    /// A person's touch, or change of owner or status, after the breach spares the lead, once a run.
    pub(super) fn spare(&mut self, at: Timestamp, by: &Actor, stirred: Stirred) {
        let stirs = stirred.owner || stirred.status || stirred.touches > 0.0;
        if !stirs || matches!(by, Actor::Leadpact | Actor::Automation) {
            return;
        }
        let spare = self.agreement.recycling.as_ref().map_or(DEFAULT_SPARE, |r| r.spare);
        for i in 0..self.standing.runs.len() {
            let run = &mut self.standing.runs[i];
            let breached = run.breached.is_some_and(|b| at >= b);
            if !run.is_open() || run.spared.is_some() || !breached {
                continue;
            }
            let until = at + spare;
            run.spared = Some(Spared { at, until });
            let mut detail = Map::new();
            detail.insert("until".into(), until.as_millis().into());
            self.run_fact(FactKind::Spared, at, i, by, detail);
        }
    }

    /// First import: what started now has no known start; it is listed, and nothing fires for it.
    pub(super) fn silence(&mut self, from: usize, at: Timestamp) {
        let mut listed = Vec::new();
        for run in self.standing.runs.iter_mut().skip(from).filter(|r| r.is_open()) {
            run.silent = true;
            listed.push(Json::from(&*run.clock));
        }
        let mut detail = Map::new();
        detail.insert("clocks".into(), listed.into());
        self.fact(FactKind::Imported, at, "", 0, "", &Actor::Leadpact, detail);
    }

    /// The new version of the agreement asks for it: open runs get the deadlines and steps that it
    /// would have given them; both deadlines are journalled.
    pub(super) fn recompute_open(&mut self, now: Timestamp) {
        for i in 0..self.standing.runs.len() {
            let run = &self.standing.runs[i];
            let Some(clock) = self.clock(&run.clock).filter(|_| run.is_open() && run.paused.is_none()) else {
                continue;
            };
            let fresh = new_run(self.agreement, clock, run.started);
            let mut detail = Map::new();
            detail.insert("deadline_before".into(), run.deadline.as_millis().into());
            detail.insert("deadline".into(), fresh.deadline.as_millis().into());
            let run = &mut self.standing.runs[i];
            run.deadline = fresh.deadline;
            for step in fresh.steps {
                match run.steps.iter_mut().find(|s| s.name == step.name) {
                    Some(known) if known.state == StepState::Pending => known.at = step.at,
                    Some(_) => {}
                    None => run.steps.push(step),
                }
            }
            self.run_fact(FactKind::Recomputed, now, i, &Actor::Leadpact, detail);
        }
    }

    fn is_converted(&self) -> bool {
        let converted = self.standing.fields.field(well_known().converted);
        converted.is_some_and(|f| f.value.as_bool() == Some(true) && f.at >= self.standing.pass_began)
    }
}

fn reason(why: &str) -> Map<String, Json> {
    Map::from_iter([("why".to_owned(), Json::from(why))])
}

/// A run's deadline and the moments of its steps.
fn new_run(agreement: &super::model::Agreement, clock: &Clock, at: Timestamp) -> Run {
    let calendar = agreement.calendar_of(clock);
    let deadline = span::after(calendar, at, clock.within);
    let moment = |step: StepAt| match step {
        StepAt::Share(share) => span::share_of(calendar, clock.within, at, deadline, share),
        StepAt::Before(by) => span::before(calendar, deadline, by),
        StepAt::Due => deadline,
        StepAt::After(by) => span::after(calendar, deadline, by),
    };
    let steps = clock.steps.iter().map(|s| StepRun {
        name: s.name.clone(),
        at: moment(s.at).max(at),
        noticed: None,
        state: StepState::Pending,
        issued: Vec::new(),
    });
    Run {
        clock: Arc::from(""),
        number: 0,
        started: at,
        deadline,
        paused: None,
        breached: None,
        ended: None,
        touches_before: None,
        spared: None,
        silent: false,
        steps: steps.collect(),
    }
}

/// Time stood still from `since` to `at`: what remained then remains now.
fn resume(agreement: &super::model::Agreement, clock: &Clock, run: &mut Run, since: Timestamp, at: Timestamp) {
    let calendar = agreement.calendar_of(clock);
    let business = span::is_business(clock.within);
    let moved = |t: Timestamp| {
        if t <= since {
            return t;
        }
        let remaining = span::counted_between(calendar, business, since, t);
        span::after(calendar, at, if business { Span::Open(remaining) } else { Span::Elapsed(remaining) })
    };
    run.deadline = moved(run.deadline);
    for step in run.steps.iter_mut().filter(|s| s.state == StepState::Pending) {
        step.at = moved(step.at);
    }
    run.paused = None;
}
