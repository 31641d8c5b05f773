//! `leadpact agreement signatures`: every version that was offered, who signed it, and what became
//! of it.

use super::Desk;
use crate::cli::ConfigArguments;
use crate::engine::clock::real_now;
use crate::engine::versions::{Known, standing};
use crate::record::Timestamp;
use anyhow::Result;
use clap::Args;
use jiff::tz::TimeZone;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct SignaturesArguments {
    #[command(flatten)]
    config: ConfigArguments,
}

pub fn run(arguments: &SignaturesArguments) -> Result<ExitCode> {
    let Some(desk) = Desk::read(&arguments.config.config) else { return Ok(ExitCode::FAILURE) };
    desk.with_db(async |db| {
        for scope in &desk.scopes {
            println!("{}:", scope.names());
            let known = desk.known(&db, scope).await?;
            if known.is_empty() {
                println!("  no version was offered yet: `leadpact serve` does, and so does signing");
            }
            let active = known.iter().find(|k| k.is_active());
            known.iter().for_each(|one| show(one, active, &desk.zone(scope)));
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn show(known: &Known, active: Option<&Known>, zone: &TimeZone) {
    let version = &known.version;
    println!("  {}, version {}", version.title, version.version);
    println!("    SHA-256    {}", version.hash);
    println!("    state      {}", standing(known, active, real_now(), zone));
    let effective = match version.effective_at {
        Timestamp::MIN => "at once".to_owned(),
        at => at.in_zone(zone),
    };
    println!("    effective  {effective}");
    println!("    offered    {}", version.offered_at.in_zone(zone));
    for s in &known.signatures {
        let behalf = s.on_behalf_of.as_ref().map(|named| format!(" on behalf of {named}")).unwrap_or_default();
        println!("    signed     {}: {}, {}{behalf}, {}", s.party, s.name, s.title, s.signed_at.in_zone(zone));
    }
    known.missing().iter().for_each(|party| println!("    missing    {party}"));
}
