//! The HubSpot connector from outside: recorded webhooks in, calls against a server of our own.

mod calls;
mod events;
mod failures;
mod fake;
mod setup;
mod tasks;
