//! The inbox as people look through it: what was given up first, then the rest, the newest first, by
//! connection, state and kind. What a body says is not looked at.

use super::inbox::{InboxRow, Kind, first_id};
use super::{Db, Result, Tx, clean, count};
use crate::record::{ConnectionName, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

/// The states of a row, as the table has them; what waits for a person first.
pub const STATES: [&str; 4] = ["parked", "received", "applied", "dropped"];
const PARKED: &str = "parked";

/// What is looked for; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Never empty where anything is to be found.
    pub connections: Vec<ConnectionName>,
    /// One of [`STATES`].
    pub state: Option<&'static str>,
    pub kind: Option<Kind>,
}

/// Where a list goes on: behind this row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    parked: bool,
    id: String,
}

/// A row with its connection and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub connection: ConnectionName,
    pub state: String,
    pub row: InboxRow,
}

impl Listed {
    pub fn place(&self) -> Place {
        Place { parked: self.state == PARKED, id: self.row.id.clone() }
    }
}

/// The next rows: parked ones first, then the others, the newest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn list(db: &Db, wanted: &Wanted, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    if after.is_none_or(|place| place.parked) && wanted.state.is_none_or(|state| state == PARKED) {
        found = stretch(db, wanted, "state = 'parked'", after, limit).await?;
    }
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 && wanted.state != Some(PARKED) {
        let state = match wanted.state {
            Some("received") => "state = 'received'",
            Some("applied") => "state = 'applied'",
            Some("dropped") => "state = 'dropped'",
            _ => "state <> 'parked'",
        };
        found.extend(stretch(db, wanted, state, after.filter(|place| !place.parked), left).await?);
    }
    Ok(found)
}

type Row = (String, String, String, String, Option<String>, String, i64, i64, Option<String>);
const COLUMNS: &str = "connection, state, id, kind, delivery_id, body, received_at, attempts, error";

async fn stretch(db: &Db, wanted: &Wanted, state: &str, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>> {
    if wanted.connections.is_empty() {
        return Ok(Vec::new());
    }
    // The first condition of the rare kinds is the index's own, so that it is used.
    let kind = match wanted.kind {
        None => "",
        Some(Kind::Delivery) => "AND kind = 'delivery'",
        Some(Kind::Order) => "AND kind <> 'delivery' AND kind = 'order'",
        Some(Kind::Event) => "AND kind <> 'delivery' AND kind = 'event'",
    };
    let behind = if after.is_some() { "AND id < $2" } else { "AND $2 = $2" };
    let arm = |number: usize| {
        format!(
            "SELECT * FROM (SELECT {COLUMNS} FROM inbox WHERE connection = ${} AND {state} {kind} {behind} \
             ORDER BY id DESC LIMIT $1) AS arm{number}",
            number + 3
        )
    };
    let arms: Vec<String> = (0..wanted.connections.len()).map(arm).collect();
    let sql = format!("SELECT * FROM ({}) AS found ORDER BY id DESC LIMIT $1", arms.join(" UNION ALL "));
    let rows: Vec<Row> = on_db!(db, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(i64::from(limit));
        query = query.bind(after.map_or("", |place| place.id.as_str()));
        for connection in &wanted.connections {
            query = query.bind(connection.as_str());
        }
        query.fetch_all(c).await
    })?;
    rows.into_iter().map(listed).collect()
}

fn listed((connection, state, id, kind, delivery_id, body, received_at, attempts, error): Row) -> Result<Listed> {
    let (kind, received_at) = (Kind::parse(&kind)?, Timestamp::from_millis(received_at));
    let row = InboxRow { id, kind, delivery_id, body, received_at, attempts: count(attempts)?, error };
    Ok(Listed { connection: ConnectionName::new(connection), state, row })
}

/// One row.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn one(db: &Db, connection: &ConnectionName, id: &str) -> Result<Option<Listed>> {
    let sql = format!("SELECT {COLUMNS} FROM inbox WHERE connection = $1 AND id = $2");
    let row: Option<Row> = on_db!(db, |c| {
        sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(id).fetch_optional(c).await
    })?;
    row.map(listed).transpose()
}

/// What was received from `since` on and before `until` and given up: how many, and the ids of the
/// first of them.
///
/// # Errors
/// `Unavailable`.
pub async fn parked_between(
    db: &Db,
    connection: &ConnectionName,
    since: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<(u64, Vec<String>)> {
    const COUNT: &str =
        "SELECT COUNT(*) FROM inbox WHERE connection = $1 AND state = 'parked' AND id >= $2 AND id < $3";
    const IDS: &str = "SELECT id FROM inbox WHERE connection = $1 AND state = 'parked' AND id >= $2 AND id < $3 \
         ORDER BY id LIMIT $4";
    let (since, until) = (first_id(since), first_id(until));
    let (n,): (i64,) =
        on_db!(db, |c| sqlx::query_as(COUNT).bind(connection.as_str()).bind(&since).bind(&until).fetch_one(c).await)?;
    let rows: Vec<(String,)> = on_db!(db, |c| {
        sqlx::query_as(IDS)
            .bind(connection.as_str())
            .bind(&since)
            .bind(&until)
            .bind(i64::from(limit))
            .fetch_all(c)
            .await
    })?;
    Ok((count(n)?, rows.into_iter().map(|(id,)| id).collect()))
}

/// Among the received again, attempts forgotten. Answers whether it was parked.
///
/// # Errors
/// `Unavailable`.
pub async fn unpark(tx: &mut Tx, connection: &ConnectionName, id: &str) -> Result<bool> {
    const SQL: &str = "UPDATE inbox SET state = 'received', attempts = 0, error = NULL \
         WHERE connection = $1 AND id = $2 AND state = 'parked'";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL).bind(connection.as_str()).bind(id).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// A person gives a parked row up for good; it is deleted by age like what was applied. Answers
/// whether it was parked.
///
/// # Errors
/// `Unavailable`.
pub async fn give_up(tx: &mut Tx, connection: &ConnectionName, id: &str, reason: &str) -> Result<bool> {
    const SQL: &str = "UPDATE inbox SET state = 'dropped', error = $3 \
         WHERE connection = $1 AND id = $2 AND state = 'parked'";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(id)
            .bind(clean(reason))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}
