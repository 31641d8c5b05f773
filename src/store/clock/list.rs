//! Open runs by what people look for, soonest first. Every list is read from an index in its order,
//! whatever its filters: within each state by deadline, and the states merged. What is filtered besides
//! the most telling column is looked at in that index.

use super::{After, ClockRow, ClockState, Row, from_row};
use crate::record::{ConnectionName, OwnerId, PartyName, Timestamp};
use crate::store::{Db, Result};
use sqlx::AssertSqlSafe;

/// The state in which a run is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    In(ClockState),
    /// The breaker holds a move of its record.
    Held,
}

/// What is looked for; nothing of it is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub party: Option<PartyName>,
    pub owner: Option<OwnerId>,
    /// The clock's name.
    pub clock: Option<String>,
    pub state: Option<Shown>,
    /// Due from then on.
    pub from: Option<Timestamp>,
    /// Due until then, the moment included.
    pub until: Option<Timestamp>,
}

/// The columns of the order within one connection.
const ORDER: &str = "deadline, object, id, source, pass, run";

/// Open runs of these connections by deadline, page by page.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn list(
    db: &Db,
    connections: &[ConnectionName],
    filter: &Filter,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<ClockRow>> {
    let (sql, words) = statement(filter);
    let mut found = Vec::new();
    for connection in connections {
        let start = Start::of(connection, filter, after);
        let rows: Vec<Row> = on_db!(db, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()))
                .bind(connection.as_str())
                .bind(start.deadline)
                .bind(start.object)
                .bind(start.id)
                .bind(start.source)
                .bind(start.pass)
                .bind(start.run)
                .bind(i64::from(limit))
                .bind(filter.until.map_or(i64::MAX, Timestamp::as_millis));
            for word in &words {
                query = query.bind(*word);
            }
            query.fetch_all(c).await
        })?;
        found.extend(rows.into_iter().map(from_row).collect::<Result<Vec<_>>>()?);
    }
    // Stable: of one deadline and connection the database's own order stays.
    let due = |row: &ClockRow| row.deadline.unwrap_or(Timestamp::MAX);
    found.sort_by(|a, b| due(a).cmp(&due(b)).then_with(|| a.record.connection.cmp(&b.record.connection)));
    found.truncate(limit as usize);
    Ok(found)
}

/// After which row the list goes on in one connection.
struct Start<'a> {
    deadline: i64,
    object: &'a str,
    id: &'a str,
    source: &'a str,
    pass: i64,
    run: i64,
}

impl<'a> Start<'a> {
    /// No row has an empty object: every row of this deadline follows.
    fn at(deadline: i64) -> Self {
        Self { deadline, object: "", id: "", source: "", pass: 0, run: 0 }
    }

    fn of(connection: &ConnectionName, filter: &Filter, after: Option<&'a After>) -> Self {
        let from = filter.from.map_or(i64::MIN, Timestamp::as_millis);
        let Some(after) = after.filter(|a| a.deadline.as_millis() >= from) else { return Self::at(from) };
        let deadline = after.deadline.as_millis();
        match connection.cmp(&after.record.connection) {
            std::cmp::Ordering::Less => Self::at(deadline.saturating_add(1)),
            std::cmp::Ordering::Greater => Self::at(deadline),
            std::cmp::Ordering::Equal => Self {
                deadline,
                object: after.record.object.as_str(),
                id: after.record.id.as_str(),
                source: &after.source,
                pass: after.pass.into(),
                run: after.run.into(),
            },
        }
    }
}

/// The statement for one connection, and the texts that are bound after its nine own values.
fn statement(filter: &Filter) -> (String, Vec<&str>) {
    let (conditions, words) = conditions(filter);
    let branch = |state: ClockState| {
        format!(
            "SELECT * FROM (SELECT * FROM clock WHERE connection = $1 AND state = '{}'{conditions} {BOUNDS} \
             ORDER BY {ORDER} LIMIT $8) AS {}_ones",
            state.as_str(),
            state.as_str()
        )
    };
    let sql = match filter.state {
        Some(Shown::In(state)) => branch(state),
        Some(Shown::Held) => held(&conditions),
        None => ClockState::ALL.map(branch).join(" UNION ALL "),
    };
    (format!("SELECT * FROM ({sql}) AS shown ORDER BY {ORDER} LIMIT $8"), words)
}

const BOUNDS: &str =
    "AND deadline >= $2 AND deadline <= $9 AND (deadline, object, id, source, pass, run) > ($2, $3, $4, $5, $6, $7)";

/// Of what the breaker holds no more is looked at. The order is that of its index: to tell records apart, SQLite
/// would else walk the one of all effects by record.
const MOST_HELD: u32 = 100_000;

/// From what the breaker holds, which is little, to the runs of those records.
fn held(conditions: &str) -> String {
    format!(
        "SELECT c.* FROM (SELECT DISTINCT object AS held_object, id AS held_id FROM (SELECT object, id FROM outbox \
         WHERE connection = $1 AND state = 'held' ORDER BY not_before, effect_key LIMIT {MOST_HELD}) AS moves) AS held \
         CROSS JOIN clock AS c \
         WHERE c.connection = $1 AND c.object = held.held_object AND c.id = held.held_id{conditions} {BOUNDS}"
    )
}

/// The filters, the most telling first. Only the first is compared as the plain column: the others would
/// lead a planner that knows no numbers to another index.
fn conditions(filter: &Filter) -> (String, Vec<&str>) {
    let owner = filter.owner.as_ref().map(|owner| ("owner", owner.as_str()));
    let clock = filter.clock.as_deref().map(|clock| ("source", clock));
    let party = filter.party.as_ref().map(|party| ("party", party.as_str()));
    let (mut sql, mut words) = (String::new(), Vec::new());
    for (n, (column, word)) in owner.into_iter().chain(clock).chain(party).enumerate() {
        let compared = if n == 0 { column.to_owned() } else { format!("{column} || ''") };
        sql.push_str(&format!(" AND {compared} = ${}", 10 + n));
        words.push(word);
    }
    (sql, words)
}
