//! What a connection has missed while it only observed: moves that would have been made and are
//! still wanted. Nothing is changed here.

use crate::agreement::{Agreement, Standing, Verdict, confirm};
use crate::record::{ConnectionName, Timestamp};
use crate::store::outbox::{self, WaitingMove};
use crate::store::{Db, StoreError, standing};

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
    for one in outbox::would_have(db, connection).await? {
        let Some(json) = standing::load_one(db, &one.effect.record).await? else { continue };
        let standing: Standing = serde_json::from_str(&json)
            .map_err(|e| StoreError::Corrupt(format!("the standing of {} cannot be read: {e}", one.effect.record)))?;
        if !matches!(confirm(agreement, &standing, &one.effect, now), Verdict::Drop(_)) {
            wanted.push(one);
        }
    }
    Ok(wanted)
}
