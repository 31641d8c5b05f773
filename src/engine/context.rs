//! What every worker is given: the database, the clock, the notifiers and the connections at work.

use super::clock::Clock;
use super::directory::Directory;
use super::metrics::Metrics;
use crate::agreement::Agreement;
use crate::crm::{Connection, SharedCrm};
use crate::notify::Notifiers;
use crate::record::ConnectionName;
use crate::store::Db;
use crate::store::journal::JournalEntry;
use std::sync::Arc;
use tokio::sync::{Notify, broadcast};

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
    pub sites: Vec<Arc<Site>>,
    /// Facts as they are journalled, for live pages and the demo's narrator.
    pub told: broadcast::Sender<Arc<JournalEntry>>,
}

/// A connection at work: its CRM, its agreement, and what wakes its workers.
pub struct Site {
    pub connection: Connection,
    pub crm: SharedCrm,
    pub agreement: Arc<Agreement>,
    /// Whether CRM writes are made; else they settle as *would have*.
    pub acts: bool,
    pub directory: Directory,
    /// Something was received.
    pub stirred: Notify,
    /// Effects were issued.
    pub issued: Notify,
}

impl Site {
    pub fn name(&self) -> &ConnectionName {
        &self.connection.name
    }
}

impl Engine {
    pub fn site(&self, name: &str) -> Option<&Arc<Site>> {
        self.sites.iter().find(|s| s.name().as_str() == name)
    }
}
