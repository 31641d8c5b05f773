//! Moves of ours that landed: a change like any other, remembered as long as it can be undone or
//! changed back. Whether a move may be made is `confirm`'s to say; who changes it back, `contest`'s.

use super::answer::actor;
use super::fold::{About, Fold, Moment, details, escape, source_and_run};
use super::model::{Clock, Until};
use super::predicate::View;
use super::standing::{Moved, PassKind};
use super::steps::party_channels;
use crate::record::change::FieldValues;
use crate::record::effect::Notice;
use crate::record::field::well_known;
use crate::record::{Action, Actor, Effect, EffectKey, FactKind, OwnerId, PartyName, Recipient, Timestamp};
use serde_json::Value as Json;
use std::sync::Arc;

/// How many moves are remembered for each record.
const MOVES_KEPT: usize = 8;

impl Fold<'_> {
    /// A write of ours landed. A recycle begins a pass; an undo does so only where the fields say it.
    pub(super) fn wrote(&mut self, effect: &EffectKey, action: &Action, values: &FieldValues, at: Timestamp) {
        let former = self.standing.owner();
        // An answer is its giver's change, whoever's hand writes it.
        let by = &if let Action::Answer { reply, .. } = action { actor(reply) } else { Actor::Leadpact };
        let before = values.iter().map(|(name, _)| (*name, self.standing.fields.get(*name).clone())).collect();
        let stopped = if let Action::Undo { of, .. } = action { Some(self.undo(of, at)) } else { None };
        let stirred = self.set_fields(values, at, by);
        self.tell_write(effect, action, &before, former.as_ref(), at);
        let moment = Moment::exact(at);
        if let Some(stopped) = stopped {
            self.is_undoing = true;
            self.follow_ends(moment, &Actor::Leadpact);
            self.is_undoing = false;
            self.free_clocks(&stopped);
            return self.follow_starts(moment, &Actor::Leadpact, stirred);
        }
        if action.moves() {
            let took = former.filter(|owner| self.standing.owner().as_ref() != Some(owner));
            self.remember_move(effect, action, values, before, took, at);
        }
        if let Action::Recycle { .. } = action {
            self.standing.recycles.push(at);
            self.begin_pass(PassKind::Recycled, moment, &Actor::Leadpact);
        }
        self.follow(moment, by, stirred);
    }

    fn tell_write(
        &mut self,
        effect: &EffectKey,
        action: &Action,
        before: &FieldValues,
        former: Option<&OwnerId>,
        at: Timestamp,
    ) {
        let (kind, about) = match action {
            Action::Recycle { .. } => (FactKind::Recycled, effect),
            Action::Reassign { .. } => (FactKind::Reassigned, effect),
            Action::Nurture { .. } => (FactKind::Nurtured, effect),
            Action::Set { .. } => (FactKind::FieldsSet, effect),
            Action::Undo { of, .. } => (FactKind::Undone, of),
            Action::Read
            | Action::Notify { .. }
            | Action::Task { .. }
            | Action::Note { .. }
            | Action::Answer { .. }
            | Action::Annotate => return,
        };
        let id = |owner: Option<&OwnerId>| owner.map_or(Json::Null, |o| o.as_str().into());
        let mut detail = details([("from", id(former)), ("to", id(self.standing.owner().as_ref()))]);
        detail.insert("before".to_owned(), serde_json::to_value(before).unwrap_or(Json::Null));
        if let Action::Undo { by, why, .. } = action {
            detail.insert("by".to_owned(), by.as_str().into());
            detail.insert("why".to_owned(), why.as_str().into());
        }
        let (source, run) = source_and_run(about);
        self.fact(kind, at, About { source: &source, run, item: about.as_str() }, &Actor::Leadpact, detail);
        self.standing.last_action = Some(kind.as_str().to_owned());
    }

    fn remember_move(
        &mut self,
        effect: &EffectKey,
        action: &Action,
        wrote: &FieldValues,
        before: FieldValues,
        took: Option<OwnerId>,
        at: Timestamp,
    ) {
        let standing = &mut self.standing;
        let took_from = took.filter(|owner| !standing.earlier_owners.contains(owner));
        standing.earlier_owners.extend(took_from.clone());
        let moved = Moved {
            effect: effect.clone(),
            at,
            to: receiver(action, self.agreement.nurture.as_ref().and_then(|n| n.to.as_ref())),
            wrote: wrote.clone(),
            before,
            took_from,
            is_recycle: matches!(action, Action::Recycle { .. }),
            changed_back: false,
        };
        standing.moves.push(moved);
        if standing.moves.len() > MOVES_KEPT {
            standing.moves.remove(0);
        }
    }

    /// The move counts no more, nor was the lead ever taken from anybody by it. What runs stops: the
    /// clocks of the stage that comes back get their full time. Answers which were stopped.
    fn undo(&mut self, of: &EffectKey, at: Timestamp) -> Vec<Arc<str>> {
        let known = self.standing.moves.iter().position(|m| &m.effect == of);
        if let Some(moved) = known.map(|i| self.standing.moves.remove(i)) {
            self.standing.recycles.retain(|recycled| !moved.is_recycle || *recycled != moved.at);
            self.standing.earlier_owners.retain(|owner| Some(owner) != moved.took_from.as_ref());
        }
        let open = self.standing.open_runs().map(|r| r.clock.clone()).collect();
        self.cancel_open(at, FactKind::Undone.as_str());
        open
    }

    /// After an undo: what has been reached already does not start, and is not met a second time;
    /// what was stopped and is still owed starts anew.
    fn free_clocks(&mut self, stopped: &[Arc<str>]) {
        let object = self.standing.key.object;
        for clock in self.agreement.clocks.iter().filter(|c| c.object == object) {
            let is_met = self.is_met_from_the_start(clock);
            if !self.start_holds(clock) || !(is_met || stopped.contains(&clock.name)) {
                continue;
            }
            self.standing.on.retain(|name| name != &clock.name);
            if is_met {
                self.standing.on.push(clock.name.clone());
            }
        }
    }

    fn is_met_from_the_start(&self, clock: &Clock) -> bool {
        match &clock.until {
            Until::Condition(p) => p.holds(&View { touches: Some(0.0), ..self.view(None) }),
            Until::Filled(fields) => fields.iter().all(|f| !self.standing.fields.get(*f).is_null()),
        }
    }

    /// When a lead moves, the former owner and the receiver are told, unless the agreement is quiet.
    /// `values`: what the move wrote; the standing is still that before it.
    pub(super) fn tell_move(&self, moved: &Effect, values: &FieldValues, now: Timestamp) -> Vec<Effect> {
        let (notice, party) = match &moved.action {
            Action::Recycle { to, .. } => (Notice::Recycled, Some(to)),
            Action::Reassign { to } => (Notice::Reassigned, Some(to)),
            Action::Nurture { .. } => (Notice::Nurtured, self.agreement.nurture.as_ref().and_then(|n| n.to.as_ref())),
            Action::Undo { .. } => (Notice::Undone, None),
            _ => return Vec::new(),
        };
        if self.agreement.recycling.as_ref().is_some_and(|r| r.quiet) {
            return Vec::new();
        }
        let former = self.standing.owner();
        let written = values.iter().find(|(name, _)| *name == well_known().owner);
        let receiver = written.map_or_else(|| former.clone(), |(_, v)| v.as_text().map(OwnerId::new));
        // Who gets it back was told that it was taken, and is told now.
        let mut to: Vec<Recipient> = if notice == Notice::Undone {
            receiver.clone().map(Recipient::Person).into_iter().collect()
        } else {
            Vec::new()
        };
        to.extend(former.filter(|f| Some(f) != receiver.as_ref()).map(Recipient::Person));
        to.extend(party.map(|p| party_channels(self.agreement, p)).unwrap_or_default());
        to.into_iter().map(|to| told(moved, to, notice, now)).collect()
    }
}

fn told(moved: &Effect, to: Recipient, notice: Notice, now: Timestamp) -> Effect {
    let key = format!("{}/told/{}", moved.key, escape(&to.to_string()));
    Effect {
        key: EffectKey::new(key),
        action: Action::Notify { to, notice },
        at: now,
        not_before: now,
        ..moved.clone()
    }
}

/// The party that a move gives the record to.
fn receiver(action: &Action, nurtures: Option<&PartyName>) -> Option<PartyName> {
    match action {
        Action::Recycle { to, .. } | Action::Reassign { to } => Some(to.clone()),
        _ => nurtures.cloned(),
    }
}
