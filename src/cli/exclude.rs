//! `leadpact exclude` and `leadpact include`: a record that leadpact leaves alone. Clocks and
//! reminders go on; nothing takes it from its owner or writes what a step sets.

use super::ConfigArguments;
use super::opened::{self, Opened, moment, now, who};
use crate::engine::orders::{self, submit};
use crate::record::{Object, RecordKey};
use anyhow::{Context, Result};
use clap::Args;
use std::process::ExitCode;

/// A record by its connection, object and id in the CRM.
#[derive(Debug, Args)]
pub struct Named {
    /// The connection's name.
    connection: String,
    /// `lead` or `opportunity`.
    object: String,
    /// The record's id in the CRM.
    id: String,
}

#[derive(Debug, Args)]
pub struct ExcludeArguments {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    record: Named,
    /// Only until then: a day, a day and time, or a length such as 3d.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
}

#[derive(Debug, Args)]
pub struct IncludeArguments {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    record: Named,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
}

impl Named {
    pub(super) fn find(&self, opened: &Opened) -> Result<RecordKey> {
        let connection = opened.connection(&self.connection)?;
        let object = Object::parse(&self.object).context("the object is `lead` or `opportunity`")?;
        let id = opened.record_id(&connection, &self.id);
        Ok(RecordKey { connection, object, id })
    }
}

pub fn exclude(arguments: &ExcludeArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let key = arguments.record.find(opened)?;
        let zone = opened.agreement(&key.connection).zone();
        let until = arguments.until.as_deref().map(|text| moment(text, &zone, now())).transpose()?;
        let order = orders::exclude(&key, until, &who(), &arguments.why);
        submit(&opened.db, &key.connection, &[order], now()).await?;
        let ends = until.map(|t| format!(" until {}", t.in_zone(&zone))).unwrap_or_default();
        println!("Ordered: leadpact leaves {} {} alone{ends}. Clocks and reminders go on.", key.object, key.id);
        Ok(ExitCode::SUCCESS)
    })
}

pub fn include(arguments: &IncludeArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let key = arguments.record.find(opened)?;
        let order = orders::include(&key, &who(), &arguments.why);
        submit(&opened.db, &key.connection, &[order], now()).await?;
        println!("Ordered: leadpact treats {} {} like any other again.", key.object, key.id);
        Ok(ExitCode::SUCCESS)
    })
}
