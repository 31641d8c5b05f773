//! The journal as people look through it: the newest entries first, by kind, clock, record, person
//! and stretch of time. What is left to sort out after an index is looked at a stretch at a time, so
//! that no search walks the table.

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
    /// Journalled before then.
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
    let inner = stretch(&arms, wide);
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

/// What is looked at of an entry before it is known whether it is listed: whole ones would be read in vain.
const LOOKED_AT: &str = "SELECT seq, kind, source, actor, seen_at FROM journal";

/// The newest entries of each stretch of an index, as one.
fn stretch(arms: &[String], wide: u32) -> String {
    stretch_of(LOOKED_AT, arms, wide)
}

fn stretch_of(select: &str, arms: &[String], wide: u32) -> String {
    let arm = |condition: &String| {
        format!("{select} WHERE connection = $1 AND seq < $2 AND seq >= $3 {condition} ORDER BY seq DESC LIMIT {wide}")
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
    // The index alone tells. `$4` only keeps the numbers of the texts.
    let inner = stretch_of("SELECT seq FROM journal", arms, STRETCH);
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

    /// What an index answers, stretch by stretch, how many of the texts these compare with, and what is
    /// sorted out of them. The index is that of the rarest thing.
    fn conditions(&mut self, sought: &Sought) -> (Vec<String>, usize, String) {
        let mut all: Vec<(String, usize)> = Vec::new();
        let mut records_of: Vec<String> = Vec::new();
        if let Some(records) = &sought.records {
            let of = |key: &RecordKey| {
                let (object, id) = (self.text(key.object.as_str()), self.text(key.id.as_str()));
                format!("AND object = {object} AND id = {id}")
            };
            records_of = records.iter().map(of).collect();
        }
        let by_record = self.texts.len();
        if let Some(actor) = &sought.actor {
            let is_person = !PLAIN.contains(&actor.as_str());
            // The index of people is of people only.
            let people = r#"AND actor NOT IN ('"unknown"', '"automation"', '"leadpact"') "#;
            let text = self.text(actor);
            all.push((format!("{}AND actor = {text}", if is_person { people } else { "" }), self.texts.len()));
        }
        if let Some(source) = &sought.source {
            let text = self.text(source);
            all.push((format!("AND source <> '' AND source = {text}"), self.texts.len()));
        }
        if let Some(kind) = sought.kind {
            let text = self.text(kind.as_str());
            all.push((format!("AND kind = {text}"), self.texts.len()));
        }
        let mut all = all.into_iter();
        let (arms, used) = match records_of.is_empty() {
            true => all.next().map(|(condition, used)| (vec![condition], used)).unwrap_or((vec![String::new()], 0)),
            false => (records_of, by_record),
        };
        let mut rest = all.map(|(condition, _)| condition).collect::<Vec<_>>().join(" ");
        if let Some(since) = sought.since {
            rest.push_str(&format!(" AND seen_at >= {}", since.as_millis()));
        }
        if let Some(until) = sought.until {
            rest.push_str(&format!(" AND seen_at < {}", until.as_millis()));
        }
        (arms, used, rest)
    }
}

/// Actors that are nobody in particular, as the table has them.
const PLAIN: [&str; 3] = ["\"unknown\"", "\"automation\"", "\"leadpact\""];

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
