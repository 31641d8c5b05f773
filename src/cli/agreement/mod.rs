//! `leadpact agreement`: what is done with the file of an agreement itself, one file a subcommand.

pub mod diff;

use anyhow::Result;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum AgreementCommand {
    /// Say in words what changed between two versions, and for whom it is stricter or looser.
    Diff(diff::DiffArguments),
}

/// Runs the subcommand.
pub fn run(command: &AgreementCommand) -> Result<ExitCode> {
    match command {
        AgreementCommand::Diff(arguments) => diff::run(arguments),
    }
}
