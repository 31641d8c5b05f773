//! Late changes: a record's history folded anew, with everything in its place, and what differs
//! from what was journalled. Decisions on what comes in order are in `decide`.

use super::decide::{Decision, issued};
use super::echo::{forget_old_writes, join, without_echoes};
use super::fold::Fold;
use super::model::Agreement;
use super::standing::{OwnWrite, Standing};
use crate::record::change::FieldValues;
use crate::record::{Actor, Change, Fact, FactKind, FieldName, OwnerId, Timestamp, What};
use serde_json::Map;
use std::collections::HashMap;

/// Whether a change is older than what the standing has looked at (or as old), so that the
/// record's history must be folded anew: see [`refold`]. What says nothing new is not late, nor is
/// what happened under an earlier version of the agreement: `decide` knows what to do with these.
pub fn is_late(standing: &Standing, change: &Change) -> bool {
    let under_earlier_terms = standing.base.as_ref().is_some_and(|b| change.at <= b.folded_to);
    change.at <= standing.folded_to && !under_earlier_terms && !is_known(standing, change)
}

/// Whether an old change says only what the standing knows: not by a guess, not since later.
pub(super) fn is_known(standing: &Standing, change: &Change) -> bool {
    let knows = |values: &FieldValues| {
        values.iter().all(|(name, value)| {
            standing.fields.get(*name) == value && standing.fields.field(*name).is_none_or(|f| f.at <= change.at)
        })
    };
    match &change.what {
        // When a read revealed something it was guessed; an event from before it tells exactly. And
        // what happened at the very moment may be another change than the one that we know.
        What::Fields(values) => {
            let since_read = standing.last_read.is_none_or(|r| r.at < change.at);
            let said = without_echoes(&standing.own_writes, values, change.at, &change.by);
            let earlier = |(name, _): &(FieldName, _)| standing.fields.field(*name).is_none_or(|f| f.at < change.at);
            since_read && knows(&said) && said.iter().all(earlier)
        }
        What::Read(reading) => {
            let same = |r: super::standing::ReadMark| r.at == change.at && r.modified == reading.modified;
            standing.last_read.is_some_and(same) && !reading.import && knows(&reading.values)
        }
        What::Deleted | What::Restored | What::Merged { .. } | What::Wrote { .. } => false,
    }
}

/// Folds a record's whole history anew, with late changes in their places.
///
/// `previous` is the standing so far, for what history cannot tell (steps fired, writes in flight).
/// `history` is all entries of the record in any order, with the late change, which the caller
/// stores itself: the decision's own `history` is empty. `journalled` is all facts of the record so
/// far, in the journal's order. Answers only the difference: facts that are new, and a `withdrawn`
/// for each that turns out not to have happened.
///
/// A standing that another version of the agreement decided last is to see this version first
/// (`decide` with `Input::Woke`), else its late changes are lost.
pub fn refold(
    agreement: &Agreement,
    previous: Standing,
    history: Vec<Change>,
    journalled: &[Fact],
    now: Timestamp,
) -> Decision {
    let before = issued(&previous);
    let mut adopting = Fold::new(agreement, previous);
    adopting.adopt(now);
    let (previous, mut facts) = (adopting.standing, adopting.facts);
    let mut fold = Fold::new(agreement, begin(agreement, &previous));
    fold.is_refold = true;
    fold.standing.own_writes = known_writes(&previous, &history);
    let from = previous.base.as_ref().map_or(Timestamp::MIN, |b| b.folded_to);
    let (history, doubtful) = merged(history, from, &fold.standing.own_writes);
    for change in history {
        fold.change(&change);
    }
    fold.advance(now);
    // Two values of one moment: only a read made since tells which it was.
    fold.doubt = doubtful.is_some_and(|at| fold.standing.last_read.is_none_or(|r| r.at < at));
    carry_over(&mut fold.standing, previous);
    fold.standing.reading &= !fold.doubt;
    facts.extend(difference(std::mem::take(&mut fold.facts), journalled, from));
    fold.facts = facts;
    fold.finish(Vec::new(), &before, now)
}

/// Where folding begins: at the beginning, or when this version of the agreement was adopted.
fn begin(agreement: &Agreement, previous: &Standing) -> Standing {
    let base = previous.base.as_ref();
    let mut standing = base.map_or_else(|| Standing::new(previous.key.clone()), |b| (**b).clone());
    standing.agreement = agreement.hash.clone();
    standing.base = previous.base.clone();
    standing
}

/// Our writes by history, and those still in flight.
fn known_writes(previous: &Standing, history: &[Change]) -> Vec<OwnWrite> {
    let in_flight = previous.own_writes.iter().filter(|w| w.until.is_none()).cloned();
    landed_writes(history).into_iter().chain(in_flight).collect()
}

/// Our writes by history.
pub(super) fn landed_writes(history: &[Change]) -> Vec<OwnWrite> {
    let landed = history.iter().filter_map(|c| match &c.what {
        What::Wrote { effect, values, since, .. } => {
            Some(OwnWrite { effect: effect.clone(), values: values.clone(), since: *since, until: Some(c.at) })
        }
        _ => None,
    });
    landed.collect()
}

/// In the order of their times, each once and without echoes of our writes; what one actor did at one
/// moment is one change. Also the latest moment for which two events claim different values.
pub(super) fn merged(
    mut history: Vec<Change>,
    from: Timestamp,
    writes: &[OwnWrite],
) -> (Vec<Change>, Option<Timestamp>) {
    history.retain(|c| c.at > from);
    history.sort();
    history.dedup();
    for Change { at, what, by } in &mut history {
        if let What::Fields(values) = what {
            *values = without_echoes(writes, values, *at, by);
        }
    }
    let mut doubtful = None;
    let mut merged: Vec<Change> = Vec::with_capacity(history.len());
    let is_event = |change: &Change| matches!(change.what, What::Fields(_));
    for moment in history.chunk_by(|a, b| a.at == b.at && is_event(a) && is_event(b)) {
        if let [one] = moment {
            merged.push(one.clone());
        } else if one_moment(moment, &mut merged) {
            doubtful = Some(moment[0].at);
        }
    }
    (merged, doubtful)
}

/// The events of one moment, as one change of each who did anything: a person's first, since
/// automation follows people. Answers whether two of them claim different values.
fn one_moment(events: &[Change], merged: &mut Vec<Change>) -> bool {
    let said: Vec<(&Actor, &FieldValues)> = events
        .iter()
        .filter_map(|c| match &c.what {
            What::Fields(values) => Some((&c.by, values)),
            _ => None,
        })
        .collect();
    let (at, first, mut values, mut differ) = (events[0].at, merged.len(), FieldValues::new(), false);
    for (_, more) in &said {
        differ |= join(&mut values, more.iter());
    }
    for value in values {
        let who = said.iter().filter(|(_, values)| values.contains(&value)).map(|(by, _)| *by);
        let by = who.max_by_key(|by| personal(by)).cloned().unwrap_or_default();
        match merged[first..].iter_mut().find(|c| c.by == by) {
            Some(Change { what: What::Fields(values), .. }) => values.push(value),
            _ => merged.push(Change { at, what: What::Fields(vec![value]), by }),
        }
    }
    if merged.len() == first {
        merged.extend(events.first().cloned());
    }
    merged[first..].sort_by(|a, b| personal(&b.by).cmp(&personal(&a.by)));
    differ
}

/// Of several who say the same a person counts first, so that the order of arrival does not matter.
fn personal(by: &Actor) -> (u8, Option<&OwnerId>) {
    match by {
        Actor::Leadpact => (0, None),
        Actor::Automation => (1, None),
        Actor::Unknown => (2, None),
        Actor::Person(who) => (3, Some(who)),
    }
}

/// What was done stays done: steps of the same run keep their state, flags stay raised. So does what
/// people ordered.
fn carry_over(standing: &mut Standing, previous: Standing) {
    let same_pass = standing.pass == previous.pass;
    for run in standing.runs.iter_mut() {
        let Some(old) = previous.run(&run.clock, run.number).filter(|_| same_pass) else { continue };
        for step in &mut run.steps {
            let Some(done) = old.steps.iter().find(|s| s.name == step.name) else { continue };
            step.state = done.state;
            step.noticed = done.noticed;
            step.issued = done.issued.clone();
        }
    }
    for violation in &mut standing.violations {
        let old = previous.violations.iter().find(|v| v.kind == violation.kind && v.source == violation.source);
        violation.flagged |= old.is_some_and(|v| v.flagged);
    }
    forget_old_writes(&mut standing.own_writes);
    standing.excluded = previous.excluded;
    standing.included = previous.included;
    standing.contest_told = previous.contest_told;
    standing.undos = previous.undos;
    standing.answers = previous.answers;
    standing.reads = previous.reads;
    standing.reading |= previous.reading && standing.last_read == previous.last_read;
    standing.annotation = previous.annotation;
    standing.annotations = previous.annotations;
    standing.shows_due = previous.shows_due;
    standing.last_action = standing.last_action.take().or(previous.last_action);
    standing.folded_to = standing.folded_to.max(previous.folded_to);
}

/// Facts that are not in the journal yet, and withdrawals of those that are and should not be: one
/// that bears another owner, party or stage than it should is told again. What was journalled under
/// earlier terms (up to `from`) stays.
fn difference(folded: Vec<Fact>, journalled: &[Fact], from: Timestamp) -> Vec<Fact> {
    // What happened twice at one moment was told twice.
    let mut live: HashMap<(String, Timestamp), Vec<usize>> = HashMap::new();
    for (i, fact) in journalled.iter().enumerate() {
        if fact.kind == FactKind::Withdrawn {
            if let Some(told) = live.get_mut(&(fact.item.to_string(), fact.at)) {
                let meant = told.iter().rposition(|i| bears_the_same(&journalled[*i], fact));
                meant.or(told.len().checked_sub(1)).map(|meant| told.remove(meant));
            }
        } else if fact.kind.is_derived() {
            live.entry((fact.key(), fact.at)).or_default().push(i);
        }
    }
    let mut news = Vec::new();
    for fact in folded.into_iter().filter(|f| f.kind.is_derived()) {
        let told = live.get_mut(&(fact.key(), fact.at));
        let same = told.and_then(|told| {
            let i = told.iter().rposition(|i| bears_the_same(&journalled[*i], &fact))?;
            Some(told.remove(i))
        });
        if same.is_none() {
            news.push(fact);
        }
    }
    let mut gone: Vec<usize> = live.into_values().flatten().collect();
    gone.sort_unstable();
    let gone = gone.into_iter().map(|i| &journalled[i]).filter(|f| f.at > from).map(withdrawn);
    gone.chain(news).collect()
}

/// Reports go by owner, party and stage; details follow from the rest.
fn bears_the_same(a: &Fact, b: &Fact) -> bool {
    a.owner == b.owner && a.party == b.party && a.stage == b.stage
}

fn withdrawn(fact: &Fact) -> Fact {
    let detail = Map::from_iter([("at".to_owned(), fact.at.as_millis().into())]);
    Fact { kind: FactKind::Withdrawn, item: fact.key().into(), by: Actor::Leadpact, detail, ..fact.clone() }
}
