//! Messages that no effect on a record asks for: due, on their way, sent. What they say and whom
//! they reach is text here.

use super::{Db, Result, Tx, clean, count};
use crate::record::{ConnectionName, Timestamp};

/// A message that was not sent yet, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// The same message has the same key, so it is stored once.
    pub key: String,
    /// JSON: where it goes, and where instead.
    pub destinations: String,
    /// JSON: what it says in every form.
    pub body: String,
    pub state: LetterState,
    /// How often sending failed.
    pub attempts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    Due,
    /// On its way for the first time; after a crash nobody knows whether it arrived.
    Sending,
    /// On its way once more after a crash, for the last time.
    Again,
    Sent,
    Failed,
    /// The connection only observes.
    WouldHave,
}

impl LetterState {
    pub fn as_str(self) -> &'static str {
        match self {
            LetterState::Due => "due",
            LetterState::Sending => "sending",
            LetterState::Again => "again",
            LetterState::Sent => "sent",
            LetterState::Failed => "failed",
            LetterState::WouldHave => "would_have",
        }
    }
}

/// Stores a message; one of this key that is there stays as it is. Answers whether it was new.
///
/// # Errors
/// `Unavailable`.
pub async fn add(
    tx: &mut Tx,
    connection: &ConnectionName,
    letter: &LetterRow,
    not_before: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO letter (connection, key, destinations, body, state, attempts, not_before, \
         created_at) VALUES ($1, $2, $3, $4, $5, 0, $6, $7) ON CONFLICT DO NOTHING";
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(clean(&letter.key))
            .bind(clean(&letter.destinations))
            .bind(clean(&letter.body))
            .bind(letter.state.as_str())
            .bind(not_before.as_millis())
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

/// What is due by now, or was on its way when somebody stopped; the oldest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn due(db: &Db, connection: &ConnectionName, now: Timestamp, limit: u32) -> Result<Vec<LetterRow>> {
    const SQL: &str = "SELECT key, destinations, body, state, attempts FROM letter WHERE connection = $1 \
         AND not_before <= $2 AND state IN ('due', 'sending', 'again') ORDER BY not_before, key LIMIT $3";
    let rows: Vec<(String, String, String, String, i64)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(now.as_millis()).bind(i64::from(limit)).fetch_all(c).await
    })?;
    let read = |(key, destinations, body, state, attempts): (String, String, String, String, i64)| {
        let state = match state.as_str() {
            "sending" => LetterState::Sending,
            "again" => LetterState::Again,
            _ => LetterState::Due,
        };
        Ok(LetterRow { key, destinations, body, state, attempts: count(attempts)? })
    };
    rows.into_iter().map(read).collect()
}

/// What becomes of a letter.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    pub state: LetterState,
    pub attempts: u32,
    pub not_before: Timestamp,
    /// What names it where it went, or why it did not.
    pub note: Option<&'a str>,
}

/// Moves a letter on from the state that it was seen in. `false`: somebody else did.
///
/// # Errors
/// `Unavailable`.
pub async fn settle(
    tx: &mut Tx,
    connection: &ConnectionName,
    key: &str,
    was: LetterState,
    outcome: &Outcome<'_>,
) -> Result<bool> {
    const SQL: &str = "UPDATE letter SET state = $4, attempts = $5, not_before = $6, note = $7 \
         WHERE connection = $1 AND key = $2 AND state = $3";
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(key)
            .bind(was.as_str())
            .bind(outcome.state.as_str())
            .bind(i64::from(outcome.attempts))
            .bind(outcome.not_before.as_millis())
            .bind(outcome.note.map(clean))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

/// Deletes what ended and is older than this. Answers how many.
///
/// # Errors
/// `Unavailable`.
pub async fn delete_before(tx: &mut Tx, connection: &ConnectionName, before: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM letter WHERE connection = $1 AND created_at < $2 \
         AND state IN ('sent', 'failed', 'would_have')";
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(before.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done)
}
