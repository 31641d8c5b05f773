//! Which stage a record is at, and its passes through the waterfall: entering, falling back,
//! rejections that wait for their reason, and the link from a lead to its opportunity.

use super::fold::{About, Fold, Moment};
use super::model::Handoff;
use super::standing::{PassKind, PendingRejection, ViolationKind};
use crate::record::field::well_known;
use crate::record::{Actor, FactKind, Object, Timestamp};
use serde_json::Map;

impl Fold<'_> {
    /// Finds the stage that the fields say, and enters it when it is another.
    pub(super) fn restage(&mut self, moment: Moment, by: &Actor) {
        // A conversion first: it may be what the lead's clocks wait for.
        self.follow_conversion(moment, by);
        match self.recognise() {
            None => self.leave_stages(moment, by),
            Some(found) if self.waits_for_reason(found, moment.start) => {}
            Some(found) => {
                let rejection = self.standing.rejection.take().filter(|r| self.is_rejection(found, &r.handoff));
                if self.standing.stage.as_ref() != Some(&self.agreement.stages[found].name) {
                    let entered = rejection.map_or(moment, |r| self.rejected_at(&r, moment));
                    self.enter(found, entered, by);
                }
            }
        }
        // And again: it may belong to the pass that has just begun.
        self.follow_conversion(moment, by);
    }

    /// A record is at the last listed stage whose condition holds.
    fn recognise(&self) -> Option<usize> {
        let view = super::predicate::View { fields: &self.standing.fields, stage: None, furthest: None, touches: None };
        let object = self.standing.key.object;
        self.agreement.stages.iter().rposition(|s| s.of == object && s.when.holds(&view))
    }

    /// At none of the stages any more: its clocks have nothing to stand on.
    fn leave_stages(&mut self, moment: Moment, by: &Actor) {
        self.standing.rejection = None;
        if self.standing.stage.is_some() {
            self.set_stage(None, moment.start);
            self.standing.on.clear();
            self.end_open(moment, by, "left every stage");
        }
    }

    /// A rejection counts as entered only with an agreed reason; until then the record stays where
    /// it was and its clocks run on.
    fn waits_for_reason(&mut self, found: usize, at: Timestamp) -> bool {
        let Some(handoff) = self.latest_handoff().filter(|h| self.is_rejection(found, &h.name)) else { return false };
        let is_there = self.standing.stage.as_ref() == Some(&self.agreement.stages[found].name);
        if is_there || self.has_agreed_reason(handoff) {
            return false;
        }
        let handoff = handoff.name.clone();
        self.standing.rejection.get_or_insert(PendingRejection { at, handoff });
        true
    }

    /// Whether this stage means that the handoff was rejected.
    fn is_rejection(&self, found: usize, handoff: &str) -> bool {
        let handoff = self.agreement.handoffs.iter().find(|h| &*h.name == handoff);
        handoff.and_then(|h| h.reject.as_ref()).is_some_and(|r| r.stage == found)
    }

    /// Whether the reason that stands on the record is one of those agreed for this handoff.
    fn has_agreed_reason(&self, handoff: &Handoff) -> bool {
        let Some(reject) = &handoff.reject else { return false };
        let reason = self.standing.fields.get(reject.reason).as_text().unwrap_or_default().trim().to_lowercase();
        !reason.is_empty() && reject.allowed.iter().any(|a| a.trim().to_lowercase() == reason)
    }

    /// A reason that came while the form was still being filled in counts from the rejection on;
    /// a later one from when it was given.
    fn rejected_at(&self, pending: &PendingRejection, moment: Moment) -> Moment {
        if moment.start <= pending.at + self.agreement.settle { Moment::exact(pending.at) } else { moment }
    }

    pub(super) fn latest_handoff(&self) -> Option<&'_ Handoff> {
        let name = self.standing.handoff.as_ref()?;
        self.agreement.handoffs.iter().find(|h| &h.name == name)
    }

    fn enter(&mut self, found: usize, moment: Moment, by: &Actor) {
        let stages = &self.agreement.stages;
        let before = self.standing.stage.as_ref().and_then(|s| self.agreement.stage_index(s.as_str()));
        if let Some(kind) = self.new_pass(before, found) {
            self.begin_pass(kind, moment, by);
        }
        self.set_stage(Some(stages[found].name.clone()), moment.start);
        let about = About { item: stages[found].name.as_str(), ..About::default() };
        self.fact(FactKind::StageEntered, moment.start, about, by, Map::new());
        if stages[found].in_waterfall() {
            self.hand_over(found, moment, by);
            self.reach(found);
            self.fall_back(found, moment);
        }
        if stages[found].ends.is_some() {
            self.end_pass(found, before, moment, by);
        }
    }

    /// Whether entering this stage begins a pass, and of which kind.
    fn new_pass(&self, before: Option<usize>, found: usize) -> Option<PassKind> {
        let stages = &self.agreement.stages;
        if self.standing.pass == 0 {
            return stages[found].in_waterfall().then_some(PassKind::First);
        }
        let before = before?;
        if stages[found].ends.is_some() {
            return None;
        }
        if stages[before].ends.is_some() {
            // What we take back ourselves is no second delivery.
            return Some(if self.is_undoing { PassKind::Returned } else { PassKind::Revived });
        }
        let is_handoff = self.agreement.handoffs.iter().any(|h| h.at == found);
        (found < before && is_handoff).then_some(PassKind::Returned)
    }

    /// Begins a pass: what was reached, counted and run belongs to the one before.
    pub(super) fn begin_pass(&mut self, kind: PassKind, moment: Moment, by: &Actor) {
        self.cancel_open(moment.end, kind.as_str());
        let standing = &mut self.standing;
        standing.pass += 1;
        standing.pass_kind = kind;
        standing.pass_began = moment.start;
        standing.furthest = None;
        standing.handoff = None;
        standing.handed_over = None;
        standing.rejection = None;
        standing.checks.clear();
        standing.runs.clear();
        standing.on.clear();
        self.set_stage(None, moment.start);
        self.close_violations_of_ending(moment.start);
        let about = About { item: kind.as_str(), ..About::default() };
        self.fact(FactKind::PassBegan, moment.start, about, by, Map::new());
    }

    fn reach(&mut self, found: usize) {
        if self.furthest_index().is_none_or(|f| f < found) {
            self.standing.furthest = Some(self.agreement.stages[found].name.clone());
        }
    }

    /// Every handoff whose stage is reached now and was not before. What was handed over in this
    /// pass already is not handed over again, so nobody answers for it twice.
    fn hand_over(&mut self, found: usize, moment: Moment, by: &Actor) {
        let object = self.standing.key.object;
        let (last, furthest) = (self.latest_handoff().map(|h| h.at), self.furthest_index());
        let stages = &self.agreement.stages;
        let reached = |h: &&Handoff| stages[h.at].of == object && h.at <= found && last.is_none_or(|l| h.at > l);
        let mut reached: Vec<&Handoff> = self.agreement.handoffs.iter().filter(reached).collect();
        reached.sort_by_key(|h| h.at);
        for handoff in reached {
            self.standing.handoff = Some(handoff.name.clone());
            self.standing.handed_over = Some(moment.start);
            self.set_party(Some(handoff.to.clone()), moment.start);
            if furthest.is_none_or(|f| handoff.at > f) {
                let about = About { source: &handoff.name, ..About::default() };
                self.fact(FactKind::HandedOver, moment.start, about, by, Map::new());
                self.plan_check(handoff, moment.start);
            }
        }
    }

    /// Back before a clock's stage within the pass: that clock is cancelled, never breached.
    fn fall_back(&mut self, found: usize, moment: Moment) {
        let agreement = self.agreement;
        let gone = |name: &str| agreement.clock_named(name).is_some_and(|c| c.starts_at > found);
        let names: Vec<_> = self.standing.open_runs().map(|r| r.clock.clone()).filter(|n| gone(n)).collect();
        for name in names {
            self.cancel(&name, moment.end, "back before its stage");
        }
        self.standing.on.retain(|name| !gone(name));
        // It is the earlier receiver's again.
        if self.latest_handoff().is_some_and(|h| h.at > found) {
            let earlier = self.agreement.handoffs.iter().filter(|h| h.at <= found).max_by_key(|h| h.at);
            self.standing.handoff = earlier.map(|h| h.name.clone());
            self.set_party(earlier.map(|h| h.to.clone()), moment.start);
        }
    }

    /// A lead reaches the first opportunity stage once an opportunity was made of it, or associated
    /// with it, in this pass. Converted without one: its clocks have lost their object.
    fn follow_conversion(&mut self, moment: Moment, by: &Actor) {
        let w = well_known();
        if self.standing.key.object != Object::Lead || self.standing.pass == 0 {
            return;
        }
        let made = self.standing.fields.field(w.opportunity).filter(|f| !f.value.is_null());
        if made.is_some_and(|f| f.at >= self.standing.pass_began) {
            let first = self.agreement.stages.iter().position(|s| s.of == Object::Opportunity && s.in_waterfall());
            if let Some(first) = first.filter(|f| self.furthest_index().is_none_or(|now| now < *f)) {
                self.reach(first);
                self.fact(FactKind::Converted, moment.start, About::default(), by, Map::new());
            }
        }
        let converted = self.standing.fields.field(w.converted).filter(|f| f.value.as_bool() == Some(true));
        if converted.is_some_and(|f| f.at >= self.standing.pass_began) {
            self.standing.checks.clear();
            // Where there was one, and it was deleted since, the lead was converted all the same.
            let first = self.agreement.stages.iter().position(|s| s.of == Object::Opportunity && s.in_waterfall());
            let promoted = first.is_some_and(|first| self.furthest_index().is_some_and(|now| now >= first));
            if self.standing.fields.get(w.opportunity).is_null() && !promoted {
                self.cancel_open(moment.end, "converted without an opportunity");
                self.open_violation(ViolationKind::Conversion, "", moment.start, Vec::new());
            }
        }
    }

    pub(super) fn furthest_index(&self) -> Option<usize> {
        self.standing.furthest.as_ref().and_then(|s| self.agreement.stage_index(s.as_str()))
    }
}
