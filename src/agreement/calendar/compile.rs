//! From what an agreement says of a calendar to its tables: every problem at once, each with the part it concerns.
//! Reading the text of the hours is done in `hours`, and placing a problem in the file by the parser.

use super::hours::{TimeRange, day_name};
use super::open_days::OpenDays;
use super::open_time::OpenTime;
use super::zone_offsets::{Stretch, ZoneOffsets};
use super::{Calendar, DAY_S, DAYS, FIRST_DAY, FIRST_YEAR, LAST_YEAR, day_index};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A calendar as the agreement states it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalendarSpec {
    /// IANA name, such as `America/New_York`.
    pub zone: String,
    /// The ranges of each weekday, Monday first, in order. A day without any is closed.
    pub hours: [Vec<TimeRange>; 7],
    /// Closed all day. Days outside of the tables' years change nothing.
    pub holidays: Vec<Date>,
    /// The hours of single days, in place of the weekday's; they go before `holidays`.
    pub extra_days: BTreeMap<Date, Vec<TimeRange>>,
}

/// Which part of a calendar a problem concerns. Ranges are named by their place in the day's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarPart {
    Whole,
    Zone,
    Hours(Weekday, usize),
    ExtraDay(Date),
    ExtraHours(Date, usize),
}

/// Why a calendar was refused, for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarProblem {
    pub part: CalendarPart,
    pub message: String,
    pub help: Option<String>,
}

impl CalendarSpec {
    /// Sets the hours of these weekdays. The error is the first that had hours already: nothing tells whether
    /// `wed` beside `mon-fri` adds to it or replaces it, so the author must say it once.
    pub fn set_hours(&mut self, days: &[Weekday], ranges: &[TimeRange]) -> Result<(), Weekday> {
        for day in days {
            let hours = &mut self.hours[monday_first(*day)];
            if !hours.is_empty() {
                return Err(*day);
            }
            hours.extend_from_slice(ranges);
        }
        Ok(())
    }

    /// The ranges of a civil day.
    fn ranges(&self, day: Date, holidays: &[Date]) -> &[TimeRange] {
        match self.extra_days.get(&day) {
            Some(ranges) => ranges,
            None if holidays.binary_search(&day).is_ok() => &[],
            None => &self.hours[monday_first(day.weekday())],
        }
    }
}

impl Calendar {
    /// Builds the tables.
    ///
    /// # Errors
    /// An unknown zone, ranges that overlap or stand out of order, an extra day without ranges or outside of the
    /// tables' years, and a calendar that is never open: all that apply, in the order of the calendar's parts.
    pub fn compile(spec: &CalendarSpec) -> Result<Calendar, Vec<CalendarProblem>> {
        let mut problems = Vec::new();
        let zone = find_zone(&spec.zone).map_err(|problem| problems.push(problem)).ok();
        problems.extend(problems_of_hours(spec));
        let Some(zone) = zone.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let offsets = ZoneOffsets::of(&zone);
        let (time, days) = tables(spec, &offsets);
        if time.is_never() {
            return Err(vec![never_open()]);
        }
        Ok(Calendar { zone, offsets, time, days })
    }
}

fn monday_first(day: Weekday) -> usize {
    day.to_monday_zero_offset() as usize
}

fn problem(part: CalendarPart, message: String, help: Option<&str>) -> CalendarProblem {
    CalendarProblem { part, message, help: help.map(str::to_owned) }
}

fn never_open() -> CalendarProblem {
    let message = "this calendar is never open: a deadline counted on it would never come".to_owned();
    problem(CalendarPart::Whole, message, Some("give it hours, such as `hours = { mon-fri = [\"09:00-17:00\"] }`"))
}

fn find_zone(name: &str) -> Result<TimeZone, CalendarProblem> {
    TimeZone::get(name).map_err(|_| CalendarProblem {
        part: CalendarPart::Zone,
        message: format!("`{name}` is not a time zone"),
        help: Some(match similar_zone(name) {
            Some(zone) => format!("did you mean `{zone}`?"),
            None => "use a name of the IANA database, such as `Europe/Berlin`".to_owned(),
        }),
    })
}

/// A zone whose name, or whose city, differs by nothing but case and punctuation.
fn similar_zone(name: &str) -> Option<String> {
    let bare = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let wanted = bare(name);
    let city = |zone: &str| bare(zone.rsplit('/').next().unwrap_or(zone));
    let mut zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    // Those of a continent first: `Berlin` is Europe/Berlin before any alias of one word.
    zones.sort_by_key(|zone| (!zone.contains('/'), zone.len()));
    zones.into_iter().find(|zone| bare(zone) == wanted || city(zone) == wanted)
}

fn problems_of_hours(spec: &CalendarSpec) -> Vec<CalendarProblem> {
    let mut problems = Vec::new();
    for (day, ranges) in Weekday::Monday.cycle_forward().zip(&spec.hours) {
        problems.extend(problems_of_ranges(day_name(day), ranges, |i| CalendarPart::Hours(day, i)));
    }
    for (date, ranges) in &spec.extra_days {
        problems.extend(problem_of_extra_day(*date, ranges));
        problems.extend(problems_of_ranges(&date.to_string(), ranges, |i| CalendarPart::ExtraHours(*date, i)));
    }
    problems
}

fn problem_of_extra_day(date: Date, ranges: &[TimeRange]) -> Option<CalendarProblem> {
    let part = CalendarPart::ExtraDay(date);
    if !(FIRST_YEAR..=LAST_YEAR).contains(&date.year()) {
        let message = format!("the extra day {date} lies outside of the years {FIRST_YEAR} to {LAST_YEAR}");
        return Some(problem(part, message, None));
    }
    ranges.is_empty().then(|| {
        let message = format!("the extra day {date} has no hours");
        problem(part, message, Some("a day on which the calendar is closed belongs into `holidays`"))
    })
}

/// Each range that begins before the end of the one before it. Those that touch are fine.
fn problems_of_ranges(day: &str, ranges: &[TimeRange], part: impl Fn(usize) -> CalendarPart) -> Vec<CalendarProblem> {
    let pairs = ranges.windows(2).enumerate();
    let wrong = pairs.filter(|(_, pair)| pair[1].from_minute() < pair[0].to_minute());
    wrong
        .map(|(i, pair)| {
            let (earlier, later) = (pair[0], pair[1]);
            if later.to_minute() <= earlier.from_minute() {
                problem(part(i + 1), format!("{later} stands after {earlier} on {day}"), Some("write them in order"))
            } else {
                problem(part(i + 1), format!("{later} overlaps {earlier} on {day}"), Some("write them as one range"))
            }
        })
        .collect()
}

/// The open time and the open days of the tables' years.
fn tables(spec: &CalendarSpec, offsets: &ZoneOffsets) -> (OpenTime, OpenDays) {
    let mut holidays = spec.holidays.clone();
    holidays.sort_unstable();
    let mut pieces = Vec::new();
    for stretch in offsets.stretches() {
        add_open_pieces(spec, &holidays, *stretch, &mut pieces);
    }
    let mut open = vec![false; DAYS as usize];
    for piece in &pieces {
        if let Some(is_open) = usize::try_from(piece.day).ok().and_then(|day| open.get_mut(day)) {
            *is_open = true;
        }
    }
    (OpenTime::new(pieces.iter().map(|piece| (piece.start, piece.end))), OpenDays::new(&open))
}

/// A part of a range, cut where the offset changes; in seconds of the table.
struct Piece {
    /// The local day that it belongs to.
    day: i64,
    start: i64,
    end: i64,
}

/// The open time within one stretch of constant offset, where wall time is plain arithmetic. What a gap skips lies in
/// no stretch, what a fold repeats lies in two: so both need no thought here.
fn add_open_pieces(spec: &CalendarSpec, holidays: &[Date], stretch: Stretch, pieces: &mut Vec<Piece>) {
    let Stretch { offset, .. } = stretch;
    let (start, end) = (stretch.start.max(0), stretch.end.min(DAYS * DAY_S));
    let first = (start + offset).div_euclid(DAY_S);
    let last = (end + offset - 1).div_euclid(DAY_S);
    let first_date = FIRST_DAY.saturating_add(jiff::Span::new().days(first));
    debug_assert_eq!(day_index(first_date), first);
    for (day, date) in (first..=last).zip(first_date.series(jiff::Span::new().days(1))) {
        let midnight = day * DAY_S - offset;
        for range in spec.ranges(date, holidays) {
            let opens = (midnight + i64::from(range.from_minute()) * 60).max(start);
            let closes = (midnight + i64::from(range.to_minute()) * 60).min(end);
            if opens < closes {
                pieces.push(Piece { day, start: opens, end: closes });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hours::{parse_days, parse_range};
    use super::*;
    use jiff::civil::date;

    fn office() -> CalendarSpec {
        let mut spec = CalendarSpec { zone: "Europe/Berlin".into(), ..Default::default() };
        set(&mut spec, "mon-fri", &["09:00-12:00", "13:00-17:00"]);
        spec
    }

    fn set(spec: &mut CalendarSpec, days: &str, ranges: &[&str]) {
        let ranges: Vec<_> = ranges.iter().map(|text| parse_range(text).expect(text)).collect();
        spec.set_hours(&parse_days(days).expect(days), &ranges).expect("not yet set");
    }

    fn refused(spec: &CalendarSpec) -> Vec<CalendarProblem> {
        Calendar::compile(spec).expect_err("must be refused")
    }

    #[test]
    fn an_unknown_zone_is_refused_with_the_likeliest_name() {
        let spec = CalendarSpec { zone: "america/new york".into(), ..office() };
        let problems = refused(&spec);
        assert_eq!(problems[0].part, CalendarPart::Zone);
        assert_eq!(problems[0].help.as_deref(), Some("did you mean `America/New_York`?"));
        assert_eq!(similar_zone("berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(similar_zone("Boston"), None);
    }

    #[test]
    fn ranges_that_overlap_or_stand_out_of_order_are_refused_by_name_and_place() {
        let mut spec = CalendarSpec { zone: "UTC".into(), ..Default::default() };
        set(&mut spec, "tue", &["09:00-12:00", "11:00-17:00"]);
        set(&mut spec, "thu", &["08:00-09:00", "13:00-17:00", "09:00-12:00"]);
        let problems = refused(&spec);
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].part, CalendarPart::Hours(Weekday::Tuesday, 1));
        assert_eq!(problems[0].message, "11:00-17:00 overlaps 09:00-12:00 on Tuesday");
        assert_eq!(problems[1].part, CalendarPart::Hours(Weekday::Thursday, 2));
        assert_eq!(problems[1].message, "09:00-12:00 stands after 13:00-17:00 on Thursday");
    }

    #[test]
    fn ranges_that_touch_are_fine() {
        let mut spec = CalendarSpec { zone: "UTC".into(), ..Default::default() };
        set(&mut spec, "mon", &["09:00-12:00", "12:00-17:00"]);
        assert!(Calendar::compile(&spec).is_ok());
    }

    #[test]
    fn an_extra_day_without_hours_or_out_of_the_tables_is_refused() {
        let mut spec = office();
        spec.extra_days.insert(date(2027, 1, 9), vec![]);
        spec.extra_days.insert(date(3027, 1, 9), vec![parse_range("10:00-14:00").expect("a range")]);
        let parts: Vec<_> = refused(&spec).into_iter().map(|problem| problem.part).collect();
        assert_eq!(parts, [CalendarPart::ExtraDay(date(2027, 1, 9)), CalendarPart::ExtraDay(date(3027, 1, 9))]);
    }

    #[test]
    fn a_calendar_that_is_never_open_is_refused() {
        let spec = CalendarSpec { zone: "UTC".into(), ..Default::default() };
        let problems = refused(&spec);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].part, CalendarPart::Whole);
        assert!(problems[0].message.contains("never open"));
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let mut spec = CalendarSpec { zone: "Nowhere".into(), ..Default::default() };
        set(&mut spec, "tue", &["09:00-12:00", "11:00-17:00"]);
        spec.extra_days.insert(date(2027, 1, 9), vec![]);
        assert_eq!(refused(&spec).len(), 3);
    }

    #[test]
    fn a_weekday_takes_hours_only_once() {
        let mut spec = office();
        assert_eq!(spec.set_hours(&[Weekday::Sunday, Weekday::Friday], &[]), Err(Weekday::Friday));
    }
}
