//! What each campaign and each source brought. Opportunities count for those of the lead that they
//! were made of.

use super::frame::{Frame, neglected};
use super::{Sorted, or_empty};
use crate::agreement::model::{Agreement, Ending};
use crate::record::Object;
use crate::record::field::well_known;
use crate::report::course::{Course, Pass, first_of_opportunities, next_stage};
use crate::report::figures::{Amounts, Campaign};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Campaigns {
    pub by_campaign: Sorted<Campaign>,
    pub by_source: Sorted<Campaign>,
    /// The first stage of leads, that of the first handoff, and the one after.
    inquiry: Option<usize>,
    qualified: Option<usize>,
    accepted: Option<usize>,
    opportunity: Option<usize>,
}

impl Campaigns {
    pub fn new(agreement: &Agreement) -> Self {
        let qualified = agreement.handoffs.iter().map(|h| h.at).min();
        Self {
            inquiry: agreement.stages.iter().position(|s| s.of == Object::Lead && s.in_waterfall()),
            qualified,
            accepted: qualified.and_then(|at| next_stage(agreement, at)),
            opportunity: first_of_opportunities(agreement),
            ..Self::default()
        }
    }

    pub fn add(&mut self, frame: &Frame, course: &Course) {
        let brought = self.of(frame, course);
        if brought == Campaign::default() {
            return;
        }
        for (lines, name) in [(&mut self.by_campaign, &course.campaign), (&mut self.by_source, &course.source)] {
            lines.entry(or_empty(name.as_ref())).or_default().join(&brought);
        }
    }

    fn of(&self, frame: &Frame, course: &Course) -> Campaign {
        let agreement = &frame.agreement;
        let reached = |stage: Option<usize>| {
            let Some(stage) = stage.filter(|s| agreement.stages[*s].of == course.object()) else { return 0 };
            let passes = course.passes.iter().filter(|p| p.kind.is_delivery());
            let moments = passes.filter_map(|p| p.reached_at(agreement, stage).filter(|at| !p.is_undated(*at)));
            moments.filter(|at| frame.has(*at)).count() as u64
        };
        let converted = |pass: &&Pass| {
            let at = self.opportunity.and_then(|stage| pass.reached_at(agreement, stage));
            pass.kind.is_delivery() && at.is_some_and(|at| frame.has(at) && !pass.is_undated(at))
        };
        let is_lead = course.object() == Object::Lead;
        let lost = course.passes.iter().filter_map(|p| neglected(frame, p)).filter(|at| frame.has(*at));
        let won = course.ending(agreement).is_some_and(|(stage, entered)| {
            stage.ends == Some(Ending::Won) && stage.of == Object::Opportunity && frame.has(entered.at)
        });
        let mut revenue = Amounts::default();
        if won {
            let amount = course.fields().and_then(|f| f.get(well_known().amount).as_number());
            revenue.add(&frame.worth(course), amount);
        }
        Campaign {
            name: String::new(),
            inquiries: reached(self.inquiry),
            qualified: reached(self.qualified),
            accepted: reached(self.accepted),
            rejected: rejected(frame, course),
            converted: if is_lead { course.passes.iter().filter(converted).count() as u64 } else { 0 },
            opportunities: reached(self.opportunity),
            won: u64::from(won),
            revenue,
            neglected: lost.count() as u64,
        }
    }
}

/// As the table of rejections counts them.
fn rejected(frame: &Frame, course: &Course) -> BTreeMap<String, u64> {
    let all = course.passes.iter().flat_map(|pass| &pass.rejections).filter(|r| frame.has(r.at) && !r.excused);
    let mut counts = BTreeMap::new();
    all.for_each(|r| *counts.entry(r.reason.to_lowercase()).or_default() += 1);
    counts
}

/// The table, by name.
pub(super) fn lines(sorted: Sorted<Campaign>) -> Vec<Campaign> {
    sorted.into_iter().map(|(name, line)| Campaign { name, ..line }).collect()
}

impl Campaign {
    fn join(&mut self, other: &Campaign) {
        self.inquiries += other.inquiries;
        self.qualified += other.qualified;
        self.accepted += other.accepted;
        other.rejected.iter().for_each(|(reason, n)| *self.rejected.entry(reason.clone()).or_default() += n);
        self.converted += other.converted;
        self.opportunities += other.opportunities;
        self.won += other.won;
        self.neglected += other.neglected;
        self.revenue.join(&other.revenue);
    }
}

impl Amounts {
    fn join(&mut self, other: &Amounts) {
        self.sum += other.sum;
        self.missing += other.missing;
        for (currency, sum) in &other.no_rate {
            *self.no_rate.entry(currency.clone()).or_default() += *sum;
        }
    }
}
