//! What is open of each clock, and whose the most is, for the top of the list. Counting walks what it
//! counts, so it is kept for a while: the longer it took, the longer.

use crate::engine::Engine;
use crate::engine::clock::monotonic_now;
use crate::record::PartyName;
use crate::store::clock::{self, ClockState, OwnerGroup};
use crate::store::{StoreError, outbox};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const FRESH: Duration = Duration::from_secs(3);
/// Counting takes at most one part in so many of the time.
const SELDOM: u32 = 20;
/// So many owners can be chosen from a list; others by their address.
const OWNERS: u32 = 200;

/// One clock with its open runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfClock {
    pub party: Option<PartyName>,
    pub open: u64,
    pub paused: u64,
    pub breached: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// By the clock's name, in the agreements' order of names.
    pub clocks: BTreeMap<String, OfClock>,
    /// Those with the most first.
    pub owners: Vec<OwnerGroup>,
    /// Moves that the breaker holds.
    pub held: u64,
}

#[derive(Default)]
pub struct Kept(Mutex<Option<Taken>>);

struct Taken {
    groups: Arc<Groups>,
    at: Instant,
    keep: Duration,
}

impl Kept {
    /// The groups, at most a little old.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn groups(&self, engine: &Engine) -> Result<Arc<Groups>, StoreError> {
        let mut taken = self.0.lock().await;
        let began = monotonic_now();
        if let Some(taken) = taken.as_ref().filter(|t| began.duration_since(t.at) < t.keep) {
            return Ok(taken.groups.clone());
        }
        let groups = Arc::new(count(engine).await?);
        let at = monotonic_now();
        let keep = FRESH.max(at.duration_since(began) * SELDOM);
        *taken = Some(Taken { groups: groups.clone(), at, keep });
        Ok(groups)
    }
}

async fn count(engine: &Engine) -> Result<Groups, StoreError> {
    let mut groups = Groups { owners: clock::owners(&engine.db, OWNERS).await?, ..Groups::default() };
    for group in clock::groups(&engine.db).await? {
        let of = groups.clocks.entry(group.clock).or_default();
        match group.state {
            ClockState::Open => of.open += group.runs,
            ClockState::Paused => of.paused += group.runs,
            ClockState::Breached => of.breached += group.runs,
        }
    }
    for site in engine.sites() {
        groups.held += outbox::counts(&engine.db, site.name()).await?.held;
        for clock in &site.agreement.clocks {
            if let Some(of) = groups.clocks.get_mut(&*clock.name) {
                of.party.get_or_insert_with(|| clock.party.clone());
            }
        }
    }
    Ok(groups)
}
