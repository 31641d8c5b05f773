//! From what was gathered to a verdict. While a period runs, or while what is open can still turn
//! the figure, nothing is attained or missed, unless nothing could change it any more.

use super::Question;
use super::gathered::Gathered;
use super::measure::Slot;
use super::percentile::{percentile, rank};
use super::words::{percent, target as target_words};
use crate::agreement::model::{Measure, Period, Span, Target};
use crate::agreement::span::is_business;
use crate::record::Timestamp;
use crate::report::figures::{Figure, Forecast, Measured, Verdict};
use crate::report::money::Money;
use crate::report::tale::Attestation;
use crate::report::window::Window;

/// What a figure is now, and what it may come to.
struct Reading {
    figure: Figure,
    now: f64,
    worst: f64,
    best: f64,
}

/// What a slot has measured.
pub(super) fn measured(slot: &mut Slot, question: &Question) -> Measured {
    let window = slot.frame.window;
    if let Measure::Attested(every) = slot.commitment().measure {
        return attested(slot, every, question);
    }
    let (target, p) = (slot.commitment().target, share_of_times(&slot.commitment().measure));
    let reading = match slot.commitment().measure {
        Measure::Count(_) => Some(counted(slot, target)),
        Measure::RevenueShare(_) => money(&slot.gathered),
        _ if p.is_some() => times(&mut slot.gathered, p.unwrap_or_default(), target),
        _ => share(&slot.gathered),
    };
    let mut notes = slot.gathered.notes();
    let Some(reading) = reading else {
        return Measured {
            period: window,
            figure: Figure::Nothing,
            verdict: Verdict::NoData,
            forecast: None,
            short_by: None,
            notes,
        };
    };
    let verdict = judge(slot, &reading, target);
    let short_by = (verdict == Verdict::Missed).then(|| short_by(&reading, target, p, &slot.gathered));
    if let (Figure::Time(_), Some(p)) = (&reading.figure, p) {
        let (within, of) = (slot.gathered.within, slot.gathered.lengths.len());
        notes.push(format!("{within} of {of} within the target, {} needed", rank(p, of)));
    }
    let forecast = (verdict == Verdict::Open).then(|| forecast(slot, &reading, target)).flatten();
    Measured { period: window, figure: reading.figure, verdict, forecast, short_by, notes }
}

fn share_of_times(measure: &Measure) -> Option<f64> {
    match measure {
        Measure::Median(_) => Some(0.5),
        Measure::P90(_) => Some(0.9),
        _ => None,
    }
}

/// A count only grows while its period runs.
fn counted(slot: &Slot, target: Target) -> Reading {
    let count = slot.gathered.part;
    let (now, over) = (count as f64, slot.frame.is_over());
    let best = if over { now } else { f64::INFINITY };
    // More is worse where the target is an upper bound.
    let (worst, best) = if matches!(target, Target::AtMost(_)) { (best, now) } else { (now, best) };
    Reading { figure: Figure::Count { count }, now, worst, best }
}

fn share(gathered: &Gathered) -> Option<Reading> {
    let Gathered { part, whole, open, waiting, .. } = *gathered;
    if whole == 0 {
        return None;
    }
    let ratio = |part: u64, whole: u64| part as f64 / whole as f64;
    Some(Reading {
        figure: Figure::Share { part, whole },
        now: ratio(part, whole),
        worst: ratio(part, whole + waiting),
        best: ratio(part + open + waiting, whole + waiting),
    })
}

/// Amounts that could not be added might turn it, but nobody can say how: they are noted.
fn money(gathered: &Gathered) -> Option<Reading> {
    let (part, whole) = (gathered.money, gathered.of_money.sum);
    if whole <= Money::default() {
        return None;
    }
    let now = part.hundredths() as f64 / whole.hundredths() as f64;
    Some(Reading { figure: Figure::MoneyShare { part, whole }, now, worst: now, best: now })
}

/// Judged by how many answers were within the target: the percentile is, when enough of them are.
fn times(gathered: &mut Gathered, p: f64, target: Target) -> Option<Reading> {
    let Target::Within(span) = target else { return None };
    let time = percentile(&mut gathered.lengths, p, is_business(span))?;
    let all = gathered.lengths.len() as f64;
    let now = gathered.within as f64;
    // As shares of what is needed: at 1 the target is reached.
    let needed = rank(p, gathered.lengths.len()) as f64;
    let best = (now + gathered.within_open as f64).min(all);
    Some(Reading { figure: Figure::Time(time), now: now / needed, worst: now / needed, best: best / needed })
}

fn judge(slot: &Slot, reading: &Reading, target: Target) -> Verdict {
    let is_share = !matches!(reading.figure, Figure::Count { .. });
    // Of a share, more will come while the period runs: nothing is decided.
    if is_share && !slot.frame.is_over() {
        return Verdict::Open;
    }
    match (reaches(reading.worst, target), reaches(reading.best, target)) {
        (true, true) => Verdict::Attained,
        (false, false) => Verdict::Missed,
        _ => Verdict::Open,
    }
}

/// Whether a figure reaches the target; a share that is written as a fraction may be off by a hair.
fn reaches(figure: f64, target: Target) -> bool {
    const HAIR: f64 = 1e-9;
    match target {
        Target::AtLeast(n) => figure >= n,
        Target::AtMost(n) => figure <= n,
        Target::ShareAtLeast(share) => figure >= share - HAIR,
        Target::ShareAtMost(share) => figure <= share + HAIR,
        Target::Within(_) => figure >= 1.0,
        Target::Yes => figure >= 1.0,
    }
}

/// A count goes on as fast as so far, by open time; a share stays as it is.
fn forecast(slot: &Slot, reading: &Reading, target: Target) -> Option<Forecast> {
    let known = |x: f64| x.is_finite().then_some(x);
    if let Figure::Count { .. } = reading.figure {
        let expected = (reading.now / slot.frame.passed()?).round();
        let (worst, best) = (known(reading.worst), known(reading.best));
        return Some(Forecast { expected, worst, best, attains: reaches(expected, target) });
    }
    if let Figure::Time(_) = reading.figure {
        return None;
    }
    let (worst, best) = (known(reading.worst), known(reading.best));
    Some(Forecast { expected: reading.now, worst, best, attains: reaches(reading.now, target) })
}

fn short_by(reading: &Reading, target: Target, p: Option<f64>, gathered: &Gathered) -> String {
    let points = |from: f64, to: f64| match ((to - from) * 1000.0).round() / 10.0 {
        0.0 => "less than 0.1 points".to_owned(),
        points => format!("{points} points"),
    };
    match (target, &reading.figure) {
        (Target::AtLeast(n), _) => format!("{} short of {n}", n - reading.now),
        (Target::AtMost(n), _) => format!("{} more than {n}", reading.now - n),
        (Target::ShareAtLeast(share), _) => format!("{} below {}", points(reading.now, share), percent(share)),
        (Target::ShareAtMost(share), _) => format!("{} above {}", points(share, reading.now), percent(share)),
        (Target::Within(Span::Elapsed(most) | Span::Open(most)), Figure::Time(time)) if time.length > most => {
            let over = crate::record::Elapsed::from_millis(time.length.as_millis() - most.as_millis());
            let kind = if time.business { " of business time" } else { "" };
            format!("{over}{kind} over")
        }
        (Target::Within(_), _) => {
            let (of, p) = (gathered.lengths.len(), p.unwrap_or_default());
            format!("{} of {of} {}, {} needed", gathered.within, target_words(target), rank(p, of))
        }
        (Target::Yes, _) => "nobody attested to it".to_owned(),
    }
}

/// A person's word, for each of its periods that begin in the commitment's period. The last answer counts.
fn attested(slot: &Slot, every: Period, question: &Question) -> Measured {
    let window = slot.frame.window;
    let name = &slot.commitment().name;
    let zone = question.terms.zone();
    let answers: Vec<(Window, Option<&Attestation>)> =
        parts(&window, every, &zone).into_iter().map(|part| (part, answer(question, name, &part))).collect();
    let said = |yes: bool| answers.iter().any(|(_, a)| a.is_some_and(|a| a.answer == yes));
    let all = answers.iter().all(|(_, a)| a.is_some_and(|a| a.answer));
    let silent: Vec<String> =
        answers.iter().filter(|(w, a)| a.is_none() && w.is_over(question.now)).map(|(w, _)| w.to_string()).collect();
    let verdict = match (said(false) || !silent.is_empty(), all) {
        (true, _) => Verdict::Missed,
        (false, true) => Verdict::Attained,
        (false, false) => Verdict::Open,
    };
    let answer = if said(false) { Some(false) } else { all.then_some(true) };
    let by = answers.iter().filter_map(|(w, a)| a.map(|a| (w, a)));
    let mut notes: Vec<String> =
        by.map(|(w, a)| format!("{}: {} says {}", w, a.by, if a.answer { "yes" } else { "no" })).collect();
    notes.extend(silent.iter().map(|w| format!("{w}: nobody attested")));
    let short_by = (verdict == Verdict::Missed)
        .then(|| if said(false) { "the answer was no".to_owned() } else { "nobody attested to it in time".to_owned() });
    Measured { period: window, figure: Figure::Word { answer }, verdict, forecast: None, short_by, notes }
}

fn answer<'q>(question: &'q Question, name: &str, part: &Window) -> Option<&'q Attestation> {
    let of = |a: &&Attestation| a.commitment == name && part.contains(a.period_start);
    question.attestations.iter().filter(of).max_by_key(|a| a.at)
}

/// The periods of one kind that begin within another period; itself where they are of one kind.
fn parts(window: &Window, every: Period, zone: &jiff::tz::TimeZone) -> Vec<Window> {
    let mut parts = Vec::new();
    let mut part = Window::containing(every, Timestamp::from_millis(window.until.as_millis() - 1), zone);
    while part.from >= window.from {
        parts.push(part);
        part = part.before(zone);
    }
    if parts.is_empty() {
        parts.push(part);
    }
    parts.reverse();
    parts
}
