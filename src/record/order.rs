//! What people ask of leadpact about a record. An order is an inbox row like what CRMs send, so it is
//! applied in its turn, under the lease. Orders about a whole connection are settings, not these.

use super::change::FieldValues;
use super::{EffectKey, Object, RecordId, Timestamp};
use serde::{Deserialize, Serialize};

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
}
