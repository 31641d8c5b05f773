//! One record of a pretend organisation with its history, and how its fields read. Changing it is
//! the world's business.

use super::event::{By, CrmKind};
use super::vocabulary::HUBSPOT_DEAL_STAGES;
use crate::record::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Fields by the CRM's names; null clears.
pub type Values = BTreeMap<String, Json>;

/// One field took one value.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyChange {
    pub at: Timestamp,
    pub by: By,
    pub property: String,
    pub old: Json,
    pub value: Json,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StoredRecord {
    pub crm: CrmKind,
    pub object: String,
    pub id: String,
    /// Set fields only.
    pub properties: Values,
    pub created: Timestamp,
    pub created_by: By,
    pub modified: Timestamp,
    pub modified_by: By,
    pub archived: bool,
    /// Oldest first.
    pub history: Vec<PropertyChange>,
}

impl StoredRecord {
    /// A field's value, those that the CRM itself keeps included; null when it is unset.
    pub fn get(&self, name: &str) -> Json {
        match self.crm {
            CrmKind::HubSpot => self.hubspot(name),
            CrmKind::Salesforce => self.salesforce(name),
        }
    }

    /// A text field, `""` when it is unset.
    pub fn text(&self, name: &str) -> String {
        match self.get(name) {
            Json::Null => String::new(),
            Json::String(text) => text,
            other => other.to_string(),
        }
    }

    /// What a person would call it.
    pub fn name(&self) -> String {
        let full = |first: &str, last: &str| format!("{} {}", self.text(first), self.text(last)).trim().to_owned();
        let name = match (self.crm, self.object.as_str()) {
            (CrmKind::HubSpot, "contacts") => full("firstname", "lastname"),
            (CrmKind::HubSpot, "deals") => self.text("dealname"),
            (CrmKind::HubSpot, "tasks") => self.text("hs_task_subject"),
            (CrmKind::HubSpot, _) => self.text("hs_lead_name"),
            (CrmKind::Salesforce, "Lead" | "User" | "Opportunity" | "Group") => self.text("Name"),
            (CrmKind::Salesforce, _) => self.text("Subject"),
        };
        if name.is_empty() { format!("{} {}", self.object, self.id) } else { name }
    }

    fn hubspot(&self, name: &str) -> Json {
        match name {
            "hs_object_id" => json!(self.id),
            "createdate" | "hs_createdate" => json!(self.created.to_string()),
            "lastmodifieddate" | "hs_lastmodifieddate" => json!(self.modified.to_string()),
            _ => self.properties.get(name).cloned().unwrap_or(Json::Null),
        }
    }

    fn salesforce(&self, name: &str) -> Json {
        match name.to_ascii_lowercase().as_str() {
            "id" => json!(self.id),
            "createddate" => json!(datetime(self.created)),
            "lastmodifieddate" | "systemmodstamp" => json!(datetime(self.modified)),
            "createdbyid" => self.user(&self.created_by),
            "lastmodifiedbyid" => self.user(&self.modified_by),
            "isdeleted" => json!(self.archived),
            "isconverted" => self.stored("IsConverted").unwrap_or(json!(false)),
            "isclosed" if self.object == "Task" => json!(self.stored("Status") == Some(json!("Completed"))),
            "isclosed" => json!(stage_of(&self.text("StageName")).0),
            "iswon" => json!(stage_of(&self.text("StageName")).1),
            "name" if self.object == "Lead" => {
                json!(format!("{} {}", self.text("FirstName"), self.text("LastName")).trim())
            }
            _ => self.stored(name).unwrap_or(Json::Null),
        }
    }

    /// Salesforce takes names in any case.
    fn stored(&self, name: &str) -> Option<Json> {
        let exact = self.properties.get(name);
        let any_case = || self.properties.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v);
        exact.or_else(any_case).cloned()
    }

    fn user(&self, by: &By) -> Json {
        match by {
            By::Person(id) => json!(id),
            _ => json!(integration_user()),
        }
    }
}

/// The Salesforce user that API calls run as.
pub fn integration_user() -> String {
    super::id::salesforce("005", 1)
}

/// Salesforce's form of a moment: no colon in the offset.
pub fn datetime(at: Timestamp) -> String {
    at.to_string().replace('Z', "+0000")
}

/// Closed and won, by a Salesforce stage.
fn stage_of(stage: &str) -> (bool, bool) {
    match stage {
        "Closed Won" => (true, true),
        "Closed Lost" => (true, false),
        _ => (false, false),
    }
}

/// Whether an opportunity is closed, in either CRM.
pub fn is_closed(record: &StoredRecord) -> bool {
    match record.crm {
        CrmKind::Salesforce => stage_of(&record.text("StageName")).0,
        CrmKind::HubSpot => {
            let stage = record.text("dealstage");
            HUBSPOT_DEAL_STAGES.iter().any(|(id, _, closed, _)| *id == stage && *closed)
        }
    }
}
