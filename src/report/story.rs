//! One record's story: its facts in the order in which they happened, each as a sentence with the
//! terms that decided. What was withdrawn later is marked, not left out; where only whose it was
//! turned out to be another, the corrected line alone is shown. The sentences themselves are in
//! `words.rs`.

use super::words;
use crate::agreement::Agreement;
use crate::agreement::predicate::Term;
use crate::record::{Fact, FactKind, OwnerId, Timestamp};
use jiff::tz::TimeZone;

/// A fact as the journal has it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub fact: &'a Fact,
    /// When it was journalled.
    pub seen_at: Timestamp,
}

/// What the sentences need to know beside the facts.
pub struct Reader<'a> {
    pub agreement: &'a Agreement,
    /// Times are told in it.
    pub zone: &'a TimeZone,
    /// The name of an owner, if it is known.
    pub name_of: &'a dyn Fn(&OwnerId) -> Option<String>,
}

/// One line of the story.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub at: Timestamp,
    pub seen_at: Timestamp,
    pub kind: FactKind,
    /// The clock, requirement or handoff concerned; empty when none is.
    pub source: String,
    pub text: String,
    /// The terms of the condition that decided, with the values seen.
    pub terms: Vec<Term>,
    /// It turned out later that this did not happen.
    pub withdrawn: bool,
    /// Which of the facts that the story was told of.
    pub place: usize,
}

/// The story of the record whose facts these are; `facts` in the order of the journal.
pub fn story(reader: &Reader<'_>, facts: &[Told<'_>]) -> Vec<Line> {
    let (struck, corrected) = (withdrawn(facts), corrected(facts));
    let tell = |(place, (told, withdrawn)): (usize, (&Told<'_>, bool))| Line {
        at: told.fact.at,
        seen_at: told.seen_at,
        kind: told.fact.kind,
        source: told.fact.source.to_string(),
        text: words::sentence(reader, told.fact),
        terms: terms(told.fact),
        withdrawn,
        place,
    };
    let shown = facts.iter().zip(struck).enumerate().zip(corrected).filter(|(_, corrected)| !corrected);
    let mut lines: Vec<Line> = shown.map(|(line, _)| tell(line)).collect();
    lines.sort_by_key(|line| line.at);
    lines
}

/// Which of these facts a later one takes back. A fact that came again afterwards stands.
pub fn withdrawn(facts: &[Told<'_>]) -> Vec<bool> {
    let mut struck = vec![false; facts.len()];
    for (_, taken) in taken_back(facts) {
        struck[taken] = true;
    }
    struck
}

/// Each withdrawal with the fact that it takes back, by their places.
fn taken_back(facts: &[Told<'_>]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (i, told) in facts.iter().enumerate().filter(|(_, t)| t.fact.kind == FactKind::Withdrawn) {
        let back = told.fact;
        let same = |fact: &Fact| fact.owner == back.owner && fact.party == back.party && fact.stage == back.stage;
        let meant = |j: &usize| is_meant(back, facts[*j].fact) && pairs.iter().all(|(_, taken)| taken != j);
        let exact = (0..i).rev().find(|j| meant(j) && same(facts[*j].fact));
        pairs.extend(exact.or_else(|| (0..i).rev().find(meant)).map(|taken| (i, taken)));
    }
    pairs
}

/// Withdrawals that the same fact follows at once, with another owner, party or stage, and the facts
/// that they correct.
fn corrected(facts: &[Told<'_>]) -> Vec<bool> {
    let mut hidden = vec![false; facts.len()];
    let mut used = vec![false; facts.len()];
    for (i, taken) in taken_back(facts) {
        let again = |j: &usize| facts[*j].seen_at == facts[i].seen_at && is_meant(facts[i].fact, facts[*j].fact);
        if let Some(again) = (i + 1..facts.len()).find(|j| !used[*j] && again(j)) {
            used[again] = true;
            (hidden[i], hidden[taken]) = (true, true);
        }
    }
    hidden
}

/// Whether the withdrawal speaks of this fact.
fn is_meant(withdrawal: &Fact, fact: &Fact) -> bool {
    fact.at == withdrawal.at && fact.key() == *withdrawal.item
}

/// None where the fact has none, or its values were erased.
fn terms(fact: &Fact) -> Vec<Term> {
    let terms = fact.detail.get("terms").filter(|terms| terms.is_array());
    terms.and_then(|terms| serde_json::from_value(terms.clone()).ok()).unwrap_or_default()
}
