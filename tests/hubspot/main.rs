//! The HubSpot connector from outside: recorded webhooks in, calls against a server of our own.

mod associations;
mod calls;
mod events;
mod failures;
mod fake;
mod searches;
mod setup;
mod sign_in;
mod tasks;
