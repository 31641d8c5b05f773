//! `leadpact init config`: a configuration and an agreement to begin with, where there are none.

use super::folder::create;
use crate::package::starter::{self, CRMS};
use anyhow::{Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ConfigFileArguments {
    /// What the connection is called: a-z, 0-9 and hyphens.
    name: String,
    /// The CRM.
    #[arg(long, value_parser = CRMS)]
    crm: String,
    /// The folder to write to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Print the [[connection]] instead, to add it to a configuration that is there.
    #[arg(long)]
    print: bool,
}

/// Writes what is not there yet; nothing is ever overwritten.
pub(super) fn run(arguments: &ConfigFileArguments) -> Result<ExitCode> {
    let (crm, name) = (&arguments.crm, &arguments.name);
    if !starter::is_name(name) {
        bail!("`{name}` cannot be a connection's name: a-z, 0-9 and single hyphens between them, such as acme-{crm}");
    }
    let (Some(connection), Some(files)) = (starter::connection(crm, name), starter::starter(crm, name)) else {
        bail!("there is no starter for `{crm}`");
    };
    if arguments.print {
        print!("{connection}");
        return Ok(ExitCode::SUCCESS);
    }
    let configuration = arguments.out.join(&files[0].path);
    if configuration.exists() {
        bail!(
            "{} is there already and stays as it is. To add a connection to it: `leadpact init config --crm {crm} {name} \
             --print`",
            configuration.display()
        );
    }
    for file in &files {
        let path = arguments.out.join(&file.path);
        if path.exists() {
            println!("{}: is there already, left as it is", path.display());
        } else {
            create(&path, &file.text)?;
            println!("{}: written", path.display());
        }
    }
    println!("\nNext:\n{}", steps(crm, name, &configuration, &arguments.out.join(&files[1].path)));
    Ok(ExitCode::SUCCESS)
}

fn steps(crm: &str, name: &str, configuration: &Path, agreement: &Path) -> String {
    let (file, agreement) = (configuration.display(), agreement.display());
    let fill = "Fill in what says FILL IN, in both files.".to_owned();
    let check = format!(
        "leadpact check --config {file}\n     shows every mistake, and what the agreement leaves unsaid. A secret that is \
         not there yet is one."
    );
    let render = format!(
        "leadpact agreement render --agreement {agreement} --out agreement.pptx\n     is what both sides discuss; \
         `leadpact agreement sign` is how they sign it."
    );
    let serve = format!("leadpact serve --config {file}\n     only observes until both signed and you armed it.");
    let steps = match crm {
        "generic" => {
            let sender = "docs/webhooks.md says what the sender has to send; set WEBHOOK_SECRET.".to_owned();
            vec![fill, sender, check, render, serve]
        }
        _ => {
            let package = format!(
                "leadpact init {crm} {name} --config {file}\n     generates what is installed in the CRM; its README.md \
                 has the steps there, and where the secrets come from."
            );
            let connect = format!(
                "leadpact connect {name} --config {file}, then leadpact doctor {name} --config {file}\n     beside it: \
                 make the fields that leadpact writes, and look at everything."
            );
            vec![fill, package, check, serve, connect, render]
        }
    };
    let numbered = steps.iter().enumerate().map(|(at, step)| format!("  {}. {step}", at + 1));
    numbered.collect::<Vec<_>>().join("\n")
}
