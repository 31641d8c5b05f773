//! Floor 1: the agreement and what follows from it. Pure: no I/O, no async, no clock of its own;
//! time is an argument. `serve`, `demo`, `simulate` and the tests share it.

pub mod calendar;
pub mod dictionary;
pub mod document;
pub mod lint;
pub mod model;
pub mod parse;
pub mod predicate;
pub mod problem;
pub mod span;

pub use model::Agreement;
