//! Signatures under versions of the agreement. Whether they suffice is not decided here.

use super::agreement::scope;
use super::{Db, Result, Tx, clean};
use crate::record::{ConnectionName, PartyName, Timestamp};

/// One party's signature under one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The hash of what was signed.
    pub agreement: String,
    pub party: PartyName,
    pub name: String,
    pub title: String,
    /// Whom the agreement names, where another signed for them.
    pub on_behalf_of: Option<String>,
    /// Who entered it: the operating system's user, or the login of their account.
    pub entered_by: String,
    pub signed_at: Timestamp,
}

/// Adds a signature. A party signs a version once: the first stays. Answers whether it was new.
///
/// # Errors
/// `Unavailable`.
pub async fn add(tx: &mut Tx, signature: &Signature) -> Result<bool> {
    const SQL: &str = "INSERT INTO signature (agreement, party, name, title, on_behalf_of, entered_by, signed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let added = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(&signature.agreement)
            .bind(signature.party.as_str())
            .bind(clean(&signature.name))
            .bind(clean(&signature.title))
            .bind(signature.on_behalf_of.as_deref().map(clean))
            .bind(clean(&signature.entered_by))
            .bind(signature.signed_at.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(added == 1)
}

type Row = (String, String, String, String, Option<String>, String, i64);

/// The signatures under a version, in the order in which they were given.
///
/// # Errors
/// `Unavailable`.
pub async fn of(db: &Db, agreement: &str) -> Result<Vec<Signature>> {
    const SQL: &str = "SELECT agreement, party, name, title, on_behalf_of, entered_by, signed_at FROM signature \
         WHERE agreement = $1 ORDER BY signed_at, party";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(agreement).fetch_all(c).await)?;
    Ok(rows.into_iter().map(from_row).collect())
}

const OFFERED: &str = "SELECT s.agreement, s.party, s.name, s.title, s.on_behalf_of, s.entered_by, s.signed_at \
     FROM signature s JOIN agreement a ON a.hash = s.agreement WHERE a.connection = $1 ORDER BY s.signed_at, s.party";

/// The signatures under all versions that were offered to a connection, or (`None`) to all that name
/// none.
///
/// # Errors
/// `Unavailable`.
pub async fn of_offered(db: &Db, connection: Option<&ConnectionName>) -> Result<Vec<Signature>> {
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(OFFERED).bind(scope(connection)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// The same within a transaction.
///
/// # Errors
/// `Unavailable`.
pub async fn of_offered_in(tx: &mut Tx, connection: Option<&ConnectionName>) -> Result<Vec<Signature>> {
    let rows: Vec<Row> = on_tx!(tx, |c| sqlx::query_as(OFFERED).bind(scope(connection)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(from_row).collect())
}

fn from_row((agreement, party, name, title, on_behalf_of, entered_by, signed_at): Row) -> Signature {
    let (party, signed_at) = (PartyName::new(party), Timestamp::from_millis(signed_at));
    Signature { agreement, party, name, title, on_behalf_of, entered_by, signed_at }
}
