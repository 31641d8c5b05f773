//! What is in the outbox: due, in doubt, parked, and how much of it.

use super::{Lane, OutboxCounts, OutboxRow, Ruling};
use crate::record::{ConnectionName, EffectKey, Timestamp};
use crate::store::batch::{keys_of_one, slices};
use crate::store::{Db, Result, StoreError, count, from_json, moment};
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

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
    const SQL: &str = "SELECT effect, not_before, attempts, payload, outcome, ruling FROM outbox \
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
    const SQL: &str = "SELECT effect, not_before, attempts, payload, outcome, ruling FROM outbox \
         WHERE connection = $1 AND state = 'sending' ORDER BY effect_key";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(from_row).collect()
}

/// What was given up and waits for a person, the longest first; of all connections.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn parked(db: &Db, limit: u32) -> Result<Vec<OutboxRow>> {
    const SQL: &str = "SELECT effect, not_before, attempts, payload, outcome, ruling FROM outbox \
         WHERE state = 'parked' ORDER BY updated, connection, effect_key LIMIT $1";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(c).await)?;
    rows.into_iter().map(from_row).collect()
}

/// One effect and its state as the table has it, whatever became of it.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn get(db: &Db, connection: &ConnectionName, key: &EffectKey) -> Result<Option<(String, OutboxRow)>> {
    const SQL: &str = "SELECT state, effect, not_before, attempts, payload, outcome, ruling FROM outbox \
         WHERE connection = $1 AND effect_key = $2";
    let row: Option<RowWithState> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(key.as_str()).fetch_optional(c).await)?;
    row.map(|(state, effect, not_before, attempts, payload, outcome, ruling)| {
        Ok((state, from_row((effect, not_before, attempts, payload, outcome, ruling))?))
    })
    .transpose()
}

/// Which of these effects the breaker holds.
///
/// # Errors
/// `Unavailable`.
pub async fn held_of(db: &Db, connection: &ConnectionName, keys: &[EffectKey]) -> Result<HashSet<EffectKey>> {
    let mut held = HashSet::new();
    for slice in slices(keys, 1) {
        let sql = format!(
            "SELECT effect_key FROM outbox WHERE (connection, effect_key) IN {} AND state = 'held'",
            keys_of_one(1, slice.len())
        );
        let rows: Vec<(String,)> = on_db!(db, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str());
            for key in slice {
                query = query.bind(key.as_str());
            }
            query.fetch_all(c).await
        })?;
        held.extend(rows.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(held)
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
         UNION ALL SELECT state, COUNT(*) FROM outbox WHERE connection = $1 AND state = 'held' GROUP BY state \
         UNION ALL SELECT state, COUNT(*) FROM outbox WHERE connection = $1 AND state = 'parked' GROUP BY state";
    let rows: Vec<(String, i64)> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    let mut counts = OutboxCounts::default();
    for (state, n) in rows {
        match state.as_str() {
            "due" => counts.due = count(n)?,
            "sending" => counts.sending = count(n)?,
            "held" => counts.held = count(n)?,
            "parked" => counts.parked = count(n)?,
            other => return Err(StoreError::Corrupt(format!("`{other}` was not asked for"))),
        }
    }
    Ok(counts)
}

pub(super) const SELECT: &str = "SELECT effect, not_before, attempts, payload, outcome, ruling FROM outbox";

pub(super) type Row = (String, i64, i64, Option<String>, Option<String>, Option<String>);
type RowWithState = (String, String, i64, i64, Option<String>, Option<String>, Option<String>);

pub(super) fn from_row((effect, not_before, attempts, payload, outcome, ruling): Row) -> Result<OutboxRow> {
    Ok(OutboxRow {
        effect: from_json(&effect)?,
        not_before: Timestamp::from_millis(not_before),
        attempts: count(attempts)?,
        payload,
        outcome,
        ruling: ruling.as_deref().map(Ruling::of_text),
    })
}
