//! Sign-ins under way: a ticket that a command printed, then the state that the CRM brings back. Both
//! are secrets, so only their digests are here; both work once, since taking one deletes it. What
//! must fit before one counts is decided elsewhere.

use super::seal::Sealed;
use super::{Db, Result, StoreError, Tx, clean};
use crate::record::{ConnectionName, Timestamp};

/// Most tickets, and most states, that a connection may have open; one more ends the oldest.
pub const MOST_OPEN: i64 = 8;

/// Leave to begin a sign-in. All moments are in real time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Of the ticket.
    pub digest: String,
    pub connection: ConnectionName,
    /// Who asked for it.
    pub asked_by: String,
    pub expires_at: Timestamp,
}

/// A sign-in that went on to the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Of the state.
    pub digest: String,
    pub connection: ConnectionName,
    pub asked_by: String,
    pub expires_at: Timestamp,
    /// Of the cookie of the browser that it was begun in.
    pub browser: String,
    /// The PKCE verifier.
    pub verifier: Sealed,
}

const TICKET: &str = "ticket";
const STATE: &str = "state";

/// Adds a ticket, and deletes what has expired.
///
/// # Errors
/// `Unavailable`.
pub async fn add_ticket(tx: &mut Tx, ticket: &Ticket, now: Timestamp) -> Result<()> {
    const SQL: &str =
        "INSERT INTO sign_in (digest, kind, connection, asked_by, expires_at) VALUES ($1, $2, $3, $4, $5)";
    make_room(tx, &ticket.connection, TICKET, now).await?;
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(&ticket.digest)
            .bind(TICKET)
            .bind(ticket.connection.as_str())
            .bind(clean(&ticket.asked_by))
            .bind(ticket.expires_at.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Adds a state, and deletes what has expired.
///
/// # Errors
/// `Unavailable`.
pub async fn add_state(tx: &mut Tx, state: &State, now: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO sign_in (digest, kind, connection, asked_by, expires_at, browser, key_id, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    make_room(tx, &state.connection, STATE, now).await?;
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(&state.digest)
            .bind(STATE)
            .bind(state.connection.as_str())
            .bind(clean(&state.asked_by))
            .bind(state.expires_at.as_millis())
            .bind(&state.browser)
            .bind(&state.verifier.key_id)
            .bind(&state.verifier.text)
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

async fn make_room(tx: &mut Tx, connection: &ConnectionName, kind: &str, now: Timestamp) -> Result<()> {
    const EXPIRED: &str = "DELETE FROM sign_in WHERE expires_at <= $1";
    const TOO_MANY: &str = "DELETE FROM sign_in WHERE connection = $1 AND kind = $2 AND digest NOT IN (SELECT digest \
         FROM sign_in WHERE connection = $1 AND kind = $2 ORDER BY expires_at DESC, digest LIMIT $3)";
    on_tx!(&mut *tx, |c| sqlx::query(EXPIRED).bind(now.as_millis()).execute(c).await.map(|_| ()))?;
    on_tx!(tx, |c| {
        let query = sqlx::query(TOO_MANY).bind(connection.as_str()).bind(kind).bind(MOST_OPEN - 1);
        query.execute(c).await.map(|_| ())
    })?;
    Ok(())
}

type TicketColumns = (String, String, String, i64);

fn ticket(columns: TicketColumns) -> Ticket {
    let (digest, connection, asked_by, expires) = columns;
    let connection = ConnectionName::new(connection);
    Ticket { digest, connection, asked_by, expires_at: Timestamp::from_millis(expires) }
}

/// Looks at a ticket and leaves it as it is.
///
/// # Errors
/// `Unavailable`.
pub async fn look_at_ticket(db: &Db, digest: &str) -> Result<Option<Ticket>> {
    const SQL: &str = "SELECT digest, connection, asked_by, expires_at FROM sign_in WHERE digest = $1 AND kind = $2";
    let found: Option<TicketColumns> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(digest).bind(TICKET).fetch_optional(c).await)?;
    Ok(found.map(ticket))
}

/// Takes a ticket: of several who try, one gets it once this transaction is committed.
///
/// # Errors
/// `Unavailable`.
pub async fn take_ticket(tx: &mut Tx, digest: &str) -> Result<Option<Ticket>> {
    const SQL: &str = "DELETE FROM sign_in WHERE digest = $1 AND kind = $2 \
         RETURNING digest, connection, asked_by, expires_at";
    let found: Option<TicketColumns> =
        on_tx!(tx, |c| sqlx::query_as(SQL).bind(digest).bind(TICKET).fetch_optional(c).await)?;
    Ok(found.map(ticket))
}

/// Takes a state, as [`take_ticket`] does.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn take_state(tx: &mut Tx, digest: &str) -> Result<Option<State>> {
    const SQL: &str = "DELETE FROM sign_in WHERE digest = $1 AND kind = $2 \
         RETURNING digest, connection, asked_by, expires_at, browser, key_id, sealed";
    type Columns = (String, String, String, i64, Option<String>, Option<String>, Option<String>);
    let found: Option<Columns> = on_tx!(tx, |c| sqlx::query_as(SQL).bind(digest).bind(STATE).fetch_optional(c).await)?;
    let Some((digest, connection, asked_by, expires, browser, key_id, sealed)) = found else { return Ok(None) };
    let (Some(browser), Some(key_id), Some(text)) = (browser, key_id, sealed) else {
        return Err(StoreError::Corrupt("a sign-in without its browser or verifier".to_owned()));
    };
    Ok(Some(State {
        digest,
        connection: ConnectionName::new(connection),
        asked_by,
        expires_at: Timestamp::from_millis(expires),
        browser,
        verifier: Sealed { key_id, text },
    }))
}

/// Whether a sign-in of the connection is under way at `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn is_open(db: &Db, connection: &ConnectionName, now: Timestamp) -> Result<bool> {
    const SQL: &str = "SELECT COUNT(*) FROM sign_in WHERE connection = $1 AND expires_at > $2";
    let (n,): (i64,) =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(now.as_millis()).fetch_one(c).await)?;
    Ok(n > 0)
}

/// Ends every sign-in of a connection that is under way.
///
/// # Errors
/// `Unavailable`.
pub async fn remove_all(tx: &mut Tx, connection: &ConnectionName) -> Result<()> {
    const SQL: &str = "DELETE FROM sign_in WHERE connection = $1";
    on_tx!(tx, |c| sqlx::query(SQL).bind(connection.as_str()).execute(c).await.map(|_| ()))?;
    Ok(())
}
