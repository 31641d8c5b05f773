//! A record's history taken apart: what people and the CRM did, and what leadpact did itself, which
//! another agreement may not ask for. Playing it is not done here.

use crate::agreement::echo::without_echoes;
use crate::agreement::refold::{landed_writes, merged};
use crate::record::change::{FieldValues, Reading};
use crate::record::field::well_known;
use crate::record::{Action, Change, Effect, EffectKey, Elapsed, Fields, PartyName, Timestamp, Value, What};

/// A move that was recorded so much earlier or later than one is due is that one: the CRM's clock
/// may differ from ours, and a daemon that was down for longer acts through its breaker.
const EARLIER: Elapsed = Elapsed::from_secs(60);
const LATER: Elapsed = Elapsed::from_secs(900);

/// What was recorded.
pub(super) struct Recorded {
    /// What others did, by time. Reads tell only what was news when they were made.
    pub changes: Vec<Change>,
    /// For each change the place of the first read from it on.
    reads: Vec<Option<usize>>,
    /// What leadpact did to others' fields, by time.
    pub moves: Vec<OwnMove>,
}

/// A write of ours, as it landed.
#[derive(Clone)]
pub(super) struct OwnMove {
    pub at: Timestamp,
    pub since: Timestamp,
    pub action: Action,
    pub values: FieldValues,
    pass: Option<u32>,
    /// The agreement asked for it in this replay too.
    pub asked: bool,
}

/// What is known with hindsight.
#[derive(Default)]
pub(super) struct Foreseen {
    pub values: FieldValues,
    /// When the record took these values, where that is known.
    pub modified: Option<Timestamp>,
}

impl Recorded {
    pub fn of(history: Vec<Change>) -> Self {
        let writes = landed_writes(&history);
        let (merged, _) = merged(history, Timestamp::MIN, &writes);
        let mut mirror = Fields::default();
        let (mut changes, mut moves) = (Vec::with_capacity(merged.len()), Vec::new());
        for mut change in merged {
            match &mut change.what {
                What::Wrote { effect, action, values, since } => {
                    set(&mut mirror, values, change.at);
                    if *action != Action::Annotate {
                        let (pass, since) = (pass_of(effect), *since);
                        let (action, values) = (action.clone(), std::mem::take(values));
                        moves.push(OwnMove { at: change.at, since, action, values, pass, asked: false });
                    }
                    continue;
                }
                What::Fields(values) => set(&mut mirror, values, change.at),
                What::Read(reading) => {
                    // A read of the moment of a write was made before it: it echoes nothing.
                    let seen = Timestamp::from_millis(change.at.as_millis() - 1);
                    reading.values = without_echoes(&writes, &reading.values, seen, &change.by);
                    keep_news(&mirror, reading);
                    set(&mut mirror, &reading.values, change.at);
                }
                What::Deleted | What::Restored | What::Merged { .. } => {}
            }
            changes.push(change);
        }
        let reads = first_reads(&changes);
        Self { changes, reads, moves }
    }

    /// When the first read from this change on was made.
    pub fn next_read(&self, from: usize) -> Option<Timestamp> {
        self.reading(from).map(|(at, _)| at)
    }

    fn reading(&self, from: usize) -> Option<(Timestamp, &Reading)> {
        let change = &self.changes[(*self.reads.get(from)?)?];
        match &change.what {
            What::Read(reading) => Some((change.at, reading)),
            _ => None,
        }
    }

    /// What the next read is going to reveal and was so already at this moment.
    pub fn foreseen(&self, from: usize, at: Timestamp) -> Foreseen {
        let Some((_, reading)) = self.reading(from).filter(|(_, r)| !r.import) else { return Foreseen::default() };
        if reading.modified <= at {
            return Foreseen { values: reading.values.clone(), modified: Some(reading.modified) };
        }
        let w = well_known();
        let of = |name| reading.values.iter().find(|(n, _)| *n == name);
        let touched = of(w.last_touch).and_then(|(_, v)| v.as_time()).filter(|t| *t <= at);
        let values = touched.map(|_| [of(w.touches), of(w.last_touch)].into_iter().flatten().cloned().collect());
        Foreseen { values: values.unwrap_or_default(), modified: None }
    }

    /// The recorded move of this kind that was made at about this moment and stands for no other yet.
    pub fn move_like(&self, effect: &Effect, due: Timestamp) -> Option<usize> {
        let kind = effect.action.as_str();
        let near = |m: &OwnMove| m.at + EARLIER >= due && m.at <= due + LATER;
        self.moves.iter().position(|m| !m.asked && m.action.as_str() == kind && near(m))
    }

    /// Who received the record when it was given to the same party in the same pass; `Null`: nobody.
    pub fn receiver(&self, action: &Action, pass: u32) -> Option<Value> {
        let given = |m: &&OwnMove| {
            m.pass == Some(pass) && m.action.as_str() == action.as_str() && party_of(&m.action) == party_of(action)
        };
        let found = self.moves.iter().find(given)?;
        found.values.iter().find(|(name, _)| *name == well_known().owner).map(|(_, owner)| owner.clone())
    }

    /// The first move up to a moment that was recorded and that nobody asked for here.
    pub fn unasked_move(&self, until: Timestamp) -> Option<Timestamp> {
        self.moves.iter().filter(|m| !m.asked && m.action.moves() && m.at <= until).map(|m| m.at).min()
    }
}

fn set(mirror: &mut Fields, values: &FieldValues, at: Timestamp) {
    for (name, value) in values {
        mirror.set(*name, value.clone(), at);
    }
}

/// What the record said already when it was read is no news in a replay in which it says something
/// else. Touches are nobody's write, and their last one tells when they were.
fn keep_news(mirror: &Fields, reading: &mut Reading) {
    let w = well_known();
    let touches = [w.touches, w.last_touch];
    reading.values.retain(|(name, value)| touches.contains(name) || mirror.get(*name) != value);
}

fn first_reads(changes: &[Change]) -> Vec<Option<usize>> {
    let mut next = None;
    let mut reads = vec![None; changes.len()];
    for (i, change) in changes.iter().enumerate().rev() {
        if let What::Read(_) = change.what {
            next = Some(i);
        }
        reads[i] = next;
    }
    reads
}

fn party_of(action: &Action) -> Option<&PartyName> {
    match action {
        Action::Recycle { to, .. } | Action::Reassign { to } => Some(to),
        _ => None,
    }
}

/// The pass in a key: `connection/object/id/pass/…`.
fn pass_of(effect: &EffectKey) -> Option<u32> {
    effect.as_str().split('/').nth(3)?.parse().ok()
}
