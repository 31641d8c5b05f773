//! Erasing what every table keeps of one record's person. Which record, and what of a text is theirs,
//! is decided elsewhere; the journal's chain holds without the values, since it hashes their digest.

use super::inbox::{InboxRow, from_row};
use super::{Result, Tx, journal, object};
use crate::record::{ConnectionName, RecordId, RecordKey};

/// Tables whose rows about a record go altogether.
const GONE: [&str; 3] = [
    "DELETE FROM history WHERE connection = $1 AND object = $2 AND id = $3",
    "DELETE FROM outbox WHERE connection = $1 AND object = $2 AND id = $3",
    "DELETE FROM clock WHERE connection = $1 AND object = $2 AND id = $3",
];
/// What people wrote in disputes about it.
const DISPUTES: &str = "UPDATE dispute SET why = '', verdict = NULL \
     WHERE connection = $1 AND object = $2 AND record = $3";

/// Erases history, effects, clocks, the words of disputes, and the values that the journal saw.
///
/// # Errors
/// `Unavailable`.
pub async fn erase(tx: &mut Tx, key: &RecordKey) -> Result<()> {
    for sql in GONE.into_iter().chain([DISPUTES]) {
        on_tx!(tx, |c| {
            sqlx::query(sql)
                .bind(key.connection.as_str())
                .bind(key.object.as_str())
                .bind(key.id.as_str())
                .execute(c)
                .await
                .map(|_| ())
        })?;
    }
    journal::erase(tx, key).await.map(|_| ())
}

/// The records that were merged into this one, which were the same person. Walks the standings: an
/// erasure is rare, and an index for it alone would cost every save.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn merged_into(tx: &mut Tx, key: &RecordKey) -> Result<Vec<RecordKey>> {
    const SQL: &str = "SELECT object, id FROM standing WHERE connection = $1 AND object = $2 AND state LIKE $3";
    let rows: Vec<(String, String)> = on_tx!(tx, |c| {
        sqlx::query_as(SQL)
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(format!("%\"merged_into\":\"{}\"%", key.id))
            .fetch_all(c)
            .await
    })?;
    let key = |(kind, id): (String, String)| {
        Ok(RecordKey { connection: key.connection.clone(), object: object(&kind)?, id: RecordId::new(id) })
    };
    rows.into_iter().map(key).collect()
}

type Row = (String, String, Option<String>, String, i64, i64, Option<String>, String);

/// The rows of the inbox whose bodies hold this text, whatever became of them, with their states.
/// Walks them all.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn inbox_with(tx: &mut Tx, connection: &ConnectionName, text: &str) -> Result<Vec<(InboxRow, String)>> {
    const SQL: &str = "SELECT id, kind, delivery_id, body, received_at, attempts, error, state FROM inbox \
         WHERE connection = $1 AND body LIKE $2 ORDER BY id";
    let like = format!("%{text}%");
    let rows: Vec<Row> = on_tx!(tx, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(&like).fetch_all(c).await)?;
    let read = |(id, kind, delivery, body, received, attempts, error, state): Row| {
        Ok((from_row((id, kind, delivery, body, received, attempts, error))?, state))
    };
    rows.into_iter().map(read).collect()
}

/// Empties a row of the inbox: it is done with, and a repeated delivery is still known as one.
///
/// # Errors
/// `Unavailable`.
pub async fn empty_inbox(tx: &mut Tx, connection: &ConnectionName, id: &str) -> Result<()> {
    const SQL: &str = "UPDATE inbox SET body = '', state = 'applied', error = NULL WHERE connection = $1 AND id = $2";
    on_tx!(tx, |c| sqlx::query(SQL).bind(connection.as_str()).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// A letter with its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub key: String,
    pub body: String,
    /// Sent, or given up.
    pub ended: bool,
}

/// The letters whose texts hold this.
///
/// # Errors
/// `Unavailable`.
pub async fn letters_with(tx: &mut Tx, connection: &ConnectionName, text: &str) -> Result<Vec<Letter>> {
    const SQL: &str = "SELECT key, body, state FROM letter WHERE connection = $1 AND body LIKE $2";
    let like = format!("%{text}%");
    let rows: Vec<(String, String, String)> =
        on_tx!(tx, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(&like).fetch_all(c).await)?;
    let letter = |(key, body, state): (String, String, String)| {
        let ended = !matches!(state.as_str(), "due" | "sending" | "again");
        Letter { key, body, ended }
    };
    Ok(rows.into_iter().map(letter).collect())
}

/// Puts another text in a letter's place; one that ended needs none and goes.
///
/// # Errors
/// `Unavailable`.
pub async fn replace_letter(tx: &mut Tx, connection: &ConnectionName, key: &str, body: Option<&str>) -> Result<()> {
    const KEEP: &str = "UPDATE letter SET body = $3 WHERE connection = $1 AND key = $2";
    const GO: &str = "DELETE FROM letter WHERE connection = $1 AND key = $2";
    match body {
        Some(body) => on_tx!(tx, |c| {
            sqlx::query(KEEP).bind(connection.as_str()).bind(key).bind(body).execute(c).await.map(|_| ())
        })?,
        None => {
            on_tx!(tx, |c| sqlx::query(GO).bind(connection.as_str()).bind(key).execute(c).await.map(|_| ()))?;
        }
    }
    Ok(())
}

/// Forgets somebody of that address who owns records no more. Who still does is told anew by the CRM.
///
/// # Errors
/// `Unavailable`.
pub async fn forget_person(tx: &mut Tx, connection: &ConnectionName, email: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM person WHERE connection = $1 AND LOWER(email) = $2 AND active = $3";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(email.trim().to_lowercase())
            .bind(false)
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}
