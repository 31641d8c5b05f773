//! Each clock by party and owner: how many runs were decided in the period and how, and how long
//! the answers took.

use super::frame::Frame;
use super::percentile::{Length, percentile};
use crate::record::field::well_known;
use crate::record::{OwnerId, PartyName};
use crate::report::course::{Course, Outcome, Run};
use crate::report::figures::ClockLine;
use std::collections::BTreeMap;

/// A clock, a party, and an owner (`None` for the party as a whole).
type Place = (String, Option<PartyName>, Option<OwnerId>);

#[derive(Debug, Default)]
pub(super) struct Clocks {
    lines: BTreeMap<Place, Line>,
}

#[derive(Debug, Default)]
struct Line {
    met: u64,
    late: u64,
    breached: u64,
    open: u64,
    excused: u64,
    lengths: Vec<Length>,
}

impl Clocks {
    pub fn add(&mut self, frame: &Frame, course: &Course) {
        for run in course.passes.iter().flat_map(|p| &p.runs) {
            if let Some((_, outcome)) = run.decided().filter(|(at, _)| frame.has(*at)) {
                let length = length(frame, run);
                self.at(run, run.owner.as_ref(), |line| line.decide(outcome, run.excused, length));
            } else if run.due().is_some_and(|at| frame.has(at)) {
                // Whoever has the record now.
                let owner = course.text(well_known().owner).map(OwnerId::new);
                self.at(run, owner.as_ref(), |line| line.open += 1);
            }
        }
    }

    /// The line of the party, and that of the owner.
    fn at(&mut self, run: &Run, owner: Option<&OwnerId>, mut change: impl FnMut(&mut Line)) {
        let owner = owner.cloned().unwrap_or_else(|| OwnerId::new(""));
        for owner in [None, Some(owner)] {
            change(self.lines.entry((run.clock.to_string(), run.party.clone(), owner)).or_default());
        }
    }

    /// Clocks in the agreement's order; those of earlier versions after them.
    pub fn finish(self, frame: &Frame, name: &dyn Fn(&OwnerId) -> Option<String>) -> Vec<ClockLine> {
        let place = |clock: &str| frame.agreement.clocks.iter().position(|c| &*c.name == clock).unwrap_or(usize::MAX);
        let mut lines: Vec<ClockLine> = self.lines.into_iter().map(|(at, line)| line.finish(at, frame, name)).collect();
        lines.sort_by_key(|line| place(&line.clock));
        lines
    }
}

/// How long the answer took; of one that is still due, how long it takes at least.
fn length(frame: &Frame, run: &Run) -> Length {
    let (calendar, business) = frame.counting(&run.clock);
    let until = run.answered.or(run.ended).unwrap_or(frame.now);
    Length { ms: run.counted(calendar, business, until).as_millis(), censored: run.answered.is_none() }
}

impl Line {
    fn decide(&mut self, outcome: Outcome, excused: bool, length: Length) {
        if excused {
            self.excused += 1;
            return;
        }
        match outcome {
            Outcome::Met => self.met += 1,
            Outcome::Late => self.late += 1,
            Outcome::Breached => self.breached += 1,
        }
        self.lengths.push(length);
    }

    fn finish(
        mut self,
        (clock, party, owner): Place,
        frame: &Frame,
        name: &dyn Fn(&OwnerId) -> Option<String>,
    ) -> ClockLine {
        let business = frame.counting(&clock).1;
        ClockLine {
            owner_name: owner.as_ref().and_then(name),
            runs: self.met + self.late + self.breached,
            met: self.met,
            late: self.late,
            breached: self.breached,
            open: self.open,
            excused: self.excused,
            median: percentile(&mut self.lengths, 0.5, business),
            p90: percentile(&mut self.lengths, 0.9, business),
            clock,
            party,
            owner,
        }
    }
}
