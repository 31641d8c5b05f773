//! `leadpact audit verify`: walks each journal's hash chain and says whether it holds. What holds is
//! decided by `store/journal`; here it is shown.

use super::{ConfigArguments, color};
use crate::app::read_configuration;
use crate::record::ConnectionName;
use crate::settings::Settings;
use crate::store::journal::{Fault, Head, Verified, walk};
use crate::store::{Db, OpenOptions};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Walk the journal's hash chain from its first entry to its last.
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// One connection; all of them when absent.
    connection: Option<String>,
    /// A head noted earlier, from the log or a mail: the chain must contain it.
    #[arg(long, value_name = "SEQ:HASH")]
    head: Option<Head>,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand. Exit 0 when all holds, 1 when an entry does not.
pub fn run(command: &AuditCommand) -> Result<ExitCode> {
    let AuditCommand::Verify(arguments) = command;
    let Some((settings, _, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let names = connections(&settings, arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(verify(&settings, &names, arguments.head.as_ref()))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&found))?);
    } else {
        found.iter().for_each(|(name, verified)| println!("{}", sentence(name, verified)));
    }
    let holds = found.iter().all(|(_, verified)| verified.first_bad.is_none());
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The connections to walk. A head is of one chain, so it must be known of which.
fn connections(settings: &Settings, arguments: &VerifyArguments) -> Result<Vec<ConnectionName>> {
    let known: Vec<ConnectionName> = settings.connections.iter().map(|c| c.name.clone()).collect();
    let listed = || known.iter().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ");
    match &arguments.connection {
        Some(name) if !known.iter().any(|k| k.as_str() == name) => {
            bail!("no connection is called `{name}`; there are: {}", listed())
        }
        Some(name) => Ok(vec![ConnectionName::new(name)]),
        None if arguments.head.is_some() && known.len() > 1 => {
            bail!("a head belongs to one connection: name it, one of {}", listed())
        }
        None => Ok(known),
    }
}

async fn verify(
    settings: &Settings,
    names: &[ConnectionName],
    noted: Option<&Head>,
) -> Result<Vec<(ConnectionName, Verified)>> {
    let db = Db::open(settings.store.url.expose_secret(), &OpenOptions::default()).await?;
    let mut found = Vec::new();
    for name in names {
        // Draws on a terminal only.
        let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} {eta}")?);
        bar.set_prefix(name.to_string());
        let mut progress = |walked, of| {
            bar.set_length(of);
            bar.set_position(walked);
        };
        let verified = walk(&db, name, noted, &mut progress).await?;
        bar.finish_and_clear();
        found.push((name.clone(), verified));
    }
    db.close().await;
    Ok(found)
}

fn sentence(name: &ConnectionName, verified: &Verified) -> String {
    let Verified { entries, erased, head, first_bad, fault } = verified;
    let hold = if *entries == 1 { "1 entry holds".to_owned() } else { format!("{entries} entries hold") };
    match (first_bad, fault) {
        (Some(seq), Some(fault)) => format!("{name}: entry {seq} {}; before it {hold}", fault.in_words()),
        _ if *entries == 0 => format!("{name}: the journal is empty"),
        _ => format!("{name}: {hold}, {erased} erased, head {head}"),
    }
}

fn as_json(found: &[(ConnectionName, Verified)]) -> Value {
    let one = |(name, verified): &(ConnectionName, Verified)| {
        json!({
            "connection": name.as_str(),
            "holds": verified.first_bad.is_none(),
            "entries": verified.entries,
            "erased": verified.erased,
            "head": (verified.head.seq > 0).then(|| verified.head.to_string()),
            "first_bad": verified.first_bad,
            "fault": verified.fault.map(Fault::in_words),
        })
    };
    let connections: Vec<Value> = found.iter().map(one).collect();
    json!({ "holds": found.iter().all(|(_, v)| v.first_bad.is_none()), "connections": connections })
}
