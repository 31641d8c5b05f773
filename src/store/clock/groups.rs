//! How many runs are open of each clock and of each owner. These walk what they count: ask seldom.

use super::ClockState;
use crate::record::{ConnectionName, OwnerId};
use crate::store::{Db, Result, count};

/// The runs of one clock in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub connection: ConnectionName,
    pub clock: String,
    pub state: ClockState,
    pub runs: u64,
}

/// The runs of one owner; of a connection those with the most come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerGroup {
    pub connection: ConnectionName,
    pub owner: OwnerId,
    pub runs: u64,
}

/// How many runs each clock has in each state.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn groups(db: &Db) -> Result<Vec<Group>> {
    const SQL: &str = "SELECT connection, source, state, COUNT(*) FROM clock \
         GROUP BY connection, source, state ORDER BY connection, source, state";
    let rows: Vec<(String, String, String, i64)> = on_db!(db, |c| sqlx::query_as(SQL).fetch_all(c).await)?;
    let read = |(connection, clock, state, n): (String, String, String, i64)| {
        let (connection, state) = (ConnectionName::new(connection), ClockState::parse(&state)?);
        Ok(Group { connection, clock, state, runs: count(n)? })
    };
    rows.into_iter().map(read).collect()
}

/// The owners with open runs, those with the most first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn owners(db: &Db, limit: u32) -> Result<Vec<OwnerGroup>> {
    const SQL: &str = "SELECT connection, owner, COUNT(*) FROM clock WHERE owner IS NOT NULL \
         GROUP BY connection, owner ORDER BY COUNT(*) DESC, connection, owner LIMIT $1";
    let rows: Vec<(String, String, i64)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(c).await)?;
    let read = |(connection, owner, n): (String, String, i64)| {
        Ok(OwnerGroup { connection: ConnectionName::new(connection), owner: OwnerId::new(owner), runs: count(n)? })
    };
    rows.into_iter().map(read).collect()
}
