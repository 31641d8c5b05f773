//! Floor 3: the loop. Ingest takes deliveries in, apply and wake decide, deliver carries out; each
//! worker has one public step, which the daemon repeats and a test calls by hand.

pub mod alarm;
pub mod apply;
pub mod attestation;
pub mod backfill;
pub mod batch;
pub mod clock;
pub mod context;
pub mod controls;
pub mod credentials;
pub mod deliver;
pub mod directory;
pub mod dispute;
pub mod doctor;
pub mod head;
pub mod held;
pub mod inform;
pub mod ingest;
pub mod letters;
mod links;
pub mod measure;
pub mod meetings;
pub mod metrics;
pub mod orders;
pub mod overdue;
pub mod preview;
mod privacy;
pub mod reach;
pub mod reached;
pub mod reconcile;
pub mod renewal;
pub mod review;
pub mod schedule;
pub mod sign_in;
pub mod signed_out;
pub mod signing;
pub mod simulate;
pub mod skew;
pub mod switches;
pub mod tidy;
pub mod versions;
pub mod wake;
pub mod watch;
pub mod worker;

pub use clock::Clock;
pub use context::{Engine, Site};
