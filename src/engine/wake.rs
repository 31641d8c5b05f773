//! Decides on records whose moment has come. Its cost follows what is due, not what is open.

use super::batch::{Batch, BatchError};
use super::context::{Engine, Site};
use crate::agreement::Input;
use crate::record::RecordKey;
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError, standing};
use tracing::Instrument;

/// Most records that one transaction wakes.
const RECORDS: u32 = 500;

/// Wakes what is due. Answers how many records there were; 0: nothing is due.
///
/// # Errors
/// When the database is unavailable or the lease is lost; nothing was decided then.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
    let due = standing::due(&engine.db, site.name(), engine.clock.now(), RECORDS).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let span = tracing::info_span!("wake", connection = %site.name());
    wake(engine, site, lease, due).instrument(span).await
}

async fn wake(engine: &Engine, site: &Site, lease: &Lease, due: Vec<(RecordKey, String)>) -> Result<usize, StoreError> {
    let keys: Vec<RecordKey> = due.into_iter().map(|(key, _)| key).collect();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    for key in &keys {
        match batch.decide(&mut tx, key, Input::Woke).await {
            Ok(()) => {}
            Err(BatchError::Store(error)) => return Err(error),
            Err(BatchError::Record(error)) => {
                tracing::error!(record = %key, "could not be decided on and sleeps until its next change: {error}");
                if let Some(standing) = batch.standing_mut(key) {
                    standing.wake_at = None;
                }
            }
        }
    }
    let written = batch.save(&mut tx).await?;
    tx.commit().await?;
    written.tell(engine, site);
    Ok(keys.len())
}
