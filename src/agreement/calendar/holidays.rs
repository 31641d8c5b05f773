//! Holidays out of an iCalendar file (RFC 5545): whole-day events, and those that come back every year.
//! The crate `icalendar` reads the text; what its events mean for a business calendar is decided here.

use super::LAST_YEAR;
use icalendar::parser::{Component, read_calendar, unfold};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Nobody's holiday lasts longer; a mistyped year would close the business for decades.
const LONGEST_DAYS: i32 = 366;

/// The days that the events of an iCalendar file cover, sorted, each once.
///
/// Taken are events of whole days (`DTEND` is exclusive; without it, one day), among them those written as midnight to
/// midnight. Other events have a time of day and are no holidays. Cancelled ones are skipped. `RRULE` may be a plain
/// yearly one, expanded to the tables' last year; `EXDATE` and single changed occurrences are heeded.
///
/// # Errors
/// A sentence that names the event, for text that is no iCalendar and for rules beyond that: a holiday that we
/// cannot place must not be a working day in silence.
pub fn holidays_from_ics(text: &str) -> Result<Vec<Date>, String> {
    let text = unfold(text.trim_start_matches('\u{feff}'));
    let file = read_calendar(&text).map_err(|error| format!("this is not an iCalendar file: {}", error.trim()))?;
    if !text.trim_start().get(..15).is_some_and(|begin| begin.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err("this is not an iCalendar file: it does not begin with BEGIN:VCALENDAR".to_owned());
    }
    let events: Vec<Event<'_>> =
        file.components.iter().filter(|c| is_named(c.name.as_str(), "VEVENT")).map(Event).collect();
    let replaced: BTreeSet<_> = events.iter().filter_map(Event::replaces).collect();
    let mut days = BTreeSet::new();
    for event in events.iter().filter(|event| !event.is_cancelled()) {
        days.extend(event.days(&replaced).map_err(|why| format!("the event {}: {why}", event.name()))?);
    }
    Ok(days.into_iter().collect())
}

/// One VEVENT.
struct Event<'a>(&'a Component<'a>);

impl Event<'_> {
    /// All values of a property; lists are split at their commas.
    fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0
            .properties
            .iter()
            .filter(move |p| is_named(p.name.as_str(), name))
            .flat_map(|p| p.val.as_str().split(','))
    }

    fn value(&self, name: &'static str) -> Option<&str> {
        self.0.properties.iter().find(|p| is_named(p.name.as_str(), name)).map(|p| p.val.as_str().trim())
    }

    fn name(&self) -> String {
        let name = self.value("SUMMARY").or_else(|| self.value("UID")).unwrap_or("without a name");
        let start = self.value("DTSTART").unwrap_or("no date");
        format!("`{name}` ({start})")
    }

    fn is_cancelled(&self) -> bool {
        self.value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED"))
    }

    /// The occurrence of another event that this one stands in for.
    fn replaces(&self) -> Option<(String, Date)> {
        Some((self.value("UID")?.to_owned(), whole_day(self.value("RECURRENCE-ID")?)?))
    }

    fn days(&self, replaced: &BTreeSet<(String, Date)>) -> Result<Vec<Date>, String> {
        let start = self.value("DTSTART").ok_or("it has no DTSTART")?;
        let Some(start) = whole_day(start) else {
            return if date_part(start).is_some() { Ok(Vec::new()) } else { Err(format!("`{start}` is no date")) };
        };
        let Some(length) = self.length(start)? else {
            return Ok(Vec::new());
        };
        let except: Vec<Date> = self.values("EXDATE").filter_map(date_part).collect();
        let uid = self.value("UID").unwrap_or_default();
        let is_replaced =
            |day: Date| self.value("RECURRENCE-ID").is_none() && replaced.contains(&(uid.to_owned(), day));
        let firsts = self.occurrences(start)?.into_iter().filter(|day| !except.contains(day) && !is_replaced(*day));
        Ok(firsts.flat_map(|first| first.series(jiff::Span::new().days(1)).take(length)).collect())
    }

    /// In days; `None` when it ends at a time of day.
    fn length(&self, start: Date) -> Result<Option<usize>, String> {
        let days = match (self.value("DTEND"), self.value("DURATION")) {
            (Some(end), _) => match whole_day(end) {
                Some(end) => start.duration_until(end).as_hours() / 24,
                None if date_part(end).is_some() => return Ok(None),
                None => return Err(format!("its end `{end}` is no date")),
            },
            (None, Some(duration)) => match whole_days(duration) {
                Some(days) => days,
                None => return Err(format!("its DURATION `{duration}` is not in whole days")),
            },
            (None, None) => 1,
        };
        match days {
            // Some programs write the same day as the end of a single day.
            0 => Ok(Some(1)),
            1.. if days <= i64::from(LONGEST_DAYS) => Ok(Some(days as usize)),
            1.. => Err(format!("it lasts {days} days")),
            _ => Err("it ends before it begins".to_owned()),
        }
    }

    /// The first day of each occurrence.
    fn occurrences(&self, start: Date) -> Result<Vec<Date>, String> {
        if self.value("RDATE").is_some() {
            return Err("RDATE is not understood; write the days as events of their own".to_owned());
        }
        match self.value("RRULE") {
            None => Ok(vec![start]),
            Some(rule) => Ok(Yearly::parse(rule, start)?.days(start)),
        }
    }
}

/// A recurrence on the same day of the year.
struct Yearly {
    /// In years.
    interval: i16,
    count: usize,
    until: Date,
}

impl Yearly {
    fn parse(rule: &str, start: Date) -> Result<Self, String> {
        let beyond = |part: &str| {
            format!("`{part}` of the rule `{rule}` is not understood; write the days as events of their own")
        };
        let mut yearly = Self { interval: 1, count: usize::MAX, until: Date::MAX };
        let mut is_yearly = false;
        for part in rule.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| beyond(part))?;
            let is = |number: i8| value.parse() == Ok(number);
            match key.to_ascii_uppercase().as_str() {
                "FREQ" if value.eq_ignore_ascii_case("YEARLY") => is_yearly = true,
                "BYMONTH" if is(start.month()) => {}
                "BYMONTHDAY" if is(start.day()) => {}
                "WKST" => {}
                "INTERVAL" => yearly.interval = value.parse().ok().filter(|n| *n > 0).ok_or_else(|| beyond(part))?,
                "COUNT" => yearly.count = value.parse().map_err(|_| beyond(part))?,
                "UNTIL" => yearly.until = date_part(value).ok_or_else(|| beyond(part))?,
                _ => return Err(beyond(part)),
            }
        }
        if is_yearly { Ok(yearly) } else { Err(beyond("FREQ")) }
    }

    /// The 29th of February comes in leap years only, and only those are counted.
    fn days(&self, start: Date) -> Vec<Date> {
        let years = (start.year()..=LAST_YEAR.max(start.year())).step_by(self.interval as usize);
        let days = years.filter_map(|year| Date::new(year, start.month(), start.day()).ok());
        days.take_while(|day| *day <= self.until).take(self.count).collect()
    }
}

fn is_named(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

/// `20270101`, or a midnight without zone (`20270101T000000`), as some programs write whole days.
fn whole_day(value: &str) -> Option<Date> {
    let value = value.trim();
    matches!(value.get(8..), Some("" | "T000000")).then(|| date_part(value)).flatten()
}

/// The date at the beginning of a date or a date with time.
fn date_part(value: &str) -> Option<Date> {
    let value = value.trim();
    let digits = value.get(..8).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    if !matches!(value.as_bytes().get(8), None | Some(b'T')) {
        return None;
    }
    Date::new(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?).ok()
}

/// `P3D` or `P1W` as days.
fn whole_days(duration: &str) -> Option<i64> {
    let duration = duration.strip_prefix('+').unwrap_or(duration).strip_prefix('P')?;
    match (duration.strip_suffix('D'), duration.strip_suffix('W')) {
        (Some(days), _) => days.parse().ok(),
        (_, Some(weeks)) => weeks.parse::<u16>().ok().map(|weeks| i64::from(weeks) * 7),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// A file with these events, each given by its inner lines.
    fn file(events: &[&str]) -> String {
        let events: String = events.iter().map(|lines| format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n")).collect();
        format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{events}END:VCALENDAR\n").replace('\n', "\r\n")
    }

    fn days(events: &[&str]) -> Vec<Date> {
        holidays_from_ics(&file(events)).expect("a readable file")
    }

    fn refused(event: &str) -> String {
        holidays_from_ics(&file(&[event])).expect_err("must be refused")
    }

    #[test]
    fn an_event_of_whole_days_ends_before_its_end() {
        let events = [
            "SUMMARY:New Year\nDTSTART;VALUE=DATE:20270101\nDTEND;VALUE=DATE:20270102",
            "DTSTART;VALUE=DATE:20271224\nDTEND;VALUE=DATE:20271227",
        ];
        assert_eq!(days(&events), [date(2027, 1, 1), date(2027, 12, 24), date(2027, 12, 25), date(2027, 12, 26)]);
    }

    #[test]
    fn an_event_without_an_end_or_with_a_duration_is_read() {
        let events = [
            "DTSTART;VALUE=DATE:20270101",
            "DTSTART;VALUE=DATE:20270201\nDURATION:P2D",
            "DTSTART:20270301T000000\nDTEND:20270302T000000",
        ];
        assert_eq!(days(&events), [date(2027, 1, 1), date(2027, 2, 1), date(2027, 2, 2), date(2027, 3, 1)]);
    }

    #[test]
    fn a_meeting_and_a_cancelled_holiday_close_nothing() {
        let events =
            ["DTSTART:20270101T090000Z\nDTEND:20270101T100000Z", "STATUS:CANCELLED\nDTSTART;VALUE=DATE:20270102"];
        assert_eq!(days(&events), []);
    }

    #[test]
    fn a_yearly_holiday_comes_back_until_the_tables_end() {
        let all = days(&["DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25"]);
        assert_eq!((all[0], all[all.len() - 1]), (date(2025, 12, 25), date(LAST_YEAR, 12, 25)));
        assert_eq!(all.len(), usize::from(LAST_YEAR.unsigned_abs()) - 2025 + 1);
    }

    #[test]
    fn count_until_interval_and_exceptions_of_a_yearly_holiday_are_heeded() {
        assert_eq!(
            days(&["DTSTART;VALUE=DATE:20270501\nRRULE:FREQ=YEARLY;COUNT=2"]),
            [date(2027, 5, 1), date(2028, 5, 1)]
        );
        assert_eq!(days(&["DTSTART;VALUE=DATE:20270501\nRRULE:FREQ=YEARLY;UNTIL=20280501"]).len(), 2);
        assert_eq!(
            days(&["DTSTART;VALUE=DATE:20270501\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=3\nEXDATE;VALUE=DATE:20290501"]),
            [date(2027, 5, 1), date(2031, 5, 1)]
        );
        assert_eq!(
            days(&["DTSTART;VALUE=DATE:20280229\nRRULE:FREQ=YEARLY;COUNT=2"]),
            [date(2028, 2, 29), date(2032, 2, 29)]
        );
    }

    #[test]
    fn a_single_occurrence_that_was_moved_or_cancelled_takes_the_place_of_its_own() {
        let yearly = "UID:a\nDTSTART;VALUE=DATE:20270501\nRRULE:FREQ=YEARLY;COUNT=3";
        let moved = "UID:a\nRECURRENCE-ID;VALUE=DATE:20280501\nDTSTART;VALUE=DATE:20280502";
        let cancelled = "UID:a\nSTATUS:CANCELLED\nRECURRENCE-ID;VALUE=DATE:20290501\nDTSTART;VALUE=DATE:20290501";
        assert_eq!(days(&[yearly, moved, cancelled]), [date(2027, 5, 1), date(2028, 5, 2)]);
    }

    #[test]
    fn a_rule_that_we_cannot_place_is_refused_by_the_name_of_its_event() {
        let error =
            refused("SUMMARY:Thanksgiving\nDTSTART;VALUE=DATE:20271125\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH");
        assert!(error.contains("`Thanksgiving` (20271125)") && error.contains("`BYDAY=4TH`"), "{error}");
        assert!(refused("DTSTART;VALUE=DATE:20270101\nRRULE:FREQ=MONTHLY").contains("FREQ=MONTHLY"));
        assert!(refused("DTSTART;VALUE=DATE:20270101\nRRULE:FREQ=YEARLY;BYMONTH=2").contains("BYMONTH=2"));
        assert!(refused("DTSTART;VALUE=DATE:20270101\nRDATE;VALUE=DATE:20270105").contains("RDATE"));
    }

    #[test]
    fn an_event_that_makes_no_sense_is_refused() {
        assert!(refused("SUMMARY:x").contains("no DTSTART"));
        assert!(refused("DTSTART;VALUE=DATE:20271301").contains("no date"));
        assert!(refused("DTSTART;VALUE=DATE:20270105\nDTEND;VALUE=DATE:20270101").contains("before it begins"));
        assert!(refused("DTSTART;VALUE=DATE:20270105\nDTEND;VALUE=DATE:20370105").contains("lasts"));
    }

    #[test]
    fn what_is_no_icalendar_or_is_cut_short_is_refused() {
        let whole = file(&["DTSTART;VALUE=DATE:20270101"]);
        for text in ["", "hello", "BEGIN:VEVENT\r\nDTSTART:20270101\r\nEND:VEVENT\r\n", &whole[..whole.len() - 30]] {
            assert!(holidays_from_ics(text).is_err_and(|error| error.contains("iCalendar")), "{text}");
        }
    }

    #[test]
    fn folded_lines_a_byte_order_mark_and_plain_line_ends_are_read() {
        let text = file(&["SUMMARY:A long\n name\nDTSTART;VALUE=DATE:2027\n 0101"]);
        assert_eq!(holidays_from_ics(&format!("\u{feff}{text}")), Ok(vec![date(2027, 1, 1)]));
        assert_eq!(holidays_from_ics(&text.replace('\r', "")), Ok(vec![date(2027, 1, 1)]));
    }
}
