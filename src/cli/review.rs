//! `leadpact review`: a review's pack on demand, as text, as an HTML page, or sent.

use super::{ConfigArguments, color, open_store};
use crate::agreement::Agreement;
use crate::agreement::model::Review;
use crate::app::{Agreements, connector, credentials, read_configuration};
use crate::crm::Connection;
use crate::engine::clock::real_now;
use crate::engine::measure;
use crate::engine::review::{Asked, gather, paper};
use crate::engine::{letters, reach};
use crate::record::Timestamp;
use crate::report::pack::{self, Pack};
use crate::report::window::Window;
use crate::settings::Settings;
use crate::store::{Db, Priority};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ReviewArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The review's name; not needed where the agreement has one.
    name: Option<String>,
    /// Only of this connection; without it, of each in turn.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// `2027-W09`, `2027-03` or `2027-Q1`; without it the last that ended.
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// Write the pack as an HTML page too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Let the daemon send it to whom the agreement names.
    #[arg(long)]
    send: bool,
}

pub fn run(arguments: &ReviewArguments) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let only = arguments.connection.as_deref().map(|name| super::connection(&settings, name)).transpose()?;
    let chosen: Vec<&Connection> =
        settings.connections.iter().filter(|c| only.is_none_or(|only| only.name == c.name)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = open_store(&settings).await?;
        for connection in &chosen {
            one(&settings, &agreements, &db, connection, arguments, chosen.len() > 1).await?;
        }
        db.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn one(
    settings: &Settings,
    agreements: &Agreements,
    db: &Db,
    connection: &Connection,
    arguments: &ReviewArguments,
    several: bool,
) -> Result<()> {
    let agreement = &agreements.of(&connection.name).agreement;
    // As `report` does: a journal may be ahead of our clock.
    let now = measure::known_until(db, &connection.name, real_now()).await?;
    let review = review(agreement, arguments.name.as_deref())?;
    let sharing = settings.connections.iter().filter(|c| c.agreement.is_none()).count();
    let asked = Asked {
        db,
        agreement,
        connection,
        crm: &connector(connection, agreement, Some(&credentials(settings, db)))?,
        is_shared: connection.agreement.is_none() && sharing > 1,
        review,
        period: period(agreement, review, arguments.period.as_deref(), now)?,
        now,
    };
    let pack = gather(&asked).await?;
    println!("{}", pack.text());
    if let Some(out) = &arguments.out {
        let out = if several { beside(out, connection.name.as_str()) } else { out.clone() };
        std::fs::write(&out, pack::html(&pack)).with_context(|| format!("{} cannot be written", out.display()))?;
        println!("Written: {}", out.display());
    }
    if arguments.send {
        send(db, connection, review, &pack, now).await?;
    }
    Ok(())
}

async fn send(db: &Db, connection: &Connection, review: &Review, pack: &Pack<'_>, now: Timestamp) -> Result<()> {
    let mut tx = db.begin(Priority::Work).await?;
    for (n, to) in review.send_to.iter().map(reach::destination).enumerate() {
        let says = paper(pack, &format!("review/{}/{}/asked/{n}", review.name, now.as_millis()));
        letters::issue(&mut tx, &connection.name, &vec![to], &says, true, now).await?;
    }
    tx.commit().await?;
    println!("The daemon sends it to {} as soon as it runs.", count(review.send_to.len()));
    Ok(())
}

fn count(n: usize) -> String {
    if n == 1 { "one address".to_owned() } else { format!("{n} addresses") }
}

/// `pack.html` for several connections: `pack-acme.html`.
fn beside(out: &Path, connection: &str) -> PathBuf {
    let stem = out.file_stem().map_or("pack".into(), |stem| stem.to_string_lossy());
    let ending = out.extension().map_or("html".into(), |ending| ending.to_string_lossy());
    out.with_file_name(format!("{stem}-{connection}.{ending}"))
}

fn review<'a>(agreement: &'a Agreement, name: Option<&str>) -> Result<&'a Review> {
    let known: Vec<&str> = agreement.reviews.iter().map(|r| r.name.as_str()).collect();
    match (&agreement.reviews[..], name) {
        ([], _) => bail!("the agreement has no [[review]]"),
        ([only], None) => Ok(only),
        (_, None) => bail!("say which review: {}", known.join(", ")),
        (all, Some(name)) => all
            .iter()
            .find(|r| r.name.eq_ignore_ascii_case(name.trim()))
            .with_context(|| format!("no review is called `{name}`; there are: {}", known.join(", "))),
    }
}

fn period(agreement: &Agreement, review: &Review, text: Option<&str>, now: Timestamp) -> Result<Window> {
    let zone = agreement.zone();
    match text {
        None => Ok(Window::containing(review.every, now, &zone).before(&zone)),
        Some(text) => Window::parse(text, &zone)
            .with_context(|| format!("`{text}` is no period: write it like 2027-W09, 2027-03 or 2027-Q1")),
    }
}
