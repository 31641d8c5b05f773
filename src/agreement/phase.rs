//! Whose a record was, and at which stage, at the moment of which a fact tells. Some facts are told
//! later than they happened (a read revealed them, a form had to settle): they bear what was then.

use super::fold::{About, Fold, details};
use super::standing::{Phase, Standing};
use crate::record::{Actor, Fact, FactKind, OwnerId, PartyName, StageName, Timestamp, Value};
use serde_json::Value as Json;

/// How many phases are kept; a fact about a time before them bears the oldest.
const PHASES_KEPT: usize = 16;

impl Fold<'_> {
    pub(super) fn set_stage(&mut self, stage: Option<StageName>, since: Timestamp) {
        self.standing.stage = stage.clone();
        self.phase_from(since, |phase| phase.stage = stage.clone());
        self.retell(since, |fact| fact.stage = stage.clone());
    }

    pub(super) fn set_party(&mut self, party: Option<PartyName>, since: Timestamp) {
        self.standing.party = party.clone();
        self.phase_from(since, |phase| phase.party = party.clone());
    }

    /// The owner became another one.
    pub(super) fn assigned(&mut self, before: &Value, at: Timestamp, by: &Actor) {
        let owner = self.standing.owner();
        self.phase_from(at, |phase| phase.owner = owner.clone());
        self.retell(at, |fact| fact.owner = owner.clone());
        let about = About { item: owner.as_ref().map_or("", OwnerId::as_str), ..About::default() };
        let from = before.as_text().map_or(Json::Null, Json::from);
        self.fact(FactKind::Assigned, at, about, by, details([("from", from)]));
    }

    /// Something of a record is so from this moment on, whatever is known of later ones.
    fn phase_from(&mut self, since: Timestamp, set: impl Fn(&mut Phase)) {
        let standing = &mut self.standing;
        let first = standing.phases.partition_point(|p| p.since < since);
        if standing.phases.get(first).is_none_or(|p| p.since != since) {
            let mut phase = match first.checked_sub(1).and_then(|i| standing.phases.get(i)) {
                Some(before) => Phase { since, ..before.clone() },
                None if standing.phases.is_empty() => now(standing, since),
                None => Phase { since, owner: None, party: None, stage: None },
            };
            let before = phase.clone();
            set(&mut phase);
            if phase == before && first > 0 && first == standing.phases.len() {
                return;
            }
            standing.phases.insert(first, phase);
        }
        standing.phases[first..].iter_mut().for_each(set);
        if standing.phases.len() > PHASES_KEPT {
            standing.phases.remove(0);
        }
    }

    /// A read may reveal something from before what was told already: a deadline that passed
    /// meanwhile. What was journalled is corrected by folding anew.
    fn retell(&mut self, since: Timestamp, correct: impl Fn(&mut Fact)) {
        let pass = self.standing.pass;
        let by_time = |f: &Fact| matches!(f.kind, FactKind::Breached | FactKind::ViolationOpened);
        let passed = |f: &&mut Fact| by_time(f) && f.pass == pass && f.at > since;
        self.facts.iter_mut().filter(passed).for_each(correct);
        let told = |breached: Timestamp| breached >= since;
        self.refold |= !self.is_refold && self.standing.runs.iter().any(|r| r.breached.is_some_and(told));
    }

    /// What the record was at this moment; of the time before all we know, what it was first.
    pub(super) fn phase_at(&self, at: Timestamp) -> Phase {
        let phases = &self.standing.phases;
        let then = phases.iter().rev().find(|p| p.since <= at).or(phases.first());
        then.cloned().unwrap_or_else(|| now(&self.standing, at))
    }

    /// Whose it was before what happened at this moment.
    pub(super) fn owner_before(&self, at: Timestamp) -> Option<OwnerId> {
        self.standing.phases.iter().rev().find(|p| p.since < at).and_then(|p| p.owner.clone())
    }
}

fn now(standing: &Standing, since: Timestamp) -> Phase {
    Phase { since, owner: standing.owner(), party: standing.party.clone(), stage: standing.stage.clone() }
}
