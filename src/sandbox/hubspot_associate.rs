//! HubSpot's associations: telling and making them, one by one and in batches. Reading them in batches
//! stands in `hubspot_objects.rs`, beside what else leadpact reads.

use super::call::{Answer, Call};
use super::event::By;
use super::hubspot_api::error;
use super::world::{World, text_of};
use serde_json::{Value as Json, json};

/// Most pairs of a batch.
const BATCH: usize = 2000;

/// An object type and a record's id.
type End<'a> = (&'a str, &'a str);

fn is_there(world: &World, (object, id): End<'_>) -> bool {
    // Companies are only ever pointed at; the sandbox keeps none.
    object == "companies" || world.get(object, id).is_some_and(|record| !record.archived)
}

/// The number of the unlabelled association in this direction.
fn default_type(from: &str, to: &str) -> Option<u32> {
    let known = match (from, to) {
        ("contacts", "deals") => 4,
        ("deals", "contacts") => 3,
        ("tasks", "contacts") => 204,
        ("contacts", "tasks") => 203,
        ("tasks", "deals") => 216,
        ("deals", "tasks") => 215,
        ("tasks", "0-136") => 647,
        ("0-136", "tasks") => 646,
        ("0-136", "contacts") => 578,
        _ => return None,
    };
    Some(known)
}

/// The numbers that a body's types name.
fn types(list: &Json) -> Option<Vec<u32>> {
    let one = |spec: &Json| {
        let category = spec["associationCategory"].as_str()?;
        let known = ["HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED"].contains(&category);
        known.then(|| spec["associationTypeId"].as_u64().and_then(|n| u32::try_from(n).ok())).flatten()
    };
    let types: Vec<u32> = list.as_array()?.iter().map(one).collect::<Option<_>>()?;
    (!types.is_empty()).then_some(types)
}

fn pair(from: End<'_>, to: End<'_>) -> Json {
    json!({
        "fromObjectTypeId": from.0, "fromObjectId": from.1, "toObjectTypeId": to.0, "toObjectId": to.1, "labels": [],
    })
}

fn no_such_record() -> Answer {
    error(404, "OBJECT_NOT_FOUND", "One of the records does not exist")
}

/// `PUT …/associations/{to}/{id}` with the types as its body.
pub fn one(world: &World, from: End<'_>, to: End<'_>, call: &Call) -> Answer {
    let Some(types) = call.json().as_ref().and_then(types) else {
        return error(400, "VALIDATION_ERROR", "associationCategory and associationTypeId are required");
    };
    if !is_there(world, from) || !is_there(world, to) {
        return no_such_record();
    }
    types.iter().for_each(|number| world.associate(from, to, *number, By::App));
    Answer::json(201, &pair(from, to))
}

/// `PUT …/associations/default/{to}/{id}`; both directions are told.
pub fn by_default(world: &World, from: End<'_>, to: End<'_>) -> Answer {
    let (Some(there), Some(back)) = (default_type(from.0, to.0), default_type(to.0, from.0)) else {
        return error(400, "VALIDATION_ERROR", "These object types have no default association");
    };
    if !is_there(world, from) || !is_there(world, to) {
        return no_such_record();
    }
    world.associate(from, to, there, By::App);
    let told = |from: End<'_>, to: End<'_>, number: u32| {
        json!({
            "from": { "id": from.1 }, "to": { "id": to.1 },
            "associationSpec": { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number },
        })
    };
    let now = world.now().to_string();
    let results = [told(from, to, there), told(to, from, back)];
    let body = json!({ "status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now });
    Answer::json(200, &body)
}

/// `GET …/associations/{to}`, all on one page.
pub fn list(world: &World, from: End<'_>, to: &str) -> Answer {
    if !is_there(world, from) {
        return no_such_record();
    }
    let row = |found: &super::world::Association| {
        let spec = json!({ "category": "HUBSPOT_DEFINED", "typeId": found.type_id, "label": null });
        json!({ "toObjectId": found.to.1, "associationTypes": [spec] })
    };
    let results: Vec<Json> = world.associated(from.0, from.1, to).iter().map(row).collect();
    Answer::json(200, &json!({ "results": results }))
}

/// `POST …/batch/create`; a pair whose records are not there is told as an error.
pub fn batch(world: &World, from: &str, to: &str, call: &Call) -> Answer {
    let body = call.json().unwrap_or_default();
    let inputs = body["inputs"].as_array().map_or(&[][..], Vec::as_slice);
    if inputs.is_empty() || inputs.len() > BATCH {
        return error(400, "VALIDATION_ERROR", &format!("between 1 and {BATCH} inputs"));
    }
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let Some(types) = types(&input["types"]) else {
            return error(400, "VALIDATION_ERROR", "associationCategory and associationTypeId are required");
        };
        let (one, other) = (text_of(&input["from"]["id"]), text_of(&input["to"]["id"]));
        let ends = ((from, one.as_str()), (to, other.as_str()));
        if is_there(world, ends.0) && is_there(world, ends.1) {
            types.iter().for_each(|number| world.associate(ends.0, ends.1, *number, By::App));
            results.push(pair(ends.0, ends.1));
        } else {
            errors.push(json!({
                "status": "error", "category": "OBJECT_NOT_FOUND", "message": "One of the records does not exist",
                "context": { "fromObjectId": [one], "toObjectId": [other] }, "errors": [], "links": {},
            }));
        }
    }
    let now = world.now().to_string();
    let mut body = json!({ "status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now });
    if errors.is_empty() {
        return Answer::json(201, &body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = Json::Array(errors);
    Answer::json(207, &body)
}
