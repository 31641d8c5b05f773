//! A record's recorded history played once more under an agreement, with everything in its order:
//! what follows from it, and what would have been done about it. Pure, like the rest of the core;
//! what counts as recorded is in `recorded`, how effects end in `deeds`.

mod deeds;
mod recorded;

use super::decide::{Decision, Input, decide};
use super::model::Agreement;
use super::refold::{is_late, refold};
use super::standing::Standing;
use crate::record::change::Reading;
use crate::record::{Actor, Change, Effect, Elapsed, Fact, FactKind, RecordKey, Timestamp, What};
use recorded::Recorded;
use std::collections::HashMap;

/// What a record's history comes to under an agreement.
#[derive(Debug)]
pub struct Replayed {
    /// Where the record stands at the end.
    pub standing: Standing,
    /// What happened and was not taken back, in the order in which it was told.
    pub facts: Vec<Fact>,
    /// From when on the recorded changes are no answer any more to what was done: a lead was taken
    /// from somebody here and not there. What follows is a guess.
    pub diverged: Option<Timestamp>,
}

/// Plays a record's history, in any order, up to a moment.
///
/// Every change is heard of at the moment at which it happened. Effects are carried out at once, as
/// `confirm` allows: notices and tasks are done; a move lands when and as it was recorded to have
/// landed, where the record was moved in the same way at about that time, else at its own moment.
/// Recorded moves that this agreement does not ask for did not happen, and what reads saw of them
/// is left out. Our own fields on the record are not written.
pub fn replay(agreement: &Agreement, key: RecordKey, history: Vec<Change>, until: Timestamp) -> Replayed {
    let recorded = Recorded::of(history);
    let mut play = Play {
        agreement,
        recorded,
        next: 0,
        standing: Standing::new(key),
        history: Vec::new(),
        facts: Vec::new(),
        outbox: Vec::new(),
        now: Timestamp::MIN,
        diverged: None,
    };
    play.run(until);
    let unasked = play.recorded.unasked_move(until);
    let diverged = play.diverged.into_iter().chain(unasked).min();
    Replayed { standing: play.standing, facts: live(play.facts), diverged }
}

/// A record on its way through its history.
struct Play<'a> {
    agreement: &'a Agreement,
    recorded: Recorded,
    /// The first recorded change that has not happened yet.
    next: usize,
    standing: Standing,
    /// What happened so far, here.
    history: Vec<Change>,
    facts: Vec<Fact>,
    /// Issued, neither settled nor withdrawn.
    outbox: Vec<Effect>,
    now: Timestamp,
    diverged: Option<Timestamp>,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// At one moment first what happened, then what falls due, then what is done about it.
    Change,
    Wake,
    /// The effect at this place of the outbox.
    Effect(usize),
}

impl Play<'_> {
    fn run(&mut self, until: Timestamp) {
        while let Some((at, turn)) = self.next_turn().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            match turn {
                Turn::Change => {
                    let change = self.recorded.changes[self.next].clone();
                    self.next += 1;
                    self.change(change);
                }
                Turn::Wake => self.decide(Input::Woke),
                Turn::Effect(i) => {
                    let effect = self.outbox.remove(i);
                    self.carry_out(effect);
                }
            }
        }
    }

    fn next_turn(&self) -> Option<(Timestamp, Turn)> {
        let change = self.recorded.changes.get(self.next).map(|c| (c.at, Turn::Change));
        let wake = self.standing.wake_at.map(|at| (at, Turn::Wake));
        let effects = self.outbox.iter().enumerate().map(|(i, e)| (e.not_before, Turn::Effect(i)));
        change.into_iter().chain(wake).chain(effects).min()
    }

    /// When the next recorded change happens; never, after the last.
    fn next_change(&self) -> Timestamp {
        self.recorded.changes.get(self.next).map_or(Timestamp::MAX, |c| c.at)
    }

    fn change(&mut self, change: Change) {
        if is_late(&self.standing, &change) {
            self.history.push(change);
            self.fold_anew();
        } else {
            self.decide(Input::Changed(change));
        }
    }

    /// A read of the record as hindsight knows it: what the next recorded read is going to reveal
    /// and was so already, beside what is known anyway.
    fn look(&mut self) {
        let at = self.now.max(self.standing.folded_to + Elapsed::from_millis(1));
        let foreseen = self.recorded.foreseen(self.next, at);
        let known = self.standing.fields.iter().map(|f| f.at).max().unwrap_or(Timestamp::MIN);
        let modified = foreseen.modified.map_or(known, |modified| modified.max(known)).min(at);
        let reading = Reading { modified, values: foreseen.values, import: false, from_now: false };
        self.now = at;
        self.change(Change { at, what: What::Read(reading), by: Actor::Unknown });
    }

    fn decide(&mut self, input: Input) {
        let standing = self.standing();
        let decision = decide(self.agreement, standing, input, self.now);
        self.take(decision);
    }

    fn fold_anew(&mut self) {
        let standing = self.standing();
        let decision = refold(self.agreement, standing, self.history.clone(), &self.facts, self.now);
        self.take(decision);
    }

    /// The standing, handed to a decision that gives it back.
    fn standing(&mut self) -> Standing {
        let empty = Standing::new(self.standing.key.clone());
        std::mem::replace(&mut self.standing, empty)
    }

    fn take(&mut self, decision: Decision) {
        self.outbox.retain(|e| !decision.withdraw.contains(&e.key));
        for effect in decision.effects {
            if !self.outbox.iter().any(|e| e.key == effect.key) {
                self.outbox.push(effect);
            }
        }
        self.facts.extend(decision.facts);
        self.history.extend(decision.history);
        self.standing = decision.standing;
        if decision.refold {
            self.fold_anew();
        }
    }
}

/// Facts that were not taken back later.
fn live(facts: Vec<Fact>) -> Vec<Fact> {
    if facts.iter().all(|f| f.kind != FactKind::Withdrawn) {
        return facts;
    }
    let mut told: HashMap<(String, Timestamp), Vec<usize>> = HashMap::new();
    let mut stands = vec![true; facts.len()];
    for (i, fact) in facts.iter().enumerate() {
        if fact.kind == FactKind::Withdrawn {
            stands[i] = false;
            let taken_back = told.get_mut(&(fact.item.to_string(), fact.at)).and_then(Vec::pop);
            if let Some(earlier) = taken_back {
                stands[earlier] = false;
            }
        } else {
            told.entry((fact.key(), fact.at)).or_default().push(i);
        }
    }
    facts.into_iter().zip(stands).filter(|(_, stands)| *stands).map(|(fact, _)| fact).collect()
}
