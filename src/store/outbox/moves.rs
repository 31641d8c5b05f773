//! Recycles as a crowd: how many are due and were made, what the breaker holds, what a person ruled
//! about it, and what waits for its pace. Nurtures count with them: at the cap they stand in for
//! recycles. How many are too many is not decided here.

use super::look::{Row, SELECT, from_row};
use super::{OutboxRow, Ruling};
use crate::record::{ConnectionName, Effect, EffectKey, OwnerId, PartyName, Timestamp};
use crate::store::batch::{keys_of_one, slices, values};
use crate::store::{Db, Result, Tx, clean, count, from_json};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// How many of one owner's leads; `None`: nobody's.
pub type OfOwner = (Option<OwnerId>, u64);

/// A move that waits for a person, with where its record stands.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingMove {
    pub effect: Effect,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When it was to be made: later than the effect says where it was put off.
    pub not_before: Timestamp,
    pub owner: Option<OwnerId>,
    pub party: Option<PartyName>,
    /// The record's name.
    pub name: String,
}

/// Where a list of moves goes on: behind this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterMove {
    not_before: Timestamp,
    key: EffectKey,
}

impl WaitingMove {
    /// The place after this move.
    pub fn place(&self) -> AfterMove {
        AfterMove { not_before: self.not_before, key: self.effect.key.clone() }
    }
}

fn owner(text: Option<String>) -> Option<OwnerId> {
    text.filter(|id| !id.is_empty()).map(OwnerId::new)
}

/// What is due at `now` and no person has ruled about, by the records' owners.
///
/// # Errors
/// `Unavailable`.
pub async fn recycles_due(db: &Db, connection: &ConnectionName, now: Timestamp) -> Result<Vec<OfOwner>> {
    const SQL: &str = "SELECT s.owner, COUNT(*) FROM outbox AS o LEFT JOIN standing AS s \
         ON s.connection = o.connection AND s.object = o.object AND s.id = o.id \
         WHERE o.connection = $1 AND o.lane = 'write' AND o.state = 'due' AND o.not_before <= $2 \
         AND o.action IN ('recycle', 'nurture') AND o.ruling IS NULL GROUP BY s.owner";
    counts_by_owner(db, SQL, connection, now).await
}

/// What was made after `since` or is on its way, by those from whom it was taken. `ruled`: with what
/// a person had let go.
///
/// # Errors
/// `Unavailable`.
pub async fn recycles_made(
    db: &Db,
    connection: &ConnectionName,
    since: Timestamp,
    ruled: bool,
) -> Result<Vec<OfOwner>> {
    // The list of states is the index's own, so that it is used.
    const ALL: &str = "SELECT owner, COUNT(*) FROM (SELECT owner FROM outbox \
         WHERE connection = $1 AND updated > $2 AND state IN ('done', 'dropped', 'would_have', 'withdrawn') \
         AND state = 'done' AND action IN ('recycle', 'nurture') UNION ALL SELECT owner FROM outbox \
         WHERE connection = $1 AND state = 'sending' AND action IN ('recycle', 'nurture')) AS made GROUP BY owner";
    const UNRULED: &str = "SELECT owner, COUNT(*) FROM (SELECT owner FROM outbox \
         WHERE connection = $1 AND updated > $2 AND state IN ('done', 'dropped', 'would_have', 'withdrawn') \
         AND state = 'done' AND action IN ('recycle', 'nurture') AND ruling IS NULL UNION ALL \
         SELECT owner FROM outbox WHERE connection = $1 AND state = 'sending' \
         AND action IN ('recycle', 'nurture') AND ruling IS NULL) AS made GROUP BY owner";
    counts_by_owner(db, if ruled { ALL } else { UNRULED }, connection, since).await
}

/// When each recycle was made that was made after `since`, the oldest first; one on its way counts as
/// made at `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn recycle_moments(
    db: &Db,
    connection: &ConnectionName,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Timestamp>> {
    const SQL: &str = "SELECT updated FROM outbox \
         WHERE connection = $1 AND updated > $2 AND state IN ('done', 'dropped', 'would_have', 'withdrawn') \
         AND state = 'done' AND action IN ('recycle', 'nurture') UNION ALL SELECT $3 FROM outbox \
         WHERE connection = $1 AND state = 'sending' AND action IN ('recycle', 'nurture') ORDER BY 1";
    let rows: Vec<(i64,)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(since.as_millis()).bind(now.as_millis()).fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(|(ms,)| Timestamp::from_millis(ms)).collect())
}

async fn counts_by_owner(
    db: &Db,
    sql: &'static str,
    connection: &ConnectionName,
    t: Timestamp,
) -> Result<Vec<OfOwner>> {
    let rows: Vec<(Option<String>, i64)> =
        on_db!(db, |c| sqlx::query_as(sql).bind(connection.as_str()).bind(t.as_millis()).fetch_all(c).await)?;
    rows.into_iter().map(|(id, n)| Ok((owner(id), count(n)?))).collect()
}

/// Remembers from whom these moves take their records.
///
/// # Errors
/// `Unavailable`.
pub async fn taken_from(
    tx: &mut Tx,
    connection: &ConnectionName,
    owners: &[(EffectKey, Option<OwnerId>)],
) -> Result<()> {
    for slice in slices(owners, 2) {
        let sql = format!(
            "UPDATE outbox SET owner = v.column2 FROM (VALUES {}) AS v \
             WHERE connection = $1 AND effect_key = v.column1",
            values(1, slice.len(), 2)
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(connection.as_str());
            for (key, owner) in slice {
                query = query.bind(key.as_str()).bind(clean(owner.as_ref().map_or("", OwnerId::as_str)));
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// Holds up to `limit` of what is due at `now` and no person has ruled about; answers which. Call it
/// until it answers less than `limit`.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn hold(tx: &mut Tx, connection: &ConnectionName, now: Timestamp, limit: u32) -> Result<Vec<Effect>> {
    const SQL: &str = "UPDATE outbox SET state = 'held', updated = $2 WHERE (connection, effect_key) IN (\
         SELECT connection, effect_key FROM outbox WHERE connection = $1 AND lane = 'write' \
         AND state = 'due' AND not_before <= $2 AND action IN ('recycle', 'nurture') AND ruling IS NULL \
         ORDER BY not_before, effect_key LIMIT $3) RETURNING effect";
    let rows: Vec<(String,)> = on_tx!(tx, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(now.as_millis()).bind(i64::from(limit)).fetch_all(c).await
    })?;
    rows.iter().map(|(effect,)| from_json(effect)).collect()
}

/// Holds those of these that are due and no person has ruled about; answers which.
///
/// # Errors
/// `Unavailable`.
pub async fn hold_these(
    tx: &mut Tx,
    connection: &ConnectionName,
    keys: &[EffectKey],
    now: Timestamp,
) -> Result<HashSet<EffectKey>> {
    let mut held = HashSet::with_capacity(keys.len());
    for slice in slices(keys, 1) {
        let sql = format!(
            "UPDATE outbox SET state = 'held', updated = $2 WHERE (connection, effect_key) IN {} AND state = 'due' \
             AND ruling IS NULL RETURNING effect_key",
            keys_of_one(2, slice.len())
        );
        let rows: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(now.as_millis());
            for key in slice {
                query = query.bind(key.as_str());
            }
            query.fetch_all(c).await
        })?;
        held.extend(rows.into_iter().map(|(key,)| EffectKey::new(key)));
    }
    Ok(held)
}

/// What waits for a person, held by the breaker or since the CRM refuses its like; the longest due first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn held(db: &Db, connection: &ConnectionName) -> Result<Vec<WaitingMove>> {
    const SQL: &str = "SELECT o.effect, o.updated, o.not_before, s.owner, s.party, s.name FROM outbox AS o \
         LEFT JOIN standing AS s \
         ON s.connection = o.connection AND s.object = o.object AND s.id = o.id \
         WHERE o.connection = $1 AND o.state = 'held' ORDER BY o.not_before, o.effect_key";
    let rows: Vec<WaitingRow> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(waiting).collect()
}

/// The next moves that would have been made, had the connection acted; the longest due first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn would_have(
    db: &Db,
    connection: &ConnectionName,
    after: Option<&AfterMove>,
    limit: u32,
) -> Result<Vec<WaitingMove>> {
    const SQL: &str = "SELECT o.effect, o.updated, o.not_before, s.owner, s.party, s.name FROM outbox AS o \
         LEFT JOIN standing AS s \
         ON s.connection = o.connection AND s.object = o.object AND s.id = o.id \
         WHERE o.connection = $1 AND o.state = 'would_have' AND o.action IN ('reassign', 'recycle', 'nurture') \
         AND (o.not_before, o.effect_key) > ($2, $3) ORDER BY o.not_before, o.effect_key LIMIT $4";
    let rows: Vec<WaitingRow> = on_db!(db, |c| {
        sqlx::query_as(SQL)
            .bind(connection.as_str())
            .bind(after.map_or(i64::MIN, |after| after.not_before.as_millis()))
            .bind(after.map_or("", |after| after.key.as_str()))
            .bind(i64::from(limit))
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(waiting).collect()
}

type WaitingRow = (String, i64, i64, Option<String>, Option<String>, Option<String>);

fn waiting((effect, since, not_before, id, party, name): WaitingRow) -> Result<WaitingMove> {
    let effect: Effect = from_json(&effect)?;
    let name = name.unwrap_or_else(|| effect.record.id.to_string());
    let party = party.map(PartyName::new);
    let (since, not_before) = (Timestamp::from_millis(since), Timestamp::from_millis(not_before));
    Ok(WaitingMove { effect, since, not_before, owner: owner(id), party, name })
}

/// How much is held.
///
/// # Errors
/// `Unavailable`.
pub async fn count_held(db: &Db, connection: &ConnectionName) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM outbox WHERE connection = $1 AND state = 'held'";
    let (n,): (i64,) = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    count(n)
}

/// Whether anything is held, as this transaction sees it.
///
/// # Errors
/// `Unavailable`.
pub async fn any_held(tx: &mut Tx, connection: &ConnectionName) -> Result<bool> {
    const SQL: &str = "SELECT effect_key FROM outbox WHERE connection = $1 AND state = 'held' LIMIT 1";
    let row: Option<(String,)> = on_tx!(tx, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_optional(c).await)?;
    Ok(row.is_some())
}

/// A person rules about what is held, all of it or some: it is due again, to be confirmed and sent,
/// or to be dropped by deliver. Answers what was held indeed.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn rule(
    tx: &mut Tx,
    connection: &ConnectionName,
    only: Option<&[EffectKey]>,
    ruling: &Ruling,
    now: Timestamp,
) -> Result<Vec<Effect>> {
    const ALL: &str = "UPDATE outbox SET state = 'due', ruling = $2, updated = $3 \
         WHERE connection = $1 AND state = 'held' RETURNING effect";
    let ruling = clean(&ruling.to_text()).into_owned();
    let mut ruled: Vec<(String,)> = Vec::new();
    match only {
        None => {
            ruled = on_tx!(tx, |c| {
                let query = sqlx::query_as(ALL).bind(connection.as_str()).bind(&ruling).bind(now.as_millis());
                query.fetch_all(c).await
            })?;
        }
        Some(keys) => {
            for slice in slices(keys, 1) {
                let sql = format!(
                    "UPDATE outbox SET state = 'due', ruling = $2, updated = $3 \
                     WHERE (connection, effect_key) IN {} AND state = 'held' RETURNING effect",
                    keys_of_one(3, slice.len())
                );
                let rows: Vec<(String,)> = on_tx!(tx, |c| {
                    let mut query = sqlx::query_as(AssertSqlSafe(sql));
                    query = query.bind(connection.as_str()).bind(&ruling).bind(now.as_millis());
                    for key in slice {
                        query = query.bind(key.as_str());
                    }
                    query.fetch_all(c).await
                })?;
                ruled.extend(rows);
            }
        }
    }
    ruled.iter().map(|(effect,)| from_json(effect)).collect()
}

/// What a person gave up and deliver has not dropped yet.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn discarded(db: &Db, connection: &ConnectionName, limit: u32) -> Result<Vec<OutboxRow>> {
    let sql = format!(
        "{SELECT} WHERE connection = $1 AND state = 'due' AND ruling IS NOT NULL AND ruling <> 'released' \
         ORDER BY effect_key LIMIT $2"
    );
    let rows: Vec<Row> = on_db!(db, |c| {
        sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(i64::from(limit)).fetch_all(c).await
    })?;
    rows.into_iter().map(from_row).collect()
}

/// Moves that would have been made are to be made after all, where the last check allows it; answers
/// how many.
///
/// # Errors
/// `Unavailable`.
pub async fn reissue(tx: &mut Tx, connection: &ConnectionName, keys: &[EffectKey], now: Timestamp) -> Result<u64> {
    let mut reissued = 0;
    for slice in slices(keys, 1) {
        let sql = format!(
            "UPDATE outbox SET state = 'due', attempts = 0, outcome = NULL, payload = NULL, ruling = NULL, \
             updated = $2 WHERE (connection, effect_key) IN {} AND state = 'would_have'",
            keys_of_one(2, slice.len())
        );
        reissued += on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(connection.as_str()).bind(now.as_millis());
            for key in slice {
                query = query.bind(key.as_str());
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(reissued)
}

/// What is due waits until its own moment.
///
/// # Errors
/// `Unavailable`.
pub async fn put_off(
    tx: &mut Tx,
    connection: &ConnectionName,
    until: &[(EffectKey, Timestamp)],
    why: &str,
    now: Timestamp,
) -> Result<()> {
    for slice in slices(until, 2) {
        let sql = format!(
            "UPDATE outbox SET not_before = v.column2, outcome = $2, updated = $3 FROM (VALUES {}) AS v \
             WHERE connection = $1 AND effect_key = v.column1 AND state = 'due'",
            values(3, slice.len(), 2)
        );
        on_tx!(tx, |c| {
            let mut query =
                sqlx::query(AssertSqlSafe(sql)).bind(connection.as_str()).bind(clean(why)).bind(now.as_millis());
            for (key, at) in slice {
                query = query.bind(key.as_str()).bind(at.as_millis());
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}
