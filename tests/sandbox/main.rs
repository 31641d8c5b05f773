//! The sandbox from outside: its APIs over HTTP, its webhooks as a receiver gets them, its faults,
//! and its sales floor.

mod connectors;
mod faults;
mod floor;
mod hubspot;
mod salesforce;
mod searches;
mod support;
mod webhooks;
