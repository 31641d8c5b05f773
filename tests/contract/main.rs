//! The sandbox held to the real contracts, and leadpact with it: the CRMs' official clients against
//! the sandbox, every call that leadpact makes against the official schemas, and how many it makes.

mod budgets;
mod clients;
mod columns;
mod hubspot_calls;
#[path = "../support/node.rs"]
mod kit;
mod node;
mod office;
mod salesforce_answers;
mod salesforce_calls;
mod schema;
mod slack_calls;
mod support;
