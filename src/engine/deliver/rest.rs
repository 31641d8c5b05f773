//! A breaker for one connection: after a failed call the CRM is left alone for a while, longer each
//! time, at most half a minute unless it asks for more. Clones share it.

use crate::crm::CrmError;
use crate::engine::clock::monotonic_now;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(30);

/// Reads may work while writes fail, so each counts its own failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Read,
    Write,
    Task,
}

impl Call {
    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Call::Read => "read",
            Call::Write => "write",
            Call::Task => "task",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Rest(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    /// Failures in a row, by kind of call.
    failures: [u32; 3],
}

impl Rest {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn is_over(&self) -> bool {
        self.state().until.is_none_or(|until| until <= monotonic_now())
    }

    /// `None` when it is over.
    pub fn remaining(&self) -> Option<Duration> {
        let until = self.state().until;
        until.map(|until| until.saturating_duration_since(monotonic_now())).filter(|d| !d.is_zero())
    }

    pub fn worked(&self, call: Call) {
        self.state().failures[call as usize] = 0;
    }

    /// A whole call failed: no more calls until the rest is over. A refusal needs none: the CRM works.
    pub fn failed(&self, call: Call, error: &CrmError) {
        let asked = match error {
            CrmError::Later { after, .. } => *after,
            // Until the connection is known to be signed out, by which it is left alone altogether.
            CrmError::SignIn { .. } | CrmError::Doubt { .. } => None,
            CrmError::Never { .. } => return self.worked(call),
        };
        let mut state = self.state();
        let failures = &mut state.failures[call as usize];
        *failures = failures.saturating_add(1);
        let own = Duration::from_millis(250).saturating_mul(1 << (*failures).min(7)).min(LONGEST);
        let rest = asked.unwrap_or_else(|| own.mul_f64(rand::random_range(0.5..=1.0)));
        let until = monotonic_now() + rest;
        state.until = state.until.max(Some(until));
    }
}
