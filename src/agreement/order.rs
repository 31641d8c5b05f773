//! People's orders about one record: leave it alone, go on with it, put back what a move changed.
//! They are no history of the record and are kept beside it; whether an effect heeds them is
//! `confirm`'s to say.

use super::fold::{About, Fold, details, source_and_run};
use super::standing::Excluded;
use crate::record::change::FieldValues;
use crate::record::{Action, Actor, Ask, Effect, EffectKey, FactKind, Order, Timestamp};
use serde_json::{Map, Value as Json};

impl Fold<'_> {
    /// Does what a person asks for, and journals who asked and why.
    pub(super) fn ordered(&mut self, order: Order, now: Timestamp) -> Vec<Effect> {
        let Order { by, ask, .. } = order;
        match ask {
            Ask::Exclude { until, why } => {
                let mut detail = asked(&by, &why);
                detail.insert("until".to_owned(), until.map_or(Json::Null, |at| at.as_millis().into()));
                self.fact(FactKind::Excluded, now, About::default(), &Actor::Unknown, detail);
                self.standing.excluded = Some(Excluded { until, why, by });
                Vec::new()
            }
            Ask::Include { why } => {
                self.fact(FactKind::Included, now, About::default(), &Actor::Unknown, asked(&by, &why));
                self.standing.excluded = None;
                self.standing.included = Some(now);
                Vec::new()
            }
            Ask::Answer(reply) => self.answer_ordered(by, reply, now),
            // What is kept is not the core's to erase.
            Ask::Erase => Vec::new(),
            Ask::Undo { effect, values, why } => self.undo_ordered(&effect, values, (by, why), now),
        }
    }

    fn undo_ordered(
        &mut self,
        of: &EffectKey,
        set: FieldValues,
        (by, why): (String, String),
        now: Timestamp,
    ) -> Vec<Effect> {
        let (source, run) = source_and_run(of);
        if set.is_empty() || self.standing.moves.iter().all(|m| &m.effect != of) {
            let mut detail = details([("action", "undo".into()), ("by", by.into())]);
            detail.insert("why".to_owned(), "the move is not known, or was undone already".into());
            let about = About { source: &source, run, item: of.as_str() };
            self.fact(FactKind::Dropped, now, about, &Actor::Leadpact, detail);
            return Vec::new();
        }
        // Numbered, so that one that was dropped can be asked for again.
        self.standing.undos += 1;
        let item = format!("undo/{}", self.standing.undos);
        let action = Action::Undo { of: of.clone(), set, by, why };
        let effect = self.record_effect(&item, action, now, now);
        vec![Effect { source: source.as_str().into(), run, ..effect }]
    }

    /// An exclusion whose time is over ends in silence.
    pub(super) fn end_exclusion(&mut self, now: Timestamp) {
        if self.standing.excluded.as_ref().is_some_and(|e| e.until.is_some_and(|until| until <= now)) {
            self.standing.excluded = None;
        }
    }
}

fn asked(by: &str, why: &str) -> Map<String, Json> {
    details([("by", by.into()), ("why", why.into())])
}
