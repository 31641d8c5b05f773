//! When a review is held: its day in each period, moved by holidays, at its time by the wall of the
//! agreement's zone. Sending what is reviewed is not done here.

use super::window::Window;
use crate::agreement::Agreement;
use crate::agreement::calendar::Calendar;
use crate::agreement::model::{OnHoliday, Period, Review};
use crate::record::Timestamp;
use jiff::Span;
use jiff::civil::{Date, Weekday};

/// So many periods without an open day, and a review is given up: longer than any holiday.
const PATIENCE: usize = 60;
/// So many days ahead an open one is looked for.
const DAYS: i32 = 366;

/// One holding of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meeting {
    pub at: Timestamp,
    /// The period in which it stands in the agreement; a holiday may move it out of that.
    pub of: Window,
    /// The period that it looks back on: the one before.
    pub covers: Window,
}

/// When this review is held next, later than `after`. `None`: never, since no day is open.
pub fn next_review(agreement: &Agreement, review: &Review, after: Timestamp) -> Option<Meeting> {
    let zone = agreement.zone();
    let after_it = |window: &Window| Window::containing(window.period, window.until, &zone);
    // A holiday may have moved an earlier period's meeting to after this moment.
    let mut window = match last_review(agreement, review, after) {
        Some(last) => after_it(&last.of),
        None => Window::containing(review.every, after, &zone),
    };
    for _ in 0..PATIENCE {
        match held(agreement, review, window).filter(|meeting| meeting.at > after) {
            Some(meeting) => return Some(settled(agreement, review, meeting)),
            None => window = after_it(&window),
        }
    }
    None
}

/// When this review was held last, at `until` or before. Of two that a holiday moved onto one
/// moment, the later.
pub fn last_review(agreement: &Agreement, review: &Review, until: Timestamp) -> Option<Meeting> {
    let zone = agreement.zone();
    let mut window = Window::containing(review.every, until, &zone);
    for _ in 0..PATIENCE {
        match held(agreement, review, window).filter(|meeting| meeting.at <= until) {
            Some(meeting) => return Some(meeting),
            None => window = window.before(&zone),
        }
    }
    None
}

/// The last of those that a long holiday moved onto this moment.
fn settled(agreement: &Agreement, review: &Review, meeting: Meeting) -> Meeting {
    last_review(agreement, review, meeting.at).unwrap_or(meeting)
}

/// The meeting of one period, if there is one.
fn held(agreement: &Agreement, review: &Review, of: Window) -> Option<Meeting> {
    let zone = agreement.zone();
    let day = match review.every {
        Period::Week => {
            let on = review.on.unwrap_or(Weekday::Monday);
            of.first.saturating_add(Span::new().days(on.to_monday_zero_offset()))
        }
        Period::Month | Period::Quarter => of.first,
    };
    let calendar = agreement.calendar.map(|i| &agreement.calendars[i].calendar);
    let day = open_day(calendar, day, review.on_holiday)?;
    let at = zone.to_ambiguous_timestamp(day.to_datetime(review.time)).compatible().ok()?;
    Some(Meeting { at: Timestamp::from_jiff(at), of, covers: of.before(&zone) })
}

/// The day on which it is held instead of `day`.
fn open_day(calendar: Option<&Calendar>, day: Date, on_holiday: OnHoliday) -> Option<Date> {
    let is_open = |day: Date| calendar.is_none_or(|calendar| calendar.is_open_day(day));
    match on_holiday {
        OnHoliday::Anyway => Some(day),
        OnHoliday::Skip => is_open(day).then_some(day),
        OnHoliday::NextOpenDay => (0..DAYS).map(|n| day.saturating_add(Span::new().days(n))).find(|day| is_open(*day)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::parse::parse;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a moment")
    }

    /// An agreement with one review, in Boston, closed on Monday 18 January and all of July.
    fn agreement(review: &str) -> Agreement {
        let closed: Vec<String> = (1..=31).map(|day| format!("2027-07-{day:02}")).collect();
        let text = format!(
            r##"
title = "A test's agreement"
version = "1"
effective = 2027-01-01
calendar = "boston"
summary = "Short."
[calendars.boston]
time_zone = "America/New_York"
hours = {{ mon-fri = ["09:00-17:00"] }}
holidays = [2027-01-18, {}]
[parties.marketing]
[parties.sales]
[[stage]]
name = "mql"
term = "Lead"
means = "A lead."
of = "lead"
when = 'status == "MQL"'
[[review]]
name = "Review"
send_to = ["slack:#x"]
{review}
"##,
            closed.join(", ")
        );
        let none = |file: &str| Err(format!("{file} is not here"));
        parse("agreement.toml", &text, &none).unwrap_or_else(|report| panic!("{}", report.render(false))).agreement
    }

    /// The next meetings in Boston's time, each with the period that it looks back on.
    fn held(review: &str, after: &str, n: usize) -> Vec<String> {
        let agreement = agreement(review);
        let (zone, mut now, mut seen) = (agreement.zone(), at(after), vec![]);
        for _ in 0..n {
            let meeting = next_review(&agreement, &agreement.reviews[0], now).expect("another");
            assert_eq!(last_review(&agreement, &agreement.reviews[0], meeting.at), Some(meeting));
            now = meeting.at;
            let shown = now.to_jiff().to_zoned(zone.clone()).strftime("%m-%d %a %H:%M %Z").to_string();
            seen.push(format!("{shown} on {}", meeting.covers));
        }
        seen
    }

    #[test]
    fn a_weekly_review_keeps_its_wall_time_through_both_changes_of_the_clocks() {
        let weekly = "every = \"week\"\non = \"Mon\"\ntime = \"09:00\"\nholiday = \"next open day\"";
        let spring = held(weekly, "2027-03-05T12:00:00Z", 2);
        assert_eq!(spring, ["03-08 Mon 09:00 EST on 2027-W09", "03-15 Mon 09:00 EDT on 2027-W10"]);
        let autumn = held(weekly, "2027-10-30T12:00:00Z", 2);
        assert_eq!(autumn, ["11-01 Mon 09:00 EDT on 2027-W43", "11-08 Mon 09:00 EST on 2027-W44"]);
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_held_an_hour_later_and_one_that_comes_twice_once() {
        let sunday = "every = \"week\"\non = \"Sun\"\ntime = \"02:30\"\nholiday = \"anyway\"";
        assert_eq!(held(sunday, "2027-03-10T12:00:00Z", 1), ["03-14 Sun 03:30 EDT on 2027-W09"]);
        let twice = sunday.replace("02:30", "01:30");
        let seen = held(&twice, "2027-11-01T12:00:00Z", 2);
        assert_eq!(seen, ["11-07 Sun 01:30 EDT on 2027-W43", "11-14 Sun 01:30 EST on 2027-W44"]);
    }

    #[test]
    fn a_holiday_moves_skips_or_is_ignored_as_agreed() {
        let review =
            |holiday: &str| format!("every = \"week\"\non = \"Mon\"\ntime = \"09:00\"\nholiday = \"{holiday}\"");
        let of = |holiday: &str| held(&review(holiday), "2027-01-15T12:00:00Z", 2);
        assert_eq!(of("next open day"), ["01-19 Tue 09:00 EST on 2027-W02", "01-25 Mon 09:00 EST on 2027-W03"]);
        assert_eq!(of("skip"), ["01-25 Mon 09:00 EST on 2027-W03", "02-01 Mon 09:00 EST on 2027-W04"]);
        assert_eq!(of("anyway"), ["01-18 Mon 09:00 EST on 2027-W02", "01-25 Mon 09:00 EST on 2027-W03"]);
    }

    #[test]
    fn those_that_a_long_holiday_moves_onto_one_day_are_one_and_look_back_on_the_latest() {
        let weekly = "every = \"week\"\non = \"Mon\"\ntime = \"09:00\"\nholiday = \"next open day\"";
        let seen = held(weekly, "2027-06-28T20:00:00Z", 2);
        assert_eq!(seen, ["08-02 Mon 09:00 EDT on 2027-W30", "08-09 Mon 09:00 EDT on 2027-W31"]);
        assert_eq!(held(weekly, "2027-07-15T20:00:00Z", 1), ["08-02 Mon 09:00 EDT on 2027-W30"]);
    }

    #[test]
    fn months_and_quarters_are_reviewed_on_their_first_day_or_the_next_open_one() {
        let monthly = "every = \"month\"\ntime = \"10:00\"\nholiday = \"next open day\"";
        let seen = held(monthly, "2027-04-20T12:00:00Z", 3);
        assert_eq!(
            seen,
            ["05-03 Mon 10:00 EDT on 2027-04", "06-01 Tue 10:00 EDT on 2027-05", "08-02 Mon 10:00 EDT on 2027-07"],
            "July's first open day is August's"
        );
        let quarterly = "every = \"quarter\"\ntime = \"10:00\"\nholiday = \"anyway\"";
        assert_eq!(
            held(quarterly, "2027-04-01T14:00:00Z", 2),
            ["07-01 Thu 10:00 EDT on 2027-Q2", "10-01 Fri 10:00 EDT on 2027-Q3"]
        );
    }
}
