//! When a calendar is open, in words. Read back from the very tables that deadlines are counted by, so that what people
//! sign is what is counted.

use super::words;
use crate::agreement::calendar::{Calendar, FIRST_YEAR, LAST_YEAR};
use crate::record::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// So many days out of the ordinary are named one by one; more would fill a page, and are counted.
const NAMED: usize = 24;

/// A range of a day in minutes since midnight.
type Range = (u16, u16);

/// `Monday to Thursday 09:00–12:30 and 13:15–18:00; Friday 09:00–16:00`, then what differs from it between two days.
pub(super) fn hours(calendar: &Calendar, from: Option<Date>, until: Option<Date>) -> Vec<String> {
    let first = from.unwrap_or(date(FIRST_YEAR, 1, 1));
    let year_on = from.map(|day| day.saturating_add(1.year()));
    let last = until.or(year_on).unwrap_or(date(LAST_YEAR, 12, 31)).max(first);
    let week: Vec<(Weekday, Vec<Range>)> =
        Weekday::Monday.cycle_forward().take(7).map(|weekday| (weekday, usual(calendar, weekday, first))).collect();
    let mut said = vec![week_in_words(&week)];
    let ordinary = |day: Date| week.iter().find(|(weekday, _)| *weekday == day.weekday()).map(|(_, ranges)| ranges);
    let days = || first.series(1.day()).take_while(|day| *day <= last);
    let closed = days().filter(|d| !calendar.is_open_day(*d) && ordinary(*d).is_some_and(|r| !r.is_empty()));
    said.extend(listed("Closed on", &closed.collect::<Vec<_>>()));
    let is_extra = |d: &Date| calendar.is_open_day(*d) && ordinary(*d).is_some_and(Vec::is_empty);
    said.extend(listed("Open in addition on", &days().filter(is_extra).collect::<Vec<_>>()));
    said
}

/// The hours that most days of this name keep, of the nine from `first` on.
fn usual(calendar: &Calendar, weekday: Weekday, first: Date) -> Vec<Range> {
    let begin = first.series(1.day()).find(|day| day.weekday() == weekday).unwrap_or(first);
    let weeks: Vec<Vec<Range>> = begin.series(1.week()).take(9).map(|day| ranges(calendar, day)).collect();
    let votes = |kept: &Vec<Range>| weeks.iter().filter(|other| *other == kept).count();
    weeks.iter().max_by_key(|kept| votes(kept)).cloned().unwrap_or_default()
}

/// The open stretches of a day, found minute by minute; asked amid each, where no edge is. On a day when the clocks are
/// changed it is off by that hour, which the other weeks outvote.
fn ranges(calendar: &Calendar, day: Date) -> Vec<Range> {
    if !calendar.is_open_day(day) {
        return Vec::new();
    }
    let Ok(midnight) = day.to_zoned(calendar.zone().clone()) else { return Vec::new() };
    let midnight = Timestamp::from_jiff(midnight.timestamp()).as_millis();
    let mut found: Vec<Range> = Vec::new();
    for minute in 0..24 * 60u16 {
        let is_open = calendar.is_open(Timestamp::from_millis(midnight + i64::from(minute) * 60_000 + 30_000));
        match found.last_mut() {
            Some((_, to)) if is_open && *to == minute => *to = minute + 1,
            _ if is_open => found.push((minute, minute + 1)),
            _ => {}
        }
    }
    found
}

/// Neighbouring days of the same hours are told together.
fn week_in_words(week: &[(Weekday, Vec<Range>)]) -> String {
    let mut spans: Vec<(Weekday, Weekday, &Vec<Range>)> = Vec::new();
    let mut before_is_same = false;
    for (weekday, ranges) in week {
        match spans.last_mut() {
            Some((_, last, kept)) if before_is_same && *kept == ranges => *last = *weekday,
            _ if !ranges.is_empty() => spans.push((*weekday, *weekday, ranges)),
            _ => {}
        }
        before_is_same = !ranges.is_empty();
    }
    let tell = |(first, last, ranges): &(Weekday, Weekday, &Vec<Range>)| {
        let days = match (first, last) {
            (first, last) if first == last => words::weekday(*first).to_owned(),
            (first, last) => format!("{} to {}", words::weekday(*first), words::weekday(*last)),
        };
        let hours: Vec<String> = ranges.iter().map(|(from, to)| format!("{}–{}", face(*from), face(*to))).collect();
        format!("{days} {}", words::join(&hours, "and"))
    };
    spans.iter().map(tell).collect::<Vec<_>>().join("; ")
}

fn face(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn listed(what: &str, days: &[Date]) -> Option<String> {
    match days {
        [] => None,
        [first, .., last] if days.len() > NAMED => {
            let (first, last) = (words::day(*first), words::day(*last));
            Some(format!("{what} {} days from {first} to {last}, as the agreement's file lists them", days.len()))
        }
        _ => Some(format!("{what} {}", words::join(&days.iter().map(|d| words::day(*d)).collect::<Vec<_>>(), "and"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::parse::parse;

    fn said(calendar: &str) -> Vec<String> {
        let head = "title = \"A\"\nversion = \"1\"\neffective = 2027-01-04\nreview_by = 2027-06-30\ncalendar = \"c\"\n";
        let rest = std::fs::read_to_string("tests/core/terms.toml").expect("terms");
        let rest = &rest[rest.find("[parties").expect("parties")..];
        let text = format!("{head}[calendars.c]\ntime_zone = \"America/New_York\"\n{calendar}\n{rest}");
        let agreement = parse("a.toml", &text, &|_| Err("none".into())).map_err(|e| e.render(false)).expect("sound");
        hours(&agreement.agreement.calendars[0].calendar, agreement.agreement.effective, agreement.agreement.review_by)
    }

    #[test]
    fn hours_are_told_by_stretches_of_days() {
        let calendar = "hours = { mon-thu = [\"09:00-12:30\", \"13:15-18:00\"], fri = [\"09:00-16:00\"] }";
        assert_eq!(said(calendar), ["Monday to Thursday 09:00–12:30 and 13:15–18:00; Friday 09:00–16:00"]);
        let gap = said("hours = { mon-tue = [\"00:00-24:00\"], thu = [\"00:00-24:00\"] }");
        assert_eq!(gap, ["Monday to Tuesday 00:00–24:00; Thursday 00:00–24:00"]);
    }

    #[test]
    fn holidays_and_extra_days_are_named_within_the_term() {
        let calendar = "hours = { mon-fri = [\"09:00-17:00\"] }\nholidays = [2027-01-18, 2027-05-31, 2027-12-31]\n\
                        extra_days = { 2027-01-09 = [\"10:00-14:00\"] }";
        let expected = [
            "Monday to Friday 09:00–17:00",
            "Closed on 18 January 2027 and 31 May 2027",
            "Open in addition on 9 January 2027",
        ];
        assert_eq!(said(calendar), expected);
    }

    #[test]
    fn a_holiday_in_the_first_week_is_not_taken_for_the_rule() {
        let calendar = "hours = { mon-fri = [\"09:00-17:00\"] }\nholidays = [2027-01-04, 2027-01-11]";
        assert_eq!(said(calendar)[1], "Closed on 4 January 2027 and 11 January 2027");
    }
}
