//! What stands at the top of the agreement, and the currency.

use super::pair::Pair;
use super::{Line, Versions, words};
use crate::agreement::model::{Agreement, Currency};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const KEYS: [&str; 8] =
    ["title", "version", "effective", "review_by", "calendar", "settle", "apply_to_open", "summary"];

pub(super) fn whole(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (head(v.old.document), head(v.new.document));
    let (was, is) = (v.old.agreement, v.new.agreement);
    let mut pair = Pair::new("The agreement", &old, &new);
    pair.text("title", "title", Some(words::quoted(&was.title)), Some(words::quoted(&is.title)));
    pair.text("version", "version", Some(words::quoted(&was.version)), Some(words::quoted(&is.version)));
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
    pair.text("effective", "in effect from", day(was.effective), day(is.effective));
    pair.text("review_by", "to be looked at again by", day(was.review_by), day(is.review_by));
    pair.text("calendar", "its own calendar is", calendar(was), calendar(is));
    let settle = |a: &Agreement| Some(words::elapsed(a.settle));
    pair.text("settle", "what a form lacks is judged after", settle(was), settle(is));
    let open = |a: &Agreement| a.apply_to_open.then(|| "clocks that run already".to_owned());
    pair.text("apply_to_open", "applied to", open(was), open(is));
    let summary = |a: &Agreement| (!a.summary.is_empty()).then(|| words::quoted(&one_line(&a.summary)));
    pair.text("summary", "summary", summary(was), summary(is));
    pair.finish()
}

/// Where lines end is layout.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The keys of the top that are no tables.
fn head(document: &Value) -> Value {
    let entry = |key: &str| document.get(key).map(|value| (key.to_owned(), value.clone()));
    Value::Object(KEYS.into_iter().filter_map(entry).collect::<Map<_, _>>())
}

fn calendar(agreement: &Agreement) -> Option<String> {
    agreement.calendar.map(|i| words::quoted(&agreement.calendars[i].name))
}

pub(super) fn currency(v: Versions<'_>) -> Vec<Line> {
    let (was, is) = (v.old.agreement.currency.as_ref(), v.new.agreement.currency.as_ref());
    let mut pair = Pair::new("Amounts", &v.old.document["currency"], &v.new.document["currency"]);
    let base = |c: Option<&Currency>| c.map(|c| c.base.clone());
    pair.text("base", "summed in", base(was), base(is));
    let rates = |c: Option<&Currency>| c.map(|c| c.rates.clone()).unwrap_or_default();
    let (was_rates, is_rates) = (rates(was), rates(is));
    let codes: BTreeSet<&String> = was_rates.keys().chain(is_rates.keys()).collect();
    let lines = codes.into_iter().filter_map(|code| {
        let rate = |rates: &BTreeMap<String, f64>| rates.get(code).map(ToString::to_string);
        super::pair::change(&format!("one {code} is"), rate(&was_rates), rate(&is_rates)).map(Line::plain)
    });
    let lines = lines.collect();
    pair.tell("rates", lines);
    pair.finish()
}
