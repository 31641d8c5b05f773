//! Tasks on records. HubSpot takes no idempotency key, so a task carries its key in its text and is
//! looked for by it: through the record's associations, not by search, whose index lags behind.

use super::api::{BATCH, ObjectType};
use super::read::{Batch, Row};
use super::{HubSpot, associations};
use crate::crm::{CrmError, ItemResult, NewTask};
use crate::record::Timestamp;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};

const BODY: &str = "hs_task_body";

pub(super) async fn create(crm: &HubSpot, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let inputs: Vec<Json> = tasks.iter().enumerate().map(|(i, task)| input(crm, i, task)).collect();
    let answer = crm.api.post(&crm.api.objects("tasks/batch/create"), &json!({ "inputs": inputs })).await?;
    let batch: Batch = answer.json()?;
    let failed = |i: usize| batch.errors.iter().find(|e| e.concerns(&i.to_string(), None));
    let all_told = batch.results.len() + (0..tasks.len()).filter(|i| failed(*i).is_some()).count() >= tasks.len();
    let one = |(i, task): (usize, &NewTask)| match (failed(i), made(&batch, i, task)) {
        (Some(error), _) => Ok(error.result()),
        (None, Some(row)) => Ok(done(row.updated().unwrap_or(answer.at), Some(row.id.clone()))),
        (None, None) if all_told => Ok(done(answer.at, None)),
        // Sending it again could make it twice; doubt makes the caller look for it first.
        (None, None) => Err(CrmError::Doubt { message: "HubSpot did not answer for every task".to_owned() }),
    };
    tasks.iter().enumerate().map(one).collect()
}

fn done(modified: Timestamp, note: Option<String>) -> ItemResult {
    ItemResult::Done { modified, note }
}

fn input(crm: &HubSpot, index: usize, task: &NewTask) -> Json {
    json!({
        "objectWriteTraceId": index.to_string(),
        "properties": {
            "hs_timestamp": task.due.to_string(),
            "hs_task_subject": task.title,
            BODY: body(task),
            "hs_task_status": if task.done { "COMPLETED" } else { "NOT_STARTED" },
            "hs_task_priority": if task.done { "NONE" } else { "HIGH" },
            // HubSpot's word for a task that is neither a call nor a mail.
            "hs_task_type": "TODO",
            "hubspot_owner_id": task.owner.as_ref().map_or("", |o| o.as_str()),
        },
        "associations": [{
            "to": { "id": task.record.as_str() },
            "types": [{
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": crm.object_type(task.object).association_from_task(),
            }],
        }],
    })
}

/// HubSpot shows a task's text as rich text. The key is added where the text lacks it.
fn body(task: &NewTask) -> String {
    let text = match task.body.contains(&task.key) {
        true => task.body.clone(),
        false => format!("{}\n\n{}", task.body, task.key),
    };
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>")
}

fn carries(row: &Row, key: &str) -> bool {
    let unescape = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    row.text(BODY).is_some_and(|body| unescape(body).contains(key))
}

fn made<'a>(batch: &'a Batch, index: usize, task: &NewTask) -> Option<&'a Row> {
    let trace = index.to_string();
    let by_trace = batch.results.iter().find(|row| row.object_write_trace_id.as_deref() == Some(&trace));
    by_trace.or_else(|| batch.results.iter().find(|row| carries(row, &task.key)))
}

pub(super) async fn find(crm: &HubSpot, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
    let mut records: HashMap<ObjectType, BTreeSet<&str>> = HashMap::new();
    for task in tasks {
        records.entry(crm.object_type(task.object)).or_default().insert(task.record.as_str());
    }
    let mut ids = BTreeSet::new();
    for (object_type, records) in records {
        // Those without any are merely absent from the answer.
        ids.extend(associations::of(crm, object_type, "tasks", records).await?.all());
    }
    let rows = bodies(crm, ids).await?;
    let id_of = |task: &NewTask| rows.iter().find(|row| carries(row, &task.key)).map(|row| row.id.clone());
    Ok(tasks.iter().map(id_of).collect())
}

#[derive(Deserialize)]
pub(super) struct Paging {
    pub next: Option<Next>,
}

#[derive(Deserialize)]
pub(super) struct Next {
    pub after: String,
}

async fn bodies(crm: &HubSpot, ids: BTreeSet<String>) -> Result<Vec<Row>, CrmError> {
    let ids: Vec<String> = ids.into_iter().collect();
    let mut rows = Vec::new();
    for some in ids.chunks(BATCH) {
        let inputs: Vec<Json> = some.iter().map(|id| json!({ "id": id })).collect();
        let body = json!({ "inputs": inputs, "properties": [BODY], "propertiesWithHistory": [] });
        let answer = crm.api.post(&crm.api.objects("tasks/batch/read"), &body).await?;
        rows.extend(answer.json::<Batch>()?.results);
    }
    Ok(rows)
}
