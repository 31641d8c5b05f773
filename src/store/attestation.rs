//! What people attested: one answer for each period of a commitment, the last one given. Which
//! periods there are, and what a missing answer means, is not known here.

use super::{Db, Result, Tx, clean};
use crate::record::{ConnectionName, Timestamp};

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestationRow {
    pub commitment: String,
    /// `2027-03`, `2027-W09`, `2027-Q1`.
    pub period: String,
    /// Where that period begins.
    pub period_from: Timestamp,
    /// Whether it was done.
    pub answer: bool,
    /// Who says so.
    pub by: String,
    pub note: Option<String>,
    /// When it was said.
    pub at: Timestamp,
}

/// The column's text: empty for the agreement that all connections share.
fn scope(connection: Option<&ConnectionName>) -> &str {
    connection.map_or("", ConnectionName::as_str)
}

/// Puts the answer in the place of an earlier one for this period. The scope is that of the
/// agreement: a connection's own, or (`None`) the one that all others share.
///
/// # Errors
/// `Unavailable`.
pub async fn save(tx: &mut Tx, connection: Option<&ConnectionName>, row: &AttestationRow) -> Result<()> {
    const SQL: &str = "INSERT INTO attestation (connection, commitment, period, period_from, answer, named, note, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (connection, commitment, period) DO UPDATE SET \
         period_from = excluded.period_from, answer = excluded.answer, named = excluded.named, \
         note = excluded.note, at = excluded.at";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(scope(connection))
            .bind(&row.commitment)
            .bind(&row.period)
            .bind(row.period_from.as_millis())
            .bind(row.answer)
            .bind(clean(&row.by))
            .bind(row.note.as_deref().map(clean))
            .bind(row.at.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

type Row = (String, String, i64, bool, String, Option<String>, i64);

fn from_row((commitment, period, period_from, answer, by, note, at): Row) -> AttestationRow {
    let (period_from, at) = (Timestamp::from_millis(period_from), Timestamp::from_millis(at));
    AttestationRow { commitment, period, period_from, answer, by, note, at }
}

/// The answer for one period, if there is one.
///
/// # Errors
/// `Unavailable`.
pub async fn get(
    db: &Db,
    connection: Option<&ConnectionName>,
    commitment: &str,
    period: &str,
) -> Result<Option<AttestationRow>> {
    const SQL: &str = "SELECT commitment, period, period_from, answer, named, note, at FROM attestation \
         WHERE connection = $1 AND commitment = $2 AND period = $3";
    let row: Option<Row> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(scope(connection)).bind(commitment).bind(period).fetch_optional(c).await
    })?;
    Ok(row.map(from_row))
}

/// The answers for periods that begin within `from..until`, by commitment and period.
///
/// # Errors
/// `Unavailable`.
pub async fn between(
    db: &Db,
    connection: Option<&ConnectionName>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<AttestationRow>> {
    const SQL: &str = "SELECT commitment, period, period_from, answer, named, note, at FROM attestation \
         WHERE connection = $1 AND period_from >= $2 AND period_from < $3 ORDER BY commitment, period_from";
    let rows: Vec<Row> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(scope(connection)).bind(from.as_millis()).bind(until.as_millis()).fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(from_row).collect())
}
