//! The tables beside the scorecard, each from one part of a report.

use super::scorecard::{length, percent, scorecard, span, title};
use super::{Cell, Table};
use crate::record::PartyName;
use crate::report::figures::{Amounts, Campaign, Dimension, Report, StageLine};

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Scorecard,
    Waterfall,
    Campaigns,
    Sources,
    Clocks,
    Acceptance,
    Rejections,
    Violations,
    Delays,
}

impl What {
    /// Everything, in reading order.
    pub const ALL: [What; 9] = [
        What::Scorecard,
        What::Clocks,
        What::Acceptance,
        What::Rejections,
        What::Violations,
        What::Delays,
        What::Waterfall,
        What::Campaigns,
        What::Sources,
    ];
}

/// One table of a report.
pub fn table(report: &Report, what: What) -> Table {
    match what {
        What::Scorecard => scorecard(report),
        What::Waterfall => waterfall(report),
        What::Campaigns => campaigns(report, "Campaigns", "campaign", &report.by_campaign),
        What::Sources => campaigns(report, "Lead sources", "source", &report.by_source),
        What::Clocks => clocks(report),
        What::Acceptance => acceptance(report),
        What::Rejections => rejections(report),
        What::Violations => violations(report),
        What::Delays => delays(report),
    }
}

fn party(party: Option<&PartyName>) -> Cell {
    party.map_or(Cell::Nothing, |p| Cell::text(p.as_str()))
}

fn clocks(report: &Report) -> Table {
    let columns = vec![
        "clock", "party", "owner", "runs", "met", "late", "breached", "on time", "open", "excused", "median", "p90",
    ];
    let rows = report.clocks.iter().map(|line| {
        let owner = match (&line.owner, &line.owner_name) {
            (None, _) => "all",
            (Some(id), None) if id.as_str().is_empty() => "nobody",
            (Some(id), None) => id.as_str(),
            (Some(_), Some(name)) => name,
        };
        let on_time = (line.runs > 0).then(|| Cell::Number(percent(line.met as f64 / line.runs as f64)));
        vec![
            Cell::text(&line.clock),
            party(line.party.as_ref()),
            Cell::text(owner),
            line.runs.into(),
            line.met.into(),
            Cell::seldom(line.late),
            Cell::seldom(line.breached),
            on_time.unwrap_or(Cell::Nothing),
            Cell::seldom(line.open),
            Cell::seldom(line.excused),
            line.median.map(|t| Cell::Number(length(&t))).unwrap_or(Cell::Nothing),
            line.p90.map(|t| Cell::Number(length(&t))).unwrap_or(Cell::Nothing),
        ]
    });
    let notes = vec![format!(
        "{} passes lost to neglect, {} leads taken back. A time marked ≥ is at least so long: some are unanswered.",
        report.neglected, report.recycles
    )];
    Table { title: title(report, "Clocks"), columns, undrawn: &[], rows: rows.collect(), notes }
}

fn acceptance(report: &Report) -> Table {
    let columns = vec!["handoff", "from", "to", "delivered", "accepted", "rejected", "waiting", "rate", "again"];
    let rows = report.acceptance.iter().map(|line| {
        let decided = line.accepted + line.rejected;
        let rate = (decided > 0).then(|| Cell::Number(percent(line.accepted as f64 / decided as f64)));
        vec![
            Cell::text(&line.handoff),
            Cell::text(line.from.as_str()),
            Cell::text(line.to.as_str()),
            line.delivered.into(),
            line.accepted.into(),
            line.rejected.into(),
            line.waiting.into(),
            rate.unwrap_or(Cell::Nothing),
            line.again.into(),
        ]
    });
    Table { title: title(report, "Acceptance"), columns, undrawn: &[], rows: rows.collect(), notes: Vec::new() }
}

fn rejections(report: &Report) -> Table {
    let columns = vec!["handoff", "party", "reason", "rejected", "worked", "unworked", "excused"];
    let rows = report.rejections.iter().map(|line| {
        vec![
            Cell::text(&line.handoff),
            party(line.party.as_ref()),
            Cell::text(if line.reason.is_empty() { "(erased)" } else { &line.reason }),
            line.count.into(),
            line.worked.into(),
            line.unworked.into(),
            Cell::seldom(line.excused),
        ]
    });
    Table { title: title(report, "Rejections"), columns, undrawn: &[], rows: rows.collect(), notes: Vec::new() }
}

fn violations(report: &Report) -> Table {
    let columns = vec!["kind", "of", "party", "opened", "closed", "open now", "excused"];
    let rows = report.violations.iter().map(|line| {
        vec![
            Cell::text(&line.kind),
            Cell::text(&line.source),
            party(line.party.as_ref()),
            line.opened.into(),
            line.closed.into(),
            line.open.into(),
            Cell::seldom(line.excused),
        ]
    });
    Table { title: title(report, "Violations"), columns, undrawn: &[], rows: rows.collect(), notes: Vec::new() }
}

fn delays(report: &Report) -> Table {
    let columns = vec![
        "clock",
        "party",
        "answers",
        "system median",
        "human median",
        "system total",
        "human total",
        "unowned",
        "untold",
    ];
    let rows = report.delays.iter().map(|line| {
        let time = |length| Cell::Number(span(length, line.business));
        vec![
            Cell::text(&line.clock),
            party(line.party.as_ref()),
            line.answers.into(),
            time(line.system_median),
            time(line.human_median),
            time(line.system_total),
            time(line.human_total),
            time(line.unowned_total),
            time(line.untold_total),
        ]
    });
    let notes = vec![
        "System: until a person owned the record and the CRM had told of it. Human: from then to the answer."
            .to_owned(),
    ];
    Table { title: title(report, "Delays of answers"), columns, undrawn: &[], rows: rows.collect(), notes }
}

fn waterfall(report: &Report) -> Table {
    let by = match report.waterfall.by {
        None => "of",
        Some(Dimension::Source) => "source",
        Some(Dimension::Campaign) => "campaign",
        Some(Dimension::Party) => "party",
        Some(Dimension::Owner) => "owner",
    };
    let columns = vec![
        by, "stage", "entered", "revived", "recycled", "returned", "to next", "open", "rate", "so far", "median",
        "amount",
    ];
    let mut rows = Vec::new();
    for part in &report.waterfall.parts {
        let value = match part.value.as_deref() {
            None => "all",
            Some("") => "(none)",
            Some(value) => value,
        };
        rows.extend(part.stages.iter().map(|line| stage_row(value, line)));
        rows.extend(part.endings.iter().map(|ending| {
            let mut row = vec![Cell::text(value), Cell::text(ending.stage.as_str()), ending.entered.into()];
            row.resize(11, Cell::Nothing);
            row.push(amount(ending.amounts.as_ref()));
            row
        }));
    }
    let whole = report.waterfall.parts.first();
    let amounts = whole.into_iter().flat_map(|part| {
        let stages = part.stages.iter().map(|s| (&s.stage, s.amounts.as_ref()));
        stages.chain(part.endings.iter().map(|e| (&e.stage, e.amounts.as_ref())))
    });
    let notes = amounts.flat_map(|(stage, a)| a.map_or(Vec::new(), |a| left_out(stage.as_str(), a))).collect();
    Table { title: title(report, "Waterfall"), columns, undrawn: &[], rows, notes }
}

fn stage_row(value: &str, line: &StageLine) -> Vec<Cell> {
    let share = |rate: Option<f64>| rate.map(|r| Cell::Number(percent(r))).unwrap_or(Cell::Nothing);
    vec![
        Cell::text(value),
        Cell::text(line.stage.as_str()),
        line.entered.into(),
        Cell::seldom(line.revived),
        Cell::seldom(line.recycled),
        Cell::seldom(line.returned),
        line.rate.map(|_| Cell::from(line.converted)).unwrap_or(Cell::Nothing),
        Cell::seldom(line.open),
        share(line.rate),
        share(line.cumulative),
        line.median_to_next.map(|t| Cell::Number(t.to_string())).unwrap_or(Cell::Nothing),
        amount(line.amounts.as_ref()),
    ]
}

fn amount(amounts: Option<&Amounts>) -> Cell {
    amounts.map_or(Cell::Nothing, |a| Cell::Number(a.sum.to_string()))
}

/// What could not be added, in words.
fn left_out(of: &str, amounts: &Amounts) -> Vec<String> {
    let missing = (amounts.missing > 0).then(|| format!("{of}: {} without an amount.", amounts.missing));
    let no_rate = amounts.no_rate.iter().map(|(code, sum)| format!("{of}: {sum} {code} not added: no rate agreed."));
    missing.into_iter().chain(no_rate).collect()
}

fn campaigns(report: &Report, what: &str, by: &'static str, lines: &[Campaign]) -> Table {
    let columns = vec![
        by,
        "inquiries",
        "qualified",
        "accepted",
        "rejected",
        "reasons",
        "converted",
        "opportunities",
        "won",
        "revenue",
        "lost to neglect",
    ];
    let rows = lines.iter().map(|line| {
        vec![
            Cell::text(if line.name.is_empty() { "(none)" } else { &line.name }),
            line.inquiries.into(),
            line.qualified.into(),
            line.accepted.into(),
            Cell::seldom(line.rejected.values().sum()),
            Cell::text(reasons(line)),
            line.converted.into(),
            line.opportunities.into(),
            line.won.into(),
            Cell::Number(line.revenue.sum.to_string()),
            Cell::seldom(line.neglected),
        ]
    });
    let named = |line: &Campaign| if line.name.is_empty() { "(none)".to_owned() } else { line.name.clone() };
    let notes = lines.iter().flat_map(|line| left_out(&named(line), &line.revenue)).collect();
    Table { title: title(report, what), columns, undrawn: &["reasons"], rows: rows.collect(), notes }
}

/// `duplicate 3, student 1`
fn reasons(line: &Campaign) -> String {
    let named = |reason: &str| if reason.is_empty() { "(erased)".to_owned() } else { reason.to_owned() };
    line.rejected.iter().map(|(reason, n)| format!("{} {n}", named(reason))).collect::<Vec<_>>().join(", ")
}
