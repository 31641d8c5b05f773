//! Signatures under versions of the agreement. Whether they suffice is not decided here.

use super::{Db, Result, Tx, clean};
use crate::record::{PartyName, Timestamp};

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
    /// The operating system's user who entered it.
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

type Row = (String, String, String, Option<String>, String, i64);

const OF: &str = "SELECT party, name, title, on_behalf_of, entered_by, signed_at FROM signature \
     WHERE agreement = $1 ORDER BY signed_at, party";

/// The signatures under a version, in the order in which they were given.
///
/// # Errors
/// `Unavailable`.
pub async fn of(db: &Db, agreement: &str) -> Result<Vec<Signature>> {
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(OF).bind(agreement).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| from_row(agreement, row)).collect())
}

/// The same within a transaction.
///
/// # Errors
/// `Unavailable`.
pub async fn of_in(tx: &mut Tx, agreement: &str) -> Result<Vec<Signature>> {
    let rows: Vec<Row> = on_tx!(tx, |c| sqlx::query_as(OF).bind(agreement).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| from_row(agreement, row)).collect())
}

fn from_row(agreement: &str, (party, name, title, on_behalf_of, entered_by, signed_at): Row) -> Signature {
    let signed_at = Timestamp::from_millis(signed_at);
    let party = PartyName::new(party);
    Signature { agreement: agreement.to_owned(), party, name, title, on_behalf_of, entered_by, signed_at }
}
