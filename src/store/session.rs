//! Browsers that are signed in. A session ends by being deleted, which holds on all replicas at once.

use super::account::{SignsFor, role, signs_for};
use super::role::Role;
use super::secret::Secret;
use super::{Db, Result, Tx, clean};
use crate::record::{Elapsed, Timestamp};

/// Unused for so long, a session ends.
pub const IDLE: Elapsed = Elapsed::from_secs(12 * 3600);
/// It ends then however much it is used.
pub const LONGEST: Elapsed = Elapsed::from_secs(7 * 86_400);

/// What is shown of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The beginning of the token's hash: by it a person ends one of several.
    pub mark: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub address: String,
    pub browser: String,
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub account: String,
    pub login: String,
    pub name: String,
    pub role: Role,
    pub signs_for: Option<SignsFor>,
    pub seen_at: Timestamp,
}

/// Where a session came from, as it was told.
#[derive(Clone, Copy, Debug, Default)]
pub struct From<'a> {
    pub address: &'a str,
    pub browser: &'a str,
}

/// Begins a session.
///
/// # Errors
/// `Unavailable`.
pub async fn begin(tx: &mut Tx, secret: &Secret, account: &str, from: From<'_>, now: Timestamp) -> Result<()> {
    begin_for(tx, secret, account, from, (now, LONGEST)).await
}

/// Begins one that ends after so long, however much it is used.
///
/// # Errors
/// `Unavailable`.
pub async fn begin_for(
    tx: &mut Tx,
    secret: &Secret,
    account: &str,
    from: From<'_>,
    (now, lasts): (Timestamp, Elapsed),
) -> Result<()> {
    const SQL: &str = "INSERT INTO session (token, account, created_at, seen_at, expires_at, address, browser) \
         VALUES ($1, $2, $3, $3, $4, $5, $6)";
    const SHOWN: usize = 200;
    let browser: String = from.browser.chars().take(SHOWN).collect();
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(secret.hash())
            .bind(account)
            .bind(now.as_millis())
            .bind((now + lasts.min(LONGEST)).as_millis())
            .bind(clean(from.address))
            .bind(clean(&browser))
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

type Found = (String, String, String, String, Option<String>, Option<String>, i64);

/// Who is signed in by this token at `now`; nobody where the session ended or the account is disabled.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn find(db: &Db, secret: &Secret, now: Timestamp) -> Result<Option<SignedIn>> {
    const SQL: &str = "SELECT a.id, a.login, a.name, a.role, a.party, a.title, s.seen_at FROM session s \
         JOIN account a ON a.id = s.account \
         WHERE s.token = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND NOT a.disabled";
    let row: Option<Found> = on_db!(db, |c| {
        sqlx::query_as(SQL)
            .bind(secret.hash())
            .bind(now.as_millis())
            .bind((now - IDLE).as_millis())
            .fetch_optional(c)
            .await
    })?;
    let read = |(account, login, name, said, party, title, seen_at): Found| {
        let (role, signs_for) = (role(&said)?, signs_for(party, title));
        Ok(SignedIn { account, login, name, role, signs_for, seen_at: Timestamp::from_millis(seen_at) })
    };
    row.map(read).transpose()
}

/// Notes that a session was used.
///
/// # Errors
/// `Unavailable`.
pub async fn seen(tx: &mut Tx, secret: &Secret, now: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE session SET seen_at = $2 WHERE token = $1 AND seen_at < $2";
    on_tx!(tx, |c| sqlx::query(SQL).bind(secret.hash()).bind(now.as_millis()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Ends one session.
///
/// # Errors
/// `Unavailable`.
pub async fn end(tx: &mut Tx, secret: &Secret) -> Result<()> {
    const SQL: &str = "DELETE FROM session WHERE token = $1";
    on_tx!(tx, |c| sqlx::query(SQL).bind(secret.hash()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Ends all of an account's; answers how many there were.
///
/// # Errors
/// `Unavailable`.
pub async fn end_all(tx: &mut Tx, account: &str) -> Result<u64> {
    const SQL: &str = "DELETE FROM session WHERE account = $1";
    Ok(on_tx!(tx, |c| sqlx::query(SQL).bind(account).execute(c).await.map(|done| done.rows_affected()))?)
}

/// Ends those of an account's whose mark begins so.
///
/// # Errors
/// `Unavailable`.
pub async fn end_marked(tx: &mut Tx, account: &str, mark: &str) -> Result<u64> {
    const SQL: &str = "DELETE FROM session WHERE account = $1 AND substr(token, 1, $2) = $3";
    let length = i32::try_from(mark.len()).unwrap_or(i32::MAX);
    Ok(on_tx!(tx, |c| {
        sqlx::query(SQL).bind(account).bind(length).bind(mark).execute(c).await.map(|done| done.rows_affected())
    })?)
}

/// The sessions of an account that are open at `now`, the newest first.
///
/// # Errors
/// `Unavailable`.
pub async fn of_account(db: &Db, account: &str, now: Timestamp) -> Result<Vec<SessionRow>> {
    const SQL: &str = "SELECT token, created_at, seen_at, expires_at, address, browser FROM session \
         WHERE account = $1 AND expires_at > $2 AND seen_at > $3 ORDER BY created_at DESC, token";
    const MARK: usize = 12;
    let rows: Vec<(String, i64, i64, i64, String, String)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(account).bind(now.as_millis()).bind((now - IDLE).as_millis()).fetch_all(c).await
    })?;
    let read = |(token, created_at, seen_at, expires_at, address, browser): (String, _, _, _, _, _)| SessionRow {
        mark: token.chars().take(MARK).collect(),
        created_at: Timestamp::from_millis(created_at),
        seen_at: Timestamp::from_millis(seen_at),
        expires_at: Timestamp::from_millis(expires_at),
        address,
        browser,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Lets go of sessions and links whose time is over.
///
/// # Errors
/// `Unavailable`.
pub async fn tidy(tx: &mut Tx, now: Timestamp) -> Result<()> {
    const SESSIONS: &str = "DELETE FROM session WHERE expires_at <= $1 OR seen_at <= $2";
    const LINKS: &str = "DELETE FROM one_time_link WHERE expires_at <= $1";
    let idle = (now - IDLE).as_millis();
    on_tx!(tx, |c| sqlx::query(SESSIONS).bind(now.as_millis()).bind(idle).execute(c).await.map(|_| ()))?;
    on_tx!(tx, |c| sqlx::query(LINKS).bind(now.as_millis()).execute(c).await.map(|_| ()))?;
    Ok(())
}
