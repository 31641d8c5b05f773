//! The last page: who signs, for whom, and exactly which version.

use crate::agreement::Agreement;
use crate::agreement::model::Signatory;
use crate::document::Signed;
use crate::document::block::{Block, Grid, Text};
use crate::document::layout::{Columns, Draft, Group, Kind};
use crate::document::words;
use crate::record::PartyName;

/// High enough for a pen.
const ROW: f64 = 58.0;

pub(super) fn signatures(agreement: &Agreement, signed: &[Signed]) -> Draft {
    let blocks = [version(agreement), statement(agreement), table(agreement, signed)].concat();
    let group = Group { name: "signatories".to_owned(), blocks };
    Draft {
        kind: Kind::Signatures,
        title: "Signatures".to_owned(),
        subtitle: String::new(),
        columns: Columns::Fixed(vec![(1.0, vec![group])]),
    }
}

fn statement(agreement: &Agreement) -> Vec<Block> {
    let text = if agreement.parties.iter().any(|party| party.signs.is_some()) {
        "We have read this agreement. What it says is what is measured and enforced, on both sides."
    } else {
        "This agreement names nobody who signs it."
    };
    vec![Block::heading(3, "Who signs"), Block::paragraph(text)]
}

fn table(agreement: &Agreement, signed: &[Signed]) -> Vec<Block> {
    let named = agreement.parties.iter().filter_map(|party| Some((&party.name, party.signs.as_ref()?)));
    let mut rows: Vec<Vec<Text>> = named.map(|(party, who)| row(agreement, party, who, signed)).collect();
    // Whoever signed without being named, such as a predecessor, did sign.
    let is_named = |s: &Signed| {
        agreement.parties.iter().any(|p| p.name == s.party && p.signs.as_ref().is_some_and(|w| w.name == s.name))
    };
    rows.extend(signed.iter().filter(|s| !is_named(s)).map(|s| given(agreement, s)));
    if rows.is_empty() {
        return Vec::new();
    }
    vec![Block::Table(Grid {
        caption: "Signatures".to_owned(),
        head: ["For", "Name and title", "Signature", "Date"].map(str::to_owned).to_vec(),
        shares: vec![0.15, 0.37, 0.3, 0.18],
        rows,
        least: ROW,
    })]
}

fn row(agreement: &Agreement, party: &PartyName, who: &Signatory, signed: &[Signed]) -> Vec<Text> {
    if let Some(signed) = signed.iter().find(|s| &s.party == party && s.name == who.name) {
        return given(agreement, signed);
    }
    let name = Text::bold(&who.name).and(format!(", {}", who.title));
    vec![Text::plain(words::capital(&words::party(party))), name, Text::plain(""), Text::plain("")]
}

fn given(agreement: &Agreement, signed: &Signed) -> Vec<Text> {
    vec![
        Text::plain(words::capital(&words::party(&signed.party))),
        Text::bold(&signed.name).and(format!(", {}", signed.title)),
        Text::plain("Signed electronically"),
        Text::plain(signed.signed_at.in_zone(&agreement.zone_of(Some(&signed.party)))),
    ]
}

/// What the signatures are under.
fn version(agreement: &Agreement) -> Vec<Block> {
    vec![
        Block::heading(3, "What is signed"),
        Block::Paragraph(Text::bold(&agreement.title).and(format!(", version {}.", agreement.version))),
        Block::paragraph(format!("SHA-256 of the agreement: {}", agreement.hash)),
        Block::paragraph("The same words give the same SHA-256; whoever changes a word changes it."),
    ]
}
