//! The first slide: what this is, from when it holds, who the parties are, and the way a lead takes between them.

use crate::agreement::Agreement;
use crate::agreement::model::{Party, Stage};
use crate::document::block::{Block, Grid, Text, one_line};
use crate::document::layout::{Columns, Draft, Group, Kind};
use crate::document::words;

pub(super) fn cover(agreement: &Agreement) -> Draft {
    let left = vec![summary(agreement), journey(agreement)];
    Draft {
        kind: Kind::Cover,
        title: one_line(agreement.title.trim()),
        subtitle: subtitle(agreement),
        columns: Columns::Fixed(vec![(0.4, left), (0.6, vec![parties(agreement)])]),
    }
}

/// `Version 2027 first half · in effect from 4 January 2027 · to be reviewed by 30 June 2027`
fn subtitle(agreement: &Agreement) -> String {
    let mut parts = vec![format!("Version {}", one_line(agreement.version.trim()))];
    parts.extend(agreement.effective.map(|day| format!("in effect from {}", words::day(day))));
    parts.extend(agreement.review_by.map(|day| format!("to be reviewed by {}", words::day(day))));
    parts.join(" · ")
}

fn summary(agreement: &Agreement) -> Group {
    let text = agreement.summary.trim();
    let blocks = match text {
        "" => Vec::new(),
        text => vec![Block::heading(3, "Executive summary"), Block::paragraph(text)],
    };
    Group { name: "summary".to_owned(), blocks }
}

/// The waterfall with its handoffs, and the ways out of it.
fn journey(agreement: &Agreement) -> Group {
    let (way, out): (Vec<_>, Vec<_>) = agreement.stages.iter().enumerate().partition(|(_, stage)| stage.in_waterfall());
    let item = |(at, stage): (usize, &Stage)| {
        let handoffs = agreement.handoffs.iter().filter(|handoff| handoff.at == at);
        let to: Vec<String> = handoffs.map(|handoff| words::party(&handoff.to)).collect();
        let passed = if to.is_empty() { String::new() } else { format!(", passed to {}", words::join(&to, "and")) };
        Text::plain(&stage.term).and(passed)
    };
    let items = way.into_iter().map(item).collect();
    let mut blocks = vec![Block::heading(3, "The way of a lead"), Block::List { ordered: true, items }];
    if !out.is_empty() {
        let names: Vec<String> = out.iter().map(|(_, stage)| format!("“{}”", stage.term)).collect();
        blocks.push(Block::paragraph(format!("It may also end as {}.", words::join(&names, "or"))));
    }
    Group { name: "terms of the stages".to_owned(), blocks }
}

fn parties(agreement: &Agreement) -> Group {
    let grid = Grid {
        caption: "The parties".to_owned(),
        head: ["Party", "Signs", "Promises", "Is told at"].map(str::to_owned).to_vec(),
        shares: vec![0.2, 0.25, 0.24, 0.31],
        rows: agreement.parties.iter().map(|party| row(agreement, party)).collect(),
        least: 0.0,
    };
    Group { name: "parties".to_owned(), blocks: vec![Block::heading(3, "The parties"), Block::Table(grid)] }
}

fn row(agreement: &Agreement, party: &Party) -> Vec<Text> {
    let signs = party.signs.as_ref().map_or_else(|| "–".to_owned(), |who| format!("{}, {}", who.name, who.title));
    let mut told: Vec<String> = party.notify.iter().map(|to| words::address(to).to_owned()).collect();
    told.extend(party.manager.iter().map(|to| format!("manager: {}", words::address(to))));
    let told = if told.is_empty() { "–".to_owned() } else { told.join(", ") };
    vec![
        Text::bold(words::capital(&words::party(&party.name))),
        Text::plain(signs),
        Text::plain(promises(agreement, party)),
        Text::plain(told),
    ]
}

/// `3 deadlines, 2 commitments`; what they are stands on the following slides.
fn promises(agreement: &Agreement, party: &Party) -> String {
    let deadlines = agreement.clocks.iter().filter(|clock| clock.party == party.name).count();
    let commitments = agreement.commitments.iter().filter(|commitment| commitment.by == party.name).count();
    let counted = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let said: Vec<String> =
        [counted(deadlines, "deadline"), counted(commitments, "commitment")].into_iter().flatten().collect();
    if said.is_empty() { "–".to_owned() } else { said.join(", ") }
}
