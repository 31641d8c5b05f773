//! One record's story: its facts in the order in which they happened, each as a sentence with the
//! terms that decided. What was withdrawn later is marked, not left out. The sentences themselves
//! are in `words.rs`.

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
}

/// The story of the record whose facts these are; `facts` in the order of the journal.
pub fn story(reader: &Reader<'_>, facts: &[Told<'_>]) -> Vec<Line> {
    let struck = withdrawn(facts);
    let tell = |(told, withdrawn): (&Told<'_>, bool)| Line {
        at: told.fact.at,
        seen_at: told.seen_at,
        kind: told.fact.kind,
        source: told.fact.source.to_string(),
        text: words::sentence(reader, told.fact),
        terms: terms(told.fact),
        withdrawn,
    };
    let mut lines: Vec<Line> = facts.iter().zip(struck).map(tell).collect();
    lines.sort_by_key(|line| line.at);
    lines
}

/// Which of these facts a later one takes back. A fact that came again afterwards stands.
pub fn withdrawn(facts: &[Told<'_>]) -> Vec<bool> {
    let mut struck = vec![false; facts.len()];
    for (i, told) in facts.iter().enumerate().filter(|(_, t)| t.fact.kind == FactKind::Withdrawn) {
        let meant = |fact: &Fact| fact.at == told.fact.at && fact.key() == *told.fact.item;
        if let Some(earlier) = (0..i).rev().find(|j| !struck[*j] && meant(facts[*j].fact)) {
            struck[earlier] = true;
        }
    }
    struck
}

/// None where the fact has none, or its values were erased.
fn terms(fact: &Fact) -> Vec<Term> {
    let terms = fact.detail.get("terms").filter(|terms| terms.is_array());
    terms.and_then(|terms| serde_json::from_value(terms.clone()).ok()).unwrap_or_default()
}
