//! The binary: arguments in, exit code out.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    leadpact::cli::run(leadpact::cli::Arguments::parse())
}
