//! `[recycling]`, `[nurture]` and `[[freeze]]`: where stale leads go, how many at once, and when not.

use super::context::Context;
use super::values::values;
use crate::agreement::document::{Datum, Reader, Word};
use crate::agreement::model::{Freeze, Nurture, Pace, RecycleCap, Recycling, StopAbove};
use crate::record::change::FieldValues;
use crate::record::{Elapsed, Object, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::ops::Range;

const DAY: Elapsed = Elapsed::from_secs(86_400);
const HOUR: Elapsed = Elapsed::from_secs(3_600);

/// Values that leadpact will set on a lead, and where the file says so.
pub(super) type SetAt = (FieldValues, Range<usize>);

pub(super) fn recycling<'a>(cx: &Context<'a>, root: &mut Reader<'a>) -> Option<(Recycling, SetAt)> {
    let mut r = root.table("recycling")?;
    let to = r.need_text("to").and_then(|word| cx.party(&word));
    let set = set(cx, &mut r);
    let recycling = Recycling {
        quiet: r.flag("quiet").is_some_and(|flag| flag.value),
        set: set.0.clone(),
        at_most: r.table("at_most").and_then(|table| cap(cx, table)),
        exclude: r.text("exclude").and_then(|word| cx.condition(&word, Object::Lead, false)),
        spare: r.text("spare").and_then(|word| cx.elapsed(&word)).unwrap_or(DAY),
        stop_above: stop_above(cx, r.table("stop_above")),
        pace: r.table("pace").map(pace),
        to: to.unwrap_or_else(|| crate::record::PartyName::new("")),
    };
    r.finish();
    Some((recycling, set))
}

fn set(cx: &Context<'_>, r: &mut Reader<'_>) -> SetAt {
    let set = r.table("set").map(|table| values(cx, table, Object::Lead)).unwrap_or_default();
    (set, r.span_of("set"))
}

fn cap(cx: &Context<'_>, mut r: Reader<'_>) -> Option<RecycleCap> {
    r.need("times");
    let times = r.count("times");
    let within = r.need_text("within").and_then(|word| cx.elapsed(&word));
    let then_nurture = match r.text("then") {
        Some(word) => then(cx, &word),
        None => Some(cx.has_nurture),
    };
    r.finish();
    Some(RecycleCap { times: times?.value, within: within?, then_nurture: then_nurture? })
}

fn then(cx: &Context<'_>, word: &Word<'_>) -> Option<bool> {
    match word.text {
        "stop" => Some(false),
        "nurture" => {
            if !cx.has_nurture {
                let message = "leads would go to nurture, but the agreement does not say how";
                cx.sink.error_with(word.span.clone(), message, "add a [nurture] table");
            }
            Some(true)
        }
        _ => {
            cx.sink.unknown("choice", word, &["nurture", "stop"]);
            None
        }
    }
}

fn stop_above(cx: &Context<'_>, table: Option<Reader<'_>>) -> StopAbove {
    let default = StopAbove { count: 200, share_of_open: 0.05, share_of_owner: 0.2, within: HOUR };
    let Some(mut r) = table else { return default };
    let share = |datum: Option<Datum<f64>>, default| share(cx, datum).unwrap_or(default);
    let read = StopAbove {
        count: r.count("count").map_or(default.count, |n| n.value),
        share_of_open: share(r.number("share_of_open"), default.share_of_open),
        share_of_owner: share(r.number("share_of_owner"), default.share_of_owner),
        within: r.text("within").and_then(|word| cx.elapsed(&word)).unwrap_or(default.within),
    };
    r.finish();
    read
}

fn share(cx: &Context<'_>, datum: Option<Datum<f64>>) -> Option<f64> {
    let datum = datum?;
    if !(0.0..=1.0).contains(&datum.value) {
        let help = format!("for {}% write {}", datum.value, datum.value / 100.0);
        cx.sink.error_with(datum.span, "a share lies between 0 and 1", help);
    }
    Some(datum.value)
}

fn pace(mut r: Reader<'_>) -> Pace {
    let pace = Pace {
        per_minute: r.count("per_minute").map(|n| n.value),
        per_owner_and_day: r.count("per_owner_and_day").map(|n| n.value),
    };
    r.finish();
    pace
}

pub(super) fn nurture<'a>(cx: &Context<'a>, root: &mut Reader<'a>) -> Option<(Nurture, SetAt)> {
    let mut r = root.table("nurture")?;
    let set = set(cx, &mut r);
    let nurture = Nurture { set: set.0.clone(), to: r.text("to").and_then(|word| cx.party(&word)) };
    r.finish();
    Some((nurture, set))
}

pub(super) fn freezes<'a>(cx: &Context<'a>, root: &mut Reader<'a>) -> Vec<Freeze> {
    root.tables("freeze", "[[freeze]]").into_iter().filter_map(|r| freeze(cx, r)).collect()
}

fn freeze(cx: &Context<'_>, mut r: Reader<'_>) -> Option<Freeze> {
    r.need("first");
    r.need("last");
    let (first, last) = (r.date("first"), r.date("last"));
    let why = r.text("why").map_or_else(String::new, |word| word.text.to_owned());
    r.finish();
    let (first, last) = (first?, last?);
    if last.value < first.value {
        let message = "the last day lies before the first";
        cx.sink.error_with(last.span, message, "both days are included; one day is its own first and last");
        return None;
    }
    let (first, last) = (first.value, last.value);
    let from = midnight(first, &cx.zone);
    Some(Freeze { first, last, from, until: midnight(last.tomorrow().ok()?, &cx.zone), why })
}

/// The moment at which a day begins.
pub(super) fn midnight(day: Date, zone: &TimeZone) -> Timestamp {
    day.to_zoned(zone.clone()).map_or(Timestamp::MAX, |zoned| Timestamp::from_jiff(zoned.timestamp()))
}
