//! One run of a clock as the journal tells it: when it began and ended, how it was decided, and how
//! long the answer took as the clock counts time.

use super::Excused;
use crate::agreement::calendar::Calendar;
use crate::agreement::span::counted_between;
use crate::record::{Elapsed, OwnerId, PartyName, Timestamp};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Run {
    pub clock: Arc<str>,
    pub number: u32,
    pub party: Option<PartyName>,
    /// Who had the record when the run was decided; until then, when it began.
    pub owner: Option<OwnerId>,
    pub started: Timestamp,
    /// When the start was journalled.
    pub told: Timestamp,
    /// As it stands now; unknown where details were erased.
    pub deadline: Option<Timestamp>,
    pub breached: Option<Timestamp>,
    /// Met, met late or answered.
    pub answered: Option<Timestamp>,
    /// By whom, as far as the record's owner tells.
    pub answered_by: Option<OwnerId>,
    /// When the answering owner got the record, where that was during the run.
    pub owned: Option<Timestamp>,
    /// Ended in any way.
    pub ended: Option<Timestamp>,
    /// Stood still from, and to; the last may be open.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
    /// From a first import with an unknown start: it measures nothing.
    pub silent: bool,
    pub excused: Excused,
}

/// How a run was decided. A run that was only cancelled or transferred never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Met,
    /// Breached, and answered later.
    Late,
    /// Breached, and not answered so far.
    Breached,
}

impl Run {
    /// How it was decided, and when: met at its end, everything else at its deadline.
    pub fn decided(&self) -> Option<(Timestamp, Outcome)> {
        match (self.breached, self.answered) {
            (Some(breached), Some(_)) => Some((breached, Outcome::Late)),
            (Some(breached), None) => Some((breached, Outcome::Breached)),
            (None, Some(answered)) => Some((answered, Outcome::Met)),
            (None, None) => None,
        }
        .filter(|_| !self.silent)
    }

    /// Running and undecided, with this deadline.
    pub fn due(&self) -> Option<Timestamp> {
        let stands = self.pauses.last().is_some_and(|(_, to)| to.is_none());
        let undecided = self.ended.is_none() && self.breached.is_none() && !self.silent && !stands;
        self.deadline.filter(|_| undecided)
    }

    /// The time from the start to a moment, without pauses: business time or time on the wall.
    pub fn counted(&self, calendar: Option<&Calendar>, business: bool, to: Timestamp) -> Elapsed {
        let count = |a: Timestamp, b: Timestamp| counted_between(calendar, business, a, b.max(a)).as_millis();
        let stood = |(from, until): &(Timestamp, Option<Timestamp>)| {
            let (from, until) = ((*from).min(to), until.unwrap_or(to).min(to));
            count(from, until)
        };
        let paused: i64 = self.pauses.iter().map(stood).sum();
        Elapsed::from_millis((count(self.started, to) - paused).max(0))
    }
}
