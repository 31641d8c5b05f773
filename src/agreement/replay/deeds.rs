//! How effects end in a replay: notices and tasks at once, moves when and as they were recorded, or
//! at their own moment. Whether they may is `confirm`'s to say, as ever.

use super::Play;
use crate::agreement::confirm::{Verdict, confirm};
use crate::agreement::decide::Input;
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Action, Effect, Elapsed, Outcome, PartyName, Timestamp, Value};

/// A read that was recorded so soon after it was asked for is its answer.
const ANSWERED_WITHIN: Elapsed = Elapsed::from_secs(60);

/// So long after a try that may not be made yet it is looked at again at the earliest.
const AGAIN: Elapsed = Elapsed::from_secs(1);

impl Play<'_> {
    pub(super) fn carry_out(&mut self, effect: Effect) {
        match &effect.action {
            Action::Read => self.read(),
            // Our own fields say what the facts say; nothing follows from writing them.
            Action::Annotate => {}
            _ => self.act(effect),
        }
    }

    /// The recorded read answers, where there is one: the first of a record always does, since until
    /// then nobody knew what it looked like.
    fn read(&mut self) {
        let recorded = self.recorded.next_read(self.next);
        let answers = |at: Timestamp| at <= self.now + ANSWERED_WITHIN || self.standing.last_read.is_none();
        if !recorded.is_some_and(answers) {
            self.look();
        }
    }

    /// As the engine does it: the record is read, the effect confirmed, then sent.
    fn act(&mut self, effect: Effect) {
        let foreseen = self.recorded.foreseen(self.next, self.now);
        if foreseen.values.iter().any(|(name, value)| self.standing.fields.get(*name) != value) {
            self.look();
        }
        match confirm(self.agreement, &self.standing, &effect, self.now) {
            Verdict::Send => self.send(effect),
            Verdict::Drop(reason) => self.settle(effect, Outcome::Dropped { reason }),
            Verdict::Wait(until) => {
                let not_before = if self.is_paused(&effect) { self.next_change() } else { until };
                let not_before = not_before.max(self.now + AGAIN);
                self.outbox.push(Effect { not_before, ..effect });
            }
        }
    }

    /// Only a change ends a pause.
    fn is_paused(&self, effect: &Effect) -> bool {
        self.standing.run(&effect.source, effect.run).is_some_and(|run| run.paused.is_some())
    }

    fn send(&mut self, effect: Effect) {
        let now = self.now;
        if !effect.action.writes() || matches!(effect.action, Action::Task { .. } | Action::Note { .. }) {
            let done = Outcome::Done { at: now, since: now, values: Vec::new(), note: None };
            return self.settle(effect, done);
        }
        let Some(i) = self.recorded.move_like(&effect, now) else {
            let values = self.values_of(&effect);
            if effect.action.moves() {
                self.diverged = Some(self.diverged.map_or(now, |d| d.min(now)));
            }
            return self.settle(effect, Outcome::Done { at: now, since: now, values, note: None });
        };
        let recorded = &mut self.recorded.moves[i];
        // Confirmed on the read that it followed: what happened while it was on its way came too late.
        if recorded.since > now {
            return self.outbox.push(Effect { not_before: recorded.since, ..effect });
        }
        recorded.asked = true;
        let recorded = recorded.clone();
        let same = recorded.action == effect.action;
        let values = if same { recorded.values } else { self.values_of(&effect) };
        self.settle(effect, Outcome::Done { at: recorded.at, since: recorded.since, values, note: None });
    }

    /// What a move leaves on the record: what the agreement sets, and its receiver.
    fn values_of(&self, effect: &Effect) -> FieldValues {
        let mut values = match &effect.action {
            Action::Recycle { set, .. } | Action::Nurture { set } | Action::Set { set } => set.clone(),
            _ => FieldValues::new(),
        };
        if let Action::Recycle { to, .. } | Action::Reassign { to } = &effect.action {
            let recorded = self.recorded.receiver(&effect.action, effect.pass);
            values.push((well_known().owner, recorded.unwrap_or_else(|| somebody_of(to))));
        }
        values
    }

    fn settle(&mut self, effect: Effect, outcome: Outcome) {
        self.decide(Input::Settled(effect, outcome));
    }
}

/// An owner of whom only the party is known.
fn somebody_of(party: &PartyName) -> Value {
    Value::text(format!("party:{party}"))
}
