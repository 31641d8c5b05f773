//! Floor 2: the CRMs. One folder for each, with the same file names; what they share is the trait
//! [`Crm`] and the settings of a connection. Nothing here decides or stores anything.

pub mod around;
pub mod connection;
pub mod delivery;
pub mod examine;
pub mod fields;
pub mod generic;
pub mod http;
pub mod hubspot;
pub mod oauth;
mod renewal;
pub mod salesforce;
pub mod search;
pub mod signature;
pub mod token;
mod token_endpoint;
pub mod usage;

use crate::record::change::FieldValues;
use crate::record::{Actor, Elapsed, Object, OwnerId, RecordId, Timestamp};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

pub use around::{Around, Expected};
pub use connection::Connection;
pub use delivery::{Acknowledgement, Malformed, RawDelivery, Refusal, VerifiedDelivery};
pub use examine::{Examined, Made, OwnField, Wanted};
pub use search::{Page, Position, Sought};
pub use token::SharedKeeper;
pub use usage::Usage;

/// A CRM organisation as the engine sees it. Reads and writes take at most as many records a call
/// as the limits say; the connector makes one HTTP call for each of its calls (one more where
/// activities are rows of their own, and one a record in a described CRM that takes no more); a page of
/// a search takes one call, and the histories of records one for each 50 of them where the CRM allows no more.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Checks that the CRM (or somebody who knows the secret) sent this.
    /// `now` is the real time, since signatures are made with it.
    ///
    /// # Errors
    /// [`Refusal`] says which status to answer with.
    fn verify(&self, raw: RawDelivery, now: Timestamp) -> Result<VerifiedDelivery, Refusal>;

    /// Splits a delivery into events, dropping what does not concern us.
    ///
    /// # Errors
    /// [`Malformed`] when the body is not what this CRM sends.
    fn events(&self, delivery: &VerifiedDelivery) -> Result<Events, Malformed>;

    /// What to answer once a delivery is stored.
    fn acknowledgement(&self) -> Acknowledgement;

    /// Most records a read or a write call may carry.
    fn limits(&self) -> Limits;

    /// Reads all mapped fields of these records, and their touches.
    async fn read(&self, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError>;

    /// Whether it can be asked what was modified, and what is open.
    fn searches(&self) -> bool {
        false
    }

    /// One page of what is sought, from the beginning or from where the page before it ended. The
    /// records are only named: they are to be read, since indexes of searches lag behind.
    ///
    /// # Errors
    /// [`CrmError::Never`] where the CRM cannot be searched, or not from that position.
    async fn search(&self, _: Object, _: Sought, _: Option<&Position>) -> Result<Page, CrmError> {
        Err(CrmError::Never { message: "this CRM cannot be searched".to_owned() })
    }

    /// What the CRM's own history tells of these records, each from its moment on, as dated events in
    /// any order. Empty where it keeps none, or none that is shown to us.
    async fn histories(&self, _: Object, _: &[(RecordId, Timestamp)]) -> Result<Vec<Event>, CrmError> {
        Ok(Vec::new())
    }

    /// How much of its allowance of calls is used, as its last answers told.
    fn usage(&self) -> Option<Usage> {
        None
    }

    /// How far the CRM's clock is ahead of ours, as its last answer told.
    fn ahead(&self) -> Option<Elapsed> {
        None
    }

    /// Sets fields. The answers are in the order of the writes.
    async fn write(&self, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError>;

    /// Makes tasks. The answers are in the order of the tasks; `Done.note` is the task's id.
    async fn create_tasks(&self, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError>;

    /// Which of these tasks exist already (by the key in their text), with their ids.
    async fn find_tasks(&self, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError>;

    /// Everybody who can own a record, inactive ones and queues included.
    async fn people(&self) -> Result<Vec<Person>, CrmError>;

    /// Is told, before any news or history is understood, who these people were when they were last read.
    fn recall(&self, _people: &[Person]) {}

    /// Where a person opens this record.
    fn record_url(&self, object: Object, id: &RecordId) -> Option<String>;

    /// The field of that logical name exists in this connection, so that it can be written.
    fn maps(&self, object: Object, field: crate::record::FieldName) -> bool;

    /// Whether it takes activities that are done already, to keep on a record what a person answered.
    fn keeps_notes(&self) -> bool {
        true
    }

    /// Keeps what somebody granted by signing in from falling idle: renews it if that was not done for
    /// a day, though nobody called meanwhile. To be called from time to time by any one replica;
    /// nothing where nobody signs in.
    ///
    /// # Errors
    /// [`CrmError::SignIn`] when somebody has to sign in again.
    async fn keep_signed_in(&self) -> Result<(), CrmError> {
        Ok(())
    }

    /// Asks the CRM about itself, changing nothing. `None`: it cannot be asked.
    async fn examine(&self, _wanted: &Wanted) -> Option<Examined> {
        None
    }

    /// What this connection cannot do, since its description does not say how; changes nothing.
    async fn lacks(&self, _wanted: &Wanted) -> Vec<examine::Lack> {
        Vec::new()
    }

    /// Asks the CRM for what stands around the records, changing nothing.
    async fn look_around(&self, _expected: &Expected) -> Around {
        Around::default()
    }

    /// Creates fields of our own, and what they need to be seen; what exists is left as it is.
    async fn create_fields(&self, _fields: &[OwnField]) -> Vec<Made> {
        Vec::new()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub read: usize,
    pub write: usize,
    pub tasks: usize,
}

/// What a delivery said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    pub events: Vec<Event>,
    /// Events of types, objects or organisations that do not concern us, with the reason.
    pub dropped: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Event {
    pub object: Object,
    pub id: RecordId,
    /// When it happened by the CRM's clock.
    pub at: Timestamp,
    pub by: Actor,
    pub says: Says,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Signed: these fields took these values. Empty for a creation.
    Changed(FieldValues),
    /// Unsigned or not telling: only which record to read.
    ReadIt,
    Deleted,
    /// Deleted for good, and everything that is kept of the person with it.
    Erased,
    Restored,
    /// This record was merged into another, which should be read.
    Merged {
        into: RecordId,
    },
}

impl Says {
    /// The word for it in logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Says::Changed(_) => "changed",
            Says::ReadIt => "read_it",
            Says::Deleted => "deleted",
            Says::Erased => "erased",
            Says::Restored => "restored",
            Says::Merged { .. } => "merged",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reads {
    /// The answer's `Date`: the CRM's clock.
    pub at: Timestamp,
    /// In any order; a record that is neither found nor gone is missing and will be asked for again.
    pub records: Vec<(RecordId, ReadRecord)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadRecord {
    Found {
        /// The record's own modification time.
        modified: Timestamp,
        /// Every mapped field, unset ones as null; `touches` and `last_touch` included.
        values: FieldValues,
        /// What could not be read as its declared type.
        unreadable: Vec<String>,
    },
    /// Deleted, or not visible to us.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub id: RecordId,
    /// Logical names and values; `owner` is an owner id, null for nobody.
    pub values: FieldValues,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewTask {
    pub object: Object,
    pub record: RecordId,
    pub owner: Option<OwnerId>,
    pub title: String,
    pub body: String,
    pub due: Timestamp,
    /// It tells of something that was done, rather than asking for it.
    pub done: bool,
    /// Stands in the task's text, so that the task can be found again.
    pub key: String,
}

/// How one item of a write call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemResult {
    /// `modified`: the record's modification time by the answer; else the answer's `Date`.
    Done { modified: Timestamp, note: Option<String> },
    /// Never going to work as it is: validation, permission.
    Refused { message: String },
    /// Deleted, merged away or converted: read it again.
    Gone { message: String },
    /// Locked or limited for the moment.
    Later { message: String, after: Option<Duration> },
}

/// Why a whole call failed, as what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrmError {
    /// Nothing was done; try again, not before `after`.
    #[error("try again later: {message}")]
    Later { message: String, after: Option<Duration> },
    /// It may or may not have been done: time-out, dropped connection, 5xx. Read back.
    #[error("unknown whether it was done: {message}")]
    Doubt { message: String },
    /// Nothing was done and nothing will be until somebody changes something.
    #[error("refused: {message}")]
    Never { message: String },
    /// The credentials are not accepted any more.
    #[error("not signed in: {message}")]
    SignIn { message: String },
}

/// Somebody or something that can own a record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Person {
    pub id: OwnerId,
    /// By which the CRM's news name the same person, where it is another id.
    #[serde(default)]
    pub user: Option<OwnerId>,
    pub name: String,
    pub email: Option<String>,
    pub active: bool,
    pub manager: Option<OwnerId>,
    pub queue: bool,
}

/// A connector, shared by the web floor's receivers and the engine.
pub type SharedCrm = Arc<dyn Crm>;
