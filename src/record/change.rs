//! What happened to a record, as an entry of its history: an event's values, a read's snapshot, a
//! write of ours that landed. Applying entries is the agreement's business, not this file's.

use super::{Action, EffectKey, FieldName, OwnerId, RecordId, Timestamp, Value};
use serde::{Deserialize, Serialize};

/// Some fields and the values they took.
pub type FieldValues = Vec<(FieldName, Value)>;

/// Who caused a change, as far as the CRM tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    #[default]
    Unknown,
    Person(OwnerId),
    /// An integration or workflow: listed under `automation_users`, or so named by the CRM.
    Automation,
    Leadpact,
}

/// One entry of a record's history. Two changes that are equal are one change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// When it happened by the CRM's clock. Of a read: the answer's `Date`.
    pub at: Timestamp,
    pub what: What,
    #[serde(default)]
    pub by: Actor,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A signed event: these fields took these values at that moment. May be empty (a creation).
    Fields(FieldValues),
    /// All mapped fields of the record as the CRM showed them at that moment.
    Read(Reading),
    /// A write of ours landed. `since`: the CRM's clock when it was intended.
    Wrote {
        effect: EffectKey,
        action: Action,
        values: FieldValues,
        since: Timestamp,
    },
    Deleted,
    Restored,
    Merged {
        into: RecordId,
    },
}

/// A read of a record through the CRM's API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reading {
    /// The record's own modification time; never later than the read.
    pub modified: Timestamp,
    pub values: FieldValues,
    /// First import: start clocks silently.
    #[serde(default)]
    pub import: bool,
    /// Of a first import: what it finds has begun with it, and is measured from then on.
    #[serde(default)]
    pub from_now: bool,
}

/// How an effect ended, told to the core by deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done. For CRM writes: `at` is the record's modification time in the CRM, `values` what now
    /// stands there, `since` the CRM's clock at the read before it. `note`: task id, receiver.
    Done { at: Timestamp, since: Timestamp, values: FieldValues, note: Option<String> },
    /// Not done, since the connection (or the agreement) only observes.
    WouldHave,
    /// The last check before acting said no.
    Dropped { reason: String },
    /// Given up after the last try, or refused for good; a person sees it and can replay it.
    Parked { error: String },
}
