//! The scorecard as a table: each commitment of both sides with its figure, verdict and trend.

use super::{Cell, Table};
use crate::record::Elapsed;
use crate::report::figures::{Commitment, Figure, Forecast, Report, Time, Verdict};

pub(super) fn scorecard(report: &Report) -> Table {
    let columns = vec![
        "by",
        "to",
        "commitment",
        "period",
        "target",
        "figure",
        "of",
        "verdict",
        "expected",
        "last six",
        "short by",
    ];
    let mut notes = Vec::new();
    for commitment in &report.commitments {
        let measured = &commitment.measured;
        let said = measured.short_by.iter().chain(&measured.notes).chain(&commitment.credit);
        notes.extend(said.map(|note| format!("{}: {}.", commitment.name, note.trim_end_matches('.'))));
    }
    if report.commitments.is_empty() {
        notes.push("The agreement has no commitments: there is nothing to score.".to_owned());
    }
    notes.extend(report.notes.iter().cloned());
    let rows = report.commitments.iter().map(row).collect();
    Table { title: title(report, "Scorecard"), columns, undrawn: &["to", "short by"], rows, notes }
}

fn row(commitment: &Commitment) -> Vec<Cell> {
    let measured = &commitment.measured;
    let text = |text: Option<String>| text.map_or(Cell::Nothing, Cell::Text);
    let (figure, of) = figure(&measured.figure);
    vec![
        Cell::text(commitment.by.as_str()),
        Cell::text(commitment.to.as_str()),
        Cell::text(&commitment.name),
        Cell::text(measured.period.to_string()),
        Cell::text(commitment.target.replace("at least", "≥").replace("at most", "≤")),
        text(figure),
        text(of),
        Cell::text(verdict(measured.verdict)),
        text(measured.forecast.map(|f| forecast(&f, &measured.figure))),
        Cell::text(trend(commitment)),
        text(measured.short_by.clone()),
    ]
}

/// The title of every table: what it is, of which connection, over which period.
pub(super) fn title(report: &Report, what: &str) -> String {
    let so_far = if report.is_open { ", so far" } else { "" };
    format!("{what}: {}, {}{so_far}, by {} ({})", report.connection, report.period, report.title, report.version)
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

/// The figure, and what it is a share of.
pub fn figure(figure: &Figure) -> (Option<String>, Option<String>) {
    let share = |part: i64, whole: i64| percent(part as f64 / whole.max(1) as f64);
    match figure {
        Figure::Nothing => (None, None),
        Figure::Count { count } => (Some(count.to_string()), None),
        Figure::Share { part, whole } => (Some(share(*part as i64, *whole as i64)), Some(format!("{part} of {whole}"))),
        Figure::MoneyShare { part, whole } => {
            (Some(share(part.hundredths(), whole.hundredths())), Some(format!("{part} of {whole}")))
        }
        Figure::Time(time) => (Some(length(time)), Some(format!("of {}", time.of))),
        Figure::Word { answer } => (answer.map(|yes| if yes { "yes" } else { "no" }.to_owned()), None),
    }
}

/// `88`, or `70.6% to 85.3%` for what may come of what is open now.
pub fn forecast(forecast: &Forecast, figure: &Figure) -> String {
    let is_count = matches!(figure, Figure::Count { .. });
    match (forecast.worst, forecast.best) {
        _ if is_count => forecast.expected.to_string(),
        (Some(worst), Some(best)) if worst != best => format!("{} to {}", percent(worst), percent(best)),
        _ => percent(forecast.expected),
    }
}

/// `95%`, `37.5%`.
pub fn percent(share: f64) -> String {
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
