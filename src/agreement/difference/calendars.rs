//! Calendars: hours day by day, holidays, extra days; and whose deadlines move with them. They are told
//! from the file, since a compiled calendar knows no days any more, only moments.

use super::deadline::{self, Length};
use super::meet::Met;
use super::pair::{Pair, change, keys};
use super::{Line, Verdict, Version, Versions, Way, words};
use crate::agreement::calendar::{holidays_from_ics, parse_days};
use crate::agreement::model::{Agreement, Clock};
use crate::agreement::span::is_business;
use crate::record::PartyName;
use jiff::civil::Weekday;
use serde_json::Value;

pub(super) fn calendars(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (entries(v.old), entries(v.new));
    let mut lines = Vec::new();
    for met in super::meet::meet(&old, &new) {
        match met {
            Met::Both(i, j) if old[i] != new[j] || included(v.old, old[i].1) != included(v.new, new[j].1) => {
                lines.extend(calendar(v, old[i], new[j]));
            }
            Met::Both(..) => {}
            Met::New(j) => lines.push(Line::plain(format!("The calendar {} is new", words::quoted(new[j].0)))),
            Met::Gone(i) => lines.push(Line::plain(format!("The calendar {} is gone", words::quoted(old[i].0)))),
        }
    }
    lines.extend(moved(v));
    lines
}

fn entries<'a>(version: Version<'a>) -> Vec<(&'a str, &'a Value)> {
    version.document["calendars"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, table)| (name.as_str(), table))
        .collect()
}

fn calendar(v: Versions<'_>, (was, old): (&str, &Value), (name, new): (&str, &Value)) -> Vec<Line> {
    let mut pair = Pair::new(format!("The calendar {}", words::quoted(name)), old, new);
    pair.name(was, name);
    let text = |table: &Value, key: &str| table[key].as_str().map(str::to_owned);
    pair.text("time_zone", "its time zone is", text(old, "time_zone"), text(new, "time_zone"));
    pair.tell("hours", hours(&old["hours"], &new["hours"]));
    pair.list("holidays", "holidays", &dates(&old["holidays"]), &dates(&new["holidays"]), None);
    let (file_was, file_is) = (included(v.old, old), included(v.new, new));
    let mut from_file = super::pair::list("holidays from the file", &days(file_was), &days(file_is), None);
    from_file.extend(
        change("holidays are taken from", text(old, "holidays_ics"), text(new, "holidays_ics")).map(Line::plain),
    );
    if from_file.is_empty() && file_was != file_is {
        from_file.push(Line::plain("the file of holidays is another, with the same days".to_owned()));
    }
    pair.tell("holidays_ics", from_file);
    pair.tell("extra_days", extra_days(&old["extra_days"], &new["extra_days"]));
    pair.finish()
}

/// The contents of the file that a calendar takes its holidays from.
fn included<'a>(version: Version<'a>, table: &Value) -> Option<&'a str> {
    let name = table["holidays_ics"].as_str()?;
    let files = version.included.as_array().into_iter().flatten();
    files.filter(|file| file[0].as_str() == Some(name)).find_map(|file| file[1].as_str())
}

fn days(file: Option<&str>) -> Vec<String> {
    let days = file.map(|text| holidays_from_ics(text).unwrap_or_default()).unwrap_or_default();
    days.into_iter().map(|day| day.to_string()).collect()
}

fn dates(list: &Value) -> Vec<String> {
    let mut dates: Vec<String> = texts(list);
    dates.sort();
    dates.dedup();
    dates
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Days of the same change are told together: `Monday to Thursday`.
fn hours(old: &Value, new: &Value) -> Vec<Line> {
    let mut lines: Vec<(Vec<Weekday>, String)> = Vec::new();
    for day in Weekday::Monday.cycle_forward().take(7) {
        let (was, is) = (open(old, day), open(new, day));
        if was == is {
            continue;
        }
        let text = format!("{was} → {is}");
        match lines.last_mut() {
            Some((days, same)) if *same == text => days.push(day),
            _ => lines.push((vec![day], text)),
        }
    }
    lines.into_iter().map(|(days, text)| Line::plain(format!("{} {text}", span_of_days(&days)))).collect()
}

fn span_of_days(days: &[Weekday]) -> String {
    match days {
        [first, .., last] => format!("{first:?} to {last:?}"),
        [only] => format!("{only:?}"),
        [] => String::new(),
    }
}

fn open(hours: &Value, day: Weekday) -> String {
    let named = |key: &str| parse_days(key).is_ok_and(|days| days.contains(&day));
    let of_day = hours.as_object().into_iter().flatten().filter(|(key, _)| named(key));
    let ranges: Vec<String> = of_day.flat_map(|(_, ranges)| texts(ranges)).collect();
    if ranges.is_empty() { "closed".to_owned() } else { ranges.join(", ") }
}

fn extra_days(old: &Value, new: &Value) -> Vec<Line> {
    let ranges = |days: &Value, day: &str| days.get(day).map(|ranges| texts(ranges).join(", "));
    let line = |day: &str| change(&format!("{day} is open"), ranges(old, day), ranges(new, day)).map(Line::plain);
    keys(old, new).into_iter().filter_map(line).collect()
}

/// Clocks whose calendar is another: what that alone does to their deadlines.
fn moved(v: Versions<'_>) -> Vec<Line> {
    let mut groups: Vec<(Way, PartyName, Vec<String>)> = Vec::new();
    for new in v.new.agreement.clocks.iter().filter(|clock| is_business(clock.within)) {
        let Some(old) = v.old.agreement.clock_named(&new.name) else { continue };
        if definition(v.old, old) == definition(v.new, new) {
            continue;
        }
        // What another length does is told at the clock.
        let (was, is) = (length(v.old.agreement, old, old), length(v.new.agreement, new, old));
        let Some(way) = deadline::way(was, is, v.new.agreement.effective.map(|_| v.new.agreement.effective_at)) else {
            continue;
        };
        match groups.iter_mut().find(|(other, party, _)| (*other, party) == (way, &new.party)) {
            Some((_, _, names)) => names.push(words::quoted(&new.name)),
            None => groups.push((way, new.party.clone(), vec![words::quoted(&new.name)])),
        }
    }
    let line = |(way, party, names): (Way, PartyName, Vec<String>)| {
        let how = match way {
            Way::Stricter => "earlier",
            Way::Looser => "later",
            Way::Mixed => "sometimes earlier, sometimes later",
        };
        let text = format!("With the changed calendar, the deadlines of {} come {how}", words::listed(&names));
        Line { text, verdict: Some(Verdict { way, party: words::party(&party) }) }
    };
    groups.into_iter().map(line).collect()
}

fn length<'a>(agreement: &'a Agreement, clock: &Clock, within: &Clock) -> Length<'a> {
    Length { span: within.within, calendar: agreement.calendar_of(clock) }
}

/// What the calendar of a clock says.
fn definition<'a>(version: Version<'a>, clock: &Clock) -> (&'a Value, Option<&'a str>) {
    let name = clock.calendar.map_or("", |i| version.agreement.calendars[i].name.as_str());
    let table = &version.document["calendars"][name];
    (table, included(version, table))
}
