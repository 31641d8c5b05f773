//! Two automations that undo each other: what we move, something else changes back. After the
//! second time leadpact lets the record be and tells the people; a person's change, or a person's
//! order, ends it. A person who changes a move back has simply decided otherwise.

use super::fold::{About, Fold, Stirred, source_and_run};
use super::standing::{Moved, PassKind};
use super::steps::party_channels;
use crate::record::effect::Notice;
use crate::record::field::well_known;
use crate::record::{Action, Actor, Effect, FactKind, FieldName, Recipient, Timestamp};
use serde_json::Map;

/// How often a move must be changed back until leadpact gives in.
const CONTESTED_AFTER: u32 = 2;

impl Fold<'_> {
    /// Looks at a change that somebody else made at this moment.
    pub(super) fn contest(&mut self, at: Timestamp, by: &Actor, stirred: Stirred) {
        let stirs = stirred.owner || stirred.status || stirred.touches > 0.0;
        match by {
            Actor::Leadpact => {}
            Actor::Person(_) if stirs => {
                self.standing.changed_back = 0;
                self.standing.contested = None;
            }
            Actor::Person(_) => {}
            Actor::Automation | Actor::Unknown if self.changes_back(at, stirred) => self.changed_back(at, by),
            Actor::Automation | Actor::Unknown => {
                let anew = matches!(self.standing.pass_kind, PassKind::First | PassKind::Revived);
                if anew && self.standing.pass_began == at {
                    self.standing.changed_back = 0;
                }
            }
        }
    }

    /// Whether owner or status are now what they were before our last move, within `spare` of it.
    fn changes_back(&self, at: Timestamp, stirred: Stirred) -> bool {
        let (w, spare) = (well_known(), self.spare_for());
        let is_back = |moved: &Moved, name: FieldName| {
            let of = |values: &crate::record::change::FieldValues| {
                values.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone())
            };
            let before = of(&moved.before);
            before.is_some() && before != of(&moved.wrote) && before.as_ref() == Some(self.standing.fields.get(name))
        };
        let last = self.standing.moves.last().filter(|m| !m.changed_back && at >= m.at && at <= m.at + spare);
        last.is_some_and(|m| (stirred.owner && is_back(m, w.owner)) || (stirred.status && is_back(m, w.status)))
    }

    fn changed_back(&mut self, at: Timestamp, by: &Actor) {
        let Some(moved) = self.standing.moves.last_mut() else { return };
        moved.changed_back = true;
        let key = moved.effect.clone();
        self.standing.changed_back += 1;
        if self.standing.changed_back < CONTESTED_AFTER {
            return;
        }
        self.standing.changed_back = 0;
        self.standing.contested = Some(at);
        let (source, run) = source_and_run(&key);
        self.fact(FactKind::Contested, at, About { source: &source, run, item: key.as_str() }, by, Map::new());
    }

    /// The manager and the party that the record was given to are told once.
    pub(super) fn tell_contested(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let untold = |at: &Timestamp| self.standing.contest_told.is_none_or(|told| told < *at);
        let Some(at) = self.standing.contested.filter(|at| self.standing.is_contested() && untold(at)) else { return };
        let Some(moved) = self.standing.moves.last() else { return };
        let (source, run) = source_and_run(&moved.effect);
        let mut to = vec![Recipient::Manager];
        let party = moved.to.as_ref().or(self.standing.party.as_ref());
        to.extend(party.map(|p| party_channels(self.agreement, p)).unwrap_or_default());
        for to in to {
            let item = format!("contested/{}/{to}", at.as_millis());
            let action = Action::Notify { to, notice: Notice::Contested };
            let effect = self.record_effect(&item, action, now, now);
            effects.push(Effect { source: source.as_str().into(), run, ..effect });
        }
        self.standing.contest_told = Some(at);
    }
}
