//! What each part of a review pack says, in lines, and the bars of the scorecard.

use super::{Item, Pack, Part};
use crate::agreement::model::{Ending, Span, Target};
use crate::chart::{Bar, Bars, Outcome};
use crate::record::PartyName;
use crate::report::figures::{Commitment, Figure, Verdict};
use crate::report::layout::{Cell, What, table};

pub(super) fn of(pack: &Pack<'_>) -> Vec<Part> {
    let mut parts = scorecards(pack);
    parts.extend([missed(pack), risk(pack), rejections(pack), win_loss(pack)]);
    let lists = [
        ("Disputes", &pack.disputes, "Nothing is disputed."),
        ("Promises that nobody attested", &pack.unattested, "All that was due is attested."),
        ("Held for a person to decide", &pack.held, "Nothing is held."),
    ];
    parts.extend(lists.map(|(heading, items, empty)| part(heading, items.clone(), empty)));
    let topics = pack.topics.iter().map(Item::says).collect();
    parts.push(part("Agenda", topics, "The agreement names no topics."));
    parts
}

fn part(heading: impl Into<String>, items: Vec<Item>, empty: &'static str) -> Part {
    Part { heading: heading.into(), items, empty, charts: Vec::new() }
}

fn words(party: &PartyName) -> String {
    party.as_str().replace('_', " ")
}

/// A part for each side, in the order in which the agreement names them.
fn scorecards(pack: &Pack<'_>) -> Vec<Part> {
    let shown = table(&pack.report, What::Scorecard);
    let lines: Vec<(&Commitment, Item)> =
        pack.report.commitments.iter().zip(&shown.rows).map(|(c, row)| (c, scored(c, &shown.columns, row))).collect();
    let mut parts = Vec::new();
    for party in &pack.agreement.parties {
        let own: Vec<&(&Commitment, Item)> = lines.iter().filter(|(c, _)| c.by == party.name).collect();
        if own.is_empty() {
            continue;
        }
        let heading = format!("Scorecard: what {} promised", words(&party.name));
        let bars: Vec<Bar> = own.iter().filter_map(|(c, item)| bar(pack, c, item)).collect();
        let charts = vec![Bars { title: format!("{heading}, each as a share of its target"), bars }];
        let items = own.iter().map(|(_, item)| item.clone()).collect();
        parts.push(Part { heading, items, empty: "", charts });
    }
    if parts.is_empty() {
        parts.push(part("Scorecard", Vec::new(), "The agreement promises nothing over a period."));
    }
    parts
}

/// A line of the scorecard's table, as a sentence.
fn scored(commitment: &Commitment, columns: &[&str], row: &[Cell]) -> Item {
    let cell = |name: &str| match columns.iter().zip(row).find(|(column, _)| **column == name)?.1 {
        Cell::Text(text) | Cell::Number(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Cell::Nothing => None,
    };
    let measured = &commitment.measured;
    let silence = match measured.figure {
        Figure::Word { .. } => "nobody attested",
        _ => "nothing to measure",
    };
    let mut text = cell("figure").unwrap_or(silence).to_owned();
    if let Some(of) = cell("of") {
        text.push_str(&format!(" ({of})"));
    }
    let verdict = cell("verdict").unwrap_or("open");
    text.push_str(&format!(" in {}, {verdict}; agreed: {}", measured.period, commitment.target));
    if let Some(expected) = cell("expected") {
        text.push_str(&format!("; expected: {expected}"));
    }
    if let Some(trend) = cell("last six") {
        text.push_str(&format!("; last periods {trend}"));
    }
    Item { name: Some(commitment.name.clone()), url: None, text }
}

/// Value over target, so that counts, shares and times stand on one scale. `None`: not comparable.
fn bar(pack: &Pack<'_>, commitment: &Commitment, item: &Item) -> Option<Bar> {
    let agreed = pack.agreement.commitments.iter().find(|c| c.name == commitment.name)?;
    let part_of = |value: f64, target: f64| (target > 0.0).then(|| value / target);
    let value = match (&commitment.measured.figure, agreed.target) {
        (Figure::Count { count }, Target::AtLeast(n) | Target::AtMost(n)) => part_of(*count as f64, n),
        (Figure::Share { part, whole }, Target::ShareAtLeast(share) | Target::ShareAtMost(share)) if *whole > 0 => {
            part_of(*part as f64 / *whole as f64, share)
        }
        (Figure::MoneyShare { part, whole }, Target::ShareAtLeast(share) | Target::ShareAtMost(share))
            if whole.hundredths() > 0 =>
        {
            part_of(part.hundredths() as f64 / whole.hundredths() as f64, share)
        }
        (Figure::Time(time), Target::Within(Span::Elapsed(target) | Span::Open(target))) => {
            part_of(time.length.as_millis() as f64, target.as_millis() as f64)
        }
        (Figure::Word { answer: Some(yes) }, _) => Some(if *yes { 1.0 } else { 0.0 }),
        _ => None,
    };
    let outcome = match commitment.measured.verdict {
        Verdict::Attained => Outcome::Kept,
        Verdict::Missed => Outcome::Missed,
        Verdict::Open | Verdict::NoData => Outcome::Open,
    };
    let shown = item.text.split(" in ").next().unwrap_or_default().to_owned();
    let wanted = match agreed.target {
        Target::Yes => String::new(),
        _ => commitment.target.clone(),
    };
    Some(Bar { label: commitment.name.clone(), value, shown, target: Some(1.0), wanted, outcome })
}

fn missed(pack: &Pack<'_>) -> Part {
    let missed = pack.report.commitments.iter().filter(|c| c.measured.verdict == Verdict::Missed);
    let items = missed.map(|c| {
        let by = c.measured.short_by.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
        let credit = c.credit.as_ref().map(|credit| format!(". Credit: {credit}")).unwrap_or_default();
        let text = format!("promised by {} to {}{by}{credit}", words(&c.by), words(&c.to));
        Item { name: Some(c.name.clone()), url: None, text }
    });
    part("Commitments missed", items.collect(), "No commitment was missed.")
}

fn risk(pack: &Pack<'_>) -> Part {
    let mut items = pack.risk.clone();
    if pack.more_at_risk > 0 {
        items.push(Item::says(format!("and {} more", pack.more_at_risk)));
    }
    part("Leads at risk", items, "No clock is running.")
}

fn rejections(pack: &Pack<'_>) -> Part {
    let items = pack.report.rejections.iter().map(|r| {
        let reason = if r.reason.is_empty() { "without a reason" } else { &r.reason };
        let excused = if r.excused > 0 { format!(", {} more upheld in dispute", r.excused) } else { String::new() };
        let text = format!("{} ({}; {} before anybody had tried){excused}", r.count, r.handoff, r.unworked);
        Item { name: Some(reason.to_owned()), url: None, text }
    });
    part("Rejections by reason", items.collect(), "Nothing was rejected.")
}

fn win_loss(pack: &Pack<'_>) -> Part {
    let ends = |name: &str| pack.agreement.stages.iter().find(|s| s.name.as_str() == name).and_then(|s| s.ends);
    let mut items = Vec::new();
    let whole = pack.report.waterfall.parts.first();
    let currency = pack.report.currency.as_deref().unwrap_or_default();
    let worth = |amounts: Option<&crate::report::figures::Amounts>| {
        amounts.map(|a| format!(", {} {currency}", a.sum).trim_end().to_owned()).unwrap_or_default()
    };
    for stage in whole
        .into_iter()
        .flat_map(|part| &part.stages)
        .filter(|s| s.entered > 0 && ends(s.stage.as_str()) == Some(Ending::Won))
    {
        let text = format!("{}{}", stage.entered, worth(stage.amounts.as_ref()));
        items.push(Item { name: Some(stage.term.clone()), url: None, text });
    }
    for end in whole
        .into_iter()
        .flat_map(|part| &part.endings)
        .filter(|e| e.entered > 0 && ends(e.stage.as_str()) == Some(Ending::Lost))
    {
        let text = format!("{}{}", end.entered, worth(end.amounts.as_ref()));
        items.push(Item { name: Some(end.term.clone()), url: None, text });
    }
    for (reason, count) in &pack.lost_for {
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        items.push(Item { name: Some(format!("Lost for: {reason}")), url: None, text: count.to_string() });
    }
    part("Win/loss", items, "No opportunity was decided.")
}
