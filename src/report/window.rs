//! The periods that are measured: weeks (ISO, from Monday), months and quarters of a zone. A moment
//! belongs to the period in which it lies; the end of a period is the beginning of the next.

use crate::agreement::model::Period;
use crate::record::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use std::fmt;

/// One week, month or quarter.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub period: Period,
    /// Its first day, in the agreement's zone.
    pub first: Date,
    pub from: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
}

impl Window {
    /// The period that this moment lies in.
    pub fn containing(period: Period, at: Timestamp, zone: &TimeZone) -> Self {
        Self::of_day(period, at.to_jiff().to_zoned(zone.clone()).date(), zone)
    }

    /// The period that this day lies in.
    pub fn of_day(period: Period, day: Date, zone: &TimeZone) -> Self {
        let first = match period {
            Period::Week => day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days()),
            Period::Month => day.first_of_month(),
            Period::Quarter => Date::constant(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
        };
        let (from, until) = (midnight(first, zone), midnight(next(period, first), zone));
        Self { period, first, from, until }
    }

    /// The period before this one.
    pub fn before(&self, zone: &TimeZone) -> Self {
        Self::of_day(self.period, self.first.yesterday().unwrap_or(self.first), zone)
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
    }

    /// Whether nothing more can happen in it.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }

    /// The period that a person names: `week`, `month` or `quarter` for the one that runs at `now`, `last-week`,
    /// `last-month` or `last-quarter` for the one before it, or what [`Window::parse`] reads.
    pub fn named(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Self> {
        let (kind, is_last) = text.strip_prefix("last-").map_or((text, false), |kind| (kind, true));
        let period = match kind {
            "week" => Period::Week,
            "month" => Period::Month,
            "quarter" => Period::Quarter,
            _ => return Self::parse(text, zone),
        };
        let running = Self::containing(period, now, zone);
        Some(if is_last { running.before(zone) } else { running })
    }

    /// Reads `2027-W05`, `2027-03` or `2027-Q1`.
    pub fn parse(text: &str, zone: &TimeZone) -> Option<Self> {
        let (year, rest) = text.split_once('-')?;
        let year: i16 = year.parse().ok().filter(|y| (1971..=9000).contains(y))?;
        let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        let (period, day) = match rest.as_bytes().first()? {
            b'W' => (Period::Week, ISOWeekDate::new(year, number(&rest[1..])?, Weekday::Monday).ok()?.date()),
            b'Q' => (Period::Quarter, Date::new(year, number(&rest[1..])?.checked_mul(3)?.checked_sub(2)?, 1).ok()?),
            _ => (Period::Month, Date::new(year, number(rest)?, 1).ok()?),
        };
        Some(Self::of_day(period, day, zone))
    }
}

fn next(period: Period, first: Date) -> Date {
    match period {
        Period::Week => first.saturating_add(1.week()),
        Period::Month => first.saturating_add(1.month()),
        Period::Quarter => first.saturating_add(3.months()),
    }
}

/// The first moment of a day; where midnight is skipped, the moment after the gap.
fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    day.to_zoned(zone.clone()).map_or(Timestamp::MAX, |z| Timestamp::from_jiff(z.timestamp()))
}

impl fmt::Display for Window {
    /// `2027-W05`, `2027-03`, `2027-Q1`: what [`Window::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.first;
        match self.period {
            Period::Week => {
                let week = day.iso_week_date();
                write!(f, "{}-W{:02}", week.year(), week.week())
            }
            Period::Month => write!(f, "{}-{:02}", day.year(), day.month()),
            Period::Quarter => write!(f, "{}-Q{}", day.year(), (day.month() - 1) / 3 + 1),
        }
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Window {
    /// Its name.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boston() -> TimeZone {
        TimeZone::get("America/New_York").unwrap()
    }

    #[test]
    fn a_period_begins_at_midnight_of_its_zone_and_ends_where_the_next_begins() {
        let march = Window::parse("2027-03", &boston()).unwrap();
        assert_eq!(march.from.to_string(), "2027-03-01T05:00:00.000Z");
        // Daylight saving began on the way.
        assert_eq!(march.until.to_string(), "2027-04-01T04:00:00.000Z");
        assert_eq!(Window::containing(Period::Month, march.until, &boston()).before(&boston()), march);
        assert!(march.contains(march.from) && !march.contains(march.until));
    }

    #[test]
    fn weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() {
        let zone = TimeZone::UTC;
        for (day, name) in [("2027-01-03", "2026-W53"), ("2027-01-04", "2027-W01"), ("2027-02-01", "2027-W05")] {
            let week = Window::of_day(Period::Week, day.parse().unwrap(), &zone);
            assert_eq!(week.to_string(), name);
            assert_eq!(Window::parse(name, &zone), Some(week));
        }
    }

    #[test]
    fn a_period_may_be_told_by_what_runs_what_ran_last_or_its_name() {
        let now = Timestamp::parse("2027-02-10T12:00:00Z").expect("a moment");
        for (text, name) in [
            ("week", "2027-W06"),
            ("month", "2027-02"),
            ("quarter", "2027-Q1"),
            ("last-week", "2027-W05"),
            ("last-month", "2027-01"),
            ("last-quarter", "2026-Q4"),
            ("2026-12", "2026-12"),
        ] {
            assert_eq!(Window::named(text, now, &TimeZone::UTC).expect("a period").to_string(), name);
        }
        assert_eq!(Window::named("last-2026", now, &TimeZone::UTC), None);
    }

    #[test]
    fn names_that_are_no_period_are_refused() {
        for text in ["2027", "2027-13", "2027-Q5", "2027-Q0", "2027-W54", "2027-W00", "27-Q", "2027-+3", "next-month"] {
            assert_eq!(Window::parse(text, &TimeZone::UTC), None, "{text}");
        }
        assert_eq!(Window::parse("2027-Q4", &TimeZone::UTC).unwrap().first.to_string(), "2027-10-01");
    }
}
