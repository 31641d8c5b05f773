//! The list of disputes as people look through it: those that wait by when they are to be decided, the
//! decided ones newest first, page by page. Each query has its index; nothing here walks the table.

use super::dispute::{DisputeRow, DisputeState, Row, SELECT, from_row};
use super::{Db, Result};
use serde::{Deserialize, Serialize};

/// Which disputes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Decided or withdrawn ones, else those that wait.
    pub over: bool,
    /// Of those only these.
    pub state: Option<DisputeState>,
    pub connection: Option<String>,
    /// Who is blamed.
    pub party: Option<String>,
}

/// The last one of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When it is to be decided, or was.
    at: i64,
    id: String,
}

/// The place of a row in its list.
pub fn place(row: &DisputeRow) -> Place {
    let at = if row.state.is_open() { row.step_due } else { row.decided_at };
    Place { at: at.map_or(i64::MAX, |at| at.as_millis()), id: row.id.clone() }
}

/// The text of the query, with its parameters in this order: connection, party, state, the place's two,
/// the limit.
fn sql(filter: &Filter, after: bool) -> String {
    let (states, by, way, follows) = match filter.over {
        false => ("'open', 'exhausted'", "COALESCE(step_due, 9223372036854775807)", "ASC", ">"),
        true => ("'upheld', 'dismissed', 'withdrawn'", "decided_at", "DESC", "<"),
    };
    let mut sql = format!("{SELECT} WHERE state IN ({states})");
    let mut n = 0;
    let mut next = || {
        n += 1;
        n
    };
    let wanted = [
        ("connection", filter.connection.is_some()),
        ("party", filter.party.is_some()),
        ("state", filter.state.is_some()),
    ];
    for (column, _) in wanted.into_iter().filter(|(_, is)| *is) {
        sql.push_str(&format!(" AND {column} = ${}", next()));
    }
    if after {
        let (at, id) = (next(), next());
        // SQLite seeks by the plain comparison: it does not see an expression within a pair.
        sql.push_str(&format!(" AND {by} {follows}= ${at} AND ({by}, id) {follows} (${at}, ${id})"));
    }
    sql.push_str(&format!(" ORDER BY {by} {way}, id {way} LIMIT ${}", next()));
    sql
}

/// A page of the list.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn page(db: &Db, filter: &Filter, after: Option<&Place>, limit: u32) -> Result<Vec<DisputeRow>> {
    let sql = sql(filter, after.is_some());
    let rows: Vec<Row> = on_db!(db, |c| {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str()));
        for text in [filter.connection.as_deref(), filter.party.as_deref(), filter.state.map(DisputeState::as_str)] {
            query = match text {
                Some(text) => query.bind(text),
                None => query,
            };
        }
        if let Some(place) = after {
            query = query.bind(place.at).bind(place.id.as_str());
        }
        query.bind(i64::from(limit)).fetch_all(c).await
    })?;
    rows.into_iter().map(from_row).collect()
}
