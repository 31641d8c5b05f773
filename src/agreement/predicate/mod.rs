//! Conditions: one source that is evaluated, explained term by term, and printed as a sentence.
//! This file holds the words that others use; reading is in `syntax` and `compile`, the null rules
//! in `evaluate`. Which conditions an agreement has, and what follows from them, is not decided here.

mod compile;
mod evaluate;
mod explain;
mod parts;
mod refuse;
mod sentence;
pub mod suggest;
mod syntax;
mod tree;
mod unset;
mod ways;

pub use parts::{Bound, Joined, Part};
pub use suggest::closest;
pub use ways::{Atom, Way};

use super::model::Dictionary;
use crate::record::{FieldName, Fields, Object};
use std::ops::Range;
use std::sync::Arc;

/// What a condition may speak of.
pub struct Scope<'a> {
    pub object: Object,
    pub dictionary: &'a Dictionary,
    /// Names of all stages in waterfall order, and whether each is in the waterfall. `None`: `stage` and `reached`
    /// may not be used (a stage's own `when`).
    pub stages: Option<&'a [(String, bool)]>,
    /// Whether `touches` means those since the run began.
    pub in_clock: bool,
}

/// What a condition looks at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub fields: &'a Fields,
    /// Index of the record's current stage.
    pub stage: Option<usize>,
    /// Index of the furthest waterfall stage of this pass.
    pub furthest: Option<usize>,
    /// Touches since the run began; `None` outside a clock: the field is looked at.
    pub touches: Option<f64>,
}

/// What is wrong with a condition, or doubtful about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the condition's source.
    pub span: Range<usize>,
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    pub is_warning: bool,
}

/// One comparison of a condition, as it turned out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Term {
    /// As written, on one line; with its `!` where one stands directly before it.
    pub text: String,
    /// The value that was seen: `55`, `"a@gmail.com"`, `nothing`, a stage's name.
    pub seen: String,
    pub held: bool,
}

/// A compiled condition.
#[derive(Debug)]
pub struct Predicate {
    source: Arc<str>,
    root: tree::Node,
    fields: Box<[FieldName]>,
    reads_touches: bool,
    /// Names of all stages, for explaining; empty where the condition asks for none.
    stages: Box<[Arc<str>]>,
}

impl Predicate {
    /// Reads a condition in our subset of CEL (comparisons, `in`, the three text methods, `stage`,
    /// `reached`, `touches`, joined by `&&`, `||` and `!`), and answers it with the warnings that it deserves.
    ///
    /// # Errors
    /// Every problem of the condition at once, in source order; warnings come only once there is no error.
    pub fn compile(source: &str, scope: &Scope<'_>) -> Result<(Predicate, Vec<Problem>), Vec<Problem>> {
        compile::compile(source, scope)
    }

    /// Whether the condition holds. Allocates nothing.
    pub fn holds(&self, view: &View<'_>) -> bool {
        self.root.holds(view)
    }

    /// The condition in English, without a full stop: `score is at least 60 and email is set`.
    pub fn sentence(&self) -> String {
        sentence::sentence(&self.root)
    }

    /// The condition as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The fields that it looks at, each once, in the order of their first mention. `touches` is among them only
    /// outside a clock, where it is a field like any other.
    pub fn fields(&self) -> &[FieldName] {
        &self.fields
    }

    /// Whether it asks for `touches`.
    pub fn reads_touches(&self) -> bool {
        self.reads_touches
    }
}

impl Problem {
    fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Problem { span, message: message.into(), help: None, is_warning: false }
    }

    fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Problem { is_warning: true, ..Problem::error(span, message) }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Problem { help: Some(help.into()), ..self }
    }
}
