//! Who the CRM's owners are: kept in memory and in the database, refreshed daily and, at most once
//! a minute, when somebody is not found or the CRM did not answer.

use super::clock::monotonic_now;
use super::switches::Switches;
use crate::crm::{CrmError, Person, SharedCrm};
use crate::record::{ConnectionName, OwnerId};
use crate::store::person::{self, PersonRow};
use crate::store::{Db, Priority, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const FRESH: Duration = Duration::from_secs(24 * 3600);
const AGAIN: Duration = Duration::from_secs(60);
/// Another replica's reading of the CRM shows on our pages within this.
const NAMES: Duration = Duration::from_secs(5);

type People = HashMap<OwnerId, Person>;

/// What people are called.
pub struct Called {
    /// By the ids of owners and of users.
    pub names: HashMap<OwnerId, String>,
    /// Which of the ids are owners'.
    pub owners: HashSet<OwnerId>,
}

/// What owners are called, shared by the pages.
pub type OwnerNames = Arc<Called>;

/// One connection's owners.
#[derive(Default)]
pub struct Directory {
    known: Mutex<Known>,
    /// The connector was told of those whom the database keeps.
    recalled: AtomicBool,
    /// Never held while anything is waited for.
    names: std::sync::Mutex<Option<(Instant, OwnerNames)>>,
}

#[derive(Default)]
struct Known {
    people: Arc<People>,
    asked: Option<Instant>,
    /// The last question was not answered.
    failed: bool,
    /// It was refused for our credentials, in the CRM's words, and nobody was told yet.
    refused: Option<String>,
    loaded: bool,
}

/// The owners as they were known at one moment.
#[derive(Clone)]
pub struct Snapshot {
    people: Arc<People>,
    told: bool,
}

impl Snapshot {
    /// The owners as the database keeps them: for pages, which ask no CRM.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn stored(db: &Db, connection: &ConnectionName) -> Result<Self, StoreError> {
        let rows = person::load_all(db, connection).await?;
        let people: People = rows.into_iter().map(|row| (row.id.clone(), from_row(row))).collect();
        Ok(Self { told: !people.is_empty(), people: Arc::new(people) })
    }

    pub fn get(&self, id: &OwnerId) -> Option<&Person> {
        self.people.get(id)
    }

    /// What somebody is called, by the id of the owner or of the user.
    pub fn name(&self, id: &OwnerId) -> Option<String> {
        let by_user = || self.people.values().find(|p| p.user.as_ref() == Some(id));
        self.people.get(id).or_else(by_user).map(|p| p.name.clone())
    }

    /// Everybody, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// Whether the CRM ever told who its people are; else nobody can be said to be missing.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// An owner by id, or by e-mail address as rosters may name them.
    pub fn find(&self, id_or_email: &str) -> Option<&Person> {
        let by_id = self.people.get(&OwnerId::new(id_or_email));
        by_id.or_else(|| {
            let same =
                |p: &&Person| p.email.as_deref().is_some_and(|e| e.trim().eq_ignore_ascii_case(id_or_email.trim()));
            // Of several with one address (somebody who left and came back) whoever is active.
            self.people.values().filter(same).min_by_key(|p| (!p.active, p.id.clone()))
        })
    }
}

impl Directory {
    /// Before news or histories are understood: the connector is told, once, who people were when they were last
    /// read. The CRM is not asked, and nobody waits for whoever asks it.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn recall(&self, db: &Db, connection: &ConnectionName, crm: &SharedCrm) -> Result<(), StoreError> {
        if !self.recalled.load(Ordering::Acquire) {
            let people: Vec<Person> = person::load_all(db, connection).await?.into_iter().map(from_row).collect();
            crm.recall(&people);
            self.recalled.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// The owners, with all of `wanted` among them if the CRM knows them. A CRM that does not answer
    /// leaves us with what we knew: who is not found is then replaced by the party's channel.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn people(
        &self,
        db: &Db,
        connection: &ConnectionName,
        crm: &SharedCrm,
        wanted: &[OwnerId],
    ) -> Result<Snapshot, StoreError> {
        self.recall(db, connection, crm).await?;
        let mut known = self.known.lock().await;
        if !known.loaded {
            let rows = person::load_all(db, connection).await?;
            known.people = Arc::new(rows.into_iter().map(|row| (row.id.clone(), from_row(row))).collect());
            known.loaded = true;
        }
        let missing = wanted.iter().any(|id| !known.people.contains_key(id));
        let age = known.asked.map(|at| monotonic_now().duration_since(at));
        let stale = age.is_none_or(|age| age > FRESH);
        let wanted = stale || ((missing || known.failed) && age.is_none_or(|age| age > AGAIN));
        if wanted && Switches::read(db, connection).await?.signed_out().is_none() {
            known.asked = Some(monotonic_now());
            known.failed = true;
            match crm.people().await {
                Ok(people) => {
                    known.failed = false;
                    save(db, connection, &people).await?;
                    *self.kept_names() = None;
                    known.people = Arc::new(people.into_iter().map(|p| (p.id.clone(), p)).collect());
                }
                Err(error) => {
                    tracing::warn!(connection = %connection, "the CRM's owners could not be read: {error}");
                    if let CrmError::SignIn { message } = error {
                        known.refused = Some(message);
                    }
                }
            }
        }
        Ok(Snapshot { people: known.people.clone(), told: !known.failed || !known.people.is_empty() })
    }

    /// What the owners are called, as the database had it a few seconds ago: nearly every page names some, and
    /// they change a few times a day. The CRM is not asked.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn names(&self, db: &Db, connection: &ConnectionName) -> Result<OwnerNames, StoreError> {
        let now = monotonic_now();
        if let Some((_, names)) = self.kept_names().as_ref().filter(|(at, _)| now.duration_since(*at) < NAMES) {
            return Ok(names.clone());
        }
        let names = stored_names(db, connection).await?;
        *self.kept_names() = Some((now, names.clone()));
        Ok(names)
    }

    fn kept_names(&self) -> MutexGuard<'_, Option<(Instant, OwnerNames)>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the CRM refused our credentials since this was last asked, in its words.
    pub async fn take_refusal(&self) -> Option<String> {
        self.known.lock().await.refused.take()
    }
}

/// What a connection's owners are called, as the database has it now.
///
/// # Errors
/// When the database is unavailable.
pub async fn stored_names(db: &Db, connection: &ConnectionName) -> Result<OwnerNames, StoreError> {
    let people = person::load_all(db, connection).await?;
    let names = person::called(&people);
    Ok(Arc::new(Called { names, owners: people.into_iter().map(|row| row.id).collect() }))
}

async fn save(db: &Db, connection: &ConnectionName, people: &[Person]) -> Result<(), StoreError> {
    let rows: Vec<PersonRow> = people.iter().cloned().map(to_row).collect();
    let mut tx = db.begin(Priority::Work).await?;
    person::save_all(&mut tx, connection, &rows).await?;
    tx.commit().await
}

fn to_row(p: Person) -> PersonRow {
    PersonRow {
        id: p.id,
        user: p.user,
        name: p.name,
        email: p.email,
        manager: p.manager,
        active: p.active,
        queue: p.queue,
    }
}

fn from_row(r: PersonRow) -> Person {
    Person {
        id: r.id,
        user: r.user,
        name: r.name,
        email: r.email,
        manager: r.manager,
        active: r.active,
        queue: r.queue,
    }
}
