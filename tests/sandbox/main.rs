//! The sandbox from outside: its APIs over HTTP, its webhooks as a receiver gets them, its faults,
//! and its sales floor; signing in to it.

mod connectors;
mod faults;
mod floor;
mod hubspot;
mod keeper;
mod salesforce;
mod searches;
mod sign_in;
mod sign_in_jwt;
mod sign_in_replicas;
mod support;
mod webhooks;
