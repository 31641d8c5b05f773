//! The waterfall: what entered each stage in the period, and what of it reached the next so far.

use super::frame::Frame;
use super::percentile::median;
use super::{Sorted, or_empty};
use crate::agreement::model::Agreement;
use crate::agreement::standing::PassKind;
use crate::record::field::well_known;
use crate::record::{Elapsed, Object, OwnerId, Timestamp};
use crate::report::course::{Course, Entered, Pass, next_stage};
use crate::report::figures::{Amounts, Dimension, Ending, Part, StageLine, Waterfall};

pub(super) struct Falls {
    by: Option<Dimension>,
    whole: Vec<Cell>,
    parts: Sorted<Vec<Cell>>,
}

/// One stage of one part.
#[derive(Clone, Debug, Default)]
struct Cell {
    first: u64,
    revived: u64,
    recycled: u64,
    returned: u64,
    converted: u64,
    open: u64,
    to_next: Vec<i64>,
    amounts: Amounts,
}

/// A pass at a stage.
struct At<'c> {
    stage: usize,
    pass: &'c Pass,
    at: Timestamp,
    entry: Option<&'c Entered>,
}

impl Falls {
    pub fn new(agreement: &Agreement, by: Option<Dimension>) -> Self {
        Self { by, whole: vec![Cell::default(); agreement.stages.len()], parts: Sorted::new() }
    }

    pub fn add(&mut self, frame: &Frame, course: &Course) {
        for stage in 0..frame.agreement.stages.len() {
            if frame.agreement.stages[stage].of != course.object() {
                continue;
            }
            for pass in &course.passes {
                if let Some(at) = pass.reached_in(&frame.agreement, stage, &frame.window, frame.since) {
                    let entry = pass.entry_at(&frame.agreement, stage, at);
                    self.count(frame, course, &At { stage, pass, at, entry });
                }
            }
        }
    }

    fn count(&mut self, frame: &Frame, course: &Course, found: &At<'_>) {
        self.whole[found.stage].count(frame, course, found);
        let value = match self.by {
            None => return,
            Some(Dimension::Source) => or_empty(course.source.as_ref()),
            Some(Dimension::Campaign) => or_empty(course.campaign.as_ref()),
            Some(Dimension::Party) => {
                found.entry.and_then(|e| e.party.as_ref()).map(ToString::to_string).unwrap_or_default()
            }
            Some(Dimension::Owner) => {
                found.entry.and_then(|e| e.owner.as_ref()).map(ToString::to_string).unwrap_or_default()
            }
        };
        let empty = || vec![Cell::default(); frame.agreement.stages.len()];
        self.parts.entry(value).or_insert_with(empty)[found.stage].count(frame, course, found);
    }

    pub fn finish(self, agreement: &Agreement, name: &dyn Fn(&OwnerId) -> Option<String>) -> Waterfall {
        let shown = |value: String| match self.by {
            Some(Dimension::Owner) => name(&OwnerId::new(&value)).unwrap_or(value),
            _ => value,
        };
        let whole = part(agreement, None, self.whole);
        let parts = self.parts.into_iter().map(|(value, cells)| part(agreement, Some(shown(value)), cells));
        Waterfall { by: self.by, parts: std::iter::once(whole).chain(parts).collect() }
    }
}

impl Cell {
    fn count(&mut self, frame: &Frame, course: &Course, found: &At<'_>) {
        let agreement = &frame.agreement;
        let counted = match found.pass.kind {
            PassKind::First => &mut self.first,
            PassKind::Revived => &mut self.revived,
            PassKind::Recycled => &mut self.recycled,
            PassKind::Returned => &mut self.returned,
        };
        *counted += 1;
        // An ending has no next stage, and counts passes of any kind.
        let is_ending = !agreement.stages[found.stage].in_waterfall();
        if !is_ending && !found.pass.kind.is_delivery() {
            return;
        }
        if course.object() == Object::Opportunity {
            let amount = course.fields().and_then(|f| f.get(well_known().amount).as_number());
            self.amounts.add(&frame.worth(course), amount);
        }
        let Some(next) = next_stage(agreement, found.stage).filter(|_| !is_ending) else { return };
        match found.pass.reached_at(agreement, next) {
            Some(then) => {
                self.converted += 1;
                // Jumped over it: that took no time, and tells nothing.
                if then > found.at {
                    self.to_next.push((then - found.at).as_millis());
                }
            }
            None => self.open += u64::from(course.is_open(found.pass, agreement)),
        }
    }

    fn entered(&self) -> u64 {
        self.first + self.revived
    }
}

fn part(agreement: &Agreement, value: Option<String>, cells: Vec<Cell>) -> Part {
    let mut cumulative = Some(1.0);
    let (mut stages, mut endings) = (Vec::new(), Vec::new());
    for (index, (stage, cell)) in agreement.stages.iter().zip(cells).enumerate() {
        let amounts = (stage.of == Object::Opportunity).then(|| cell.amounts.clone());
        if !stage.in_waterfall() {
            let entered = cell.entered() + cell.recycled + cell.returned;
            endings.push(Ending { stage: stage.name.clone(), term: stage.term.clone(), entered, amounts });
            continue;
        }
        let has_next = next_stage(agreement, index).is_some();
        let rate = (has_next && cell.entered() > 0).then(|| cell.converted as f64 / cell.entered() as f64);
        stages.push(StageLine {
            stage: stage.name.clone(),
            term: stage.term.clone(),
            entered: cell.entered(),
            first: cell.first,
            revived: cell.revived,
            recycled: cell.recycled,
            returned: cell.returned,
            converted: cell.converted,
            open: cell.open,
            rate,
            cumulative,
            median_to_next: median(cell.to_next).filter(|length| *length > Elapsed::ZERO),
            amounts,
        });
        cumulative = cumulative.zip(rate).map(|(so_far, rate)| so_far * rate);
    }
    Part { value, stages, endings }
}
