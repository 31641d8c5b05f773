//! Reading records: one batch call for up to 100, one for their associations where the agreement needs
//! them, and one for the deal pipelines when a stage is unknown or they were last fetched a day ago. Touches come from HubSpot's own counter properties.

use super::api::ObjectType;
use super::error::ItemError;
use super::{HubSpot, associations};
use crate::crm::fields::MappedField;
use crate::crm::{CrmError, ReadRecord, Reads};
use crate::record::field::well_known;
use crate::record::{Object, RecordId, Timestamp, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What a contact's name is put together from.
pub(super) const NAME_PARTS: [&str; 2] = ["firstname", "lastname"];
/// What stands for a name where there is none.
const NAME_FALLBACK: &str = "email";
/// The stage's id, from which a deal's status follows.
pub(super) const DEAL_STAGE: &str = "dealstage";

/// A batch answer, of reads, writes and tasks alike.
#[derive(Deserialize)]
pub(super) struct Batch {
    #[serde(default)]
    pub results: Vec<Row>,
    #[serde(default)]
    pub errors: Vec<ItemError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub id: String,
    #[serde(default)]
    pub properties: HashMap<String, Json>,
    pub updated_at: Option<String>,
    #[serde(default)]
    pub archived: bool,
    pub archived_at: Option<String>,
    #[serde(default)]
    pub properties_with_history: HashMap<String, Vec<Past>>,
    pub object_write_trace_id: Option<String>,
}

/// A value that a property took.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Past {
    #[serde(default)]
    pub value: Option<String>,
    pub timestamp: String,
    #[serde(default)]
    pub source_type: Option<String>,
    #[serde(default)]
    pub source_id: Option<String>,
}

impl Row {
    /// The property as text; unset and absent are the same.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str().filter(|t| !t.is_empty())
    }

    pub fn time(&self, property: &str) -> Option<Timestamp> {
        Timestamp::parse(self.text(property)?)
    }

    pub fn updated(&self) -> Option<Timestamp> {
        Timestamp::parse(self.updated_at.as_deref()?)
    }
}

pub(super) async fn read(crm: &HubSpot, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
    let object_type = crm.object_type(object);
    let inputs: Vec<Json> = ids.iter().map(|id| json!({ "id": id.as_str() })).collect();
    let body = json!({
        "inputs": inputs,
        "properties": properties(crm, object, object_type),
        "propertiesWithHistory": [],
    });
    let answer = crm.api.post(&crm.api.objects(&format!("{}/batch/read", object_type.path())), &body).await?;
    let batch: Batch = answer.json()?;
    if object == Object::Opportunity && crm.derives_status {
        let stages: Vec<&str> = batch.results.iter().filter_map(|row| row.text(DEAL_STAGE)).collect();
        know_stages(crm, &stages, answer.at).await?;
    }
    let mut records = records(crm, object, ids, &batch, answer.at);
    associations::add_links(crm, object, &mut records).await?;
    Ok(Reads { at: answer.at, records })
}

fn properties(crm: &HubSpot, object: Object, object_type: ObjectType) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = crm.fields.of(object).iter().map(|f| f.crm_name.as_str()).collect();
    names.insert(object_type.modified_property());
    if object == Object::Opportunity && crm.derives_status {
        names.insert(DEAL_STAGE);
    }
    if object == Object::Lead && crm.composes_name {
        names.extend(NAME_PARTS);
        names.insert(NAME_FALLBACK);
    }
    names
}

/// Fetches the pipelines when one of these stages is new to us or what we know is old.
pub(super) async fn know_stages(crm: &HubSpot, stages: &[&str], now: Timestamp) -> Result<(), CrmError> {
    let known = stages.iter().all(|stage| crm.pipelines.status_of(stage).is_some());
    if stages.is_empty() || (known && crm.pipelines.is_fresh(now)) {
        return Ok(());
    }
    let answer = crm.api.get(&crm.api.deal_pipelines()).await?;
    crm.pipelines.replace(answer.json()?, answer.at);
    Ok(())
}

fn records(
    crm: &HubSpot,
    object: Object,
    ids: &[RecordId],
    batch: &Batch,
    at: Timestamp,
) -> Vec<(RecordId, ReadRecord)> {
    let rows: HashMap<&str, &Row> = batch.results.iter().map(|row| (row.id.as_str(), row)).collect();
    // Whoever is named by another error than "not found" was not looked at; nor was anybody who is
    // missing without an error, when such an error names nobody.
    let failed: Vec<&ItemError> = batch.errors.iter().filter(|e| !e.is_not_found()).collect();
    let unsure: HashSet<&str> = failed.iter().flat_map(|e| &e.context.ids).map(String::as_str).collect();
    let anybody = failed.iter().any(|e| e.context.ids.is_empty());
    let gone = |id: &str| {
        let named = batch.errors.iter().any(|e| e.is_not_found() && e.context.ids.iter().any(|i| i == id));
        named || !(anybody || unsure.contains(id))
    };
    let one = |id: &RecordId| match rows.get(id.as_str()) {
        Some(row) if row.archived => Some((id.clone(), ReadRecord::Gone)),
        Some(row) => Some((id.clone(), found(crm, object, row, at))),
        None => gone(id.as_str()).then(|| (id.clone(), ReadRecord::Gone)),
    };
    ids.iter().filter_map(one).collect()
}

fn found(crm: &HubSpot, object: Object, row: &Row, at: Timestamp) -> ReadRecord {
    let mut values = Vec::new();
    let mut unreadable = Vec::new();
    for field in crm.fields.of(object) {
        match value(field, row) {
            Ok(value) => values.push((field.name, value)),
            Err(why) => {
                values.push((field.name, Value::Null));
                unreadable.push(why);
            }
        }
    }
    if object == Object::Lead && crm.composes_name {
        values.push((well_known().name, composed_name(row)));
    }
    if object == Object::Opportunity && crm.derives_status {
        values.push((well_known().status, derived_status(crm, row, &mut unreadable)));
    }
    let modified = row.time(crm.object_type(object).modified_property()).or_else(|| row.updated());
    ReadRecord::Found { modified: modified.unwrap_or(at), values, unreadable }
}

fn value(field: &MappedField, row: &Row) -> Result<Value, String> {
    match row.properties.get(&field.crm_name) {
        Some(json) => field.read_json(json).map_err(|why| format!("{}: {why}", field.name)),
        None => Ok(Value::Null),
    }
}

fn composed_name(row: &Row) -> Value {
    let parts: Vec<&str> = NAME_PARTS.iter().filter_map(|p| row.text(p)).collect();
    match parts.is_empty() {
        true => row.text(NAME_FALLBACK).map_or(Value::Null, Value::text),
        false => Value::text(parts.join(" ")),
    }
}

fn derived_status(crm: &HubSpot, row: &Row, unreadable: &mut Vec<String>) -> Value {
    let Some(stage) = row.text(DEAL_STAGE) else { return Value::Null };
    match crm.pipelines.status_of(stage) {
        Some(status) => Value::text(status),
        None => {
            unreadable.push(format!("status: the stage `{stage}` is in no pipeline"));
            Value::Null
        }
    }
}
