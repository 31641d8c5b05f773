//! `leadpact doctor`: every check there is, one line each, with what is wrong and what to do. What
//! the checks are stands in `engine/doctor/`; here they are gathered side by side and shown.

use super::{ConfigArguments, check, connection};
use crate::agreement::problem::{Report, Severity};
use crate::agreement::{Agreement, dictionary};
use crate::app::{Agreements, connector_reading, credentials, open_to_look};
use crate::crm::Connection;
use crate::crm::connection::Mode;
use crate::crm::oauth::BrowserSignIn;
use crate::engine::credentials::Credentials;
use crate::engine::doctor::{self, Check, Verdict};
use crate::notify::{Notifiers, Templates};
use crate::settings::{self, Environment, Settings};
use anyhow::Result;
use clap::Args;
use secrecy::ExposeSecret;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

const CONFIGURATION: &str = "configuration";

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Of the connections look at this one only.
    #[arg(value_name = "NAME")]
    connection: Option<String>,
    #[command(flatten)]
    config: ConfigArguments,
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
        false => print(&checks),
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
    let mut checks = vec![Check::ok(CONFIGURATION, file.display().to_string(), "no errors")];
    checks.extend(of_report(&warnings));
    let agreements = read_agreements(&settings, &mut checks);
    if let Some(agreements) = &agreements {
        checks.extend(signatures(&settings, agreements).await);
    }
    let signed_in = signed_in(&settings).await;
    let wanted = |c: &&Connection| arguments.connection.as_deref().is_none_or(|name| c.name.as_str() == name);
    let connections = settings.connections.iter().filter(wanted).map(|c| {
        let agreement = agreements.as_ref().map(|all| all.of(&c.name).agreement.clone());
        tokio::spawn(one_connection(c.clone(), agreement, signed_in.clone()))
    });
    let connections: Vec<_> = connections.collect();
    let (database, url, channels) = tokio::join!(
        doctor::database(settings.store.url.expose_secret()),
        public_url(&settings),
        channels(&settings, agreements.as_ref())
    );
    checks.extend(database.into_iter().chain(url).chain(channels));
    for examined in connections {
        checks.extend(examined.await?);
    }
    Ok(checks)
}

fn read_agreements(settings: &Settings, checks: &mut Vec<Check>) -> Option<Agreements> {
    match Agreements::read(settings) {
        Ok((agreements, warnings)) => {
            for file in agreements.files() {
                let found = format!("{} ({})", file.agreement.title, file.agreement.version);
                checks.push(Check::ok("agreement", file.path.display().to_string(), found));
            }
            let against = agreements.check_against(settings);
            checks.extend(warnings.iter().chain(&against).flat_map(of_report));
            Some(agreements)
        }
        Err(reports) => {
            checks.extend(reports.iter().flat_map(of_report));
            None
        }
    }
}

/// A problem of a file as a check of it.
fn of_report(report: &Report) -> Vec<Check> {
    let one = |problem: &crate::agreement::problem::Problem| {
        let line = problem.span.as_ref().and_then(|span| report.text.get(..span.start));
        let place = line.map_or_else(String::new, |before| format!(":{}", before.matches('\n').count() + 1));
        let what = format!("{}{place}", report.file);
        let fix = problem.help.clone().unwrap_or_else(|| "`leadpact check` shows the place".to_owned());
        match problem.severity {
            Severity::Error => Check::fail(CONFIGURATION, what, problem.message.clone(), fix),
            Severity::Warning => Check::warn(CONFIGURATION, what, problem.message.clone(), fix),
        }
    };
    report.problems.iter().map(one).collect()
}

async fn signatures(settings: &Settings, agreements: &Agreements) -> Vec<Check> {
    let missing = check::signing(settings, agreements).await;
    if missing.is_empty() {
        return vec![Check::ok("agreement", "signatures", "none is missing")];
    }
    if !settings.require_signatures {
        return vec![Check::ok("agreement", "signatures", missing.join(" "))];
    }
    let fix = "until then everything is only observed: have each side run `leadpact agreement sign`";
    missing.into_iter().map(|found| Check::warn("agreement", "signatures", found, fix)).collect()
}

/// What those who signed in were granted; `None` where nobody has to, or the database cannot be
/// opened, which has a check of its own.
async fn signed_in(settings: &Settings) -> Option<Credentials> {
    settings.connections.iter().find(|c| BrowserSignIn::of(c).is_some())?;
    let db = open_to_look(settings).await.ok()?;
    Some(credentials(settings, &db))
}

async fn one_connection(
    connection: Connection,
    agreement: Option<Arc<Agreement>>,
    signed_in: Option<Credentials>,
) -> Vec<Check> {
    let standard = dictionary::standard();
    let known = agreement.as_ref().map_or(&standard, |agreement| &agreement.dictionary);
    match connector_reading(&connection, known, signed_in.as_ref()) {
        Ok(crm) => doctor::connection(&connection, agreement.as_deref(), &*crm).await,
        Err(error) => {
            let fix = "correct this connection's settings";
            vec![Check::fail(connection.name.as_str(), "CRM", error.to_string(), fix)]
        }
    }
}

async fn public_url(settings: &Settings) -> Vec<Check> {
    let acting = settings.connections.iter().any(|c| c.mode == Some(Mode::Enforce));
    let remote = settings.connections.iter().any(|c| {
        // A connection without an address of its own is called by somebody, who may be anywhere.
        url::Url::parse(&c.base_url).map_or(true, |url| !doctor::is_loopback(&url))
    });
    doctor::public_url(&settings.server.public_url, acting, remote).await
}

/// Each channel for itself, so that one that cannot work hides no other.
async fn channels(settings: &Settings, agreements: Option<&Agreements>) -> Vec<Check> {
    let notify = &settings.notify;
    let named: Vec<&Agreement> = agreements.into_iter().flat_map(|all| all.files()).map(|f| &*f.agreement).collect();
    let mut checks = Vec::new();
    if let Err(error) = Templates::load(notify.templates.as_deref()) {
        checks.push(unusable(&error.to_string()));
    }
    if notify.slack.is_none() {
        checks.extend(doctor::without_slack(&named));
    }
    let build = |slack, email| Notifiers::new(Templates::load(None)?, slack, email);
    let (slack, email) = (build(notify.slack.as_ref(), None), build(None, notify.email.as_ref()));
    for built in [slack, email] {
        match built {
            Ok(notifiers) => checks.extend(doctor::channels(&notifiers, &named).await),
            Err(error) => checks.push(unusable(&error.to_string())),
        }
    }
    checks
}

fn unusable(error: &str) -> Check {
    Check::fail("notices", "settings", error, "correct [notify]: `leadpact serve` does not start like this")
}

fn as_json(checks: &[Check]) -> serde_json::Value {
    serde_json::json!({ "verdict": doctor::worst(checks), "checks": checks })
}

fn print(checks: &[Check]) {
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    checks.iter().for_each(|check| println!("{}", line(check, color)));
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (ok, warned, failed) = (count(Verdict::Ok), count(Verdict::Warn), count(Verdict::Fail));
    println!("\n{ok} ok, {warned} to look at, {failed} failed.");
}

/// `fail  acme-hubspot: clock: this machine is 6m ahead of the CRM → let this machine …`
fn line(check: &Check, color: bool) -> String {
    let (word, code) = match check.verdict {
        Verdict::Ok => ("ok  ", "32"),
        Verdict::Warn => ("warn", "33"),
        Verdict::Fail => ("fail", "31"),
    };
    let word = if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
    let fix = check.fix.as_ref().map(|fix| format!(" → {fix}")).unwrap_or_default();
    // What others answered may hold anything; a line stays a line.
    let said = format!("{}: {}: {}{fix}", check.about, check.what, check.found);
    format!("{word}  {}", said.replace(|c: char| c.is_control(), " "))
}
