//! The journal as people look through it: the newest entries first, by kind, clock, record, person
//! and stretch of time. A clock, a kind, and both together are found in an index. What is left to sort out
//! of a record's or a person's entries is looked at a stretch at a time, so that no search walks the table.

use super::{JournalRow, Link, SELECT};
use crate::record::{ConnectionName, FactKind, RecordKey, Timestamp};
use crate::store::batch::{list as list_of, slices};
use crate::store::{Db, Result, StoreError};
use sqlx::AssertSqlSafe;

/// So many entries are sorted through for one page.
const STRETCH: u32 = 5_000;

/// What is looked for in one connection's journal; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    pub kind: Option<FactKind>,
    /// The clock, requirement or handoff.
    pub source: Option<String>,
    /// `Some` of no record finds nothing.
    pub records: Option<Vec<RecordKey>>,
    /// Who did it, as the table's JSON.
    pub actor: Option<String>,
    /// Journalled from then on.
    pub since: Option<Timestamp>,
    /// Journalled before then. What came later is walked past: begin at [`seq_at`].
    pub until: Option<Timestamp>,
    /// From this entry on; found by [`seq_at`].
    pub first: Option<i64>,
}

/// Some entries, and where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub rows: Vec<JournalRow>,
    /// The entry before which the next page begins; `None` at the end.
    pub before: Option<i64>,
}

/// The newest entries before `before` that are sought, at most `limit`. Fewer, or none, are no sign of
/// the end: that is `before` of the answer.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn list(
    db: &Db,
    connection: &ConnectionName,
    sought: &Sought,
    before: Option<i64>,
    limit: u32,
) -> Result<Page> {
    if sought.records.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Page { rows: Vec::new(), before: None });
    }
    let before = before.unwrap_or(i64::MAX);
    let mut question = Question { texts: Vec::new() };
    let (arms, used, sorted) = question.conditions(sought);
    let floor = sought.first.unwrap_or(1);
    // Where nothing is sorted out, what an index finds is what is listed.
    let wide = if sorted.is_empty() { limit.saturating_add(1) } else { STRETCH };
    // The index alone tells: whole entries would be read in vain.
    let looked_at = if sorted.is_empty() { "seq" } else { "seq, kind, source, actor" };
    let inner = stretch_of(looked_at, &arms, wide);
    let sql = format!("SELECT seq FROM ({inner}) AS stretch WHERE $4 = $4 {sorted} ORDER BY seq DESC LIMIT $4");
    let seqs: Vec<(i64,)> = on_db!(db, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(before).bind(floor);
        query = query.bind(i64::from(limit) + 1);
        for text in &question.texts {
            query = query.bind(text);
        }
        query.fetch_all(c).await
    })?;
    let more = seqs.len() > limit as usize;
    let seqs: Vec<i64> = seqs.into_iter().take(limit as usize).map(|(seq,)| seq).collect();
    let rows = whole(db, connection, &seqs).await?;
    let before = match rows.last().filter(|_| more) {
        Some(last) => Some(last.seq),
        // The stretch was sorted through: the next one begins where it ended, if it was a whole one.
        None if sorted.is_empty() => None,
        None => end_of_stretch(db, connection, &arms, &question.texts[..used], (before, floor)).await?,
    };
    Ok(Page { rows, before })
}

/// These columns of the newest entries of each stretch of an index, as one.
fn stretch_of(columns: &str, arms: &[String], wide: u32) -> String {
    let arm = |condition: &String| {
        format!(
            "SELECT {columns} FROM journal WHERE connection = $1 AND seq < $2 AND seq >= $3 {condition} \
             ORDER BY seq DESC LIMIT {wide}"
        )
    };
    if let [only] = arms {
        return arm(only);
    }
    let of = |(number, condition): (usize, &String)| format!("SELECT * FROM ({}) AS arm{number}", arm(condition));
    let arms: Vec<String> = arms.iter().enumerate().map(of).collect();
    format!("SELECT * FROM ({}) AS arms ORDER BY seq DESC LIMIT {wide}", arms.join(" UNION ALL "))
}

/// These entries, in their order.
async fn whole(db: &Db, connection: &ConnectionName, seqs: &[i64]) -> Result<Vec<JournalRow>> {
    let mut rows = Vec::with_capacity(seqs.len());
    for slice in slices(seqs, 1) {
        let sql = format!("{SELECT} WHERE connection = $1 AND seq IN {} ORDER BY seq DESC", list_of(1, slice.len()));
        let links: Vec<Link> = on_db!(db, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str());
            for seq in slice {
                query = query.bind(seq);
            }
            query.fetch_all(c).await
        })?;
        for link in links {
            rows.push(link.into_row(connection)?);
        }
    }
    Ok(rows)
}

/// The last entry of a whole stretch; `None` where less than one is left.
async fn end_of_stretch(
    db: &Db,
    connection: &ConnectionName,
    arms: &[String],
    texts: &[String],
    (before, floor): (i64, i64),
) -> Result<Option<i64>> {
    // `$4` only keeps the numbers of the texts.
    let inner = stretch_of("seq", arms, STRETCH);
    let sql =
        format!("SELECT seq FROM ({inner}) AS stretch WHERE $4 = $4 ORDER BY seq DESC LIMIT 1 OFFSET {}", STRETCH - 1);
    let row: Option<(i64,)> = on_db!(db, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(connection.as_str()).bind(before).bind(floor);
        query = query.bind(0_i64);
        for text in texts {
            query = query.bind(text);
        }
        query.fetch_optional(c).await
    })?;
    Ok(row.map(|(seq,)| seq))
}

/// The conditions of a question, with the texts that they compare with, numbered from 5.
struct Question {
    texts: Vec<String>,
}

impl Question {
    fn text(&mut self, text: &str) -> String {
        self.texts.push(text.to_owned());
        format!("${}", self.texts.len() + 4)
    }

    /// What an index answers, stretch by stretch, how many of the texts that compares with, and what is
    /// sorted out of it: nothing, unless a record or a person is meant, and something else besides.
    fn conditions(&mut self, sought: &Sought) -> (Vec<String>, usize, String) {
        let (mut arms, used, rest) = match (&sought.records, &sought.actor) {
            (Some(records), actor) => {
                let arms: Vec<String> = records.iter().map(|key| self.record(key)).collect();
                (arms, self.texts.len(), self.rest(actor.as_deref(), sought))
            }
            (None, Some(actor)) => {
                let arms = vec![self.actor(actor)];
                (arms, self.texts.len(), self.rest(None, sought))
            }
            (None, None) => {
                let arms = of_clock_or_kind(self.source(sought), kind(sought));
                (arms, self.texts.len(), String::new())
            }
        };
        let days = days(sought);
        arms.iter_mut().for_each(|arm| arm.push_str(&days));
        (arms, used, rest)
    }

    /// What is sorted out of a record's entries, or a person's.
    fn rest(&mut self, actor: Option<&str>, sought: &Sought) -> String {
        let actor = actor.map(|actor| self.actor(actor));
        [actor, self.source(sought), kind(sought)].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn actor(&mut self, actor: &str) -> String {
        format!("AND actor = {}", self.text(actor))
    }

    fn source(&mut self, sought: &Sought) -> Option<String> {
        let source = sought.source.as_ref()?;
        Some(format!("AND source <> '' AND source = {}", self.text(source)))
    }

    fn record(&mut self, key: &RecordKey) -> String {
        let (object, id) = (self.text(key.object.as_str()), self.text(key.id.as_str()));
        format!("AND object = {object} AND id = {id}")
    }
}

fn kind(sought: &Sought) -> Option<String> {
    sought.kind.map(|kind| format!("AND kind = '{}'", kind.as_str()))
}

/// In the index of clocks the kinds stand one after another, so that a clock's entries of all kinds are merged.
fn of_clock_or_kind(source: Option<String>, kind: Option<String>) -> Vec<String> {
    match (source, kind) {
        (Some(source), Some(kind)) => vec![format!("{source} {kind}")],
        (Some(source), None) => {
            FactKind::ALL.iter().map(|kind| format!("{source} AND kind = '{}'", kind.as_str())).collect()
        }
        (None, kind) => vec![kind.unwrap_or_default()],
    }
}

/// Only what replicas' clocks differ by is left out by this: `first` and the place where the list begins say the rest.
fn days(sought: &Sought) -> String {
    let since = sought.since.map(|since| format!(" AND seen_at >= {}", since.as_millis()));
    let until = sought.until.map(|until| format!(" AND seen_at < {}", until.as_millis()));
    since.into_iter().chain(until).collect()
}

/// The first entry that was journalled at this moment or later, by halving: entries stand in the order
/// of their journalling. One after the last where there is none.
///
/// # Errors
/// `Unavailable`.
pub async fn seq_at(db: &Db, connection: &ConnectionName, at: Timestamp) -> Result<i64> {
    const SQL: &str = "SELECT seq, seen_at FROM journal WHERE connection = $1 AND seq >= $2 ORDER BY seq LIMIT 1";
    let end = super::head(db, connection).await?.map_or(0, |head| head.seq);
    let (mut low, mut high) = (1, end + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let row: Option<(i64, i64)> =
            on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(middle).fetch_optional(c).await)?;
        let (seq, seen_at) = row.ok_or_else(|| StoreError::Corrupt(format!("entry {middle} is missing")))?;
        if seen_at < at.as_millis() { low = seq + 1 } else { high = middle }
    }
    Ok(low)
}
