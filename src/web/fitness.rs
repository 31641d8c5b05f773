//! How the installation fares, for its page and the API: what was last found when everything was
//! checked, and each connection by what is stored about it. Neither asks a CRM while a page waits.

use super::Web;
use crate::crm::Usage;
use crate::engine::Site;
use crate::engine::clock::real_now;
use crate::engine::doctor::{Check, Verdict};
use crate::engine::switches::{Acts, Switches};
use crate::record::{ConnectionName, Timestamp};
use crate::store::credential::{self, CredentialRow};
use crate::store::inbox::InboxCounts;
use crate::store::outbox::OutboxCounts;
use crate::store::vitals::{self, Holder, Vitals};
use crate::store::{StoreError, inbox, outbox};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Makes all checks; the error is for people.
pub type Examine = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Vec<Check>, String>> + Send>> + Send + Sync>;

/// When everything was checked, and what was found.
#[derive(Clone, Debug)]
pub struct Examined {
    pub at: Timestamp,
    pub found: Result<Vec<Check>, String>,
}

/// Examinations that somebody asked for: in the background, one at a time, the last one kept.
#[derive(Default)]
pub struct Examinations(Mutex<State>);

#[derive(Default)]
struct State {
    since: Option<Timestamp>,
    last: Option<Examined>,
}

impl Examinations {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when one goes on.
    pub fn going(&self) -> Option<Timestamp> {
        self.state().since
    }

    pub fn last(&self) -> Option<Examined> {
        self.state().last.clone()
    }

    /// Begins one, unless one goes on; answers whether it began.
    pub fn begin(self: &Arc<Self>, examine: &Examine) -> bool {
        {
            let mut state = self.state();
            if state.since.is_some() {
                return false;
            }
            state.since = Some(real_now());
        }
        let going = Going(self.clone());
        let checks = examine();
        tokio::spawn(async move {
            let found = checks.await;
            going.0.state().last = Some(Examined { at: real_now(), found });
        });
        true
    }
}

/// It goes on for as long as this lives, however it ends.
struct Going(Arc<Examinations>);

impl Drop for Going {
    fn drop(&mut self) {
        self.0.state().since = None;
    }
}

/// How many checks came out how.
pub fn counts(checks: &[Check]) -> (usize, usize, usize) {
    let of = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    (of(Verdict::Ok), of(Verdict::Warn), of(Verdict::Fail))
}

/// A connection by what is stored about it.
pub struct Fares {
    pub site: Arc<Site>,
    pub switches: Switches,
    pub vitals: Vitals,
    pub holder: Option<Holder>,
    pub inbox: InboxCounts,
    pub outbox: OutboxCounts,
    pub usage: Option<Usage>,
    pub credential: Option<CredentialRow>,
}

impl Fares {
    /// How it stands in one word, the worst thing first.
    pub fn state(&self, now: Timestamp) -> &'static str {
        if self.switches.signed_out().is_some() {
            "signed out"
        } else if self.switches.clocks_apart().is_some() {
            "clocks apart"
        } else if self.switches.pause(now).is_some() {
            "paused"
        } else if self.switches.breaker().is_some_and(|row| row.on) {
            "held"
        } else {
            self.mode()
        }
    }

    /// Whether it acts, but for what stops it for a while.
    pub fn mode(&self) -> &'static str {
        match (self.site.acts, self.switches.is_armed()) {
            (Acts::Always, _) => "enforces",
            (Acts::WhenArmed, true) => "armed",
            (Acts::WhenArmed, false) | (Acts::Never, _) => "observes",
        }
    }

    /// Whether somebody can arm or disarm it here.
    pub fn is_switchable(&self) -> bool {
        self.site.connection.mode.is_none()
    }
}

/// All connections, in the order of the configuration.
///
/// # Errors
/// When the database cannot be read.
pub async fn all(web: &Web) -> Result<Vec<Fares>, StoreError> {
    let db = &web.engine.db;
    let mut credentials: HashMap<ConnectionName, CredentialRow> =
        credential::load_all(db).await?.into_iter().map(|row| (row.connection.clone(), row)).collect();
    let mut all = Vec::new();
    for site in web.engine.sites() {
        let name = site.name();
        all.push(Fares {
            switches: Switches::read(db, name).await?,
            vitals: vitals::vitals(db, name).await?,
            holder: vitals::holder(db, name).await?,
            inbox: inbox::counts(db, name).await?,
            outbox: outbox::counts(db, name).await?,
            usage: site.crm.usage(),
            credential: credentials.remove(name),
            site,
        });
    }
    Ok(all)
}
