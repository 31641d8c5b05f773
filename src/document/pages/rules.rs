//! What happens by itself and what must be filled in: recycling, nurture, freeze days, mandatory fields.

use super::handoffs::clock;
use super::{Arrangement, On};
use crate::agreement::Agreement;
use crate::agreement::model::{Recycling, Span, StopAbove};
use crate::agreement::span::span_in_words;
use crate::document::block::Block;
use crate::document::layout::Group;
use crate::document::words;
use crate::record::PartyName;

/// What of it stands on a page, by the arrangement. With the promises, mandatory fields are told party by party
/// (`mandatory`), not here.
pub(super) fn on(page: On, agreement: &Agreement, arrangement: Arrangement) -> Vec<Group> {
    let mut groups = Vec::new();
    let said = neglected(agreement);
    if arrangement.neglected == page && !said.is_empty() {
        let blocks = vec![Block::heading(3, "Neglected leads"), Block::list(said)];
        groups.push(Group { name: "recycling and nurture".to_owned(), blocks });
    }
    if arrangement.mandatory == page {
        groups.extend(mandatory(agreement, None, arrangement.pictures));
    }
    groups
}

/// The mandatory fields that a party owes, or all.
pub(super) fn mandatory(agreement: &Agreement, by: Option<&PartyName>, pictures: bool) -> Vec<Group> {
    let owed = agreement.requirements.iter().filter(|requirement| by.is_none_or(|by| *by == requirement.by));
    let mut groups: Vec<Group> =
        owed.map(|requirement| clock(agreement, &agreement.clocks[requirement.clock], pictures)).collect();
    if let Some(first) = groups.first_mut() {
        first.blocks.insert(0, Block::heading(3, "Mandatory fields"));
    }
    groups
}

fn neglected(agreement: &Agreement) -> Vec<String> {
    let mut said: Vec<String> = agreement.recycling.iter().flat_map(recycling).collect();
    said.extend(agreement.nurture.as_ref().map(|nurture| {
        let to = nurture.to.as_ref().map(|to| format!("the lead goes to {}", words::party(to)));
        let set = Some(words::set(&nurture.set)).filter(|set| !set.is_empty());
        let parts: Vec<String> = to.into_iter().chain(set).collect();
        let parts = if parts.is_empty() { "the lead is left as it is".to_owned() } else { words::join(&parts, "and") };
        format!("Nurture: {parts}.")
    }));
    said.extend(agreement.freezes.iter().map(|freeze| {
        let (first, last) = (words::day(freeze.first), words::day(freeze.last));
        let why = freeze.why.trim();
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        let days = if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
        format!("No recycling {days}{why}; clocks go on.")
    }));
    said
}

fn recycling(r: &Recycling) -> Vec<String> {
    let set = if r.set.is_empty() { String::new() } else { format!(": {}", words::set(&r.set)) };
    let told = if r.quiet { "Nobody is told." } else { "The former owner and the receiver are told." };
    let mut said = vec![format!("A recycled lead goes back to {}{set}. {told}", words::party(&r.to))];
    said.extend(r.at_most.map(|cap| {
        let then = if cap.then_nurture { "then it goes to nurture" } else { "then it stays where it is" };
        let times = if cap.times == 1 { "once".to_owned() } else { format!("{} times", cap.times) };
        format!("At most {times} within {}, {then}.", span_in_words(Span::Elapsed(cap.within)))
    }));
    said.extend(r.exclude.as_ref().map(|exclude| format!("Never where {}.", exclude.sentence())));
    if r.spare.as_millis() > 0 {
        let spare = span_in_words(Span::Elapsed(r.spare));
        said.push(format!("Whoever touches a lead after its deadline keeps it for {spare} more, once."));
    }
    said.push(breaker(&r.stop_above));
    said.extend(r.pace.and_then(|pace| {
        let minute = pace.per_minute.map(|n| format!("{n} a minute"));
        let owner = pace.per_owner_and_day.map(|n| format!("{n} per owner and day"));
        let parts: Vec<String> = [minute, owner].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("No faster than {}.", words::join(&parts, "and")))
    }));
    said
}

fn breaker(stop: &StopAbove) -> String {
    format!(
        "Above {} leads, {} of the open ones or {} of one owner's within {}, recycling waits for a person.",
        stop.count,
        words::percent(stop.share_of_open),
        words::percent(stop.share_of_owner),
        span_in_words(Span::Elapsed(stop.within))
    )
}
