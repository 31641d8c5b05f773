//! Numbers that walk what they count: taken in the background by one at a time, however many ask, and kept
//! the longer, the longer they took. Nobody waits long for them, not even whoever asks first. What is counted
//! is in `tally` and in `risk/groups`.

use crate::engine::clock::monotonic_now;
use crate::store::StoreError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const FRESH: Duration = Duration::from_secs(2);
/// After that they are still shown so long while they are counted anew.
const STALE: Duration = Duration::from_secs(60);
/// Counting takes at most one part in so many of the time.
const SELDOM: u32 = 20;

/// The newest counts of one sort.
pub struct Counted<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    taken: Option<Taken<T>>,
    /// Told when the counting that goes on is over, however it ends.
    going: Option<watch::Receiver<()>>,
}

struct Taken<T> {
    counts: Arc<T>,
    at: Instant,
    keep: Duration,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { taken: None, going: None })))
    }
}

impl<T: Send + Sync + 'static> Counted<T> {
    /// The counts, at most a little old, for which nobody waits longer than `patience`. `None`: the first are
    /// being counted, or nobody asked for any in a long time.
    pub async fn look<F>(&self, patience: Duration, count: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let mut going = match self.kept() {
            (Some(counts), true) => return Some(counts),
            (Some(counts), false) => {
                self.begin(count);
                return Some(counts);
            }
            (None, _) => self.begin(count),
        };
        // Over when its sender is gone, too.
        let _ = tokio::time::timeout(patience, going.changed()).await;
        self.kept().0
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts that may be shown, and whether they are fresh.
    fn kept(&self) -> (Option<Arc<T>>, bool) {
        let state = self.state();
        let age = |taken: &Taken<T>| monotonic_now().duration_since(taken.at);
        let shown = state.taken.as_ref().filter(|taken| age(taken) < taken.keep + STALE);
        (shown.map(|taken| taken.counts.clone()), shown.is_some_and(|taken| age(taken) < taken.keep))
    }

    /// Begins to count, unless that goes on.
    fn begin<F>(&self, count: impl FnOnce() -> F) -> watch::Receiver<()>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let mut state = self.state();
        if let Some(going) = state.going.as_ref().filter(|going| going.has_changed().is_ok()) {
            return going.clone();
        }
        // Dropped with the task, so that a count that broke is followed by another.
        let (over, going) = watch::channel(());
        state.going = Some(going.clone());
        let (kept, counting, began) = (self.0.clone(), count(), monotonic_now());
        tokio::spawn(async move {
            match counting.await {
                Ok(counts) => {
                    let (at, counts) = (monotonic_now(), Arc::new(counts));
                    let keep = FRESH.max(at.duration_since(began) * SELDOM);
                    kept.lock().unwrap_or_else(PoisonError::into_inner).taken = Some(Taken { counts, at, keep });
                }
                Err(error) => tracing::warn!("the numbers of a page could not be counted: {error}"),
            }
            drop(over);
        });
        going
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    /// Counts itself.
    fn counting(times: &Arc<AtomicU32>, takes: Duration) -> impl FnOnce() -> CountingBox + use<> {
        let times = times.clone();
        move || {
            Box::pin(async move {
                tokio::time::sleep(takes).await;
                Ok(times.fetch_add(1, Ordering::SeqCst) + 1)
            })
        }
    }

    type CountingBox = std::pin::Pin<Box<dyn Future<Output = Result<u32, StoreError>> + Send>>;

    #[tokio::test]
    async fn whoever_asks_first_does_not_wait_for_a_long_count() {
        let (counted, times) = (Counted::default(), Arc::default());
        let takes = Duration::from_millis(200);
        assert_eq!(counted.look(Duration::from_millis(1), counting(&times, takes)).await, None);
        assert_eq!(counted.look(LONG, counting(&times, takes)).await.as_deref(), Some(&1), "it went on meanwhile");
    }

    #[tokio::test]
    async fn of_all_who_ask_at_once_one_counts() {
        let (counted, times) = (Counted::default(), Arc::default());
        let ask = || counted.look(LONG, counting(&times, Duration::from_millis(50)));
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        assert_eq!([a, b, c].map(|counts| counts.as_deref().copied()), [Some(1); 3]);
    }

    #[tokio::test]
    async fn a_count_that_fails_or_breaks_is_followed_by_another() {
        let (counted, times) = (Counted::<u32>::default(), Arc::default());
        let fails = || async { Err(StoreError::Unavailable("for a test".into())) };
        assert_eq!(counted.look(LONG, fails).await, None);
        let breaks = || async { panic!("for a test") };
        assert_eq!(counted.look(LONG, breaks).await, None);
        assert_eq!(counted.look(LONG, counting(&times, Duration::ZERO)).await.as_deref(), Some(&1));
    }
}
