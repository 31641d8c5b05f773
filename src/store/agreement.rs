//! Versions of the agreement as text, and which of them is active. Reading them is not done here,
//! and neither is deciding which becomes active.

use super::{Db, Result, Tx, from_json, moment, to_json};
use crate::record::{ConnectionName, PartyName, Timestamp};
use std::collections::BTreeMap;

/// What is known of a version without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Of its meaning; names the version in the journal and is what people sign.
    pub hash: String,
    pub title: String,
    pub version: String,
    /// Parties that sign it. `None`: offered by a leadpact that did not note them.
    pub signers: Option<Vec<PartyName>>,
    /// The first moment of the day from which it is in effect.
    pub effective_at: Timestamp,
    pub offered_at: Timestamp,
    pub activated_at: Option<Timestamp>,
    /// Another became active in its place: it does not come back.
    pub superseded_at: Option<Timestamp>,
}

/// A version with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementRow {
    pub version: Version,
    /// The file as it was.
    pub text: String,
    /// The files that it names, by the name that it uses.
    pub files: BTreeMap<String, String>,
}

/// The column's text: empty for the agreement that all connections share.
pub(super) fn scope(connection: Option<&ConnectionName>) -> &str {
    connection.map_or("", ConnectionName::as_str)
}

/// Offers a version, for one connection or (`None`) for all that name none; one that is known stays
/// as it is, active or not. When it was activated or superseded is not looked at. Answers whether it
/// was new.
///
/// # Errors
/// `Unavailable`.
pub async fn offer(tx: &mut Tx, connection: Option<&ConnectionName>, row: &AgreementRow) -> Result<bool> {
    const SQL: &str = "INSERT INTO agreement (connection, hash, title, version, body, offered_at, files, signers, effective_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let Version { hash, title, version, signers, effective_at, offered_at, .. } = &row.version;
    let (files, signers) = (to_json(&row.files)?, signers.as_ref().map(to_json).transpose()?);
    let added = on_tx!(&mut *tx, |c| {
        sqlx::query(SQL)
            .bind(scope(connection))
            .bind(hash)
            .bind(title)
            .bind(version)
            .bind(&row.text)
            .bind(offered_at.as_millis())
            .bind(&files)
            .bind(&signers)
            .bind(effective_at.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    if added == 0 {
        complete(tx, connection, row, &files, signers.as_deref()).await?;
    }
    Ok(added == 1)
}

/// Adds what an older leadpact did not note when the version was offered.
async fn complete(
    tx: &mut Tx,
    connection: Option<&ConnectionName>,
    row: &AgreementRow,
    files: &str,
    signers: Option<&str>,
) -> Result<()> {
    const SQL: &str = "UPDATE agreement SET files = $3, signers = $4, effective_at = $5 \
         WHERE connection = $1 AND hash = $2 AND signers IS NULL";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(scope(connection))
            .bind(&row.version.hash)
            .bind(files)
            .bind(signers)
            .bind(row.version.effective_at.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Keeps others from offering, activating and informing in this scope until the transaction ends.
/// The order in which rows are locked is the table's: two that cross are told to try again.
///
/// # Errors
/// `Unavailable`.
pub async fn lock(tx: &mut Tx, connection: Option<&ConnectionName>) -> Result<()> {
    const SQL: &str = "UPDATE agreement SET offered_at = offered_at WHERE connection = $1";
    on_tx!(tx, |c| sqlx::query(SQL).bind(scope(connection)).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Makes an offered version the active one from `now` on, in place of the one that was; answers
/// whether it was known. One that is active already stays active since when it was.
///
/// # Errors
/// `Unavailable`.
pub async fn activate(tx: &mut Tx, connection: Option<&ConnectionName>, hash: &str, now: Timestamp) -> Result<bool> {
    const OTHERS: &str = "UPDATE agreement SET superseded_at = $3 WHERE connection = $1 AND hash <> $2 \
         AND activated_at IS NOT NULL AND superseded_at IS NULL";
    const THIS: &str = "UPDATE agreement SET activated_at = COALESCE(activated_at, $3), superseded_at = NULL \
         WHERE connection = $1 AND hash = $2";
    let known = set(tx, THIS, connection, hash, now).await?;
    if known {
        set(tx, OTHERS, connection, hash, now).await?;
    }
    Ok(known)
}

async fn set(
    tx: &mut Tx,
    sql: &'static str,
    connection: Option<&ConnectionName>,
    hash: &str,
    now: Timestamp,
) -> Result<bool> {
    let done = on_tx!(tx, |c| {
        sqlx::query(sql)
            .bind(scope(connection))
            .bind(hash)
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done > 0)
}

/// A version as the table has it.
#[derive(sqlx::FromRow)]
struct Row {
    hash: String,
    title: String,
    version: String,
    signers: Option<String>,
    effective_at: Option<i64>,
    offered_at: i64,
    activated_at: Option<i64>,
    superseded_at: Option<i64>,
}

impl Row {
    fn into_version(self) -> Result<Version> {
        Ok(Version {
            hash: self.hash,
            title: self.title,
            version: self.version,
            signers: self.signers.as_deref().map(from_json).transpose()?,
            effective_at: moment(self.effective_at).unwrap_or(Timestamp::MIN),
            offered_at: Timestamp::from_millis(self.offered_at),
            activated_at: moment(self.activated_at),
            superseded_at: moment(self.superseded_at),
        })
    }
}

/// The active version of exactly this scope, with its text.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn active(db: &Db, connection: Option<&ConnectionName>) -> Result<Option<AgreementRow>> {
    let current = versions(db, connection).await?.into_iter().filter(|v| v.superseded_at.is_none());
    match current.filter(|v| v.activated_at.is_some()).max_by_key(|v| v.activated_at) {
        Some(version) => load(db, connection, &version.hash).await,
        None => Ok(None),
    }
}

const VERSION: &str = "SELECT hash, title, version, signers, effective_at, offered_at, activated_at, superseded_at \
     FROM agreement WHERE connection = $1 ORDER BY offered_at DESC, hash";

/// All versions of this scope, the newest offer first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn versions(db: &Db, connection: Option<&ConnectionName>) -> Result<Vec<Version>> {
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(VERSION).bind(scope(connection)).fetch_all(c).await)?;
    rows.into_iter().map(Row::into_version).collect()
}

/// The same within a transaction.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn versions_in(tx: &mut Tx, connection: Option<&ConnectionName>) -> Result<Vec<Version>> {
    let rows: Vec<Row> = on_tx!(tx, |c| sqlx::query_as(VERSION).bind(scope(connection)).fetch_all(c).await)?;
    rows.into_iter().map(Row::into_version).collect()
}

/// One version with its text.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn load(db: &Db, connection: Option<&ConnectionName>, hash: &str) -> Result<Option<AgreementRow>> {
    const SQL: &str = "SELECT body, files FROM agreement WHERE connection = $1 AND hash = $2";
    let texts: Option<(String, Option<String>)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(scope(connection)).bind(hash).fetch_optional(c).await)?;
    let version = versions(db, connection).await?.into_iter().find(|v| v.hash == hash);
    let (Some((text, files)), Some(version)) = (texts, version) else { return Ok(None) };
    let files = files.as_deref().map(from_json).transpose()?.unwrap_or_default();
    Ok(Some(AgreementRow { version, text, files }))
}
