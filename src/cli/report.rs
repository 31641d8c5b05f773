//! `leadpact report`: what was promised over a period and how it was kept, as a table, JSON or CSV.

use super::{ConfigArguments, color};
use crate::agreement::model::Period;
use crate::app::{AgreementFile, read_configuration};
use crate::engine::clock::real_now;
use crate::engine::measure;
use crate::record::{ConnectionName, Timestamp};
use crate::report::figures::{Dimension, Report};
use crate::report::layout::{Stamp, What, json, table, to_csv};
use crate::report::tally::Question;
use crate::report::window::Window;
use crate::settings::Settings;
use crate::store::{Db, OpenOptions};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ReportArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Only this connection; without it, each in turn.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// week, month or quarter (the one that runs), last-week, last-month or last-quarter, or by name:
    /// 2027-W05, 2027-03, 2027-Q1.
    #[arg(long, value_name = "PERIOD", default_value = "month")]
    period: String,
    /// What to show.
    #[arg(long, value_enum, default_value_t = Shown::Scorecard)]
    what: Shown,
    /// Splits the waterfall; `source` shows campaigns by lead source.
    #[arg(long, value_enum)]
    by: Option<By>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shown {
    Scorecard,
    Waterfall,
    Campaigns,
    Clocks,
    Acceptance,
    Rejections,
    Violations,
    Delays,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Source,
    Campaign,
    Party,
    Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

pub fn run(arguments: &ReportArguments) -> Result<ExitCode> {
    if arguments.format == Format::Csv && arguments.what == Shown::All {
        bail!("a CSV file holds one table: name it with `--what`, such as `--what scorecard`");
    }
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let names = connections(&settings, arguments.connection.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = Db::open(settings.store.url.expose_secret(), &OpenOptions::default()).await?;
        let mut reports = Vec::new();
        for name in &names {
            let own = settings.connection(name).is_some_and(|c| c.agreement.is_some());
            reports.push(report(&db, name, own, agreements.of(name), arguments).await?);
        }
        print(&reports, arguments)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The connections that are asked about.
fn connections(settings: &Settings, wanted: Option<&str>) -> Result<Vec<ConnectionName>> {
    let known: Vec<ConnectionName> = settings.connections.iter().map(|c| c.name.clone()).collect();
    let Some(wanted) = wanted else { return Ok(known) };
    match known.iter().find(|name| name.as_str() == wanted) {
        Some(name) => Ok(vec![name.clone()]),
        None => {
            let names: Vec<&str> = known.iter().map(ConnectionName::as_str).collect();
            bail!("no connection is called `{wanted}`; there are: {}", names.join(", "))
        }
    }
}

async fn report(
    db: &Db,
    connection: &ConnectionName,
    own: bool,
    file: &AgreementFile,
    arguments: &ReportArguments,
) -> Result<Report> {
    let now = real_now();
    let named = (arguments.period.as_str(), now);
    let question = measure::question(db, connection, own, &file.agreement, named).await?;
    let question = question.with_context(|| no_period(&arguments.period, now))?;
    let question = Question { by: arguments.by.map(dimension), ..question };
    measure::measure(db, question).await.with_context(|| format!("connection `{connection}` cannot be measured"))
}

fn dimension(by: By) -> Dimension {
    match by {
        By::Source => Dimension::Source,
        By::Campaign => Dimension::Campaign,
        By::Party => Dimension::Party,
        By::Owner => Dimension::Owner,
    }
}

fn no_period(text: &str, now: Timestamp) -> String {
    format!(
        "`{text}` is no period: write `week`, `month` or `quarter`, `last-month`, or a name such as `{}`, `2027-03` or \
         `2027-Q1`",
        Window::containing(Period::Week, now, &TimeZone::UTC)
    )
}

fn tables(arguments: &ReportArguments) -> Vec<What> {
    match arguments.what {
        Shown::All => What::ALL.to_vec(),
        Shown::Campaigns if arguments.by == Some(By::Source) => vec![What::Sources],
        Shown::Scorecard => vec![What::Scorecard],
        Shown::Waterfall => vec![What::Waterfall],
        Shown::Campaigns => vec![What::Campaigns],
        Shown::Clocks => vec![What::Clocks],
        Shown::Acceptance => vec![What::Acceptance],
        Shown::Rejections => vec![What::Rejections],
        Shown::Violations => vec![What::Violations],
        Shown::Delays => vec![What::Delays],
    }
}

fn print(reports: &[Report], arguments: &ReportArguments) -> Result<()> {
    match arguments.format {
        Format::Table => {
            let each = |report| tables(arguments).into_iter().map(move |what| table(report, what).to_text());
            let texts: Vec<String> = reports.iter().flat_map(each).collect();
            print!("{}", texts.join("\n"));
        }
        Format::Csv => {
            let periods: Vec<String> = reports.iter().map(|r| r.period.to_string()).collect();
            let stamped = reports.iter().zip(&periods).flat_map(|(report, period)| {
                let stamp = move || Stamp { connection: report.connection.as_str(), period };
                tables(arguments).into_iter().map(move |what| (stamp(), table(report, what)))
            });
            print!("{}", to_csv(&stamped.collect::<Vec<_>>()));
        }
        Format::Json => {
            let all = reports.iter().map(|report| json(report, &tables(arguments)).map_err(Into::into));
            let all = all.collect::<Result<Vec<_>>>()?;
            println!("{}", serde_json::to_string_pretty(&all)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_period_is_answered_with_examples() {
        let now = Timestamp::parse("2027-02-10T12:00:00Z").expect("a moment");
        let refused = no_period("last-2026", now);
        assert!(refused.contains("`last-2026` is no period: write `week`"), "{refused}");
        assert!(refused.contains("`2027-W06`"), "{refused}");
    }
}
