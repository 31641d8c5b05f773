//! What happens in a pretend organisation, told to whoever listens: the webhooks, the sales floor,
//! the demo. `Display` says it in a sentence.

use super::vocabulary;
use crate::record::Timestamp;
use serde_json::Value as Json;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CrmKind {
    HubSpot,
    Salesforce,
}

/// Who changed something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// An owner's id.
    Person(String),
    /// Whoever called the API: leadpact.
    App,
    Import,
    /// A form on the website.
    Form,
}

/// One thing that happened to one record.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldEvent {
    pub crm: CrmKind,
    /// By the CRM's clock.
    pub at: Timestamp,
    pub by: By,
    /// The person's name; `leadpact`, `an import`, `a form` for others.
    pub by_name: String,
    pub object: String,
    pub id: String,
    pub record_name: String,
    pub what: Happened,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    Created,
    /// `value` is null when the field was cleared. `shown` is the value for people: a name for an
    /// owner's id, a logical status for the CRM's.
    Changed {
        property: String,
        old: Json,
        value: Json,
        shown: String,
    },
    Deleted,
    Merged {
        into: String,
    },
    Associated {
        to_object: String,
        to_id: String,
        type_id: u32,
        removed: bool,
    },
}

impl WorldEvent {
    /// The logical name of the changed field, where the field has one.
    pub fn field(&self) -> Option<&'static str> {
        match &self.what {
            Happened::Changed { property, .. } => vocabulary::logical(self.crm, &self.object, property),
            _ => None,
        }
    }
}

impl fmt::Display for WorldEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, record) = (&self.by_name, &self.record_name);
        match &self.what {
            Happened::Created => write!(f, "{who} created {record}"),
            Happened::Deleted => write!(f, "{who} deleted {record}"),
            Happened::Merged { into } => write!(f, "{who} merged {record} into {into}"),
            Happened::Associated { to_object, to_id, removed: false, .. } => {
                write!(f, "{record} now belongs to {to_object} {to_id}")
            }
            Happened::Associated { to_object, to_id, .. } => write!(f, "{record} left {to_object} {to_id}"),
            Happened::Changed { property, shown, .. } => match (self.field(), shown.as_str()) {
                (Some("status"), status) => write!(f, "{who} {} {record}", verb(status)),
                (Some("owner"), "") => write!(f, "{who} took the owner off {record}"),
                (Some("owner"), owner) => write!(f, "{who} gave {record} to {owner}"),
                (Some("touches"), _) => write!(f, "{who} contacted {record}"),
                (field, "") => write!(f, "{who} cleared {} of {record}", field.unwrap_or(property)),
                (field, value) => write!(f, "{who} set {} of {record} to {value}", field.unwrap_or(property)),
            },
        }
    }
}

/// What moving a lead to that logical status is called.
fn verb(status: &str) -> &'static str {
    match status {
        "Open" => "opened",
        "Qualified by marketing" => "qualified for teleprospecting",
        "Accepted" => "accepted",
        "Qualified by teleprospecting" => "qualified for sales",
        "Working" => "is working",
        "Rejected" => "rejected",
        "Nurture" => "nurtures",
        _ => "changed the status of",
    }
}
