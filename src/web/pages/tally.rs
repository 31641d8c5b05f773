//! The numbers at the top of the first page. Counting walks what it counts, so they are kept for a
//! while: the longer they took, the longer. However many people watch, the database counts seldom.

use super::super::Web;
use crate::engine::Engine;
use crate::engine::clock::monotonic_now;
use crate::engine::switches::Switches;
use crate::store::clock::ClockState;
use crate::store::{StoreError, clock, inbox, outbox};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const FRESH: Duration = Duration::from_secs(2);
/// After that they are still shown so long while they are counted anew.
const STALE: Duration = Duration::from_secs(60);
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

#[derive(Clone, Default)]
pub struct Tally(Arc<Kept>);

#[derive(Default)]
struct Kept {
    taken: Mutex<Option<Taken>>,
    /// Whoever counts holds it.
    turn: Arc<tokio::sync::Mutex<()>>,
}

struct Taken {
    counts: Arc<Counts>,
    at: Instant,
    keep: Duration,
}

impl Tally {
    /// The counts, at most a little old. Only the first who ask wait for them: later ones are given the former
    /// counts while newer ones are taken.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counts(&self, web: &Web) -> Result<Arc<Counts>, StoreError> {
        match self.kept() {
            Some((counts, true)) => Ok(counts),
            Some((counts, false)) => {
                if let Ok(turn) = self.0.turn.clone().try_lock_owned() {
                    let (tally, engine) = (self.clone(), web.engine.clone());
                    tokio::spawn(async move {
                        let _turn = turn;
                        if let Err(error) = tally.take(&engine).await {
                            tracing::warn!("the first page's numbers could not be counted: {error}");
                        }
                    });
                }
                Ok(counts)
            }
            None => {
                let _turn = self.0.turn.lock().await;
                match self.kept() {
                    Some((counts, _)) => Ok(counts),
                    None => self.take(&web.engine).await,
                }
            }
        }
    }

    /// The counts, and whether they are fresh; those that nobody asked for in a long time are not shown any more.
    fn kept(&self) -> Option<(Arc<Counts>, bool)> {
        let taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |t: &Taken| monotonic_now().duration_since(t.at);
        let shown = taken.as_ref().filter(|t| age(t) < t.keep + STALE);
        shown.map(|t| (t.counts.clone(), age(t) < t.keep))
    }

    async fn take(&self, engine: &Engine) -> Result<Arc<Counts>, StoreError> {
        let began = monotonic_now();
        let counts = Arc::new(count(engine).await?);
        let at = monotonic_now();
        let keep = FRESH.max(at.duration_since(began) * SELDOM);
        let taken = Taken { counts: counts.clone(), at, keep };
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        Ok(counts)
    }
}

async fn count(engine: &Engine) -> Result<Counts, StoreError> {
    let db = &engine.db;
    let mut counts = Counts::default();
    let states = clock::count_states(db).await?;
    for (_, state, n) in &states {
        match state {
            ClockState::Open => counts.open += n,
            ClockState::Paused => counts.paused += n,
            ClockState::Breached => counts.breached += n,
        }
    }
    for site in engine.sites() {
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
