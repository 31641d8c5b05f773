//! Open runs of clocks, for lists and counts. The standing decides; these rows only show. Lists by what
//! people look for are in `list`, counts of what is in them in `groups`.

mod groups;
mod list;

pub use groups::{Group, OwnerGroup, groups, owners};
pub use list::{Filter, Shown, list};

use super::batch::{slices, values};
use super::{Db, Result, StoreError, Tx, clean, count, object};
use crate::record::{ConnectionName, OwnerId, PartyName, RecordId, RecordKey, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    Open,
    Paused,
    /// Past its deadline and still measured.
    Breached,
}

impl ClockState {
    pub const ALL: [ClockState; 3] = [ClockState::Open, ClockState::Paused, ClockState::Breached];

    pub fn as_str(self) -> &'static str {
        match self {
            ClockState::Open => "open",
            ClockState::Paused => "paused",
            ClockState::Breached => "breached",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "open" => Ok(ClockState::Open),
            "paused" => Ok(ClockState::Paused),
            "breached" => Ok(ClockState::Breached),
            _ => Err(StoreError::Corrupt(format!("`{text}` is no state of a clock"))),
        }
    }
}

/// One open run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockRow {
    pub record: RecordKey,
    /// The clock's name.
    pub source: String,
    pub pass: u32,
    pub run: u32,
    pub party: Option<PartyName>,
    pub owner: Option<OwnerId>,
    pub started: Timestamp,
    /// `None` while it is unknown; such runs come last in lists.
    pub deadline: Option<Timestamp>,
    pub state: ClockState,
    /// The record's name.
    pub name: String,
}

/// Where a list goes on: after this row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    deadline: Timestamp,
    record: RecordKey,
    source: String,
    pass: u32,
    run: u32,
}

impl ClockRow {
    /// The place after this row.
    pub fn place(&self) -> After {
        After {
            deadline: self.deadline.unwrap_or(Timestamp::MAX),
            record: self.record.clone(),
            source: self.source.clone(),
            pass: self.pass,
            run: self.run,
        }
    }
}

/// How much is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenCount {
    pub runs: u64,
    /// Leads with at least one open run.
    pub leads: u64,
}

/// Puts these runs in place of all that this record had. Call it only when they changed.
///
/// # Errors
/// `Unavailable`.
pub async fn replace(tx: &mut Tx, record: &RecordKey, rows: &[ClockRow]) -> Result<()> {
    const DELETE: &str = "DELETE FROM clock WHERE connection = $1 AND object = $2 AND id = $3";
    const COLUMNS: usize = 12;
    on_tx!(tx, |c| {
        sqlx::query(DELETE)
            .bind(record.connection.as_str())
            .bind(record.object.as_str())
            .bind(record.id.as_str())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    for slice in slices(rows, COLUMNS) {
        let sql = format!(
            "INSERT INTO clock (connection, object, id, source, pass, run, party, owner, started, deadline, \
             state, name) VALUES {}",
            values(0, slice.len(), COLUMNS)
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for row in slice {
                query = query
                    .bind(record.connection.as_str())
                    .bind(record.object.as_str())
                    .bind(record.id.as_str())
                    .bind(&row.source)
                    .bind(i64::from(row.pass))
                    .bind(i64::from(row.run))
                    .bind(row.party.as_ref().map(PartyName::as_str))
                    .bind(row.owner.as_ref().map(|owner| clean(owner.as_str())))
                    .bind(row.started.as_millis())
                    .bind(row.deadline.unwrap_or(Timestamp::MAX).as_millis())
                    .bind(row.state.as_str())
                    .bind(clean(&row.name));
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    connection: String,
    object: String,
    id: String,
    source: String,
    pass: i64,
    run: i64,
    party: Option<String>,
    owner: Option<String>,
    started: i64,
    deadline: i64,
    state: String,
    name: String,
}

/// Open runs by deadline, of one connection or of all, page by page.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn open_soonest(
    db: &Db,
    connection: Option<&ConnectionName>,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<ClockRow>> {
    if let Some(connection) = connection {
        return list(db, std::slice::from_ref(connection), &Filter::default(), after, limit).await;
    }
    const SQL: &str = "SELECT * FROM clock \
         WHERE (deadline, connection, object, id, source, pass, run) > ($1, $2, $3, $4, $5, $6, $7) \
         ORDER BY deadline, connection, object, id, source, pass, run LIMIT $8";
    let rows: Vec<Row> = on_db!(db, |c| {
        sqlx::query_as(SQL)
            .bind(after.map_or(i64::MIN, |a| a.deadline.as_millis()))
            .bind(after.map_or("", |a| a.record.connection.as_str()))
            .bind(after.map_or("", |a| a.record.object.as_str()))
            .bind(after.map_or("", |a| a.record.id.as_str()))
            .bind(after.map_or("", |a| a.source.as_str()))
            .bind(after.map_or(0, |a| i64::from(a.pass)))
            .bind(after.map_or(0, |a| i64::from(a.run)))
            .bind(i64::from(limit))
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(from_row).collect()
}

/// All open runs of one record.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn of_record(db: &Db, key: &RecordKey) -> Result<Vec<ClockRow>> {
    const SQL: &str = "SELECT * FROM clock WHERE connection = $1 AND object = $2 AND id = $3 ORDER BY deadline";
    let rows: Vec<Row> = on_db!(db, |c| {
        sqlx::query_as(SQL)
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(from_row).collect()
}

fn from_row(row: Row) -> Result<ClockRow> {
    let deadline = Timestamp::from_millis(row.deadline);
    Ok(ClockRow {
        record: RecordKey {
            connection: ConnectionName::new(row.connection),
            object: object(&row.object)?,
            id: RecordId::new(row.id),
        },
        source: row.source,
        pass: count(row.pass)?,
        run: count(row.run)?,
        party: row.party.map(PartyName::new),
        owner: row.owner.map(OwnerId::new),
        started: Timestamp::from_millis(row.started),
        deadline: (deadline < Timestamp::MAX).then_some(deadline),
        state: ClockState::parse(&row.state)?,
        name: row.name,
    })
}

/// How much is open in a connection, or of one owner in it. Walks what it counts.
///
/// # Errors
/// `Unavailable`.
pub async fn count_open(db: &Db, connection: &ConnectionName, owner: Option<&OwnerId>) -> Result<OpenCount> {
    const OF_ALL: &str = "SELECT COUNT(*), COUNT(DISTINCT CASE WHEN object = 'lead' THEN id END) FROM clock \
         WHERE connection = $1";
    const OF_ONE: &str = "SELECT COUNT(*), COUNT(DISTINCT CASE WHEN object = 'lead' THEN id END) FROM clock \
         WHERE connection = $1 AND owner = $2";
    let (runs, leads): (i64, i64) = on_db!(db, |c| match owner {
        None => sqlx::query_as(OF_ALL).bind(connection.as_str()).fetch_one(c).await,
        Some(owner) => sqlx::query_as(OF_ONE).bind(connection.as_str()).bind(owner.as_str()).fetch_one(c).await,
    })?;
    Ok(OpenCount { runs: count(runs)?, leads: count(leads)? })
}

/// How many of a connection's runs are in a state. Walks what it counts, in an index.
///
/// # Errors
/// `Unavailable`.
pub async fn count_state(db: &Db, connection: &ConnectionName, state: ClockState) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM clock WHERE connection = $1 AND state = $2";
    let (n,): (i64,) =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(state.as_str()).fetch_one(c).await)?;
    count(n)
}

/// How many runs are in each state, by connection. Walks them all: ask seldom.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn count_states(db: &Db) -> Result<Vec<(ConnectionName, ClockState, u64)>> {
    const SQL: &str = "SELECT connection, state, COUNT(*) FROM clock GROUP BY connection, state";
    let rows: Vec<(String, String, i64)> = on_db!(db, |c| sqlx::query_as(SQL).fetch_all(c).await)?;
    let read = |(connection, state, n): (String, String, i64)| {
        Ok((ConnectionName::new(connection), ClockState::parse(&state)?, count(n)?))
    };
    rows.into_iter().map(read).collect()
}
