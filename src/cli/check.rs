//! `leadpact check`: every error and warning of the configuration and its agreements at once, and
//! what the agreements leave unsaid or unsigned.

use super::{ConfigArguments, color};
use crate::app::{AgreementFile, Agreements, open_to_look, read_configuration};
use crate::record::PartyName;
use crate::settings::Settings;
use crate::store::examine::examine;
use crate::store::signature::{self, Signature};
use clap::Args;
use secrecy::ExposeSecret;
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
            "{}: {} stages, {} handoffs, {} clocks, {} requirements, {} commitments; SHA-256 {}",
            file.path.display(),
            a.stages.len(),
            a.handoffs.len(),
            a.clocks.len() - a.requirements.len(),
            a.requirements.len(),
            a.commitments.len(),
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

/// Which signatures are missing under the files as they are; nothing where no signature is asked for.
/// The database is only looked into, and where that cannot be, it is said.
pub(super) async fn signing(settings: &Settings, agreements: &Agreements) -> Vec<String> {
    let signed = signatures(settings, agreements).await.ok();
    let mut said: Vec<String> = agreements.files().iter().filter_map(|file| missing(file, signed.as_deref())).collect();
    if !settings.require_signatures && !said.is_empty() {
        said.push(
            "require_signatures = false: it may act all the same, which is meant for trying things out.".to_owned(),
        );
    }
    said
}

async fn signatures(settings: &Settings, agreements: &Agreements) -> anyhow::Result<Vec<Signature>> {
    // Where nothing was stored yet, nothing was signed.
    if examine(settings.store.url.expose_secret()).await?.is_none_or(|examined| examined.empty) {
        return Ok(Vec::new());
    }
    let db = open_to_look(settings).await?;
    let mut all = Vec::new();
    for file in agreements.files() {
        all.extend(signature::of(&db, &file.agreement.hash).await?);
    }
    db.close().await;
    Ok(all)
}

/// `signed`: `None` where the database says nothing.
fn missing(file: &AgreementFile, signed: Option<&[Signature]>) -> Option<String> {
    let has = |party: &PartyName| {
        signed.into_iter().flatten().any(|s| s.party == *party && s.agreement == *file.agreement.hash)
    };
    let signs = file.agreement.parties.iter().filter(|p| p.signs.is_some() && !has(&p.name));
    let missing = signs.map(|p| p.name.as_str()).collect::<Vec<_>>().join(" and ");
    let path = file.path.display();
    match signed {
        _ if missing.is_empty() => None,
        Some(_) => Some(format!("{path}: {missing} did not sign this version yet; see `leadpact agreement sign`.")),
        None => Some(format!("{path}: {missing} have to sign; whether they did cannot be looked up in the database.")),
    }
}

fn list(title: &str, sentences: &[String]) {
    if !sentences.is_empty() {
        println!("{title}");
        sentences.iter().for_each(|sentence| println!("  - {sentence}"));
    }
}
