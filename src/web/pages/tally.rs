//! The numbers at the top of the first page. Counting walks what it counts, so they are kept for a
//! while: the longer they took, the longer. However many people watch, the database counts seldom.

use super::super::Web;
use crate::engine::clock::monotonic_now;
use crate::engine::switches::Switches;
use crate::store::clock::ClockState;
use crate::store::{StoreError, clock, inbox, outbox};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const FRESH: Duration = Duration::from_secs(2);
/// Counting takes at most one part in so many of the time.
const SELDOM: u32 = 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub open: u64,
    pub breached: u64,
    pub paused: u64,
    pub connections: Vec<OfConnection>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfConnection {
    pub name: String,
    pub enforces: bool,
    pub clocks: u64,
    pub waiting: u64,
    pub parked_deliveries: u64,
    /// Due or being sent.
    pub due: u64,
    pub parked_effects: u64,
    /// Moves that the breaker holds until a person decides.
    pub held: u64,
}

#[derive(Default)]
pub struct Tally(Mutex<Option<Taken>>);

struct Taken {
    counts: Arc<Counts>,
    at: Instant,
    keep: Duration,
}

impl Tally {
    /// The counts, at most a little old.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counts(&self, web: &Web) -> Result<Arc<Counts>, StoreError> {
        let mut taken = self.0.lock().await;
        let began = monotonic_now();
        if let Some(taken) = taken.as_ref().filter(|t| began.duration_since(t.at) < t.keep) {
            return Ok(taken.counts.clone());
        }
        let counts = Arc::new(count(web).await?);
        let at = monotonic_now();
        let keep = FRESH.max(at.duration_since(began) * SELDOM);
        *taken = Some(Taken { counts: counts.clone(), at, keep });
        Ok(counts)
    }
}

async fn count(web: &Web) -> Result<Counts, StoreError> {
    let db = &web.engine.db;
    let mut counts = Counts::default();
    let states = clock::count_states(db).await?;
    for (_, state, n) in &states {
        match state {
            ClockState::Open => counts.open += n,
            ClockState::Paused => counts.paused += n,
            ClockState::Breached => counts.breached += n,
        }
    }
    for site in web.engine.sites() {
        let inbox = inbox::counts(db, site.name()).await?;
        let outbox = outbox::counts(db, site.name()).await?;
        counts.connections.push(OfConnection {
            name: site.name().to_string(),
            enforces: Switches::read(db, site.name()).await?.acts(&site),
            clocks: states.iter().filter(|(name, ..)| name == site.name()).map(|(_, _, n)| n).sum(),
            waiting: inbox.received,
            parked_deliveries: inbox.parked,
            due: outbox.due + outbox.sending,
            parked_effects: outbox.parked,
            held: outbox.held,
        });
    }
    Ok(counts)
}
