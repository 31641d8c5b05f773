//! The outbox as people look through it: what was given up first, then the rest, the newest first,
//! by connection, lane, state and record. Every stretch of it is the end of an index.

use super::look::{Row, from_row};
use super::{Lane, OutboxRow};
use crate::record::{ConnectionName, EffectKey, RecordKey, Timestamp};
use crate::store::batch::{keys_of_one, slices};
use crate::store::{Db, Result, count};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// The states of an effect, as the table has them; what waits for a person first.
pub const STATES: [&str; 8] = ["parked", "held", "sending", "due", "done", "dropped", "would_have", "withdrawn"];
const PARKED: &str = "parked";

/// What is looked for; empty lists mean any.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Never empty where anything is to be found.
    pub connections: Vec<ConnectionName>,
    /// Of [`STATES`].
    pub states: Vec<&'static str>,
    pub lanes: Vec<Lane>,
    /// `Some` of no record finds nothing.
    pub records: Option<Vec<RecordKey>>,
}

/// Where a list goes on: behind this row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    parked: bool,
    updated: i64,
    key: String,
}

/// An effect with its state, and since when it is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub state: String,
    pub updated: Timestamp,
    pub row: OutboxRow,
}

impl Listed {
    pub fn place(&self) -> Place {
        let key = self.row.effect.key.as_str().to_owned();
        Place { parked: self.state == PARKED, updated: self.updated.as_millis(), key }
    }
}

/// The next rows: parked ones first, then the others, each by the moment of their last change, the
/// newest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn page(db: &Db, wanted: &Wanted, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>> {
    let wants = |state: &str| wanted.states.is_empty() || wanted.states.contains(&state);
    let (parked, others): (Vec<&str>, Vec<&str>) = STATES.into_iter().filter(|s| wants(s)).partition(|s| *s == PARKED);
    let mut found = Vec::new();
    if after.is_none_or(|place| place.parked) {
        found = keys(db, wanted, &parked, after, limit).await?;
    }
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        found.extend(keys(db, wanted, &others, after.filter(|place| !place.parked), left).await?);
    }
    rows(db, &found).await
}

type Key = (String, String);

async fn keys(db: &Db, wanted: &Wanted, states: &[&str], after: Option<&Place>, limit: u32) -> Result<Vec<Key>> {
    let arms = arms(wanted, states);
    if arms.is_empty() {
        return Ok(Vec::new());
    }
    let behind = if after.is_some() { "AND (updated, effect_key) < ($2, $3)" } else { "AND $2 = $2 AND $3 = $3" };
    let before = 3;
    let selects: Vec<String> = arms.iter().enumerate().map(|(i, arm)| arm.select(before, i, behind)).collect();
    let sql = format!(
        "SELECT connection, effect_key FROM ({}) AS found ORDER BY updated DESC, effect_key DESC LIMIT $1",
        selects.join(" UNION ALL ")
    );
    let (updated, key) = after.map_or((0, ""), |place| (place.updated, place.key.as_str()));
    let found: Vec<Key> = on_db!(db, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(i64::from(limit)).bind(updated).bind(key);
        for arm in &arms {
            query = arm.texts.iter().fold(query, |query, text| query.bind(*text));
        }
        query.fetch_all(c).await
    })?;
    Ok(found)
}

/// One stretch of an index, whose end is read.
struct Arm<'w> {
    /// What `texts` are compared with.
    columns: &'static [&'static str],
    texts: Vec<&'w str>,
    /// Besides, where a record's own effects are sorted out.
    also: String,
}

impl Arm<'_> {
    fn select(&self, before: usize, number: usize, behind: &str) -> String {
        let first = before + number * self.columns.len();
        let of = |(i, column): (usize, &&str)| format!("{column} = ${}", first + i + 1);
        let conditions: Vec<String> = self.columns.iter().enumerate().map(of).collect();
        format!(
            "SELECT * FROM (SELECT connection, effect_key, updated FROM outbox WHERE {} {} {behind} \
             ORDER BY updated DESC, effect_key DESC LIMIT $1) AS arm{number}",
            conditions.join(" AND "),
            self.also,
        )
    }
}

fn arms<'w>(wanted: &'w Wanted, states: &[&'w str]) -> Vec<Arm<'w>> {
    if states.is_empty() {
        return Vec::new();
    }
    let lanes: &[Lane] = if wanted.lanes.is_empty() { &Lane::ALL } else { &wanted.lanes };
    match &wanted.records {
        Some(records) => {
            // States and lanes are words of our own.
            let lanes: Vec<&str> = lanes.iter().map(|lane| lane.as_str()).collect();
            let also = format!("AND state IN ('{}') AND lane IN ('{}')", states.join("','"), lanes.join("','"));
            let of = |key: &'w RecordKey| Arm {
                columns: &["connection", "object", "id"],
                texts: vec![key.connection.as_str(), key.object.as_str(), key.id.as_str()],
                also: also.clone(),
            };
            records.iter().filter(|key| wanted.connections.contains(&key.connection)).map(of).collect()
        }
        None => {
            let arm = |connection: &'w ConnectionName, lane: Lane, state: &'w str| Arm {
                columns: &["connection", "lane", "state"],
                texts: vec![connection.as_str(), lane.as_str(), state],
                also: String::new(),
            };
            let of = |connection: &'w ConnectionName| {
                lanes.iter().flat_map(move |lane| states.iter().map(move |state| arm(connection, *lane, state)))
            };
            wanted.connections.iter().flat_map(of).collect()
        }
    }
}

type Full = (String, i64, String, i64, i64, Option<String>, Option<String>, Option<String>);

/// The rows of these keys, in their order.
async fn rows(db: &Db, keys: &[Key]) -> Result<Vec<Listed>> {
    let mut by_connection: HashMap<&str, Vec<&str>> = HashMap::new();
    for (connection, key) in keys {
        by_connection.entry(connection).or_default().push(key);
    }
    let mut found: HashMap<String, Listed> = HashMap::new();
    for (connection, keys) in by_connection {
        for slice in slices(&keys, 1) {
            let sql = format!(
                "SELECT state, updated, effect, not_before, attempts, payload, outcome, ruling FROM outbox \
                 WHERE (connection, effect_key) IN {}",
                keys_of_one(1, slice.len())
            );
            let rows: Vec<Full> = on_db!(db, |c| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection);
                for key in slice {
                    query = query.bind(*key);
                }
                query.fetch_all(c).await
            })?;
            for row in rows {
                let listed = listed(row)?;
                found.insert(listed.row.effect.key.as_str().to_owned(), listed);
            }
        }
    }
    Ok(keys.iter().filter_map(|(_, key)| found.remove(key)).collect())
}

fn listed((state, updated, effect, not_before, attempts, payload, outcome, ruling): Full) -> Result<Listed> {
    let row: Row = (effect, not_before, attempts, payload, outcome, ruling);
    Ok(Listed { state, updated: Timestamp::from_millis(updated), row: from_row(row)? })
}

/// One effect as the list shows it.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn one(db: &Db, connection: &ConnectionName, key: &EffectKey) -> Result<Option<Listed>> {
    Ok(rows(db, &[(connection.to_string(), key.as_str().to_owned())]).await?.pop())
}

/// The effects of a connection that were given up from `since` on and before `until`: how many, and
/// the keys of the first of them.
///
/// # Errors
/// `Unavailable`.
pub async fn parked_between(
    db: &Db,
    connection: &ConnectionName,
    since: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<(u64, Vec<EffectKey>)> {
    const COUNT: &str = "SELECT COUNT(*) FROM outbox \
         WHERE connection = $1 AND state = 'parked' AND updated >= $2 AND updated < $3";
    const KEYS: &str = "SELECT effect_key FROM outbox WHERE connection = $1 AND state = 'parked' \
         AND updated >= $2 AND updated < $3 ORDER BY updated, effect_key LIMIT $4";
    let (since, until) = (since.as_millis(), until.as_millis());
    let (n,): (i64,) =
        on_db!(db, |c| sqlx::query_as(COUNT).bind(connection.as_str()).bind(since).bind(until).fetch_one(c).await)?;
    let rows: Vec<(String,)> = on_db!(db, |c| {
        sqlx::query_as(KEYS).bind(connection.as_str()).bind(since).bind(until).bind(i64::from(limit)).fetch_all(c).await
    })?;
    Ok((count(n)?, rows.into_iter().map(|(key,)| EffectKey::new(key)).collect()))
}
