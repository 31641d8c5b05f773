//! `[calendars.*]`: when business is open. What is read here is compiled, and judged, by `calendar`.

use crate::agreement::calendar::{Calendar, CalendarPart, CalendarProblem, CalendarSpec, TimeRange};
use crate::agreement::calendar::{holidays_from_ics, parse_days, parse_range};
use crate::agreement::document::{Reader, Sink, Word};
use crate::agreement::model::NamedCalendar;
use crate::agreement::problem::Problem;
use jiff::civil::{Date, Weekday};
use std::collections::HashMap;
use std::ops::Range;

/// The files that the agreement names, read by the caller, as name and contents.
pub(super) struct Included<'i> {
    pub read: &'i dyn Fn(&str) -> Result<String, String>,
    pub files: Vec<(String, String)>,
}

/// Where the parts of a calendar stand in the file.
#[derive(Default)]
struct Places {
    whole: Range<usize>,
    zone: Range<usize>,
    days: HashMap<Weekday, Vec<Range<usize>>>,
    extra: HashMap<Date, (Range<usize>, Vec<Range<usize>>)>,
}

/// Reads one calendar; `None` where it is wrong, which is noted.
pub(super) fn calendar(
    name: &Word<'_>,
    mut r: Reader<'_>,
    sink: &Sink<'_>,
    included: &mut Included<'_>,
) -> Option<NamedCalendar> {
    let mut spec = CalendarSpec::default();
    let mut places = Places { whole: r.span(), ..Places::default() };
    let zone = r.need_text("time_zone");
    places.zone = r.span_of("time_zone");
    let sound = hours(&mut r, sink, &mut spec, &mut places) & extra_days(&mut r, sink, &mut spec, &mut places);
    spec.holidays = r.dates("holidays").into_iter().map(|date| date.value).collect();
    if let Some(file) = r.text("holidays_ics") {
        spec.holidays.extend(included_holidays(&file, sink, included));
    }
    r.finish();
    if let Some(zone) = &zone {
        places.zone = zone.span.clone();
    }
    spec.zone = zone?.text.to_owned();
    // What was not understood would only look like a calendar that is never open.
    if !sound {
        return None;
    }
    match Calendar::compile(&spec) {
        Ok(calendar) => Some(NamedCalendar { name: name.text.to_owned(), calendar }),
        Err(problems) => {
            problems.into_iter().for_each(|problem| note(problem, &places, sink));
            None
        }
    }
}

/// Answers whether all of it was understood.
fn hours(r: &mut Reader<'_>, sink: &Sink<'_>, spec: &mut CalendarSpec, places: &mut Places) -> bool {
    let Some(table) = r.table("hours") else { return !r.has("hours") };
    let mut sound = true;
    for (key, words) in table.entry_texts() {
        let ranges = ranges(&words, sink);
        sound &= ranges.len() == words.len();
        let days = match parse_days(key.text) {
            Ok(days) => days,
            Err(message) => {
                sink.error(key.span, message);
                sound = false;
                continue;
            }
        };
        if let Err(day) = spec.set_hours(&days, &ranges) {
            let message = format!("{day:?} has hours already");
            sink.error_with(key.span, message, "name each day once, with all of its ranges");
            sound = false;
        }
        let spans: Vec<Range<usize>> = words.into_iter().map(|word| word.span).collect();
        places.days.extend(days.into_iter().map(|day| (day, spans.clone())));
    }
    sound
}

fn extra_days(r: &mut Reader<'_>, sink: &Sink<'_>, spec: &mut CalendarSpec, places: &mut Places) -> bool {
    let Some(table) = r.table("extra_days") else { return !r.has("extra_days") };
    let mut sound = true;
    for (key, words) in table.entry_texts() {
        let ranges = ranges(&words, sink);
        sound &= ranges.len() == words.len();
        let Ok(date) = key.text.parse::<Date>() else {
            sink.error_with(key.span, format!("`{}` is no day", key.text), "write it like 2027-01-09");
            sound = false;
            continue;
        };
        places.extra.insert(date, (key.span, words.into_iter().map(|word| word.span).collect()));
        spec.extra_days.insert(date, ranges);
    }
    sound
}

fn ranges(words: &[Word<'_>], sink: &Sink<'_>) -> Vec<TimeRange> {
    let read = |word: &Word<'_>| parse_range(word.text).map_err(|e| sink.error(word.span.clone(), e)).ok();
    words.iter().filter_map(read).collect()
}

fn included_holidays(file: &Word<'_>, sink: &Sink<'_>, included: &mut Included<'_>) -> Vec<Date> {
    let text = match (included.read)(file.text) {
        Ok(text) => text,
        Err(why) => {
            let message = format!("`{}` cannot be read: {why}", file.text);
            sink.error_with(file.span.clone(), message, "the path is seen from the agreement's own folder");
            return vec![];
        }
    };
    let holidays = holidays_from_ics(&text).map_err(|why| {
        sink.error(file.span.clone(), format!("`{}` is no calendar of holidays: {why}", file.text));
    });
    included.files.push((file.text.to_owned(), text));
    holidays.unwrap_or_default()
}

fn note(problem: CalendarProblem, places: &Places, sink: &Sink<'_>) {
    let nth = |spans: Option<&Vec<Range<usize>>>, i: usize| spans.and_then(|spans| spans.get(i)).cloned();
    let span = match problem.part {
        CalendarPart::Whole => None,
        CalendarPart::Zone => Some(places.zone.clone()),
        CalendarPart::Hours(day, i) => nth(places.days.get(&day), i),
        CalendarPart::ExtraDay(date) => places.extra.get(&date).map(|(key, _)| key.clone()),
        CalendarPart::ExtraHours(date, i) => nth(places.extra.get(&date).map(|(_, spans)| spans), i),
    };
    let mut noted = Problem::error(span.unwrap_or_else(|| places.whole.clone()), problem.message);
    noted.help = problem.help;
    sink.note(noted);
}
