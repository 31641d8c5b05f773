//! The third slide: what is passed to whom, by which definition, and the clocks that then run.

use super::{Arrangement, On, rules};
use crate::agreement::Agreement;
use crate::agreement::model::{Clock, ClockOf, Handoff, StepAt, Until};
use crate::agreement::span::span_in_words;
use crate::chart::{Moment, Timeline};
use crate::document::block::{Block, Text};
use crate::document::layout::{Columns, Draft, Group, Kind};
use crate::document::words;

pub(super) fn handoffs(agreement: &Agreement, arrangement: Arrangement) -> Draft {
    let mut groups: Vec<Group> = Vec::new();
    for handoff in &agreement.handoffs {
        groups.push(definition(agreement, handoff));
        groups.extend(handoff.clocks.iter().map(|at| clock(agreement, &agreement.clocks[*at], arrangement.pictures)));
    }
    if agreement.handoffs.is_empty() {
        let blocks = vec![Block::paragraph("Nothing is handed over.")];
        groups.push(Group { name: "handoffs".to_owned(), blocks });
    }
    groups.extend(rules::on(On::Handoffs, agreement, arrangement));
    Draft {
        kind: Kind::Slide,
        title: "Handoffs and response times".to_owned(),
        subtitle: String::new(),
        columns: Columns::Flow(&[2, 3], groups),
    }
}

fn definition(agreement: &Agreement, handoff: &Handoff) -> Group {
    let stage = &agreement.stages[handoff.at];
    let (from, to) = (words::party(&handoff.from), words::party(&handoff.to));
    let mut blocks = vec![
        Block::heading(3, &*handoff.name),
        Block::paragraph(format!("From {from} to {to}, when a {} becomes “{}”.", stage.of.as_str(), stage.term)),
    ];
    let mut items = Vec::new();
    items.extend(handoff.definition.as_ref().map(|d| Text::bold("Definition: ").and(format!("{}.", d.sentence()))));
    if !handoff.requires.is_empty() {
        items.push(Text::bold("Must be filled: ").and(format!("{}.", words::fields(&handoff.requires))));
    }
    items.extend(handoff.reject.as_ref().map(|reject| {
        let reasons = words::join(&reject.allowed, "or");
        Text::bold("May be rejected for: ").and(format!("{reasons} (in {}).", words::field(reject.reason)))
    }));
    items.extend(answers(handoff));
    if !items.is_empty() {
        blocks.push(Block::List { ordered: false, items });
    }
    Group { name: handoff.name.to_string(), blocks }
}

/// What an answer from Slack or an e-mail writes, where the agreement says so itself.
fn answers(handoff: &Handoff) -> Vec<Text> {
    let reject = handoff.reject.as_ref().map(|reject| ("Rejecting from a message: ", &reject.writes));
    let all = [Some(("Accepting from a message: ", &handoff.accept)), reject];
    let said = all.into_iter().flatten().filter(|(_, written)| written.is_said);
    said.map(|(label, written)| {
        let sets = if written.set.is_empty() { "not offered".to_owned() } else { words::set(&written.set) };
        Text::bold(label).and(format!("{sets}."))
    })
    .collect()
}

/// A clock: who owes what until when, and what happens on the way.
pub(super) fn clock(agreement: &Agreement, clock: &Clock, pictures: bool) -> Group {
    let owes = format!("{}: {} within {}", clock.name, words::party(&clock.party), span_in_words(clock.within));
    let mut blocks = vec![Block::heading(4, owes), Block::paragraph(sentences(agreement, clock).join(" "))];
    if !clock.steps.is_empty() {
        if pictures {
            blocks.push(Block::Timeline(timeline(agreement, clock)));
        }
        blocks.push(steps(agreement, clock));
    }
    Group { name: clock.name.to_string(), blocks }
}

/// When it ends, stands still, begins anew.
fn sentences(agreement: &Agreement, clock: &Clock) -> Vec<String> {
    let mut said = Vec::new();
    match (&clock.until, clock.of) {
        (Until::Condition(until), ClockOf::Handoff(handoff)) => {
            let rejected =
                if agreement.handoffs[handoff].reject.is_some() { "; or it is rejected as agreed" } else { "" };
            said.push(format!("Done when: {}{rejected}.", until.sentence()));
        }
        (Until::Condition(until), ClockOf::Requirement(_)) => said.push(format!("Done when: {}.", until.sentence())),
        (Until::Filled(fields), _) => {
            let since = &agreement.stages[clock.starts_at].term;
            let verb = if fields.len() == 1 { "is" } else { "are" };
            said.push(format!("From “{since}” on, until {} {verb} filled.", words::fields(fields)));
        }
    }
    said.extend(clock.pauses.as_ref().map(|pauses| format!("Stands still while: {}.", pauses.sentence())));
    said.extend(clock.cancels.as_ref().map(|cancels| format!("Falls away when: {}.", cancels.sentence())));
    match (clock.restarts_on_owner, clock.restarts_on_touch) {
        (true, true) => said.push("Begins anew with each new owner and each touch.".to_owned()),
        (true, false) => said.push("Begins anew with a new owner.".to_owned()),
        (false, true) => said.push("Begins anew with each touch.".to_owned()),
        (false, false) => {}
    }
    if let Some(calendar) = clock.calendar.filter(|calendar| Some(*calendar) != agreement.calendar) {
        said.push(format!("Counted by the calendar “{}”.", agreement.calendars[calendar].name));
    }
    said
}

fn steps(agreement: &Agreement, clock: &Clock) -> Block {
    let item = |step: &crate::agreement::model::Step| {
        let does = words::step_does(agreement, step, &clock.party, clock.object.as_str());
        Text::bold(words::capital(&words::step_at(step.at))).and(format!(": {does}."))
    };
    Block::List { ordered: false, items: clock.steps.iter().map(item).collect() }
}

fn timeline(agreement: &Agreement, clock: &Clock) -> Timeline {
    let start = Moment {
        at: 0.0,
        label: "start".to_owned(),
        when: "at the start".to_owned(),
        what: "the clock begins".to_owned(),
    };
    let due = Moment {
        at: 1.0,
        label: "due".to_owned(),
        when: "at the deadline".to_owned(),
        what: "the promise is missed".to_owned(),
    };
    let step = |step: &crate::agreement::model::Step| Moment {
        at: words::position(step.at, clock.within),
        label: words::short(step.at),
        when: words::step_at(step.at),
        what: words::step_does(agreement, step, &clock.party, clock.object.as_str()),
    };
    let mut moments: Vec<Moment> = std::iter::once(start).chain(clock.steps.iter().map(step)).collect();
    if !clock.steps.iter().any(|step| step.at == StepAt::Due) {
        moments.push(due);
    }
    moments.sort_by(|a, b| a.at.total_cmp(&b.at));
    Timeline { title: format!("{}: what happens when", clock.name), moments }
}
