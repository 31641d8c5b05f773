//! What people ask of leadpact about a record. An order is an inbox row like what CRMs send, so it is
//! applied in its turn, under the lease. Orders about a whole connection are settings, not these.

use super::change::FieldValues;
use super::{EffectKey, Object, OwnerId, RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One order about one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub object: Object,
    pub id: RecordId,
    /// Who asks, in words: an account's name, or the user of the command line.
    pub by: String,
    pub ask: Ask,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Leave the record alone: nothing moves it, until then or for good.
    Exclude { until: Option<Timestamp>, why: String },
    /// Treat it like any other again.
    Include { why: String },
    /// Erase everything that is kept of the person.
    Erase,
    /// Put back what a move changed. `values`: what stood on the record before it, by the journal.
    Undo { effect: EffectKey, values: FieldValues, why: String },
    /// What somebody says about a promise whose clock runs.
    Answer(Reply),
}

/// What can be said about a promise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Accept,
    /// For this reason, one of those agreed for the handoff.
    Reject {
        reason: String,
    },
    OnIt,
    Snooze,
}

impl Answer {
    /// The word for it in keys, buttons and journal.
    pub fn as_str(&self) -> &'static str {
        match self {
            Answer::Accept => "accept",
            Answer::Reject { .. } => "reject",
            Answer::OnIt => "on_it",
            Answer::Snooze => "snooze",
        }
    }
}

/// An answer, to which run of which clock, and by whom. Whether this person may give it was looked at
/// before it became an order; whose the record was then is kept, since an answer is for that situation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reply {
    /// Names this answer, so that whoever gave it can be told what came of it.
    pub id: String,
    pub answer: Answer,
    pub clock: Arc<str>,
    pub pass: u32,
    pub run: u32,
    /// Who answers, where the CRM knows them.
    pub person: Option<OwnerId>,
    /// In words: `Slack`, `e-mail`.
    pub via: String,
    /// Whose the record was when it was said.
    pub owner: Option<OwnerId>,
    /// Whether the person takes a record that is nobody's yet.
    pub takes: bool,
}
