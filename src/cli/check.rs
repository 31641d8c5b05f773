//! `leadpact check`: every error and warning of the configuration and its agreements at once, and
//! what the agreements leave unsaid or unsigned.

use super::opened::counted;
use super::{ConfigArguments, color};
use crate::app::{Agreements, read_configuration, signing};
use crate::settings::Settings;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct CheckArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Take warnings as errors.
    #[arg(long)]
    strict: bool,
}

/// Exit 0 when nothing is wrong, 1 otherwise; warnings count with `--strict` only.
pub fn run(arguments: &CheckArguments) -> ExitCode {
    let Some((settings, agreements, warnings)) = read_configuration(&arguments.config.config, color()) else {
        return ExitCode::FAILURE;
    };
    let mut warned = 0;
    for report in warnings.iter().filter(|r| r.counts().1 > 0) {
        eprintln!("{}", report.render(color()));
        warned += report.counts().1;
    }
    println!("{}: no errors", arguments.config.config.display());
    for connection in &settings.connections {
        let file = agreements.of(&connection.name);
        println!("  connection {}: {} ({})", connection.name, file.agreement.title, file.agreement.version);
    }
    for file in agreements.files() {
        let a = &file.agreement;
        println!(
            "{}: {}, {}, {}, {}, {}; SHA-256 {}",
            file.path.display(),
            counted(a.stages.len(), "stage"),
            counted(a.handoffs.len(), "handoff"),
            counted(a.clocks.len() - a.requirements.len(), "clock"),
            counted(a.requirements.len(), "requirement"),
            counted(a.commitments.len(), "commitment"),
            &a.hash[..12]
        );
    }
    list("Signatures:", &looked_up(&settings, &agreements));
    list("Left unsaid:", &agreements.unsaid());
    if arguments.strict && warned > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn looked_up(settings: &Settings, agreements: &Agreements) -> Vec<String> {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(signing(settings, agreements)),
        Err(error) => vec![format!("they cannot be looked up: {error}")],
    }
}

fn list(title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        println!("{title}");
        sentences.iter().for_each(|sentence| println!("  - {sentence}"));
    }
}
