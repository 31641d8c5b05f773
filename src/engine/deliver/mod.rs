//! Carries effects out: reads, writes and tasks in the CRM, notices to people. Intent is stored
//! before a write; after doubt the record is read back; every item settles on its own.

mod alert;
mod breaker;
mod call;
mod desk;
mod doubt;
mod intent;
mod item;
mod notices;
mod pace;
pub(super) mod reads;
mod receiver;
mod refusals;
mod rest;
mod tasks;
mod writes;

pub use refusals::{Streak, Streaks, streaks};

use super::clock::monotonic_now;
use super::context::{Engine, Site};
use super::switches::Switches;
use crate::record::EffectKey;
use crate::store::lease::Lease;
use crate::store::{StoreError, outbox};
use desk::Desk;
pub(super) use item::Teller;
use rest::Rest;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Most effects of one lane that are looked at together, before they are sliced into calls.
const GATHER: u32 = 1_000;
/// The try after which an item that is put off every time is parked.
const ATTEMPTS: u32 = 10;

/// How long deliver waits for what; all of it real time.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A read before a write may be so old.
    pub read_age: Duration,
    /// After a call that failed in doubt, so long is waited before the record is read back.
    pub doubt: Duration,
    /// After a crash or a take-over the other process's call may still be on its way: a write's
    /// time-out.
    pub doubt_of_another: Duration,
    /// How long a record that the CRM did not speak of waits for the next read.
    pub untold: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            read_age: Duration::from_secs(5),
            doubt: Duration::from_secs(2),
            doubt_of_another: Duration::from_secs(11),
            untold: Duration::from_secs(5),
        }
    }
}

/// One connection's deliverer, with what it knows only in memory: calls in doubt, and whether the
/// CRM needs a rest.
#[derive(Default)]
pub struct Deliver {
    patience: Patience,
    rest: Rest,
    doubts: HashMap<EffectKey, Instant>,
    /// After a failed call: fewer records in the next one.
    smaller: Option<usize>,
    /// No new call is begun after this.
    stop: CancellationToken,
    /// For the breaker's shares.
    open: breaker::Open,
    /// Writes that the CRM refuses one after the other.
    refusals: refusals::Refusals,
    /// The breaker's alert, where it did not get through.
    again: alert::Again,
}

impl Deliver {
    /// With other waiting times than the daemon's.
    pub fn with_patience(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Ends a step early, between two calls, once this is cancelled.
    pub fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// A second deliverer for the same connection, so that notices need not wait for the CRM's
    /// calls, nor these for a slow mail server. Both keep the CRM's rest.
    pub fn beside(&self) -> Self {
        Self { patience: self.patience, rest: self.rest.clone(), stop: self.stop.clone(), ..Self::default() }
    }

    /// Carries out all that is due now, each lane once. Answers how many effects moved on.
    ///
    /// # Errors
    /// When the database is unavailable or the lease is lost. What was sent and not settled is in
    /// doubt and will be read back.
    pub async fn step(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        Ok(self.step_crm(engine, site, lease).await? + self.step_notices(engine, site, lease).await?)
    }

    /// What is due in the CRM: reads, writes, tasks.
    ///
    /// # Errors
    /// As [`Deliver::step`].
    pub async fn step_crm(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let span = tracing::info_span!("deliver", connection = %site.name());
        async {
            let desk = self.desk(engine, site, lease).await?;
            let mut moved = self.reads(desk).await?;
            moved += self.resolve_doubts(desk).await?;
            moved += self.drop_discarded(desk).await?;
            moved += self.writes(desk).await?;
            engine.metrics.held(site.name(), outbox::count_held(&engine.db, site.name()).await?);
            moved += self.tasks(desk).await?;
            Ok(moved)
        }
        .instrument(span)
        .await
    }

    /// What people are to be told.
    ///
    /// # Errors
    /// As [`Deliver::step`].
    pub async fn step_notices(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let span = tracing::info_span!("notify", connection = %site.name());
        async {
            let desk = self.desk(engine, site, lease).await?;
            Ok(self.alert(desk).await? + self.left_over_notices(desk).await? + self.notices(desk).await?)
        }
        .instrument(span)
        .await
    }

    /// What a step works with; whether the connection is armed is looked up once a step.
    async fn desk<'d>(&self, engine: &'d Engine, site: &'d Site, lease: &'d Lease) -> Result<Desk<'d>, StoreError> {
        let switches = Switches::read(&engine.db, site.name()).await?;
        let (acts, signed_in) = (switches.acts(site), switches.signed_out().is_none());
        Ok(Desk { engine, site, lease, patience: self.patience, acts, signed_in })
    }

    /// How long until something that only memory knows is due: a rest ends, a doubt ripens.
    pub fn next_look(&self) -> Option<Duration> {
        let now = monotonic_now();
        let doubt = self.doubts.values().min().map(|at| at.saturating_duration_since(now));
        // Nothing is looked into while the CRM rests.
        self.rest.remaining().or(doubt)
    }

    /// Whether the CRM may be called now.
    fn may_call(&self, desk: Desk<'_>) -> bool {
        desk.signed_in && self.rest.is_over() && !self.stop.is_cancelled()
    }

    /// Whether a call in doubt may be looked into now. One that this process knows nothing of was
    /// left over by another.
    fn is_ripe(&mut self, key: &EffectKey) -> bool {
        let now = monotonic_now();
        let ripe = *self.doubts.entry(key.clone()).or_insert(now + self.patience.doubt_of_another);
        ripe <= now
    }

    fn doubt(&mut self, keys: impl Iterator<Item = EffectKey>, wait: Duration) {
        let ripe = monotonic_now() + wait;
        self.doubts.extend(keys.map(|key| (key, ripe)));
    }

    /// One bad record must not take the others with it, nor one that makes the CRM stumble: halves
    /// are tried, down to the single one that is to blame.
    fn halve(&mut self, sent: usize) {
        self.smaller = Some((sent / 2).max(1));
    }

    /// A call went well: after a failure the next may carry twice as many.
    fn grow(&mut self, sent: usize) -> Sliced {
        match self.smaller.take() {
            None => Sliced::On(sent),
            Some(most) => {
                self.smaller = most.checked_mul(2).filter(|most| *most < GATHER as usize);
                Sliced::Over(sent)
            }
        }
    }
}

/// How a slice of a lane went.
enum Sliced {
    /// So many effects moved on; the next slice may follow.
    On(usize),
    /// The round is over: the CRM needs a rest, or the rest of the work is to be cut anew.
    Over(usize),
}

/// How long an item that was put off waits: doubling, with full jitter, at most a quarter of an hour.
fn backoff(attempts: u32) -> Duration {
    let most = Duration::from_secs(1).saturating_mul(1 << attempts.min(10)).min(Duration::from_secs(900));
    most.mul_f64(rand::random_range(0.1..=1.0))
}
