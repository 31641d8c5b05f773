//! Lets go of what is kept for a time only: raw deliveries, applied changes, and effects
//! that ended. Notes in the log where each journal stands.

use super::context::{Engine, Site};
use super::worker::Retention;
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError, answer, history, inbox, journal, letter, outbox};

/// Most rows that one transaction deletes, so that nobody waits long for it.
const ROWS: u32 = 1_000;

/// Deletes what is older than it needs to be.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease, keep: Retention) -> Result<(), StoreError> {
    let now = engine.clock.now();
    loop {
        let mut tx = engine.db.begin(Priority::Work).await?;
        lease.check(&mut tx).await?;
        let deliveries = inbox::delete_before(&mut tx, site.name(), now - keep.inbox, ROWS).await?;
        let changes = history::delete_before(&mut tx, site.name(), now - keep.history, ROWS).await?;
        let effects = outbox::delete_before(&mut tx, site.name(), now - keep.inbox, ROWS).await?;
        letter::delete_before(&mut tx, site.name(), now - keep.inbox).await?;
        answer::delete_before(&mut tx, site.name(), now - keep.inbox).await?;
        tx.commit().await?;
        if [deliveries, changes, effects].iter().all(|gone| *gone < u64::from(ROWS)) {
            return Ok(());
        }
    }
}

/// Says in the log what the newest entry of the journal is. Whoever keeps the log can show by it that
/// the chain was not cut or written anew since (`leadpact audit verify --head`).
pub async fn log_head(engine: &Engine, site: &Site) {
    match journal::head(&engine.db, site.name()).await {
        Ok(Some(head)) => tracing::info!(connection = %site.name(), %head, "the newest entry of the journal"),
        Ok(None) => {}
        Err(error) => tracing::warn!(connection = %site.name(), "the journal's newest entry is not known: {error}"),
    }
}
