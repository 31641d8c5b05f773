//! What a person decides about recycles that the breaker holds: let go, or given up. It is written
//! straight to the database, beside a running daemon or while it is stopped; deliver carries it out.

use super::switches::{Told, turn};
use crate::agreement::Standing;
use crate::record::{Actor, ConnectionName, Effect, EffectKey, Fact, FactKind, Object, RecordKey, Timestamp};
use crate::store::journal::JournalEntry;
use crate::store::outbox::{self, Ruling, WaitingMove};
use crate::store::switch::{self, Switch, SwitchRow};
use crate::store::{Db, Priority, StoreError, journal, standing};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::sync::Arc;

/// A person's decision.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Given up, not let go.
    pub discard: bool,
    pub by: String,
    pub why: String,
}

impl Decision {
    fn ruling(&self) -> Ruling {
        if !self.discard {
            return Ruling::Released;
        }
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        Ruling::Discarded(format!("discarded by {}{why}", self.by))
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    pub effects: usize,
    /// The breaker holds no more and counts afresh.
    pub closed: bool,
}

/// Decides about all that is held, or about some of it. When nothing is held any more, the breaker
/// counts afresh.
///
/// # Errors
/// When the database is unavailable.
pub async fn decide(
    db: &Db,
    chain: &Told,
    only: Option<&[EffectKey]>,
    decision: &Decision,
    now: Timestamp,
) -> Result<Decided, StoreError> {
    let (name, hash) = chain;
    let mut tx = db.begin(Priority::Work).await?;
    // Deliver holds under the same lock: what it holds later, it holds for the next decision.
    let holds = switch::lock(&mut tx, name, Switch::Breaker).await?;
    let effects = outbox::rule(&mut tx, name, only, &decision.ruling(), now).await?;
    let keys: Vec<RecordKey> = effects.iter().map(|effect| effect.record.clone()).collect();
    let standings = standings(standing::load(&mut tx, &keys).await?);
    let kind = if decision.discard { FactKind::Discarded } else { FactKind::Released };
    let entry = |effect: &Effect| {
        let detail = note([("action", effect.action.as_str()), ("by", &decision.by), ("why", &decision.why)]);
        JournalEntry {
            record: Some(effect.record.clone()),
            fact: fact(kind, now, effect, standings.get(&effect.record), detail),
            seen_at: now,
            agreement: hash.clone(),
        }
    };
    let entries: Vec<JournalEntry> = effects.iter().map(entry).collect();
    journal::append(&mut tx, name, &entries).await?;
    let closed = holds && !outbox::any_held(&mut tx, name).await?;
    if closed {
        let row = reset(name, decision, now);
        turn(&mut tx, &row, std::slice::from_ref(chain), "off, counting afresh").await?;
    }
    tx.commit().await?;
    Ok(Decided { effects: effects.len(), closed })
}

/// The held moves of one record, in its CRM's id; empty where nothing of it is held.
pub fn of_record(held: &[WaitingMove], object: Object, id: &str) -> Vec<EffectKey> {
    let same = |one: &&WaitingMove| one.effect.record.object == object && one.effect.record.id.as_str() == id;
    held.iter().filter(same).map(|one| one.effect.key.clone()).collect()
}

fn reset(name: &ConnectionName, decision: &Decision, now: Timestamp) -> SwitchRow {
    SwitchRow {
        connection: Some(name.clone()),
        switch: Switch::Breaker,
        on: false,
        until: None,
        by: decision.by.clone(),
        why: decision.why.clone(),
        at: now,
    }
}

/// What cannot be read tells no owner; the daemon stumbles over it by itself.
fn standings(states: HashMap<RecordKey, String>) -> HashMap<RecordKey, Standing> {
    states.into_iter().filter_map(|(key, json)| Some((key, serde_json::from_str(&json).ok()?))).collect()
}

/// A fact about an effect that waits.
pub(super) fn fact(
    kind: FactKind,
    at: Timestamp,
    effect: &Effect,
    standing: Option<&Standing>,
    detail: Map<String, Json>,
) -> Fact {
    Fact {
        kind,
        at,
        pass: effect.pass,
        source: effect.source.clone(),
        run: effect.run,
        item: Arc::from(effect.key.as_str()),
        party: standing.and_then(|s| s.party.clone()),
        owner: standing.and_then(Standing::owner),
        stage: standing.and_then(|s| s.stage.clone()),
        by: Actor::Leadpact,
        detail,
    }
}

/// What is said of a fact; what is empty is left out.
pub(super) fn note<const N: usize>(said: [(&str, &str); N]) -> Map<String, Json> {
    let said = said.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| (name.to_owned(), Json::from(text))).collect()
}
