//! `leadpact doctor`: every check there is, one line each, with what is wrong and what to do. What
//! the checks are stands in `engine/doctor/`, they are gathered in `app/doctor.rs`; here they are shown.

use super::{ConfigArguments, connection, doctor_lines};
use crate::app;
use crate::app::doctor::{Wanted, of_report};
use crate::engine::doctor::{self, Check, Verdict};
use crate::settings::{self, Environment};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Of the connections look at this one only.
    #[arg(value_name = "NAME")]
    connection: Option<String>,
    #[command(flatten)]
    config: ConfigArguments,
    /// The folder of the generated package, where it is not in `install/NAME`.
    #[arg(long, value_name = "DIR", requires = "connection")]
    package: Option<PathBuf>,
    /// All checks as JSON.
    #[arg(long)]
    json: bool,
}

/// Exit 0 when all is well, 1 with warnings, 2 with failures.
pub fn run(arguments: &DoctorArguments) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let checks = runtime.block_on(examine(arguments))?;
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&as_json(&checks))?),
        false => doctor_lines::print(&checks),
    }
    Ok(match doctor::worst(&checks) {
        Verdict::Ok => ExitCode::SUCCESS,
        Verdict::Warn => ExitCode::from(1),
        Verdict::Fail => ExitCode::from(2),
    })
}

async fn examine(arguments: &DoctorArguments) -> Result<Vec<Check>> {
    let file = &arguments.config.config;
    let (settings, warnings) = match settings::load(file, &Environment::of_process()) {
        Ok(read) => read,
        // Without a configuration there is nothing else to look at.
        Err(report) => return Ok(of_report(&report)),
    };
    if let Some(name) = &arguments.connection {
        connection(&settings, name)?;
    }
    let mut checks = vec![Check::ok("configuration", file.display().to_string(), "no errors")];
    checks.extend(of_report(&warnings));
    let wanted = Wanted { connection: arguments.connection.as_deref(), package: arguments.package.as_deref() };
    checks.extend(app::doctor::examine(&settings, wanted).await?);
    Ok(checks)
}

fn as_json(checks: &[Check]) -> serde_json::Value {
    serde_json::json!({ "verdict": doctor::worst(checks), "checks": checks })
}
