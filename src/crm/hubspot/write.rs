//! Setting fields: one batch call for up to 100 records, settled item by item. A logical field
//! without a property is left out; a write of nothing else is refused without asking HubSpot.

use super::HubSpot;
use super::read::{Batch, Row};
use crate::crm::fields::MappedField;
use crate::crm::{CrmError, ItemResult, Write};
use crate::record::{Object, Timestamp, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;

pub(super) async fn write(crm: &HubSpot, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
    let mut inputs = Vec::new();
    let mut results = Vec::new();
    let mut seen = HashSet::new();
    for (index, write) in writes.iter().enumerate() {
        let properties = properties(crm, object, write);
        results.push(if properties.is_empty() {
            Some(ItemResult::Refused { message: "none of these fields is mapped".to_owned() })
        } else if !seen.insert(&write.id) {
            // HubSpot refuses a whole batch that names a record twice.
            Some(ItemResult::Later { message: "written already in the same call".to_owned(), after: None })
        } else {
            let trace = index.to_string();
            inputs.push(json!({ "id": write.id.as_str(), "objectWriteTraceId": trace, "properties": properties }));
            None
        });
    }
    if inputs.is_empty() {
        return Ok(results.into_iter().flatten().collect());
    }
    let url = crm.api.objects(&format!("{}/batch/update", crm.object_type(object).path()));
    let answer = crm.api.post(&url, &json!({ "inputs": inputs })).await?;
    let batch: Batch = answer.json()?;
    let settled = results.into_iter().zip(writes).enumerate();
    Ok(settled.map(|(i, (known, write))| known.unwrap_or_else(|| settle(&batch, i, write, answer.at))).collect())
}

fn properties(crm: &HubSpot, object: Object, write: &Write) -> Map<String, Json> {
    let mapped = write.values.iter().filter_map(|(name, value)| Some((crm.fields.by_name(object, *name)?, value)));
    mapped.map(|(field, value)| (field.crm_name.clone(), Json::String(to_text(field, value)))).collect()
}

/// Values travel as text; `""` clears.
fn to_text(field: &MappedField, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => field.to_crm(text).to_owned(),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_string(),
    }
}

fn settle(batch: &Batch, index: usize, write: &Write, at: Timestamp) -> ItemResult {
    let trace = index.to_string();
    let id = write.id.as_str();
    if let Some(row) = batch.results.iter().find(|row| answers(row, &trace, id)) {
        return ItemResult::Done { modified: modified(row).unwrap_or(at), note: None };
    }
    match batch.errors.iter().find(|e| e.concerns(&trace, Some(id))) {
        Some(error) => error.result(),
        // Deliver reads the record before it tries again, so a write that landed is seen.
        None => ItemResult::Later { message: "HubSpot did not answer for this record".to_owned(), after: None },
    }
}

/// By the trace id, or by the record's own id where HubSpot leaves the trace out.
fn answers(row: &Row, trace: &str, id: &str) -> bool {
    row.object_write_trace_id.as_deref().map_or(row.id == id, |t| t == trace)
}

fn modified(row: &Row) -> Option<Timestamp> {
    let property = || row.text("hs_lastmodifieddate").or_else(|| row.text("lastmodifieddate"));
    row.updated().or_else(|| Timestamp::parse(property()?))
}
