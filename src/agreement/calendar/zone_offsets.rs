//! The offsets of one time zone as a short sorted list, so that turning a moment into wall time and back takes
//! nanoseconds. The rules of zones themselves come from jiff and are read once.

use super::{DAY_S, DAYS, EPOCH_S};
use jiff::tz::TimeZone;

/// A time of constant offset. All in seconds of the table: since day 0 00:00, UTC or local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// When it begins and ends, UTC; the end is exclusive.
    pub start: i64,
    pub end: i64,
    /// Seconds east of UTC.
    pub offset: i64,
}

/// The stretches of a zone, without gaps between them; the first and the last reach past the tables.
#[derive(Debug)]
pub(super) struct ZoneOffsets {
    stretches: Vec<Stretch>,
}

/// Far enough that no time in milliseconds that we can hold lies beyond, near enough that sums do not overflow.
const FOREVER_S: i64 = i64::MAX / 4_000;

impl ZoneOffsets {
    pub fn of(zone: &TimeZone) -> Self {
        let first = jiff::Timestamp::from_second(EPOCH_S).expect("the first day of the tables is a moment");
        let mut offset = i64::from(zone.to_offset(first).seconds());
        let mut start = -FOREVER_S;
        let mut stretches = Vec::new();
        for change in zone.following(first) {
            let at = change.timestamp().as_second() - EPOCH_S;
            if at >= DAYS * DAY_S {
                break;
            }
            let next = i64::from(change.offset().seconds());
            // A change of the abbreviation alone is none to us.
            if next != offset {
                stretches.push(Stretch { start, end: at, offset });
                (start, offset) = (at, next);
            }
        }
        stretches.push(Stretch { start, end: FOREVER_S, offset });
        Self { stretches }
    }

    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Wall time of a moment; both in milliseconds of the table.
    pub fn to_local(&self, utc: i64) -> i64 {
        let seconds = utc.div_euclid(1000);
        let i = self.stretches.partition_point(|s| s.end <= seconds).min(self.stretches.len() - 1);
        utc.saturating_add(self.stretches[i].offset * 1000)
    }

    /// The moment of a wall time: the first of two; for one that a gap skips, as if the clock had not yet been changed
    /// (what jiff and RFC 5545 call compatible).
    pub fn to_utc(&self, local: i64) -> i64 {
        let seconds = local.div_euclid(1000);
        let i = self.stretches.partition_point(|s| s.end + s.offset <= seconds).min(self.stretches.len() - 1);
        let Stretch { start, offset, .. } = self.stretches[i];
        let skipped = seconds < start + offset && i > 0;
        let offset = if skipped { self.stretches[i - 1].offset } else { offset };
        local.saturating_sub(offset * 1000)
    }
}
