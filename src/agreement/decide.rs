//! The core's entry points: a standing and what happened go in; the new standing, facts, effects
//! and history come out. Late changes are `refold`'s, ends of effects `settle`'s; whether an effect
//! may still be carried out is `confirm`'s to say.

use super::fold::Fold;
use super::model::Agreement;
use super::refold::is_known;
use super::standing::{OwnWrite, Run, Standing};
use crate::record::change::FieldValues;
use crate::record::{Change, Effect, EffectKey, Elapsed, Fact, Order, Outcome, Timestamp, What};
use std::collections::HashSet;

/// How far a record's clock may be ahead of ours before its times are not believed.
pub const FUTURE_TOLERANCE: Elapsed = Elapsed::from_secs(300);

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The CRM told something about the record. Must not be late, see [`is_late`](super::is_late).
    Changed(Change),
    /// Something happened to the record, but who says so cannot be believed, or does not say what:
    /// it is to be read.
    Noticed,
    /// Time passed.
    Woke,
    /// A person asks for something about the record.
    Ordered(Order),
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
    /// To be added to the record's history, where it is not there yet.
    pub history: Vec<Change>,
    /// What was added to the history belongs before what was folded already: the caller calls
    /// [`refold`](super::refold) with all of it before anything else is decided for this record.
    pub refold: bool,
}

/// Decides what follows from one input.
pub fn decide(agreement: &Agreement, standing: Standing, input: Input, now: Timestamp) -> Decision {
    let before = issued(&standing);
    let mut fold = Fold::new(agreement, standing);
    fold.adopt(now);
    let mut effects = Vec::new();
    match input {
        Input::Changed(change) => fold.take(change),
        Input::Noticed => fold.notice(),
        Input::Woke => {}
        Input::Ordered(order) => effects = fold.ordered(order, now),
        Input::Settled(effect, outcome) => effects = fold.settle(&effect, outcome, now),
    }
    fold.finish(effects, &before, now)
}

/// Effects of open runs that have not settled.
pub(super) fn issued(standing: &Standing) -> Vec<EffectKey> {
    standing.open_runs().flat_map(|r| r.steps.iter().flat_map(|s| s.issued.iter().cloned())).collect()
}

/// Records in the standing that a write is about to leave, so that its echo is known whenever it comes.
pub fn intend(standing: &mut Standing, effect: &EffectKey, values: FieldValues, since: Timestamp) {
    standing.own_writes.retain(|w| &w.effect != effect);
    standing.own_writes.push(OwnWrite { effect: effect.clone(), values, since, until: None });
}

impl Fold<'_> {
    /// Breaches what is due and does what is due. `before`: the effects that had been issued.
    pub(super) fn finish(mut self, mut effects: Vec<Effect>, before: &[EffectKey], now: Timestamp) -> Decision {
        // What is about to be folded anew does not act on what it got wrong.
        if !self.refold {
            self.advance(now);
            effects.extend(self.act(now));
        }
        let after: HashSet<EffectKey> = issued(&self.standing).into_iter().collect();
        let settled = |key: &EffectKey| self.settled.as_ref() == Some(key);
        let ended = before.iter().filter(|k| !after.contains(*k) && !settled(k)).cloned();
        let withdraw = ended.chain(std::mem::take(&mut self.outdated)).collect();
        let Fold { standing, facts, history, refold, .. } = self;
        Decision { standing, facts, effects, withdraw, history, refold }
    }

    /// Takes a change and says what of it belongs into the history. A change from before this
    /// version of the agreement counts as news of its first moment.
    fn take(&mut self, mut change: Change) {
        if change.at < self.adopted() {
            if matches!(change.what, What::Read(_)) {
                return;
            }
            change.at = self.adopted();
        }
        let is_late = change.at <= self.standing.folded_to;
        if is_late && is_known(&self.standing, &change) {
            // It confirms what we know: that matters only to what arrives later still.
            self.history.push(change);
            return;
        }
        self.refold = is_late;
        if !is_late {
            self.change(&change);
        }
        self.history.push(change);
    }

    /// A read that is on its way may have been made before what the notice is about: ask again.
    fn notice(&mut self) {
        self.doubt = true;
        self.standing.reading = false;
    }

    /// The first moment under this version of the agreement; what came before was judged under
    /// another.
    pub(super) fn adopted(&self) -> Timestamp {
        let base = self.standing.base.as_ref();
        base.map_or(Timestamp::MIN, |b| Timestamp::from_millis(b.folded_to.as_millis().saturating_add(1)))
    }

    /// A new version of the agreement judges everything from now on: runs of clocks that it does not
    /// have are cancelled, open ones keep their deadlines unless it says otherwise, and a clock that
    /// it adds starts at the next edge.
    pub(super) fn adopt(&mut self, now: Timestamp) {
        if self.standing.agreement == self.agreement.hash {
            return;
        }
        let is_first = self.standing.agreement.is_empty();
        self.standing.agreement = self.agreement.hash.clone();
        if is_first {
            return;
        }
        let known = |run: &Run| self.agreement.clock_named(&run.clock).is_some();
        let lost: Vec<_> = self.standing.open_runs().filter(|r| !known(r)).map(|r| r.clock.clone()).collect();
        for clock in lost {
            self.cancel(&clock, now, "not in the new version of the agreement");
        }
        let unknown = |name: &str| self.agreement.stage_index(name).is_none();
        if self.standing.furthest.as_ref().is_some_and(|s| unknown(s.as_str())) {
            self.standing.furthest = None;
        }
        let object = self.standing.key.object;
        let on = self.agreement.clocks.iter().filter(|c| c.object == object && self.start_holds(c));
        self.standing.on = on.map(|c| c.name.clone()).collect();
        if self.agreement.apply_to_open {
            self.recompute_open(now);
        }
        self.standing.base = None;
        self.standing.base = Some(Box::new(self.standing.clone()));
    }
}
