//! The text of opening hours: days (`mon-thu`, `sat`, `mon,wed`) and ranges (`09:00-12:30`).
//! Whether ranges overlap or make sense together is judged in `compile`.

use jiff::civil::Weekday;
use std::fmt;

/// A range of wall time within one day. Made by `parse_range`, so it is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeRange {
    from: u16,
    to: u16,
}

/// Minutes of a day; as the end of a range `24:00`.
const DAY_MINUTES: u16 = 24 * 60;

impl TimeRange {
    /// Opening time in minutes since midnight.
    pub fn from_minute(self) -> u16 {
        self.from
    }

    /// Closing time in minutes since midnight, at most 1440.
    pub fn to_minute(self) -> u16 {
        self.to
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Reads `09:00-12:30`; the end may be `24:00`. The error is a sentence for the author of the agreement.
pub fn parse_range(text: &str) -> Result<TimeRange, String> {
    let (from, to) = text
        .split_once('-')
        .ok_or_else(|| format!("`{text}` is not a range of opening hours; write it like `09:00-17:30`"))?;
    let (from, to) = (parse_minute(from)?, parse_minute(to)?);
    if from == to {
        return Err(format!("`{text}` is empty: it closes when it opens"));
    }
    if from > to {
        return Err(format!(
            "`{text}` ends before it begins; a range stays within its day, so write `{}-24:00` and the rest on the next day",
            clock_face(from)
        ));
    }
    Ok(TimeRange { from, to })
}

fn parse_minute(text: &str) -> Result<u16, String> {
    let text = text.trim();
    let bad = || format!("`{text}` is not a time of day; write it like `09:00`, at most `24:00`");
    let (hour, minute) = text.split_once(':').ok_or_else(bad)?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return Err(bad());
    }
    let (hour, minute): (u16, u16) = (hour.parse().map_err(|_| bad())?, minute.parse().map_err(|_| bad())?);
    let total = hour * 60 + minute;
    if minute < 60 && total <= DAY_MINUTES { Ok(total) } else { Err(bad()) }
}

fn clock_face(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Reads `mon`, `mon-thu`, `mon,wed` or a mixture; `fri-mon` goes over the weekend. Names may be written out
/// (`monday`), in either case. A day named twice is an error.
pub fn parse_days(text: &str) -> Result<Vec<Weekday>, String> {
    let mut days = Vec::new();
    for part in text.split(',') {
        for day in parse_part(part.trim())? {
            if days.contains(&day) {
                return Err(format!("`{text}` names {} twice", day_name(day)));
            }
            days.push(day);
        }
    }
    Ok(days)
}

fn parse_part(part: &str) -> Result<Vec<Weekday>, String> {
    let Some((first, last)) = part.split_once('-') else {
        return Ok(vec![parse_day(part)?]);
    };
    let (first, last) = (parse_day(first.trim())?, parse_day(last.trim())?);
    if first == last {
        return Err(format!("`{part}` is a single day; write `{}`", &day_name(first)[..3].to_lowercase()));
    }
    let length = first.until(last);
    Ok(first.cycle_forward().take(length as usize + 1).collect())
}

fn parse_day(text: &str) -> Result<Weekday, String> {
    let matches = |name: &str| name.eq_ignore_ascii_case(text) || name[..3].eq_ignore_ascii_case(text);
    Weekday::Monday
        .cycle_forward()
        .take(7)
        .find(|day| matches(day_name(*day)))
        .ok_or_else(|| format!("`{text}` is not a day of the week; write mon, tue, wed, thu, fri, sat or sun"))
}

/// The English name of a day.
pub(super) fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weekday::*;

    #[test]
    fn days_are_read_singly_as_spans_and_as_lists() {
        assert_eq!(parse_days("sat"), Ok(vec![Saturday]));
        assert_eq!(parse_days("mon-thu"), Ok(vec![Monday, Tuesday, Wednesday, Thursday]));
        assert_eq!(parse_days("mon,wed"), Ok(vec![Monday, Wednesday]));
        assert_eq!(parse_days("Mon - tuesday, FRI"), Ok(vec![Monday, Tuesday, Friday]));
        assert_eq!(parse_days("fri-mon"), Ok(vec![Friday, Saturday, Sunday, Monday]));
    }

    #[test]
    fn a_day_that_is_none_or_comes_twice_is_refused() {
        assert!(parse_days("mon-thx").unwrap_err().contains("`thx`"));
        assert!(parse_days("").unwrap_err().contains("not a day"));
        assert!(parse_days("mon-wed,tue").unwrap_err().contains("Tuesday twice"));
        assert!(parse_days("mon-mon").unwrap_err().contains("write `mon`"));
    }

    #[test]
    fn a_range_is_read_and_printed_as_written() {
        for text in ["09:00-12:30", "00:00-24:00", "23:59-24:00"] {
            assert_eq!(parse_range(text).expect(text).to_string(), text);
        }
        assert_eq!(parse_range("09:00 - 17:00").expect("spaces are fine").to_minute(), 17 * 60);
    }

    #[test]
    fn a_range_that_makes_no_sense_is_refused_with_a_reason() {
        for (text, reason) in [
            ("09:00", "write it like"),
            ("9:00-17:00", "`9:00` is not a time"),
            ("09:60-17:00", "`09:60`"),
            ("09:00-24:01", "`24:01`"),
            ("24:00-24:00", "empty"),
            ("09:00-09:00", "empty"),
            ("22:00-06:00", "write `22:00-24:00`"),
            ("09:00-+1:00", "`+1:00`"),
        ] {
            let error = parse_range(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
