//! `leadpact attest`: somebody says whether a promise that no CRM records was kept in a period.

use super::{ConfigArguments, color, open_store};
use crate::agreement::Agreement;
use crate::app::{Agreements, read_configuration};
use crate::engine::attestation::{attest, commitment, window};
use crate::engine::clock::real_now;
use crate::record::ConnectionName;
use crate::settings::Settings;
use crate::store::attestation::{self, AttestationRow};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct AttestArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The commitment's name.
    commitment: String,
    /// The connection, where it has an agreement of its own.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// `2027-03`, `2027-W09` or `2027-Q1`; without it the one that runs now.
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// Who says so.
    #[arg(long, value_name = "WHO")]
    by: String,
    #[arg(long, value_enum, default_value = "yes")]
    answer: Answer,
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Answer {
    Yes,
    No,
}

/// The agreement that is meant, and the connections that it governs.
struct Scope<'a> {
    agreement: &'a Agreement,
    own: Option<ConnectionName>,
    governed: Vec<ConnectionName>,
}

pub fn run(arguments: &AttestArguments) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let scope = scope(&settings, &agreements, arguments.connection.as_deref())?;
    let (commitment, period) = commitment(scope.agreement, &arguments.commitment)?;
    let now = real_now();
    let window = window(scope.agreement, period, arguments.period.as_deref(), now)?;
    if arguments.by.trim().is_empty() {
        bail!("--by names a person");
    }
    let answer = AttestationRow {
        commitment: commitment.name.clone(),
        period: window.to_string(),
        period_from: window.from,
        answer: arguments.answer == Answer::Yes,
        by: arguments.by.trim().to_owned(),
        note: arguments.note.clone(),
        at: now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = open_store(&settings).await?;
        let earlier = attestation::get(&db, scope.own.as_ref(), &answer.commitment, &answer.period).await?;
        attest(&db, scope.agreement, scope.own.as_ref(), &scope.governed, &answer).await?;
        let word = |yes: bool| if yes { "yes" } else { "no" };
        println!("{}, {}: {}, says {}", answer.commitment, answer.period, word(answer.answer), answer.by);
        if let Some(earlier) = earlier {
            println!("It takes the place of `{}` by {}; both stay in the journal.", word(earlier.answer), earlier.by);
        }
        db.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn scope<'a>(settings: &Settings, agreements: &'a Agreements, connection: Option<&str>) -> Result<Scope<'a>> {
    if let Some(name) = connection {
        let connection = super::connection(settings, name)?;
        if connection.agreement.is_some() {
            let (agreement, name) = (&*agreements.of(&connection.name).agreement, connection.name.clone());
            return Ok(Scope { agreement, own: Some(name.clone()), governed: vec![name] });
        }
    }
    let shared = settings.connections.iter().filter(|c| c.agreement.is_none());
    let governed: Vec<ConnectionName> = shared.map(|c| c.name.clone()).collect();
    if governed.is_empty() {
        bail!("every connection has an agreement of its own: say which with --connection NAME");
    }
    let agreement = &agreements.files().first().context("there is no agreement")?.agreement;
    Ok(Scope { agreement, own: None, governed })
}
