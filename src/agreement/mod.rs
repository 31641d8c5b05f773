//! Floor 1: the agreement and what follows from it. Pure: no I/O, no async, no clock of its own;
//! time is an argument. `serve`, `demo`, `simulate` and the tests share it.

pub mod calendar;
mod clock;
pub mod confirm;
mod contest;
pub mod decide;
pub mod dictionary;
pub mod document;
mod echo;
mod ending;
mod fold;
pub mod lint;
pub mod model;
mod moves;
mod order;
pub mod parse;
mod phase;
pub mod predicate;
pub mod problem;
mod reading;
mod refold;
mod run;
mod settle;
pub mod span;
mod stage;
pub mod standing;
mod steps;
mod violation;

pub use confirm::{Verdict, confirm};
pub use decide::{Decision, Input, decide, intend};
pub use model::Agreement;
pub use refold::{is_late, refold};
pub use standing::Standing;
pub use steps::{annotation, party_channels};
pub use violation::violation_text;
