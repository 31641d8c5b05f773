//! Why a condition held or did not: each of its terms as written, what was seen, and the outcome.
//! A negated comparison is one term, so that the terms of a plain `&&` chain hold exactly when it does.

use super::tree::{Node, Test};
use super::{Predicate, Term, View};
use crate::record::Value;
use std::ops::Range;

/// Longer texts are cut when shown: a term is for reading.
const SHOWN: usize = 120;

impl Predicate {
    /// Every comparison in source order.
    pub fn explain(&self, view: &View<'_>) -> Vec<Term> {
        let mut terms = Vec::new();
        self.collect(&self.root, view, &mut terms);
        terms
    }

    fn collect(&self, node: &Node, view: &View<'_>, terms: &mut Vec<Term>) {
        match node {
            Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| self.collect(part, view, terms)),
            Node::Not { span, inner } => match &**inner {
                Node::Leaf(leaf) => terms.push(self.term(span, &leaf.test, !leaf.test.holds(view), view)),
                group => self.collect(group, view, terms),
            },
            Node::Leaf(leaf) => terms.push(self.term(&leaf.span, &leaf.test, leaf.test.holds(view), view)),
        }
    }

    fn term(&self, span: &Range<usize>, test: &Test, held: bool, view: &View<'_>) -> Term {
        // A condition may run over several lines of the file; a term stands on one.
        let text = self.source[span.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
        Term { text, seen: self.seen(test, view), held }
    }

    fn seen(&self, test: &Test, view: &View<'_>) -> String {
        match test {
            Test::Constant(answer) => answer.to_string(),
            Test::Compare { left, .. }
            | Test::IsTrue(left)
            | Test::IsNull { of: left, .. }
            | Test::In { left, .. }
            | Test::Text { left, .. } => shown(&left.look(view)),
            Test::Operands { left, right, .. } => {
                format!("{} and {}", shown(&left.look(view)), shown(&right.look(view)))
            }
            Test::Stage { .. } => self.stage_name(view.stage),
            Test::Reached(_) => self.stage_name(view.furthest),
        }
    }

    fn stage_name(&self, index: Option<usize>) -> String {
        let name = index.and_then(|i| self.stages.get(i));
        name.map_or_else(|| "no stage".to_owned(), |name| name.to_string())
    }
}

/// A value as it would be written in a condition, but for null, which is `nothing`.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) if text.chars().count() > SHOWN => {
            format!("\"{}…\"", text.chars().take(SHOWN).collect::<String>())
        }
        Value::Text(text) => format!("\"{text}\""),
        Value::Bool(answer) => answer.to_string(),
        other => other.to_string(),
    }
}
