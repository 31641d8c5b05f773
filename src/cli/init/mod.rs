//! `leadpact init`: the files that install leadpact somewhere. What is generated is decided in
//! `package/`; here settings are read, differences shown and files written.

mod config;
mod connection;
mod folder;

use super::ConfigArguments;
use crate::package;
use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum InitCommand {
    /// Generate the HubSpot project of a connection: app, scopes, webhooks, properties.
    Hubspot(ConnectionArguments),
    /// Generate the Salesforce project of a connection: messages, flows, fields, permissions, app.
    Salesforce(ConnectionArguments),
    /// Generate the manifest of a Slack app.
    Slack(SlackArguments),
    /// Write a configuration and an agreement to begin with. Begin here.
    Config(config::ConfigFileArguments),
}

#[derive(Debug, Args)]
pub struct ConnectionArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name in the configuration.
    name: String,
    /// An agreement to take instead of the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    agreement: Option<PathBuf>,
    /// The e-mail address that the CRM shows beside the app. Without it: the sender of notices, else
    /// the first who signs.
    #[arg(long, value_name = "ADDRESS")]
    contact: Option<String>,
    #[command(flatten)]
    folder: FolderArguments,
}

#[derive(Debug, Args)]
pub struct SlackArguments {
    /// What people see the bot as.
    #[arg(default_value = "leadpact")]
    name: String,
    #[command(flatten)]
    config: ConfigArguments,
    /// The public address that Slack's buttons call. Without it: `server.public_url` of the configuration.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    folder: FolderArguments,
}

#[derive(Debug, Args)]
pub struct FolderArguments {
    /// The folder to write to. Without it: `install/NAME`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write what changed without asking.
    #[arg(long)]
    yes: bool,
    /// Also replace files that somebody edited.
    #[arg(long)]
    overwrite: bool,
}

/// Runs the subcommand that the arguments name.
pub fn run(command: &InitCommand) -> Result<ExitCode> {
    match command {
        InitCommand::Hubspot(arguments) => connection::run("hubspot", arguments),
        InitCommand::Salesforce(arguments) => connection::run("salesforce", arguments),
        InitCommand::Slack(arguments) => slack(arguments),
        InitCommand::Config(arguments) => config::run(arguments),
    }
}

fn slack(arguments: &SlackArguments) -> Result<ExitCode> {
    let public_url = arguments.public_url.clone().or_else(|| configured(&arguments.config));
    if public_url.is_none() {
        println!("Without --public-url, and without a configuration that can be read, the app gets no buttons.");
    }
    let package = package::slack(&arguments.name, public_url.as_deref())?;
    let manifest = package::Manifest::of(&package, &arguments.name, "");
    folder::write(&package, manifest, &arguments.folder, "slack")
}

/// The public address by the configuration, where there is one that can be read.
fn configured(config: &ConfigArguments) -> Option<String> {
    let (settings, _) = crate::settings::load(&config.config, &crate::settings::Environment::of_process()).ok()?;
    Some(settings.server.public_base().to_owned())
}
