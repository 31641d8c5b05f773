//! HubSpot's object calls over a [`World`]: one record or up to a hundred, read, made, changed, with
//! failures told item by item (status 207).

use super::call::{Answer, Call};
use super::event::By;
use super::hubspot_api::error;
use super::record::{StoredRecord, Values};
use super::world::World;
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;

/// Most inputs of a batch call, and of a batch read with history.
const BATCH: usize = 100;
const BATCH_WITH_HISTORY: usize = 50;
/// Writing a property of such a name fails: it does not exist.
const UNKNOWN_PROPERTY: &str = "no_such";

/// One name for an object type that a path may call by several.
pub fn canonical(object: &str) -> &str {
    match object {
        "contact" | "0-1" => "contacts",
        "deal" | "0-3" => "deals",
        "lead" | "leads" => "0-136",
        "task" | "0-27" => "tasks",
        other => other,
    }
}

/// The object that an association of this number leads to.
fn target_of(type_id: u64) -> &'static str {
    match type_id {
        204 | 3 | 578 | 608 => "contacts",
        216 | 4 | 582 | 1037 => "deals",
        647 => "0-136",
        203 | 215 | 646 => "tasks",
        _ => "companies",
    }
}

pub fn record_json(record: &StoredRecord, properties: &[String], history: &[String]) -> Json {
    let modified = if record.object == "contacts" { "lastmodifieddate" } else { "hs_lastmodifieddate" };
    let always = ["hs_object_id", "createdate", modified];
    let names = properties.iter().map(String::as_str).chain(always);
    let values: Map<String, Json> = names.map(|name| (name.to_owned(), record.get(name))).collect();
    let mut row = json!({
        "id": record.id,
        "properties": values,
        "createdAt": record.created.to_string(),
        "updatedAt": record.modified.to_string(),
        "archived": record.archived,
    });
    if record.archived {
        row["archivedAt"] = json!(record.modified.to_string());
    }
    if !history.is_empty() {
        let lists: Map<String, Json> = history.iter().map(|name| (name.clone(), history_of(record, name))).collect();
        row["propertiesWithHistory"] = Json::Object(lists);
    }
    row
}

/// Newest first.
fn history_of(record: &StoredRecord, property: &str) -> Json {
    let changes = record.history.iter().rev().filter(|change| change.property == property);
    let item = |change: &super::record::PropertyChange| {
        let (source, id) = source(&change.by);
        json!({
            "value": super::world::text_of(&change.value),
            "timestamp": change.at.to_string(),
            "sourceType": source,
            "sourceId": id,
        })
    };
    changes.map(item).collect()
}

/// `sourceType` and `sourceId` of a change.
pub fn source(by: &By) -> (&'static str, String) {
    match by {
        By::Person(id) => ("CRM_UI", format!("userId:{id}")),
        By::App => ("INTEGRATION", super::webhooks::APP_ID.to_string()),
        By::Import => ("IMPORT", String::new()),
        By::Form => ("FORM", String::new()),
    }
}

/// A list of a body, or an empty one.
fn list<'a>(body: &'a Json, name: &str) -> &'a [Json] {
    body[name].as_array().map_or(&[], Vec::as_slice)
}

fn names(body: &Json, name: &str) -> Vec<String> {
    list(body, name).iter().filter_map(|n| n.as_str().map(str::to_owned)).collect()
}

fn properties(input: &Json) -> Values {
    input["properties"].as_object().into_iter().flatten().map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// The inputs, or why the whole call is refused.
pub(super) fn inputs(body: &Json, most: usize) -> Result<&[Json], Answer> {
    let inputs = list(body, "inputs");
    match inputs.len() {
        0 => Err(error(400, "VALIDATION_ERROR", "Invalid input: inputs must not be empty")),
        n if n > most => {
            Err(error(400, "VALIDATION_ERROR", &format!("The maximum number of inputs is {most}, got {n}")))
        }
        _ => Ok(inputs),
    }
}

pub(super) fn body_of(call: &Call) -> Result<Json, Answer> {
    call.json().ok_or_else(|| error(400, "VALIDATION_ERROR", "Invalid input JSON on line 1, column 1"))
}

fn unknown_property(values: &Values) -> Option<Answer> {
    let name = values.keys().find(|name| name.starts_with(UNKNOWN_PROPERTY))?;
    let detail = json!([{
        "isValid": false, "message": format!("Property \"{name}\" does not exist"),
        "error": "PROPERTY_DOESNT_EXIST", "name": name,
    }]);
    Some(error(400, "VALIDATION_ERROR", &format!("Property values were not valid: {detail}")))
}

/// A failure inside of a batch answer.
pub(super) fn item_error(category: &str, message: &str, id: Option<&str>, trace: Option<&str>) -> Json {
    let mut context = json!({});
    if let Some(id) = id {
        context["ids"] = json!([id]);
    }
    if let Some(trace) = trace {
        context["objectWriteTraceId"] = json!([trace]);
    }
    json!({
        "status": "error", "category": category, "message": message, "context": context, "errors": [], "links": {},
    })
}

fn not_found(object: &str, id: &str, trace: Option<&str>) -> Json {
    let kind = object.trim_end_matches('s').to_uppercase();
    let message =
        format!("Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid.");
    item_error("OBJECT_NOT_FOUND", &message, Some(id), trace)
}

pub(super) fn batch_answer(world: &World, good: u16, results: Vec<Json>, errors: Vec<Json>) -> Answer {
    let now = world.now().to_string();
    let mut body = json!({ "status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now });
    if errors.is_empty() {
        return Answer::json(good, &body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = Json::Array(errors);
    Answer::json(207, &body)
}

fn alive(world: &World, object: &str, id: &str) -> Option<StoredRecord> {
    world.get(object, id).filter(|record| !record.archived)
}

pub fn batch_read(world: &World, object: &str, call: &Call) -> Answer {
    answer_of(try_batch_read(world, object, call))
}

pub(super) fn answer_of(result: Result<Answer, Answer>) -> Answer {
    result.unwrap_or_else(|refusal| refusal)
}

fn try_batch_read(world: &World, object: &str, call: &Call) -> Result<Answer, Answer> {
    let body = body_of(call)?;
    let (properties, history) = (names(&body, "properties"), names(&body, "propertiesWithHistory"));
    let most = if history.is_empty() { BATCH } else { BATCH_WITH_HISTORY };
    let mut asked = HashSet::new();
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs(&body, most)? {
        let id = super::world::text_of(&input["id"]);
        if !asked.insert(id.clone()) {
            continue;
        }
        match alive(world, object, &id) {
            Some(record) => results.push(record_json(&record, &properties, &history)),
            None => errors.push(not_found(object, &id, None)),
        }
    }
    Ok(batch_answer(world, 200, results, errors))
}

pub fn batch_update(world: &World, object: &str, call: &Call) -> Answer {
    answer_of(try_batch_update(world, object, call))
}

fn try_batch_update(world: &World, object: &str, call: &Call) -> Result<Answer, Answer> {
    let body = body_of(call)?;
    let inputs = inputs(&body, BATCH)?;
    let mut seen = HashSet::new();
    for input in inputs {
        if !seen.insert(super::world::text_of(&input["id"])) {
            return Err(error(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input"));
        }
        if let Some(refusal) = unknown_property(&properties(input)) {
            return Err(refusal);
        }
    }
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        match update_item(world, object, call, input) {
            Ok(row) => results.push(row),
            Err(failure) => errors.push(failure),
        }
    }
    Ok(batch_answer(world, 200, results, errors))
}

/// The row of a changed record, or its failure.
fn update_item(world: &World, object: &str, call: &Call, input: &Json) -> Result<Json, Json> {
    let id = super::world::text_of(&input["id"]);
    let trace = input["objectWriteTraceId"].as_str();
    let values = properties(input);
    if alive(world, object, &id).is_none() {
        return Err(not_found(object, &id, trace));
    }
    if call.refused.contains(&id) {
        return Err(item_error("VALIDATION_ERROR", "Property values were not valid: []", None, trace));
    }
    if call.locked.contains(&id) {
        return Err(item_error("LOCKED", "The record is locked for the moment.", Some(&id), trace));
    }
    check_owner(world, &values).map_err(|message| item_error("VALIDATION_ERROR", &message, None, trace))?;
    let changed: Vec<String> = values.keys().cloned().collect();
    world.change(object, &id, values, By::App).map_err(|_| not_found(object, &id, trace))?;
    let record = world.get(object, &id).ok_or_else(|| not_found(object, &id, trace))?;
    let mut row = record_json(&record, &changed, &[]);
    if let Some(trace) = trace {
        row["objectWriteTraceId"] = json!(trace);
    }
    Ok(row)
}

/// Only people who are still there can own a record.
fn check_owner(world: &World, values: &Values) -> Result<(), String> {
    let owner = values.get("hubspot_owner_id").map(super::world::text_of).unwrap_or_default();
    match owner.is_empty() || world.member(&owner).is_some_and(|m| m.active) {
        true => Ok(()),
        false => Err(format!("Property values were not valid: owner {owner} does not exist or is deactivated")),
    }
}

pub fn batch_create(world: &World, object: &str, call: &Call) -> Answer {
    answer_of(body_of(call).and_then(|body| {
        let inputs = inputs(&body, BATCH)?;
        if let Some(refusal) = inputs.iter().find_map(|input| unknown_property(&properties(input))) {
            return Err(refusal);
        }
        let results = inputs.iter().map(|input| create_item(world, object, input)).collect();
        Ok(batch_answer(world, 201, results, Vec::new()))
    }))
}

/// 204 whatever was there: to archive what is gone is no failure.
pub fn batch_archive(world: &World, object: &str, call: &Call) -> Answer {
    answer_of(body_of(call).and_then(|body| {
        for input in inputs(&body, BATCH)? {
            let _ = world.delete(object, &super::world::text_of(&input["id"]), By::App);
        }
        Ok(Answer::empty(204))
    }))
}

fn create_item(world: &World, object: &str, input: &Json) -> Json {
    let values = properties(input);
    let names: Vec<String> = values.keys().cloned().collect();
    let id = world.create(object, values, By::App);
    for association in list(input, "associations") {
        let to = super::world::text_of(&association["to"]["id"]);
        for kind in list(association, "types") {
            let number = kind["associationTypeId"].as_u64().unwrap_or_default();
            let type_id = u32::try_from(number).unwrap_or_default();
            world.associate((object, &id), (target_of(number), &to), type_id, By::App);
        }
    }
    let mut row = world.get(object, &id).map_or(Json::Null, |record| record_json(&record, &names, &[]));
    if let Some(trace) = input["objectWriteTraceId"].as_str() {
        row["objectWriteTraceId"] = json!(trace);
    }
    row
}

pub fn create(world: &World, object: &str, call: &Call) -> Answer {
    answer_of(body_of(call).and_then(|body| match unknown_property(&properties(&body)) {
        Some(refusal) => Err(refusal),
        None => Ok(Answer::json(201, &create_item(world, object, &body))),
    }))
}

pub fn get(world: &World, object: &str, id: &str, call: &Call) -> Answer {
    let Some(record) = alive(world, object, id) else { return missing() };
    let mut row = record_json(&record, &split(call, "properties"), &split(call, "propertiesWithHistory"));
    associations(world, &record, &split(call, "associations"), &mut row);
    Answer::json(200, &row)
}

/// A list in a query: repeated, or joined by commas.
pub fn split(call: &Call, name: &str) -> Vec<String> {
    let lists = call.parameters(name);
    lists.iter().flat_map(|list| list.split(',')).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Adds the ids of the associated records of these types to a record's row.
pub fn associations(world: &World, record: &StoredRecord, types: &[String], row: &mut Json) {
    for other in types {
        let found = world.associated(&record.object, &record.id, canonical(other));
        let kind = format!("{}_to_{other}", record.object);
        let results: Vec<Json> = found.iter().map(|a| json!({ "id": a.to.1, "type": kind })).collect();
        if !results.is_empty() {
            row["associations"][other] = json!({ "results": results });
        }
    }
}

fn missing() -> Answer {
    error(404, "OBJECT_NOT_FOUND", "Object not found. objectId are usually numeric.")
}

pub fn update(world: &World, object: &str, id: &str, call: &Call) -> Answer {
    let Some(body) = call.json() else {
        return error(400, "VALIDATION_ERROR", "Invalid input JSON on line 1, column 1");
    };
    if let Some(refusal) = unknown_property(&properties(&body)) {
        return refusal;
    }
    match update_item(world, object, call, &json!({ "id": id, "properties": body["properties"] })) {
        Ok(row) => Answer::json(200, &row),
        Err(failure) if failure["category"] == "OBJECT_NOT_FOUND" => missing(),
        Err(failure) if failure["category"] == "LOCKED" => error(423, "LOCKED", "The record is locked."),
        Err(failure) => error(400, "VALIDATION_ERROR", failure["message"].as_str().unwrap_or_default()),
    }
}

pub fn delete(world: &World, object: &str, id: &str) -> Answer {
    match world.delete(object, id, By::App) {
        Ok(()) => Answer::empty(204),
        Err(_) => missing(),
    }
}
