//! One record's course, put together from its tale: its passes with the stages entered, handoffs,
//! runs and rejections, without what was withdrawn. What is counted of it is in `tally`.

mod gather;
mod run;

pub use run::{Outcome, Run};

use super::tale::Latest;
use super::window::Window;
use crate::agreement::model::{Agreement, Stage};
use crate::agreement::standing::PassKind;
use crate::record::field::well_known;
use crate::record::{Fields, Object, OwnerId, PartyName, RecordKey, StageName, Timestamp};
use std::sync::Arc;

/// What became of one record.
#[derive(Clone, Debug)]
pub struct Course {
    pub key: RecordKey,
    /// It turned out to be another record; it counts nowhere.
    pub merged: bool,
    /// Deleted or merged: nothing more can come of it.
    pub gone: bool,
    /// In the order of their beginning.
    pub passes: Vec<Pass>,
    pub violations: Vec<Violation>,
    pub latest: Option<Latest>,
    /// Of an opportunity: those of the lead that it was made of, where that lead has them.
    pub source: Option<String>,
    pub campaign: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Pass {
    pub number: u32,
    pub kind: PassKind,
    pub began: Timestamp,
    /// In the order of their moments.
    pub entries: Vec<Entered>,
    pub handed: Vec<Handed>,
    pub runs: Vec<Run>,
    pub rejections: Vec<Rejected>,
    /// Put to a rejecting stage without an agreed reason: by handoff, and when.
    pub unreasoned: Vec<(Arc<str>, Timestamp, Excused)>,
    /// A lead: an opportunity was made of it.
    pub converted: Option<Timestamp>,
    /// leadpact took it back (recycled it, or sent it to nurture).
    pub taken: bool,
    /// Another pass followed.
    pub is_over: bool,
}

/// Whether a dispute about it was upheld: then it is nobody's fault, and stands beside the counts.
pub type Excused = bool;

#[derive(Clone, Debug)]
pub struct Entered {
    pub stage: StageName,
    pub at: Timestamp,
    pub party: Option<PartyName>,
    pub owner: Option<OwnerId>,
    /// Found there by the first import: nobody knows since when.
    pub undated: bool,
}

#[derive(Clone, Debug)]
pub struct Handed {
    pub handoff: Arc<str>,
    pub at: Timestamp,
    pub undated: bool,
    /// What was not as agreed: `definition`, `missing`.
    pub wrong: Vec<(&'static str, Excused)>,
    /// Not judged yet.
    pub waiting: bool,
}

#[derive(Clone, Debug)]
pub struct Rejected {
    pub handoff: Arc<str>,
    pub at: Timestamp,
    pub party: Option<PartyName>,
    /// Empty where it was erased.
    pub reason: String,
    pub worked: Option<bool>,
    pub excused: Excused,
}

#[derive(Clone, Debug)]
pub struct Violation {
    pub kind: Arc<str>,
    pub source: Arc<str>,
    pub party: Option<PartyName>,
    pub pass: u32,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
    pub excused: Excused,
}

impl Course {
    pub fn object(&self) -> Object {
        self.key.object
    }

    pub fn fields(&self) -> Option<&Fields> {
        self.latest.as_ref().map(|latest| &latest.fields)
    }

    pub fn text(&self, field: crate::record::FieldName) -> Option<&str> {
        self.fields().and_then(|fields| fields.get(field).as_text())
    }

    /// The opportunity that was made of this lead.
    pub fn opportunity(&self) -> Option<&str> {
        self.text(well_known().opportunity).filter(|_| self.passes.iter().any(|p| p.converted.is_some()))
    }

    /// Whether more may come of this pass.
    pub fn is_open(&self, pass: &Pass, agreement: &Agreement) -> bool {
        let ended = |entered: &Entered| stage(agreement, &entered.stage).is_some_and(|s| s.ends.is_some());
        !self.gone && !pass.is_over && !pass.entries.last().is_some_and(ended)
    }

    /// How it ended, where it still is so: the last stage of the last pass, when that is an ending.
    pub fn ending<'a>(&self, agreement: &'a Agreement) -> Option<(&'a Stage, &Entered)> {
        let last = self.passes.last()?.entries.last()?;
        stage(agreement, &last.stage).filter(|s| s.ends.is_some()).map(|s| (s, last))
    }
}

impl Handed {
    /// Something was not as agreed, and nobody is excused for it.
    pub fn failed(&self) -> bool {
        self.wrong.iter().any(|(_, excused)| !excused)
    }

    /// Something was not as agreed, and all of it is excused.
    pub fn is_excused(&self) -> bool {
        !self.wrong.is_empty() && !self.failed()
    }
}

impl Pass {
    /// How it reached a stage: an ending by entering it, a stage of the waterfall by entering it or
    /// a later one (a lead reaches the first opportunity stage by being converted).
    pub fn reached(&self, agreement: &Agreement, index: usize) -> Option<&Entered> {
        let wanted = &agreement.stages[index];
        if wanted.in_waterfall() {
            let place = |e: &&Entered| {
                let found = agreement.stage_index(e.stage.as_str());
                found.is_some_and(|found| found >= index && agreement.stages[found].in_waterfall())
            };
            self.entries.iter().find(place)
        } else {
            self.entries.iter().find(|e| e.stage == wanted.name)
        }
    }

    /// When it reached a stage, conversion included.
    pub fn reached_at(&self, agreement: &Agreement, index: usize) -> Option<Timestamp> {
        let entered = self.reached(agreement, index).map(|e| e.at);
        let converted = self.converted.filter(|_| {
            agreement.stages[index].in_waterfall() && first_of_opportunities(agreement).is_some_and(|f| f >= index)
        });
        match (entered, converted) {
            (Some(entered), Some(converted)) => Some(entered.min(converted)),
            (entered, converted) => entered.or(converted),
        }
    }

    /// When it reached a stage, where that lies in the period and after anything was agreed, and is known.
    pub fn reached_in(
        &self,
        agreement: &Agreement,
        index: usize,
        window: &Window,
        since: Timestamp,
    ) -> Option<Timestamp> {
        let at = self.reached_at(agreement, index).filter(|at| window.contains(*at) && *at >= since);
        at.filter(|at| !self.is_undated(*at))
    }

    /// Who had it as it reached a stage at that moment.
    pub fn entry_at(&self, agreement: &Agreement, index: usize, at: Timestamp) -> Option<&Entered> {
        self.reached(agreement, index).or_else(|| self.entry_before(at))
    }

    /// The entry that made it reach a stage, for who had it then.
    pub fn entry_before(&self, at: Timestamp) -> Option<&Entered> {
        self.entries.iter().rev().find(|e| e.at <= at)
    }

    /// Whether nobody knows when it reached this stage.
    pub fn is_undated(&self, at: Timestamp) -> bool {
        self.entries.iter().any(|e| e.undated && e.at == at)
    }
}

/// The stage that the agreement calls so.
pub fn stage<'a>(agreement: &'a Agreement, name: &StageName) -> Option<&'a Stage> {
    agreement.stages.iter().find(|s| s.name == *name)
}

/// Where the waterfall passes from leads to opportunities.
pub fn first_of_opportunities(agreement: &Agreement) -> Option<usize> {
    agreement.stages.iter().position(|s| s.of == Object::Opportunity && s.in_waterfall())
}

/// The stage of the waterfall after this one.
pub fn next_stage(agreement: &Agreement, index: usize) -> Option<usize> {
    (index + 1..agreement.stages.len()).find(|i| agreement.stages[*i].in_waterfall())
}
