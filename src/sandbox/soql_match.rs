//! Which rows a SOQL condition fits, and how rows are sorted. Reading a query is done in `soql.rs`.

use super::soql::{Condition, Literal, Operator, moment};
use serde_json::Value as Json;
use std::cmp::Ordering;

impl Condition {
    /// `get` tells a row's field.
    pub fn holds(&self, get: &dyn Fn(&str) -> Json) -> bool {
        match self {
            Condition::All(parts) => parts.iter().all(|part| part.holds(get)),
            Condition::Any(parts) => parts.iter().any(|part| part.holds(get)),
            Condition::Not(part) => !part.holds(get),
            Condition::In { field, values, negated } => {
                let seen = get(field);
                values.iter().any(|value| equal(&seen, value)) != *negated
            }
            Condition::Compare { field, operator, value } => compare(&get(field), *operator, value),
        }
    }
}

fn compare(seen: &Json, operator: Operator, value: &Literal) -> bool {
    let order = || order_to(seen, value);
    match operator {
        Operator::Equal => equal(seen, value),
        Operator::NotEqual => !equal(seen, value),
        Operator::Less => order() == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order() == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
        Operator::Like => matches!((seen, value), (Json::String(s), Literal::Text(p)) if like(s, p)),
    }
}

fn equal(seen: &Json, value: &Literal) -> bool {
    match (seen, value) {
        (Json::Null, Literal::Null) => true,
        (Json::Bool(a), Literal::Bool(b)) => a == b,
        // A missing checkbox is unchecked.
        (Json::Null, Literal::Bool(b)) => !b,
        (Json::String(a), Literal::Text(b)) => same_text(a, b),
        _ => order_to(seen, value) == Some(Ordering::Equal),
    }
}

/// Text compares in any case, but an id of 15 characters means the one of 18.
fn same_text(a: &str, b: &str) -> bool {
    match (a.len(), b.len()) {
        (18, 15) => a.get(..15) == Some(b),
        _ => a.eq_ignore_ascii_case(b),
    }
}

fn order_to(seen: &Json, value: &Literal) -> Option<Ordering> {
    match (seen, value) {
        (Json::Number(a), Literal::Number(b)) => a.as_f64()?.partial_cmp(b),
        (Json::String(a), Literal::Time(b)) => Some(moment(a)?.cmp(b)),
        (Json::String(a), Literal::Text(b)) if are_ids(a, b) => Some(a.cmp(b)),
        (Json::String(a), Literal::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        _ => None,
    }
}

/// Ids keep their letters' case, in comparisons as in the order of rows.
fn are_ids(a: &str, b: &str) -> bool {
    [a, b].iter().all(|id| id.len() == 18 && id.bytes().all(|c| c.is_ascii_alphanumeric()) && id.starts_with('0'))
}

/// `%` stands for any text, `_` for any character.
fn like(text: &str, pattern: &str) -> bool {
    fn matches(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| matches(&text[skip..], rest)),
            Some(('_', rest)) => !text.is_empty() && matches(&text[1..], rest),
            Some((c, rest)) => text.first() == Some(c) && matches(&text[1..], rest),
        }
    }
    let chars = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    matches(&chars(text), &chars(pattern))
}

/// For ORDER BY: nulls first, then numbers, then text; moments in their one format sort as text.
pub fn sorted_as(a: &Json, b: &Json) -> Ordering {
    match (a, b) {
        (Json::Null, Json::Null) => Ordering::Equal,
        (Json::Null, _) => Ordering::Less,
        (_, Json::Null) => Ordering::Greater,
        (Json::Number(a), Json::Number(b)) => a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()),
        (Json::String(a), Json::String(b)) => a.cmp(b),
        (a, b) => a.to_string().cmp(&b.to_string()),
    }
}
