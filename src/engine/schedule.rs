//! When a cron expression fires next, without the traps of daylight saving. Expressions are parsed
//! by the `cron` crate; the clock is not read here and nothing is run.
//!
//! Intervals (`wake`, `reconcile`) run in UTC: every quarter of an hour stays one. What people set
//! by the wall (a daily report at 02:30) runs in their zone: once a day, in order; a time that does
//! not exist in spring fires as much later as the clocks went forward, one that comes twice in
//! autumn fires at the first.

use crate::record::Timestamp;
use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};
use jiff::civil;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// A checked expression: second, minute, hour, day of the month, month, day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(cron::Schedule);

/// Longer than any jump of a clock known; within this time after one the skipped times are still due.
const LOOK_BACK: jiff::SignedDuration = jiff::SignedDuration::from_hours(25);

impl Schedule {
    /// Reads six fields; days of the week by name only, since cron dialects number them differently
    /// (here `1-5` would be Sunday to Thursday).
    ///
    /// # Errors
    /// A sentence on what is wrong, with what to write instead where that is known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        match fields.len() {
            6 => {}
            5 => return Err(format!("five fields: put the seconds first, `0 {}`", fields.join(" "))),
            n => return Err(format!("{n} fields where six are needed: second minute hour day month weekday")),
        }
        if numbered_weekday(fields[5]) {
            return Err("days of the week go by name, such as `Mon-Fri`: numbers differ between crons".into());
        }
        let schedule = cron::Schedule::from_str(&fields.join(" ")).map_err(|_| reason(&fields))?;
        match schedule.after(&DateTime::UNIX_EPOCH).next() {
            Some(_) => Ok(Self(schedule)),
            None => Err("no day is like that: it never fires".into()),
        }
    }

    /// The first time after `after`: by the wall of `zone`, or in UTC. `None` when there is none
    /// (years end at 2100 for the parser).
    pub fn next_after(&self, after: Timestamp, zone: Option<&TimeZone>) -> Option<Timestamp> {
        match zone {
            Some(zone) => self.next_on_the_wall(after, zone),
            None => {
                let start = DateTime::from_timestamp_millis(after.as_millis())?;
                Some(Timestamp::from_millis(self.0.after(&start).next()?.timestamp_millis()))
            }
        }
    }

    /// The wall time is carried as if it were UTC and made a moment of the zone afterwards. Skipped
    /// times come out later than some that follow them, so that the earliest of all is looked for.
    fn next_on_the_wall(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut best: Option<(jiff::Timestamp, civil::DateTime)> = None;
        for wall in self.0.after(&fake_utc(look_from(after, zone))?) {
            let wall = civil_time(&wall)?;
            if best.is_some_and(|(_, until)| wall > until) {
                break;
            }
            let at = zone.to_ambiguous_timestamp(wall).compatible().ok()?;
            if Timestamp::from_jiff(at) > after && best.is_none_or(|(b, _)| at < b) {
                best = Some((at, zone.to_datetime(at)));
            }
        }
        best.map(|(at, _)| Timestamp::from_jiff(at))
    }
}

/// The wall time to look from: now's, or as much earlier as clocks jumped forward lately.
fn look_from(after: Timestamp, zone: &TimeZone) -> civil::DateTime {
    let after = after.to_jiff();
    let wall = zone.to_datetime(after);
    let Ok(before) = after.checked_sub(LOOK_BACK) else { return wall };
    let jumped = zone.to_offset(after).seconds() - zone.to_offset(before).seconds();
    wall.saturating_sub(jiff::SignedDuration::from_secs(i64::from(jumped.max(0))))
}

fn fake_utc(wall: civil::DateTime) -> Option<DateTime<Utc>> {
    let (date, time) = (wall.date(), wall.time());
    let date = chrono::NaiveDate::from_ymd_opt(
        i32::from(date.year()),
        date.month().unsigned_abs().into(),
        date.day().unsigned_abs().into(),
    )?;
    let time = chrono::NaiveTime::from_hms_nano_opt(
        time.hour().unsigned_abs().into(),
        time.minute().unsigned_abs().into(),
        time.second().unsigned_abs().into(),
        time.subsec_nanosecond().unsigned_abs(),
    )?;
    Some(NaiveDateTime::new(date, time).and_utc())
}

fn civil_time(fake: &DateTime<Utc>) -> Option<civil::DateTime> {
    let number = |n: u32| i8::try_from(n).ok();
    civil::DateTime::new(
        i16::try_from(fake.year()).ok()?,
        number(fake.month())?,
        number(fake.day())?,
        number(fake.hour())?,
        number(fake.minute())?,
        number(fake.second())?,
        0,
    )
    .ok()
}

/// A number other than the step after a slash.
fn numbered_weekday(field: &str) -> bool {
    field.split(',').any(|part| part.split('/').next().is_some_and(|days| days.contains(|c: char| c.is_ascii_digit())))
}

/// Which field the parser refuses: each is tried alone.
fn reason(fields: &[&str]) -> String {
    const NAMES: [&str; 6] = ["second", "minute", "hour", "day of the month", "month", "day of the week"];
    let refused = |i: usize| {
        let mut alone = ["*"; 6];
        alone[i] = fields[i];
        cron::Schedule::from_str(&alone.join(" ")).is_err()
    };
    match (0..6).find(|i| refused(*i)) {
        Some(i) => format!("`{}` is no {}", fields[i], NAMES[i]),
        None => "this is no cron expression".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a moment")
    }

    /// The next `n` times in New York, with their offsets.
    fn fires(cron: &str, from: &str, n: usize) -> Vec<String> {
        let zone = TimeZone::get("America/New_York").expect("zone");
        let schedule = Schedule::parse(cron).expect("a schedule");
        let mut now = at(from);
        let mut seen = vec![];
        for _ in 0..n {
            now = schedule.next_after(now, Some(&zone)).expect("another");
            seen.push(now.to_jiff().to_zoned(zone.clone()).strftime("%d %H:%M %Z").to_string());
        }
        seen
    }

    #[test]
    fn a_daily_time_that_spring_skips_fires_once_an_hour_later() {
        let seen = fires("0 30 2 * * *", "2027-03-13T12:00:00Z", 3);
        assert_eq!(seen, ["14 03:30 EDT", "15 02:30 EDT", "16 02:30 EDT"]);
    }

    #[test]
    fn a_daily_time_that_autumn_repeats_fires_once() {
        let seen = fires("0 30 1 * * *", "2027-11-06T12:00:00Z", 3);
        assert_eq!(seen, ["07 01:30 EDT", "08 01:30 EST", "09 01:30 EST"]);
    }

    #[test]
    fn asked_within_the_repeated_hour_the_first_pass_is_not_told_again() {
        // 01:10 EST, after 01:30 EDT has passed.
        assert_eq!(fires("0 30 1 * * *", "2027-11-07T06:10:00Z", 1), ["08 01:30 EST"]);
    }

    #[test]
    fn half_hourly_times_come_in_order_across_both_changes() {
        let autumn = fires("0 */30 * * * *", "2027-11-07T04:45:00Z", 4);
        assert_eq!(autumn, ["07 01:00 EDT", "07 01:30 EDT", "07 02:00 EST", "07 02:30 EST"]);
        let spring = fires("0 */30 * * * *", "2027-03-14T06:15:00Z", 4);
        assert_eq!(spring, ["14 01:30 EST", "14 03:00 EDT", "14 03:30 EDT", "14 04:00 EDT"]);
    }

    #[test]
    fn a_skipped_time_neither_hides_nor_loses_to_the_one_after_it() {
        let seen = fires("0 10,30 2,3 * * *", "2027-03-14T06:15:00Z", 3);
        assert_eq!(seen, ["14 03:10 EDT", "14 03:30 EDT", "15 02:10 EDT"]);
        let seen = fires("0 50 2 14 Mar *", "2027-03-14T07:20:00Z", 1);
        assert_eq!(seen, ["14 03:50 EDT"], "asked at 03:20 EDT, it is still due");
    }

    #[test]
    fn intervals_in_utc_know_no_daylight_saving() {
        let schedule = Schedule::parse("0 */15 * * * *").expect("a schedule");
        let mut now = at("2027-11-07T05:50:00.500Z");
        for expect in ["06:00", "06:15", "06:30", "06:45", "07:00"] {
            now = schedule.next_after(now, None).expect("another");
            assert_eq!(now, at(&format!("2027-11-07T{expect}:00Z")));
        }
    }

    #[test]
    fn every_second_is_the_next_second() {
        let schedule = Schedule::parse("* * * * * *").expect("a schedule");
        assert_eq!(schedule.next_after(at("2027-01-04T09:00:00.250Z"), None), Some(at("2027-01-04T09:00:01Z")));
    }

    #[test]
    fn five_fields_are_refused_with_the_six_to_write() {
        let why = Schedule::parse("*/15 * * * *").expect_err("five fields");
        assert!(why.contains("`0 */15 * * * *`"), "{why}");
    }

    #[test]
    fn weekdays_go_by_name() {
        for numbered in ["0 0 9 * * 1-5", "0 0 9 * * 1", "0 0 9 * * Mon,5", "0 0 9 * * 1/2"] {
            let why = Schedule::parse(numbered).expect_err(numbered);
            assert!(why.contains("Mon-Fri"), "{why}");
        }
        assert!(Schedule::parse("0 0 9 * * */2").is_ok(), "a step is no day");
        let monday = Schedule::parse("0 0 9 * * Mon-Fri").expect("names").next_after(at("2027-01-02T00:00:00Z"), None);
        assert_eq!(monday, Some(at("2027-01-04T09:00:00Z")), "Saturday's next is Monday");
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        let refused = [
            ("0 99 * * * *", "`99` is no minute"),
            ("0 0 0 * Foo *", "`Foo` is no month"),
            ("0 0 0 30 2 *", "never fires"),
            ("@daily", "six are needed"),
            ("0 0 0 1 1 * 2027", "six are needed"),
        ];
        for (text, expect) in refused {
            let why = Schedule::parse(text).expect_err(text);
            assert!(why.contains(expect), "{text}: {why}");
        }
    }
}
