//! Who is away and takes no records. Whose turn it is instead is not decided here.

use super::{Db, Result, Tx, clean};
use crate::record::{ConnectionName, OwnerId, Timestamp};

/// An owner who is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsenceRow {
    pub owner: OwnerId,
    /// Back from this moment on.
    pub until: Timestamp,
    pub by: String,
    pub at: Timestamp,
}

/// Takes an owner out of the rotation until then, in place of what was said before.
///
/// # Errors
/// `Unavailable`.
pub async fn set(tx: &mut Tx, connection: &ConnectionName, row: &AbsenceRow) -> Result<()> {
    const SQL: &str = "INSERT INTO absence (connection, owner, until, set_by, at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (connection, owner) DO UPDATE SET until = excluded.until, set_by = excluded.set_by, \
         at = excluded.at";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(row.owner.as_str())
            .bind(row.until.as_millis())
            .bind(clean(&row.by))
            .bind(row.at.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// The owner is back. Answers whether anything was known of an absence.
///
/// # Errors
/// `Unavailable`.
pub async fn remove(tx: &mut Tx, connection: &ConnectionName, owner: &OwnerId) -> Result<bool> {
    const SQL: &str = "DELETE FROM absence WHERE connection = $1 AND owner = $2";
    let gone = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(owner.as_str())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(gone > 0)
}

/// Who is away at `now`, by owner id.
///
/// # Errors
/// `Unavailable`.
pub async fn at(db: &Db, connection: &ConnectionName, now: Timestamp) -> Result<Vec<AbsenceRow>> {
    const SQL: &str = "SELECT owner, until, set_by, at FROM absence \
         WHERE connection = $1 AND until > $2 ORDER BY owner";
    let rows: Vec<(String, i64, String, i64)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(now.as_millis()).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(owner, until, by, at)| AbsenceRow {
            owner: OwnerId::new(owner),
            until: Timestamp::from_millis(until),
            by,
            at: Timestamp::from_millis(at),
        })
        .collect())
}
