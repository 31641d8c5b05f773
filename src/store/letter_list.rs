//! Letters as people look through them: what failed first, then the rest, the newest first.

use super::{Db, Result, Tx, count};
use crate::record::{ConnectionName, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

/// The states of a letter, as the table has them; what waits for a person first.
pub const STATES: [&str; 6] = ["failed", "due", "sending", "again", "sent", "would_have"];
const FAILED: &str = "failed";

/// Where a list goes on: behind this row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    failed: bool,
    created_at: i64,
    key: String,
}

/// A letter as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub connection: ConnectionName,
    pub key: String,
    /// JSON: where it goes, and where instead.
    pub destinations: String,
    /// JSON: what it says in every form.
    pub body: String,
    pub state: String,
    pub attempts: u32,
    pub not_before: Timestamp,
    pub created_at: Timestamp,
    /// What names it where it went, or why it did not.
    pub note: Option<String>,
}

impl Listed {
    pub fn place(&self) -> Place {
        let (created_at, key) = (self.created_at.as_millis(), self.key.clone());
        Place { failed: self.state == FAILED, created_at, key }
    }
}

type Row = (String, String, String, String, String, i64, i64, i64, Option<String>);
const COLUMNS: &str = "connection, key, destinations, body, state, attempts, not_before, created_at, note";

/// The next letters of these connections: those that failed first, then the others, the newest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn list(
    db: &Db,
    connections: &[ConnectionName],
    state: Option<&'static str>,
    after: Option<&Place>,
    limit: u32,
) -> Result<Vec<Listed>> {
    let wants = |name: &&str| state.is_none_or(|state| state == *name);
    let (failed, others): (Vec<&str>, Vec<&str>) = STATES.into_iter().filter(wants).partition(|s| *s == FAILED);
    let mut found = Vec::new();
    if after.is_none_or(|place| place.failed) {
        found = stretch(db, connections, &failed, after, limit).await?;
    }
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        found.extend(stretch(db, connections, &others, after.filter(|place| !place.failed), left).await?);
    }
    Ok(found)
}

async fn stretch(
    db: &Db,
    connections: &[ConnectionName],
    states: &[&str],
    after: Option<&Place>,
    limit: u32,
) -> Result<Vec<Listed>> {
    let pairs: Vec<(&str, &str)> =
        connections.iter().flat_map(|c| states.iter().map(move |state| (c.as_str(), *state))).collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let behind = if after.is_some() { "AND (created_at, key) < ($2, $3)" } else { "AND $2 = $2 AND $3 = $3" };
    let arm = |number: usize| {
        format!(
            "SELECT * FROM (SELECT {COLUMNS} FROM letter WHERE connection = ${} AND state = ${} {behind} \
             ORDER BY created_at DESC, key DESC LIMIT $1) AS arm{number}",
            number * 2 + 4,
            number * 2 + 5
        )
    };
    let arms: Vec<String> = (0..pairs.len()).map(arm).collect();
    let sql =
        format!("SELECT * FROM ({}) AS found ORDER BY created_at DESC, key DESC LIMIT $1", arms.join(" UNION ALL "));
    let (created_at, key) = after.map_or((0, ""), |place| (place.created_at, place.key.as_str()));
    let rows: Vec<Row> = on_db!(db, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(i64::from(limit)).bind(created_at).bind(key);
        for (connection, state) in &pairs {
            query = query.bind(*connection).bind(*state);
        }
        query.fetch_all(c).await
    })?;
    rows.into_iter().map(listed).collect()
}

fn listed((connection, key, destinations, body, state, attempts, not_before, created_at, note): Row) -> Result<Listed> {
    Ok(Listed {
        connection: ConnectionName::new(connection),
        key,
        destinations,
        body,
        state,
        attempts: count(attempts)?,
        not_before: Timestamp::from_millis(not_before),
        created_at: Timestamp::from_millis(created_at),
        note,
    })
}

/// One letter.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn one(db: &Db, connection: &ConnectionName, key: &str) -> Result<Option<Listed>> {
    let sql = format!("SELECT {COLUMNS} FROM letter WHERE connection = $1 AND key = $2");
    let row: Option<Row> = on_db!(db, |c| {
        sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(key).fetch_optional(c).await
    })?;
    row.map(listed).transpose()
}

/// Due again at `now`, attempts forgotten. Answers whether it had failed.
///
/// # Errors
/// `Unavailable`.
pub async fn unpark(tx: &mut Tx, connection: &ConnectionName, key: &str, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE letter SET state = 'due', attempts = 0, not_before = $3 \
         WHERE connection = $1 AND key = $2 AND state = 'failed'";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(key)
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}
