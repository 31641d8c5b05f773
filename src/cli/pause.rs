//! `leadpact pause` and `leadpact resume`: no CRM writes, tasks or notices leave while paused. What
//! is received is taken in and clocks count on. Works beside the daemon and while it is stopped.

use super::ConfigArguments;
use super::opened::{self, Opened, moment, now, who};
use crate::engine::switches::{self, Pausing, Switches};
use crate::record::{ConnectionName, Timestamp};
use anyhow::Result;
use clap::Args;
use jiff::tz::TimeZone;
use std::process::ExitCode;

/// Which connections.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The connection's name.
    connection: Option<String>,
    /// Every connection: the kill switch.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub struct PauseArguments {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    which: Which,
    /// It ends by itself then: a day, a day and time, or a length such as 2h.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
}

#[derive(Debug, Args)]
pub struct ResumeArguments {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    which: Which,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
}

/// Whom a switch is for.
struct Target {
    /// `None`: everywhere.
    connection: Option<ConnectionName>,
    names: Vec<ConnectionName>,
    zone: TimeZone,
}

fn target(opened: &Opened, which: &Which) -> Result<Target> {
    let connection = which.connection.as_deref().map(|name| opened.connection(name)).transpose()?;
    let names = connection.clone().map_or_else(|| opened.names(), |name| vec![name]);
    let zone = names.first().map_or(TimeZone::UTC, |name| opened.agreement(name).zone());
    Ok(Target { connection, names, zone })
}

impl Target {
    fn named(&self) -> &str {
        self.connection.as_ref().map_or("every connection", ConnectionName::as_str)
    }
}

pub fn pause(arguments: &PauseArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let target = target(opened, &arguments.which)?;
        let until = arguments.until.as_deref().map(|text| moment(text, &target.zone, now())).transpose()?;
        let to = until.map_or_else(|| "on".to_owned(), |t| format!("on until {}", t.in_zone(&target.zone)));
        switch(opened, &target, true, until, (&to, &arguments.why)).await?;
        let ends = until
            .map_or_else(|| "until somebody resumes it".to_owned(), |t| format!("until {}", t.in_zone(&target.zone)));
        println!(
            "Paused: nothing leaves for {} {ends}. What is received is taken in, and clocks count on.",
            target.named()
        );
        Ok(ExitCode::SUCCESS)
    })
}

pub fn resume(arguments: &ResumeArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let target = target(opened, &arguments.which)?;
        switch(opened, &target, false, None, ("off", &arguments.why)).await?;
        println!("Resumed: what fell due meanwhile leaves for {} once it was confirmed again.", target.named());
        for name in &target.names {
            let switches = Switches::read(&opened.db, name).await?;
            if let Some(row) = switches.pause(now()) {
                let by = if row.connection.is_none() { "the pause of every connection" } else { "its own pause" };
                println!("{name} stays paused by {by}, set by {}.", row.by);
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn switch(
    opened: &Opened,
    target: &Target,
    on: bool,
    until: Option<Timestamp>,
    (to, why): (&str, &str),
) -> Result<()> {
    let pausing = Pausing { connection: target.connection.clone(), on, until, by: who(), why: why.to_owned() };
    switches::pause(&opened.db, pausing, &opened.chains(&target.names), to, now()).await?;
    Ok(())
}
