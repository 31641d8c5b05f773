//! A condition as an English sentence for the slide. Prints only; the words follow the compiled
//! tree, so the sentence cannot say anything else than what is enforced.

use super::tree::{Method, Node, Op, Operand, StageRef, Test};
use crate::record::Value;

/// What binds the parts of a sentence, so that a part within another kind gets brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
}

/// The whole condition as a sentence without a full stop.
pub(super) fn sentence(root: &Node) -> String {
    part(root, false, None)
}

/// Negation is carried down to the comparisons: "not (a or b)" reads worse than "not a and not b",
/// and with two-valued answers they are the same.
pub(super) fn part(node: &Node, negated: bool, within: Option<Joint>) -> String {
    let (parts, joint) = match node {
        Node::Not { inner, .. } => return part(inner, !negated, within),
        Node::Leaf(leaf) => return phrase(&leaf.test, negated),
        Node::And(parts) => (parts, if negated { Joint::Or } else { Joint::And }),
        Node::Or(parts) => (parts, if negated { Joint::And } else { Joint::Or }),
    };
    let words: Vec<String> = parts.iter().map(|one| part(one, negated, Some(joint))).collect();
    let joined = join(&words, if joint == Joint::And { "and" } else { "or" });
    match within {
        Some(outer) if outer != joint => format!("({joined})"),
        _ => joined,
    }
}

/// `a and b`; `a, b, and c`.
fn join(words: &[String], by: &str) -> String {
    match words {
        [first, second] => format!("{first} {by} {second}"),
        [most @ .., last] if !most.is_empty() => format!("{}, {by} {last}", most.join(", ")),
        _ => words.concat(),
    }
}

fn phrase(test: &Test, negated: bool) -> String {
    match test {
        Test::Constant(answer) => if *answer != negated { "always" } else { "never" }.to_owned(),
        Test::Compare { left: Operand::Touches, op, right: Value::Number(count) } => touches(*op, *count, negated),
        Test::Compare { left, op, right } => {
            format!("{} {}", name(*left), comparison(*op, Kind::of(right), &literal(right), negated))
        }
        Test::IsTrue(operand) => format!("{} {} yes", name(*operand), is(negated)),
        Test::Operands { left, op, right } => {
            format!("{} {}", name(*left), comparison(*op, Kind::Number, &name(*right), negated))
        }
        Test::IsNull { of, unless } => format!("{} {} set", name(*of), is(*unless == negated)),
        Test::In { left, list } => {
            let words: Vec<String> = list.iter().map(literal).collect();
            format!("{} {}", name(*left), one_of(&words, negated))
        }
        Test::Text { left, method, part } => format!("{} {} \"{part}\"", name(*left), verb(*method, negated)),
        Test::Stage { any_of, unless } => {
            let words: Vec<String> = any_of.iter().map(stage_name).collect();
            format!("the stage {}", one_of(&words, *unless != negated))
        }
        Test::Reached(stage) => format!("it {} reached {}", if negated { "has not" } else { "has" }, stage_name(stage)),
    }
}

fn is(negated: bool) -> &'static str {
    if negated { "is not" } else { "is" }
}

fn one_of(words: &[String], negated: bool) -> String {
    match words {
        [only] => format!("{} {only}", is(negated)),
        [most @ .., last] => {
            format!("is {} {} or {last}", if negated { "none of" } else { "one of" }, most.join(", "))
        }
        [] => String::new(),
    }
}

fn verb(method: Method, negated: bool) -> &'static str {
    match (method, negated) {
        (Method::StartsWith, false) => "begins with",
        (Method::StartsWith, true) => "does not begin with",
        (Method::EndsWith, false) => "ends with",
        (Method::EndsWith, true) => "does not end with",
        (Method::Contains, false) => "contains",
        (Method::Contains, true) => "does not contain",
    }
}

fn touches(op: Op, count: f64, negated: bool) -> String {
    let words = match (op, negated) {
        (Op::Eq, false) | (Op::Ne, true) => "exactly",
        (Op::Ne, false) | (Op::Eq, true) => "not exactly",
        (Op::Ge, false) => "at least",
        (Op::Ge, true) => "not at least",
        (Op::Gt, false) => "more than",
        (Op::Gt, true) => "not more than",
        (Op::Le, false) => "at most",
        (Op::Le, true) => "not at most",
        (Op::Lt, false) => "fewer than",
        (Op::Lt, true) => "not fewer than",
    };
    format!("{words} {count} {}", if count == 1.0 { "touch" } else { "touches" })
}

/// How one speaks of an order among such values.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Date,
    Time,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Text(_) => Kind::Text,
            Value::Date(_) => Kind::Date,
            Value::Time(_) => Kind::Time,
            Value::Null | Value::Number(_) | Value::Bool(_) => Kind::Number,
        }
    }
}

fn comparison(op: Op, kind: Kind, right: &str, negated: bool) -> String {
    // "Not at least" and not "less than": an unset field is neither.
    let words = match (op, kind) {
        (Op::Eq, _) => return format!("{} {right}", is(negated)),
        (Op::Ne, _) => return format!("{} {right}", is(!negated)),
        (Op::Ge, Kind::Number) => "at least",
        (Op::Le, Kind::Number) => "at most",
        (Op::Gt, Kind::Number) => "more than",
        (Op::Lt, Kind::Number) => "less than",
        (Op::Ge, Kind::Date) => "on or after",
        (Op::Le, Kind::Date) => "on or before",
        (Op::Ge, Kind::Time) => "at or after",
        (Op::Le, Kind::Time) => "at or before",
        (Op::Ge, Kind::Text) => "the same as or, in the alphabet, after",
        (Op::Le, Kind::Text) => "the same as or, in the alphabet, before",
        (Op::Gt, Kind::Date | Kind::Time) => "after",
        (Op::Lt, Kind::Date | Kind::Time) => "before",
        (Op::Gt, Kind::Text) => "in the alphabet after",
        (Op::Lt, Kind::Text) => "in the alphabet before",
    };
    format!("{} {words} {right}", is(negated))
}

fn name(operand: Operand) -> String {
    match operand {
        Operand::Field(field) => field.as_str().replace('_', " "),
        Operand::Touches => "touches".to_owned(),
    }
}

fn stage_name(stage: &StageRef) -> String {
    stage.name.replace('_', " ")
}

fn literal(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}
