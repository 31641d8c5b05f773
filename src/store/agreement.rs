//! Versions of the agreement as text, and which of them is active. Reading them is not done here.

use super::{Db, Result, Tx, moment};
use crate::record::{ConnectionName, Timestamp};

/// One version, offered by a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementRow {
    /// Of its text; names the version in the journal.
    pub hash: String,
    pub title: String,
    pub version: String,
    /// The file as it was.
    pub text: String,
    pub offered_at: Timestamp,
    pub activated_at: Option<Timestamp>,
}

/// The column's text: empty for the agreement that all connections share.
fn scope(connection: Option<&ConnectionName>) -> &str {
    connection.map_or("", ConnectionName::as_str)
}

/// Offers a version, for one connection or (`None`) for all that name none; one that is known stays
/// as it is, active or not. `activated_at` of the row is not looked at. Answers whether it was new.
///
/// # Errors
/// `Unavailable`.
pub async fn offer(tx: &mut Tx, connection: Option<&ConnectionName>, row: &AgreementRow) -> Result<bool> {
    const SQL: &str = "INSERT INTO agreement (connection, hash, title, version, body, offered_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let added = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(scope(connection))
            .bind(&row.hash)
            .bind(&row.title)
            .bind(&row.version)
            .bind(&row.text)
            .bind(row.offered_at.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(added == 1)
}

/// Makes an offered version the active one from `now` on; answers whether it was known.
///
/// # Errors
/// `Unavailable`.
pub async fn activate(tx: &mut Tx, connection: Option<&ConnectionName>, hash: &str, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE agreement SET activated_at = $3 WHERE connection = $1 AND hash = $2";
    let known = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(scope(connection))
            .bind(hash)
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(known == 1)
}

type Row = (String, String, String, String, i64, Option<i64>);

fn from_row((hash, title, version, text, offered_at, activated_at): Row) -> AgreementRow {
    let offered_at = Timestamp::from_millis(offered_at);
    AgreementRow { hash, title, version, text, offered_at, activated_at: moment(activated_at) }
}

/// The version activated last, of exactly this scope.
///
/// # Errors
/// `Unavailable`.
pub async fn active(db: &Db, connection: Option<&ConnectionName>) -> Result<Option<AgreementRow>> {
    const SQL: &str = "SELECT hash, title, version, body, offered_at, activated_at FROM agreement \
         WHERE connection = $1 AND activated_at IS NOT NULL ORDER BY activated_at DESC, hash LIMIT 1";
    let row: Option<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(scope(connection)).fetch_optional(c).await)?;
    Ok(row.map(from_row))
}

/// All versions of this scope, the newest offer first.
///
/// # Errors
/// `Unavailable`.
pub async fn versions(db: &Db, connection: Option<&ConnectionName>) -> Result<Vec<AgreementRow>> {
    const SQL: &str = "SELECT hash, title, version, body, offered_at, activated_at FROM agreement \
         WHERE connection = $1 ORDER BY offered_at DESC, hash";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(scope(connection)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(from_row).collect())
}
