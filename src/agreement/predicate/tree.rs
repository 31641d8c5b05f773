//! The compiled form of a condition: names resolved, literals typed, stages as indexes.
//! No behaviour beyond small questions about itself; evaluating and printing live beside it.

use crate::record::{FieldName, Value};
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// A condition or a part of one. `And` and `Or` have at least two parts, in source order.
#[derive(Debug)]
pub(super) enum Node {
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Not {
        /// From the `!` to the end of what it negates.
        span: Range<usize>,
        inner: Box<Node>,
    },
    Leaf(Leaf),
}

/// One comparison, and where it stands in the source.
#[derive(Debug)]
pub(super) struct Leaf {
    pub span: Range<usize>,
    pub test: Test,
}

#[derive(Debug)]
pub(super) enum Test {
    Constant(bool),
    Compare {
        left: Operand,
        op: Op,
        /// Never null: that is `IsNull`.
        right: Value,
    },
    /// A bool field standing alone: it is true.
    IsTrue(Operand),
    Operands {
        left: Operand,
        op: Op,
        right: Operand,
    },
    /// `== null`, or `!= null` when `unless`.
    IsNull {
        of: Operand,
        unless: bool,
    },
    In {
        left: Operand,
        list: Box<[Value]>,
    },
    Text {
        left: Operand,
        method: Method,
        part: Box<str>,
    },
    /// The current stage is one of these (none of them when `unless`).
    Stage {
        any_of: Box<[StageRef]>,
        unless: bool,
    },
    Reached(StageRef),
}

/// A stage by its index, with its name for printing.
#[derive(Debug, Clone)]
pub(super) struct StageRef {
    pub index: usize,
    pub name: Arc<str>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Field(FieldName),
    /// Touches since the run began, or the field of that name outside a clock.
    Touches,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    StartsWith,
    EndsWith,
    Contains,
}

impl Op {
    pub fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Op::Eq => ordering.is_eq(),
            Op::Ne => ordering.is_ne(),
            Op::Lt => ordering.is_lt(),
            Op::Le => ordering.is_le(),
            Op::Gt => ordering.is_gt(),
            Op::Ge => ordering.is_ge(),
        }
    }

    /// The operator that says the same with the sides exchanged.
    pub fn flipped(self) -> Self {
        match self {
            Op::Lt => Op::Gt,
            Op::Le => Op::Ge,
            Op::Gt => Op::Lt,
            Op::Ge => Op::Le,
            same => same,
        }
    }

    pub fn is_equality(self) -> bool {
        matches!(self, Op::Eq | Op::Ne)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
        }
    }
}

impl Method {
    /// The names that conditions may use.
    pub const NAMES: [&'static str; 3] = ["startsWith", "endsWith", "contains"];

    pub fn named(name: &str) -> Option<Self> {
        match name {
            "startsWith" => Some(Method::StartsWith),
            "endsWith" => Some(Method::EndsWith),
            "contains" => Some(Method::Contains),
            _ => None,
        }
    }
}

impl Test {
    /// The operands whose value is compared, so that their being unset matters. Tests for null have none.
    pub fn compared(&self) -> impl Iterator<Item = Operand> {
        let (first, second) = match self {
            Test::Compare { left, .. } | Test::IsTrue(left) | Test::In { left, .. } | Test::Text { left, .. } => {
                (Some(*left), None)
            }
            Test::Operands { left, right, .. } => (Some(*left), Some(*right)),
            Test::Constant(_) | Test::IsNull { .. } | Test::Stage { .. } | Test::Reached(_) => (None, None),
        };
        first.into_iter().chain(second)
    }
}
