//! What is open of each clock, and whose the most is, for the top of the list. Counting walks what it
//! counts: how that is kept from every page is in `counted`.

use super::super::super::Web;
use super::super::counted::Counted;
use crate::engine::Engine;
use crate::record::PartyName;
use crate::store::clock::{self, ClockState, OwnerGroup};
use crate::store::{StoreError, outbox};
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// The groups as they were last counted.
#[derive(Default)]
pub struct Kept(Counted<Groups>);

impl Kept {
    /// The groups, at most a little old; `None` while the first are counted.
    pub async fn groups(&self, web: &Web) -> Option<Arc<Groups>> {
        let engine = web.engine.clone();
        self.0.look(web.patience, || async move { count(&engine).await }).await
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
