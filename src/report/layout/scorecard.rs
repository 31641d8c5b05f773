//! The scorecard as a table: each commitment of both sides with its figure, verdict and trend.

use super::{Cell, Table};
use crate::record::Elapsed;
use crate::report::figures::{Commitment, Figure, Forecast, Report, Time, Verdict};

pub(super) fn scorecard(report: &Report) -> Table {
    let columns =
        vec!["by", "to", "commitment", "period", "target", "figure", "verdict", "expected", "last six", "short by"];
    let mut notes = Vec::new();
    for commitment in &report.commitments {
        notes.extend(commitment.measured.notes.iter().map(|note| format!("{}: {note}.", commitment.name)));
        notes.extend(commitment.credit.iter().map(|credit| format!("{}: credit: {credit}", commitment.name)));
    }
    notes.extend(report.notes.iter().cloned());
    let rows = report.commitments.iter().map(row).collect();
    Table { title: title(report, "Scorecard"), columns, rows, notes }
}

fn row(commitment: &Commitment) -> Vec<Cell> {
    let measured = &commitment.measured;
    vec![
        Cell::text(commitment.by.as_str()),
        Cell::text(commitment.to.as_str()),
        Cell::text(&commitment.name),
        Cell::text(measured.period.to_string()),
        Cell::text(&commitment.target),
        Cell::text(figure(&measured.figure)),
        Cell::text(verdict(measured.verdict)),
        measured.forecast.map(|f| Cell::text(forecast(&f, &measured.figure))).unwrap_or(Cell::Nothing),
        Cell::text(trend(commitment)),
        measured.short_by.as_ref().map(Cell::text).unwrap_or(Cell::Nothing),
    ]
}

/// The title of every table: what it is, of which connection, over which period.
pub(super) fn title(report: &Report, what: &str) -> String {
    let so_far = if report.is_open { ", so far" } else { "" };
    format!("{what} of {}, {}{so_far}: {} ({})", report.connection, report.period, report.title, report.version)
}

fn trend(commitment: &Commitment) -> String {
    let sign = |v: Verdict| match v {
        Verdict::Attained => '✓',
        Verdict::Missed => '✗',
        Verdict::Open => '…',
        Verdict::NoData => '·',
    };
    commitment.trend.iter().map(|point| sign(point.verdict)).collect()
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Attained => "attained",
        Verdict::Missed => "missed",
        Verdict::Open => "open",
        Verdict::NoData => "no data",
    }
}

fn figure(figure: &Figure) -> String {
    match figure {
        Figure::Nothing => "-".to_owned(),
        Figure::Count { count } => count.to_string(),
        Figure::Share { part, whole } => {
            format!("{} ({part} of {whole})", percent(*part as f64 / (*whole).max(1) as f64))
        }
        Figure::MoneyShare { part, whole } => {
            let share = part.hundredths() as f64 / whole.hundredths().max(1) as f64;
            format!("{} ({part} of {whole})", percent(share))
        }
        Figure::Time(time) => length(time),
        Figure::Word { answer: Some(true) } => "yes".to_owned(),
        Figure::Word { answer: Some(false) } => "no".to_owned(),
        Figure::Word { answer: None } => "-".to_owned(),
    }
}

/// `12 (9 to 14)` for what may come of what is open now.
fn forecast(forecast: &Forecast, figure: &Figure) -> String {
    let is_count = matches!(figure, Figure::Count { .. });
    let say = |x: f64| if is_count { x.to_string() } else { percent(x) };
    let range = match (forecast.worst, forecast.best) {
        (Some(worst), Some(best)) if worst != best && !is_count => format!(" ({} to {})", say(worst), say(best)),
        _ => String::new(),
    };
    format!("{}{range}", say(forecast.expected))
}

/// `95%`, `37.5%`.
pub(super) fn percent(share: f64) -> String {
    format!("{}%", (share * 1000.0).round() / 10.0)
}

/// `2h 5m`, `at least 3h` where some are still unanswered; `of business time` is said by the column.
pub(super) fn length(time: &Time) -> String {
    let at_least = if time.at_least { "≥ " } else { "" };
    format!("{at_least}{}", span(time.length, time.business))
}

/// Business time has no days, only hours.
pub(super) fn span(length: Elapsed, business: bool) -> String {
    if !business {
        return length.to_string();
    }
    let minutes = length.as_millis() / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m}bm"),
        (h, 0) => format!("{h}bh"),
        (h, m) => format!("{h}bh {m}bm"),
    }
}
