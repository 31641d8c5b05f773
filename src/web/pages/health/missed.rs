//! What arming a connection would mean: how many moves it has missed that would still be made, the first of them, and
//! how many clocks are breached. Finding out looks at each: how that is kept from the page is in `counted`.

use super::super::super::Web;
use super::super::counted::Counted;
use crate::engine::overdue::{self, TOGETHER};
use crate::engine::{Engine, Site};
use crate::record::{ConnectionName, Timestamp};
use crate::store::StoreError;
use crate::store::clock::{ClockState, count_state};
use crate::store::outbox::WaitingMove;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So many of them are named.
const NAMED: usize = 50;

#[derive(Clone, Debug, Default)]
pub struct Missed {
    pub moves: usize,
    /// The longest due.
    pub first: Vec<WaitingMove>,
    /// Clocks that are breached and still open.
    pub breached: u64,
    /// When it was looked at.
    pub at: Timestamp,
}

/// What each connection has missed by the version of its agreement, as last looked at.
#[derive(Default)]
pub struct MissedMoves(Mutex<HashMap<ConnectionName, Kept>>);

struct Kept {
    /// The agreement's.
    hash: Arc<str>,
    counted: Arc<Counted<Missed>>,
}

impl MissedMoves {
    /// What it has missed, at most a little old; `None` while it is looked at for the first time.
    pub async fn of(&self, web: &Web, site: &Arc<Site>) -> Option<Arc<Missed>> {
        let counted = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let hash = &site.agreement.hash;
            let fresh = || Kept { hash: hash.clone(), counted: Arc::default() };
            let kept = all.entry(site.name().clone()).or_insert_with(fresh);
            if kept.hash != *hash {
                *kept = fresh();
            }
            kept.counted.clone()
        };
        let (engine, site) = (web.engine.clone(), site.clone());
        counted.look(web.patience, || async move { look(&engine, &site).await }).await
    }
}

async fn look(engine: &Engine, site: &Site) -> Result<Missed, StoreError> {
    let breached = count_state(&engine.db, site.name(), ClockState::Breached).await?;
    let (mut missed, mut after, now) = (Missed::default(), None, engine.clock.now());
    (missed.breached, missed.at) = (breached, now);
    loop {
        let page = overdue::page(&engine.db, &site.agreement, site.name(), now, after.as_ref(), TOGETHER).await?;
        missed.moves += page.moves.len();
        let room = NAMED - missed.first.len();
        missed.first.extend(page.moves.into_iter().take(room));
        after = page.next;
        if after.is_none() {
            return Ok(missed);
        }
    }
}
