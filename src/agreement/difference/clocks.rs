//! Clocks of handoffs and of mandatory fields: what meets them, how long they run, what stops them.

use super::condition::Called;
use super::deadline::Length;
use super::pair::{Bears, Pair};
use super::{Line, Verdict, Way, steps, words};
use crate::agreement::model::{Agreement, Clock, Until};
use crate::agreement::predicate::Predicate;
use crate::agreement::span::span_in_words;
use serde_json::Value;

/// A clock in its version, and its table in the file.
#[derive(Clone, Copy)]
pub(super) struct Owed<'a> {
    pub agreement: &'a Agreement,
    pub clock: &'a Clock,
    pub table: &'a Value,
}

pub(super) fn added(clock: &Clock) -> Line {
    Line { text: format!("{} is new: {}", clock.name, promise(clock)), verdict: verdict(clock, Way::Stricter) }
}

pub(super) fn gone(clock: &Clock) -> Line {
    Line { text: format!("{} is gone: {}", clock.name, promise(clock)), verdict: verdict(clock, Way::Looser) }
}

fn verdict(clock: &Clock, way: Way) -> Option<Verdict> {
    Some(Verdict { way, party: words::party(&clock.party) })
}

fn promise(clock: &Clock) -> String {
    let what = match &clock.until {
        Until::Condition(until) => format!("met when {}", until.sentence()),
        Until::Filled(fields) => {
            format!("{} filled in", words::listed(&fields.iter().map(words::field).collect::<Vec<_>>()))
        }
    };
    format!("{what}, within {}", span_in_words(clock.within))
}

/// The clock of a handoff.
pub(super) fn clock(old: Owed<'_>, new: Owed<'_>) -> Vec<Line> {
    let (was, is) = (old.clock, new.clock);
    let mut pair = Pair::new(&*is.name, old.table, new.table);
    pair.name(&was.name, &is.name);
    let called = Called { label: "met when", noun: "meeting it" };
    pair.condition("until", called, until(was), until(is), Some(Bears::stricter(&is.party)));
    common(&mut pair, old, new);
    pair.list("restarts_on", "starts anew with", &restarts(was), &restarts(is), Some(Bears::looser(&is.party)));
    pair.finish()
}

fn until(clock: &Clock) -> Option<&Predicate> {
    match &clock.until {
        Until::Condition(until) => Some(until),
        Until::Filled(_) => None,
    }
}

fn restarts(clock: &Clock) -> Vec<String> {
    let both = [(clock.restarts_on_owner, "a new owner"), (clock.restarts_on_touch, "each touch")];
    both.into_iter().filter(|(does, _)| *does).map(|(_, what)| what.to_owned()).collect()
}

/// What clocks of handoffs and of requirements have in common.
pub(super) fn common(pair: &mut Pair<'_>, old: Owed<'_>, new: Owed<'_>) {
    let (was, is) = (old.clock, new.clock);
    // Both on the new calendar: what a changed calendar does is told there.
    let calendar = new.agreement.calendar_of(is);
    let length = |clock: &Clock| Length { span: clock.within, calendar };
    pair.length("within", "due after", length(was), length(is), &is.party);
    let calendar = |owed: Owed<'_>| owed.clock.calendar.map(|i| words::quoted(&owed.agreement.calendars[i].name));
    pair.text("calendar", "counted on the calendar", calendar(old), calendar(new));
    // To stand still at all helps whoever owes; to ask more before it does is stricter.
    let halts = Bears { on: &is.party, appears: Way::Looser, more: Way::Stricter };
    let called = Called { label: "stands still while", noun: "standing still" };
    pair.condition("pauses", called, was.pauses.as_ref(), is.pauses.as_ref(), Some(halts));
    let called = Called { label: "cancelled when", noun: "cancelling it" };
    pair.condition("cancels", called, was.cancels.as_ref(), is.cancels.as_ref(), Some(halts));
    pair.tell("steps", steps::lines(old, new));
}
