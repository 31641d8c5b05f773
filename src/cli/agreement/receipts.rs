//! `leadpact agreement receipts`: who was told of which version, and who confirmed it.

use super::Desk;
use crate::cli::ConfigArguments;
use crate::store::receipt::{self, Receipt};
use anyhow::Result;
use clap::Args;
use jiff::tz::TimeZone;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ReceiptsArguments {
    #[command(flatten)]
    config: ConfigArguments,
}

pub fn run(arguments: &ReceiptsArguments) -> Result<ExitCode> {
    let Some(desk) = Desk::read(&arguments.config.config) else { return Ok(ExitCode::FAILURE) };
    desk.with_db(async |db| {
        let mut any = false;
        for scope in &desk.scopes {
            let zone = desk.zone(scope);
            for known in desk.known(&db, scope).await? {
                let mut all = Vec::new();
                for connection in &scope.connections {
                    all.extend(receipt::of(&db, connection, &known.version.hash).await?);
                }
                if !all.is_empty() {
                    any = true;
                    println!("{}, version {}", known.version.title, known.version.version);
                    println!("  SHA-256 {}", known.version.hash);
                    all.iter().for_each(|receipt| println!("  {}", line(receipt, &zone)));
                    println!("  {}", tally(&all));
                }
            }
        }
        if !any {
            println!("Nobody was told of a version yet: a version is told once it is signed and active.");
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn line(receipt: &Receipt, zone: &TimeZone) -> String {
    let Receipt { connection, person, name, email, .. } = receipt;
    let told = match (receipt.informed_at, receipt.next_at, &receipt.how) {
        (Some(at), ..) => format!("told {}", at.in_zone(zone)),
        (None, Some(at), None) => format!("to be told from {}", at.in_zone(zone)),
        (None, Some(at), Some(why)) => format!("tried again {}: {why}", at.in_zone(zone)),
        (None, None, why) => format!("not told: {}", why.as_deref().unwrap_or("unknown")),
    };
    let confirmed = receipt.confirmed_at.map(|at| format!("; confirmed {}", at.in_zone(zone))).unwrap_or_default();
    format!("{name} <{email}> ({connection} {person}): {told}{confirmed}")
}

fn tally(all: &[Receipt]) -> String {
    let told = all.iter().filter(|r| r.informed_at.is_some()).count();
    let confirmed = all.iter().filter(|r| r.confirmed_at.is_some()).count();
    format!("{} of the teams, {told} told, {confirmed} confirmed", all.len())
}
