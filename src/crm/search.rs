//! What a connector answers when nobody told us which records to read: pages of what was modified
//! since a moment, or of everything open. Where a page stands is the connector's own business; the
//! engine keeps it as text, so that a sweep goes on where it was interrupted.

use super::{CrmError, Event};
use crate::record::{RecordId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Which records are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// Whatever was modified at that moment of the CRM's clock or later: records, what people did
    /// about them, and deletions and merges where the CRM tells.
    Since(Timestamp),
    /// All open records.
    Open,
}

/// Where the next page begins, in the connector's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(String);

/// One page of what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The answer's `Date`: the CRM's clock.
    pub at: Timestamp,
    /// Records to read; the same one may come again on a later page.
    pub found: Vec<RecordId>,
    /// Deletions and merges.
    pub ended: Vec<Event>,
    /// How many records there are on all pages, where the CRM tells.
    pub total: Option<u64>,
    /// `None`: this was the last page.
    pub next: Option<Position>,
}

impl Position {
    /// A connector's place as text.
    ///
    /// # Errors
    /// [`CrmError::Never`] when it cannot be written.
    pub fn of(place: &impl Serialize) -> Result<Self, CrmError> {
        serde_json::to_string(place).map(Self).map_err(|e| CrmError::Never { message: e.to_string() })
    }

    /// The place that a connector wrote.
    ///
    /// # Errors
    /// [`CrmError::Never`] when it is of another version or connector: the sweep begins anew.
    pub fn place<T: DeserializeOwned>(&self) -> Result<T, CrmError> {
        serde_json::from_str(&self.0)
            .map_err(|e| CrmError::Never { message: format!("the place of a search cannot be read: {e}") })
    }
}
