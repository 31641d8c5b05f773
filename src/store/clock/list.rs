//! Open runs by what people look for, soonest first. Every list is read from an index in its order,
//! whatever its filters: within each state by deadline, and the states merged; of a clock alone, each
//! party's too. What is filtered besides the most telling column is looked at in that index.

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

impl Filter {
    fn is_of_a_clock_alone(&self) -> bool {
        self.clock.is_some() && self.owner.is_none() && self.party.is_none() && self.state != Some(Shown::Held)
    }
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
    let mut found = Vec::new();
    for connection in connections {
        let owing = owing(db, connection, filter).await?;
        let (sql, words) = statement(filter, &owing);
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

/// Who owes the runs of one stretch of an index.
enum Owing {
    /// Whoever it is.
    Anyone,
    Party(String),
    /// The agreement does not have the clock any more.
    Nobody,
}

/// Who owes runs of the clock that is looked for, where nothing else tells: in its index the parties stand one after
/// another, and there is one of them, or a few since the agreement changed.
async fn owing(db: &Db, connection: &ConnectionName, filter: &Filter) -> Result<Vec<Owing>> {
    const SQL: &str =
        "SELECT party FROM clock WHERE connection = $1 AND source = $2 AND party > $3 ORDER BY party LIMIT 1";
    let Some(clock) = filter.clock.as_deref().filter(|_| filter.is_of_a_clock_alone()) else {
        return Ok(vec![Owing::Anyone]);
    };
    let (mut all, mut last) = (vec![Owing::Nobody], String::new());
    loop {
        let next: Option<(String,)> = on_db!(db, |c| {
            sqlx::query_as(SQL).bind(connection.as_str()).bind(clock).bind(&last).fetch_optional(c).await
        })?;
        let Some((party,)) = next else { return Ok(all) };
        last.clone_from(&party);
        all.push(Owing::Party(party));
    }
}

/// The statement for one connection, and the texts that are bound after its own values.
fn statement<'a>(filter: &'a Filter, owing: &'a [Owing]) -> (String, Vec<&'a str>) {
    let (conditions, mut words) = conditions(filter);
    let mut branches = Vec::new();
    for who in owing {
        let owed = match who {
            Owing::Anyone => String::new(),
            Owing::Nobody => " AND party IS NULL".to_owned(),
            Owing::Party(party) => {
                words.push(party);
                format!(" AND party = ${}", OWN + words.len())
            }
        };
        match filter.state {
            Some(Shown::In(state)) => branches.push(branch(state, &conditions, &owed)),
            Some(Shown::Held) => branches.push(held(&conditions)),
            None => branches.extend(ClockState::ALL.map(|state| branch(state, &conditions, &owed))),
        }
    }
    (format!("SELECT * FROM ({}) AS shown ORDER BY {ORDER} LIMIT $8", branches.join(" UNION ALL ")), words)
}

/// A stretch of an index.
fn branch(state: ClockState, conditions: &str, owed: &str) -> String {
    let state = state.as_str();
    format!(
        "SELECT * FROM (SELECT * FROM clock WHERE connection = $1 AND state = '{state}'{conditions}{owed} {BOUNDS} \
         ORDER BY {ORDER} LIMIT $8) AS {state}_ones"
    )
}

/// Values of the statement's own that are bound before the texts.
const OWN: usize = 9;

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

/// The filters, the most telling first. Only what leads in an index is compared as the plain column: the others
/// would lead a planner that knows no numbers to another index.
fn conditions(filter: &Filter) -> (String, Vec<&str>) {
    let owner = filter.owner.as_ref().map(|owner| ("owner", owner.as_str()));
    let clock = filter.clock.as_deref().map(|clock| ("source", clock));
    let party = filter.party.as_ref().map(|party| ("party", party.as_str()));
    let plain = if owner.is_none() && clock.is_some() { 2 } else { 1 };
    let (mut sql, mut words) = (String::new(), Vec::new());
    for (n, (column, word)) in owner.into_iter().chain(clock).chain(party).enumerate() {
        let compared = if n < plain { column.to_owned() } else { format!("{column} || ''") };
        words.push(word);
        sql.push_str(&format!(" AND {compared} = ${}", OWN + words.len()));
    }
    (sql, words)
}
