//! Who was told of which version of the agreement, and who confirmed it. Who belongs to a team, and
//! what they are told, is not decided here.

use super::{Db, Result, Tx, clean, count, moment};
use crate::record::{ConnectionName, OwnerId, Timestamp};

/// One member of a team and one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub connection: ConnectionName,
    /// The version's hash.
    pub agreement: String,
    pub person: OwnerId,
    pub name: String,
    pub email: String,
    /// When to tell them (again); `None` once told or given up.
    pub next_at: Option<Timestamp>,
    /// How often it was tried in vain.
    pub attempts: u32,
    pub informed_at: Option<Timestamp>,
    pub confirmed_at: Option<Timestamp>,
    /// By what they were told, or why they were not.
    pub how: Option<String>,
}

/// Notes that somebody is to be told from `next_at` on, unless they are noted already, here or (by
/// e-mail address) in another connection. Callers hold [`super::agreement::lock`], so that two
/// connections do not both tell the same person. Answers whether it was new.
///
/// # Errors
/// `Unavailable`.
pub async fn owe(tx: &mut Tx, receipt: &Receipt) -> Result<bool> {
    const SQL: &str = "INSERT INTO receipt (connection, agreement, person, name, email, next_at, attempts) \
         SELECT $1, $2, $3, $4, $5, $6, 0 WHERE NOT EXISTS \
         (SELECT 1 FROM receipt WHERE agreement = $2 AND LOWER(email) = LOWER($5)) ON CONFLICT DO NOTHING";
    let added = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(receipt.connection.as_str())
            .bind(&receipt.agreement)
            .bind(receipt.person.as_str())
            .bind(clean(&receipt.name))
            .bind(clean(&receipt.email))
            .bind(receipt.next_at.map(Timestamp::as_millis))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(added == 1)
}

/// They were told: by what.
///
/// # Errors
/// `Unavailable`.
pub async fn informed(tx: &mut Tx, receipt: &Receipt, how: &str, at: Timestamp) -> Result<()> {
    const SQL: &str = "UPDATE receipt SET informed_at = $4, how = $5, next_at = NULL \
         WHERE connection = $1 AND agreement = $2 AND person = $3";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(receipt.connection.as_str())
            .bind(&receipt.agreement)
            .bind(receipt.person.as_str())
            .bind(at.as_millis())
            .bind(clean(how))
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// They were not told, and why; `again` is when to try once more, `None` gives it up.
///
/// # Errors
/// `Unavailable`.
pub async fn failed(tx: &mut Tx, receipt: &Receipt, why: &str, again: Option<Timestamp>) -> Result<()> {
    const SQL: &str = "UPDATE receipt SET attempts = attempts + 1, how = $4, next_at = $5 \
         WHERE connection = $1 AND agreement = $2 AND person = $3";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(receipt.connection.as_str())
            .bind(&receipt.agreement)
            .bind(receipt.person.as_str())
            .bind(clean(why))
            .bind(again.map(Timestamp::as_millis))
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// They confirmed it. Answers whether they had not before.
///
/// # Errors
/// `Unavailable`.
pub async fn confirm(tx: &mut Tx, receipt: &Receipt, at: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE receipt SET confirmed_at = $4 \
         WHERE connection = $1 AND agreement = $2 AND person = $3 AND confirmed_at IS NULL";
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(receipt.connection.as_str())
            .bind(&receipt.agreement)
            .bind(receipt.person.as_str())
            .bind(at.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

#[derive(sqlx::FromRow)]
struct Row {
    connection: String,
    agreement: String,
    person: String,
    name: String,
    email: String,
    next_at: Option<i64>,
    attempts: i64,
    informed_at: Option<i64>,
    confirmed_at: Option<i64>,
    how: Option<String>,
}

impl Row {
    fn into_receipt(self) -> Result<Receipt> {
        Ok(Receipt {
            connection: ConnectionName::new(self.connection),
            agreement: self.agreement,
            person: OwnerId::new(self.person),
            name: self.name,
            email: self.email,
            next_at: moment(self.next_at),
            attempts: count(self.attempts)?,
            informed_at: moment(self.informed_at),
            confirmed_at: moment(self.confirmed_at),
            how: self.how,
        })
    }
}

/// Everybody who was or is to be told of a version in a connection, by name.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn of(db: &Db, connection: &ConnectionName, agreement: &str) -> Result<Vec<Receipt>> {
    const SQL: &str = "SELECT connection, agreement, person, name, email, next_at, attempts, informed_at, \
         confirmed_at, how FROM receipt WHERE connection = $1 AND agreement = $2 ORDER BY name, person";
    let rows: Vec<Row> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(agreement).fetch_all(c).await)?;
    rows.into_iter().map(Row::into_receipt).collect()
}
