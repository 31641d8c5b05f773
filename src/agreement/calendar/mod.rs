//! The business calendar: which moments are open, and arithmetic that counts open time or open days alone.
//! Everything asked later is answered from tables made once, by `compile`. Spans of an agreement (`4bh`, `15bd`)
//! are read and applied in `agreement/span`; the TOML around the hours is read by `agreement/parse`.
//!
//! A moment is open when its wall clock in the calendar's zone stands within a range of that day. Daylight saving
//! needs no rule of its own: wall time that a spring gap skips is no open time, wall time that an autumn fold
//! repeats is open both times. Closing time itself is open, so that "by 18:00" includes 18:00.

mod compile;
mod holidays;
mod hours;
mod open_days;
mod open_time;
mod zone_offsets;

pub use compile::{CalendarPart, CalendarProblem, CalendarSpec};
pub use holidays::holidays_from_ics;
pub use hours::{TimeRange, parse_days, parse_range};

use crate::record::{Elapsed, Timestamp};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use open_days::OpenDays;
use open_time::OpenTime;
use std::fmt;
use zone_offsets::ZoneOffsets;

/// The years that the tables know, both included. Outside of them every moment and every day counts as open, so that
/// arithmetic stays total and monotonic: a deadline that would lie beyond comes early rather than never.
pub const FIRST_YEAR: i16 = 2010;
pub const LAST_YEAR: i16 = 2060;

/// Day 0 of all tables; times in them count from its midnight, UTC or local as each says.
const FIRST_DAY: Date = date(FIRST_YEAR, 1, 1);
/// 2010-01-01 00:00 UTC in seconds since 1970.
const EPOCH_S: i64 = 1_262_304_000;
const DAY_S: i64 = 86_400;
const DAY_MS: i64 = DAY_S * 1000;
/// Days of the tables: 51 years, 13 of them leap years.
const DAYS: i64 = 51 * 365 + 13;

/// When a party works. Made by `Calendar::compile`; cheap to ask, never changed.
pub struct Calendar {
    zone: TimeZone,
    offsets: ZoneOffsets,
    time: OpenTime,
    days: OpenDays,
}

impl Calendar {
    /// Whether `t` lies in open time. Opening time is open; closing time itself is open too.
    pub fn is_open(&self, t: Timestamp) -> bool {
        self.time.next_open(to_table(t)) == to_table(t)
    }

    /// `t` itself when open, else the next opening.
    pub fn next_open(&self, t: Timestamp) -> Timestamp {
        from_table(self.time.next_open(to_table(t)))
    }

    /// The moment that lies so much open time after `from` (before it when negative).
    /// Adding zero to a closed moment gives the next opening. A result that falls on closing time stays there;
    /// counting back, one that falls on an opening stays there.
    pub fn add_open(&self, from: Timestamp, by: Elapsed) -> Timestamp {
        from_table(self.time.add(to_table(from), by.as_millis()))
    }

    /// Open time between two moments; negative when `b` is before `a`.
    pub fn open_between(&self, a: Timestamp, b: Timestamp) -> Elapsed {
        Elapsed::from_millis(self.time.open_before(to_table(b)).saturating_sub(self.time.open_before(to_table(a))))
    }

    /// The same wall time `days` open days on (or back); where that is closed, the next opening, be it later that day
    /// or on a later one. The day of `from` is never counted, whether it is open or not: one business day after any
    /// hour of a Saturday is that hour on Monday. Zero days give `from`, or the next opening when it is closed.
    /// A wall time that a spring gap skips is read as that much later, one that comes twice as the first.
    pub fn add_open_days(&self, from: Timestamp, days: i32) -> Timestamp {
        if days == 0 {
            return self.next_open(from);
        }
        let local = self.offsets.to_local(to_table(from));
        let (day, wall) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS));
        let target = self.days.step(day, days).saturating_mul(DAY_MS).saturating_add(wall);
        from_table(self.time.next_open(self.offsets.to_utc(target)))
    }

    /// Whether this day has open time. Days outside of the tables do.
    pub fn is_open_day(&self, day: Date) -> bool {
        self.days.is_open(day_index(day))
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl fmt::Debug for Calendar {
    /// The tables are left out: they are long, and follow from the agreement.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar").field("zone", &self.zone.iana_name()).finish_non_exhaustive()
    }
}

/// Milliseconds since the midnight (UTC) that begins day 0.
fn to_table(t: Timestamp) -> i64 {
    t.as_millis().saturating_sub(EPOCH_S * 1000)
}

fn from_table(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms.saturating_add(EPOCH_S * 1000))
}

/// The number of a civil day, counted from day 0; negative before it.
fn day_index(day: Date) -> i64 {
    FIRST_DAY.duration_until(day).as_hours() / 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_of_the_tables_agree_with_the_civil_calendar() {
        let midnight = FIRST_DAY.to_zoned(TimeZone::UTC).expect("a valid day");
        assert_eq!(midnight.timestamp().as_second(), EPOCH_S);
        assert_eq!(day_index(date(LAST_YEAR + 1, 1, 1)), DAYS);
        assert_eq!(day_index(date(2009, 12, 31)), -1);
    }
}
