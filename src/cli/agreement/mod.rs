//! `leadpact agreement`: what is done with the agreement itself, one file a command.

pub mod render;

use anyhow::Result;
use clap::{Args, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct AgreementArguments {
    #[command(subcommand)]
    command: AgreementCommand,
}

#[derive(Debug, Subcommand)]
enum AgreementCommand {
    /// Write the agreement as slides with a signature page, to read and to sign.
    Render(render::RenderArguments),
}

pub fn run(arguments: &AgreementArguments) -> Result<ExitCode> {
    match &arguments.command {
        AgreementCommand::Render(arguments) => render::run(arguments),
    }
}
