//! Takes deliveries in: stored and committed before they are answered, many requests in one
//! transaction. While one commit runs the next group gathers. What a delivery says is not looked at.

use super::clock::monotonic_now;
use super::context::Site;
use crate::record::ConnectionName;
use crate::store::inbox::{self, Insertion, NewDelivery};
use crate::store::{Db, Priority, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// Most rows and bytes of one transaction.
const GROUP_ROWS: usize = 512;
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// What may wait, in units: a delivery takes one, and one more for every [`UNIT`] bytes. So at most
/// so many deliveries wait, and 64 MiB of them.
const UNITS: usize = 4096;
const UNIT: usize = 16 * 1024;
/// A CRM waits a few seconds for an answer: after this it is told to come again.
const PATIENCE: Duration = Duration::from_secs(2);
/// A transaction that hangs for so long is given up, so that those behind it are served.
const LONGEST: Duration = Duration::from_secs(5);
/// For so long after a failed commit this replica calls itself not ready.
const UNWELL: Duration = Duration::from_secs(5);

/// A handle to the queue; clones share it. When the last is dropped, what waits is still stored.
#[derive(Clone)]
pub struct Ingest {
    queue: mpsc::Sender<Waiting>,
    all: Arc<Semaphore>,
    /// Half of the whole for each connection: one that floods us leaves room for the others.
    shares: Arc<HashMap<ConnectionName, Arc<Semaphore>>>,
    health: Arc<Health>,
}

/// A delivery with its place in the queue and whoever waits for it.
struct Waiting {
    delivery: NewDelivery,
    answer: oneshot::Sender<Result<Insertion, StoreError>>,
    _seats: [OwnedSemaphorePermit; 2],
}

#[derive(Default)]
struct Health {
    failed: Mutex<Option<Instant>>,
    commits: AtomicU64,
}

impl Health {
    fn note(&self, failed: bool) {
        *self.failed.lock().unwrap_or_else(|e| e.into_inner()) = failed.then(monotonic_now);
    }

    fn is_well(&self) -> bool {
        let failed = *self.failed.lock().unwrap_or_else(|e| e.into_inner());
        failed.is_none_or(|at| monotonic_now().duration_since(at) > UNWELL)
    }
}

impl Ingest {
    /// Starts the committer as a task of the current runtime, for deliveries to these sites.
    pub fn start(db: Db, sites: &[Arc<Site>]) -> Self {
        let (queue, waiting) = mpsc::channel(UNITS);
        let share = |site: &Arc<Site>| (site.name().clone(), Arc::new(Semaphore::new(UNITS / 2)));
        let health = Arc::new(Health::default());
        let sites: HashMap<_, _> = sites.iter().map(|site| (site.name().clone(), site.clone())).collect();
        let shares = Arc::new(sites.values().map(share).collect());
        tokio::spawn(Committer { db, sites, health: health.clone() }.run(waiting));
        Self { queue, all: Arc::new(Semaphore::new(UNITS)), shares, health }
    }

    /// Stores a delivery. When this returns `Ok` it survives a power cut.
    ///
    /// # Errors
    /// `Unavailable` when too much waits already, the database fails, or there is no answer within
    /// two seconds; in the last case the delivery may be stored all the same. `Refused` for a
    /// connection that was not among the sites.
    pub async fn store(&self, delivery: NewDelivery) -> Result<Insertion, StoreError> {
        let seats = self.seats(&delivery)?;
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { delivery, answer, _seats: seats }).map_err(|_| full())?;
        match timeout(PATIENCE, answered).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(_)) => Err(StoreError::Unavailable("the committer ended".into())),
            Err(_) => {
                self.health.note(true);
                Err(StoreError::Unavailable(format!("not committed within {PATIENCE:?}")))
            }
        }
    }

    /// Whether the last commits went well, as far as was tried within the last seconds.
    pub fn is_well(&self) -> bool {
        self.health.is_well()
    }

    /// How many transactions stored deliveries so far.
    pub fn commits(&self) -> u64 {
        self.health.commits.load(Ordering::Relaxed)
    }

    fn seats(&self, delivery: &NewDelivery) -> Result<[OwnedSemaphorePermit; 2], StoreError> {
        let unknown = || StoreError::Refused(format!("`{}` is no connection at work", delivery.connection));
        let share = self.shares.get(&delivery.connection).ok_or_else(unknown)?;
        let units = u32::try_from(1 + delivery.body.len() / UNIT).map_err(|_| full())?;
        let take = |room: &Arc<Semaphore>| room.clone().try_acquire_many_owned(units).map_err(|_| full());
        Ok([take(share)?, take(&self.all)?])
    }
}

fn full() -> StoreError {
    StoreError::Unavailable("too many deliveries wait to be stored".into())
}

/// The one task that commits.
struct Committer {
    db: Db,
    sites: HashMap<ConnectionName, Arc<Site>>,
    health: Arc<Health>,
}

impl Committer {
    async fn run(self, mut waiting: mpsc::Receiver<Waiting>) {
        while let Some(first) = waiting.recv().await {
            let group = gather(first, &mut waiting);
            if !group.is_empty() {
                self.commit(group).await;
            }
        }
    }

    async fn commit(&self, group: Vec<Waiting>) {
        let (deliveries, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|w| (w.delivery, (w.answer, w._seats))).unzip();
        let outcomes = self.store_each(&deliveries).await;
        self.health.note(outcomes.iter().any(|o| matches!(o, Err(StoreError::Unavailable(_)))));
        for ((answer, _seats), outcome) in answers.into_iter().zip(outcomes) {
            // Whoever gave up waiting was answered already.
            let _ = answer.send(outcome);
        }
        self.stir(&deliveries);
    }

    /// All in one transaction. What the database refuses as a whole is tried one by one, so that a
    /// single delivery cannot keep others out.
    async fn store_each(&self, deliveries: &[NewDelivery]) -> Vec<Result<Insertion, StoreError>> {
        match self.store_all(deliveries).await {
            Ok(stored) => stored.into_iter().map(Ok).collect(),
            Err(StoreError::Refused(why)) if deliveries.len() > 1 => {
                tracing::warn!(rows = deliveries.len(), "a group of deliveries is stored one by one: {why}");
                let mut outcomes = Vec::with_capacity(deliveries.len());
                for one in deliveries {
                    let stored = self.store_all(std::slice::from_ref(one)).await;
                    outcomes.push(stored.map(|all| all.first().copied().unwrap_or(Insertion::Stored)));
                }
                outcomes
            }
            Err(error) => {
                tracing::error!(rows = deliveries.len(), "deliveries could not be stored: {error}");
                let told = |_| Err(StoreError::Unavailable(error.to_string()));
                deliveries.iter().map(told).collect()
            }
        }
    }

    async fn store_all(&self, deliveries: &[NewDelivery]) -> Result<Vec<Insertion>, StoreError> {
        let transaction = async {
            let mut tx = self.db.begin(Priority::Ingest).await?;
            let stored = inbox::insert_all(&mut tx, deliveries).await?;
            tx.commit().await?;
            self.health.commits.fetch_add(1, Ordering::Relaxed);
            Ok(stored)
        };
        let hung = |_| Err(StoreError::Unavailable(format!("no commit within {LONGEST:?}")));
        timeout(LONGEST, transaction).await.unwrap_or_else(hung)
    }

    fn stir(&self, deliveries: &[NewDelivery]) {
        let names: BTreeSet<_> = deliveries.iter().map(|d| &d.connection).collect();
        for site in names.into_iter().filter_map(|name| self.sites.get(name)) {
            site.stirred.notify_one();
        }
    }
}

/// All that waits now, up to a transaction's worth, without those who gave up waiting.
fn gather(first: Waiting, waiting: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let (mut group, mut bytes) = (Vec::new(), 0);
    let mut next = Some(first);
    while let Some(one) = next {
        if !one.answer.is_closed() {
            bytes += one.delivery.body.len();
            group.push(one);
        }
        let is_full = group.len() >= GROUP_ROWS || bytes >= GROUP_BYTES;
        next = if is_full { None } else { waiting.try_recv().ok() };
    }
    group
}
