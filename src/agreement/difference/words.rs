//! How the things of an agreement are called in a sentence about a change.

use crate::agreement::model::{Address, Audience, Period};
use crate::agreement::span::span_in_words;
use crate::record::change::FieldValues;
use crate::record::{Elapsed, FieldName, PartyName, Value};

/// `field sales`
pub(super) fn party(name: &PartyName) -> String {
    name.as_str().replace('_', " ")
}

/// `close date`
pub(super) fn field(name: &FieldName) -> String {
    name.as_str().replace('_', " ")
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.trim())
}

/// `a, b and c`
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => words.concat(),
    }
}

pub(super) fn elapsed(length: Elapsed) -> String {
    span_in_words(crate::agreement::model::Span::Elapsed(length))
}

/// A share as a percentage, without the dust of binary fractions.
pub(super) fn percent(share: f64) -> String {
    format!("{}%", (share * 1e10).round() / 1e8)
}

pub(super) fn address(address: &Address) -> String {
    match address {
        Address::Slack(channel) => channel.to_string(),
        Address::Email(email) => email.to_string(),
    }
}

pub(super) fn audience(audience: &Audience) -> String {
    match audience {
        Audience::Owner => "the owner".to_owned(),
        Audience::Party => "the party".to_owned(),
        Audience::Manager => "the manager".to_owned(),
        Audience::PartyNamed(name) => party(name),
        Audience::Address(to) => address(to),
    }
}

pub(super) fn period(period: Period) -> &'static str {
    match period {
        Period::Week => "week",
        Period::Month => "month",
        Period::Quarter => "quarter",
    }
}

/// `status to "Nurture"`, in the order of the fields' names: in which order they are set means nothing.
pub(super) fn values(values: &FieldValues) -> Vec<String> {
    let mut words: Vec<String> = values.iter().map(|(name, to)| format!("{} to {}", field(name), value(to))).collect();
    words.sort();
    words
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        other => other.to_string(),
    }
}
