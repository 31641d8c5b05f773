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
    /// For each bucket of the table: how many stretches end before it, or as it begins.
    by_bucket: Vec<u16>,
}

/// A fortnight or so: small enough that a bucket sees a change or two, large enough that the index stays in the cache.
const BUCKET_S: i64 = 16 * DAY_S;

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
        let ended = |begin: i64| stretches.partition_point(|s| s.end <= begin) as u16;
        let by_bucket = (0..=DAYS * DAY_S / BUCKET_S).map(|bucket| ended(bucket * BUCKET_S)).collect();
        Self { stretches, by_bucket }
    }

    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Wall time of a moment; both in milliseconds of the table.
    pub fn to_local(&self, utc: i64) -> i64 {
        let seconds = utc.div_euclid(1000);
        let i = self.first_from(seconds, |s| s.end > seconds);
        utc.saturating_add(self.stretches[i].offset * 1000)
    }

    /// The moment of a wall time: the first of two; for one that a gap skips, as if the clock had not yet been changed
    /// (what jiff and RFC 5545 call compatible).
    pub fn to_utc(&self, local: i64) -> i64 {
        let seconds = local.div_euclid(1000);
        // No offset is a day long, so a stretch that ends a day before in UTC has ended in wall time too.
        let i = self.first_from(seconds.saturating_sub(DAY_S), |s| s.end + s.offset > seconds);
        let Stretch { start, offset, .. } = self.stretches[i];
        let skipped = seconds < start + offset && i > 0;
        let offset = if skipped { self.stretches[i - 1].offset } else { offset };
        local.saturating_sub(offset * 1000)
    }

    /// The first stretch that passes, of those that end after `from` (seconds of the table); else the last of all.
    fn first_from(&self, from: i64, passes: impl Fn(&Stretch) -> bool) -> usize {
        let bucket = (from.max(0) / BUCKET_S).min(self.by_bucket.len() as i64 - 1);
        let last = self.stretches.len() - 1;
        // Few steps, if any: what the bucket itself still holds of changes.
        let mut i = usize::from(self.by_bucket[bucket as usize]);
        while i < last && !passes(&self.stretches[i]) {
            i += 1;
        }
        i
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_year_of_the_tables_agrees_with_jiff_in_both_directions() {
        for name in ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC"] {
            let zone = TimeZone::get(name).expect(name);
            let offsets = ZoneOffsets::of(&zone);
            for t in (-2 * DAY_S..(DAYS + 2) * DAY_S).step_by(24_841) {
                let moment = jiff::Timestamp::from_second(t + EPOCH_S).expect("a moment");
                let local = t + i64::from(zone.to_offset(moment).seconds());
                assert_eq!(offsets.to_local(t * 1000), local * 1000, "{name} at {moment}");
                let back = zone.to_timestamp(zone.to_datetime(moment)).expect("a moment");
                assert_eq!(offsets.to_utc(local * 1000), (back.as_second() - EPOCH_S) * 1000, "{name} at {moment}");
            }
        }
    }

    #[test]
    fn a_wall_time_in_a_gap_or_a_fold_is_read_as_jiff_reads_it() {
        for name in ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"] {
            let zone = TimeZone::get(name).expect(name);
            let offsets = ZoneOffsets::of(&zone);
            for pair in offsets.stretches().windows(2) {
                for around in -9..=9 {
                    let local = pair[0].end + pair[0].offset + around * 600;
                    let wall = jiff::Timestamp::from_second(local + EPOCH_S).expect("a moment");
                    let wall = TimeZone::UTC.to_datetime(wall);
                    let expected = zone.to_timestamp(wall).expect("a moment").as_second() - EPOCH_S;
                    assert_eq!(offsets.to_utc(local * 1000), expected * 1000, "{name} {wall}");
                }
            }
        }
    }
}
