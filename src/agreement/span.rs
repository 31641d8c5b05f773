//! Lengths of time as agreements write them (`90d`, `30bm`, `4 business hours`), and counting with them on a calendar
//! or on the clock. Calendars themselves are in `agreement/calendar`; where a step stands is read by `agreement/parse`.

use super::calendar::Calendar;
use super::model::Span;
use crate::record::{Elapsed, Timestamp};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A hundred years: longer is a mistake, and shorter never overflows.
const LONGEST: i64 = 36_525 * DAY;

const HOW_TO: &str = "write `90s`, `30m`, `4h` or `2d` for time on the clock, `30bm`, `4bh` or `15bd` for business \
                      time, or in words, such as `4 business hours`";

/// Reads `90s 30m 4h 2d`, `30bm 4bh 15bd`, or in words `90 days`, `4 business hours`. The error is a sentence for the
/// author. No sign: whether a step comes before or after a deadline is no part of the length.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(format!("`{text}` is no length of time: {HOW_TO}"));
    }
    let unit = unit_of(unit).ok_or_else(|| unknown_unit(text, unit))?;
    let too_long = || format!("`{text}` is longer than a hundred years");
    let number: i64 = number.parse().map_err(|_| too_long())?;
    let length = number.checked_mul(unit.length()).filter(|length| *length <= LONGEST).ok_or_else(too_long)?;
    Ok(match unit {
        Unit::Clock(_) => Span::Elapsed(Elapsed::from_millis(length)),
        Unit::Business(_) => Span::Open(Elapsed::from_millis(length)),
        Unit::BusinessDay => Span::OpenDays(i32::try_from(number).map_err(|_| too_long())?),
    })
}

/// What a number counts; the lengths are in milliseconds.
#[derive(Clone, Copy)]
enum Unit {
    Clock(i64),
    Business(i64),
    BusinessDay,
}

impl Unit {
    fn length(self) -> i64 {
        match self {
            Unit::Clock(length) | Unit::Business(length) => length,
            Unit::BusinessDay => DAY,
        }
    }
}

fn unit_of(text: &str) -> Option<Unit> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["s" | "second" | "seconds"] => Unit::Clock(SECOND),
        ["m" | "minute" | "minutes"] => Unit::Clock(MINUTE),
        ["h" | "hour" | "hours"] => Unit::Clock(HOUR),
        ["d" | "day" | "days"] => Unit::Clock(DAY),
        ["bm"] | ["business", "minute" | "minutes"] => Unit::Business(MINUTE),
        ["bh"] | ["business", "hour" | "hours"] => Unit::Business(HOUR),
        ["bd"] | ["business", "day" | "days"] => Unit::BusinessDay,
        _ => return None,
    })
}

fn unknown_unit(text: &str, unit: &str) -> String {
    match unit.trim() {
        "" => format!("`{text}` has no unit: {HOW_TO}"),
        rest if rest.starts_with('.') => format!("`{text}` is not a whole number: use a smaller unit, such as `90m`"),
        rest if rest.contains(|c: char| c.is_ascii_digit()) => {
            format!("`{text}` has more than one number: use the smaller unit for all of it, such as `90m`")
        }
        rest => format!("`{rest}` in `{text}` is no unit of time: {HOW_TO}"),
    }
}

/// For people: `4 business hours`, `1 business day`, `90 days`. `parse_span` reads it back, unless the length is not
/// of whole seconds (or of whole minutes, for open time).
pub fn span_in_words(span: Span) -> String {
    match span {
        Span::Elapsed(length) => length_in_words(length, "", &[(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")]),
        // A business day is no length of open time, so hours are the largest unit here.
        Span::Open(length) => length_in_words(length, "business ", &[(HOUR, "hour"), (MINUTE, "minute")]),
        Span::OpenDays(days) => counted(i64::from(days), "business ", "day"),
    }
}

/// In the largest unit that needs no fraction.
fn length_in_words(length: Elapsed, kind: &str, units: &[(i64, &str)]) -> String {
    let ms = length.as_millis();
    let fits = |(unit, _): &&(i64, &str)| ms != 0 && ms % unit == 0;
    match units.iter().find(fits) {
        Some((unit, name)) => counted(ms / unit, kind, name),
        None if ms == 0 => counted(0, kind, "minute"),
        None if ms % SECOND == 0 => counted(ms / SECOND, kind, "second"),
        None => counted(ms, kind, "millisecond"),
    }
}

fn counted(number: i64, kind: &str, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {kind}{unit}{plural}")
}

/// The moment that lies a span after `from`.
///
/// Business spans need a calendar; the linter refuses an agreement in which one has none. Without one they would be
/// counted on the clock, a business day as 24 hours, which never happens for an agreement that was accepted.
pub fn after(calendar: Option<&Calendar>, from: Timestamp, span: Span) -> Timestamp {
    match (span, calendar) {
        (Span::Elapsed(length), _) | (Span::Open(length), None) => from + length,
        (Span::Open(length), Some(calendar)) => calendar.add_open(from, length),
        (Span::OpenDays(days), Some(calendar)) => calendar.add_open_days(from, days),
        (Span::OpenDays(days), None) => from + Elapsed::from_millis(i64::from(days) * DAY),
    }
}

/// The moment that lies a span before `from`; business spans as in `after`.
pub fn before(calendar: Option<&Calendar>, from: Timestamp, span: Span) -> Timestamp {
    let negative = |length: Elapsed| Elapsed::from_millis(length.as_millis().saturating_neg());
    let span = match span {
        Span::Elapsed(length) => Span::Elapsed(negative(length)),
        Span::Open(length) => Span::Open(negative(length)),
        Span::OpenDays(days) => Span::OpenDays(days.saturating_neg()),
    };
    after(calendar, from, span)
}

/// The time from `a` to `b` as a clock counts it: open time when its span is a business one, else elapsed time.
/// Negative when `b` is before `a`.
pub fn counted_between(calendar: Option<&Calendar>, span_kind_is_open: bool, a: Timestamp, b: Timestamp) -> Elapsed {
    match calendar.filter(|_| span_kind_is_open) {
        Some(calendar) => calendar.open_between(a, b),
        None => b - a,
    }
}

/// The moment at which a share (0 to 1) of the time from `start` to `deadline` has passed, as a clock with this span
/// counts it. The whole share is the deadline itself, even where counting would stop at an earlier closing time.
pub fn share_of(
    calendar: Option<&Calendar>,
    span: Span,
    start: Timestamp,
    deadline: Timestamp,
    share: f64,
) -> Timestamp {
    if share >= 1.0 {
        return deadline;
    }
    let is_open = is_business(span);
    let whole = counted_between(calendar, is_open, start, deadline);
    let part = Elapsed::from_millis((whole.as_millis() as f64 * share.max(0.0)).round() as i64);
    let part = if is_open { Span::Open(part) } else { Span::Elapsed(part) };
    after(calendar, start, part).min(deadline)
}

/// Whether it counts open time or open days, and so needs a calendar.
pub fn is_business(span: Span) -> bool {
    matches!(span, Span::Open(_) | Span::OpenDays(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elapsed(ms: i64) -> Span {
        Span::Elapsed(Elapsed::from_millis(ms))
    }

    fn open(ms: i64) -> Span {
        Span::Open(Elapsed::from_millis(ms))
    }

    #[test]
    fn short_and_long_spellings_say_the_same() {
        for (short, long, span) in [
            ("10s", "10 seconds", elapsed(10 * SECOND)),
            ("30m", "30 minutes", elapsed(30 * MINUTE)),
            ("2h", "2 hours", elapsed(2 * HOUR)),
            ("90d", "90 days", elapsed(90 * DAY)),
            ("30bm", "30 business minutes", open(30 * MINUTE)),
            ("4bh", "4 business hours", open(4 * HOUR)),
            ("1bd", "1 business day", Span::OpenDays(1)),
            ("15bd", "15 business days", Span::OpenDays(15)),
        ] {
            assert_eq!(parse_span(short), Ok(span));
            assert_eq!(parse_span(long), Ok(span));
            assert_eq!(span_in_words(span), long);
        }
        assert_eq!(parse_span("  4  Business Hours "), Ok(open(4 * HOUR)));
    }

    #[test]
    fn words_use_the_largest_unit_that_fits() {
        assert_eq!(span_in_words(elapsed(24 * HOUR)), "1 day");
        assert_eq!(span_in_words(elapsed(90 * MINUTE)), "90 minutes");
        assert_eq!(span_in_words(open(24 * HOUR)), "24 business hours");
        assert_eq!(span_in_words(open(90 * MINUTE)), "90 business minutes");
        assert_eq!(span_in_words(elapsed(0)), "0 minutes");
        assert_eq!(span_in_words(elapsed(1500)), "1500 milliseconds");
    }

    #[test]
    fn what_is_no_span_is_refused_with_the_way_to_write_it() {
        for (text, reason) in [
            ("", "no length of time"),
            ("soon", "write `90s`"),
            ("-30bm", "no length of time"),
            ("4", "has no unit"),
            ("4 fortnights", "`fortnights`"),
            ("4 business", "`business`"),
            ("1.5h", "not a whole number"),
            ("1h 30m", "more than one number"),
            ("99999999999999999999d", "hundred years"),
            ("40000d", "hundred years"),
            ("40000bd", "hundred years"),
        ] {
            let error = parse_span(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn without_a_calendar_a_share_is_a_share_of_the_clock() {
        let at = Timestamp::from_millis;
        assert_eq!(share_of(None, elapsed(1000), at(500), at(1500), 0.5), at(1000));
        assert_eq!(share_of(None, elapsed(1000), at(500), at(1500), 1.0), at(1500));
        assert_eq!(before(None, at(1500), elapsed(1000)), at(500));
        assert_eq!(counted_between(None, true, at(500), at(1500)), Elapsed::from_millis(1000));
    }
}
