//! A condition taken apart: its parts at the top, each with its own sentence, for telling two versions
//! of it apart; and the stages that it leads to. Which of the two asks for more is judged by whoever compares.

use super::tree::{Leaf, Node, Op, Operand, Test};
use super::{Predicate, sentence};
use crate::record::Value;
use std::cmp::Ordering;

/// What joins the parts of a condition. One part alone is joined by nothing and suits either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    Alone,
    /// All must hold.
    All,
    /// One is enough.
    Any,
}

/// A part of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// `score is at least 60`
    pub sentence: String,
    /// What it looks at, as conditions call it, in order: fields, `stage`, `touches`.
    pub about: Vec<String>,
    pub bound: Option<Bound>,
}

/// A number that something must reach, or may not pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    op: Op,
    number: f64,
}

impl Bound {
    /// How much this bound asks for beside another: `Greater` when more, `None` when they bound from different sides.
    pub fn beside(self, other: Self) -> Option<Ordering> {
        let (mine, theirs) = (self.lower_bound(), other.lower_bound());
        if mine.0 != theirs.0 {
            return None;
        }
        let numbers = self.number.partial_cmp(&other.number)?;
        // Of two equal numbers the one that is itself left out asks for more.
        let more = if mine.0 { numbers } else { numbers.reverse() };
        Some(more.then(mine.1.cmp(&theirs.1)))
    }

    /// Whether it bounds from below, and whether the number itself is left out.
    fn lower_bound(self) -> (bool, bool) {
        (matches!(self.op, Op::Ge | Op::Gt), matches!(self.op, Op::Gt | Op::Lt))
    }
}

impl Predicate {
    /// The parts at the top, and what joins them. Negations are carried down, as in the sentence.
    pub fn parts(&self) -> (Joined, Vec<Part>) {
        let (mut node, mut negated) = (&self.root, false);
        while let Node::Not { inner, .. } = node {
            (node, negated) = (inner, !negated);
        }
        let (joined, nodes) = match node {
            Node::And(parts) => (if negated { Joined::Any } else { Joined::All }, &parts[..]),
            Node::Or(parts) => (if negated { Joined::All } else { Joined::Any }, &parts[..]),
            one => (Joined::Alone, std::slice::from_ref(one)),
        };
        (joined, nodes.iter().map(|node| part(node, negated)).collect())
    }
}

impl Predicate {
    /// The indexes of the stages that it asks to be at or to have reached, in the order of their mention.
    pub fn stages(&self) -> Vec<usize> {
        let mut found = Vec::new();
        stages(&self.root, &mut found);
        found
    }
}

fn stages(node: &Node, found: &mut Vec<usize>) {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| stages(part, found)),
        // Not to be somewhere is no place to go.
        Node::Not { .. } => {}
        Node::Leaf(Leaf { test: Test::Reached(stage), .. }) => found.push(stage.index),
        Node::Leaf(Leaf { test: Test::Stage { any_of, unless: false }, .. }) => {
            found.extend(any_of.iter().map(|stage| stage.index));
        }
        Node::Leaf(_) => {}
    }
}

fn part(node: &Node, negated: bool) -> Part {
    let mut about = Vec::new();
    mentions(node, &mut about);
    Part { sentence: sentence::part(node, negated, None), about, bound: bound(node, negated) }
}

fn mentions(node: &Node, about: &mut Vec<String>) {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| mentions(part, about)),
        Node::Not { inner, .. } => mentions(inner, about),
        Node::Leaf(Leaf { test, .. }) => about.extend(looked_at(test).into_iter().filter(|name| !name.is_empty())),
    }
}

fn looked_at(test: &Test) -> Vec<String> {
    match test {
        Test::Constant(_) => vec![],
        Test::Stage { .. } => vec!["stage".to_owned()],
        Test::Reached(stage) => vec![format!("reached {}", stage.name)],
        Test::IsNull { of, .. } => vec![name(*of)],
        Test::Compare { .. } | Test::IsTrue(_) | Test::Operands { .. } | Test::In { .. } | Test::Text { .. } => {
            test.compared().map(name).collect()
        }
    }
}

fn name(operand: Operand) -> String {
    match operand {
        Operand::Field(field) => field.as_str().to_owned(),
        Operand::Touches => "touches".to_owned(),
    }
}

fn bound(node: &Node, negated: bool) -> Option<Bound> {
    match node {
        // The opposite of a bound is none: it holds for a field that is not set, too.
        Node::Leaf(Leaf { test: Test::Compare { op, right: Value::Number(number), .. }, .. })
            if !negated && matches!(op, Op::Ge | Op::Gt | Op::Le | Op::Lt) =>
        {
            Some(Bound { op: *op, number: *number })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::dictionary::standard;
    use crate::agreement::predicate::Scope;
    use crate::record::Object;

    fn parts(source: &str) -> (Joined, Vec<Part>) {
        let scope = Scope { object: Object::Lead, dictionary: &standard(), stages: None, in_clock: false };
        Predicate::compile(source, &scope).expect("sound").0.parts()
    }

    fn sentences(source: &str) -> (Joined, Vec<String>) {
        let (joined, parts) = parts(source);
        (joined, parts.into_iter().map(|part| part.sentence).collect())
    }

    #[test]
    fn a_condition_falls_into_the_parts_that_its_sentence_joins() {
        let said = |parts: [&str; 2]| parts.map(str::to_owned).to_vec();
        let both = said(["score is at least 60", "email is set"]);
        assert_eq!(sentences("score >= 60 && email != null"), (Joined::All, both));
        let either = said(["score is not at least 60", "email is not set"]);
        assert_eq!(sentences("!(score >= 60 && email != null)"), (Joined::Any, either));
        assert_eq!(sentences("on_hold == true").0, Joined::Alone);
        assert_eq!(parts("(budget != null || need != null) && score > 3").1[0].about, ["budget", "need"]);
    }

    #[test]
    fn of_two_bounds_it_is_known_which_asks_for_more() {
        let bound = |source: &str| parts(source).1[0].bound.expect("a bound");
        for (more, less) in [
            ("score >= 70", "score >= 60"),
            ("score > 60", "score >= 60"),
            ("score <= 5", "score <= 6"),
            ("score < 6", "score <= 6"),
        ] {
            assert_eq!(bound(more).beside(bound(less)), Some(Ordering::Greater), "{more}");
            assert_eq!(bound(less).beside(bound(more)), Some(Ordering::Less), "{less}");
        }
        assert_eq!(bound("score >= 6").beside(bound("score <= 6")), None);
        assert_eq!(parts("!(score >= 6)").1[0].bound, None);
    }
}
