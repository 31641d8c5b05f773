//! A breaker for one connection: after a failed call the CRM is left alone for a while, longer each
//! time, at most half a minute unless it asks for more.

use crate::crm::CrmError;
use crate::engine::clock::monotonic_now;
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Rest {
    until: Option<Instant>,
    failures: u32,
}

impl Rest {
    pub fn is_over(&self) -> bool {
        self.until.is_none_or(|until| until <= monotonic_now())
    }

    pub fn remaining(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(monotonic_now())).filter(|d| !d.is_zero())
    }

    pub fn worked(&mut self) {
        *self = Self::default();
    }

    /// A whole call failed: no more calls until the rest is over.
    pub fn failed(&mut self, error: &CrmError) {
        self.failures += 1;
        let asked = match error {
            CrmError::Later { after, .. } => *after,
            CrmError::SignIn { .. } => Some(Duration::from_secs(60)),
            CrmError::Doubt { .. } | CrmError::Never { .. } => None,
        };
        let own = Duration::from_millis(250).saturating_mul(1 << self.failures.min(7)).min(LONGEST);
        let rest = asked.unwrap_or_else(|| own.mul_f64(rand::random_range(0.5..=1.0)));
        self.until = Some(monotonic_now() + rest);
    }
}
