//! Something to be done outside, decided by the core and carried out by deliver.

use super::change::FieldValues;
use super::order::Reply;
use super::{OwnerId, PartyName, RecordKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// connection/object/id/pass/source/run/step/action/recipient: the same intent has the same key,
/// so it is stored once however often it is decided.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectKey(Arc<str>);

impl EffectKey {
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Whom a notice is for. Channels are named by the agreement; people are looked up when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The record's owner at the moment of sending.
    Owner,
    /// A certain person: the owner from whom a lead was taken.
    Person(OwnerId),
    /// The owner's manager by the CRM, else the party's manager by the agreement.
    Manager,
    /// `#channel`, with its `#`.
    Slack(Arc<str>),
    Email(Arc<str>),
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipient::Owner => f.write_str("owner"),
            Recipient::Person(id) => write!(f, "person:{id}"),
            Recipient::Manager => f.write_str("manager"),
            Recipient::Slack(channel) => write!(f, "slack:{channel}"),
            Recipient::Email(address) => write!(f, "email:{address}"),
        }
    }
}

/// What a notice says; each has its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Before the deadline.
    Reminder,
    /// At or after the deadline.
    Breach,
    /// To the former owner and the receiver, after the lead moved.
    Recycled,
    Reassigned,
    Nurtured,
    /// A required field is missing.
    Violation,
    /// A person had a move undone: to who has the record again, and to who had it meanwhile.
    Undone,
    /// Something else keeps changing back what leadpact moves, which lets the record be from now on.
    Contested,
}

impl Notice {
    /// The template's file name without its ending.
    pub fn as_str(self) -> &'static str {
        match self {
            Notice::Reminder => "reminder",
            Notice::Breach => "breach",
            Notice::Recycled => "recycled",
            Notice::Reassigned => "reassigned",
            Notice::Nurtured => "nurtured",
            Notice::Violation => "violation",
            Notice::Undone => "undone",
            Notice::Contested => "contested",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Read this record from the CRM, once.
    Read,
    Notify {
        to: Recipient,
        notice: Notice,
    },
    /// A task for the owner; the title is a template.
    Task {
        title: Arc<str>,
    },
    Reassign {
        to: PartyName,
    },
    Recycle {
        to: PartyName,
        set: FieldValues,
    },
    Nurture {
        set: FieldValues,
    },
    Set {
        set: FieldValues,
    },
    /// Put back what a move changed, by a person's order.
    Undo {
        /// The move.
        of: EffectKey,
        /// What stood on the record before it.
        set: FieldValues,
        by: String,
        why: String,
    },
    /// Write what a person answered to a promise.
    Answer {
        set: FieldValues,
        /// Their name.
        by: String,
        reply: Reply,
    },
    /// Keep on the record, as an activity that is done, what a person answered.
    Note {
        text: Arc<str>,
    },
    /// Bring our own fields on the record (flag, violation, due, clock, last action) up to date.
    Annotate,
}

impl Action {
    /// The word for it in keys, journal and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Action::Read => "read",
            Action::Notify { .. } => "notify",
            Action::Task { .. } => "task",
            Action::Reassign { .. } => "reassign",
            Action::Recycle { .. } => "recycle",
            Action::Nurture { .. } => "nurture",
            Action::Set { .. } => "set",
            Action::Undo { .. } => "undo",
            Action::Answer { .. } => "answer",
            Action::Note { .. } => "note",
            Action::Annotate => "annotate",
        }
    }

    /// Whether it takes a lead away from somebody: these are re-checked hardest.
    pub fn moves(&self) -> bool {
        matches!(self, Action::Reassign { .. } | Action::Recycle { .. } | Action::Nurture { .. } | Action::Undo { .. })
    }

    /// Whether it becomes an activity of its own instead of changing the record's fields.
    pub fn is_activity(&self) -> bool {
        matches!(self, Action::Task { .. } | Action::Note { .. })
    }

    /// Whether it writes to the CRM.
    pub fn writes(&self) -> bool {
        !matches!(self, Action::Read | Action::Notify { .. })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    pub key: EffectKey,
    pub record: RecordKey,
    pub action: Action,
    /// The clock, requirement or handoff that asks for it; empty for reads and annotations.
    pub source: Arc<str>,
    pub pass: u32,
    pub run: u32,
    pub step: Arc<str>,
    /// When the agreement wanted it.
    pub at: Timestamp,
    /// Not before this moment: working hours, agreed distance, settle time.
    pub not_before: Timestamp,
    /// The deadline of the run that asks for it.
    pub deadline: Option<Timestamp>,
}
