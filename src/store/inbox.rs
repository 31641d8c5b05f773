//! Received deliveries and people's orders, stored as they came before they are answered. What is
//! in them is not looked at here.

use super::batch::{list, slices, values};
use super::{Db, Result, StoreError, Tx, clean, count};
use crate::record::{ConnectionName, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A CRM's request body.
    Delivery,
    /// What a person asked for.
    Order,
    /// One event set aside from a delivery whose other events were applied.
    Event,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Delivery => "delivery",
            Kind::Order => "order",
            Kind::Event => "event",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        match text {
            "delivery" => Ok(Kind::Delivery),
            "order" => Ok(Kind::Order),
            "event" => Ok(Kind::Event),
            _ => Err(StoreError::Corrupt(format!("`{text}` is no kind of inbox row"))),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    pub connection: ConnectionName,
    /// The sender's id of this delivery; a repeated one is not stored again.
    pub delivery_id: Option<String>,
    pub kind: Kind,
    pub body: String,
    /// By the engine's clock; rows are ordered by it.
    pub received_at: Timestamp,
}

/// The body of a request as the TEXT column takes it, byte for byte: UTF-8 without NUL, which is
/// what JSON and XML are anyway. `None`: it cannot be stored, answer 400.
pub fn text_body(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    Stored,
    /// This delivery id is there already: acknowledge it and do nothing.
    Repeated,
}

/// A stored row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    pub id: String,
    pub kind: Kind,
    pub delivery_id: Option<String>,
    pub body: String,
    pub received_at: Timestamp,
    /// How often its work was begun.
    pub attempts: u32,
    pub error: Option<String>,
}

/// A turn's boundary: everything received up to here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(String);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxCounts {
    pub received: u64,
    pub parked: u64,
}

const COLUMNS: usize = 8;

/// Stores what is new and answers for each, in order. Many requests in one call are one commit.
///
/// # Errors
/// `Unavailable`: nothing of it may be acknowledged.
pub async fn insert_all(tx: &mut Tx, deliveries: &[NewDelivery]) -> Result<Vec<Insertion>> {
    let mut answers = Vec::with_capacity(deliveries.len());
    for slice in slices(deliveries, COLUMNS) {
        let ids: Vec<String> = slice.iter().map(|d| new_id(d.received_at)).collect();
        let sql = format!(
            "INSERT INTO inbox (connection, id, delivery_id, kind, state, attempts, received_at, body) VALUES {} \
             ON CONFLICT (connection, delivery_id) WHERE delivery_id IS NOT NULL DO NOTHING RETURNING id",
            values(0, slice.len(), COLUMNS)
        );
        let stored: Vec<(String,)> = on_tx!(tx, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for (delivery, id) in slice.iter().zip(&ids) {
                query = query
                    .bind(delivery.connection.as_str())
                    .bind(id)
                    .bind(delivery.delivery_id.as_deref().map(clean))
                    .bind(delivery.kind.as_str())
                    .bind("received")
                    .bind(0_i64)
                    .bind(delivery.received_at.as_millis())
                    .bind(&delivery.body);
            }
            query.fetch_all(c).await
        })?;
        let stored: HashSet<String> = stored.into_iter().map(|(id,)| id).collect();
        answers.extend(ids.iter().map(|id| if stored.contains(id) { Insertion::Stored } else { Insertion::Repeated }));
    }
    Ok(answers)
}

/// Stores one row that waits; answers its id.
///
/// # Errors
/// `Unavailable`.
pub async fn insert(tx: &mut Tx, row: &NewDelivery) -> Result<String> {
    const SQL: &str = "INSERT INTO inbox (connection, id, kind, state, attempts, received_at, body) \
         VALUES ($1, $2, $3, 'received', 0, $4, $5)";
    let id = new_id(row.received_at);
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(row.connection.as_str())
            .bind(&id)
            .bind(row.kind.as_str())
            .bind(row.received_at.as_millis())
            .bind(clean(&row.body))
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(id)
}

/// The boundary of a turn that begins now; `None` when nothing waits.
///
/// # Errors
/// `Unavailable`.
pub async fn mark(db: &Db, connection: &ConnectionName) -> Result<Option<Mark>> {
    const SQL: &str = "SELECT id FROM inbox WHERE connection = $1 AND state = 'received' ORDER BY id DESC LIMIT 1";
    let row: Option<(String,)> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_optional(c).await)?;
    Ok(row.map(|(id,)| Mark(id)))
}

type Row = (String, String, Option<String>, String, i64, i64, Option<String>);

/// The oldest rows that wait, up to the boundary. A row of another replica that commits late is
/// taken in the next call: rows are taken by state, not by a cursor.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn received(db: &Db, connection: &ConnectionName, mark: &Mark, limit: u32) -> Result<Vec<InboxRow>> {
    const SQL: &str = "SELECT id, kind, delivery_id, body, received_at, attempts, error FROM inbox \
         WHERE connection = $1 AND state = 'received' AND id <= $2 ORDER BY id LIMIT $3";
    let rows: Vec<Row> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(&mark.0).bind(i64::from(limit)).fetch_all(c).await
    })?;
    rows.into_iter().map(from_row).collect()
}

/// The bodies of the oldest orders that wait.
///
/// # Errors
/// `Unavailable`.
pub async fn orders(db: &Db, connection: &ConnectionName, limit: u32) -> Result<Vec<String>> {
    const SQL: &str = "SELECT body FROM inbox \
         WHERE connection = $1 AND kind = 'order' AND state = 'received' ORDER BY id LIMIT $2";
    let rows: Vec<(String,)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(i64::from(limit)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(body,)| body).collect())
}

/// What was given up, oldest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn parked(db: &Db, connection: &ConnectionName, limit: u32) -> Result<Vec<InboxRow>> {
    const SQL: &str = "SELECT id, kind, delivery_id, body, received_at, attempts, error FROM inbox \
         WHERE connection = $1 AND state = 'parked' ORDER BY id LIMIT $2";
    let rows: Vec<Row> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(i64::from(limit)).fetch_all(c).await)?;
    rows.into_iter().map(from_row).collect()
}

pub(super) fn from_row((id, kind, delivery_id, body, received_at, attempts, error): Row) -> Result<InboxRow> {
    let kind = Kind::parse(&kind)?;
    let received_at = Timestamp::from_millis(received_at);
    Ok(InboxRow { id, kind, delivery_id, body, received_at, attempts: count(attempts)?, error })
}

/// Counts an attempt at these rows. Commit it before the work begins: a row that kills the process
/// is then counted too.
///
/// # Errors
/// `Unavailable`.
pub async fn count_attempt(tx: &mut Tx, connection: &ConnectionName, ids: &[&str]) -> Result<()> {
    update(tx, "attempts = attempts + 1", connection, ids).await
}

/// Takes an attempt back: the work failed for a reason that is not in these rows.
///
/// # Errors
/// `Unavailable`.
pub async fn forgive_attempt(tx: &mut Tx, connection: &ConnectionName, ids: &[&str]) -> Result<()> {
    update(tx, "attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END", connection, ids).await
}

/// These rows are done; they stay for replay until they are deleted by age.
///
/// # Errors
/// `Unavailable`.
pub async fn applied(tx: &mut Tx, connection: &ConnectionName, ids: &[&str]) -> Result<()> {
    update(tx, "state = 'applied', error = NULL", connection, ids).await
}

/// Back among the received, attempts forgotten: a person replays parked or applied rows.
///
/// # Errors
/// `Unavailable`.
pub async fn replay(tx: &mut Tx, connection: &ConnectionName, ids: &[&str]) -> Result<()> {
    update(tx, "state = 'received', attempts = 0, error = NULL", connection, ids).await
}

async fn update(tx: &mut Tx, change: &str, connection: &ConnectionName, ids: &[&str]) -> Result<()> {
    for slice in slices(ids, 1) {
        let sql = format!("UPDATE inbox SET {change} WHERE connection = $1 AND id IN {}", list(1, slice.len()));
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(connection.as_str());
            for id in slice {
                query = query.bind(*id);
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// Gives a row up with the reason; a person sees it and may replay it.
///
/// # Errors
/// `Unavailable`.
pub async fn park(tx: &mut Tx, connection: &ConnectionName, id: &str, error: &str) -> Result<()> {
    const SQL: &str = "UPDATE inbox SET state = 'parked', error = $3 WHERE connection = $1 AND id = $2";
    on_tx!(tx, |c| {
        sqlx::query(SQL).bind(connection.as_str()).bind(id).bind(clean(error)).execute(c).await.map(|_| ())
    })?;
    Ok(())
}

/// Sets one event of a delivery aside, parked with the reason; answers its id.
///
/// # Errors
/// `Unavailable`.
pub async fn put_aside(tx: &mut Tx, event: &NewDelivery, error: &str) -> Result<String> {
    const SQL: &str = "INSERT INTO inbox (connection, id, kind, state, attempts, received_at, error, body) \
         VALUES ($1, $2, $3, 'parked', 0, $4, $5, $6)";
    let id = new_id(event.received_at);
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(event.connection.as_str())
            .bind(&id)
            .bind(event.kind.as_str())
            .bind(event.received_at.as_millis())
            .bind(clean(error))
            .bind(clean(&event.body))
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(id)
}

/// Deletes up to `limit` applied or dropped rows received before `t`; answers how many. Call it until it
/// answers less than `limit`, so that no transaction is long.
///
/// # Errors
/// `Unavailable`.
pub async fn delete_before(tx: &mut Tx, connection: &ConnectionName, t: Timestamp, limit: u32) -> Result<u64> {
    const SQL: &str = "DELETE FROM inbox WHERE connection = $1 AND id IN (SELECT id FROM inbox \
         WHERE connection = $1 AND id < $2 AND state IN ('applied', 'dropped') ORDER BY id LIMIT $3)";
    let before = first_id(t);
    let gone = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(&before)
            .bind(i64::from(limit))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(gone)
}

/// How many rows wait and how many were given up.
///
/// # Errors
/// `Unavailable`.
pub async fn counts(db: &Db, connection: &ConnectionName) -> Result<InboxCounts> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM inbox WHERE connection = $1 AND state = 'received'), \
         (SELECT COUNT(*) FROM inbox WHERE connection = $1 AND state = 'parked')";
    let (received, parked): (i64, i64) =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    Ok(InboxCounts { received: count(received)?, parked: count(parked)? })
}

/// A UUID of version 7 (RFC 9562): milliseconds, a counter of this process that keeps the order
/// within one of them, and chance, which keeps replicas apart.
fn new_id(at: Timestamp) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let chance: [u8; 6] = rand::random();
    let mut tail = [0; 10];
    // The version takes the first four bits of the first pair, the variant two of the second.
    tail[..2].copy_from_slice(&((n >> 14) as u16 & 0x0fff).to_be_bytes());
    tail[2..4].copy_from_slice(&(n as u16 & 0x3fff).to_be_bytes());
    tail[4..].copy_from_slice(&chance);
    uuid_text(at, &tail)
}

/// No id of that moment or later sorts before this.
pub(super) fn first_id(at: Timestamp) -> String {
    uuid_text(at, &[0; 10])
}

fn uuid_text(at: Timestamp, tail: &[u8; 10]) -> String {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, tail).into_uuid().hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_receipt_and_then_by_order_of_making() {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let ids: Vec<String> = (0..20_000).map(|_| new_id(at)).collect();
        assert!(ids.is_sorted());
        assert!(first_id(at) <= ids[0]);
        assert!(ids[19_999] < first_id(Timestamp::from_millis(1_800_000_000_001)));
    }

    #[test]
    fn a_body_that_is_no_text_is_told_apart() {
        assert_eq!(text_body(b"{\"a\": 1}"), Some("{\"a\": 1}"));
        assert_eq!(text_body(b"a\0b"), None);
        assert_eq!(text_body(&[0xff, 0xfe]), None);
    }
}
