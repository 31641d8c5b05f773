//! `leadpact simulate`: what another agreement would have made of the recorded changes, beside what
//! the one in force makes of them. How the answer is laid out is in `table` and `engine/simulate/json.rs`.

mod table;

use super::{ConfigArguments, color};
use crate::agreement::Agreement;
use crate::app::{AgreementFile, Agreements, read_agreement, read_configuration, read_stored};
use crate::crm::Connection;
use crate::engine::simulate::{Answer, Question, json};
use crate::record::ConnectionName;
use crate::settings::Settings;
use crate::store::{Db, OpenOptions, agreement::active, history};
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::civil::Date;
use secrecy::ExposeSecret;
use std::io::IsTerminal;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// So many leads of a line are named, unless all are asked for.
const NAMED: usize = 20;

#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// The agreement to try.
    #[arg(long, value_name = "FILE")]
    agreement: PathBuf,
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection whose changes are replayed; not needed where there is only one.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Compare with this agreement instead of the active one.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Count what happened from this day on, in the agreement's zone.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Count what happened up to this day, which is included.
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Name every lead concerned, not only the first 20 of a line.
    #[arg(long)]
    all: bool,
    /// Answer with JSON: all lines, all leads.
    #[arg(long)]
    json: bool,
}

/// Exit 0 whatever differs; 1 when something cannot be read.
pub fn run(arguments: &SimulateArguments) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let connection = connection(&settings, arguments.connection.as_deref())?;
    let Some(new) = read(&arguments.agreement) else { return Ok(ExitCode::FAILURE) };
    let against = match &arguments.against {
        None => None,
        Some(path) => match read(path) {
            Some(agreement) => Some((agreement, path.display().to_string())),
            None => return Ok(ExitCode::FAILURE),
        },
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    // The blocking threads are those that replay.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let db = Db::open(settings.store.url.expose_secret(), &OpenOptions::default()).await?;
        let old = match against {
            Some(old) => old,
            None => in_force(&db, connection, &agreements).await?,
        };
        let answer = ask(&db, arguments, connection, old, new, threads).await?;
        if arguments.json {
            println!("{:#}", json(&answer))
        } else {
            print!("{}", table::table(&answer))
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn connection<'s>(settings: &'s Settings, name: Option<&str>) -> Result<&'s Connection> {
    let known = || settings.connections.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, settings.connections.as_slice()) {
        (Some(name), _) => settings
            .connection(&ConnectionName::new(name))
            .with_context(|| format!("no connection is called `{name}`; there are: {}", known())),
        (None, [only]) => Ok(only),
        (None, []) => bail!("the configuration has no [[connection]]: nothing was recorded"),
        (None, _) => bail!("say which connection with --connection; there are: {}", known()),
    }
}

/// Reads an agreement, printing what is wrong with it or doubtful, as `check` does.
fn read(path: &Path) -> Option<Agreement> {
    match read_agreement(path) {
        Ok((file, warnings)) => {
            if warnings.counts().1 > 0 {
                eprintln!("{}", warnings.render(color()));
            }
            std::sync::Arc::into_inner(file.agreement)
        }
        Err(report) => {
            eprintln!("{}", report.render(color()));
            None
        }
    }
}

/// The version that the connection is judged by: the active one, else the one that its file holds.
async fn in_force(db: &Db, connection: &Connection, agreements: &Agreements) -> Result<(Agreement, String)> {
    let file: &AgreementFile = agreements.of(&connection.name);
    let own = connection.agreement.is_some().then_some(&connection.name);
    match active(db, own).await? {
        Some(active) => match read_stored(&active) {
            Ok(agreement) => Ok((agreement, "active".to_owned())),
            Err(report) => bail!("the active agreement in the database cannot be read:\n{}", report.render(false)),
        },
        None => {
            let agreement = read(&file.path).with_context(|| format!("{} cannot be read", file.path.display()))?;
            Ok((agreement, file.path.display().to_string()))
        }
    }
}

async fn ask(
    db: &Db,
    arguments: &SimulateArguments,
    connection: &Connection,
    (old, origin): (Agreement, String),
    new: Agreement,
    threads: usize,
) -> Result<Answer> {
    let name = connection.name.clone();
    let keep = if arguments.all || arguments.json { usize::MAX } else { NAMED };
    let new = (new, arguments.agreement.display().to_string());
    let (from, to) = (arguments.from, arguments.to);
    let asked = Question { connection: name.clone(), old: (old, origin), new, from, to, keep, threads };
    let within = asked.window(db).await?.ok().context("--from comes after --to, or lies in the future")?;
    let bar = progress(history::count_all(db, &name).await?);
    let answer = asked.answer(db, within, |changes| bar.set_position(changes)).await;
    bar.finish_and_clear();
    Ok(answer?)
}

/// On a terminal only.
fn progress(changes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(changes), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} changes, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
