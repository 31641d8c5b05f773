//! `leadpact agreement schema`: prints the JSON Schema of `agreement.toml`. What it says is in
//! `agreement/schema`.

use crate::agreement::schema::schema;
use anyhow::Result;
use std::process::ExitCode;

/// Prints it to standard output.
pub fn run() -> Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&schema())?);
    Ok(ExitCode::SUCCESS)
}
