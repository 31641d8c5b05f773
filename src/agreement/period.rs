//! Weeks, months and quarters as stretches of time in a zone: what commitments are measured over,
//! attested for, and reviewed by. What is measured in them is not done here.

use super::model::Period;
use crate::record::Timestamp;
use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, civil};

/// One week (Monday to Sunday), month or quarter, from midnight to midnight in its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub period: Period,
    /// Its first day.
    pub first: Date,
    pub from: Timestamp,
    /// Exclusive: where the next one begins.
    pub until: Timestamp,
}

impl Stretch {
    /// The one that a moment lies in.
    pub fn containing(period: Period, at: Timestamp, zone: &TimeZone) -> Self {
        Self::of_day(period, zone.to_datetime(at.to_jiff()).date(), zone)
    }

    /// The one that a day lies in.
    pub fn of_day(period: Period, day: Date, zone: &TimeZone) -> Self {
        let first = match period {
            Period::Week => day.saturating_sub(Span::new().days(day.weekday().to_monday_zero_offset())),
            Period::Month => day.first_of_month(),
            Period::Quarter => civil::date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
        };
        let next = first.saturating_add(length(period));
        Self { period, first, from: midnight(first, zone), until: midnight(next, zone) }
    }

    /// The one that ended where this begins.
    pub fn before(&self, zone: &TimeZone) -> Self {
        Self::of_day(self.period, self.first.saturating_sub(Span::new().days(1)), zone)
    }

    /// The one that begins where this ends.
    pub fn after(&self, zone: &TimeZone) -> Self {
        Self::of_day(self.period, self.first.saturating_add(length(self.period)), zone)
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// `2027-W03` (as ISO 8601 counts weeks), `2027-03`, `2027-Q1`.
    pub fn name(&self) -> String {
        let day = self.first;
        match self.period {
            Period::Week => {
                let week = day.iso_week_date();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Period::Month => format!("{}-{:02}", day.year(), day.month()),
            Period::Quarter => format!("{}-Q{}", day.year(), (day.month() - 1) / 3 + 1),
        }
    }

    /// Reads what [`Stretch::name`] writes.
    ///
    /// # Errors
    /// A sentence with how this period is written.
    pub fn parse(period: Period, text: &str, zone: &TimeZone) -> Result<Self, String> {
        let day = first_day(period, text.trim());
        day.map(|day| Self::of_day(period, day, zone)).ok_or_else(|| {
            let (what, like) = match period {
                Period::Week => ("week", "2027-W03"),
                Period::Month => ("month", "2027-03"),
                Period::Quarter => ("quarter", "2027-Q1"),
            };
            format!("`{text}` is no {what}: write it like `{like}`")
        })
    }
}

fn length(period: Period) -> Span {
    match period {
        Period::Week => Span::new().weeks(1),
        Period::Month => Span::new().months(1),
        Period::Quarter => Span::new().months(3),
    }
}

/// The first moment of a day; where the clocks skip midnight, the one after the gap.
fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    let start = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
    start.map_or(Timestamp::MAX, Timestamp::from_jiff)
}

fn first_day(period: Period, text: &str) -> Option<Date> {
    let (year, rest) = text.split_once('-')?;
    let year: i16 = year.parse().ok().filter(|y| (1900..=9000).contains(y))?;
    match period {
        Period::Week => {
            let week = rest.strip_prefix('W')?.parse().ok()?;
            Some(ISOWeekDate::new(year, week, Weekday::Monday).ok()?.date())
        }
        Period::Month => Date::new(year, rest.parse().ok()?, 1).ok(),
        Period::Quarter => {
            let quarter: i8 = rest.strip_prefix('Q')?.parse().ok().filter(|q| (1..=4).contains(q))?;
            Date::new(year, quarter * 3 - 2, 1).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boston() -> TimeZone {
        TimeZone::get("America/New_York").expect("zone")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a moment")
    }

    fn check(period: Period, moment: &str, name: &str, from: &str, until: &str) {
        let stretch = Stretch::containing(period, at(moment), &boston());
        assert_eq!((stretch.name().as_str(), stretch.from, stretch.until), (name, at(from), at(until)));
        assert_eq!(Stretch::parse(period, name, &boston()), Ok(stretch));
        assert_eq!(stretch.before(&boston()).after(&boston()), stretch);
        assert_eq!(stretch.before(&boston()).until, stretch.from);
    }

    #[test]
    fn periods_begin_and_end_at_the_zones_midnight() {
        check(Period::Month, "2027-03-20T12:00:00Z", "2027-03", "2027-03-01T05:00:00Z", "2027-04-01T04:00:00Z");
        check(Period::Month, "2027-04-01T03:59:59Z", "2027-03", "2027-03-01T05:00:00Z", "2027-04-01T04:00:00Z");
        check(Period::Quarter, "2027-12-31T23:00:00Z", "2027-Q4", "2027-10-01T04:00:00Z", "2028-01-01T05:00:00Z");
        check(Period::Week, "2027-03-14T12:00:00Z", "2027-W10", "2027-03-08T05:00:00Z", "2027-03-15T04:00:00Z");
        check(Period::Week, "2027-01-02T12:00:00Z", "2026-W53", "2026-12-28T05:00:00Z", "2027-01-04T05:00:00Z");
    }

    #[test]
    fn what_is_no_period_is_refused_with_the_way_to_write_it() {
        for (period, text, like) in [
            (Period::Week, "2027-W54", "2027-W03"),
            (Period::Month, "2027-13", "2027-03"),
            (Period::Month, "March", "2027-03"),
            (Period::Quarter, "2027-Q5", "2027-Q1"),
            (Period::Quarter, "2027-Q100", "2027-Q1"),
        ] {
            let why = Stretch::parse(period, text, &boston()).expect_err(text);
            assert!(why.contains(like), "{why}");
        }
    }
}
