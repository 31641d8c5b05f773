//! What stands around the records in a CRM, asked without changing anything: what sends us changes,
//! which queues take records, and whether our own writes come back to us as messages. What to make
//! of the answers is decided elsewhere.

use super::CrmError;
use crate::record::{Object, OwnerId};

/// What a connection expects of its CRM.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The address that the CRM sends to, less what a secret adds to it; empty where it is unknown.
    pub target: String,
    /// For each object, the CRM's names of the fields whose changes we have to hear of.
    pub watched: Vec<(Object, Vec<String>)>,
    /// Queues that take records.
    pub queues: Vec<OwnerId>,
}

/// An answer; `None` where this CRM has no such thing or cannot be asked for it.
pub type Answered<T> = Option<Result<T, CrmError>>;

/// Each answer for itself: one that failed hides no other.
#[derive(Clone, Debug, Default)]
pub struct Around {
    pub senders: Answered<Vec<Sender>>,
    pub queues: Answered<Vec<QueueTold>>,
    pub echoes: Answered<Echoes>,
}

/// What tells us of changes: an outbound message, and the flow that sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    pub object: Object,
    pub name: String,
    /// Where it goes; may end in a secret, and is never shown whole.
    pub target: String,
    /// The user with whose rights it is filled in.
    pub user: Option<String>,
    /// Whether a session of that user goes with it.
    pub with_session: bool,
    /// The flow that leadpact generates for it, where there is one.
    pub flow: Option<Flow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    pub name: String,
    pub active: bool,
    /// The fields whose changes start it; `None` where its definition is not shown to us.
    pub starts_at: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueTold {
    pub id: OwnerId,
    /// The CRM's names of the objects that it may own.
    pub takes: Vec<String>,
    /// Users, and groups or roles, by their ids.
    pub members: Vec<OwnerId>,
}

/// Whether what we write ourselves is sent to us as a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Echoes {
    /// Our user sends no messages.
    Silent,
    /// It does, by these permission sets or profiles.
    Sent(Vec<String>),
    /// The CRM names no such permission.
    Untold,
}
