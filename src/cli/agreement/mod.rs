//! `leadpact agreement`: what is done with the agreement itself, one file a subcommand.

pub mod diff;
pub mod render;
pub mod schema;

use anyhow::Result;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum AgreementCommand {
    /// Write the agreement as slides with a signature page, to read and to sign.
    Render(render::RenderArguments),
    /// Say in words what changed between two versions, and for whom it is stricter or looser.
    Diff(diff::DiffArguments),
    /// Print the JSON Schema of the file, for editors.
    Schema,
}

/// Runs the subcommand.
pub fn run(command: &AgreementCommand) -> Result<ExitCode> {
    match command {
        AgreementCommand::Render(arguments) => render::run(arguments),
        AgreementCommand::Diff(arguments) => diff::run(arguments),
        AgreementCommand::Schema => schema::run(),
    }
}
