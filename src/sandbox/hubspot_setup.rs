//! What a pretend HubSpot account tells of itself and its properties, and creating properties and
//! their groups. The shapes are those of the account, token and properties APIs.

use super::call::{Answer, Call};
use super::hubspot_api::error;
use super::schema::Column;
use super::world::World;
use serde_json::{Value as Json, json};

pub fn account(world: &World, portal_id: u64) -> Answer {
    if let Some(refusal) = lacking(world, "oauth") {
        return refusal;
    }
    Answer::json(
        200,
        &json!({
            "portalId": portal_id, "accountType": "STANDARD", "timeZone": "US/Eastern", "companyCurrency": "USD",
            "additionalCurrencies": [], "utcOffset": "-05:00", "utcOffsetMilliseconds": -18_000_000,
            "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
        }),
    )
}

pub fn token_info(world: &World, portal_id: u64) -> Answer {
    Answer::json(
        200,
        &json!({ "userId": 9911, "hubId": portal_id, "appId": 3_321_456, "scopes": world.schema().scopes }),
    )
}

/// `rest` is what follows the object: nothing, or `groups`.
pub fn properties(world: &World, object: &str, rest: &[&str], call: &Call) -> Answer {
    match (call.method.as_str(), rest) {
        ("GET", []) => list(world, object),
        ("GET", ["groups"]) => groups(world, object),
        ("GET", [name]) => one(world, object, name),
        ("POST", ["groups"]) => create_group(world, object, call),
        ("POST", []) => create(world, object, call),
        _ => error(404, "OBJECT_NOT_FOUND", "resource not found"),
    }
}

/// What scopes call an object.
fn plural(object: &str) -> &str {
    if object == "0-136" { "leads" } else { object }
}

/// The refusal of an app without this scope.
fn lacking(world: &World, scope: &str) -> Option<Answer> {
    if world.schema().scopes.iter().any(|granted| granted == scope) {
        return None;
    }
    let message = "This app hasn't been granted all required scopes to make this call.";
    let body = json!({
        "status": "error", "message": message, "category": "MISSING_SCOPES",
        "correlationId": "5b1f1e52-0c55-4a5e-9a77-2f3b6a1f0d01",
        "errors": [{
            "message": "One or more of the following scopes are required.",
            "context": { "requiredGranularScopes": [scope] },
        }],
    });
    Some(Answer::json(403, &body))
}

fn list(world: &World, object: &str) -> Answer {
    if let Some(refusal) = lacking(world, &format!("crm.objects.{}.read", plural(object))) {
        return refusal;
    }
    let results: Vec<Json> = world.schema().columns(object).iter().map(property).collect();
    Answer::json(200, &json!({ "results": results }))
}

fn one(world: &World, object: &str, name: &str) -> Answer {
    match world.schema().columns(object).iter().find(|column| column.name == name) {
        Some(column) => Answer::json(200, &property(column)),
        None => error(404, "OBJECT_NOT_FOUND", "No property has this name"),
    }
}

fn property(column: &Column) -> Json {
    let options = column
        .options
        .iter()
        .enumerate()
        .map(|(order, value)| json!({ "label": value, "value": value, "displayOrder": order, "hidden": false }));
    json!({
        "name": column.name, "label": column.name, "description": "", "groupName": "contactinformation",
        "type": column.kind, "fieldType": "text", "hidden": false, "hasUniqueValue": false, "calculated": false,
        "archived": false, "options": options.collect::<Vec<_>>(),
        "modificationMetadata": {
            "archivable": true, "readOnlyDefinition": false, "readOnlyValue": column.read_only,
        },
    })
}

fn groups(world: &World, object: &str) -> Answer {
    let schema = world.schema();
    let names = schema.groups.get(object).into_iter().flatten();
    let results: Vec<Json> = names.map(|name| group(name)).collect();
    Answer::json(200, &json!({ "results": results }))
}

fn group(name: &str) -> Json {
    json!({ "name": name, "label": name, "displayOrder": -1, "archived": false })
}

fn create_group(world: &World, object: &str, call: &Call) -> Answer {
    if let Some(refusal) = lacking(world, &format!("crm.schemas.{}.write", plural(object))) {
        return refusal;
    }
    let body = call.json().unwrap_or_default();
    let Some(name) = body["name"].as_str() else {
        return error(400, "VALIDATION_ERROR", "name is required");
    };
    let mut schema = world.schema();
    let groups = schema.groups.entry(object.to_owned()).or_default();
    if groups.iter().any(|known| known == name) {
        return error(409, "CONFLICT", "A property group with this name exists already");
    }
    groups.push(name.to_owned());
    Answer::json(201, &group(name))
}

fn create(world: &World, object: &str, call: &Call) -> Answer {
    if let Some(refusal) = lacking(world, &format!("crm.schemas.{}.write", plural(object))) {
        return refusal;
    }
    let body = call.json().unwrap_or_default();
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    let missing = ["name", "label", "groupName", "type", "fieldType"].into_iter().find(|key| text(key).is_empty());
    if let Some(key) = missing {
        return error(400, "VALIDATION_ERROR", &format!("{key} is required"));
    }
    let starts_well = text("name").starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well || text("name").contains(|c: char| c.is_ascii_uppercase()) {
        return error(400, "VALIDATION_ERROR", "Property names are lower case and begin with a letter");
    }
    let mut schema = world.schema();
    if !schema.groups.get(object).is_some_and(|groups| groups.iter().any(|group| group == text("groupName"))) {
        return error(400, "VALIDATION_ERROR", "The property group does not exist");
    }
    if schema.has(object, text("name")) {
        return error(409, "CONFLICT", "A property with this name exists already");
    }
    let column =
        Column { name: text("name").to_owned(), kind: text("type").to_owned(), read_only: false, options: Vec::new() };
    schema.put(object, column.clone());
    Answer::json(201, &property(&column))
}
