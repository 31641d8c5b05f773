//! How a connection fares by what is stored about it: who works it, what came last, what waits. For
//! whoever only looks; nothing is locked and nothing is changed.

use super::inbox::first_id;
use super::{Db, Result, from_json, moment};
use crate::record::{Change, ConnectionName, Object, RecordId, Timestamp};

/// The marks that a running connection leaves; `None` where there is none yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Somebody holds the lease until then.
    pub leased_until: Option<Timestamp>,
    /// When a delivery of the CRM was last taken in.
    pub last_delivery: Option<Timestamp>,
    /// Since when the oldest delivery waits that is not applied yet.
    pub oldest_waiting: Option<Timestamp>,
    /// When a write to the CRM last ended.
    pub last_write: Option<Timestamp>,
}

/// # Errors
/// `Unavailable`.
pub async fn vitals(db: &Db, connection: &ConnectionName) -> Result<Vitals> {
    // The ids of deliveries sort by receipt: the last of an index each, but for the writes.
    const SQL: &str = "SELECT (SELECT expires_at FROM lease WHERE connection = $1), \
         (SELECT received_at FROM inbox WHERE connection = $1 AND kind = 'delivery' ORDER BY id DESC LIMIT 1), \
         (SELECT received_at FROM inbox WHERE connection = $1 AND state = 'received' ORDER BY id LIMIT 1), \
         (SELECT MAX(updated) FROM outbox WHERE connection = $1 AND lane = 'write' AND state = 'done')";
    type Row = (Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let (lease, delivery, waiting, write): Row =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    Ok(Vitals {
        leased_until: moment(lease).filter(|until| *until > Timestamp::MIN),
        last_delivery: moment(delivery),
        oldest_waiting: moment(waiting),
        last_write: moment(write),
    })
}

/// Which process works a connection, until when unless it goes on; in real time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub name: String,
    pub until: Timestamp,
}

/// # Errors
/// `Unavailable`.
pub async fn holder(db: &Db, connection: &ConnectionName) -> Result<Option<Holder>> {
    const SQL: &str = "SELECT holder, expires_at FROM lease WHERE connection = $1";
    let row: Option<(String, i64)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_optional(c).await)?;
    Ok(row.map(|(name, until)| Holder { name, until: Timestamp::from_millis(until) }))
}

/// A delivery as it was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub received_at: Timestamp,
    pub body: String,
}

/// The newest deliveries since `since`, the newest first.
///
/// # Errors
/// `Unavailable`.
pub async fn deliveries(db: &Db, connection: &ConnectionName, since: Timestamp, limit: u32) -> Result<Vec<Taken>> {
    // Ids begin with the moment of receipt.
    const SQL: &str = "SELECT received_at, body FROM inbox WHERE connection = $1 AND kind = 'delivery' \
         AND id >= $2 ORDER BY id DESC LIMIT $3";
    let rows: Vec<(i64, String)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(first_id(since)).bind(i64::from(limit)).fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(|(at, body)| Taken { received_at: Timestamp::from_millis(at), body }).collect())
}

/// The newest changes of any record since `since`, the newest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn changes(
    db: &Db,
    connection: &ConnectionName,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<(Object, RecordId, Change)>> {
    const SQL: &str =
        "SELECT object, id, body FROM history WHERE connection = $1 AND at >= $2 ORDER BY at DESC LIMIT $3";
    let rows: Vec<(String, String, String)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(since.as_millis()).bind(i64::from(limit)).fetch_all(c).await
    })?;
    rows.into_iter()
        .map(|(object, id, body)| Ok((super::object(&object)?, RecordId::new(id), from_json(&body)?)))
        .collect()
}
