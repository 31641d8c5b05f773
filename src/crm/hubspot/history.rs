//! The values that properties took before: what a sweep finds changed gets the true time of it, and
//! who did it, from HubSpot's own history of the properties that clocks look at.

use super::read::{Batch, DEAL_STAGE, Past, Row, know_stages};
use super::{HubSpot, associations};
use crate::crm::{CrmError, Event, Says};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Actor, Object, RecordId, Timestamp, Value};
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};

/// Most inputs of a batch read with history.
const BATCH: usize = 50;
/// The properties whose times matter, by logical name; others are as of the read.
const DATED: [&str; 6] = ["owner", "status", "stage_name", "reject_reason", "touches", "opportunity"];

pub(super) async fn histories(
    crm: &HubSpot,
    object: Object,
    asked: &[(RecordId, Timestamp)],
) -> Result<Vec<Event>, CrmError> {
    let mut events = associations::histories(crm, object, asked).await?;
    let properties = properties(crm, object);
    if properties.is_empty() {
        return Ok(events);
    }
    for some in asked.chunks(BATCH) {
        let inputs: Vec<Json> = some.iter().map(|(id, _)| json!({ "id": id.as_str() })).collect();
        let body = json!({ "inputs": inputs, "properties": [], "propertiesWithHistory": properties });
        let path = format!("{}/batch/read", crm.object_type(object).path());
        let answer = crm.api.post(&crm.api.objects(&path), &body).await?;
        let batch: Batch = answer.json()?;
        if object == Object::Opportunity && crm.derives_status {
            know_stages(crm, &stages(&batch), answer.at).await?;
        }
        let since: HashMap<&str, Timestamp> = some.iter().map(|(id, since)| (id.as_str(), *since)).collect();
        for row in &batch.results {
            let since = since.get(row.id.as_str()).copied().unwrap_or(Timestamp::MAX);
            events.extend(of_record(crm, object, row, since));
        }
    }
    Ok(events)
}

fn properties(crm: &HubSpot, object: Object) -> BTreeSet<&str> {
    let dated = crm.fields.of(object).iter().filter(|f| DATED.contains(&f.name.as_str()));
    let derived = (object == Object::Opportunity && crm.derives_status).then_some(DEAL_STAGE);
    dated.map(|f| f.crm_name.as_str()).chain(derived).collect()
}

fn stages(batch: &Batch) -> Vec<&str> {
    let past = batch.results.iter().flat_map(|row| row.properties_with_history.get(DEAL_STAGE).into_iter().flatten());
    past.filter_map(|past| past.value.as_deref()).filter(|stage| !stage.is_empty()).collect()
}

fn of_record(crm: &HubSpot, object: Object, row: &Row, since: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    for (property, list) in &row.properties_with_history {
        for past in list {
            let Some(at) = Timestamp::parse(&past.timestamp).filter(|at| *at >= since) else { continue };
            let values = values(crm, object, property, past.value.as_deref().unwrap_or_default());
            if !values.is_empty() {
                let (id, by) = (RecordId::new(&row.id), actor(crm, past));
                events.push(Event { object, id, at, by, says: Says::Changed(values) });
            }
        }
    }
    events
}

fn values(crm: &HubSpot, object: Object, property: &str, value: &str) -> FieldValues {
    let mapped = crm.fields.by_crm_name(object, property);
    let mut values: FieldValues = mapped.map(|f| (f.name, f.read(value).unwrap_or_default())).collect();
    if object == Object::Opportunity && crm.derives_status && property == DEAL_STAGE {
        values.extend(crm.pipelines.status_of(value).map(|status| (well_known().status, Value::text(status))));
    }
    values
}

/// As of webhooks: a person only where the user is named, an automation only where it is certain.
fn actor(crm: &HubSpot, past: &Past) -> Actor {
    if let Some(user) = past.source_id.as_deref().and_then(super::names_person) {
        let owner = crm.users.owner(user);
        let automation = crm.users.is_listed(user, &owner, &crm.automation_users);
        return if automation { Actor::Automation } else { Actor::Person(owner) };
    }
    match past.source_type.as_deref() {
        Some(source) if super::events::WORKFLOWS.contains(&source) => Actor::Automation,
        _ => Actor::Unknown,
    }
}
