//! Writes of ours and what they explain: what a change says beside their echoes, and what a read that one of
//! them overtook may not say; also what a change says when it says two things. Which writes there are is kept in
//! the standing; what follows is `fold`'s.

use crate::record::change::FieldValues;
use crate::record::{Actor, EffectKey, Elapsed, FieldName, Timestamp, Value};
use serde::{Deserialize, Serialize};

/// How many writes of ours are remembered for their echoes.
const OWN_WRITES_KEPT: usize = 8;

/// How much later than our write its echo may be dated.
const ECHO_SLACK: Elapsed = Elapsed::from_secs(5);
/// For how long after our write landed an answer may still show the record as it was before.
const OLD_ANSWERS: Elapsed = Elapsed::from_secs(15);
/// What a `Date` header counts.
const SECOND: Elapsed = Elapsed::from_secs(1);

/// A write of ours, on its way or landed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnWrite {
    pub effect: EffectKey,
    pub values: FieldValues,
    /// The CRM's clock at the read before the write.
    pub since: Timestamp,
    /// The record's modification time by the write; `None` while in flight.
    pub until: Option<Timestamp>,
}

impl OwnWrite {
    /// Whether what is dated so may be the echo of this write.
    pub fn echoes_at(&self, at: Timestamp) -> bool {
        at >= self.since && self.until.is_none_or(|until| at <= until + ECHO_SLACK)
    }

    /// Whether an answer of then, of a record modified then, was overtaken by this write: asked before
    /// it landed, and come after. Within one second only what is modified later than the write tells
    /// that it is not; the next read does.
    pub fn overtook(&self, at: Timestamp, modified: Timestamp) -> bool {
        let Some(landed) = self.until else { return false };
        let is_soon = landed < at && at <= landed + OLD_ANSWERS;
        is_soon && (modified < self.since || (modified <= landed && at < self.since + SECOND))
    }
}

/// Drops the values that are echoes of our own writes: same field, same value, dated while the
/// write was on its way.
pub(super) fn without_echoes(writes: &[OwnWrite], values: &FieldValues, at: Timestamp, by: &Actor) -> FieldValues {
    let is_echo = |name: FieldName, value: &Value| {
        let said = |w: &OwnWrite| w.values.iter().any(|(n, v)| *n == name && v == value);
        *by != Actor::Leadpact && writes.iter().any(|w| w.echoes_at(at) && said(w))
    };
    let mut said = FieldValues::with_capacity(values.len());
    join(&mut said, values.iter().filter(|(n, v)| !is_echo(*n, v)));
    said
}

/// Drops what a read shows otherwise than a write of ours that overtook it.
pub(super) fn without_overtaken(
    writes: &[OwnWrite],
    mut values: FieldValues,
    at: Timestamp,
    modified: Timestamp,
) -> FieldValues {
    let writes: Vec<&OwnWrite> = writes.iter().filter(|w| w.overtook(at, modified)).collect();
    values.retain(|(name, value)| !writes.iter().flat_map(|w| &w.values).any(|(n, v)| n == name && v != value));
    values
}

/// Two values of one field at one moment: the greater one, so that the order of arrival does not
/// matter. Answers whether there were any.
pub(super) fn join<'v>(values: &mut FieldValues, more: impl IntoIterator<Item = &'v (FieldName, Value)>) -> bool {
    let mut differ = false;
    for (name, value) in more {
        match values.iter_mut().find(|(n, _)| n == name) {
            Some((_, known)) => {
                differ |= known != value;
                if value > known {
                    *known = value.clone();
                }
            }
            None => values.push((*name, value.clone())),
        }
    }
    differ
}

/// Writes in flight are kept, and of those that landed the latest.
pub(super) fn forget_old_writes(writes: &mut Vec<OwnWrite>) {
    while writes.iter().filter(|w| w.until.is_some()).count() > OWN_WRITES_KEPT {
        let oldest = writes.iter().enumerate().filter(|(_, w)| w.until.is_some()).min_by_key(|(_, w)| w.until);
        let Some((oldest, _)) = oldest else { return };
        writes.remove(oldest);
    }
}
