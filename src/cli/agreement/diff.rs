//! `leadpact agreement diff`: two versions of an agreement side by side, in words. What changed is
//! found out by `agreement/difference`; here it is read from files and printed.

use crate::agreement::Agreement;
use crate::agreement::difference::{Difference, difference};
use crate::agreement::parse::Parsed;
use crate::app::parse_agreement;
use crate::cli::color;
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The version before.
    old: PathBuf,
    /// The version after.
    new: PathBuf,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// Exit 0 whether or not they differ, 1 when one of them cannot be read.
pub fn run(arguments: &DiffArguments) -> Result<ExitCode> {
    let (old, new) = (read(&arguments.old), read(&arguments.new));
    let (Some(old), Some(new)) = (old, new) else { return Ok(ExitCode::FAILURE) };
    let found = difference(&old, &new);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&found, &old.agreement, &new.agreement))?);
    } else {
        print(&found, arguments, &old.agreement, &new.agreement);
    }
    Ok(ExitCode::SUCCESS)
}

/// `None` after its errors were shown.
fn read(path: &Path) -> Option<Parsed> {
    match parse_agreement(path) {
        Ok((_, parsed)) => Some(parsed),
        Err(report) => {
            eprintln!("{}", report.render(color()));
            None
        }
    }
}

fn print(found: &Difference, arguments: &DiffArguments, old: &Agreement, new: &Agreement) {
    for (sign, path, agreement) in [("from", &arguments.old, old), ("to  ", &arguments.new, new)] {
        let Agreement { title, version, hash, .. } = agreement;
        println!("{sign} {}: {title} ({version}), SHA-256 {}", path.display(), &hash[..12]);
    }
    println!("\n{found}");
    for (party, tally) in found.tally() {
        println!("For {party}: {tally}");
    }
}

fn as_json(found: &Difference, old: &Agreement, new: &Agreement) -> Value {
    let version = |a: &Agreement| json!({ "title": a.title, "version": a.version, "hash": &*a.hash });
    json!({ "same": found.is_empty(), "from": version(old), "to": version(new), "groups": found.groups })
}
