//! Two offices and their hours, day by day: business time as one would count it on paper.

use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// From, in hours and minutes; until, in hours and minutes.
type Hours = (i8, i8, i8, i8);

/// Where work is done, and when.
pub struct Office {
    zone: TimeZone,
    /// Open from, to, for each day of the week from Monday.
    hours: [&'static [Hours]; 7],
    holidays: Vec<Date>,
    /// Open beside the usual hours.
    extra: Option<(Date, &'static [Hours])>,
}

const BERLIN: &[Hours] = &[(8, 30, 17, 30)];
const KOLKATA: &[Hours] = &[(10, 0, 13, 0), (14, 0, 19, 0)];

/// Field sales.
pub fn berlin() -> Office {
    Office {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        hours: [BERLIN, BERLIN, BERLIN, BERLIN, BERLIN, &[], &[]],
        holidays: [(1, 1), (3, 26), (3, 29), (5, 6), (5, 17)].map(|(month, day)| date(2027, month, day)).to_vec(),
        extra: Some((date(2027, 2, 20), &[(10, 0, 14, 0)])),
    }
}

/// Teleprospecting.
pub fn kolkata() -> Office {
    Office {
        zone: TimeZone::get("Asia/Kolkata").unwrap(),
        hours: [KOLKATA, KOLKATA, KOLKATA, KOLKATA, KOLKATA, KOLKATA, &[]],
        holidays: [(1, 26), (3, 22)].map(|(month, day)| date(2027, month, day)).to_vec(),
        extra: None,
    }
}

fn moment(at: i64) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap()
}

impl Office {
    fn at(&self, day: Date, time: Time) -> i64 {
        day.to_datetime(time).to_zoned(self.zone.clone()).unwrap().timestamp().as_millisecond()
    }

    /// When it is open on that day.
    fn open_on(&self, day: Date) -> Vec<(i64, i64)> {
        let monday = day.weekday().since(Weekday::Monday) as usize;
        let usual = if self.holidays.contains(&day) { &[] } else { self.hours[monday] };
        let extra = self.extra.filter(|(extra, _)| *extra == day).map_or(&[][..], |(_, hours)| hours);
        let at = |hour, minute| self.at(day, Time::constant(hour, minute, 0, 0));
        usual.iter().chain(extra).map(|(h, m, until_h, until_m)| (at(*h, *m), at(*until_h, *until_m))).collect()
    }

    fn day_of(&self, at: i64) -> Date {
        moment(at).to_zoned(self.zone.clone()).date()
    }

    /// When this much open time has passed.
    pub fn after(&self, at: i64, mut length: i64) -> i64 {
        let mut day = self.day_of(at);
        loop {
            for (from, until) in self.open_on(day) {
                let from = from.max(at);
                if until > from && until - from >= length {
                    return from + length;
                }
                length -= (until - from).max(0);
            }
            day = day.tomorrow().unwrap();
        }
    }

    /// The same wall time so many open days later, or the next opening.
    pub fn days_after(&self, at: i64, mut days: i32) -> i64 {
        let (mut day, time) = (self.day_of(at), moment(at).to_zoned(self.zone.clone()).time());
        while days > 0 {
            day = day.saturating_add(1.day());
            days -= i32::from(!self.open_on(day).is_empty());
        }
        let wall = self.at(day, time);
        loop {
            if let Some((from, _)) = self.open_on(day).into_iter().find(|(_, until)| *until >= wall) {
                return from.max(wall);
            }
            day = day.tomorrow().unwrap();
        }
    }

    pub fn open_between(&self, from: i64, until: i64) -> i64 {
        let mut day = self.day_of(from);
        let mut sum = 0;
        while day <= self.day_of(until) {
            sum += self.open_on(day).into_iter().map(|(a, b)| (b.min(until) - a.max(from)).max(0)).sum::<i64>();
            day = day.tomorrow().unwrap();
        }
        sum
    }
}
