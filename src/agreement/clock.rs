//! The life of a run: it starts at an edge, restarts with a new owner or a touch, is met, breached
//! once, or cancelled, and may be spared. Its times and pauses are in `run`, its steps in `steps`.

use super::fold::{About, DATE_GRAIN, Fold, Moment, Stirred, details};
use super::model::{Clock, ClockOf, Until};
use super::run::new_run;
use super::standing::{Run, Spared, StepState, ViolationKind};
use crate::record::field::well_known;
use crate::record::{Actor, Elapsed, FactKind, Timestamp};
use serde_json::{Map, Value as Json};

/// How long a touch after the breach spares a lead where the agreement has no `[recycling]`.
const DEFAULT_SPARE: Elapsed = Elapsed::from_secs(86_400);

impl Fold<'_> {
    /// Ends or pauses the open runs whose conditions say so.
    pub(super) fn end_runs(&mut self, moment: Moment, by: &Actor) {
        for i in 0..self.standing.runs.len() {
            if self.standing.runs[i].is_open() {
                self.end_run(i, moment, by);
            }
        }
    }

    fn end_run(&mut self, i: usize, moment: Moment, by: &Actor) {
        let Some(clock) = self.clock(&self.standing.runs[i].clock) else { return };
        if let Some(terms) = self.until_holds(clock, i) {
            return self.meet(i, moment, by, terms);
        }
        if clock.cancels.as_ref().is_some_and(|p| p.holds(&self.view(Some(&self.standing.runs[i])))) {
            return self.end(i, FactKind::Cancelled, moment.end, by, reason("its cancelling condition holds"));
        }
        self.pause(clock, i, moment.end, by);
    }

    /// A new owner or a touch starts a clock anew where the agreement says so; a pause may be over.
    pub(super) fn restart_runs(&mut self, at: Timestamp, by: &Actor, stirred: Stirred) {
        for i in 0..self.standing.runs.len() {
            let run = &self.standing.runs[i];
            let Some(clock) = self.clock(&run.clock).filter(|_| run.is_open()) else { continue };
            if stirred.owner && clock.restarts_on_owner {
                self.end(i, FactKind::Transferred, at, by, Map::new());
                self.start(clock, at, by);
            } else if stirred.touches > 0.0 && clock.restarts_on_touch {
                self.end(i, FactKind::Answered, at, by, Map::new());
                self.start(clock, at, by);
            } else {
                self.resume(clock, i, at, by);
            }
        }
    }

    /// The terms that held, when the run's condition holds now.
    fn until_holds(&self, clock: &Clock, i: usize) -> Option<Json> {
        let run = &self.standing.runs[i];
        match &clock.until {
            Until::Condition(p) => p.holds(&self.view(Some(run))).then(|| self.terms(p, Some(run))),
            Until::Filled(fields) => {
                let all = fields.iter().all(|f| !self.standing.fields.get(*f).is_null());
                all.then_some(Json::Null)
            }
        }
    }

    fn meet(&mut self, i: usize, moment: Moment, by: &Actor, terms: Json) {
        let run = &self.standing.runs[i];
        let at = moment.end.max(run.started);
        // While it was paused no time passed.
        let in_time = run.silent || run.paused.unwrap_or(at).min(at) <= run.deadline;
        if !in_time {
            self.breach(i);
        }
        let kind = if in_time { FactKind::Met } else { FactKind::MetLate };
        self.end(i, kind, at, by, details([("terms", terms)]));
    }

    /// Ends a run. What it had issued is withdrawn by `steps`; a breach that would have come after
    /// the end did not happen.
    fn end(&mut self, i: usize, kind: FactKind, at: Timestamp, by: &Actor, mut detail: Map<String, Json>) {
        let at = at.max(self.standing.runs[i].started);
        self.no_breach_from(i, at);
        let run = &mut self.standing.runs[i];
        run.ended = Some(at);
        detail.insert("deadline".into(), run.deadline.as_millis().into());
        self.run_fact(kind, at, i, by, detail);
    }

    pub(super) fn run_fact(&mut self, kind: FactKind, at: Timestamp, i: usize, by: &Actor, detail: Map<String, Json>) {
        // The run that a new owner ends was the former one's.
        let former = (kind == FactKind::Transferred).then(|| self.owner_before(at));
        let run = &self.standing.runs[i];
        let (name, number) = (run.clock.clone(), run.number);
        let party = self.clock(&name).map(|c| c.party.clone());
        let fact = self.fact(kind, at, About { source: &name, run: number, item: "" }, by, detail);
        fact.party = party.or(fact.party.take());
        if let Some(former) = former {
            fact.owner = former;
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

    /// Where the waterfall is left, a clock is met where its condition holds, else cancelled.
    pub(super) fn end_open(&mut self, moment: Moment, by: &Actor, why: &str) {
        for i in 0..self.standing.runs.len() {
            if !self.standing.runs[i].is_open() {
                continue;
            }
            match self.clock(&self.standing.runs[i].clock).and_then(|clock| self.until_holds(clock, i)) {
                Some(terms) => self.meet(i, moment, by, terms),
                None => self.end(i, FactKind::Cancelled, moment.end, by, reason(why)),
            }
        }
    }

    /// Starts the clocks whose start holds now and did not before.
    pub(super) fn start_clocks(&mut self, at: Timestamp, by: &Actor) {
        let object = self.standing.key.object;
        for clock in self.agreement.clocks.iter().filter(|c| c.object == object) {
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
    pub(super) fn start_holds(&self, clock: &Clock) -> bool {
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
        let touches_before = touches.or(self.standing.last_read.filter(|_| !self.counting).map(|_| 0.0));
        let run = Run { number, touches_before, ..new_run(self.agreement, clock, at) };
        let detail = details([("deadline", run.deadline.as_millis().into())]);
        self.standing.runs.push(run);
        let i = self.standing.runs.len() - 1;
        if matches!(clock.of, ClockOf::Requirement(_)) && self.standing.party.is_none() {
            self.set_party(Some(clock.party.clone()), at);
        }
        self.run_fact(FactKind::ClockStarted, at, i, by, detail);
        // It may be over before it began: the next stage was reached in the same change.
        self.end_run(i, Moment::exact(at), by);
    }

    /// Breaches what fell due before this moment.
    pub(super) fn advance_before(&mut self, t: Timestamp) {
        self.advance(Timestamp::from_millis(t.as_millis().saturating_sub(1)));
    }

    /// Breaches what fell due up to and including this moment, in the order of the deadlines.
    pub(super) fn advance(&mut self, to: Timestamp) {
        let judged = (0..self.standing.runs.len()).filter_map(|i| Some((self.judged_at(i)?, i)));
        let mut due: Vec<(Timestamp, usize)> = judged.filter(|(at, _)| *at <= to).collect();
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
        let waits = self.standing.rejection.as_ref().filter(|r| r.at <= run.deadline);
        Some(waits.map_or(run.deadline, |r| run.deadline.max(r.at + self.agreement.settle)))
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
        let mut detail = details([("started", run.started.as_millis().into())]);
        let clock = self.clock(&self.standing.runs[i].clock);
        if let Some(Until::Condition(p)) = clock.map(|c| &c.until) {
            detail.insert("terms".into(), self.terms(p, Some(&self.standing.runs[i])));
        }
        self.run_fact(FactKind::Breached, at, i, &Actor::Leadpact, detail);
        self.folded(at);
        if let Some(ClockOf::Requirement(r)) = clock.map(|c| c.of) {
            let requirement = &self.agreement.requirements[r];
            let missing = self.missing(&requirement.fields);
            // Filled in late, before anybody looked: measured, and nothing is owed any more.
            if !missing.is_empty() {
                self.open_violation(ViolationKind::Missing, &requirement.name, at, missing);
            }
        }
    }

    /// The run ended or stood still from this moment on: a breach at or after it did not happen,
    /// nor what followed from that.
    pub(super) fn no_breach_from(&mut self, i: usize, at: Timestamp) {
        let run = &mut self.standing.runs[i];
        let Some(breached) = run.breached.take_if(|breached| at <= *breached) else { return };
        let (name, number, spared) = (run.clock.clone(), run.number, run.spared.take());
        let about = About { source: &name, run: number, item: "" };
        self.take_back(FactKind::Breached, breached, about);
        if let Some(spared) = spared {
            self.take_back(FactKind::Spared, spared.at, about);
        }
        if let Some(ClockOf::Requirement(_)) = self.clock(&name).map(|c| c.of) {
            self.never_violated(ViolationKind::Missing, &name, breached);
        }
    }

    /// A person's touch, or change of owner or status, after the breach spares the lead, once a run.
    pub(super) fn spare(&mut self, at: Timestamp, by: &Actor, stirred: Stirred) {
        let stirs = stirred.owner || stirred.status || stirred.touches > 0.0;
        if !stirs || matches!(by, Actor::Leadpact | Actor::Automation) {
            return;
        }
        let spare = self.spare_for();
        for i in 0..self.standing.runs.len() {
            let run = &mut self.standing.runs[i];
            let breached = run.breached.is_some_and(|b| at >= b);
            if !run.is_open() || run.spared.is_some() || !breached {
                continue;
            }
            let until = at + spare;
            run.spared = Some(Spared { at, until });
            self.run_fact(FactKind::Spared, at, i, by, details([("until", until.as_millis().into())]));
        }
    }

    /// For how long a sign of life spares a lead.
    pub(super) fn spare_for(&self) -> Elapsed {
        self.agreement.recycling.as_ref().map_or(DEFAULT_SPARE, |r| r.spare)
    }

    /// First import. What started with it has no known start: it is listed, and nothing fires for
    /// it, unless it is to count from the import on. Of what history told before, nothing fires that is
    /// overdue already.
    pub(super) fn silence(&mut self, from: usize, at: Timestamp, from_now: bool) {
        let mut listed = Vec::new();
        for (i, run) in self.standing.runs.iter_mut().enumerate().filter(|(_, r)| r.is_open()) {
            run.silent |= i >= from && !from_now;
            for step in run.steps.iter_mut().filter(|s| s.state == StepState::Pending && s.at <= at) {
                step.state = StepState::Skipped;
            }
            if run.silent || run.deadline <= at {
                listed.push(Json::from(&*run.clock));
            }
        }
        let detail = details([("clocks", listed.into())]);
        self.fact(FactKind::Imported, at, About::default(), &Actor::Leadpact, detail);
    }

    /// A converted lead has nothing left to be done about it.
    pub(super) fn cancel_converted(&mut self, at: Timestamp) {
        let converted = self.standing.fields.field(well_known().converted);
        if converted.is_some_and(|f| f.value.as_bool() == Some(true) && f.at >= self.standing.pass_began) {
            self.cancel_open(at, "converted");
        }
    }
}

fn reason(why: &str) -> Map<String, Json> {
    details([("why", Json::from(why))])
}
