//! What every worker is given: the database, the clock, the notifiers and the connections at work.

use super::clock::Clock;
use super::directory::Directory;
use super::metrics::Metrics;
use super::switches::Acts;
use crate::agreement::Agreement;
use crate::crm::{Connection, SharedCrm};
use crate::notify::Notifiers;
use crate::record::ConnectionName;
use crate::store::Db;
use crate::store::journal::JournalEntry;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Notify, broadcast};

/// How many facts a slow listener may fall behind.
const TOLD: usize = 4_096;

/// The daemon's shared parts.
pub struct Engine {
    pub db: Db,
    pub clock: Clock,
    pub notifiers: Notifiers,
    /// Connections that only observe send notices too.
    pub notify_in_observe: bool,
    pub metrics: Arc<Metrics>,
    /// This process's own name among replicas.
    pub holder: String,
    /// Where the newest hash of every journal is mailed, once a day.
    pub mail_head_to: Option<String>,
    /// Where people reach the pages, without a slash at its end: letters link there.
    pub pages: Option<String>,
    sites: RwLock<Vec<Arc<Site>>>,
    /// Facts as they are journalled, for live pages and the demo's narrator.
    pub told: broadcast::Sender<Arc<JournalEntry>>,
}

/// A connection at work: its CRM, its agreement, and what wakes its workers.
pub struct Site {
    pub connection: Connection,
    pub crm: SharedCrm,
    pub agreement: Arc<Agreement>,
    /// Whether CRM writes are made, by the configuration and the signatures.
    pub acts: Acts,
    pub directory: Directory,
    /// Something was received. Shared with the site that takes this one's place, since ingest keeps it.
    pub stirred: Arc<Notify>,
    /// Effects were issued.
    pub issued: Arc<Notify>,
}

impl Site {
    pub fn name(&self) -> &ConnectionName {
        &self.connection.name
    }
}

/// What an engine is made of, but for its connections.
pub struct Parts {
    pub db: Db,
    pub clock: Clock,
    pub notifiers: Notifiers,
    pub notify_in_observe: bool,
}

impl Engine {
    /// An engine that works these connections.
    pub fn new(parts: Parts, holder: &str, sites: Vec<Arc<Site>>) -> Self {
        let Parts { db, clock, notifiers, notify_in_observe } = parts;
        let (metrics, holder) = (Arc::new(Metrics::default()), holder.to_owned());
        let (sites, told) = (RwLock::new(sites), broadcast::channel(TOLD).0);
        Self { db, clock, notifiers, notify_in_observe, metrics, holder, mail_head_to: None, pages: None, sites, told }
    }

    /// The address of a page as people reach it, where that is known.
    pub fn page(&self, path: &str) -> Option<String> {
        self.pages.as_ref().map(|pages| format!("{pages}{path}"))
    }

    /// The connections as they are now. One whose agreement changes is replaced, not altered.
    pub fn sites(&self) -> Vec<Arc<Site>> {
        self.sites.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn site(&self, name: &str) -> Option<Arc<Site>> {
        let sites = self.sites.read().unwrap_or_else(PoisonError::into_inner);
        sites.iter().find(|s| s.name().as_str() == name).cloned()
    }

    /// Adds connections, before any of them is worked.
    pub fn add(&self, more: Vec<Arc<Site>>) {
        self.sites.write().unwrap_or_else(PoisonError::into_inner).extend(more);
    }

    /// Puts a connection in the place of the one of its name, whose workers have stopped.
    pub fn replace(&self, site: Arc<Site>) {
        let mut sites = self.sites.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = sites.iter_mut().find(|s| s.name() == site.name()) {
            *place = site;
        }
    }
}
