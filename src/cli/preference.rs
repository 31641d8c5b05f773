//! `leadpact preference`: how a person wants to be told. What follows from it is in
//! `engine/answers/preferences.rs`; people set it themselves by the link in each notice.

use super::ConfigArguments;
use super::away::owner_named;
use super::opened::{self, Opened, now, who};
use crate::engine::answers::preferences::{self, in_words};
use crate::record::ConnectionName;
use crate::store::preference::{self, Channel, Gathering, Preference, Quiet, minute};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct PreferenceArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// The owner's id in the CRM, or e-mail address. Without it: everybody who said something.
    owner: Option<String>,
    /// Where they are told.
    #[arg(long, value_parser = ["slack", "email", "both"], requires = "owner")]
    channel: Option<String>,
    /// Each notice by itself, or gathered every full hour or when the day opens.
    #[arg(long, value_parser = ["single", "hourly", "daily"], requires = "owner")]
    gather: Option<String>,
    /// Hours in which reminders wait, such as 22:00-07:00; `none`: no such hours.
    #[arg(long, value_name = "HOURS", requires = "owner")]
    quiet: Option<String>,
}

pub fn run(arguments: &PreferenceArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = opened.connection(&arguments.connection)?;
        match &arguments.owner {
            None => list(opened, &name).await,
            Some(owner) => set(opened, &name, owner, arguments).await,
        }
    })
}

async fn list(opened: &Opened, name: &ConnectionName) -> Result<ExitCode> {
    let people = opened.people(name).await?;
    let all = preference::load_all(&opened.db, name).await?;
    if all.is_empty() {
        println!("Nobody said how they want to be told: in Slack, each notice by itself, at any time.");
    }
    for row in &all {
        println!("{}: {}; said by {}", people.name(Some(&row.owner)), in_words(row), row.by);
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(opened: &Opened, name: &ConnectionName, owner: &str, arguments: &PreferenceArguments) -> Result<ExitCode> {
    let owner = owner_named(opened, name, owner).await?;
    let known = preference::load_all(&opened.db, name).await?.into_iter().find(|p| p.owner == owner);
    let mut row = known.unwrap_or_else(|| Preference {
        owner: owner.clone(),
        channel: Channel::default(),
        gathering: Gathering::default(),
        quiet: None,
        by: String::new(),
        at: now(),
    });
    let called = opened.people(name).await?.name(Some(&owner));
    let changes = arguments.channel.is_some() || arguments.gather.is_some() || arguments.quiet.is_some();
    if changes {
        row.channel = arguments.channel.as_deref().and_then(Channel::parse).unwrap_or(row.channel);
        row.gathering = arguments.gather.as_deref().and_then(Gathering::parse).unwrap_or(row.gathering);
        if let Some(text) = &arguments.quiet {
            row.quiet = quiet(text)?;
        }
        (row.by, row.at) = (who(), now());
        for chain in opened.chains(std::slice::from_ref(name)) {
            preferences::set(&opened.db, &chain, &row, (&called, &row.by), row.at).await?;
        }
    }
    println!("{called}: {}.", in_words(&row));
    Ok(ExitCode::SUCCESS)
}

fn quiet(text: &str) -> Result<Option<Quiet>> {
    if text == "none" {
        return Ok(None);
    }
    let (from, until) = text.split_once('-').context("quiet hours are written 22:00-07:00, or `none`")?;
    match (minute(from), minute(until)) {
        (Some(from), Some(until)) if from != until => Ok(Quiet::new(from, until)),
        _ => bail!("quiet hours are written 22:00-07:00, or `none`; this is `{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_two_times_of_a_day() {
        assert_eq!(quiet("22:00-07:30").unwrap(), Quiet::new(1320, 450));
        assert_eq!(quiet("none").unwrap(), None);
        for bad in ["", "22", "22:00", "22:00-22:00", "24:00-07:00", "7:00-8:00", "aa:bb-cc:dd", "22:00-07:00-08:00"] {
            assert!(quiet(bad).is_err(), "{bad}");
        }
    }
}
