//! What is owed on the record itself: definitions and fields at a handoff, mandatory fields,
//! reasons of rejections. Judged only on a read made after the event; closed when mended.

use super::fold::{About, DATE_GRAIN, Fold, details};
use super::model::{Agreement, Handoff};
use super::standing::{Check, Standing, Violation, ViolationKind};
use crate::record::field::well_known;
use crate::record::{Actor, FactKind, FieldName, Timestamp};
use serde_json::Value as Json;
use std::sync::Arc;

impl Fold<'_> {
    /// A handoff was made: its definition and fields will be judged once forms have settled. Leads
    /// that came back blame nobody a second time.
    pub(super) fn plan_check(&mut self, handoff: &Handoff, at: Timestamp) {
        let asks = handoff.definition.is_some() || !handoff.requires.is_empty();
        if asks && self.standing.pass_kind.is_delivery() && at >= self.agreement.effective_at {
            let due = at + self.agreement.settle;
            self.standing.checks.push(Check { handoff: handoff.name.clone(), at, due });
        }
    }

    /// Judges, on a read made at that moment, what was waiting for one.
    pub(super) fn judge(&mut self, read_at: Timestamp) {
        let seen = read_at + DATE_GRAIN;
        let checks = std::mem::take(&mut self.standing.checks);
        let (due, waiting): (Vec<Check>, _) = checks.into_iter().partition(|c| c.due < seen);
        self.standing.checks = waiting;
        for check in due {
            if let Some(handoff) = self.agreement.handoffs.iter().find(|h| h.name == check.handoff) {
                self.judge_handoff(handoff, check.at);
            }
        }
        let rejection = self.standing.rejection.clone().filter(|r| r.at + self.agreement.settle < seen);
        if let Some(rejection) = rejection {
            self.open_violation(ViolationKind::Rejection, &rejection.handoff, rejection.at, Vec::new());
        }
    }

    fn judge_handoff(&mut self, handoff: &Handoff, at: Timestamp) {
        if let Some(definition) = &handoff.definition
            && !definition.holds(&self.view(None))
        {
            let failed = definition.explain(&self.view(None)).into_iter().filter(|t| !t.held);
            let what = failed.map(|t| format!("{} (was {})", t.text, t.seen)).collect();
            let detail = details([("terms", self.terms(definition, None))]);
            let about = About { source: &handoff.name, ..About::default() };
            let fact = self.fact(FactKind::DefinitionFailed, at, about, &Actor::Unknown, detail);
            fact.party = Some(handoff.from.clone());
            self.open_violation(ViolationKind::Definition, &handoff.name, at, what);
        }
        let missing = self.missing(&handoff.requires);
        if !missing.is_empty() {
            self.open_violation(ViolationKind::Missing, &handoff.name, at, missing);
        }
    }

    /// Names of the fields that are not set.
    pub(super) fn missing(&self, fields: &[FieldName]) -> Vec<String> {
        let unset = fields.iter().filter(|f| self.standing.fields.get(**f).is_null());
        unset.map(|f| f.as_str().to_owned()).collect()
    }

    pub(super) fn open_violation(&mut self, kind: ViolationKind, source: &str, since: Timestamp, what: Vec<String>) {
        let open = self.standing.violations.iter().any(|v| v.kind == kind && &*v.source == source);
        if open {
            return;
        }
        let requirement = self.agreement.requirements.iter().find(|r| &*r.name == source);
        let handoff = self.agreement.handoffs.iter().find(|h| &*h.name == source);
        let party = match (kind, requirement, handoff) {
            (_, Some(requirement), _) => Some(requirement.by.clone()),
            (ViolationKind::Rejection, _, Some(handoff)) => Some(handoff.to.clone()),
            (_, _, Some(handoff)) => Some(handoff.from.clone()),
            _ => self.standing.party.clone(),
        };
        let detail = details([("what", Json::from(what.clone()))]);
        let about = About { source, run: 0, item: kind.as_str() };
        self.fact(FactKind::ViolationOpened, since, about, &Actor::Unknown, detail).party = party.clone();
        let violation = Violation {
            kind,
            source: Arc::from(source),
            pass: self.standing.pass,
            since,
            party,
            what,
            // A requirement is flagged by its step; what was wrong at a handoff, at once.
            flagged: requirement.is_none(),
        };
        self.standing.violations.push(violation);
    }

    /// Closes what has been mended, and brings the list of missing fields up to date.
    pub(super) fn mend(&mut self, at: Timestamp) {
        for i in (0..self.standing.violations.len()).rev() {
            if self.is_mended(i) {
                let violation = self.standing.violations.remove(i);
                self.tell_closed(&violation, at);
            }
        }
    }

    fn is_mended(&mut self, i: usize) -> bool {
        let (kind, source) = (self.standing.violations[i].kind, self.standing.violations[i].source.clone());
        match kind {
            ViolationKind::Definition => {
                let handoff = self.agreement.handoffs.iter().find(|h| h.name == source);
                handoff.and_then(|h| h.definition.as_ref()).is_none_or(|d| d.holds(&self.view(None)))
            }
            ViolationKind::Missing => {
                let missing = required_by(self.agreement, &source).map(|f| self.missing(f)).unwrap_or_default();
                self.standing.violations[i].what = missing;
                self.standing.violations[i].what.is_empty()
            }
            ViolationKind::Rejection => self.standing.rejection.is_none(),
            ViolationKind::Conversion => !self.standing.fields.get(well_known().opportunity).is_null(),
        }
    }

    pub(super) fn close_violation(&mut self, kind: ViolationKind, source: Option<&str>, at: Timestamp) {
        let matches = |v: &Violation| v.kind == kind && source.is_none_or(|s| &*v.source == s);
        while let Some(i) = self.standing.violations.iter().position(matches) {
            let violation = self.standing.violations.remove(i);
            self.tell_closed(&violation, at);
        }
    }

    /// A new pass: how the last one ended matters no more, but what is missing still is.
    pub(super) fn close_violations_of_ending(&mut self, at: Timestamp) {
        self.close_violation(ViolationKind::Rejection, None, at);
        self.close_violation(ViolationKind::Conversion, None, at);
    }

    fn tell_closed(&mut self, violation: &Violation, at: Timestamp) {
        let detail = details([("since", violation.since.as_millis().into())]);
        let about = About { source: &violation.source, run: 0, item: violation.kind.as_str() };
        let at = at.max(violation.since);
        let fact = self.fact(FactKind::ViolationClosed, at, about, &Actor::Unknown, detail);
        fact.pass = violation.pass;
        fact.party = violation.party.clone();
    }

    /// A violation that followed from a breach at that moment, which did not happen after all. One
    /// that an earlier pass left open is another.
    pub(super) fn never_violated(&mut self, kind: ViolationKind, source: &str, since: Timestamp) {
        let followed = |v: &Violation| v.kind == kind && &*v.source == source && v.since == since;
        let pass = self.standing.pass;
        if let Some(i) = self.standing.violations.iter().position(|v| followed(v) && v.pass == pass) {
            self.standing.violations.remove(i);
            self.take_back(FactKind::ViolationOpened, since, About { source, run: 0, item: kind.as_str() });
        }
    }
}

/// The fields that a requirement or a handoff of this name asks for.
fn required_by<'a>(agreement: &'a Agreement, source: &str) -> Option<&'a [FieldName]> {
    let requirement = agreement.requirements.iter().find(|r| &*r.name == source).map(|r| r.fields.as_slice());
    requirement.or_else(|| agreement.handoffs.iter().find(|h| &*h.name == source).map(|h| h.requires.as_slice()))
}

/// What stands on the record in the CRM about open violations; empty when there is none.
/// `amount, close_date missing since 2027-01-05 09:00 EST: Value and timeframe of an opportunity`
pub fn violation_text(agreement: &Agreement, standing: &Standing) -> String {
    let zone = agreement.zone();
    let flagged = standing.violations.iter().filter(|v| v.flagged);
    let texts = flagged.map(|v| {
        let since = v.since.in_zone(&zone);
        let what = v.what.join(", ");
        match v.kind {
            ViolationKind::Missing => format!("{what} missing since {since}: {}", v.source),
            ViolationKind::Definition => format!("definition not met at {since}: {} ({what})", v.source),
            ViolationKind::Rejection => format!("rejected without an agreed reason since {since}: {}", v.source),
            ViolationKind::Conversion => format!("converted without an opportunity at {since}"),
        }
    });
    texts.collect::<Vec<_>>().join("; ")
}
