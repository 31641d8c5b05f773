//! Disputed facts and how far each has climbed. Who is asked at a step, and by when, is decided
//! elsewhere.

use super::{Db, Result, StoreError, Tx, clean, count, moment, object};
use crate::record::{ConnectionName, FactKind, OwnerId, PartyName, RecordId, RecordKey, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeState {
    /// It climbs.
    Open,
    /// The disputed fact does not count.
    Upheld,
    /// It stands.
    Dismissed,
    Withdrawn,
    /// All steps are over and nobody decided; somebody still may.
    Exhausted,
}

impl DisputeState {
    pub fn as_str(self) -> &'static str {
        match self {
            DisputeState::Open => "open",
            DisputeState::Upheld => "upheld",
            DisputeState::Dismissed => "dismissed",
            DisputeState::Withdrawn => "withdrawn",
            DisputeState::Exhausted => "exhausted",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "open" => Ok(DisputeState::Open),
            "upheld" => Ok(DisputeState::Upheld),
            "dismissed" => Ok(DisputeState::Dismissed),
            "withdrawn" => Ok(DisputeState::Withdrawn),
            "exhausted" => Ok(DisputeState::Exhausted),
            _ => Err(StoreError::Corrupt(format!("`{text}` is no state of a dispute"))),
        }
    }

    /// Whether it waits for a decision.
    pub fn is_open(self) -> bool {
        matches!(self, DisputeState::Open | DisputeState::Exhausted)
    }
}

/// One dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeRow {
    /// A UUID, version 7.
    pub id: String,
    pub record: RecordKey,
    /// The disputed fact: its key, when it happened, its kind, and its clock, requirement or handoff.
    pub fact_key: String,
    pub fact_at: Timestamp,
    pub kind: FactKind,
    pub source: String,
    /// Who is blamed, and who owned the record then.
    pub party: Option<PartyName>,
    pub owner: Option<OwnerId>,
    pub opened_at: Timestamp,
    pub by: String,
    pub why: String,
    /// Which step of the agreement's it has reached, from 1.
    pub step: u32,
    /// The last step whose people were told; 0 at first.
    pub told_step: u32,
    /// By when that step decides; `None` once there is no further one.
    pub step_due: Option<Timestamp>,
    pub state: DisputeState,
    pub decided_at: Option<Timestamp>,
    pub decided_by: Option<String>,
    /// The reason of the decision.
    pub verdict: Option<String>,
}

pub(super) const SELECT: &str = "SELECT connection, id, object, record, fact_key, fact_at, kind, source, party, owner, opened_at, \
     opened_by, why, step, told_step, step_due, state, decided_at, decided_by, verdict FROM dispute";

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    connection: String,
    id: String,
    object: String,
    record: String,
    fact_key: String,
    fact_at: i64,
    kind: String,
    source: String,
    party: Option<String>,
    owner: Option<String>,
    opened_at: i64,
    opened_by: String,
    why: String,
    step: i64,
    told_step: i64,
    step_due: Option<i64>,
    state: String,
    decided_at: Option<i64>,
    decided_by: Option<String>,
    verdict: Option<String>,
}

pub(super) fn from_row(row: Row) -> Result<DisputeRow> {
    let kind =
        FactKind::parse(&row.kind).ok_or_else(|| StoreError::Corrupt(format!("`{}` is no kind of fact", row.kind)))?;
    Ok(DisputeRow {
        id: row.id,
        record: RecordKey {
            connection: ConnectionName::new(row.connection),
            object: object(&row.object)?,
            id: RecordId::new(row.record),
        },
        fact_key: row.fact_key,
        fact_at: Timestamp::from_millis(row.fact_at),
        kind,
        source: row.source,
        party: row.party.map(PartyName::new),
        owner: row.owner.map(OwnerId::new),
        opened_at: Timestamp::from_millis(row.opened_at),
        by: row.opened_by,
        why: row.why,
        step: count(row.step)?,
        told_step: count(row.told_step)?,
        step_due: moment(row.step_due),
        state: DisputeState::parse(&row.state)?,
        decided_at: moment(row.decided_at),
        decided_by: row.decided_by,
        verdict: row.verdict,
    })
}

/// Opens a dispute. `false`: this fact is disputed already.
///
/// # Errors
/// `Unavailable`.
pub async fn open(tx: &mut Tx, row: &DisputeRow) -> Result<bool> {
    const SQL: &str = "INSERT INTO dispute (connection, id, object, record, fact_key, fact_at, kind, source, party, \
         owner, opened_at, opened_by, why, step, told_step, step_due, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING";
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(row.record.connection.as_str())
            .bind(&row.id)
            .bind(row.record.object.as_str())
            .bind(row.record.id.as_str())
            .bind(clean(&row.fact_key))
            .bind(row.fact_at.as_millis())
            .bind(row.kind.as_str())
            .bind(clean(&row.source))
            .bind(row.party.as_ref().map(PartyName::as_str))
            .bind(row.owner.as_ref().map(|owner| clean(owner.as_str())))
            .bind(row.opened_at.as_millis())
            .bind(clean(&row.by))
            .bind(clean(&row.why))
            .bind(i64::from(row.step))
            .bind(i64::from(row.told_step))
            .bind(row.step_due.map(Timestamp::as_millis))
            .bind(row.state.as_str())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

/// Writes how far it is. `false`: it was decided or moved on meanwhile, and stays as it is; so of
/// two that move it at once one does.
///
/// # Errors
/// `Unavailable`.
pub async fn advance(tx: &mut Tx, was: &DisputeRow, is: &DisputeRow) -> Result<bool> {
    const SQL: &str = "UPDATE dispute SET step = $5, told_step = $6, step_due = $7, state = $8, decided_at = $9, \
         decided_by = $10, verdict = $11 WHERE connection = $1 AND id = $2 AND state = $3 AND step = $4";
    let done = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(was.record.connection.as_str())
            .bind(&was.id)
            .bind(was.state.as_str())
            .bind(i64::from(was.step))
            .bind(i64::from(is.step))
            .bind(i64::from(is.told_step))
            .bind(is.step_due.map(Timestamp::as_millis))
            .bind(is.state.as_str())
            .bind(is.decided_at.map(Timestamp::as_millis))
            .bind(is.decided_by.as_deref().map(clean))
            .bind(is.verdict.as_deref().map(clean))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

/// Those of a connection that wait for a decision, the oldest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn undecided(db: &Db, connection: &ConnectionName) -> Result<Vec<DisputeRow>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE connection = $1 AND state IN ('open', 'exhausted') ORDER BY opened_at, id"
    ));
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(sql).bind(connection.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(from_row).collect()
}

/// The newest of a connection, whatever became of them.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn newest(db: &Db, connection: &ConnectionName, limit: u32) -> Result<Vec<DisputeRow>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE connection = $1 ORDER BY opened_at DESC, id DESC LIMIT $2"));
    let rows: Vec<Row> =
        on_db!(db, |c| sqlx::query_as(sql).bind(connection.as_str()).bind(i64::from(limit)).fetch_all(c).await)?;
    rows.into_iter().map(from_row).collect()
}

/// All disputes of one record, the oldest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn of_record(db: &Db, key: &RecordKey) -> Result<Vec<DisputeRow>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE connection = $1 AND object = $2 AND record = $3 ORDER BY opened_at, id"
    ));
    let rows: Vec<Row> = on_db!(db, |c| {
        sqlx::query_as(sql)
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(from_row).collect()
}

/// The dispute of this id, in whatever connection.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn find(db: &Db, id: &str) -> Result<Option<DisputeRow>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    let row: Option<Row> = on_db!(db, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    row.map(from_row).transpose()
}
