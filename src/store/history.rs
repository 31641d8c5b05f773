//! Every applied change of every record: what a standing is folded from.

use super::batch::{slices, values};
use super::{Db, Result, Tx, count, from_json, moment, object, to_json};
use crate::record::{Change, ConnectionName, RecordId, RecordKey, Timestamp};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

const SELECT: &str = "SELECT body FROM history WHERE connection = $1 AND object = $2 AND id = $3 ORDER BY at, digest";

/// What tells two changes of the same moment apart: 32 hex digits of SHA-256 over its JSON.
fn digest(body: &str) -> String {
    let mut text = hex::encode(Sha256::digest(body.as_bytes()));
    text.truncate(32);
    text
}

/// Adds these changes; one that is there already stays one.
///
/// # Errors
/// `Unavailable`.
pub async fn add(tx: &mut Tx, changes: &[(RecordKey, Change)]) -> Result<()> {
    const COLUMNS: usize = 6;
    for slice in slices(changes, COLUMNS) {
        let bodies = slice.iter().map(|(_, change)| to_json(change)).collect::<Result<Vec<_>>>()?;
        let sql = format!(
            "INSERT INTO history (connection, object, id, at, digest, body) VALUES {} ON CONFLICT DO NOTHING",
            values(0, slice.len(), COLUMNS)
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for ((key, change), body) in slice.iter().zip(&bodies) {
                query = query
                    .bind(key.connection.as_str())
                    .bind(key.object.as_str())
                    .bind(key.id.as_str())
                    .bind(change.at.as_millis())
                    .bind(digest(body))
                    .bind(body);
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// The record's changes by time, within the transaction; ties in an order that never changes.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn load(tx: &mut Tx, key: &RecordKey) -> Result<Vec<Change>> {
    let rows: Vec<(String,)> = on_tx!(tx, |c| {
        sqlx::query_as(SELECT)
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .fetch_all(c)
            .await
    })?;
    rows.iter().map(|(body,)| from_json(body)).collect()
}

/// The same for pages and commands.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn of_record(db: &Db, key: &RecordKey) -> Result<Vec<Change>> {
    bodies(db, key).await?.iter().map(|body| from_json(body)).collect()
}

async fn bodies(db: &Db, key: &RecordKey) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = on_db!(db, |c| {
        sqlx::query_as(SELECT)
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .fetch_all(c)
            .await
    })?;
    Ok(rows.into_iter().map(|(body,)| body).collect())
}

/// Deletes up to `limit` changes older than `t`; answers how many. Call it until it answers less.
///
/// # Errors
/// `Unavailable`.
pub async fn delete_before(tx: &mut Tx, connection: &ConnectionName, t: Timestamp, limit: u32) -> Result<u64> {
    const SQL: &str = "DELETE FROM history WHERE connection = $1 AND (object, id, at, digest) IN \
         (SELECT object, id, at, digest FROM history WHERE connection = $1 AND at < $2 ORDER BY at LIMIT $3)";
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

/// One record's changes as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub key: RecordKey,
    /// By time, each as JSON.
    bodies: Vec<String>,
}

impl Stored {
    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.bodies.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// The changes by time. Reading them is work for the caller's thread, not the database's.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn changes(&self) -> Result<Vec<Change>> {
        self.bodies.iter().map(|body| from_json(body)).collect()
    }
}

/// The next records of a connection after this one, by object and id, each with all its changes:
/// of about `limit` changes together, or of one record with more. Empty after the last.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn page(db: &Db, connection: &ConnectionName, after: Option<&RecordKey>, limit: u32) -> Result<Vec<Stored>> {
    const SQL: &str = "SELECT object, id, body FROM history WHERE connection = $1 AND (object, id) > ($2, $3) \
         ORDER BY connection, object, id, at, digest LIMIT $4";
    let (kind, id) = after.map_or(("", ""), |key| (key.object.as_str(), key.id.as_str()));
    let rows: Vec<(String, String, String)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(kind).bind(id).bind(i64::from(limit)).fetch_all(c).await
    })?;
    let is_full = rows.len() >= limit as usize;
    let mut records: Vec<Stored> = Vec::new();
    for (kind, id, body) in rows {
        match records.last_mut() {
            Some(last) if last.key.object.as_str() == kind && last.key.id.as_str() == id => last.bodies.push(body),
            _ => {
                let key = RecordKey { connection: connection.clone(), object: object(&kind)?, id: RecordId::new(id) };
                records.push(Stored { key, bodies: vec![body] });
            }
        }
    }
    if is_full && let Some(last) = records.pop() {
        // Its changes may go on beyond the limit.
        if records.is_empty() {
            let bodies = bodies(db, &last.key).await?;
            records.push(Stored { bodies, ..last });
        }
    }
    Ok(records)
}

/// How many changes of this connection are stored. Walks them all: for commands, not for loops.
///
/// # Errors
/// `Unavailable`.
pub async fn count_all(db: &Db, connection: &ConnectionName) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM history WHERE connection = $1";
    let (n,): (i64,) = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    count(n)
}

/// When the latest stored change of this connection happened.
///
/// # Errors
/// `Unavailable`.
pub async fn latest(db: &Db, connection: &ConnectionName) -> Result<Option<Timestamp>> {
    const SQL: &str = "SELECT MAX(at) FROM history WHERE connection = $1";
    let (ms,): (Option<i64>,) = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    Ok(moment(ms))
}
