//! What every lane of deliver works with, and the transactions that they share.

use super::Patience;
use crate::engine::batch::{Batch, BatchError};
use crate::engine::context::{Engine, Site};
use crate::engine::skew;
use crate::engine::switches::Switches;
use crate::record::{Effect, EffectKey, Object, Outcome, RecordId, RecordKey};
use crate::store::lease::Lease;
use crate::store::outbox::{self, OutboxRow};
use crate::store::{Priority, StoreError, Tx};

/// One connection under its lease.
#[derive(Clone, Copy)]
pub(super) struct Desk<'d> {
    pub engine: &'d Engine,
    pub site: &'d Site,
    pub lease: &'d Lease,
    pub patience: Patience,
    /// Whether the connection writes to its CRM, as this step began.
    pub acts: bool,
    /// Whether the CRM took our credentials, as this step began: else it is not called at all.
    pub signed_in: bool,
}

impl<'d> Desk<'d> {
    /// Whether nothing may leave at this moment; looked up before every call, since whoever pauses
    /// wants it now, and the read before a write may have told that the clocks are apart.
    pub async fn is_paused(&self) -> Result<bool, StoreError> {
        if skew::too_far(self.engine, self.site).is_some() {
            return Ok(true);
        }
        let switches = Switches::read(&self.engine.db, self.site.name()).await?;
        let is_stopped = switches.signed_out().is_some() || switches.clocks_apart().is_some();
        Ok(is_stopped || switches.pause(self.engine.clock.now()).is_some())
    }

    /// A transaction under the lease.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let mut tx = self.engine.db.begin(Priority::Work).await?;
        self.lease.check(&mut tx).await?;
        Ok(tx)
    }

    pub async fn load(&self, tx: &mut Tx, keys: &[RecordKey]) -> Result<Batch<'d>, StoreError> {
        Batch::load(self.engine, self.site, tx, keys).await
    }

    /// Ends these effects, tells the core, writes everything and commits. One that was withdrawn or
    /// ended meanwhile is not told.
    pub async fn finish(
        &self,
        mut tx: Tx,
        mut batch: Batch<'_>,
        settled: Vec<(&Effect, Outcome)>,
    ) -> Result<(), StoreError> {
        let ends: Vec<_> = settled.iter().map(|(effect, outcome)| (effect.key.clone(), outcome.clone())).collect();
        let ended = outbox::settle(&mut tx, self.site.name(), &ends, batch.now()).await?;
        for (effect, outcome) in settled.into_iter().filter(|(effect, _)| ended.contains(&effect.key)) {
            log_end(effect, &outcome);
            only_store(batch.settle(&mut tx, effect, outcome).await)?;
        }
        let written = batch.save(&mut tx).await?;
        tx.commit().await?;
        written.tell(self.engine, self.site);
        Ok(())
    }

    /// Not now: this one was looked at and waits.
    pub async fn wait(
        &self,
        tx: &mut Tx,
        batch: &Batch<'_>,
        row: &OutboxRow,
        until: crate::record::Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        outbox::again(tx, self.site.name(), &row.effect.key, until, why, batch.now()).await.map(|_| ())
    }

    /// The CRM did not speak of the record: it is asked again a little later.
    pub async fn untold(&self, tx: &mut Tx, batch: &Batch<'_>, row: &OutboxRow) -> Result<(), StoreError> {
        let later = batch.now() + self.engine.clock.to_engine(self.patience.untold);
        self.wait(tx, batch, row, later, "the CRM did not tell").await
    }

    /// Back to due, as if never tried: the connection's rest, not the items' own delay, holds them.
    pub async fn untried<'r>(&self, rows: impl Iterator<Item = &'r OutboxRow>, why: &str) -> Result<usize, StoreError> {
        let keys: Vec<EffectKey> = rows.map(|row| row.effect.key.clone()).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let now = self.engine.clock.now();
        let mut tx = self.begin().await?;
        outbox::untried(&mut tx, self.site.name(), &keys, now, why, now).await?;
        tx.commit().await?;
        Ok(keys.len())
    }

    /// Gives these up for the same reason; a person sees them.
    pub async fn park(&self, effects: &[&Effect], error: &str) -> Result<usize, StoreError> {
        if effects.is_empty() {
            return Ok(0);
        }
        let keys = distinct(effects.iter().map(|effect| effect.record.clone()));
        let mut tx = self.begin().await?;
        let batch = self.load(&mut tx, &keys).await?;
        let parked = effects.iter().map(|effect| (*effect, Outcome::Parked { error: error.to_owned() }));
        self.finish(tx, batch, parked.collect()).await?;
        Ok(effects.len())
    }

    pub fn keys<'i>(&self, object: Object, ids: impl Iterator<Item = &'i RecordId>) -> Vec<RecordKey> {
        distinct(ids.map(|id| RecordKey { connection: self.site.name().clone(), object, id: id.clone() }))
    }
}

pub(super) fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// A decision that failed is that record's alone (what was done in the CRM is done, and its effect
/// has ended); the database's failure stops the step.
pub(super) fn only_store(result: Result<(), BatchError>) -> Result<(), StoreError> {
    match result {
        Ok(()) => Ok(()),
        Err(BatchError::Store(error)) => Err(error),
        Err(BatchError::Record(error)) => {
            tracing::error!("{error}");
            Ok(())
        }
    }
}

fn log_end(effect: &Effect, outcome: &Outcome) {
    let (record, action) = (&effect.record, effect.action.as_str());
    match outcome {
        Outcome::Parked { error } => tracing::error!(%record, action, effect = %effect.key, "parked: {error}"),
        Outcome::Dropped { reason } => tracing::info!(%record, action, effect = %effect.key, "not done: {reason}"),
        Outcome::WouldHave => tracing::info!(%record, action, effect = %effect.key, "would have been done"),
        Outcome::Done { .. } if effect.action == crate::record::Action::Read => {
            tracing::debug!(%record, action, effect = %effect.key, "done");
        }
        Outcome::Done { .. } => tracing::info!(%record, action, effect = %effect.key, "done"),
    }
}
