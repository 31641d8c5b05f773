//! Handoffs with their definitions, and mandatory fields. Their clocks are told in `clocks`.

use super::clocks::{self, Owed};
use super::condition::Called;
use super::meet::{Met, meet, named, order};
use super::pair::{Bears, Pair};
use super::{Line, Version, Versions, words};
use crate::agreement::model::{Agreement, Handoff, Rejection, Requirement, Written};
use crate::agreement::span::span_in_words;
use serde_json::Value;

pub(super) fn handoffs(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (named(&v.old.document["handoff"]), named(&v.new.document["handoff"]));
    let (was, is) = (&v.old.agreement.handoffs, &v.new.agreement.handoffs);
    let mut lines = Vec::new();
    for met in meet(&old, &new) {
        match met {
            Met::New(j) => {
                lines.push(Line::plain(format!("{} is new: {}", is[j].name, passes(v.new.agreement, &is[j]))));
                let clocks = is[j].clocks.iter().map(|clock| &v.new.agreement.clocks[*clock]);
                lines.extend(clocks.map(clocks::added));
            }
            Met::Gone(i) => {
                lines.push(Line::plain(format!("{} is gone: {}", was[i].name, passes(v.old.agreement, &was[i]))));
                let clocks = was[i].clocks.iter().map(|clock| &v.old.agreement.clocks[*clock]);
                lines.extend(clocks.map(clocks::gone));
            }
            Met::Both(i, j) => {
                lines.extend(handoff(v, (&was[i], old[i].1), (&is[j], new[j].1)));
                lines.extend(clocks_of(v, (&was[i], old[i].1), (&is[j], new[j].1)));
            }
        }
    }
    lines.extend(order("handoffs", &old, &new));
    lines
}

fn passes(agreement: &Agreement, handoff: &Handoff) -> String {
    let (from, to) = (words::party(&handoff.from), words::party(&handoff.to));
    format!("{from} hands over to {to} at {}", agreement.stages[handoff.at].name)
}

type Side<'a> = (&'a Handoff, &'a Value);

fn handoff(v: Versions<'_>, (was, old): Side<'_>, (is, new): Side<'_>) -> Vec<Line> {
    let mut pair = Pair::new(&*is.name, old, new);
    pair.name(&was.name, &is.name);
    pair.text("from", "handed over by", Some(words::party(&was.from)), Some(words::party(&is.from)));
    pair.text("to", "handed over to", Some(words::party(&was.to)), Some(words::party(&is.to)));
    let at = |version: Version<'_>, h: &Handoff| Some(version.agreement.stages[h.at].name.to_string());
    pair.text("at", "handed over at", at(v.old, was), at(v.new, is));
    // The other word for the same key.
    pair.tell("on", vec![]);
    let called = Called { label: "defined as", noun: "the definition" };
    let bears = Some(Bears::stricter(&is.from));
    pair.condition("definition", called, was.definition.as_ref(), is.definition.as_ref(), bears);
    let required = |h: &Handoff| -> Vec<String> { h.requires.iter().map(words::field).collect() };
    pair.list("requires", "required fields", &required(was), &required(is), Some(Bears::stricter(&is.from)));
    pair.tell("reject", rejection(v, (was, is)));
    pair.list("accept", "accepting from a message sets", &said(&was.accept), &said(&is.accept), None);
    let snooze = |h: &Handoff| Some(span_in_words(h.snooze));
    pair.text("snooze", "a notice is put off on request by", snooze(was), snooze(is));
    pair.leave("clock");
    pair.finish()
}

fn rejection(v: Versions<'_>, (was, is): (&Handoff, &Handoff)) -> Vec<Line> {
    let bears = Bears::looser(&is.to);
    let reasons = |r: &Rejection| -> Vec<String> { r.allowed.iter().map(|reason| words::quoted(reason)).collect() };
    match (&was.reject, &is.reject) {
        (None, None) => vec![],
        (None, Some(new)) => {
            let text = format!("may now be rejected for these reasons: {}", words::listed(&reasons(new)));
            vec![Line { text, verdict: Some(bears.verdict(bears.more)) }]
        }
        (Some(old), None) => {
            let text = format!("may no longer be rejected; it could be for {}", words::listed(&reasons(old)));
            vec![Line { text, verdict: Some(bears.verdict(bears.more.reverse())) }]
        }
        (Some(old), Some(new)) => {
            let stage = |version: Version<'_>, r: &Rejection| Some(version.agreement.stages[r.stage].name.to_string());
            let mut lines: Vec<Line> = [
                super::pair::change("rejected at", stage(v.old, old), stage(v.new, new)),
                super::pair::change(
                    "the reason stands in",
                    Some(words::field(&old.reason)),
                    Some(words::field(&new.reason)),
                ),
            ]
            .into_iter()
            .flatten()
            .map(Line::plain)
            .collect();
            let label = "rejecting from a message sets";
            lines.extend(super::pair::list(label, &said(&old.writes), &said(&new.writes), None));
            lines.extend(super::pair::list("reasons to reject", &reasons(old), &reasons(new), Some(bears)));
            lines
        }
    }
}

/// What an answer writes by the agreement's own words; what follows from a stage is told with the stage.
fn said(written: &Written) -> Vec<String> {
    if written.is_said { words::values(&written.set) } else { Vec::new() }
}

fn clocks_of(v: Versions<'_>, (was, old): Side<'_>, (is, new): Side<'_>) -> Vec<Line> {
    let (old_tables, new_tables) = (named(&old["clock"]), named(&new["clock"]));
    let (a, b) = (v.old.agreement, v.new.agreement);
    let mut lines = Vec::new();
    for met in meet(&old_tables, &new_tables) {
        match met {
            Met::New(j) => lines.push(clocks::added(&b.clocks[is.clocks[j]])),
            Met::Gone(i) => lines.push(clocks::gone(&a.clocks[was.clocks[i]])),
            Met::Both(i, j) => lines.extend(clocks::clock(
                Owed { agreement: a, clock: &a.clocks[was.clocks[i]], table: old_tables[i].1 },
                Owed { agreement: b, clock: &b.clocks[is.clocks[j]], table: new_tables[j].1 },
            )),
        }
    }
    lines.extend(order(&format!("clocks of {}", is.name), &old_tables, &new_tables));
    lines
}

pub(super) fn requirements(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (named(&v.old.document["requirement"]), named(&v.new.document["requirement"]));
    let (a, b) = (v.old.agreement, v.new.agreement);
    let mut lines = Vec::new();
    for met in meet(&old, &new) {
        match met {
            Met::New(j) => lines.push(clocks::added(&b.clocks[b.requirements[j].clock])),
            Met::Gone(i) => lines.push(clocks::gone(&a.clocks[a.requirements[i].clock])),
            Met::Both(i, j) => {
                lines.extend(requirement((a, &a.requirements[i], old[i].1), (b, &b.requirements[j], new[j].1)))
            }
        }
    }
    lines.extend(order("mandatory fields", &old, &new));
    lines
}

type Mandatory<'a> = (&'a Agreement, &'a Requirement, &'a Value);

fn requirement((a, was, old): Mandatory<'_>, (b, is, new): Mandatory<'_>) -> Vec<Line> {
    let mut pair = Pair::new(&*is.name, old, new);
    pair.name(&was.name, &is.name);
    pair.text("by", "filled in by", Some(words::party(&was.by)), Some(words::party(&is.by)));
    let since = |a: &Agreement, r: &Requirement| Some(a.stages[r.since].name.to_string());
    pair.text("since", "mandatory since", since(a, was), since(b, is));
    let fields = |r: &Requirement| -> Vec<String> { r.fields.iter().map(words::field).collect() };
    pair.list("fields", "fields", &fields(was), &fields(is), Some(Bears::stricter(&is.by)));
    clocks::common(
        &mut pair,
        Owed { agreement: a, clock: &a.clocks[was.clock], table: old },
        Owed { agreement: b, clock: &b.clocks[is.clock], table: new },
    );
    pair.finish()
}
