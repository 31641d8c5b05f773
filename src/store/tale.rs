//! What reports read: facts and states of many records, a page at a time in the order of their ids.
//! Facts that no measure looks at are left where they are, and so are details nobody asks for.

use super::batch::{list, slices};
use super::{Db, Result, StoreError, count, from_json};
use crate::record::{Actor, ConnectionName, Fact, FactKind, Object, OwnerId, PartyName, StageName, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// The journal's facts of one record as far as they were asked for, and its state.
#[derive(Clone, Debug, PartialEq)]
pub struct TaleRow {
    pub id: String,
    /// In the order of the journal; details only of the kinds asked for, `by` is not read.
    pub facts: Vec<(Fact, Timestamp)>,
    /// The standing as JSON; `None` where there is none any more, or it was not asked for.
    pub state: Option<String>,
}

/// Which records, and what of them.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub connection: &'a ConnectionName,
    pub object: Object,
    pub kinds: &'a [FactKind],
    /// The kinds whose details are wanted.
    pub detailed: &'a [FactKind],
    /// Nothing that was journalled after this entry.
    pub until_seq: i64,
    /// Whether the standings are wanted too.
    pub with_states: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    at: i64,
    seen_at: i64,
    pass: i64,
    source: String,
    run: i64,
    item: String,
    party: Option<String>,
    owner: Option<String>,
    stage: Option<String>,
    detail: Option<String>,
}

/// The next so many records after an id (`None`: from the first). Fewer than asked for: these are the last.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn page(db: &Db, wanted: &Wanted<'_>, after: Option<&str>, limit: u32) -> Result<Vec<TaleRow>> {
    let ids = ids(db, wanted, after, limit).await?;
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(Vec::new()) };
    let which = Which::Between(first, last);
    let mut facts = facts(db, wanted, which).await?;
    let mut states = states(db, wanted, which).await?;
    let tale = |id: String| TaleRow { facts: facts.remove(&id).unwrap_or_default(), state: states.remove(&id), id };
    Ok(ids.into_iter().map(tale).collect())
}

/// These records, in the order of their ids, each once; one that the journal does not know is left out.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn of_records(db: &Db, wanted: &Wanted<'_>, ids: &[&str]) -> Result<Vec<TaleRow>> {
    let mut ids: Vec<&str> = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut tales = Vec::with_capacity(ids.len());
    for slice in slices(&ids, 1) {
        let mut facts = facts(db, wanted, Which::These(slice)).await?;
        let mut states = states(db, wanted, Which::These(slice)).await?;
        let tale = |id: &&str| {
            let facts = facts.remove(*id)?;
            Some(TaleRow { id: (*id).to_owned(), facts, state: states.remove(*id) })
        };
        tales.extend(slice.iter().filter_map(tale));
    }
    Ok(tales)
}

/// Which ids are meant.
#[derive(Clone, Copy)]
enum Which<'a> {
    /// From the first to the last, both included.
    Between(&'a str, &'a str),
    These(&'a [&'a str]),
}

impl<'a> Which<'a> {
    /// A condition on `id` whose parameters follow the first so many.
    fn condition(self, bound: usize) -> String {
        match self {
            Which::Between(..) => format!("id >= ${} AND id <= ${}", bound + 1, bound + 2),
            Which::These(ids) => format!("id IN {}", list(bound, ids.len())),
        }
    }

    fn parameters(self) -> Vec<&'a str> {
        match self {
            Which::Between(first, last) => vec![first, last],
            Which::These(ids) => ids.to_vec(),
        }
    }
}

async fn ids(db: &Db, wanted: &Wanted<'_>, after: Option<&str>, limit: u32) -> Result<Vec<String>> {
    const SQL: &str = "SELECT DISTINCT id FROM journal WHERE connection = $1 AND object = $2 AND id > $3 \
         AND seq <= $4 ORDER BY id LIMIT $5";
    let ids: Vec<(String,)> = on_db!(db, |c| {
        sqlx::query_as(SQL)
            .bind(wanted.connection.as_str())
            .bind(wanted.object.as_str())
            .bind(after.unwrap_or_default())
            .bind(wanted.until_seq)
            .bind(i64::from(limit))
            .fetch_all(c)
            .await
    })?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

type Facts = HashMap<String, Vec<(Fact, Timestamp)>>;

/// By the index of records: all kinds of an index of kinds would be walked.
async fn facts(db: &Db, wanted: &Wanted<'_>, which: Which<'_>) -> Result<Facts> {
    let sql = format!(
        "SELECT id, kind, at, seen_at, pass, source, run, item, party, owner, stage, \
         CASE WHEN kind IN ({}) THEN detail END AS detail FROM journal WHERE connection = $1 AND object = $2 \
         AND seq <= $3 AND kind || '' IN ({}) AND {} ORDER BY id, seq",
        listed(wanted.detailed),
        listed(wanted.kinds),
        which.condition(3)
    );
    let rows: Vec<Row> = on_db!(db, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql))
            .bind(wanted.connection.as_str())
            .bind(wanted.object.as_str())
            .bind(wanted.until_seq);
        for id in which.parameters() {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let mut facts = Facts::new();
    for row in rows {
        let (id, fact) = row.into_fact()?;
        facts.entry(id).or_default().push(fact);
    }
    Ok(facts)
}

/// Names of ours, none of which has a quote.
fn listed(kinds: &[FactKind]) -> String {
    let quoted: Vec<String> = kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
    if quoted.is_empty() { "''".to_owned() } else { quoted.join(", ") }
}

async fn states(db: &Db, wanted: &Wanted<'_>, which: Which<'_>) -> Result<HashMap<String, String>> {
    if !wanted.with_states {
        return Ok(HashMap::new());
    }
    let condition = which.condition(2);
    let sql = format!("SELECT id, state FROM standing WHERE connection = $1 AND object = $2 AND {condition}");
    let rows: Vec<(String, String)> = on_db!(db, |c| {
        let mut query =
            sqlx::query_as(AssertSqlSafe(sql)).bind(wanted.connection.as_str()).bind(wanted.object.as_str());
        for id in which.parameters() {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    Ok(rows.into_iter().collect())
}

impl Row {
    fn into_fact(self) -> Result<(String, (Fact, Timestamp))> {
        let kind = FactKind::parse(&self.kind)
            .ok_or_else(|| StoreError::Corrupt(format!("`{}` is no kind of fact", self.kind)))?;
        let fact = Fact {
            kind,
            at: Timestamp::from_millis(self.at),
            pass: count(self.pass)?,
            source: self.source.into(),
            run: count(self.run)?,
            item: self.item.into(),
            party: self.party.map(PartyName::new),
            owner: self.owner.map(OwnerId::new),
            stage: self.stage.map(StageName::new),
            by: Actor::Unknown,
            detail: self.detail.as_deref().map(from_json).transpose()?.unwrap_or_default(),
        };
        Ok((self.id, (fact, Timestamp::from_millis(self.seen_at))))
    }
}
