//! Where each record stands: the state as JSON, beside it what lists and the waker look for.

use super::batch::{last_of_each, slices, values};
use super::{Db, Result, Tx, clean, count, moment, object};
use crate::record::{ConnectionName, OwnerId, PartyName, RecordId, RecordKey, StageName, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// A standing to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingRow {
    pub key: RecordKey,
    pub stage: Option<StageName>,
    pub owner: Option<OwnerId>,
    pub party: Option<PartyName>,
    /// The record's name, for lists.
    pub name: String,
    /// When to look at it again; `None` when there is nothing to wait for.
    pub wake_at: Option<Timestamp>,
    /// The standing as JSON.
    pub state: String,
    pub updated: Timestamp,
}

/// The states of those records that are known, read within the transaction.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn load(tx: &mut Tx, keys: &[RecordKey]) -> Result<HashMap<RecordKey, String>> {
    let mut found = HashMap::with_capacity(keys.len());
    for slice in slices(keys, 3) {
        let sql = states(slice.len());
        let rows: Vec<(String, String, String, String)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for key in slice {
                query = query.bind(key.connection.as_str()).bind(key.object.as_str()).bind(key.id.as_str());
            }
            query.fetch_all(c).await
        })?;
        for (connection, kind, id, state) in rows {
            let connection = ConnectionName::new(connection);
            found.insert(RecordKey { connection, object: object(&kind)?, id: RecordId::new(id) }, state);
        }
    }
    Ok(found)
}

/// The state of one record, for pages and commands.
///
/// # Errors
/// `Unavailable`.
pub async fn load_one(db: &Db, key: &RecordKey) -> Result<Option<String>> {
    const SQL: &str = "SELECT state FROM standing WHERE connection = $1 AND object = $2 AND id = $3";
    let row: Option<(String,)> = on_db!(db, |c| {
        sqlx::query_as(SQL)
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .fetch_optional(c)
            .await
    })?;
    Ok(row.map(|(state,)| state))
}

/// The states of those records that are known, for pages.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn load_many(db: &Db, keys: &[RecordKey]) -> Result<HashMap<RecordKey, String>> {
    let mut found = HashMap::with_capacity(keys.len());
    for slice in slices(keys, 3) {
        let sql = states(slice.len());
        let rows: Vec<(String, String, String, String)> = on_db!(db, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for key in slice {
                query = query.bind(key.connection.as_str()).bind(key.object.as_str()).bind(key.id.as_str());
            }
            query.fetch_all(c).await
        })?;
        for (connection, kind, id, state) in rows {
            let connection = ConnectionName::new(connection);
            found.insert(RecordKey { connection, object: object(&kind)?, id: RecordId::new(id) }, state);
        }
    }
    Ok(found)
}

/// CROSS JOIN keeps SQLite from walking the whole table first; each key is one look-up.
fn states(keys: usize) -> String {
    format!(
        "SELECT s.connection, s.object, s.id, s.state FROM (VALUES {}) AS v CROSS JOIN standing AS s \
         WHERE s.connection = v.column1 AND s.object = v.column2 AND s.id = v.column3",
        values(0, keys, 3)
    )
}

/// A record that was found, with what a list shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub key: RecordKey,
    pub name: String,
    pub stage: Option<StageName>,
    pub owner: Option<OwnerId>,
}

type HitRow = (String, String, String, String, Option<String>, Option<String>);

fn hit((connection, kind, id, name, stage, owner): HitRow) -> Result<Hit> {
    Ok(Hit {
        key: RecordKey { connection: ConnectionName::new(connection), object: object(&kind)?, id: RecordId::new(id) },
        name,
        stage: stage.map(StageName::new),
        owner: owner.map(OwnerId::new),
    })
}

/// Records whose name begins so, without regard to case, by name.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn named(db: &Db, beginning: &str, limit: u32) -> Result<Vec<Hit>> {
    // Nothing that a name goes on with sorts after this character.
    const SQL: &str = "SELECT connection, object, id, name, stage, owner FROM standing \
         WHERE lower(name) >= lower($1) AND lower(name) < lower($1) || $2 \
         ORDER BY lower(name), connection, object, id LIMIT $3";
    let rows: Vec<HitRow> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(clean(beginning)).bind("\u{ffff}").bind(i64::from(limit)).fetch_all(c).await
    })?;
    rows.into_iter().map(hit).collect()
}

/// The records of this id in these connections.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn with_id(db: &Db, connections: &[ConnectionName], id: &str) -> Result<Vec<Hit>> {
    const SQL: &str = "SELECT connection, object, id, name, stage, owner FROM standing \
         WHERE connection = $1 AND object IN ('lead', 'opportunity') AND id = $2 ORDER BY object";
    let mut found = Vec::new();
    for connection in connections {
        let rows: Vec<HitRow> =
            on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(clean(id)).fetch_all(c).await)?;
        found.extend(rows.into_iter().map(hit).collect::<Result<Vec<_>>>()?);
    }
    Ok(found)
}

/// The owners of those records that have one.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn owners(db: &Db, keys: &[RecordKey]) -> Result<HashMap<RecordKey, OwnerId>> {
    let mut found = HashMap::with_capacity(keys.len());
    for slice in slices(keys, 3) {
        let sql = format!(
            "SELECT s.connection, s.object, s.id, s.owner FROM (VALUES {}) AS v CROSS JOIN standing AS s \
             WHERE s.connection = v.column1 AND s.object = v.column2 AND s.id = v.column3 AND s.owner IS NOT NULL",
            values(0, slice.len(), 3)
        );
        let rows: Vec<(String, String, String, String)> = on_db!(db, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for key in slice {
                query = query.bind(key.connection.as_str()).bind(key.object.as_str()).bind(key.id.as_str());
            }
            query.fetch_all(c).await
        })?;
        for (connection, kind, id, owner) in rows {
            let connection = ConnectionName::new(connection);
            found.insert(RecordKey { connection, object: object(&kind)?, id: RecordId::new(id) }, OwnerId::new(owner));
        }
    }
    Ok(found)
}

/// Stores these standings in place of what was there; of two for one record the last counts.
///
/// # Errors
/// `Unavailable`.
pub async fn save(tx: &mut Tx, rows: &[StandingRow]) -> Result<()> {
    const COLUMNS: usize = 10;
    let rows = last_of_each(rows, |row| &row.key);
    for slice in slices(&rows, COLUMNS) {
        let sql = format!(
            "INSERT INTO standing (connection, object, id, wake_at, updated, stage, owner, party, name, state) \
             VALUES {} ON CONFLICT (connection, object, id) DO UPDATE SET wake_at = excluded.wake_at, \
             updated = excluded.updated, stage = excluded.stage, owner = excluded.owner, \
             party = excluded.party, name = excluded.name, state = excluded.state",
            values(0, slice.len(), COLUMNS)
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for row in slice {
                query = query
                    .bind(row.key.connection.as_str())
                    .bind(row.key.object.as_str())
                    .bind(row.key.id.as_str())
                    .bind(row.wake_at.map(Timestamp::as_millis))
                    .bind(row.updated.as_millis())
                    .bind(row.stage.as_ref().map(StageName::as_str))
                    .bind(row.owner.as_ref().map(|owner| clean(owner.as_str())))
                    .bind(row.party.as_ref().map(PartyName::as_str))
                    .bind(clean(&row.name))
                    .bind(&row.state);
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// The records whose moment has come, the longest overdue first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn due(db: &Db, connection: &ConnectionName, now: Timestamp, limit: u32) -> Result<Vec<(RecordKey, String)>> {
    const SQL: &str = "SELECT object, id, state FROM standing \
         WHERE connection = $1 AND wake_at <= $2 ORDER BY wake_at, object, id LIMIT $3";
    let rows: Vec<(String, String, String)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(now.as_millis()).bind(i64::from(limit)).fetch_all(c).await
    })?;
    rows.into_iter()
        .map(|(kind, id, state)| {
            let key = RecordKey { connection: connection.clone(), object: object(&kind)?, id: RecordId::new(id) };
            Ok((key, state))
        })
        .collect()
}

/// When the next record of this connection wants to be looked at.
///
/// # Errors
/// `Unavailable`.
pub async fn earliest_wake(db: &Db, connection: &ConnectionName) -> Result<Option<Timestamp>> {
    const SQL: &str =
        "SELECT wake_at FROM standing WHERE connection = $1 AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1";
    let row: Option<(i64,)> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_optional(c).await)?;
    Ok(moment(row.map(|(ms,)| ms)))
}

/// How many records of this connection are known. Walks them all: for commands, not for loops.
///
/// # Errors
/// `Unavailable`.
pub async fn count_all(db: &Db, connection: &ConnectionName) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM standing WHERE connection = $1";
    let (n,): (i64,) = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    count(n)
}
