//! When records came to stages, the newest first, as the journal told it. Whether such an entry still stands, and
//! whether it is the one that counts, is not decided here.

use super::{Db, Result, count};
use crate::record::{ConnectionName, Object, Timestamp};
use serde::{Deserialize, Serialize};

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
}

impl EntryRow {
    /// The place after this row.
    pub fn place(&self) -> Before {
        Before { at: self.at, id: self.id.clone() }
    }
}

/// The entries to any of these stages (empty: conversions) from `from` on and before the place, the newest first.
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
    // One item a query, so that each is a stretch of the index.
    const SQL: &str = "SELECT at, id, pass FROM journal WHERE connection = $1 AND object = $2 AND item = $3 \
         AND kind IN ('stage_entered', 'converted') AND at >= $4 AND (at, id) < ($5, $6) \
         ORDER BY at DESC, id DESC LIMIT $7";
    let mut all = Vec::new();
    for item in items {
        let rows: Vec<(i64, String, i64)> = on_db!(db, |c| {
            sqlx::query_as(SQL)
                .bind(connection.as_str())
                .bind(object.as_str())
                .bind(*item)
                .bind(from.as_millis())
                .bind(before.at.as_millis())
                .bind(&before.id)
                .bind(i64::from(limit))
                .fetch_all(c)
                .await
        })?;
        for (at, id, pass) in rows {
            all.push(EntryRow { at: Timestamp::from_millis(at), id, pass: count(pass)?, item: (*item).to_owned() });
        }
    }
    all.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    all.truncate(limit as usize);
    Ok(all)
}
