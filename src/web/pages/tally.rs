//! The numbers at the top of the first page. Counting walks what it counts: how that is kept from every page is
//! in `counted`.

use super::super::Web;
use super::counted::Counted;
use crate::engine::Engine;
use crate::engine::switches::Switches;
use crate::store::clock::ClockState;
use crate::store::{StoreError, clock, inbox, outbox};
use std::sync::Arc;

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

/// The numbers as they were last counted.
#[derive(Default)]
pub struct Tally(Counted<Counts>);

impl Tally {
    /// The counts, at most a little old; `None` while the first are taken.
    pub async fn counts(&self, web: &Web) -> Option<Arc<Counts>> {
        let engine = web.engine.clone();
        self.0.look(web.patience, || async move { count(&engine).await }).await
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
