//! What a change says beside echoes of our own writes, and what it says when it says two things.
//! When a write is on its way or landed is kept in the standing; what follows is `fold`'s.

use super::standing::OwnWrite;
use crate::record::change::FieldValues;
use crate::record::{Actor, FieldName, Timestamp, Value};

/// How many writes of ours are remembered for their echoes.
const OWN_WRITES_KEPT: usize = 8;

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
