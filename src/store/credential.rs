//! What CRMs granted when somebody signed in with a browser: one row a connection, its tokens sealed.
//! Who may renew one is claimed here, once for all replicas. What is sealed is not known here.

use super::seal::Sealed;
use super::{Db, Result, Tx, clean, moment};
use crate::record::{ConnectionName, Timestamp};

/// A grant as its row has it. All moments are in real time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRow {
    pub connection: ConnectionName,
    /// Grows with every renewal and every sign-in; what is sealed is bound to it.
    pub version: i64,
    pub sealed: Sealed,
    /// Whose tokens they are, for showing: what counts is sealed too.
    pub account: Option<String>,
    pub granted_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub signed_in_by: String,
    pub signed_in_at: Timestamp,
}

/// What a renewal changes.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// Bound to the version after the one that was claimed.
    pub sealed: Sealed,
    pub account: Option<String>,
    pub granted_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// One caller's claim to renew a version.
#[derive(Clone, Copy, Debug)]
pub struct ClaimOf<'a> {
    pub connection: &'a ConnectionName,
    pub version: i64,
    /// Who claims, made anew each time.
    pub token: &'a str,
}

type Columns = (String, i64, String, String, Option<String>, i64, Option<i64>, String, i64);

fn row(columns: Columns) -> CredentialRow {
    let (connection, version, key_id, text, account, granted, expires, by, at) = columns;
    CredentialRow {
        connection: ConnectionName::new(connection),
        version,
        sealed: Sealed { key_id, text },
        account,
        granted_at: Timestamp::from_millis(granted),
        expires_at: moment(expires),
        signed_in_by: by,
        signed_in_at: Timestamp::from_millis(at),
    }
}

/// # Errors
/// `Unavailable`.
pub async fn load(db: &Db, connection: &ConnectionName) -> Result<Option<CredentialRow>> {
    const SQL: &str = "SELECT connection, version, key_id, sealed, account, granted_at, expires_at, \
         signed_in_by, signed_in_at FROM credential WHERE connection = $1";
    let found: Option<Columns> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_optional(c).await)?;
    Ok(found.map(row))
}

/// All of them, by connection.
///
/// # Errors
/// `Unavailable`.
pub async fn load_all(db: &Db) -> Result<Vec<CredentialRow>> {
    const SQL: &str = "SELECT connection, version, key_id, sealed, account, granted_at, expires_at, \
         signed_in_by, signed_in_at FROM credential ORDER BY connection";
    let found: Vec<Columns> = on_db!(db, |c| sqlx::query_as(SQL).fetch_all(c).await)?;
    Ok(found.into_iter().map(row).collect())
}

/// The version that stands, locked until the transaction ends.
///
/// # Errors
/// `Unavailable`.
pub async fn lock(tx: &mut Tx, connection: &ConnectionName) -> Result<Option<i64>> {
    const SQL: &str = "UPDATE credential SET version = version WHERE connection = $1 RETURNING version";
    let found: Option<(i64,)> = on_tx!(tx, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_optional(c).await)?;
    Ok(found.map(|(version,)| version))
}

/// Stores what a sign-in brought, in the place of what was there; a claim on that is void. `false`
/// when a later version stands there already.
///
/// # Errors
/// `Unavailable`.
pub async fn put(tx: &mut Tx, row: &CredentialRow) -> Result<bool> {
    const SQL: &str = "INSERT INTO credential (connection, version, key_id, sealed, account, granted_at, \
         expires_at, signed_in_by, signed_in_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (connection) DO UPDATE SET version = excluded.version, key_id = excluded.key_id, \
         sealed = excluded.sealed, account = excluded.account, granted_at = excluded.granted_at, \
         expires_at = excluded.expires_at, signed_in_by = excluded.signed_in_by, \
         signed_in_at = excluded.signed_in_at, claimed_by = NULL, claimed_until = NULL \
         WHERE credential.version < excluded.version";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(row.connection.as_str())
            .bind(row.version)
            .bind(&row.sealed.key_id)
            .bind(&row.sealed.text)
            .bind(row.account.as_deref().map(clean))
            .bind(row.granted_at.as_millis())
            .bind(row.expires_at.map(Timestamp::as_millis))
            .bind(clean(&row.signed_in_by))
            .bind(row.signed_in_at.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Claims the renewal until then; `false` when it is another version by now, or somebody else's
/// claim has not ended at `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn claim(tx: &mut Tx, claim: ClaimOf<'_>, now: Timestamp, until: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE credential SET claimed_by = $3, claimed_until = $4 WHERE connection = $1 AND \
         version = $2 AND (claimed_by IS NULL OR claimed_until <= $5)";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(claim.connection.as_str())
            .bind(claim.version)
            .bind(claim.token)
            .bind(until.as_millis())
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Stores a renewal as the next version and ends every claim. `false` when the version that was
/// claimed does not stand any more. That the claim has ended, or is somebody else's by now who has not
/// renewed, does not matter: the old refresh token may be used up, so what came for it must not be lost.
///
/// # Errors
/// `Unavailable`.
pub async fn keep(tx: &mut Tx, claim: ClaimOf<'_>, renewed: &Renewed) -> Result<bool> {
    const SQL: &str = "UPDATE credential SET version = version + 1, key_id = $3, sealed = $4, account = $5, \
         granted_at = $6, expires_at = $7, claimed_by = NULL, claimed_until = NULL \
         WHERE connection = $1 AND version = $2";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(claim.connection.as_str())
            .bind(claim.version)
            .bind(&renewed.sealed.key_id)
            .bind(&renewed.sealed.text)
            .bind(renewed.account.as_deref().map(clean))
            .bind(renewed.granted_at.as_millis())
            .bind(renewed.expires_at.map(Timestamp::as_millis))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Ends one's own claim.
///
/// # Errors
/// `Unavailable`.
pub async fn release(tx: &mut Tx, claim: ClaimOf<'_>) -> Result<()> {
    const SQL: &str = "UPDATE credential SET claimed_by = NULL, claimed_until = NULL \
         WHERE connection = $1 AND version = $2 AND claimed_by = $3";
    on_tx!(tx, |c| {
        let query = sqlx::query(SQL).bind(claim.connection.as_str()).bind(claim.version).bind(claim.token);
        query.execute(c).await.map(|_| ())
    })?;
    Ok(())
}

/// Puts the same secret, sealed anew, in the place of what `row` holds; `false` when that changed
/// meanwhile.
///
/// # Errors
/// `Unavailable`.
pub async fn reseal(tx: &mut Tx, row: &CredentialRow, sealed: &Sealed) -> Result<bool> {
    const SQL: &str = "UPDATE credential SET key_id = $4, sealed = $5 WHERE connection = $1 AND version = $2 AND \
         sealed = $3";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(row.connection.as_str())
            .bind(row.version)
            .bind(&row.sealed.text)
            .bind(&sealed.key_id)
            .bind(&sealed.text)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Deletes a connection's row; whether there was one.
///
/// # Errors
/// `Unavailable`.
pub async fn remove(tx: &mut Tx, connection: &ConnectionName) -> Result<bool> {
    const SQL: &str = "DELETE FROM credential WHERE connection = $1";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL).bind(connection.as_str()).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}
