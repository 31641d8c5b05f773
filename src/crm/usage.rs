//! How much of a CRM's allowance of calls is used, by anybody, as its answers tell. Each connector
//! reads its own CRM's headers; what follows from them is decided here and by the engine.

use super::CrmError;
use crate::record::{Elapsed, Timestamp};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Beyond this share of the day's calls nothing is sent any more: the rest is for people.
pub const LAST: f64 = 0.95;
/// What was told so long ago is asked anew.
const STALE: Elapsed = Elapsed::from_secs(15 * 60);
/// Calls are spaced out once less than this share of a short window is left.
const SCARCE: f64 = 0.1;
/// No call waits longer for its window.
const LONGEST_SPACE: Duration = Duration::from_secs(1);

/// Calls used of those allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub used: u64,
    pub limit: u64,
}

/// What the CRM's last answer told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// When, by the CRM's clock.
    pub at: Timestamp,
    /// Of a day, rolling or not.
    pub day: Option<Allowance>,
    /// Of some seconds, and how many milliseconds these are.
    pub window: Option<(Allowance, u64)>,
}

impl Allowance {
    /// 0 to 1, or more.
    pub fn share(self) -> f64 {
        if self.limit == 0 { 0.0 } else { self.used as f64 / self.limit as f64 }
    }
}

impl Usage {
    /// The used share of the day's calls, where it was told lately enough to be believed.
    pub fn share_of_day(&self, now: Timestamp) -> Option<f64> {
        self.day.filter(|_| now < self.at + STALE).map(Allowance::share)
    }

    /// How long the next call should wait, so that what is left of the window lasts.
    fn space(&self) -> Duration {
        let Some((window, milliseconds)) = self.window else { return Duration::ZERO };
        if window.share() <= 1.0 - SCARCE {
            return Duration::ZERO;
        }
        let left = window.limit.saturating_sub(window.used).max(1);
        Duration::from_millis(milliseconds / left).min(LONGEST_SPACE)
    }
}

/// Keeps what the answers of one connection tell.
#[derive(Debug, Default)]
pub struct Meter {
    used: Mutex<Option<Usage>>,
    /// How far the CRM's clock is ahead of ours.
    ahead: Mutex<Option<Elapsed>>,
}

impl Meter {
    fn usage_now(&self) -> MutexGuard<'_, Option<Usage>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the CRM's clock was ahead of ours when it last named its time.
    pub fn ahead(&self) -> Option<Elapsed> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that has just come named the CRM's time; one that named none changes nothing.
    pub fn note_ahead(&self, ahead: Option<Elapsed>) {
        if ahead.is_some() {
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = ahead;
        }
    }

    pub fn usage(&self) -> Option<Usage> {
        *self.usage_now()
    }

    /// An answer told this; what it does not tell stays as it was.
    pub fn note(&self, told: Usage) {
        if told.day.is_none() && told.window.is_none() {
            return;
        }
        let mut usage = self.usage_now();
        let before = *usage;
        *usage = Some(Usage { day: told.day.or(before.and_then(|b| b.day)), ..told });
    }

    /// Before a call: waits where the window is nearly used up.
    ///
    /// # Errors
    /// [`CrmError::Later`] when nearly all of the day's calls are used, but for one call now and then
    /// that asks how it stands.
    pub async fn admit(&self, now: Timestamp) -> Result<(), CrmError> {
        let Some(usage) = self.usage() else { return Ok(()) };
        if usage.share_of_day(now).is_some_and(|share| share >= LAST) {
            let after = (usage.at + STALE - now).to_std();
            let message = "nearly all of the CRM's calls of the day are used".to_owned();
            return Err(CrmError::Later { message, after: Some(after) });
        }
        let space = usage.space();
        if !space.is_zero() {
            tokio::time::sleep(space).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(day: (u64, u64), window: (u64, u64)) -> Usage {
        let allowance = |(used, limit)| Allowance { used, limit };
        let at = Timestamp::from_millis(0);
        Usage { at, day: Some(allowance(day)), window: Some((allowance(window), 10_000)) }
    }

    #[tokio::test]
    async fn the_last_twentieth_of_a_day_is_left_to_people_but_for_a_call_that_asks() {
        let meter = Meter::default();
        meter.note(usage((94, 100), (0, 100)));
        let minute = |n: i64| Timestamp::from_millis(n * 60_000);
        assert_eq!(meter.admit(minute(1)).await, Ok(()));
        meter.note(usage((95, 100), (0, 100)));
        let refused = meter.admit(minute(1)).await.unwrap_err();
        assert!(matches!(refused, CrmError::Later { after: Some(a), .. } if a == Duration::from_secs(14 * 60)));
        assert_eq!(meter.admit(minute(15)).await, Ok(()));
    }

    #[test]
    fn calls_are_spaced_only_when_little_of_the_window_is_left() {
        assert_eq!(usage((0, 1), (90, 100)).space(), Duration::ZERO);
        assert_eq!(usage((0, 1), (91, 100)).space(), Duration::from_secs(1));
        assert_eq!(usage((0, 1), (180, 190)).space(), Duration::from_secs(1));
        assert_eq!(usage((0, 1), (920, 1_000)).space(), Duration::from_millis(125));
    }

    #[test]
    fn an_answer_without_the_days_calls_leaves_them_as_they_were() {
        let meter = Meter::default();
        meter.note(usage((40, 100), (1, 100)));
        meter.note(Usage { day: None, ..usage((0, 0), (2, 100)) });
        assert_eq!(meter.usage().and_then(|u| u.day), Some(Allowance { used: 40, limit: 100 }));
        meter.note(Usage { at: Timestamp::from_millis(9), day: None, window: None });
        assert_eq!(meter.usage().map(|u| u.at), Some(Timestamp::from_millis(0)));
    }
}
