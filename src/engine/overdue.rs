//! What a connection has missed while it only observed: moves that would have been made and are
//! still wanted. Nothing is changed here.

use crate::agreement::{Agreement, Standing, Verdict, confirm};
use crate::record::{ConnectionName, RecordKey, Timestamp};
use crate::store::outbox::{self, AfterMove, WaitingMove};
use crate::store::{Db, StoreError, standing};
use std::collections::BTreeSet;

/// So many are read and confirmed together.
pub const TOGETHER: u32 = 200;

/// Some of what was missed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub moves: Vec<WaitingMove>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<AfterMove>,
}

/// The moves that would have been made and that would still be made at `now`, or a little later; the
/// longest due first.
///
/// # Errors
/// When the database is unavailable or holds what cannot be read.
pub async fn overdue(
    db: &Db,
    agreement: &Agreement,
    connection: &ConnectionName,
    now: Timestamp,
) -> Result<Vec<WaitingMove>, StoreError> {
    let (mut wanted, mut after) = (Vec::new(), None);
    loop {
        let found = page(db, agreement, connection, now, after.as_ref(), TOGETHER).await?;
        wanted.extend(found.moves);
        after = found.next;
        if after.is_none() {
            return Ok(wanted);
        }
    }
}

/// The next of them, out of so many that would have been made, at most [`TOGETHER`]. Few of them, or none, are no
/// sign of the end: that is `next`.
///
/// # Errors
/// When the database is unavailable or holds what cannot be read.
pub async fn page(
    db: &Db,
    agreement: &Agreement,
    connection: &ConnectionName,
    now: Timestamp,
    after: Option<&AfterMove>,
    of: u32,
) -> Result<Page, StoreError> {
    let missed = outbox::would_have(db, connection, after, of.min(TOGETHER)).await?;
    let next = missed.last().filter(|_| missed.len() >= of.min(TOGETHER) as usize).map(WaitingMove::place);
    let keys: BTreeSet<RecordKey> = missed.iter().map(|one| one.effect.record.clone()).collect();
    let states = standing::load_many(db, &keys.into_iter().collect::<Vec<_>>()).await?;
    let mut moves = Vec::new();
    for one in missed {
        let Some(json) = states.get(&one.effect.record) else { continue };
        let standing: Standing = serde_json::from_str(json)
            .map_err(|e| StoreError::Corrupt(format!("the standing of {} cannot be read: {e}", one.effect.record)))?;
        if !matches!(confirm(agreement, &standing, &one.effect, now), Verdict::Drop(_)) {
            moves.push(one);
        }
    }
    Ok(Page { moves, next })
}
