//! How each kind of commitment counts. A record is counted in once for each period of the trend.

use super::frame::Frame;
use super::gathered::Gathered;
use super::percentile::Length;
use super::{Question, verdict};
use crate::agreement::model::{Commitment, Ending, Measure, Span, Target};
use crate::agreement::predicate::Predicate;
use crate::agreement::span::{after, is_business};
use crate::record::field::well_known;
use crate::record::{FieldName, Object, Timestamp};
use crate::report::course::{Course, Outcome, Pass, Run, first_of_opportunities};
use crate::report::figures;
use crate::report::money::Worth;

/// One commitment over one of its periods.
pub(super) struct Slot {
    pub frame: Frame,
    /// Its place in the version that measures the period.
    pub index: usize,
    pub gathered: Gathered,
}

impl Slot {
    pub fn new(frame: Frame, index: usize) -> Self {
        Self { frame, index, gathered: Gathered::default() }
    }

    pub fn commitment(&self) -> &Commitment {
        &self.frame.agreement.commitments[self.index]
    }

    /// Counts a record in. Answers whether it waits for what becomes of its opportunity.
    pub fn add(&mut self, course: &Course) -> bool {
        let Self { frame, index, gathered } = self;
        let commitment = &frame.agreement.commitments[*index];
        let mut count = Count { frame, course, gathered };
        match &commitment.measure {
            Measure::Count(stage) => count.reached(*stage),
            Measure::Defined(handoff) => count.defined(&frame.agreement.handoffs[*handoff].name),
            Measure::Conversion(from, to) => return count.conversion(*from, *to),
            Measure::OnTime(clock) => count.on_time(&frame.agreement.clocks[*clock].name),
            Measure::Median(clock) | Measure::P90(clock) => {
                count.lengths(&frame.agreement.clocks[*clock].name, commitment.target);
            }
            Measure::CloseRatio(condition) => count.close_ratio(condition),
            Measure::RevenueShare(condition) => count.revenue_share(condition),
            Measure::Complete { field, stage } => count.complete(*field, *stage),
            Measure::Attested(_) => {}
        }
        false
    }

    /// What became of the opportunity that a lead's conversion waited for.
    pub fn settle(&mut self, opportunity: &Course) {
        let Measure::Conversion(_, to) = self.commitment().measure else { return };
        let agreement = &self.frame.agreement;
        let reached = opportunity.passes.iter().any(|p| p.reached_at(agreement, to).is_some());
        let over = opportunity.gone || opportunity.ending(agreement).is_some();
        self.gathered.part += u64::from(reached);
        self.gathered.open -= u64::from((reached || over) && self.gathered.open > 0);
    }
}

struct Count<'a> {
    frame: &'a Frame,
    course: &'a Course,
    gathered: &'a mut Gathered,
}

impl Count<'_> {
    fn is_of(&self, stage: usize) -> bool {
        self.frame.agreement.stages[stage].of == self.course.object()
    }

    /// The passes that reached a stage in the period and count as deliveries; the others are noted.
    fn delivered<'c>(&mut self, course: &'c Course, stage: usize) -> Vec<&'c Pass> {
        if !self.is_of(stage) {
            return Vec::new();
        }
        let mut delivered = Vec::new();
        for pass in &course.passes {
            match pass.reached_at(&self.frame.agreement, stage).filter(|at| self.frame.has(*at)) {
                None => {}
                Some(at) if pass.is_undated(at) => self.gathered.undated += 1,
                Some(_) if !pass.kind.is_delivery() => self.gathered.again += 1,
                Some(_) => delivered.push(pass),
            }
        }
        delivered
    }

    fn reached(&mut self, stage: usize) {
        self.gathered.part += self.delivered(self.course, stage).len() as u64;
    }

    fn conversion(&mut self, from: usize, to: usize) -> bool {
        let agreement = &self.frame.agreement;
        let crosses = !self.is_of(to) && first_of_opportunities(agreement) != Some(to);
        let mut waits = false;
        for pass in self.delivered(self.course, from) {
            self.gathered.whole += 1;
            let made = crosses && pass.converted.is_some() && self.course.opportunity().is_some();
            if !crosses && pass.reached_at(agreement, to).is_some() {
                self.gathered.part += 1;
            } else if made || self.course.is_open(pass, agreement) {
                self.gathered.open += 1;
                waits |= made;
            }
        }
        waits
    }

    fn defined(&mut self, handoff: &str) {
        for pass in &self.course.passes {
            for handed in pass.handed.iter().filter(|h| &*h.handoff == handoff && self.frame.has(h.at)) {
                match (handed.undated, pass.kind.is_delivery()) {
                    (true, _) => self.gathered.undated += 1,
                    (_, false) => self.gathered.again += 1,
                    _ if handed.waiting => self.gathered.waiting += 1,
                    _ if handed.is_excused() => self.gathered.excused += 1,
                    _ => {
                        self.gathered.whole += 1;
                        self.gathered.part += u64::from(!handed.failed());
                    }
                }
            }
        }
    }

    /// The decided runs of a clock in the period; those open and those excused are noted.
    fn decided<'c>(&mut self, course: &'c Course, clock: &str) -> Vec<(&'c Run, Outcome)> {
        let mut decided = Vec::new();
        for run in course.passes.iter().flat_map(|p| &p.runs).filter(|r| &*r.clock == clock) {
            match run.decided().filter(|(at, _)| self.frame.has(*at)) {
                Some(_) if run.excused => self.gathered.excused += 1,
                Some((_, outcome)) => decided.push((run, outcome)),
                None => self.gathered.waiting += u64::from(run.due().is_some_and(|at| self.frame.has(at))),
            }
        }
        decided
    }

    fn on_time(&mut self, clock: &str) {
        for (_, outcome) in self.decided(self.course, clock) {
            self.gathered.whole += 1;
            self.gathered.part += u64::from(outcome == Outcome::Met);
        }
    }

    fn lengths(&mut self, clock: &str, target: Target) {
        let Target::Within(target) = target else { return };
        let (calendar, business) = (self.frame.counting(clock).0, is_business(target));
        for (run, _) in self.decided(self.course, clock) {
            let until = run.answered.or(run.ended).unwrap_or(self.frame.now);
            let (length, censored) = (run.counted(calendar, business, until), run.answered.is_none());
            self.gathered.lengths.push(Length { ms: length.as_millis(), censored });
            let within = match target {
                Span::Elapsed(most) | Span::Open(most) => length <= most,
                // Where it stood still: the moment until which it counted, as if it had not.
                Span::OpenDays(_) => {
                    let stood = !run.pauses.is_empty();
                    let until = if stood { after(calendar, run.started, Span::Open(length)) } else { until };
                    until <= after(calendar, run.started, target)
                }
            };
            self.gathered.within += u64::from(within && !censored);
            self.gathered.within_open += u64::from(within && censored && run.ended.is_none());
        }
    }

    /// How an opportunity was decided in the period, where it still is so.
    fn closed(&self) -> Option<(Ending, Timestamp)> {
        let (stage, entered) = self.course.ending(&self.frame.agreement)?;
        let decided = matches!(stage.ends, Some(Ending::Won | Ending::Lost)) && stage.of == Object::Opportunity;
        stage.ends.filter(|_| decided && self.frame.has(entered.at)).map(|ending| (ending, entered.at))
    }

    fn close_ratio(&mut self, condition: &Predicate) {
        let Some((ending, _)) = self.closed() else { return };
        match self.frame.holds(condition, self.course) {
            None => self.gathered.erased += 1,
            Some(true) => {
                self.gathered.whole += 1;
                self.gathered.part += u64::from(ending == Ending::Won);
            }
            Some(false) => {}
        }
    }

    fn revenue_share(&mut self, condition: &Predicate) {
        if !matches!(self.closed(), Some((Ending::Won, _))) {
            return;
        }
        let Some(holds) = self.frame.holds(condition, self.course) else {
            self.gathered.erased += 1;
            return;
        };
        let worth = self.frame.worth(self.course);
        if let (Worth::Known(money), true) = (&worth, holds) {
            self.gathered.money += *money;
        }
        let amount = self.course.fields().and_then(|f| f.get(well_known().amount).as_number());
        self.gathered.of_money.add(&worth, amount);
    }

    /// Whoever puts a record to a rejecting stage without an agreed reason does not get it there,
    /// and is counted all the same: as not complete.
    fn complete(&mut self, field: FieldName, stage: usize) {
        if !self.is_of(stage) {
            return;
        }
        let name = &self.frame.agreement.stages[stage].name;
        let set = self.course.fields().map(|f| !f.get(field).is_null());
        for pass in &self.course.passes {
            let entered = pass.entries.iter().find(|e| e.stage == *name).map(|e| (e.at, set));
            let tried = || pass.unreasoned.iter().find(|(of, ..)| self.rejects_to(of, stage));
            let excused = tried().is_some_and(|(.., excused)| *excused)
                || pass.rejections.iter().any(|r| r.excused && self.rejects_to(&r.handoff, stage));
            let found = entered.or_else(|| tried().map(|(_, at, _)| (*at, Some(false))));
            match found.filter(|(at, _)| self.frame.has(*at)) {
                None => {}
                Some(_) if excused => self.gathered.excused += 1,
                Some((_, None)) => self.gathered.erased += 1,
                Some((_, Some(set))) => {
                    self.gathered.whole += 1;
                    self.gathered.part += u64::from(set);
                }
            }
        }
    }

    fn rejects_to(&self, handoff: &str, stage: usize) -> bool {
        let handoff = self.frame.agreement.handoffs.iter().find(|h| &*h.name == handoff);
        handoff.and_then(|h| h.reject.as_ref()).is_some_and(|r| r.stage == stage)
    }
}

/// A commitment with its periods, the measured one last.
pub(super) fn commitment(mut slots: Vec<Slot>, question: &Question) -> Option<figures::Commitment> {
    let trend = slots.iter_mut().map(|slot| {
        let measured = verdict::measured(slot, question);
        figures::Point { period: measured.period, figure: measured.figure, verdict: measured.verdict }
    });
    let trend = trend.collect();
    let slot = slots.last_mut()?;
    let measured = verdict::measured(slot, question);
    let commitment = slot.commitment();
    let missed = measured.verdict == figures::Verdict::Missed;
    Some(figures::Commitment {
        name: commitment.name.clone(),
        by: commitment.by.clone(),
        to: commitment.to.clone(),
        measure: super::words::measure(&slot.frame.agreement, &commitment.measure),
        target: super::words::target(commitment.target),
        credit: commitment.credit.clone().filter(|_| missed),
        measured,
        trend,
    })
}
