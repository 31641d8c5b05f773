//! Where the time of an answer went. A person cannot answer before the record is theirs, nor before
//! the CRM had told us and we could tell them: up to then it is the system's time, after that theirs.

use super::frame::Frame;
use super::percentile::median;
use crate::record::{Elapsed, PartyName, Timestamp};
use crate::report::course::{Course, Run};
use crate::report::figures::Delay;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Delays {
    lines: BTreeMap<(String, Option<PartyName>), Line>,
}

#[derive(Debug, Default)]
struct Line {
    business: bool,
    system: Vec<i64>,
    human: Vec<i64>,
    unowned: i64,
    untold: i64,
}

impl Delays {
    pub fn add(&mut self, frame: &Frame, course: &Course) {
        for run in course.passes.iter().flat_map(|p| &p.runs).filter(|r| frame.is_of_handoff(&r.clock)) {
            let decided = run.decided().is_some_and(|(at, _)| frame.has(at)) && !run.excused;
            if let Some(answered) = run.answered.filter(|_| decided) {
                let line = self.lines.entry((run.clock.to_string(), run.party.clone())).or_default();
                line.add(frame, run, answered);
            }
        }
    }

    pub fn finish(self) -> Vec<Delay> {
        let line = |((clock, party), line): ((String, Option<PartyName>), Line)| {
            let total = |ms: &[i64]| Elapsed::from_millis(ms.iter().sum());
            Delay {
                clock,
                party,
                answers: line.system.len() as u64,
                business: line.business,
                system_total: total(&line.system),
                human_total: total(&line.human),
                system_median: median(line.system).unwrap_or_default(),
                human_median: median(line.human).unwrap_or_default(),
                unowned_total: Elapsed::from_millis(line.unowned),
                untold_total: Elapsed::from_millis(line.untold),
            }
        };
        self.lines.into_iter().map(line).collect()
    }
}

impl Line {
    fn add(&mut self, frame: &Frame, run: &Run, answered: Timestamp) {
        let (calendar, business) = frame.counting(&run.clock);
        let count = |to: Timestamp| run.counted(calendar, business, to).as_millis();
        let owned = run.owned.unwrap_or(run.started);
        // Who answered before we knew did not wait for us.
        let told = Some(run.told).filter(|told| *told < answered).unwrap_or(run.started).max(run.started);
        let (whole, system) = (count(answered), count(owned.max(told)));
        self.business = business;
        self.system.push(system);
        self.human.push(whole - system);
        self.unowned += count(owned);
        self.untold += system - count(owned);
    }
}
