//! Measured reports for pages and API. Measuring walks every record of a connection, so no page waits for it: a report
//! is made in the background, by one at a time however many ask, and shown while a newer one is in the making. The
//! longer it took, the longer it is kept. What is measured, and how, is `engine/measure`.

use crate::engine::Site;
use crate::engine::clock::monotonic_now;
use crate::engine::measure;
use crate::record::{ConnectionName, Timestamp};
use crate::report::figures::{Dimension, Report};
use crate::report::tally::Question;
use crate::report::window::Window;
use crate::store::{Db, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

const FRESH: Duration = Duration::from_secs(2);
/// Measuring takes at most one part in so many of the time.
const SELDOM: u32 = 20;
/// Reports kept at most.
const KEPT: usize = 32;
/// Reports in the making at most, most of them waiting for their turn.
const ASKED: usize = 8;

/// Of which connection, over which period, split by what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    connection: ConnectionName,
    period: Window,
    by: Option<Dimension>,
}

/// What is asked for.
pub struct Of<'a> {
    pub db: &'a Db,
    pub site: &'a Arc<Site>,
    pub period: Window,
    /// What the waterfall is split by.
    pub by: Option<Dimension>,
    pub now: Timestamp,
}

/// A report that was asked for.
struct Slot {
    /// The newest; `None` until the first is made.
    made: watch::Sender<Option<Arc<Report>>>,
    is_in_making: bool,
    /// Until then nobody makes another.
    fresh_until: Instant,
    last_asked: Instant,
}

/// What there is to show.
#[derive(Clone, Debug)]
pub enum Figures {
    /// Maybe of a while ago: it says of when.
    Made(Arc<Report>),
    /// The first one is in the making.
    Counting,
}

/// The reports that were asked for lately.
pub struct Measured {
    slots: Arc<Mutex<HashMap<Key, Slot>>>,
    /// Several at once would take each other's time, and the workers'.
    turn: Arc<Semaphore>,
    /// The daemon's own threads: those of the servers answer requests.
    runtime: Handle,
    stopping: CancellationToken,
}

impl Measured {
    /// In a tokio runtime, until `stopping`.
    pub fn new(stopping: CancellationToken) -> Self {
        let (slots, turn) = (Arc::default(), Arc::new(Semaphore::new(1)));
        Self { slots, turn, runtime: Handle::current(), stopping }
    }

    /// The newest report of a connection over a period, for which nobody waits longer than `patience`.
    pub async fn look(&self, of: &Of<'_>, patience: Duration) -> Figures {
        let key = Key { connection: of.site.name().clone(), period: of.period, by: of.by };
        let Some((mut made, is_due)) = self.ask(&key) else { return Figures::Counting };
        if is_due {
            self.make(of, key);
        }
        let _ = tokio::time::timeout(patience, made.wait_for(Option::is_some)).await;
        let made = made.borrow().clone();
        made.map_or(Figures::Counting, Figures::Made)
    }

    /// Something that was measured has changed by a person's word: what is kept is not fresh any more. It is shown until
    /// there is something newer.
    pub fn outdate(&self, connection: &ConnectionName) {
        let now = monotonic_now();
        let mut slots = held(&self.slots);
        slots.iter_mut().filter(|(key, _)| key.connection == *connection).for_each(|(_, slot)| slot.fresh_until = now);
    }

    /// Where the report will be, and whether it is the caller's to make it. `None`: too many are in the making.
    fn ask(&self, key: &Key) -> Option<(watch::Receiver<Option<Arc<Report>>>, bool)> {
        let (now, mut slots) = (monotonic_now(), held(&self.slots));
        let is_busy = slots.values().filter(|slot| slot.is_in_making).count() >= ASKED;
        if let Some(slot) = slots.get_mut(key) {
            slot.last_asked = now;
            let is_due = !slot.is_in_making && slot.fresh_until <= now && !is_busy;
            slot.is_in_making |= is_due;
            return Some((slot.made.subscribe(), is_due));
        }
        if is_busy {
            return None;
        }
        make_room(&mut slots);
        let (made, seen) = watch::channel(None);
        slots.insert(key.clone(), Slot { made, is_in_making: true, fresh_until: now, last_asked: now });
        Some((seen, true))
    }

    /// On a thread of its own: counting a page of records is a piece of work.
    fn make(&self, of: &Of<'_>, key: Key) {
        let (slots, turn, stopping) = (self.slots.clone(), self.turn.clone(), self.stopping.clone());
        let (runtime, db, site, now) = (self.runtime.clone(), of.db.clone(), of.site.clone(), of.now);
        self.runtime.spawn_blocking(move || {
            let making = Making { slots, key };
            runtime.block_on(async {
                let Ok(_turn) = turn.acquire().await else { return };
                let began = monotonic_now();
                let made = tokio::select! {
                    made = measured(&db, &site, &making.key, now) => made,
                    () = stopping.cancelled() => return,
                };
                making.done(made, began);
            });
        });
    }
}

/// The one who is never asked for is let go first.
fn make_room(slots: &mut HashMap<Key, Slot>) {
    while slots.len() >= KEPT {
        let idle = slots.iter().filter(|(_, slot)| !slot.is_in_making).min_by_key(|(_, slot)| slot.last_asked);
        let Some(key) = idle.map(|(key, _)| key.clone()) else { return };
        slots.remove(&key);
    }
}

fn held(slots: &Mutex<HashMap<Key, Slot>>) -> MutexGuard<'_, HashMap<Key, Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A report in the making; however that ends, another may be made afterwards.
struct Making {
    slots: Arc<Mutex<HashMap<Key, Slot>>>,
    key: Key,
}

impl Making {
    fn done(&self, made: Result<Report, StoreError>, began: Instant) {
        let now = monotonic_now();
        let mut slots = held(&self.slots);
        let Some(slot) = slots.get_mut(&self.key) else { return };
        slot.fresh_until = now + FRESH.max(now.duration_since(began) * SELDOM);
        match made {
            Ok(report) => {
                slot.made.send_replace(Some(Arc::new(report)));
            }
            Err(error) => tracing::error!(connection = %self.key.connection, "cannot be measured: {error}"),
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Some(slot) = held(&self.slots).get_mut(&self.key) {
            slot.is_in_making = false;
        }
    }
}

async fn measured(db: &Db, site: &Site, key: &Key, now: Timestamp) -> Result<Report, StoreError> {
    let (own, period) = (site.connection.agreement.is_some(), key.period.to_string());
    let question = measure::question(db, &key.connection, own, &site.agreement, (&period, now)).await?;
    let question = question.ok_or_else(|| StoreError::Corrupt(format!("{period} is no period")))?;
    measure::measure(db, Question { by: key.by, ..question }).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::model::Period;
    use jiff::tz::TimeZone;

    fn key(n: i64) -> Key {
        let at = Timestamp::from_millis(n * 86_400_000 * 40);
        let period = Window::containing(Period::Month, at, &TimeZone::UTC);
        Key { connection: ConnectionName::new("acme"), period, by: None }
    }

    fn measured() -> Measured {
        Measured::new(CancellationToken::new())
    }

    /// As if a report had been made, or could not be.
    fn done(measured: &Measured, key: &Key) {
        let making = Making { slots: measured.slots.clone(), key: key.clone() };
        making.done(Err(StoreError::Corrupt("for a test".into())), monotonic_now());
    }

    #[tokio::test]
    async fn of_all_who_ask_at_once_one_makes_it() {
        let measured = measured();
        let due: Vec<bool> = (0..20).filter_map(|_| measured.ask(&key(1))).map(|(_, is_due)| is_due).collect();
        assert_eq!((due.len(), due.iter().filter(|due| **due).count(), due[0]), (20, 1, true));
        done(&measured, &key(1));
        assert!(!measured.ask(&key(1)).unwrap().1, "it is fresh");
    }

    #[tokio::test]
    async fn what_is_not_fresh_is_made_again_by_the_next_who_asks() {
        let measured = measured();
        measured.ask(&key(1)).unwrap();
        done(&measured, &key(1));
        measured.outdate(&ConnectionName::new("another"));
        assert!(!measured.ask(&key(1)).unwrap().1);
        measured.outdate(&ConnectionName::new("acme"));
        assert!(measured.ask(&key(1)).unwrap().1);
        assert!(!measured.ask(&key(1)).unwrap().1, "one is enough");
    }

    #[tokio::test]
    async fn the_longer_it_took_the_longer_it_is_kept() {
        let measured = measured();
        measured.ask(&key(1)).unwrap();
        let making = Making { slots: measured.slots.clone(), key: key(1) };
        let began = monotonic_now() - Duration::from_secs(10);
        making.done(Err(StoreError::Corrupt("for a test".into())), began);
        drop(making);
        let fresh_until = held(&measured.slots)[&key(1)].fresh_until;
        assert!(fresh_until >= monotonic_now() + Duration::from_secs(190));
    }

    #[tokio::test]
    async fn few_are_in_the_making_and_not_many_are_kept() {
        let measured = measured();
        let asked = (0..20).filter(|n| measured.ask(&key(*n)).is_some()).count();
        assert_eq!(asked, ASKED);
        (0..100).for_each(|n| {
            measured.ask(&key(n));
            done(&measured, &key(n));
        });
        assert_eq!(held(&measured.slots).len(), KEPT);
        assert!(held(&measured.slots).contains_key(&key(99)), "the newest stay");
    }
}
