//! The values that tracked fields took before, from LeadHistory and OpportunityFieldHistory, where the
//! organisation keeps them and shows them to us: true times, and who changed it. An opportunity's status
//! has no history of its own: it follows from the stage, as OpportunityStage says what each means today.

use super::api::{self, Api, id_list};
use super::id;
use crate::crm::fields::FieldMap;
use crate::crm::{CrmError, Event, Says};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Actor, Object, OwnerId, RecordId, Timestamp, Value};
use serde_json::Value as Json;
use std::collections::HashMap;

/// Ids of one query: its address stays short enough.
const IDS: usize = 200;

pub async fn histories(
    api: &Api,
    map: &FieldMap,
    automation: &[OwnerId],
    object: Object,
    asked: &[(RecordId, Timestamp)],
) -> Result<Vec<Event>, CrmError> {
    let (table, column) = match object {
        Object::Lead => ("LeadHistory", "LeadId"),
        Object::Opportunity => ("OpportunityFieldHistory", "OpportunityId"),
    };
    let stages = match object {
        Object::Opportunity if !asked.is_empty() => stages(api, map).await?,
        _ => Stages::new(),
    };
    let mut events = Vec::new();
    for some in asked.chunks(IDS) {
        let ids = id_list(some.iter().map(|(id, _)| id.as_str()));
        let earliest = some.iter().map(|(_, since)| *since).min().unwrap_or(Timestamp::MIN);
        // The earliest moment of all has no date to be written as.
        let dated = if earliest == Timestamp::MIN { String::new() } else { format!(" AND CreatedDate >= {earliest}") };
        let query = format!(
            "SELECT {column},Field,NewValue,CreatedDate,CreatedById FROM {table} WHERE {column} IN {ids}{dated} \
             ORDER BY CreatedDate"
        );
        let Some(rows) = api.query_if_visible(&query).await? else { return Ok(Vec::new()) };
        let since: HashMap<String, Timestamp> =
            some.iter().map(|(id, since)| (id::or_as_is(id.as_str()), *since)).collect();
        events.extend(rows.rows.iter().filter_map(|row| {
            let record = id::record(api::text(row, column)?);
            let at = api::time(row, "CreatedDate").filter(|at| since.get(record.as_str()).is_some_and(|s| at >= s))?;
            let values = values(map, object, row, &stages);
            let by = actor(automation, row);
            (!values.is_empty()).then_some(Event { object, id: record, at, by, says: Says::Changed(values) })
        }));
    }
    Ok(events)
}

/// What each stage makes of an opportunity, by its name in lower case.
type Stages = HashMap<String, &'static str>;

/// Nothing where the status is a field of its own, or the stages are not shown to us.
async fn stages(api: &Api, map: &FieldMap) -> Result<Stages, CrmError> {
    if map.by_name(Object::Opportunity, well_known().status).is_some() {
        return Ok(Stages::new());
    }
    let query = "SELECT MasterLabel,ApiName,IsClosed,IsWon FROM OpportunityStage";
    let Some(rows) = api.query_if_visible(query).await? else { return Ok(Stages::new()) };
    let is = |row: &Json, name| api::field(row, name).as_bool() == Some(true);
    let named = rows.rows.iter().flat_map(|row| {
        let status = match (is(row, "IsClosed"), is(row, "IsWon")) {
            (true, true) => "won",
            (true, false) => "lost",
            (false, _) => "open",
        };
        // History shows the one or the other, by when the stage was renamed.
        ["MasterLabel", "ApiName"]
            .into_iter()
            .filter_map(move |name| Some((api::text(row, name)?.to_lowercase(), status)))
    });
    Ok(named.collect())
}

/// What the row sets. A change of owner has two rows, one with names and one with ids.
fn values(map: &FieldMap, object: Object, row: &Json, stages: &Stages) -> FieldValues {
    let Some(field) = api::text(row, "Field") else { return Vec::new() };
    let is_owner = field.eq_ignore_ascii_case("Owner") || field.eq_ignore_ascii_case("OwnerId");
    let new = api::field(row, "NewValue");
    if is_owner {
        let owner = new.as_str().and_then(id::normalise).filter(|id| is_owner_id(id));
        return owner.map(|id| (well_known().owner, Value::text(id))).into_iter().collect();
    }
    let named = map.of(object).iter().filter(|f| f.crm_name.eq_ignore_ascii_case(field));
    let status = new.as_str().filter(|_| field.eq_ignore_ascii_case("StageName"));
    let status = status.and_then(|stage| stages.get(&stage.to_lowercase()));
    let status = status.map(|status| (well_known().status, Value::text(*status)));
    named.filter_map(|f| Some((f.name, f.read_json(new).ok()?))).chain(status).collect()
}

/// A user or a queue.
fn is_owner_id(id: &str) -> bool {
    id.starts_with("005") || id::is_queue(id)
}

fn actor(automation: &[OwnerId], row: &Json) -> Actor {
    let Some(user) = api::text(row, "CreatedById").map(id::owner) else { return Actor::Unknown };
    let is_listed = automation.iter().any(|a| id::or_as_is(a.as_str()) == user.as_str());
    if is_listed { Actor::Automation } else { Actor::Person(user) }
}
