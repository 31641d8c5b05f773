//! Which of two deadlines comes first. Where calendars decide, both are counted from every half hour of
//! a year, so that hours, holidays and lunch breaks weigh as they will.

use super::Way;
use crate::agreement::calendar::Calendar;
use crate::agreement::model::Span;
use crate::agreement::span::after;
use crate::record::{Elapsed, Timestamp};
use std::cmp::Ordering;

/// A length of time, and the calendar that it is counted on.
#[derive(Clone, Copy)]
pub(super) struct Length<'a> {
    pub span: Span,
    pub calendar: Option<&'a Calendar>,
}

/// 2027-01-04 00:00 UTC, a Monday, in seconds since 1970: any year serves to compare two lengths.
const SAMPLE: i64 = 1_799_020_800;
const HALF_HOUR: i64 = 1_800;
const STARTS: i64 = 366 * 48;

/// Whether whoever has so long to do it has less time than before; `None` when it makes no difference.
pub(super) fn way(old: Length<'_>, new: Length<'_>, from: Option<Timestamp>) -> Option<Way> {
    if let (Span::Elapsed(was), Span::Elapsed(is)) = (old.span, new.span) {
        return of(is.cmp(&was));
    }
    let begin = from.unwrap_or(Timestamp::from_millis(SAMPLE * 1_000));
    let starts = (0..STARTS).map(|n| begin + Elapsed::from_secs(n * HALF_HOUR));
    let due = |length: Length<'_>, start| after(length.calendar, start, length.span);
    let mut ways = starts.filter_map(|start| of(due(new, start).cmp(&due(old, start))));
    let first = ways.next()?;
    Some(if ways.all(|way| way == first) { first } else { Way::Mixed })
}

fn of(later: Ordering) -> Option<Way> {
    match later {
        Ordering::Less => Some(Way::Stricter),
        Ordering::Greater => Some(Way::Looser),
        Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::calendar::{CalendarSpec, parse_days, parse_range};
    use crate::agreement::span::parse_span;

    fn calendar(hours: &str) -> Calendar {
        let mut spec = CalendarSpec { zone: "America/New_York".into(), ..CalendarSpec::default() };
        spec.set_hours(&parse_days("mon-fri").expect("days"), &[parse_range(hours).expect("hours")]).expect("once");
        Calendar::compile(&spec).expect("sound")
    }

    fn check(old: &str, new: &str, expected: Option<Way>) {
        let day = calendar("09:00-17:00");
        let length = |text| Length { span: parse_span(text).expect(text), calendar: Some(&day) };
        assert_eq!(way(length(old), length(new), None), expected, "{old} → {new}");
    }

    #[test]
    fn less_time_is_stricter_whatever_it_is_counted_in() {
        check("4h", "2h", Some(Way::Stricter));
        check("4bh", "2bh", Some(Way::Stricter));
        check("5bd", "10bd", Some(Way::Looser));
        check("4bh", "1h", Some(Way::Stricter));
        check("1h", "1bd", Some(Way::Looser));
        check("4bh", "4h", Some(Way::Stricter));
        check("60bm", "1bh", None);
    }

    #[test]
    fn what_depends_on_the_hour_of_the_start_is_mixed() {
        check("4bh", "20h", Some(Way::Mixed));
        check("1bd", "6bh", Some(Way::Mixed));
    }

    #[test]
    fn longer_hours_bring_deadlines_forward() {
        let (short, long) = (calendar("09:00-16:00"), calendar("08:00-18:00"));
        let span = parse_span("8bh").expect("a span");
        let of = |calendar| Length { span, calendar: Some(calendar) };
        assert_eq!(way(of(&short), of(&long), None), Some(Way::Stricter));
        assert_eq!(way(of(&long), of(&short), None), Some(Way::Looser));
    }
}
