//! What reports measure, as promises: small worlds of records whose changes ran through the real
//! core, and what is counted of them.

mod clocks;
mod counts;
mod disputes;
mod money;
mod streamed;
mod tables;
mod versions;
mod world;

#[path = "../support/postgres.rs"]
mod postgres;
