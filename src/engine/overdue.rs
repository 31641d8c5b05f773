//! What a connection has missed while it only observed: moves that would have been made and are
//! still wanted. Nothing is changed here.

use crate::agreement::{Agreement, Standing, Verdict, confirm};
use crate::record::{ConnectionName, RecordKey, Timestamp};
use crate::store::outbox::{self, WaitingMove};
use crate::store::{Db, StoreError, standing};
use std::collections::BTreeSet;

/// So many are read and confirmed together.
const TOGETHER: usize = 200;

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
    let mut wanted = Vec::new();
    let mut missed = outbox::would_have(db, connection).await?.into_iter();
    loop {
        let some: Vec<WaitingMove> = missed.by_ref().take(TOGETHER).collect();
        if some.is_empty() {
            return Ok(wanted);
        }
        let keys: BTreeSet<RecordKey> = some.iter().map(|one| one.effect.record.clone()).collect();
        let states = standing::load_many(db, &keys.into_iter().collect::<Vec<_>>()).await?;
        for one in some {
            let Some(json) = states.get(&one.effect.record) else { continue };
            let standing: Standing = serde_json::from_str(json).map_err(|e| {
                StoreError::Corrupt(format!("the standing of {} cannot be read: {e}", one.effect.record))
            })?;
            if !matches!(confirm(agreement, &standing, &one.effect, now), Verdict::Drop(_)) {
                wanted.push(one);
            }
        }
    }
}
