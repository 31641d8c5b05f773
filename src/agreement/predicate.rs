//! (contract) Conditions.
use super::model::{Dictionary, Stage};
use crate::record::{FieldName, Fields, Object};
use std::ops::Range;
use std::sync::Arc;

/// What a condition may speak of.
pub struct Scope<'a> {
    pub object: Object,
    pub dictionary: &'a Dictionary,
    /// Names of all stages in waterfall order, and whether each is in the waterfall. `None`: `stage` and `reached` may not be used (a stage's own `when`).
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

#[derive(Debug, Clone)]
pub struct Problem {
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
    pub is_warning: bool,
}

/// One comparison of a condition, as it turned out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Term {
    pub text: String,
    pub seen: String,
    pub held: bool,
}

#[derive(Debug)]
pub struct Predicate {}

impl Predicate {
    pub fn compile(_source: &str, _scope: &Scope<'_>) -> Result<(Predicate, Vec<Problem>), Vec<Problem>> {
        unimplemented!()
    }
    pub fn holds(&self, _view: &View<'_>) -> bool {
        unimplemented!()
    }
    pub fn explain(&self, _view: &View<'_>) -> Vec<Term> {
        unimplemented!()
    }
    pub fn sentence(&self) -> String {
        unimplemented!()
    }
    pub fn source(&self) -> &str {
        unimplemented!()
    }
    pub fn fields(&self) -> &[FieldName] {
        unimplemented!()
    }
    pub fn reads_touches(&self) -> bool {
        unimplemented!()
    }
}
#[allow(dead_code)]
fn _unused(_: &Stage, _: Arc<str>) {}
