//! What was given up, as people decide about it: tried again, or given up for good. It is written
//! straight to the database, beside a running daemon or while it is stopped. Nothing is sent here:
//! an effect that is due again is confirmed on a fresh read like any other before it leaves.

use super::held::{fact, note};
use super::switches::Told;
use crate::agreement::Standing;
use crate::record::{Effect, EffectKey, Fact, FactKind, Timestamp};
use crate::store::inbox::InboxRow;
use crate::store::journal::JournalEntry;
use crate::store::{Db, Priority, StoreError, Tx, inbox_list, journal, letter_list, outbox, standing};

/// So many are decided about in one transaction.
const SLICE: u32 = 200;

/// Something of a connection that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Effect(EffectKey),
    /// A row of the inbox: a delivery, a person's order, or an event set aside.
    Row(String),
    Letter(String),
}

/// Who decided, and why.
#[derive(Clone, Debug)]
pub struct Said {
    pub by: String,
    pub why: String,
}

/// How much was given up in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parked {
    /// Effects, by the moment when they were given up.
    pub effects: u64,
    /// Rows of the inbox, by the moment when they were received.
    pub rows: u64,
}

impl Parked {
    pub fn all(self) -> u64 {
        self.effects + self.rows
    }
}

/// Has one thing tried again. `false`: it was not given up, or is tried again already.
///
/// # Errors
/// When the database is unavailable.
pub async fn replay(db: &Db, chain: &Told, thing: &Thing, said: &Said, now: Timestamp) -> Result<bool, StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    let done = replay_in(&mut tx, db, chain, thing, said, now).await?;
    tx.commit().await?;
    Ok(done)
}

async fn replay_in(
    tx: &mut Tx,
    db: &Db,
    chain: &Told,
    thing: &Thing,
    said: &Said,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let name = &chain.0;
    let done = match thing {
        Thing::Effect(key) => outbox::replay(tx, name, key, now).await?,
        Thing::Row(id) => inbox_list::unpark(tx, name, id).await?,
        Thing::Letter(key) => letter_list::unpark(tx, name, key, now).await?,
    };
    if done {
        tell(tx, db, chain, thing, (FactKind::Replayed, said), now).await?;
    }
    Ok(done)
}

/// Gives one effect or row up for good. `false`: it was not waiting for a person, or is a letter:
/// these are not waited for.
///
/// # Errors
/// When the database is unavailable.
pub async fn give_up(db: &Db, chain: &Told, thing: &Thing, said: &Said, now: Timestamp) -> Result<bool, StoreError> {
    let why = if said.why.is_empty() { String::new() } else { format!(": {}", said.why) };
    let reason = format!("given up by {}{why}", said.by);
    let mut tx = db.begin(Priority::Work).await?;
    let done = match thing {
        Thing::Effect(key) => outbox::give_up(&mut tx, &chain.0, key, &reason, now).await?,
        Thing::Row(id) => inbox_list::give_up(&mut tx, &chain.0, id, &reason).await?,
        Thing::Letter(_) => false,
    };
    if done {
        tell(&mut tx, db, chain, thing, (FactKind::Discarded, said), now).await?;
    }
    tx.commit().await?;
    Ok(done)
}

/// How much was given up from `since` on and before `until`.
///
/// # Errors
/// When the database is unavailable.
pub async fn parked_between(db: &Db, chain: &Told, since: Timestamp, until: Timestamp) -> Result<Parked, StoreError> {
    let (effects, _) = outbox::parked_between(db, &chain.0, since, until, 0).await?;
    let (rows, _) = inbox_list::parked_between(db, &chain.0, since, until, 0).await?;
    Ok(Parked { effects, rows })
}

/// Has all tried again that was given up in a stretch of time. Answers how much it was.
///
/// # Errors
/// When the database is unavailable; what was decided before stays decided.
pub async fn replay_between(
    db: &Db,
    chain: &Told,
    (since, until): (Timestamp, Timestamp),
    said: &Said,
    now: Timestamp,
) -> Result<Parked, StoreError> {
    let mut done = Parked::default();
    loop {
        let (_, effects) = outbox::parked_between(db, &chain.0, since, until, SLICE).await?;
        let (_, rows) = inbox_list::parked_between(db, &chain.0, since, until, SLICE).await?;
        if effects.is_empty() && rows.is_empty() {
            return Ok(done);
        }
        let mut tx = db.begin(Priority::Work).await?;
        for key in effects {
            let moved = replay_in(&mut tx, db, chain, &Thing::Effect(key), said, now).await?;
            done.effects += u64::from(moved);
        }
        for id in rows {
            done.rows += u64::from(replay_in(&mut tx, db, chain, &Thing::Row(id), said, now).await?);
        }
        tx.commit().await?;
    }
}

async fn tell(
    tx: &mut Tx,
    db: &Db,
    chain: &Told,
    thing: &Thing,
    (kind, said): (FactKind, &Said),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (name, hash) = chain;
    let (record, fact) = match thing {
        Thing::Effect(key) => {
            let Some((_, row)) = outbox::get(db, name, key).await? else { return Ok(()) };
            (Some(row.effect.record.clone()), of_effect(tx, &row.effect, (kind, said), now).await?)
        }
        Thing::Row(id) => {
            let what = inbox_list::one(db, name, id).await?.map(|listed| kind_of(&listed.row)).unwrap_or_default();
            (None, of_none(kind, id, what, said, now))
        }
        Thing::Letter(key) => (None, of_none(kind, key, "letter", said, now)),
    };
    let entry = JournalEntry { record, fact, seen_at: now, agreement: hash.clone() };
    journal::append(tx, name, &[entry]).await
}

fn kind_of(row: &InboxRow) -> &'static str {
    row.kind.as_str()
}

fn of_none(kind: FactKind, item: &str, what: &str, said: &Said, now: Timestamp) -> Fact {
    let detail = note([("what", what), ("by", &said.by), ("why", &said.why), ("parked", "yes")]);
    Fact::of_no_record(kind, now, item, detail)
}

async fn of_effect(
    tx: &mut Tx,
    effect: &Effect,
    (kind, said): (FactKind, &Said),
    now: Timestamp,
) -> Result<Fact, StoreError> {
    let state = standing::load(tx, std::slice::from_ref(&effect.record)).await?;
    // What cannot be read tells no owner; the daemon stumbles over it by itself.
    let standing: Option<Standing> = state.get(&effect.record).and_then(|json| serde_json::from_str(json).ok());
    let action = effect.action.as_str();
    let detail = note([("action", action), ("by", &said.by), ("why", &said.why), ("parked", "yes")]);
    Ok(fact(kind, now, effect, standing.as_ref(), detail))
}
