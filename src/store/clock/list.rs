//! Open runs by what people look for, soonest first. Every list is read from an index in its order,
//! whatever its filters: within each state (and of an owner or a party within each clock) by deadline, and
//! these merged.

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
    let mut found = Vec::new();
    for connection in connections {
        let listed = clocks(db, connection, filter).await?;
        if listed.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let (sql, words) = statement(filter, listed.as_deref().unwrap_or_default());
        let start = Start::of(connection, filter, after);
        let rows: Vec<Row> = on_db!(db, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql))
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

/// The clocks that are listed one by one and merged: an owner's or a party's, since their indexes go on with
/// the clock. `None`: the filter names neither.
async fn clocks(db: &Db, connection: &ConnectionName, filter: &Filter) -> Result<Option<Vec<String>>> {
    let Some((column, word)) = whose(filter).filter(|_| filter.state != Some(Shown::Held)) else {
        return Ok(None);
    };
    if let Some(clock) = &filter.clock {
        return Ok(Some(vec![clock.clone()]));
    }
    // From one name to the next, each the head of a stretch of the index.
    let first = format!("SELECT MIN(source) FROM clock WHERE connection = $1 AND {column} = $2");
    let sql = format!(
        "WITH RECURSIVE named(source) AS ({first} UNION ALL SELECT ({first} AND source > named.source) FROM named \
         WHERE named.source IS NOT NULL) SELECT source FROM named WHERE source IS NOT NULL"
    );
    let rows: Vec<(String,)> = on_db!(db, |c| {
        sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(word).fetch_all(c).await
    })?;
    Ok(Some(rows.into_iter().map(|(source,)| source).collect()))
}

/// The column of whom the filter names, the more telling one.
fn whose(filter: &Filter) -> Option<(&'static str, &str)> {
    let owner = filter.owner.as_ref().map(|owner| ("owner", owner.as_str()));
    owner.or(filter.party.as_ref().map(|party| ("party", party.as_str())))
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

/// The statement for one connection, and the texts that are bound after its nine own values. `listed`: the
/// clocks that are merged.
fn statement<'f>(filter: &'f Filter, listed: &'f [String]) -> (String, Vec<&'f str>) {
    let states: Vec<ClockState> = match filter.state {
        Some(Shown::Held) => return held(filter),
        Some(Shown::In(state)) => vec![state],
        None => ClockState::ALL.to_vec(),
    };
    let (conditions, mut words) = conditions(filter, listed.is_empty(), ["owner", "source", "party"]);
    let clocks: Vec<String> = match listed {
        [] => vec![String::new()],
        listed => (0..listed.len()).map(|n| format!(" AND source = ${}", 10 + words.len() + n)).collect(),
    };
    words.extend(listed.iter().map(String::as_str));
    let arms = clocks.iter().flat_map(|clock| states.iter().map(move |state| (clock, state.as_str())));
    let arms: Vec<String> = arms
        .enumerate()
        .map(|(n, (clock, state))| {
            format!(
                "SELECT * FROM (SELECT * FROM clock WHERE connection = $1 AND state = '{state}'{conditions}{clock} \
                 {BOUNDS} ORDER BY {ORDER} LIMIT $8) AS arm{n}"
            )
        })
        .collect();
    (format!("SELECT * FROM ({}) AS shown ORDER BY {ORDER} LIMIT $8", arms.join(" UNION ALL ")), words)
}

const BOUNDS: &str =
    "AND deadline >= $2 AND deadline <= $9 AND (deadline, object, id, source, pass, run) > ($2, $3, $4, $5, $6, $7)";

/// From what the breaker holds, which is little, to the runs of those records, whatever their indexes say of
/// owners and clocks.
fn held(filter: &Filter) -> (String, Vec<&str>) {
    let (conditions, words) = conditions(filter, true, ["owner || ''", "source || ''", "party || ''"]);
    let sql = format!(
        "SELECT * FROM (SELECT c.* FROM (SELECT DISTINCT object AS held_object, id AS held_id FROM outbox \
         WHERE connection = $1 AND state = 'held') AS held CROSS JOIN clock AS c \
         WHERE c.connection = $1 AND c.object = held.held_object AND c.id = held.held_id{conditions} {BOUNDS}) \
         AS shown ORDER BY {ORDER} LIMIT $8"
    );
    (sql, words)
}

/// The filters, each on a column as it is written here. `clock`: with the clock's name, which else is compared
/// arm by arm. A party beside an owner is looked at in the owner's index: as a plain column it would lead a
/// planner that knows no numbers to its own.
fn conditions<'f>(filter: &'f Filter, clock: bool, columns: [&str; 3]) -> (String, Vec<&'f str>) {
    let [owner, source, party] = columns;
    let beside = if filter.owner.is_some() { "party || ''" } else { party };
    let named = [
        (owner, filter.owner.as_ref().map(OwnerId::as_str)),
        (source, filter.clock.as_deref().filter(|_| clock)),
        (beside, filter.party.as_ref().map(PartyName::as_str)),
    ];
    let (mut sql, mut words) = (String::new(), Vec::new());
    for (column, word) in named.into_iter().filter_map(|(column, word)| Some((column, word?))) {
        sql.push_str(&format!(" AND {column} = ${}", 10 + words.len()));
        words.push(word);
    }
    (sql, words)
}
