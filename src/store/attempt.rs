//! How often somebody tried to sign in and failed, by account and by address. How long they wait for
//! it is not decided here.

use super::{Result, Tx, count};
use crate::record::Timestamp;

/// What is known of a subject; all zero where nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    pub failures: u32,
    pub last_at: i64,
    pub blocked_until: i64,
}

/// What is known of a subject, its row locked until the transaction ends: of many at once each counts.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn lock(tx: &mut Tx, subject: &str) -> Result<Attempts> {
    const SQL: &str = "INSERT INTO sign_in_attempt (subject, failures, last_at, blocked_until) VALUES ($1, 0, 0, 0) \
         ON CONFLICT (subject) DO UPDATE SET failures = sign_in_attempt.failures \
         RETURNING failures, last_at, blocked_until";
    let (failures, last_at, blocked_until): (i64, i64, i64) =
        on_tx!(tx, |c| sqlx::query_as(SQL).bind(subject).fetch_one(c).await)?;
    Ok(Attempts { failures: count(failures)?, last_at, blocked_until })
}

/// Stores what is known now.
///
/// # Errors
/// `Unavailable`.
pub async fn set(tx: &mut Tx, subject: &str, attempts: Attempts) -> Result<()> {
    const SQL: &str = "UPDATE sign_in_attempt SET failures = $2, last_at = $3, blocked_until = $4 WHERE subject = $1";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(subject)
            .bind(i64::from(attempts.failures))
            .bind(attempts.last_at)
            .bind(attempts.blocked_until)
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Forgets subjects that were last heard of before then.
///
/// # Errors
/// `Unavailable`.
pub async fn forget_before(tx: &mut Tx, before: Timestamp) -> Result<()> {
    const SQL: &str = "DELETE FROM sign_in_attempt WHERE last_at < $1";
    on_tx!(tx, |c| sqlx::query(SQL).bind(before.as_millis()).execute(c).await.map(|_| ()))?;
    Ok(())
}
