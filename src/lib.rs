//! leadpact: the daemon that keeps the service-level agreement between marketing and sales.
//! This file is the map; floors import only lower floors (see ARCHITECTURE.md).

#![forbid(unsafe_code)]

pub mod agreement;
pub mod app;
pub mod chart;
pub mod cli;
pub mod crm;
pub mod document;
pub mod engine;
pub mod notify;
pub mod package;
pub mod record;
pub mod report;
pub mod sandbox;
pub mod settings;
pub mod store;
pub mod web;
