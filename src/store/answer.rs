//! Tickets: what stands behind the value of a button in Slack and the link in an e-mail. Of the word
//! itself only the hash is here. What a ticket is good for is not decided here.

use super::secret::Secret;
use super::{Db, Result, StoreError, Tx, clean};
use crate::record::{ConnectionName, OwnerId, Timestamp};
use sqlx::AssertSqlSafe;

/// What a ticket opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A message's buttons: whoever clicks is told by Slack, and what may be answered looked at then.
    Button,
    /// One answer of one person, once.
    Link,
    /// The page on which a person says how they want to be told.
    Preferences,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Button => "button",
            Purpose::Link => "link",
            Purpose::Preferences => "preferences",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        match text {
            "button" => Ok(Purpose::Button),
            "link" => Ok(Purpose::Link),
            "preferences" => Ok(Purpose::Preferences),
            _ => Err(StoreError::Corrupt(format!("`{text}` is no purpose of a ticket"))),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub purpose: Purpose,
    /// JSON: to what it is an answer.
    pub about: String,
    /// Whose it is, where the CRM knows them.
    pub person: Option<OwnerId>,
    /// To which address it went; empty for buttons.
    pub email: String,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// Stores tickets under the hashes of their words.
///
/// # Errors
/// `Unavailable`.
pub async fn add(tx: &mut Tx, connection: &ConnectionName, tickets: &[(Secret, Ticket)]) -> Result<()> {
    const COLUMNS: usize = 7;
    for slice in super::batch::slices(tickets, COLUMNS) {
        let sql = format!(
            "INSERT INTO answer (connection, token, purpose, about, person, email, expires_at) VALUES {}",
            super::batch::values(0, slice.len(), COLUMNS)
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (word, ticket) in slice {
                query = query
                    .bind(connection.as_str())
                    .bind(word.hash())
                    .bind(ticket.purpose.as_str())
                    .bind(clean(&ticket.about))
                    .bind(ticket.person.as_ref().map(OwnerId::as_str))
                    .bind(clean(&ticket.email))
                    .bind(ticket.expires_at.as_millis());
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

type Row = (String, String, Option<String>, String, i64, Option<i64>);

/// The ticket of this word, used and expired ones too.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn find(db: &Db, connection: &ConnectionName, word: &Secret) -> Result<Option<Ticket>> {
    const SQL: &str = "SELECT purpose, about, person, email, expires_at, used_at FROM answer \
         WHERE connection = $1 AND token = $2";
    let hash = word.hash();
    let row: Option<Row> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(&hash).fetch_optional(c).await)?;
    row.map(|(purpose, about, person, email, expires_at, used_at)| {
        Ok(Ticket {
            purpose: Purpose::parse(&purpose)?,
            about,
            person: person.map(OwnerId::new),
            email,
            expires_at: Timestamp::from_millis(expires_at),
            used_at: super::moment(used_at),
        })
    })
    .transpose()
}

/// Uses a ticket up. `false`: it was used before; whoever comes second changes nothing.
///
/// # Errors
/// `Unavailable`.
pub async fn take(tx: &mut Tx, connection: &ConnectionName, word: &Secret, now: Timestamp) -> Result<bool> {
    const SQL: &str = "UPDATE answer SET used_at = $3 WHERE connection = $1 AND token = $2 AND used_at IS NULL";
    let hash = word.hash();
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(&hash)
            .bind(now.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

/// Deletes tickets that expired before `t`. Answers how many.
///
/// # Errors
/// `Unavailable`.
pub async fn delete_before(tx: &mut Tx, connection: &ConnectionName, t: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM answer WHERE connection = $1 AND expires_at < $2";
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL).bind(connection.as_str()).bind(t.as_millis()).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(done)
}
