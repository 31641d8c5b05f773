//! Effects from their decision to their end: added and withdrawn here, looked for in `look`, sent and
//! settled in `settle`, recycles counted and held in `moves`. What an effect does is deliver's business.

mod list;
mod look;
mod moves;
mod settle;

pub use list::{Listed, Place, STATES, Wanted, one, page, parked_between};
pub use look::{counts, due, earliest, get, held_of, parked, sending};
pub use moves::{
    AfterMove, OfOwner, WaitingMove, any_held, count_held, discarded, held, hold, hold_these, put_off, recycle_moments,
    recycles_due, recycles_made, reissue, rule, taken_from, would_have,
};
pub use settle::{again, mark_sending, park, settle, untried};

use super::batch::{keys_of_one, last_of_each, slices, values};
use super::{Result, Tx, clean, to_json};
use crate::record::{Action, ConnectionName, Effect, EffectKey, Outcome, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// What deliver takes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Reads from the CRM.
    Read,
    /// Field writes.
    Write,
    Notify,
    Task,
}

impl Lane {
    pub fn of(action: &Action) -> Self {
        match action {
            Action::Read => Lane::Read,
            Action::Notify { .. } => Lane::Notify,
            Action::Task { .. } | Action::Note { .. } => Lane::Task,
            Action::Reassign { .. }
            | Action::Recycle { .. }
            | Action::Nurture { .. }
            | Action::Set { .. }
            | Action::Undo { .. }
            | Action::Answer { .. }
            | Action::Annotate => Lane::Write,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Read => "read",
            Lane::Write => "write",
            Lane::Notify => "notify",
            Lane::Task => "task",
        }
    }

    pub const ALL: [Lane; 4] = [Lane::Read, Lane::Write, Lane::Notify, Lane::Task];

    /// The lane that [`Lane::as_str`] names, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == text)
    }
}

/// An effect with how far it has come.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    pub effect: Effect,
    /// From when on it may be sent: the effect's own moment, or later after a failure.
    pub not_before: Timestamp,
    /// How often sending was begun.
    pub attempts: u32,
    /// The intent as JSON (chosen owner, values, since); set when sending was first begun.
    pub payload: Option<String>,
    /// The last error, or how it ended.
    pub outcome: Option<String>,
    /// What a person decided about it, where the breaker had held it.
    pub ruling: Option<Ruling>,
}

/// What a person decides about a move that the breaker held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It may leave once it was confirmed again; the breaker does not count it.
    Released,
    /// It is dropped for this reason.
    Discarded(String),
}

const RELEASED: &str = "released";

impl Ruling {
    fn to_text(&self) -> String {
        match self {
            Ruling::Released => RELEASED.to_owned(),
            Ruling::Discarded(reason) => format!("discarded: {reason}"),
        }
    }

    fn of_text(text: &str) -> Self {
        match text.strip_prefix("discarded: ") {
            Some(reason) => Ruling::Discarded(reason.to_owned()),
            None => Ruling::Released,
        }
    }
}

/// How many are not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    pub due: u64,
    pub sending: u64,
    /// By the breaker, for a person to decide.
    pub held: u64,
    pub parked: u64,
}

/// Adds what was decided and answers which keys are to be done now: those that were not there, and
/// those that had been withdrawn and are decided again. All others stay as they are.
///
/// # Errors
/// `Unavailable`.
pub async fn add(tx: &mut Tx, effects: &[Effect], now: Timestamp) -> Result<Vec<EffectKey>> {
    const COLUMNS: usize = 11;
    let effects = last_of_each(effects, |effect| &effect.key);
    let mut new = Vec::with_capacity(effects.len());
    for slice in slices(&effects, COLUMNS) {
        let bodies = slice.iter().map(to_json).collect::<Result<Vec<_>>>()?;
        let sql = format!(
            "INSERT INTO outbox (connection, effect_key, object, id, action, lane, state, not_before, attempts, \
             updated, effect) VALUES {} ON CONFLICT (connection, effect_key) DO UPDATE SET state = 'due', \
             not_before = excluded.not_before, attempts = 0, updated = excluded.updated, \
             effect = excluded.effect, payload = NULL, outcome = NULL, owner = NULL, ruling = NULL \
             WHERE outbox.state = 'withdrawn' RETURNING effect_key",
            values(0, slice.len(), COLUMNS)
        );
        let keys: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for (effect, body) in slice.iter().zip(&bodies) {
                query = query
                    .bind(effect.record.connection.as_str())
                    .bind(effect.key.as_str())
                    .bind(effect.record.object.as_str())
                    .bind(effect.record.id.as_str())
                    .bind(effect.action.as_str())
                    .bind(Lane::of(&effect.action).as_str())
                    .bind("due")
                    .bind(effect.not_before.as_millis())
                    .bind(0_i64)
                    .bind(now.as_millis())
                    .bind(body);
            }
            query.fetch_all(c).await
        })?;
        new.extend(keys.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(new)
}

/// Takes back what is not begun, held or not; answers which. What is being sent stays sent.
///
/// # Errors
/// `Unavailable`.
pub async fn withdraw(
    tx: &mut Tx,
    connection: &ConnectionName,
    keys: &[EffectKey],
    now: Timestamp,
) -> Result<HashSet<EffectKey>> {
    let mut gone = HashSet::with_capacity(keys.len());
    for slice in slices(keys, 1) {
        let sql = format!(
            "UPDATE outbox SET state = 'withdrawn', updated = $2 \
             WHERE (connection, effect_key) IN {} AND state IN ('due', 'held') RETURNING effect_key",
            keys_of_one(2, slice.len())
        );
        let rows: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(now.as_millis());
            for key in slice {
                query = query.bind(key.as_str());
            }
            query.fetch_all(c).await
        })?;
        gone.extend(rows.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(gone)
}

/// A person wants a parked effect tried again, now and with its attempts forgotten; the payload
/// stays. A task that was sent before is in doubt first: it is looked for before another is made.
/// Answers whether it was parked.
///
/// # Errors
/// `Unavailable`.
pub async fn replay(tx: &mut Tx, connection: &ConnectionName, key: &EffectKey, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE outbox SET attempts = 0, not_before = $3, updated = $3, \
         state = CASE WHEN lane = 'task' AND payload IS NOT NULL THEN 'sending' ELSE 'due' END \
         WHERE connection = $1 AND effect_key = $2 AND state = 'parked'";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(key.as_str())
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// A person gives a parked effect up for good. Answers whether it was parked.
///
/// # Errors
/// `Unavailable`.
pub async fn give_up(
    tx: &mut Tx,
    connection: &ConnectionName,
    key: &EffectKey,
    reason: &str,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE outbox SET state = 'dropped', outcome = $3, updated = $4 \
         WHERE connection = $1 AND effect_key = $2 AND state = 'parked'";
    let outcome = to_json(&Outcome::Dropped { reason: clean(reason).into_owned() })?;
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(key.as_str())
            .bind(outcome)
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Deletes up to `limit` effects that ended before `t`; answers how many. What is due, in doubt,
/// held or parked stays. Call it until it answers less than `limit`, so that no transaction is long.
///
/// # Errors
/// `Unavailable`.
pub async fn delete_before(tx: &mut Tx, connection: &ConnectionName, t: Timestamp, limit: u32) -> Result<u64> {
    const SQL: &str = "DELETE FROM outbox WHERE connection = $1 AND effect_key IN (SELECT effect_key FROM outbox \
         WHERE connection = $1 AND updated < $2 AND state IN ('done', 'dropped', 'would_have', 'withdrawn') \
         ORDER BY updated LIMIT $3)";
    let gone = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(t.as_millis())
            .bind(i64::from(limit))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(gone)
}
