//! The core's entry points: a standing and what happened go in; the new standing, facts, effects
//! and history come out. Whether an effect may still be carried out is `confirm`'s to say.

use super::fold::Fold;
use super::model::Agreement;
use super::standing::{OwnWrite, Run, Standing};
use crate::record::change::FieldValues;
use crate::record::{Action, Actor, Change, Effect, EffectKey, Elapsed, Fact, FactKind, Outcome, Timestamp, What};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, HashSet};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The CRM told something about the record. Must not be late, see [`is_late`].
    Changed(Change),
    /// Something happened to the record, but who says so cannot be believed, or does not say what:
    /// it is to be read.
    Noticed,
    /// Time passed.
    Woke,
    /// An effect ended.
    Settled(Effect, Outcome),
}

/// What follows.
#[derive(Debug, PartialEq)]
pub struct Decision {
    pub standing: Standing,
    /// To be journalled, in this order.
    pub facts: Vec<Fact>,
    /// To be carried out; one that was issued before has the same key.
    pub effects: Vec<Effect>,
    /// Issued before and not to be carried out any more.
    pub withdraw: Vec<EffectKey>,
    /// To be added to the record's history.
    pub history: Vec<Change>,
}

/// Decides what follows from one input.
pub fn decide(agreement: &Agreement, standing: Standing, input: Input, now: Timestamp) -> Decision {
    let before = issued(&standing);
    let mut fold = Fold::new(agreement, standing);
    fold.adopt(now);
    let mut history = Vec::new();
    let mut effects = Vec::new();
    match input {
        Input::Changed(change) => fold.take(change, &mut history),
        Input::Noticed => fold.notice(),
        Input::Woke => {}
        Input::Settled(effect, outcome) => effects = fold.settle(&effect, outcome, now, &mut history),
    }
    finish(fold, effects, &before, history, now)
}

fn finish(
    mut fold: Fold<'_>,
    mut effects: Vec<Effect>,
    before: &[EffectKey],
    history: Vec<Change>,
    now: Timestamp,
) -> Decision {
    fold.advance(now);
    effects.extend(fold.act(now));
    let after: HashSet<EffectKey> = issued(&fold.standing).into_iter().collect();
    let settled = |key: &EffectKey| fold.settled.as_ref() == Some(key);
    let withdraw = before.iter().filter(|k| !after.contains(*k) && !settled(k)).cloned().collect();
    Decision { standing: fold.standing, facts: fold.facts, effects, withdraw, history }
}

/// Effects of open runs that have not settled.
fn issued(standing: &Standing) -> Vec<EffectKey> {
    standing.open_runs().flat_map(|r| r.steps.iter().flat_map(|s| s.issued.iter().cloned())).collect()
}

/// Whether a change is older than what the standing has looked at (or as old), so that the
/// record's history must be folded anew: see [`refold`]. What says nothing new is never late.
pub fn is_late(standing: &Standing, change: &Change) -> bool {
    change.at <= standing.folded_to && tells_news(standing, change)
}

/// Whether a change says anything that the standing does not know.
fn tells_news(standing: &Standing, change: &Change) -> bool {
    match &change.what {
        What::Fields(values) => {
            let known = |(name, value): &(_, _)| {
                standing.fields.get(*name) == value && standing.fields.field(*name).is_none_or(|f| f.at <= change.at)
            };
            standing.pass == 0 && standing.stage.is_none() && values.is_empty() || !values.iter().all(known)
        }
        What::Read(reading) => {
            let differs = reading.values.iter().any(|(name, value)| standing.fields.get(*name) != value);
            differs
                || !standing.checks.is_empty()
                || standing.rejection.is_some()
                || standing.last_read.is_none()
                || standing.gone.is_some()
                || reading.import
        }
        What::Deleted | What::Merged { .. } => standing.gone.is_none(),
        What::Restored => standing.gone.is_some(),
        What::Wrote { .. } => true,
    }
}

/// Folds a record's whole history anew, with late changes in their places.
///
/// `previous` is the standing so far, for what history cannot tell (steps fired, writes in flight);
/// `history` all entries of the record, late ones included, in any order; `journalled` all its
/// facts so far, in the journal's order. Answers only the difference: facts that are new, and a
/// `withdrawn` for each that turns out not to have happened.
pub fn refold(
    agreement: &Agreement,
    previous: Standing,
    history: Vec<Change>,
    journalled: &[Fact],
    now: Timestamp,
) -> Decision {
    let before = issued(&previous);
    let base = previous.base.clone();
    let from = base.as_ref().map_or(Timestamp::MIN, |b| b.folded_to);
    let start = base.as_ref().map_or_else(|| Standing::new(previous.key.clone()), |b| (**b).clone());
    let mut fold = Fold::new(agreement, start);
    fold.standing.agreement = agreement.hash.clone();
    fold.standing.base = base;
    fold.standing.own_writes = known_writes(&previous, &history);
    for change in merged(history, from) {
        fold.change(&change);
    }
    fold.advance(now);
    carry_over(&mut fold.standing, &previous);
    fold.facts = difference(fold.facts, journalled, from);
    finish(fold, Vec::new(), &before, Vec::new(), now)
}

/// Our writes by history, and those still in flight.
fn known_writes(previous: &Standing, history: &[Change]) -> Vec<OwnWrite> {
    let landed = history.iter().filter_map(|c| match &c.what {
        What::Wrote { effect, values, since, .. } => {
            Some(OwnWrite { effect: effect.clone(), values: values.clone(), since: *since, until: Some(c.at) })
        }
        _ => None,
    });
    landed.chain(previous.own_writes.iter().filter(|w| w.until.is_none()).cloned()).collect()
}

/// In the order of their times, each once; events of one moment are one change. What is older than
/// `from` is told as of then.
fn merged(mut history: Vec<Change>, from: Timestamp) -> Vec<Change> {
    let floor = Timestamp::from_millis(from.as_millis().saturating_add(1));
    for change in &mut history {
        if from != Timestamp::MIN && change.at <= from && matches!(change.what, What::Fields(_)) {
            change.at = floor;
        }
    }
    history.retain(|c| c.at > from);
    history.sort();
    history.dedup();
    let mut merged: Vec<Change> = Vec::with_capacity(history.len());
    for change in history {
        match (merged.last_mut(), &change.what) {
            (Some(Change { at, what: What::Fields(values), .. }), What::Fields(more)) if *at == change.at => {
                join(values, more);
            }
            _ => merged.push(change),
        }
    }
    merged
}

/// Two values of one field at one moment: the greater one, so that the order of arrival does not
/// matter; a read tells the truth (the caller asks for one).
fn join(values: &mut FieldValues, more: &FieldValues) {
    for (name, value) in more {
        match values.iter_mut().find(|(n, _)| n == name) {
            Some((_, known)) if value > known => *known = value.clone(),
            Some(_) => {}
            None => values.push((*name, value.clone())),
        }
    }
}

/// What was done stays done: steps of the same run keep their state, flags stay raised.
fn carry_over(standing: &mut Standing, previous: &Standing) {
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
    standing.reads = previous.reads;
    standing.reading |= previous.reading && standing.last_read == previous.last_read;
    standing.annotation = previous.annotation.clone();
    standing.annotations = previous.annotations;
    standing.shows_due = previous.shows_due;
    standing.last_action = standing.last_action.take().or_else(|| previous.last_action.clone());
}

/// Facts that are not in the journal yet, and withdrawals of those that are and should not be.
fn difference(folded: Vec<Fact>, journalled: &[Fact], from: Timestamp) -> Vec<Fact> {
    let mut standing_facts: BTreeMap<(String, Timestamp), (i64, &Fact)> = BTreeMap::new();
    for fact in journalled.iter().filter(|f| f.at > from) {
        if fact.kind == FactKind::Withdrawn {
            let key = (fact.item.to_string(), fact.at);
            standing_facts.entry(key).and_modify(|(n, _)| *n -= 1);
        } else if fact.kind.is_derived() {
            standing_facts.entry((fact.key(), fact.at)).or_insert((0, fact)).0 += 1;
        }
    }
    let mut news = Vec::new();
    for fact in folded {
        match standing_facts.get_mut(&(fact.key(), fact.at)) {
            Some((n, _)) if *n > 0 => *n -= 1,
            _ if fact.kind.is_derived() => news.push(fact),
            _ => {}
        }
    }
    let gone = standing_facts.into_values().filter(|(n, _)| *n > 0).map(|(_, fact)| withdrawn(fact));
    gone.chain(news).collect()
}

fn withdrawn(fact: &Fact) -> Fact {
    let mut detail = Map::new();
    detail.insert("at".into(), fact.at.as_millis().into());
    Fact { kind: FactKind::Withdrawn, item: fact.key().into(), by: Actor::Leadpact, detail, ..fact.clone() }
}

/// Records in the standing that a write is about to leave, so that its echo is known whenever it comes.
pub fn intend(standing: &mut Standing, effect: &EffectKey, values: FieldValues, since: Timestamp) {
    standing.own_writes.retain(|w| &w.effect != effect);
    standing.own_writes.push(OwnWrite { effect: effect.clone(), values, since, until: None });
}

impl Fold<'_> {
    /// Takes a change that is not late, and says what of it belongs into the history.
    fn take(&mut self, change: Change, history: &mut Vec<Change>) {
        let news = tells_news(&self.standing, &change);
        if let What::Read(reading) = &change.what {
            self.take_read(&change, reading.clone(), news, history);
        } else if news {
            self.change(&change);
            history.push(change);
        }
    }

    /// A read that is on its way may have been made before what the notice is about: ask again.
    fn notice(&mut self) {
        self.doubt = true;
        self.standing.reading = false;
    }

    /// A read without news still proves that nothing changed until it was made; kept short where
    /// the record was not even modified since the last.
    fn take_read(
        &mut self,
        change: &Change,
        mut reading: crate::record::change::Reading,
        news: bool,
        history: &mut Vec<Change>,
    ) {
        let last = self.standing.last_read;
        if news {
            self.change(change);
            history.push(change.clone());
            return;
        }
        self.standing.reading = false;
        if last.is_some_and(|r| r.at >= change.at) {
            return;
        }
        self.standing.last_read = Some(super::standing::ReadMark { at: change.at, modified: reading.modified });
        if last.is_some_and(|r| r.modified == reading.modified) {
            reading.values.clear();
        }
        history.push(Change { what: What::Read(reading), ..change.clone() });
    }

    /// An effect ended: what landed on the record is history; the rest is journalled.
    fn settle(&mut self, effect: &Effect, outcome: Outcome, now: Timestamp, history: &mut Vec<Change>) -> Vec<Effect> {
        self.settled = Some(effect.key.clone());
        self.forget_issued(&effect.key);
        // A read that was parked is not asked for again until something new happens.
        if effect.action == Action::Read && !matches!(outcome, Outcome::Parked { .. }) {
            self.standing.reading = false;
        }
        match outcome {
            Outcome::Done { at, since, values, note } => {
                if effect.action.writes() && !matches!(effect.action, Action::Task { .. }) {
                    return self.landed(effect, at, since, values, now, history);
                }
                self.tell_done(effect, now, note);
            }
            Outcome::WouldHave => {
                self.tell_end(FactKind::WouldHave, effect, now, &[("action", effect.action.as_str().into())])
            }
            Outcome::Dropped { reason } => self.dropped(effect, now, reason),
            Outcome::Parked { error } => self.parked(effect, now, error),
        }
        Vec::new()
    }

    fn landed(
        &mut self,
        effect: &Effect,
        at: Timestamp,
        since: Timestamp,
        values: FieldValues,
        now: Timestamp,
        history: &mut Vec<Change>,
    ) -> Vec<Effect> {
        // The CRM may count whole seconds only: a write never comes before what made us write.
        let after_all = Timestamp::from_millis(self.standing.folded_to.as_millis().saturating_add(1));
        let former = self.standing.owner();
        let what = What::Wrote { effect: effect.key.clone(), action: effect.action.clone(), values, since };
        let change = Change { at: at.max(after_all), what, by: Actor::Leadpact };
        self.change(&change);
        history.push(change);
        if effect.action == Action::Annotate {
            let flagged = !super::violation::violation_text(self.agreement, &self.standing).is_empty();
            self.tell_end(if flagged { FactKind::Flagged } else { FactKind::Unflagged }, effect, now, &[]);
        }
        self.tell_move(effect, former, now)
    }

    fn tell_done(&mut self, effect: &Effect, now: Timestamp, note: Option<String>) {
        let note = note.map_or(Json::Null, Json::from);
        match &effect.action {
            Action::Notify { to, .. } => {
                let to = Json::from(to.to_string());
                self.tell_end(FactKind::Notified, effect, now, &[("to", to), ("note", note)]);
            }
            Action::Task { .. } => self.tell_end(FactKind::TaskCreated, effect, now, &[("task", note)]),
            _ => {}
        }
    }

    fn dropped(&mut self, effect: &Effect, now: Timestamp, reason: String) {
        self.forget_write(&effect.key);
        if effect.action != Action::Read {
            let action = effect.action.as_str().into();
            self.tell_end(FactKind::Dropped, effect, now, &[("why", reason.into()), ("action", action)]);
        }
    }

    fn parked(&mut self, effect: &Effect, now: Timestamp, error: String) {
        self.forget_write(&effect.key);
        let action = effect.action.as_str().into();
        self.tell_end(FactKind::Parked, effect, now, &[("error", error.into()), ("action", action)]);
    }

    fn forget_write(&mut self, key: &EffectKey) {
        self.standing.own_writes.retain(|w| &w.effect != key || w.until.is_some());
    }

    fn forget_issued(&mut self, key: &EffectKey) {
        for step in self.standing.runs.iter_mut().flat_map(|r| r.steps.iter_mut()) {
            step.issued.retain(|k| k != key);
        }
    }

    fn tell_end(&mut self, kind: FactKind, effect: &Effect, at: Timestamp, detail: &[(&str, Json)]) {
        let detail = Fold::detail(detail);
        self.fact(kind, at, &effect.source, effect.run, effect.key.as_str(), &Actor::Leadpact, detail);
        if let Some(fact) = self.facts.last_mut() {
            fact.pass = effect.pass;
        }
    }

    /// A new version of the agreement judges everything from now on: runs of clocks that it does not
    /// have are cancelled, open ones keep their deadlines unless it says otherwise.
    fn adopt(&mut self, now: Timestamp) {
        if self.standing.agreement == self.agreement.hash {
            return;
        }
        let is_first = self.standing.agreement.is_empty();
        self.standing.agreement = self.agreement.hash.clone();
        if is_first {
            return;
        }
        self.advance(now);
        let known = |run: &Run| self.agreement.clock_named(&run.clock).is_some();
        let lost: Vec<_> = self.standing.open_runs().filter(|r| !known(r)).map(|r| r.clock.clone()).collect();
        for clock in lost {
            self.cancel(&clock, now, "not in the new version of the agreement");
        }
        let unknown = |name: &str| self.agreement.stage_index(name).is_none();
        if self.standing.furthest.as_ref().is_some_and(|s| unknown(s.as_str())) {
            self.standing.furthest = None;
        }
        if self.agreement.apply_to_open {
            self.recompute_open(now);
        }
        self.standing.folded_to = self.standing.folded_to.max(now);
        self.standing.base = None;
        self.standing.base = Some(Box::new(self.standing.clone()));
    }
}

/// How far a record's clock may be ahead of ours before its times are not believed.
pub const FUTURE_TOLERANCE: Elapsed = Elapsed::from_secs(300);
