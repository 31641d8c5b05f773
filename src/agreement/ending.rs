//! How a pass ends: won, lost, rejected, nurtured. Whether it was worked before makes the
//! difference: a lead that nobody took up was rejected, one that somebody did was disqualified.

use super::fold::{About, Fold, Moment, details};
use super::model::{Ending, Handoff};
use super::standing::ViolationKind;
use crate::record::{Actor, FactKind, FieldName, Object, Timestamp};
use serde_json::Value as Json;

impl Fold<'_> {
    /// An ending: clocks are met where their condition holds or the handoff was rejected for an
    /// agreed reason; the others are cancelled. `was`: the stage that was left.
    pub(super) fn end_pass(&mut self, found: usize, was: Option<usize>, moment: Moment, by: &Actor) {
        let stages = &self.agreement.stages;
        let ended_before = was.is_some_and(|was| stages[was].ends.is_some());
        match stages[found].ends {
            Some(Ending::Rejected) => self.reject(found, moment, by),
            Some(Ending::Nurture | Ending::Lost) if !ended_before => self.disqualify(moment, by),
            _ => {}
        }
        let why = format!("ended as {}", self.agreement.stages[found].name);
        self.end_open(moment, by, &why);
    }

    fn reject(&mut self, found: usize, moment: Moment, by: &Actor) {
        let rejected = self.latest_handoff().filter(|h| h.reject.as_ref().is_some_and(|r| r.stage == found));
        let reason = rejected.and_then(|h| h.reject.as_ref()).map(|r| self.standing.fields.get(r.reason).to_string());
        let name = rejected.map(|h| h.name.clone());
        let worked = rejected.is_some_and(|h| self.was_worked(h));
        let about = About { source: name.as_deref().unwrap_or(""), ..About::default() };
        let detail = details([("reason", reason.map_or(Json::Null, Json::from)), ("worked", worked.into())]);
        self.fact(FactKind::Rejected, moment.start, about, by, detail);
        self.close_violation(ViolationKind::Rejection, None, moment.start);
        if let Some(name) = name {
            self.meet_clocks_of(&name, moment, by);
        }
    }

    /// A lead that was handed over leaves the waterfall, and not as rejected. Our own move to nurture
    /// is nobody's judgement of the lead.
    fn disqualify(&mut self, moment: Moment, by: &Actor) {
        if *by == Actor::Leadpact || self.standing.key.object != Object::Lead {
            return;
        }
        let Some(handoff) = self.latest_handoff() else { return };
        let (name, worked) = (handoff.name.clone(), self.was_worked(handoff));
        let reason = handoff.reject.as_ref().and_then(|r| self.reason_given(r.reason));
        let mut detail = details([("reason", reason.map_or(Json::Null, Json::from))]);
        let kind = if worked { FactKind::Disqualified } else { FactKind::Rejected };
        if !worked {
            detail.insert("worked".to_owned(), false.into());
        }
        self.fact(kind, moment.start, About { source: &name, ..About::default() }, by, detail);
    }

    /// A reason that was given in this pass; one from before speaks of something else.
    fn reason_given(&self, field: FieldName) -> Option<String> {
        let given = self.standing.fields.field(field).filter(|f| f.at >= self.standing.pass_began);
        given.and_then(|f| f.value.as_text()).map(str::to_owned)
    }

    /// Whether the receiver of this handoff, the latest, had accepted the lead (it went beyond the
    /// handoff's stage in this pass) or done something about it since.
    fn was_worked(&self, handoff: &Handoff) -> bool {
        let beyond = self.furthest_index().is_some_and(|furthest| furthest > handoff.at);
        let since = |touched: &Timestamp| self.standing.handed_over.is_some_and(|at| *touched > at);
        beyond || self.standing.touched.as_ref().is_some_and(since)
    }
}
