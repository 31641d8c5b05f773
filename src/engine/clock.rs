//! The one clock: the only place that reads the time. Deadlines and history live in engine time,
//! which a demo may run faster; signatures, leases and the age of reads are real.

use crate::record::{Elapsed, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Engine time: the wall clock, an accelerated one for a demo, or one that is set by hand.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real,
    Fast(Fast),
    Manual(Arc<AtomicI64>),
}

#[derive(Clone, Copy, Debug)]
struct Fast {
    since: Instant,
    starts_at: Timestamp,
    speed: f64,
}

impl Clock {
    /// The wall clock.
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that stands at `starts_at` now and runs `speed` times as fast as the wall's.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn fast(starts_at: Timestamp, speed: f64) -> Self {
        Self(Kind::Fast(Fast { since: Instant::now(), starts_at, speed }))
    }

    /// A clock that stands still until [`Clock::set`] moves it: for tests.
    pub fn manual(at: Timestamp) -> Self {
        Self(Kind::Manual(Arc::new(AtomicI64::new(at.as_millis()))))
    }

    /// Moves a manual clock, and all its clones; others go on as they do.
    pub fn set(&self, at: Timestamp) {
        if let Kind::Manual(now) = &self.0 {
            now.store(at.as_millis(), Ordering::SeqCst);
        }
    }

    /// Engine time: what deadlines, history and `not before` are measured in.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::Real => real_now(),
            Kind::Manual(now) => Timestamp::from_millis(now.load(Ordering::SeqCst)),
            Kind::Fast(fast) => {
                let gone = fast.since.elapsed().as_secs_f64() * fast.speed * 1000.0;
                fast.starts_at + Elapsed::from_millis(gone as i64)
            }
        }
    }

    /// How long to sleep, really, until that much engine time has passed.
    pub fn to_real(&self, engine: Elapsed) -> Duration {
        Duration::from_secs_f64((engine.as_millis().max(0) as f64 / 1000.0 / self.speed()).min(86_400.0))
    }

    /// How much engine time passes in a real time: for waiting after a failure, which is real.
    pub fn to_engine(&self, real: Duration) -> Elapsed {
        Elapsed::from_millis((real.as_secs_f64() * 1000.0 * self.speed()) as i64)
    }

    /// Whether it goes as the wall clock does, or where it is set; a demo's goes faster.
    pub fn is_as_fast_as_the_wall(&self) -> bool {
        !matches!(self.0, Kind::Fast(_))
    }

    fn speed(&self) -> f64 {
        if let Kind::Fast(fast) = &self.0 { fast.speed } else { 1.0 }
    }
}

/// The wall clock: for signatures, leases and logs.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn real_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since.as_millis() as i64)
}

/// Monotonic time, for waiting and for the age of reads.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn monotonic_now() -> Instant {
    Instant::now()
}
