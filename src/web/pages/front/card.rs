//! A commitment as the first page shows it: what was promised, what was attained, how it went before, what is to be
//! expected and what follows.

use super::super::super::numbers::money;
use crate::agreement::Agreement;
use crate::agreement::model::{Commitment as Agreed, Span, Target};
use crate::chart::{Chart, Outcome, Point, Spark, Theme};
use crate::document::words;
use crate::record::PartyName;
use crate::report::figures::{Commitment, Figure, Forecast, Report, Verdict};
use crate::report::layout::{self, thousands};

/// What one side promises.
pub struct Side {
    /// `Marketing`, `Teleprospecting and field sales`.
    pub who: String,
    pub cards: Vec<Card>,
}

pub struct Card {
    pub name: String,
    pub by: String,
    pub to: String,
    /// `Records that became “Marketing qualified lead”, each month.`
    pub sentence: String,
    pub period: String,
    pub target: String,
    /// `312`, `93.5%`; a word where nothing is measured.
    pub attained: String,
    pub is_measured: bool,
    /// `29 of 31`
    pub of: Option<String>,
    pub verdict: &'static str,
    /// The badge's class.
    pub state: &'static str,
    pub expected: Option<String>,
    /// Whether that would do.
    pub on_track: bool,
    pub short_by: Option<String>,
    pub credit: Option<String>,
    pub notes: Vec<String>,
    /// SVG of ours.
    pub trend: String,
    pub trend_rows: Vec<[String; 3]>,
}

/// Both sides as the slides have them: who hands over first, and everybody else.
pub fn sides(report: &Report, agreement: &Agreement) -> [Side; 2] {
    let first = agreement.handoffs.first().map(|handoff| &handoff.from);
    let first = first.or(agreement.parties.first().map(|party| &party.name));
    let is_left = |party: &PartyName| Some(party) == first;
    let side = |left: bool| {
        let mut parties: Vec<&PartyName> =
            agreement.parties.iter().map(|p| &p.name).filter(|name| is_left(name) == left).collect();
        // A former version may have had others.
        parties.extend(report.commitments.iter().map(|c| &c.by).filter(|by| is_left(by) == left));
        let mut seen = Vec::new();
        parties.retain(|party| {
            !seen.contains(party) && {
                seen.push(*party);
                true
            }
        });
        let names: Vec<String> = parties.iter().map(|party| words::party(party)).collect();
        let of = |party: &&PartyName| report.commitments.iter().filter(move |c| c.by == **party).collect::<Vec<_>>();
        let cards = parties.iter().flat_map(of).map(|c| card(c, agreement)).collect();
        Side { who: words::capital(&words::join(&names, "and")), cards }
    };
    [side(true), side(false)]
}

fn card(commitment: &Commitment, agreement: &Agreement) -> Card {
    let measured = &commitment.measured;
    let agreed = agreement.commitments.iter().find(|c| c.name == commitment.name);
    let (attained, of) = figure(&measured.figure);
    let spark = spark(commitment, agreed);
    let (verdict, state) = verdict(measured.verdict);
    Card {
        name: commitment.name.clone(),
        by: words::capital(&words::party(&commitment.by)),
        to: words::party(&commitment.to),
        sentence: sentence(commitment, agreed, agreement),
        period: measured.period.to_string(),
        target: agreed.map_or_else(|| commitment.target.clone(), |c| words::target(c.target)),
        is_measured: attained.is_some(),
        attained: attained.unwrap_or_else(|| silence(&measured.figure).to_owned()),
        of,
        verdict,
        state,
        expected: measured.forecast.as_ref().map(|f| expected(f, &measured.figure)),
        on_track: measured.forecast.as_ref().is_some_and(|f| f.attains),
        short_by: measured.short_by.clone(),
        credit: commitment.credit.clone(),
        notes: measured.notes.clone(),
        trend_rows: spark.table().rows.into_iter().filter_map(|row| row.try_into().ok()).collect(),
        trend: spark.draw(150.0).svg(&Theme::PAGE),
    }
}

fn sentence(commitment: &Commitment, agreed: Option<&Agreed>, agreement: &Agreement) -> String {
    match agreed {
        Some(agreed) if matches!(agreed.target, Target::Yes) => {
            format!("{}.", words::measure(agreement, &agreed.measure))
        }
        Some(agreed) => {
            format!("{}, each {}.", words::measure(agreement, &agreed.measure), words::period(agreed.period))
        }
        None => format!("{}.", commitment.measure),
    }
}

/// The figure with commas, and what it is a share of.
fn figure(figure: &Figure) -> (Option<String>, Option<String>) {
    let (shown, of) = layout::figure(figure);
    match figure {
        Figure::Count { count } => (Some(thousands(*count)), None),
        Figure::Share { part, whole } => (shown, Some(format!("{} of {}", thousands(*part), thousands(*whole)))),
        Figure::MoneyShare { part, whole } => (shown, Some(format!("{} of {}", money(*part), money(*whole)))),
        _ => (shown, of),
    }
}

fn silence(figure: &Figure) -> &'static str {
    if matches!(figure, Figure::Word { .. }) { "nobody attested" } else { "nothing to measure" }
}

fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Attained => ("kept", "met"),
        Verdict::Missed => ("missed", "missed"),
        Verdict::Open => ("open", "open"),
        Verdict::NoData => ("nothing to measure", ""),
    }
}

fn expected(forecast: &Forecast, figure: &Figure) -> String {
    match figure {
        Figure::Count { .. } => thousands(forecast.expected.max(0.0).round() as u64),
        _ => layout::forecast(forecast, figure),
    }
}

fn spark(commitment: &Commitment, agreed: Option<&Agreed>) -> Spark {
    let points = commitment.trend.iter().map(|point| Point {
        label: point.period.to_string(),
        value: value(&point.figure),
        shown: figure(&point.figure).0.unwrap_or_else(|| "–".to_owned()),
        outcome: match point.verdict {
            Verdict::Attained => Outcome::Kept,
            Verdict::Missed => Outcome::Missed,
            Verdict::Open | Verdict::NoData => Outcome::Open,
        },
    });
    let title = format!("{}: the last periods", commitment.name);
    Spark { title, points: points.collect(), target: agreed.and_then(|c| goal(c.target)) }
}

/// On the scale of [`goal`]; `None`: nothing was measured.
fn value(figure: &Figure) -> Option<f64> {
    let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    match figure {
        Figure::Nothing | Figure::Word { answer: None } => None,
        Figure::Count { count } => Some(*count as f64),
        Figure::Share { part, whole } => share(*part as f64, *whole as f64),
        Figure::MoneyShare { part, whole } => share(part.hundredths() as f64, whole.hundredths() as f64),
        Figure::Time(time) => Some(time.length.as_millis() as f64),
        Figure::Word { answer: Some(yes) } => Some(if *yes { 1.0 } else { 0.0 }),
    }
}

/// Where the target lies; a number of business days is no length, and a word is no number.
fn goal(target: Target) -> Option<f64> {
    match target {
        Target::AtLeast(n) | Target::AtMost(n) => Some(n),
        Target::ShareAtLeast(share) | Target::ShareAtMost(share) => Some(share),
        Target::Within(Span::Elapsed(length) | Span::Open(length)) => Some(length.as_millis() as f64),
        Target::Within(_) | Target::Yes => None,
    }
}
