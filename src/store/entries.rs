//! When records came to stages, the newest first, as the journal told it. Whether such an entry still stands, and
//! whether it is the one that counts, is not decided here.

use super::{Db, Result, count};
use crate::record::{ConnectionName, Object, OwnerId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

/// Where a list goes on: with what came before this moment, or at it to a record of a lesser id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Before {
    pub at: Timestamp,
    pub id: String,
}

/// A record came to a stage; a lead that an opportunity was made of came to none, and names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    pub at: Timestamp,
    pub id: String,
    pub pass: u32,
    /// The stage; empty for a conversion.
    pub item: String,
    /// Whose it was then.
    pub owner: Option<OwnerId>,
}

impl EntryRow {
    /// The place after this row.
    pub fn place(&self) -> Before {
        Before { at: self.at, id: self.id.clone() }
    }
}

/// The entries to any of these stages, at least one (empty: conversions), from `from` on and before the place, the
/// newest first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn newest(
    db: &Db,
    connection: &ConnectionName,
    object: Object,
    items: &[&str],
    (from, before): (Timestamp, &Before),
    limit: u32,
) -> Result<Vec<EntryRow>> {
    // Each item is a stretch of the index; of one moment and record they come in the order asked for.
    let arm = |(place, _): (usize, &&str)| {
        format!(
            "SELECT * FROM (SELECT at, id, pass, item, owner, {place} AS place FROM journal WHERE connection = $1 \
             AND object = $2 AND item = ${} AND kind IN ('stage_entered', 'converted') AND at >= $3 \
             AND (at, id) < ($4, $5) ORDER BY at DESC, id DESC LIMIT $6) AS arm{place}",
            7 + place
        )
    };
    let arms: Vec<String> = items.iter().enumerate().map(arm).collect();
    let sql = format!(
        "SELECT at, id, pass, item, owner FROM ({}) AS found ORDER BY at DESC, id DESC, place LIMIT $6",
        arms.join(" UNION ALL ")
    );
    let rows: Vec<(i64, String, i64, String, Option<String>)> = on_db!(db, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql))
            .bind(connection.as_str())
            .bind(object.as_str())
            .bind(from.as_millis())
            .bind(before.at.as_millis())
            .bind(&before.id)
            .bind(i64::from(limit));
        for item in items {
            query = query.bind(*item);
        }
        query.fetch_all(c).await
    })?;
    let entry = |(at, id, pass, item, owner): (i64, String, i64, String, Option<String>)| {
        let (at, owner) = (Timestamp::from_millis(at), owner.map(OwnerId::new));
        Ok(EntryRow { at, id, pass: count(pass)?, item, owner })
    };
    rows.into_iter().map(entry).collect()
}
