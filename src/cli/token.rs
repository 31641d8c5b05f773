//! `leadpact token`: what programs use the API with. A token is shown once; its hash is stored.

use super::ConfigArguments;
use super::opened::{self, Opened, now, who};
use crate::engine::switches::{Setting, tell};
use crate::record::Elapsed;
use crate::store::api_token::{self, ApiToken};
use crate::store::role::Role;
use crate::store::secret::Secret;
use crate::store::{Priority, Tx};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use std::process::ExitCode;

/// By this people, and programs that look for secrets in files, know a token of ours.
const PREFIX: &str = "leadpact_";

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and show it, this once.
    Add(AddArguments),
    /// Show which tokens there are.
    List(ConfigArguments),
    /// Take a token back.
    Revoke(RevokeArguments),
}

#[derive(Debug, Args)]
pub struct AddArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// What it is for; stands in the journal for what is done with it.
    name: String,
    /// read, operate, sign or admin: what the roles viewer, operator, signer and admin may do.
    #[arg(long, default_value = "read", value_parser = scope)]
    scope: Role,
    /// For how many days it works.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

#[derive(Debug, Args)]
pub struct RevokeArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The token's name.
    name: String,
}

fn scope(text: &str) -> Result<Role, String> {
    Role::parse_scope(text).ok_or_else(|| format!("the scopes are {}", Role::ALL.map(Role::as_scope).join(", ")))
}

pub fn run(command: &TokenCommand) -> Result<ExitCode> {
    match command {
        TokenCommand::Add(arguments) => opened::run(&arguments.config, async |o| add(o, arguments).await),
        TokenCommand::List(config) => opened::run(config, async |o| list(o).await),
        TokenCommand::Revoke(arguments) => opened::run(&arguments.config, async |o| revoke(o, &arguments.name).await),
    }
}

async fn add(opened: &Opened, arguments: &AddArguments) -> Result<ExitCode> {
    let (secret, created_at) = (Secret::fresh(PREFIX), now());
    let expires_at = created_at + Elapsed::from_secs(i64::from(arguments.days) * 86_400);
    let (name, scope) = (arguments.name.clone(), arguments.scope);
    let token = ApiToken { name, scope, created_at, created_by: who(), expires_at };
    let mut tx = opened.db.begin(Priority::Work).await?;
    if !api_token::add(&mut tx, &secret, &token).await? {
        bail!("there is a token called `{}` already: revoke it first, or choose another name", token.name);
    }
    note(opened, &mut tx, &format!("{} may use the API, scope {}", token.name, scope.as_scope())).await?;
    tx.commit().await?;
    let until = expires_at.in_zone(&TimeZone::UTC);
    eprintln!("Keep it now, it is not shown again. It works until {until}, as `Authorization: Bearer …`:");
    println!("{}", secret.expose());
    Ok(ExitCode::SUCCESS)
}

/// Journals it in every chain.
async fn note(opened: &Opened, tx: &mut Tx, to: &str) -> Result<()> {
    for chain in opened.chains(&opened.names()) {
        tell(tx, &chain, &Setting { name: "token", to, by: &who(), why: "" }, now()).await?;
    }
    Ok(())
}

async fn list(opened: &Opened) -> Result<ExitCode> {
    let all = api_token::all(&opened.db).await?;
    if all.is_empty() {
        println!("There are no API tokens.");
    }
    for token in all {
        let until = token.expires_at.in_zone(&TimeZone::UTC);
        let state = if token.expires_at <= now() { "ran out" } else { "works until" };
        println!("{:<24} {:<8} {state} {until}, made by {}", token.name, token.scope.as_scope(), token.created_by);
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(opened: &Opened, name: &str) -> Result<ExitCode> {
    let mut tx = opened.db.begin(Priority::Work).await?;
    if !api_token::revoke(&mut tx, name).await? {
        bail!("no token is called `{name}`; `leadpact token list` shows all");
    }
    note(opened, &mut tx, &format!("{name} may use the API no more")).await?;
    tx.commit().await?;
    println!("{name} does not work any more.");
    Ok(ExitCode::SUCCESS)
}
