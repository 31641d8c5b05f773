//! Whose turn it is when a party's members take records one after the other.

use super::{Result, StoreError, Tx};
use crate::record::{ConnectionName, PartyName};

/// The place in the roster that is next, from 0; it counts on with every call. `None` for an empty
/// roster.
///
/// # Errors
/// `Unavailable`.
pub async fn next(
    tx: &mut Tx,
    connection: &ConnectionName,
    party: &PartyName,
    roster_len: usize,
) -> Result<Option<usize>> {
    const SQL: &str = "INSERT INTO rotation (connection, party, turn) VALUES ($1, $2, 0) \
         ON CONFLICT (connection, party) DO UPDATE SET turn = (rotation.turn + 1) % $3 RETURNING turn";
    let Ok(len) = i64::try_from(roster_len) else { return Ok(None) };
    if len == 0 {
        return Ok(None);
    }
    let (turn,): (i64,) = on_tx!(tx, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(party.as_str()).bind(len).fetch_one(c).await
    })?;
    usize::try_from(turn).map(Some).map_err(|_| StoreError::Corrupt(format!("{turn} is no place in a roster")))
}
