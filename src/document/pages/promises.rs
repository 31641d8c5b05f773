//! The fourth slide: what each side promises over a period, facing each other.

use super::{Arrangement, On, rules};
use crate::agreement::Agreement;
use crate::agreement::model::{Commitment, Target};
use crate::document::block::{Block, Grid, Text};
use crate::document::layout::{Columns, Draft, Group, Kind};
use crate::document::words;
use crate::record::PartyName;

/// Who hands over first stands on the left, everybody else on the right. `None`: nothing is promised.
pub(super) fn promises(agreement: &Agreement, arrangement: Arrangement) -> Option<Draft> {
    if agreement.commitments.is_empty() {
        return None;
    }
    let first = agreement.handoffs.first().map(|handoff| &handoff.from);
    let first = first.or(agreement.parties.first().map(|party| &party.name));
    let others: Vec<&PartyName> =
        agreement.parties.iter().map(|p| &p.name).filter(|name| Some(*name) != first).collect();
    Some(Draft {
        kind: Kind::Slide,
        title: "What each side promises".to_owned(),
        subtitle: String::new(),
        columns: Columns::Fixed(vec![
            (1.0, side(agreement, arrangement, first.as_slice())),
            (1.0, side(agreement, arrangement, &others)),
        ]),
    })
}

fn side(agreement: &Agreement, arrangement: Arrangement, parties: &[&PartyName]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for party in parties {
        groups.extend(of_party(agreement, party));
        if arrangement.mandatory == On::Promises {
            groups.extend(rules::mandatory(agreement, Some(party), arrangement.pictures));
        }
    }
    if !groups.is_empty() || parties.is_empty() {
        return groups;
    }
    let names: Vec<String> = parties.iter().map(|party| words::party(party)).collect();
    let heading = Block::heading(3, words::capital(&words::join(&names, "and")));
    let blocks = vec![heading, Block::paragraph("Nothing is measured over a period.")];
    vec![Group { name: "commitments".to_owned(), blocks }]
}

fn of_party(agreement: &Agreement, party: &PartyName) -> Option<Group> {
    let rows: Vec<Vec<Text>> =
        agreement.commitments.iter().filter(|c| &c.by == party).map(|c| row(agreement, c)).collect();
    if rows.is_empty() {
        return None;
    }
    let title = format!("{} promises", words::capital(&words::party(party)));
    let grid = Grid {
        caption: title.clone(),
        head: ["Commitment", "To", "Target"].map(str::to_owned).to_vec(),
        shares: vec![0.58, 0.17, 0.25],
        rows,
        least: 0.0,
    };
    Some(Group { name: title.clone(), blocks: vec![Block::heading(3, title), Block::Table(grid)] })
}

fn row(agreement: &Agreement, commitment: &Commitment) -> Vec<Text> {
    let credit = commitment.credit.as_deref().map_or(String::new(), |credit| format!(" {}", credit.trim()));
    let measured = words::measure(agreement, &commitment.measure);
    let each = format!("each {}", words::period(commitment.period));
    let target = match commitment.target {
        Target::Yes => each,
        target => format!("{} {each}", words::target(target)),
    };
    vec![
        Text::bold(&commitment.name).and(format!(". {measured}.{credit}")),
        Text::plain(words::party(&commitment.to)),
        Text::plain(target),
    ]
}
