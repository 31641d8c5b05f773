//! `leadpact agreement confirm`: notes that somebody confirmed having read the active version.

use super::Desk;
use crate::cli::ConfigArguments;
use crate::engine::clock::real_now;
use crate::engine::inform::confirm;
use crate::store::Db;
use crate::store::receipt::{self, Receipt};
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ConfirmArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// E-mail address, or the owner's id in the CRM.
    #[arg(long, value_name = "EMAIL|ID")]
    person: String,
}

/// Exit 1 where the person is not of the teams.
pub fn run(arguments: &ConfirmArguments) -> Result<ExitCode> {
    let Some(desk) = Desk::read(&arguments.config.config) else { return Ok(ExitCode::FAILURE) };
    desk.with_db(async |db| {
        let found = find(&desk, &db, &arguments.person).await?;
        if found.is_empty() {
            bail!(
                "`{}` is not among those who are told of the active version: see `agreement receipts`",
                arguments.person
            );
        }
        for (version, receipt) in &found {
            let is_new = confirm(&db, receipt, real_now()).await?;
            let says = if is_new { "confirmed" } else { "had confirmed before" };
            println!("{} <{}> {says}: version {version}", receipt.name, receipt.email);
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Everything that names the person under an active version, with that version's name.
async fn find(desk: &Desk, db: &Db, person: &str) -> Result<Vec<(String, Receipt)>> {
    let is_meant = |r: &Receipt| r.person.as_str() == person || r.email.eq_ignore_ascii_case(person);
    let mut found = Vec::new();
    for scope in &desk.scopes {
        let known = desk.known(db, scope).await?;
        let Some(active) = known.iter().find(|k| k.is_active()) else { continue };
        for connection in &scope.connections {
            let all = receipt::of(db, connection, &active.version.hash).await?;
            let meant = all.into_iter().filter(is_meant);
            found.extend(meant.map(|receipt| (active.version.version.clone(), receipt)));
        }
    }
    Ok(found)
}
