//! Floor 5: the command line, one file a command. Arguments are read here; what a command does is
//! in its file.

pub mod agreement;
pub mod arm;
pub mod attest;
pub mod audit;
pub mod away;
pub mod backfill;
pub mod check;
pub mod connect;
pub mod credentials;
pub mod demo;
pub mod dispute;
pub mod doctor;
mod doctor_lines;
pub mod erase;
pub mod exclude;
pub mod explain;
pub mod healthcheck;
pub mod init;
pub mod logging;
mod opened;
pub mod pause;
pub mod reconcile;
pub mod release;
pub mod report;
pub mod review;
pub mod serve;
pub mod simulate;
pub mod token;
pub mod undo;
pub mod user;

use crate::crm::Connection;
use crate::record::ConnectionName;
use crate::settings::Settings;
use crate::store::{Db, OpenOptions};
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::process::ExitCode;

/// The daemon that keeps the service-level agreement between marketing and sales.
#[derive(Debug, Parser)]
#[command(name = "leadpact", version, about, long_about = None, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch it work: the whole daemon against a pretend CRM, time running faster.
    Demo(demo::DemoArguments),
    /// Begin: write a configuration, and generate what is installed in the CRM or in Slack.
    #[command(subcommand)]
    Init(init::InitCommand),
    /// Run the daemon.
    Serve(ConfigArguments),
    /// Check the configuration and its agreements, and start nothing.
    Check(check::CheckArguments),
    /// Ask every CRM, the database, Slack and the mail server whether they would do; changes nothing.
    Doctor(doctor::DoctorArguments),
    /// Have somebody sign in where that is how a connection works, and create the fields that leadpact
    /// writes in its CRM, where its API allows it.
    Connect(connect::ConnectArguments),
    /// Show who signed in to which CRM with a browser; keys for it, and forgetting it.
    Credentials(credentials::CredentialsArguments),
    /// Import the open records of a connection, silently: clocks start at their true times.
    Backfill(backfill::BackfillArguments),
    /// Ask a connection's CRM now what was modified, as the sweep does at its times.
    Reconcile(reconcile::ReconcileArguments),
    /// The agreement itself: slides, differences, signatures, and who was told.
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Replay the recorded changes under another agreement, and show what would have been different.
    Simulate(simulate::SimulateArguments),
    /// Measure a period: commitments, clocks, waterfall, campaigns.
    Report(report::ReportArguments),
    /// Show a review's pack: scorecard, leads at risk, rejections, win/loss, disputes, agenda.
    Review(review::ReviewArguments),
    /// Tell a record's story: what happened, when, and why.
    Explain(explain::ExplainArguments),
    /// Say whether a promise that no CRM records was kept.
    Attest(attest::AttestArguments),
    /// Dispute a breach, rejection or violation, or decide about one that is disputed.
    Dispute(dispute::DisputeArguments),
    /// Let a connection act whose configuration names no mode; shows first what would move.
    Arm(arm::ArmArguments),
    /// Let an armed connection observe again.
    Disarm(arm::DisarmArguments),
    /// Let nothing leave: no CRM writes, tasks or notices. `--all` is the kill switch.
    Pause(pause::PauseArguments),
    /// Go on after a pause.
    Resume(pause::ResumeArguments),
    /// Show what the breaker holds, and let it go or give it up.
    Release(release::ReleaseArguments),
    /// Put back what moves changed, of one record or of a stretch of time.
    Undo(undo::UndoArguments),
    /// Leave a record alone: nothing moves it.
    Exclude(exclude::ExcludeArguments),
    /// Treat an excluded record like any other again.
    Include(exclude::IncludeArguments),
    /// Erase everything that is kept of a record's person.
    Erase(erase::EraseArguments),
    /// Take an owner out of the rotation for a while.
    Away(away::AwayArguments),
    /// Put an owner back into the rotation.
    Back(away::BackArguments),
    /// Show that nobody changed the journal behind the daemon's back.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Who may sign in to the pages, and what for.
    #[command(subcommand)]
    User(user::UserCommand),
    /// What programs use the API with.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Ask a running daemon whether it is alive; for containers.
    Healthcheck(ConfigArguments),
}

/// Which configuration.
#[derive(Debug, clap::Args)]
pub struct ConfigArguments {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "LEADPACT_CONFIG", default_value = "leadpact.toml")]
    pub config: PathBuf,
}

/// Runs the command that the arguments name.
pub fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Init(command) => init::run(&command),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => Ok(check::run(&arguments)),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Credentials(arguments) => credentials::run(&arguments),
        Command::Backfill(arguments) => backfill::run(&arguments),
        Command::Reconcile(arguments) => reconcile::run(&arguments),
        Command::Agreement(command) => agreement::run(&command),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Review(arguments) => review::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Attest(arguments) => attest::run(&arguments),
        Command::Dispute(arguments) => dispute::run(&arguments),
        Command::Arm(arguments) => arm::arm(&arguments),
        Command::Disarm(arguments) => arm::disarm(&arguments),
        Command::Pause(arguments) => pause::pause(&arguments),
        Command::Resume(arguments) => pause::resume(&arguments),
        Command::Release(arguments) => release::run(&arguments),
        Command::Undo(arguments) => undo::run(&arguments),
        Command::Exclude(arguments) => exclude::exclude(&arguments),
        Command::Include(arguments) => exclude::include(&arguments),
        Command::Erase(arguments) => erase::run(&arguments),
        Command::Away(arguments) => away::away(&arguments),
        Command::Back(arguments) => away::back(&arguments),
        Command::Audit(command) => audit::run(&command),
        Command::User(command) => user::run(&command),
        Command::Token(command) => token::run(&command),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("leadpact: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The connection of this name.
fn connection<'s>(settings: &'s Settings, name: &str) -> Result<&'s Connection> {
    settings.connection(&ConnectionName::new(name)).with_context(|| {
        let known: Vec<&str> = settings.connections.iter().map(|c| c.name.as_str()).collect();
        format!("no connection is called `{name}`; there are: {}", known.join(", "))
    })
}

/// The database that the configuration names.
async fn open_store(settings: &Settings) -> Result<Db> {
    let url = settings.store.url.expose_secret();
    Db::open(url, &OpenOptions::default()).await.context("the database cannot be used")
}

/// Whether diagnostics may be coloured.
fn color() -> bool {
    use std::io::IsTerminal;
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
