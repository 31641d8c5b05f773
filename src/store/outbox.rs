//! Effects from their decision to their end. What an effect does is deliver's business.

use super::batch::{last_of_each, list, slices, values};
use super::{Db, Result, StoreError, Tx, clean, count, from_json, moment, to_json};
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
            Action::Task { .. } => Lane::Task,
            Action::Reassign { .. }
            | Action::Recycle { .. }
            | Action::Nurture { .. }
            | Action::Set { .. }
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
}

/// How many are not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    pub due: u64,
    pub sending: u64,
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
             effect = excluded.effect, payload = NULL, outcome = NULL \
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

type Row = (String, i64, i64, Option<String>, Option<String>);
type RowWithState = (String, String, i64, i64, Option<String>, Option<String>);

fn from_row((effect, not_before, attempts, payload, outcome): Row) -> Result<OutboxRow> {
    let not_before = Timestamp::from_millis(not_before);
    Ok(OutboxRow { effect: from_json(&effect)?, not_before, attempts: count(attempts)?, payload, outcome })
}

/// What may be sent now, the longest due first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn due(
    db: &Db,
    connection: &ConnectionName,
    lane: Lane,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OutboxRow>> {
    const SQL: &str = "SELECT effect, not_before, attempts, payload, outcome FROM outbox \
         WHERE connection = $1 AND lane = $2 AND state = 'due' AND not_before <= $3 \
         ORDER BY not_before, effect_key LIMIT $4";
    let rows: Vec<Row> = on_db!(db, |c| {
        sqlx::query_as(SQL)
            .bind(connection.as_str())
            .bind(lane.as_str())
            .bind(now.as_millis())
            .bind(i64::from(limit))
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(from_row).collect()
}

/// What was being sent when a process died: in doubt, to be read back before anything else.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn sending(db: &Db, connection: &ConnectionName) -> Result<Vec<OutboxRow>> {
    const SQL: &str = "SELECT effect, not_before, attempts, payload, outcome FROM outbox \
         WHERE connection = $1 AND state = 'sending' ORDER BY effect_key";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(from_row).collect()
}

/// What was given up and waits for a person, the longest first; of all connections.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn parked(db: &Db, limit: u32) -> Result<Vec<OutboxRow>> {
    const SQL: &str = "SELECT effect, not_before, attempts, payload, outcome FROM outbox \
         WHERE state = 'parked' ORDER BY updated, connection, effect_key LIMIT $1";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(c).await)?;
    rows.into_iter().map(from_row).collect()
}

/// One effect and its state as the table has it, whatever became of it.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn get(db: &Db, connection: &ConnectionName, key: &EffectKey) -> Result<Option<(String, OutboxRow)>> {
    const SQL: &str = "SELECT state, effect, not_before, attempts, payload, outcome FROM outbox \
         WHERE connection = $1 AND effect_key = $2";
    let row: Option<RowWithState> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(key.as_str()).fetch_optional(c).await)?;
    row.map(|(state, effect, not_before, attempts, payload, outcome)| {
        Ok((state, from_row((effect, not_before, attempts, payload, outcome))?))
    })
    .transpose()
}

/// Records the intent before the call: each key with its payload as JSON. Only what is still due is
/// taken; answers which.
///
/// # Errors
/// `Unavailable`.
pub async fn mark_sending(
    tx: &mut Tx,
    connection: &ConnectionName,
    intents: &[(EffectKey, String)],
    now: Timestamp,
) -> Result<HashSet<EffectKey>> {
    let intents = last_of_each(intents, |(key, _)| key);
    let mut taken = HashSet::with_capacity(intents.len());
    for slice in slices(&intents, 2) {
        let sql = format!(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, updated = $2, payload = v.column2 \
             FROM (VALUES {}) AS v \
             WHERE connection = $1 AND effect_key = v.column1 AND state = 'due' RETURNING effect_key",
            values(2, slice.len(), 2)
        );
        let keys: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(now.as_millis());
            for (key, payload) in slice {
                query = query.bind(key.as_str()).bind(payload);
            }
            query.fetch_all(c).await
        })?;
        taken.extend(keys.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(taken)
}

fn ending(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::WouldHave => "would_have",
        Outcome::Dropped { .. } => "dropped",
        Outcome::Parked { .. } => "parked",
    }
}

/// Ends each of these as its outcome says. Only what is due or being sent can end; answers which
/// did, so that an end is told to the core once.
///
/// # Errors
/// `Unavailable`.
pub async fn settle(
    tx: &mut Tx,
    connection: &ConnectionName,
    outcomes: &[(EffectKey, Outcome)],
    now: Timestamp,
) -> Result<HashSet<EffectKey>> {
    let outcomes = last_of_each(outcomes, |(key, _)| key);
    let mut settled = HashSet::with_capacity(outcomes.len());
    for slice in slices(&outcomes, 3) {
        let bodies = slice.iter().map(|(_, outcome)| to_json(outcome)).collect::<Result<Vec<_>>>()?;
        let sql = format!(
            "UPDATE outbox SET state = v.column2, updated = $2, outcome = v.column3 FROM (VALUES {}) AS v \
             WHERE connection = $1 AND effect_key = v.column1 AND state IN ('due', 'sending') \
             RETURNING effect_key",
            values(2, slice.len(), 3)
        );
        let keys: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(now.as_millis());
            for ((key, outcome), body) in slice.iter().zip(&bodies) {
                query = query.bind(key.as_str()).bind(ending(outcome)).bind(body);
            }
            query.fetch_all(c).await
        })?;
        settled.extend(keys.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(settled)
}

/// Gives one up for a person to see. The error must name no secret.
///
/// # Errors
/// `Unavailable`.
pub async fn park(
    tx: &mut Tx,
    connection: &ConnectionName,
    key: &EffectKey,
    error: &str,
    now: Timestamp,
) -> Result<bool> {
    let outcome = Outcome::Parked { error: error.to_owned() };
    Ok(!settle(tx, connection, &[(key.clone(), outcome)], now).await?.is_empty())
}

/// Not now: due again from `not_before` on, whether it was being sent or only looked at. The payload
/// stays, so that the next try has the same owner.
///
/// # Errors
/// `Unavailable`.
pub async fn again(
    tx: &mut Tx,
    connection: &ConnectionName,
    key: &EffectKey,
    not_before: Timestamp,
    error: &str,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE outbox SET state = 'due', not_before = $3, outcome = $4, updated = $5 \
         WHERE connection = $1 AND effect_key = $2 AND state IN ('due', 'sending')";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(key.as_str())
            .bind(not_before.as_millis())
            .bind(clean(error))
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Due again from `not_before` on, as if these had not been tried: a call failed as a whole, which is
/// no fault of theirs. Their payloads stay.
///
/// # Errors
/// `Unavailable`.
pub async fn untried(
    tx: &mut Tx,
    connection: &ConnectionName,
    keys: &[EffectKey],
    not_before: Timestamp,
    error: &str,
    now: Timestamp,
) -> Result<()> {
    for slice in slices(keys, 1) {
        let sql = format!(
            "UPDATE outbox SET state = 'due', not_before = $2, outcome = $3, updated = $4, \
             attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END \
             WHERE connection = $1 AND state = 'sending' AND effect_key IN {}",
            list(4, slice.len())
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql))
                .bind(connection.as_str())
                .bind(not_before.as_millis())
                .bind(clean(error))
                .bind(now.as_millis());
            for key in slice {
                query = query.bind(key.as_str());
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// Takes back what is not begun; answers which. What is being sent stays sent.
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
             WHERE connection = $1 AND state = 'due' AND effect_key IN {} RETURNING effect_key",
            list(2, slice.len())
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
/// stays. Answers whether it was parked.
///
/// # Errors
/// `Unavailable`.
pub async fn replay(tx: &mut Tx, connection: &ConnectionName, key: &EffectKey, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE outbox SET state = 'due', attempts = 0, not_before = $3, updated = $3 \
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

/// Deletes up to `limit` effects that ended before `t`; answers how many. What is due, in doubt or
/// parked stays. Call it until it answers less than `limit`, so that no transaction is long.
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

/// When the next effect of this connection may be sent.
///
/// # Errors
/// `Unavailable`.
pub async fn earliest(db: &Db, connection: &ConnectionName) -> Result<Option<Timestamp>> {
    // One look at the head of each lane.
    const SQL: &str = "SELECT MIN(not_before) FROM (\
         SELECT MIN(not_before) AS not_before FROM outbox WHERE connection = $1 AND state = 'due' AND lane = 'read' \
         UNION ALL \
         SELECT MIN(not_before) FROM outbox WHERE connection = $1 AND state = 'due' AND lane = 'write' \
         UNION ALL \
         SELECT MIN(not_before) FROM outbox WHERE connection = $1 AND state = 'due' AND lane = 'notify' \
         UNION ALL \
         SELECT MIN(not_before) FROM outbox WHERE connection = $1 AND state = 'due' AND lane = 'task') AS heads";
    let (first,): (Option<i64>,) = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    Ok(moment(first))
}

/// How many of a connection's effects are not settled.
///
/// # Errors
/// `Unavailable`.
pub async fn counts(db: &Db, connection: &ConnectionName) -> Result<OutboxCounts> {
    const SQL: &str = "SELECT state, COUNT(*) FROM outbox \
         WHERE connection = $1 AND state = 'due' GROUP BY state \
         UNION ALL SELECT state, COUNT(*) FROM outbox WHERE connection = $1 AND state = 'sending' GROUP BY state \
         UNION ALL SELECT state, COUNT(*) FROM outbox WHERE connection = $1 AND state = 'parked' GROUP BY state";
    let rows: Vec<(String, i64)> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    let mut counts = OutboxCounts::default();
    for (state, n) in rows {
        match state.as_str() {
            "due" => counts.due = count(n)?,
            "sending" => counts.sending = count(n)?,
            "parked" => counts.parked = count(n)?,
            other => return Err(StoreError::Corrupt(format!("`{other}` was not asked for"))),
        }
    }
    Ok(counts)
}
