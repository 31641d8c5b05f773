//! What passes between the parties: acceptance, rejections with their reasons, violations, leads
//! taken back and leads lost.

use super::frame::{Frame, neglected};
use crate::agreement::model::Agreement;
use crate::agreement::standing::PassKind;
use crate::record::PartyName;
use crate::report::course::{Course, Pass, Rejected, Violation, next_stage};
use crate::report::figures;
use std::collections::BTreeMap;

pub(super) struct Handoffs {
    acceptance: Vec<figures::Acceptance>,
    /// By handoff, party and reason.
    rejections: BTreeMap<(String, Option<PartyName>, String), Counted>,
    /// By kind, source and party.
    violations: BTreeMap<(String, String, Option<PartyName>), Opened>,
    recycles: u64,
    neglected: u64,
}

#[derive(Default)]
struct Counted {
    count: u64,
    worked: u64,
    unworked: u64,
    excused: u64,
}

#[derive(Default)]
struct Opened {
    opened: u64,
    closed: u64,
    open: u64,
    excused: u64,
}

/// The tables that come of it.
pub(super) struct Tables {
    pub acceptance: Vec<figures::Acceptance>,
    pub rejections: Vec<figures::Rejection>,
    pub violations: Vec<figures::Violations>,
    pub recycles: u64,
    pub neglected: u64,
}

impl Handoffs {
    pub fn new(agreement: &Agreement) -> Self {
        let acceptance = agreement.handoffs.iter().map(|h| figures::Acceptance {
            handoff: h.name.to_string(),
            from: h.from.clone(),
            to: h.to.clone(),
            delivered: 0,
            again: 0,
            accepted: 0,
            rejected: 0,
            waiting: 0,
        });
        Self {
            acceptance: acceptance.collect(),
            rejections: BTreeMap::new(),
            violations: BTreeMap::new(),
            recycles: 0,
            neglected: 0,
        }
    }

    pub fn add(&mut self, frame: &Frame, course: &Course) {
        for pass in &course.passes {
            self.accept(frame, course, pass);
            pass.rejections.iter().filter(|r| frame.has(r.at)).for_each(|r| self.reject(r));
            self.recycles += u64::from(pass.kind == PassKind::Recycled && frame.has(pass.began));
            self.neglected += u64::from(neglected(frame, pass).is_some_and(|at| frame.has(at)));
        }
        course.violations.iter().filter(|v| v.opened >= frame.since).for_each(|v| self.violate(frame, course, v));
    }

    fn accept(&mut self, frame: &Frame, course: &Course, pass: &Pass) {
        for handed in pass.handed.iter().filter(|h| frame.has(h.at) && !h.undated) {
            let handoff = frame.agreement.handoffs.iter().position(|h| h.name == handed.handoff);
            let Some(i) = handoff else { continue };
            let line = &mut self.acceptance[i];
            if !pass.kind.is_delivery() {
                line.again += 1;
                continue;
            }
            line.delivered += 1;
            let next = next_stage(&frame.agreement, frame.agreement.handoffs[i].at);
            if next.is_some_and(|next| pass.reached_at(&frame.agreement, next).is_some()) {
                line.accepted += 1;
            } else if pass.rejections.iter().any(|r| r.handoff == handed.handoff && !r.excused) {
                line.rejected += 1;
            } else {
                line.waiting += u64::from(course.is_open(pass, &frame.agreement));
            }
        }
    }

    fn reject(&mut self, rejected: &Rejected) {
        let place = (rejected.handoff.to_string(), rejected.party.clone(), rejected.reason.to_lowercase());
        let line = self.rejections.entry(place).or_default();
        if rejected.excused {
            line.excused += 1;
            return;
        }
        line.count += 1;
        line.worked += u64::from(rejected.worked == Some(true));
        line.unworked += u64::from(rejected.worked == Some(false));
    }

    fn violate(&mut self, frame: &Frame, course: &Course, violation: &Violation) {
        let opened = frame.has(violation.opened);
        let closed = violation.closed.is_some_and(|at| frame.has(at));
        // What is deleted owes nothing any more.
        let is_open = violation.opened < frame.end() && violation.closed.is_none_or(|at| at >= frame.end());
        let open = is_open && !(course.gone && violation.closed.is_none());
        if !(opened || closed || open) {
            return;
        }
        let place = (violation.kind.to_string(), violation.source.to_string(), violation.party.clone());
        let line = self.violations.entry(place).or_default();
        if violation.excused {
            line.excused += u64::from(opened);
            return;
        }
        line.opened += u64::from(opened);
        line.closed += u64::from(closed);
        line.open += u64::from(open);
    }

    pub fn finish(self, agreement: &Agreement) -> Tables {
        let place = |name: &str| agreement.handoffs.iter().position(|h| &*h.name == name).unwrap_or(usize::MAX);
        let mut rejections: Vec<figures::Rejection> = self
            .rejections
            .into_iter()
            .map(|((handoff, party, reason), line)| {
                let Counted { count, worked, unworked, excused } = line;
                figures::Rejection { handoff, party, reason, count, worked, unworked, excused }
            })
            .collect();
        rejections.sort_by_key(|r| (place(&r.handoff), std::cmp::Reverse(r.count)));
        let violations = self.violations.into_iter().map(|((kind, source, party), line)| {
            let Opened { opened, closed, open, excused } = line;
            figures::Violations { kind, source, party, opened, closed, open, excused }
        });
        Tables {
            acceptance: self.acceptance,
            rejections,
            violations: violations.collect(),
            recycles: self.recycles,
            neglected: self.neglected,
        }
    }
}
