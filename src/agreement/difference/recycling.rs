//! Recycling, nurture and the days without either.

use super::condition::Called;
use super::pair::{Pair, change, list};
use super::{Line, Versions, words};
use crate::agreement::model::{Freeze, Nurture, Pace, RecycleCap, Recycling};
use serde_json::Value;

const RECYCLING: &str = "Recycling";
const NURTURE: &str = "Nurture";

pub(super) fn recycling(v: Versions<'_>) -> Vec<Line> {
    let (a, b) = (v.old.agreement, v.new.agreement);
    let table = |key: &str| (&v.old.document[key], &v.new.document[key]);
    let mut lines = match (&a.recycling, &b.recycling) {
        (Some(was), Some(is)) => recycled(table("recycling"), was, is),
        (None, Some(is)) => vec![Line::plain(format!("{RECYCLING} is new: to {}", words::party(&is.to)))],
        (Some(_), None) => vec![Line::plain(format!("{RECYCLING} is gone"))],
        (None, None) => vec![],
    };
    lines.extend(match (&a.nurture, &b.nurture) {
        (Some(was), Some(is)) => nurture(table("nurture"), was, is),
        (None, Some(is)) => {
            vec![Line::plain(format!("{NURTURE} is new: it sets {}", words::listed(&words::values(&is.set))))]
        }
        (Some(_), None) => vec![Line::plain(format!("{NURTURE} is gone"))],
        (None, None) => vec![],
    });
    lines.extend(freezes(table("freeze"), &a.freezes, &b.freezes));
    lines
}

fn recycled((old, new): (&Value, &Value), was: &Recycling, is: &Recycling) -> Vec<Line> {
    let mut pair = Pair::new(RECYCLING, old, new);
    pair.text("to", "leads go to", Some(words::party(&was.to)), Some(words::party(&is.to)));
    let quiet = |r: &Recycling| Some(if r.quiet { "nobody" } else { "the former owner and the receiver" }.to_owned());
    pair.text("quiet", "told of it:", quiet(was), quiet(is));
    pair.list("set", "sets", &words::values(&was.set), &words::values(&is.set), None);
    pair.text("at_most", "at most", was.at_most.map(cap), is.at_most.map(cap));
    let called = Called { label: "leaves alone leads where", noun: "leaving a lead alone" };
    pair.condition("exclude", called, was.exclude.as_ref(), is.exclude.as_ref(), None);
    let spare = |r: &Recycling| Some(words::elapsed(r.spare));
    pair.text("spare", "a lead that somebody just touched is spared for", spare(was), spare(is));
    pair.tell("stop_above", breaker(was, is));
    pair.tell("pace", pace(was, is));
    pair.finish()
}

fn cap(cap: RecycleCap) -> String {
    let then = if cap.then_nurture { "nurture" } else { "no more" };
    let times = if cap.times == 1 { "once".to_owned() } else { format!("{} times", cap.times) };
    format!("{times} within {}, then {then}", words::elapsed(cap.within))
}

fn breaker(was: &Recycling, is: &Recycling) -> Vec<Line> {
    let (a, b) = (was.stop_above, is.stop_above);
    let lines = [
        change("held for a person above", Some(format!("{} leads", a.count)), Some(format!("{} leads", b.count))),
        change(
            "held for a person above",
            Some(format!("{} of the open leads", words::percent(a.share_of_open))),
            Some(format!("{} of the open leads", words::percent(b.share_of_open))),
        ),
        change(
            "held for a person above",
            Some(format!("{} of an owner's leads", words::percent(a.share_of_owner))),
            Some(format!("{} of an owner's leads", words::percent(b.share_of_owner))),
        ),
        change("these are counted within", Some(words::elapsed(a.within)), Some(words::elapsed(b.within))),
    ];
    lines.into_iter().flatten().map(Line::plain).collect()
}

fn pace(was: &Recycling, is: &Recycling) -> Vec<Line> {
    let (a, b) = (was.pace, is.pace);
    let minute = |pace: Option<Pace>| Some(pace?.per_minute?.to_string());
    let day = |pace: Option<Pace>| Some(pace?.per_owner_and_day?.to_string());
    let lines = [
        change("leads a minute at most:", minute(a), minute(b)),
        change("leads an owner and day at most:", day(a), day(b)),
    ];
    lines.into_iter().flatten().map(Line::plain).collect()
}

fn nurture((old, new): (&Value, &Value), was: &Nurture, is: &Nurture) -> Vec<Line> {
    let mut pair = Pair::new(NURTURE, old, new);
    pair.list("set", "sets", &words::values(&was.set), &words::values(&is.set), None);
    pair.text("to", "leads go to", was.to.as_ref().map(words::party), is.to.as_ref().map(words::party));
    pair.finish()
}

fn freezes((old, new): (&Value, &Value), was: &[Freeze], is: &[Freeze]) -> Vec<Line> {
    let say = |freeze: &Freeze| {
        let why = if freeze.why.is_empty() { String::new() } else { format!(" ({})", freeze.why) };
        match freeze.first == freeze.last {
            true => format!("{}{why}", freeze.first),
            false => format!("{} to {}{why}", freeze.first, freeze.last),
        }
    };
    let all = |freezes: &[Freeze]| -> Vec<String> { freezes.iter().map(say).collect() };
    let lines = list("Days without recycling", &all(was), &all(is), None);
    if lines.is_empty() && old != new {
        return vec![Line::plain("The days without recycling are written differently and mean the same".to_owned())];
    }
    lines
}
