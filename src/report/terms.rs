//! Which version of the agreement measures which period: the one in force at the period's end, or
//! now where it is still running. Names (stages, clocks, handoffs, commitments) are matched across
//! versions by name.

use super::window::Window;
use crate::agreement::Agreement;
use crate::record::Timestamp;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The versions of one agreement. There is at least one.
#[derive(Clone, Debug)]
pub struct Terms {
    /// In the order in which they came into force.
    versions: Vec<(Timestamp, Arc<Agreement>)>,
}

impl Terms {
    /// An agreement with one version.
    pub fn one(agreement: Arc<Agreement>) -> Self {
        Self { versions: vec![(agreement.effective_at, agreement)] }
    }

    /// From versions and the moments at which they were activated; `None` when there are none. A
    /// version is in force from then on, but never before the day that it names itself.
    pub fn of(versions: impl IntoIterator<Item = (Arc<Agreement>, Timestamp)>) -> Option<Self> {
        let dated =
            versions.into_iter().map(|(agreement, activated)| (activated.max(agreement.effective_at), agreement));
        let mut versions: Vec<_> = dated.collect();
        versions.sort_by_key(|(from, _)| *from);
        (!versions.is_empty()).then_some(Self { versions })
    }

    /// The version that measures a period. Periods from before all versions are measured by the first.
    pub fn measuring(&self, window: &Window, now: Timestamp) -> &Arc<Agreement> {
        let in_force = |from: Timestamp| from < window.until && from <= now;
        let found = self.versions.iter().rev().find(|(from, _)| in_force(*from));
        &found.unwrap_or(&self.versions[0]).1
    }

    /// From when on anything was agreed: what happened before is not measured.
    pub fn since(&self) -> Timestamp {
        self.versions.iter().map(|(_, agreement)| agreement.effective_at).min().unwrap_or(Timestamp::MIN)
    }

    /// The zone of periods: that of the newest version.
    pub fn zone(&self) -> TimeZone {
        self.versions[self.versions.len() - 1].1.zone()
    }
}
