//! The times of a run: its deadline and the moments of its steps, standing still and going on, and
//! what a new version of the agreement makes of them. When a run ends is in `clock`.

use super::fold::{Fold, details};
use super::model::{Agreement, Clock, StepAt};
use super::predicate::Predicate;
use super::span;
use super::standing::{Run, StepRun, StepState};
use crate::agreement::model::Span;
use crate::record::{Actor, FactKind, Timestamp};

impl Fold<'_> {
    /// A pause is believed at the earliest moment, its end at the latest: in doubt time stood still.
    pub(super) fn pause(&mut self, clock: &Clock, i: usize, at: Timestamp, by: &Actor) {
        let run = &self.standing.runs[i];
        let Some(condition) = clock.pauses.as_ref().filter(|_| run.paused.is_none()) else { return };
        if !condition.holds(&self.view(Some(run))) {
            return;
        }
        let at = at.max(run.started);
        self.no_breach_from(i, at);
        self.standing.runs[i].paused = Some(at);
        self.tell_pause(FactKind::Paused, at, i, by, condition);
    }

    /// Ends a pause whose condition holds no more.
    pub(super) fn resume(&mut self, clock: &Clock, i: usize, at: Timestamp, by: &Actor) {
        let run = &self.standing.runs[i];
        let (Some(condition), Some(since)) = (&clock.pauses, run.paused) else { return };
        if condition.holds(&self.view(Some(run))) {
            return;
        }
        let at = at.max(since);
        go_on(self.agreement, clock, &mut self.standing.runs[i], since, at);
        self.tell_pause(FactKind::Resumed, at, i, by, condition);
    }

    fn tell_pause(&mut self, kind: FactKind, at: Timestamp, i: usize, by: &Actor, condition: &Predicate) {
        let run = &self.standing.runs[i];
        let terms = self.terms(condition, Some(run));
        let detail = details([("terms", terms), ("deadline", run.deadline.as_millis().into())]);
        self.run_fact(kind, at, i, by, detail);
    }

    /// The new version of the agreement asks for it: open runs get the deadlines and steps that it
    /// would have given them; both deadlines are journalled. What is breached stays breached, and
    /// what is paused keeps what remained.
    pub(super) fn recompute_open(&mut self, now: Timestamp) {
        for i in 0..self.standing.runs.len() {
            let run = &self.standing.runs[i];
            let recomputes = run.is_open() && run.paused.is_none() && run.breached.is_none();
            let Some(clock) = self.clock(&run.clock).filter(|_| recomputes) else { continue };
            let fresh = new_run(self.agreement, clock, run.started);
            let before = run.deadline.as_millis();
            let detail = details([("deadline_before", before.into()), ("deadline", fresh.deadline.as_millis().into())]);
            let run = &mut self.standing.runs[i];
            run.deadline = fresh.deadline;
            replace_steps(run, fresh.steps);
            self.run_fact(FactKind::Recomputed, now, i, &Actor::Leadpact, detail);
        }
    }
}

/// Steps that fired stay as they are; the others get their new moments.
fn replace_steps(run: &mut Run, fresh: Vec<StepRun>) {
    for step in fresh {
        match run.steps.iter_mut().find(|s| s.name == step.name) {
            Some(known) if known.state == StepState::Pending => known.at = step.at,
            Some(_) => {}
            None => run.steps.push(step),
        }
    }
    run.steps.sort_by_key(|s| s.at);
}

/// A run that starts now, with its deadline and the moments of its steps.
pub(super) fn new_run(agreement: &Agreement, clock: &Clock, at: Timestamp) -> Run {
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
        clock: clock.name.clone(),
        number: 1,
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

/// Time stood still from `since` to `at`: what remained then remains now. All moments move,
/// whether their steps fired or not, so that the same history gives the same run.
fn go_on(agreement: &Agreement, clock: &Clock, run: &mut Run, since: Timestamp, at: Timestamp) {
    let calendar = agreement.calendar_of(clock);
    let business = span::is_business(clock.within);
    let moved = |t: Timestamp| {
        if t < since {
            return t;
        }
        let remaining = span::counted_between(calendar, business, since, t);
        span::after(calendar, at, if business { Span::Open(remaining) } else { Span::Elapsed(remaining) })
    };
    run.deadline = moved(run.deadline);
    for step in &mut run.steps {
        step.at = moved(step.at);
    }
    run.paused = None;
}
