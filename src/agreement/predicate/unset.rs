//! Warnings of `!` and `!=` over a field that may be unset: both are then true, which is seldom meant.
//! They are warnings, never errors: sometimes it is meant.

use super::Problem;
use super::tree::{Leaf, Node, Op, Operand, Test};
use std::ops::Range;

/// The warnings that a condition deserves. A field counts as thought of where the same `&&` chain tests it for
/// `!= null`, or the same `||` chain for `== null`.
pub(super) fn warnings(root: &Node, in_clock: bool) -> Vec<Problem> {
    let mut walk = Walk { in_clock, thought_of: Vec::new(), problems: Vec::new() };
    walk.node(root, None);
    walk.problems
}

struct Walk {
    in_clock: bool,
    thought_of: Vec<Operand>,
    problems: Vec<Problem>,
}

impl Walk {
    fn node(&mut self, node: &Node, negation: Option<&Range<usize>>) {
        match node {
            // Under a `!` the test for `!= null` does not help: unset makes the chain false, and `!` true.
            Node::And(parts) => self.chain(parts, negation, negation.is_none().then_some(true)),
            Node::Or(parts) => self.chain(parts, negation, Some(false)),
            Node::Not { span, inner } => self.node(inner, Some(negation.unwrap_or(span))),
            Node::Leaf(leaf) => self.leaf(leaf, negation),
        }
    }

    /// `guards`: whether tests for `!= null` (true) or `== null` (false) speak for the other parts.
    fn chain(&mut self, parts: &[Node], negation: Option<&Range<usize>>, guards: Option<bool>) {
        let before = self.thought_of.len();
        self.thought_of.extend(parts.iter().filter_map(|part| match part {
            Node::Leaf(Leaf { test: Test::IsNull { of, unless }, .. }) if Some(*unless) == guards => Some(*of),
            _ => None,
        }));
        parts.iter().for_each(|part| self.node(part, negation));
        self.thought_of.truncate(before);
    }

    fn leaf(&mut self, leaf: &Leaf, negation: Option<&Range<usize>>) {
        let unequal = matches!(leaf.test, Test::Compare { op: Op::Ne, .. } | Test::Operands { op: Op::Ne, .. });
        let (sign, span) = match negation {
            Some(span) => ("!", span),
            None if unequal => ("!=", &leaf.span),
            None => return,
        };
        let operands: Vec<Operand> = leaf.test.compared().filter(|operand| self.may_be_unset(*operand)).collect();
        for operand in operands {
            let name = match operand {
                Operand::Field(name) => name.as_str(),
                Operand::Touches => "touches",
            };
            let problem =
                Problem::warning(span.clone(), format!("this `{sign}` is also true while `{name}` is not set"))
                    .help(format!("add `{name} != null && …` unless that is meant"));
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    fn may_be_unset(&self, operand: Operand) -> bool {
        let counted = operand == Operand::Touches && self.in_clock;
        !counted && !self.thought_of.contains(&operand)
    }
}
