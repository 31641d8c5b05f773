//! `leadpact credentials`: who signed in to which CRM with a browser, what keeps it safe, and forgetting
//! it. No secret is ever shown, but for a new key that was asked for.

use super::ConfigArguments;
use super::opened::{self, Opened, agreed, now, who};
use crate::app::credentials;
use crate::crm::Connection;
use crate::crm::oauth::BrowserSignIn;
use crate::engine::doctor::told_of_grant;
use crate::record::ConnectionName;
use crate::store::credential::{self, CredentialRow};
use crate::store::seal::new_key;
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use std::process::ExitCode;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CredentialsArguments {
    #[command(subcommand)]
    command: Option<CredentialsCommand>,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Debug, Subcommand)]
enum CredentialsCommand {
    /// Print a new random key for `[store] credential_key`.
    Key,
    /// Encrypt everything that is kept with the first key of `[store] credential_key`.
    Rotate(ConfigArguments),
    /// Delete what somebody granted by signing in; leadpact cannot use that CRM until somebody does again.
    Forget(ForgetArguments),
}

#[derive(Debug, Args)]
struct ForgetArguments {
    /// The connection.
    #[arg(value_name = "NAME")]
    connection: String,
    #[command(flatten)]
    config: ConfigArguments,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Without a command: a list. Exit 1 when something that is kept cannot be used.
pub fn run(arguments: &CredentialsArguments) -> Result<ExitCode> {
    match &arguments.command {
        None => opened::run(&arguments.config, list),
        Some(CredentialsCommand::Key) => {
            println!("{}", new_key());
            Ok(ExitCode::SUCCESS)
        }
        Some(CredentialsCommand::Rotate(config)) => opened::run(config, rotate),
        Some(CredentialsCommand::Forget(arguments)) => {
            opened::run(&arguments.config, async |opened| forget(opened, arguments).await)
        }
    }
}

async fn list(opened: &Opened) -> Result<ExitCode> {
    let rows = credential::load_all(&opened.db).await?;
    let mut well = true;
    let browsers: Vec<&Connection> =
        opened.settings.connections.iter().filter(|c| BrowserSignIn::of(c).is_some()).collect();
    for connection in &browsers {
        match rows.iter().find(|row| row.connection == connection.name) {
            None => {
                println!("{0}: nobody has signed in; `leadpact connect {0}` begins", connection.name);
                well = false;
            }
            Some(row) => well &= show(opened, row).await,
        }
    }
    for row in rows.iter().filter(|row| browsers.iter().all(|c| c.name != row.connection)) {
        println!("{}", told(row, &TimeZone::UTC));
        println!(
            "  not used: no connection of this name signs in with a browser; `leadpact credentials forget {}`",
            row.connection
        );
    }
    if browsers.is_empty() && rows.is_empty() {
        println!("No connection is signed in to with a browser (sign_in = \"browser\").");
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether it can be used.
async fn show(opened: &Opened, row: &CredentialRow) -> bool {
    println!("{}", told(row, &opened.agreement(&row.connection).zone()));
    let all = credentials(&opened.settings, &opened.db);
    match all.keeper(&row.connection).kept().await {
        Ok(_) => true,
        Err(error) => {
            println!("  cannot be used: {error}");
            false
        }
    }
}

fn told(row: &CredentialRow, zone: &TimeZone) -> String {
    format!("{}: {}", row.connection, told_of_grant(row, zone, now()))
}

async fn rotate(opened: &Opened) -> Result<ExitCode> {
    if opened.settings.store.credential_keys.is_empty() {
        bail!("[store] credential_key is not set: put the new key first and the old one after it");
    }
    let rotated = credentials(&opened.settings, &opened.db).rotate().await?;
    let names = |names: &[ConnectionName]| names.iter().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ");
    if !rotated.resealed.is_empty() {
        println!("Encrypted with the first key now: {}.", names(&rotated.resealed));
    }
    if !rotated.kept.is_empty() {
        println!("Encrypted with the first key before: {}.", names(&rotated.kept));
    }
    for (connection, why) in &rotated.closed {
        println!("{connection}: {why}; left as it is");
    }
    if rotated.closed.is_empty() {
        println!("The other keys are not needed any more, once every replica has the first one.");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

async fn forget(opened: &Opened, arguments: &ForgetArguments) -> Result<ExitCode> {
    // It may be a connection that is not configured any more.
    let name = ConnectionName::new(&*arguments.connection);
    let Some(row) = credential::load(&opened.db, &name).await? else {
        bail!("nobody has signed in to `{name}`: there is nothing to forget");
    };
    let account = row.account.as_deref().unwrap_or("unknown");
    let question = format!(
        "Forget the sign-in to {name} (account {account})? leadpact reads and writes nothing there until somebody \
         signs in again."
    );
    if !agreed(&question, arguments.yes)? {
        println!("Nothing was changed.");
        return Ok(ExitCode::FAILURE);
    }
    let chain = (name.clone(), opened.agreement(&name).hash.to_string());
    credentials(&opened.settings, &opened.db).forget(&chain, &who(), &arguments.why, now()).await?;
    println!("Forgotten. The CRM still lists the app as allowed: take that back there too, if it is meant to end.");
    println!("`leadpact connect {name}` signs in again.");
    Ok(ExitCode::SUCCESS)
}
