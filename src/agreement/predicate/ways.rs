//! The alternatives in which a condition holds, for the linter: which stage another one hides, and
//! which values a condition asks for. Evaluating a condition never comes through here.

use super::Predicate;
use super::tree::{Leaf, Node, Op, Operand, Test};
use crate::record::{FieldName, Value};

/// One alternative: all of these hold at once.
pub type Way = Vec<Atom>;

/// Something that a condition asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Atom {
    /// The field has exactly this value.
    Is(FieldName, Value),
    Set(FieldName),
    Unset(FieldName),
    /// It cannot hold.
    Never,
    /// Anything else, told apart by its text alone.
    Other(String),
}

/// A condition with more alternatives is not taken apart.
const MOST: usize = 64;

impl Predicate {
    /// All alternatives; `None` when there are too many to be worth it.
    pub fn ways(&self) -> Option<Vec<Way>> {
        ways(&self.root, &self.source)
    }
}

fn ways(node: &Node, source: &str) -> Option<Vec<Way>> {
    let found = match node {
        Node::Or(parts) => parts.iter().map(|part| ways(part, source)).collect::<Option<Vec<_>>>()?.concat(),
        Node::And(parts) => {
            parts.iter().try_fold(vec![Way::new()], |left, part| Some(both(&left, &ways(part, source)?)))?
        }
        Node::Not { span, .. } => vec![vec![other(&source[span.clone()])]],
        Node::Leaf(leaf) => of_leaf(leaf, source),
    };
    (found.len() <= MOST).then_some(found)
}

/// Every alternative of one part with every one of the other.
fn both(left: &[Way], right: &[Way]) -> Vec<Way> {
    left.iter().flat_map(|l| right.iter().map(move |r| [l.as_slice(), r.as_slice()].concat())).collect()
}

fn of_leaf(leaf: &Leaf, source: &str) -> Vec<Way> {
    let one = |atom| vec![vec![atom]];
    match &leaf.test {
        Test::Constant(true) => vec![vec![]],
        Test::Constant(false) => one(Atom::Never),
        Test::Compare { left: Operand::Field(field), op: Op::Eq, right } => one(Atom::Is(*field, right.clone())),
        Test::IsTrue(Operand::Field(field)) => one(Atom::Is(*field, Value::Bool(true))),
        Test::IsNull { of: Operand::Field(field), unless: true } => one(Atom::Set(*field)),
        Test::IsNull { of: Operand::Field(field), unless: false } => one(Atom::Unset(*field)),
        Test::In { left: Operand::Field(field), list } => {
            list.iter().map(|value| vec![Atom::Is(*field, value.clone())]).collect()
        }
        _ => one(other(&source[leaf.span.clone()])),
    }
}

/// The same words with other spaces are the same.
fn other(text: &str) -> Atom {
    Atom::Other(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
