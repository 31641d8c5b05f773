//! Carries effects out: reads, writes and tasks in the CRM, notices to people. Intent is stored
//! before a write; after doubt the record is read back; every item settles on its own.

mod item;
mod notices;
mod reads;
mod receiver;
mod rest;
mod tasks;
mod writes;

use super::batch::BatchError;
use super::clock::monotonic_now;
use super::context::{Engine, Site};
use crate::record::change::FieldValues;
use crate::record::{EffectKey, Timestamp};
use crate::store::StoreError;
use crate::store::lease::Lease;
use rest::Rest;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Most effects of one lane that are looked at together, before they are sliced into calls.
const GATHER: u32 = 1_000;
/// A read before a write may be so old, really.
const READ_AGE: Duration = Duration::from_secs(5);
/// An item that was put off so often is parked.
const ATTEMPTS: u32 = 10;
/// After a call that failed in doubt, so long is waited before the record is read back.
const DOUBT: Duration = Duration::from_secs(2);
/// After a crash or a take-over the other process's call may still be on its way: a write's time-out.
const DOUBT_OF_ANOTHER: Duration = Duration::from_secs(11);

/// What a write is about to leave on a record, stored before it is sent: a replay uses the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Intent {
    values: FieldValues,
    /// The CRM's clock at the read before.
    since: Timestamp,
}

/// One connection's deliverer, with what it knows only in memory: calls in doubt, and whether the
/// CRM needs a rest.
#[derive(Default)]
pub struct Deliver {
    rest: Rest,
    doubts: HashMap<EffectKey, Instant>,
    /// After a refused call: fewer records in the next one.
    smaller: Option<usize>,
}

impl Deliver {
    /// Carries out what is due now, each lane once. Answers how many effects moved on.
    ///
    /// # Errors
    /// When the database is unavailable or the lease is lost. What was sent and not settled is in
    /// doubt and will be read back.
    pub async fn step(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let mut moved = 0;
        if self.rest.is_over() {
            moved += self.reads(engine, site, lease).await?;
            moved += self.resolve_doubts(engine, site, lease).await?;
            moved += self.writes(engine, site, lease).await?;
            moved += self.tasks(engine, site, lease).await?;
        }
        moved += self.notices(engine, site, lease).await?;
        Ok(moved)
    }

    /// How long until something that only memory knows is due: a rest ends, a doubt ripens.
    pub fn next_look(&self) -> Option<Duration> {
        let now = monotonic_now();
        let doubt = self.doubts.values().min().map(|at| at.saturating_duration_since(now));
        [self.rest.remaining(), doubt].into_iter().flatten().min()
    }

    /// Whether a call in doubt may be looked into now. One that this process knows nothing of was
    /// left over by another.
    fn is_ripe(&mut self, key: &EffectKey) -> bool {
        let now = monotonic_now();
        let ripe = *self.doubts.entry(key.clone()).or_insert(now + DOUBT_OF_ANOTHER);
        ripe <= now
    }

    fn doubt(&mut self, keys: impl Iterator<Item = EffectKey>) {
        let ripe = monotonic_now() + DOUBT;
        self.doubts.extend(keys.map(|key| (key, ripe)));
    }
}

/// A record whose decision failed keeps its effect; the database's failure stops the step.
fn only_store(result: Result<(), BatchError>) -> Result<(), StoreError> {
    match result {
        Ok(()) => Ok(()),
        Err(BatchError::Store(error)) => Err(error),
        Err(BatchError::Record(error)) => {
            tracing::error!("{error}");
            Ok(())
        }
    }
}

/// How long an item that was put off waits: doubling, with full jitter, at most a quarter of an hour.
fn backoff(attempts: u32) -> Duration {
    let most = Duration::from_secs(1).saturating_mul(1 << attempts.min(10)).min(Duration::from_secs(900));
    most.mul_f64(rand::random_range(0.1..=1.0))
}
