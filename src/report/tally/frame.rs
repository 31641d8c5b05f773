//! What a count is made under: the agreement that measures, the period, and what is known of both.

use super::Question;
use crate::agreement::calendar::Calendar;
use crate::agreement::model::{Agreement, Clock, ClockOf};
use crate::agreement::predicate::{Predicate, View};
use crate::agreement::span::is_business;
use crate::record::field::well_known;
use crate::record::{Elapsed, Timestamp};
use crate::report::course::{Course, Pass};
use crate::report::money::{Worth, worth};
use crate::report::window::Window;
use std::sync::Arc;

pub(super) struct Frame {
    pub agreement: Arc<Agreement>,
    pub window: Window,
    /// Nothing from before this counts.
    pub since: Timestamp,
    pub now: Timestamp,
}

impl Frame {
    pub fn new(question: &Question, agreement: Arc<Agreement>, window: Window) -> Self {
        Self { agreement, window, since: question.terms.since(), now: question.now }
    }

    /// Whether what happened then belongs to the period.
    pub fn has(&self, at: Timestamp) -> bool {
        self.window.contains(at) && at >= self.since
    }

    pub fn is_over(&self) -> bool {
        self.window.is_over(self.now)
    }

    /// The end of what is known of the period.
    pub fn end(&self) -> Timestamp {
        self.window.until.min(self.now)
    }

    /// The clock of that name, where the version has it.
    pub fn clock(&self, name: &str) -> Option<&Clock> {
        self.agreement.clock_named(name)
    }

    pub fn is_of_handoff(&self, clock: &str) -> bool {
        self.clock(clock).is_some_and(|c| matches!(c.of, ClockOf::Handoff(_)))
    }

    /// How a clock counts: on which calendar, and whether business time.
    pub fn counting(&self, clock: &str) -> (Option<&Calendar>, bool) {
        let clock = self.clock(clock);
        (clock.and_then(|c| self.agreement.calendar_of(c)), clock.is_some_and(|c| is_business(c.within)))
    }

    /// The share of the period that has passed, in open time of the agreement's calendar.
    pub fn passed(&self) -> Option<f64> {
        let calendar = self.agreement.calendar.map(|i| &self.agreement.calendars[i].calendar);
        let length = |a: Timestamp, b: Timestamp| calendar.map_or(b - a, |c| c.open_between(a, b));
        let (whole, so_far) = (length(self.window.from, self.window.until), length(self.window.from, self.end()));
        let known = whole > Elapsed::ZERO && so_far > Elapsed::ZERO;
        known.then(|| so_far.as_millis() as f64 / whole.as_millis() as f64)
    }

    /// What a record's amount is worth in the agreement's currency.
    pub fn worth(&self, course: &Course) -> Worth {
        let w = well_known();
        let amount = course.fields().and_then(|f| f.get(w.amount).as_number());
        worth(self.agreement.currency.as_ref(), amount, course.text(w.currency))
    }

    /// Whether a condition holds of a record as it is now; `None` when its values were erased.
    pub fn holds(&self, condition: &Predicate, course: &Course) -> Option<bool> {
        let last = course.passes.last();
        let place = |pass: &Pass| pass.entries.last().and_then(|e| self.agreement.stage_index(e.stage.as_str()));
        let furthest = |pass: &Pass| {
            let places = pass.entries.iter().filter_map(|e| self.agreement.stage_index(e.stage.as_str()));
            places.filter(|i| self.agreement.stages[*i].in_waterfall()).max()
        };
        let fields = course.fields()?;
        let (stage, furthest) = (last.and_then(place), last.and_then(furthest));
        Some(condition.holds(&View { fields, stage, furthest, touches: None }))
    }
}

/// When a pass was lost to neglect: a handoff's clock was missed in it, and then leadpact took the
/// record back, or nobody has done anything with it since: no answer, no other stage, no opportunity.
pub(super) fn neglected(frame: &Frame, pass: &Pass) -> Option<Timestamp> {
    let missed = pass.runs.iter().filter(|r| frame.is_of_handoff(&r.clock) && !r.excused && r.breached.is_some());
    let first = missed.clone().filter_map(|r| r.breached).min()?;
    let later = |at: Timestamp| at > first;
    let worked = missed.clone().any(|r| r.answered.is_some())
        || pass.converted.is_some_and(later)
        || pass.entries.iter().any(|e| later(e.at));
    (pass.taken || !worked).then_some(first)
}
