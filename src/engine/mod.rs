//! Floor 3: the workers between the outside and the pure core, and the only clock they read.

pub mod schedule;
