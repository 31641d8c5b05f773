//! The end of an effect: what landed on the record is history, the rest is journalled. Echoes of
//! writes are dropped in `fold`; what is to be done is decided in `steps`.

use super::fold::{About, Fold, details};
use super::violation::violation_text;
use crate::record::change::FieldValues;
use crate::record::{Action, Actor, Change, Effect, EffectKey, FactKind, Outcome, Timestamp, What};
use serde_json::Value as Json;

/// A write as it landed.
struct Landed {
    at: Timestamp,
    since: Timestamp,
    values: FieldValues,
}

impl Fold<'_> {
    /// An effect ended. Answers what is to be told about it.
    pub(super) fn settle(&mut self, effect: &Effect, outcome: Outcome, now: Timestamp) -> Vec<Effect> {
        self.settled = Some(effect.key.clone());
        self.forget_issued(&effect.key);
        // A read that was given up is not asked for again at once: that would never end.
        if effect.action == Action::Read && !matches!(outcome, Outcome::Parked { .. }) {
            self.standing.reading = false;
        }
        let action = ("action", Json::from(effect.action.as_str()));
        match outcome {
            Outcome::Done { at, since, values, note } => {
                if effect.action.writes() && !effect.action.is_activity() {
                    return self.landed(effect, Landed { at, since, values }, now);
                }
                self.tell_done(effect, now, note);
            }
            Outcome::WouldHave => {
                self.answer_failed(&effect.action, "leadpact only observes here and writes nothing");
                self.tell_end(FactKind::WouldHave, effect, now, [action]);
            }
            Outcome::Dropped { reason } => {
                self.forget_write(&effect.key);
                self.answer_failed(&effect.action, &reason);
                if effect.action != Action::Read {
                    self.tell_end(FactKind::Dropped, effect, now, [("why", reason.into()), action]);
                }
            }
            Outcome::Parked { error } => {
                self.forget_write(&effect.key);
                self.answer_failed(&effect.action, &error);
                self.tell_end(FactKind::Parked, effect, now, [("error", error.into()), action]);
            }
        }
        Vec::new()
    }

    fn landed(&mut self, effect: &Effect, landed: Landed, now: Timestamp) -> Vec<Effect> {
        let at = self.landed_at(effect, &landed);
        let annotates = effect.action == Action::Annotate;
        let mut told = self.tell_move(effect, &landed.values, now);
        if let Action::Answer { reply, .. } = &effect.action {
            told.extend(self.answer_landed(reply, at, now));
        }
        // What happened beside our own fields while the write was on its way came before it, after
        // it, or is its echo: folding tells.
        let looked_at_since = self.standing.folded_to > landed.since;
        let stirred = at <= self.standing.folded_to || self.last_change() >= landed.since || looked_at_since;
        self.refold = stirred && !annotates;
        let Landed { since, values, .. } = landed;
        let what = What::Wrote { effect: effect.key.clone(), action: effect.action.clone(), values, since };
        let change = Change { at, what, by: Actor::Leadpact };
        if !self.refold {
            self.change(&change);
        }
        self.history.push(change);
        if annotates {
            let flagged = !violation_text(self.agreement, &self.standing).is_empty();
            self.tell_end(if flagged { FactKind::Flagged } else { FactKind::Unflagged }, effect, now, []);
        }
        told
    }

    /// By the CRM's clock, which may count whole seconds only: yet a write never comes before what
    /// made us write, nor before the read that it followed.
    fn landed_at(&self, effect: &Effect, landed: &Landed) -> Timestamp {
        let at = landed.at.max(landed.since).max(self.adopted());
        if effect.step.is_empty() {
            at
        } else {
            at.max(Timestamp::from_millis(effect.at.as_millis().saturating_add(1)))
        }
    }

    fn tell_done(&mut self, effect: &Effect, now: Timestamp, note: Option<String>) {
        let note = note.map_or(Json::Null, Json::from);
        match &effect.action {
            Action::Notify { to, .. } => {
                let to = Json::from(to.to_string());
                self.tell_end(FactKind::Notified, effect, now, [("to", to), ("note", note)]);
            }
            Action::Task { .. } | Action::Note { .. } => {
                self.tell_end(FactKind::TaskCreated, effect, now, [("task", note)])
            }
            _ => {}
        }
    }

    fn forget_write(&mut self, key: &EffectKey) {
        self.standing.own_writes.retain(|w| &w.effect != key || w.until.is_some());
    }

    fn forget_issued(&mut self, key: &EffectKey) {
        for step in self.standing.runs.iter_mut().flat_map(|r| r.steps.iter_mut()) {
            step.issued.retain(|k| k != key);
        }
    }

    fn tell_end<const N: usize>(&mut self, kind: FactKind, effect: &Effect, at: Timestamp, detail: [(&str, Json); N]) {
        let about = About { source: &effect.source, run: effect.run, item: effect.key.as_str() };
        self.fact(kind, at, about, &Actor::Leadpact, details(detail)).pass = effect.pass;
    }
}
