//! Checks over an agreement as a whole: stages that no record can be at, steps out of order, and
//! what is left unsaid. Whether a single part is well-formed is `parse`'s to judge.

pub(super) mod stages;
pub(super) mod timeline;
mod unsaid;

pub use unsaid::unsaid;
