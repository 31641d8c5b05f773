//! Walks along journals' hash chains that somebody asked for from a page: in the background, one at a
//! time, each connection's last result kept. What holds is the store's to say.

use crate::engine::Clock;
use crate::record::{ConnectionName, Timestamp};
use crate::store::Db;
use crate::store::journal::{Verified, walk};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a walk ended, and when.
#[derive(Clone, Debug)]
pub struct Walked {
    pub at: Timestamp,
    /// The error is for people: the database did not answer.
    pub found: Result<Verified, String>,
}

/// A walk that goes on.
#[derive(Clone, Debug)]
pub struct Walking {
    pub connection: ConnectionName,
    pub walked: u64,
    pub of: u64,
}

#[derive(Default)]
pub struct Audits(Mutex<State>);

#[derive(Default)]
struct State {
    walking: Option<Walking>,
    last: HashMap<ConnectionName, Walked>,
}

impl Audits {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn walking(&self) -> Option<Walking> {
        self.state().walking.clone()
    }

    /// How the last walk along this chain ended.
    pub fn last(&self, connection: &ConnectionName) -> Option<Walked> {
        self.state().last.get(connection).cloned()
    }

    /// Begins a walk, unless one goes on; answers whether it began.
    pub fn begin(self: &Arc<Self>, db: Db, connection: ConnectionName, clock: Clock) -> bool {
        {
            let mut state = self.state();
            if state.walking.is_some() {
                return false;
            }
            state.walking = Some(Walking { connection: connection.clone(), walked: 0, of: 0 });
        }
        // Taken back even when the walk ends badly.
        let walk = Under { audits: self.clone() };
        tokio::spawn(async move {
            let audits = walk.audits.clone();
            let mut progress = |walked, of| {
                if let Some(walking) = audits.state().walking.as_mut() {
                    (walking.walked, walking.of) = (walked, of);
                }
            };
            let found = self::walk(&db, &connection, None, &mut progress).await;
            let found = found.map_err(|error| {
                tracing::error!(%connection, "the journal could not be verified: {error}");
                "the database did not answer".to_owned()
            });
            walk.audits.state().last.insert(connection, Walked { at: clock.now(), found });
        });
        true
    }
}

/// A walk that goes on for as long as this lives.
struct Under {
    audits: Arc<Audits>,
}

impl Drop for Under {
    fn drop(&mut self) {
        self.audits.state().walking = None;
    }
}
