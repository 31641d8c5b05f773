//! Whether a condition holds of what it looks at. Allocates nothing; explains nothing.
//!
//! An unset field is null. Every comparison with null and every method on null is false, but for
//! `== null` and for `!=` where exactly one side is null. `!` only turns its operand's answer round.

use super::View;
use super::tree::{Method, Node, Op, Operand, Test};
use crate::record::Value;
use crate::record::field::well_known;
use std::borrow::Cow;
use std::cmp::Ordering;

impl Node {
    pub(super) fn holds(&self, view: &View<'_>) -> bool {
        match self {
            Node::And(parts) => parts.iter().all(|part| part.holds(view)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(view)),
            Node::Not { inner, .. } => !inner.holds(view),
            Node::Leaf(leaf) => leaf.test.holds(view),
        }
    }
}

impl Test {
    pub(super) fn holds(&self, view: &View<'_>) -> bool {
        match self {
            Test::Constant(answer) => *answer,
            Test::Compare { left, op, right } => compare(&left.look(view), *op, right),
            Test::IsTrue(operand) => operand.look(view).as_bool() == Some(true),
            Test::Operands { left, op, right } => compare(&left.look(view), *op, &right.look(view)),
            Test::IsNull { of, unless } => of.look(view).is_null() != *unless,
            Test::In { left, list } => {
                let seen = left.look(view);
                list.iter().any(|one| compare(&seen, Op::Eq, one))
            }
            Test::Text { left, method, part } => left.look(view).as_text().is_some_and(|text| method.holds(text, part)),
            Test::Stage { any_of, unless } => any_of.iter().any(|stage| view.stage == Some(stage.index)) != *unless,
            Test::Reached(stage) => view.furthest.is_some_and(|furthest| furthest >= stage.index),
        }
    }
}

impl Operand {
    /// The value to judge. Borrowed from the record, or a number: neither allocates.
    pub(super) fn look<'v>(self, view: &View<'v>) -> Cow<'v, Value> {
        match (self, view.touches) {
            (Operand::Field(name), _) => Cow::Borrowed(view.fields.get(name)),
            (Operand::Touches, Some(count)) => Cow::Owned(Value::Number(count)),
            (Operand::Touches, None) => Cow::Borrowed(view.fields.get(well_known().touches)),
        }
    }
}

impl Method {
    fn holds(self, text: &str, part: &str) -> bool {
        match self {
            Method::StartsWith => text.starts_with(part),
            Method::EndsWith => text.ends_with(part),
            Method::Contains => text.contains(part),
        }
    }
}

fn compare(left: &Value, op: Op, right: &Value) -> bool {
    match order(left, right) {
        Some(ordering) => op.accepts(ordering),
        None => op == Op::Ne && !(left.is_null() && right.is_null()),
    }
}

/// The order of two values of one type; `None` for null, and for different types, which only a field
/// that was declared otherwise when it was stored can show.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        // Not the total order that `Value` itself has: -0 and 0 are one number to a person.
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
