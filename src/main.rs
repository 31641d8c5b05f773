//! The binary: arguments in, exit code out.

#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    leadpact::cli::run(leadpact::cli::Arguments::parse())
}
