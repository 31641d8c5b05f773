//! Saving records in Salesforce, one or up to two hundred: checks first, then changes. Assignment
//! rules run unless the caller says no, as in reality.

use super::call::{Answer, Call};
use super::event::By;
use super::record::Values;
use super::salesforce_api::{OBJECTS, error, fields, is_unknown_field, object_named};
use super::world::{World, text_of};
use super::{id, vocabulary};
use crate::record::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::HashSet;

const MOST: usize = 200;
/// Runs of one type within a collection.
const MOST_RUNS: usize = 10;

/// Why one record was not saved.
struct Failure {
    code: &'static str,
    message: String,
    fields: Vec<String>,
}

fn failure(code: &'static str, message: &str) -> Failure {
    Failure { code, message: message.to_owned(), fields: Vec::new() }
}

/// One record to save.
struct Save {
    object: &'static str,
    /// `None` makes a new one.
    id: Option<String>,
    values: Values,
}

/// 200 whatever became of the records, each told in the order of the request.
pub fn collection(world: &World, call: &Call, update: bool) -> Answer {
    let Some(body) = call.json() else { return error(400, "JSON_PARSER_ERROR", "Unexpected character") };
    let records = body["records"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(refusal) = too_much(records) {
        return refusal;
    }
    let mut seen = HashSet::new();
    let checked: Vec<Result<Save, Failure>> = records
        .iter()
        .map(|record| {
            let save = read(record, update)?;
            let twice = save.id.as_ref().is_some_and(|id| !seen.insert(id.clone()));
            if twice {
                return Err(failure("DUPLICATE_VALUE", "duplicate id in list"));
            }
            check(world, &save, call).map(|()| save)
        })
        .collect();
    let roll_back = body["allOrNone"] == json!(true) && checked.iter().any(Result::is_err);
    let results: Vec<Json> = checked.into_iter().map(|save| saved(world, save, call, roll_back)).collect();
    Answer::json(200, &Json::Array(results))
}

fn too_much(records: &[Json]) -> Option<Answer> {
    if records.len() > MOST {
        let message = format!("record limit reached. cannot submit more than {MOST} records into this call");
        return Some(error(400, "LIMIT_EXCEEDED", &message));
    }
    let mut types: Vec<&str> = records.iter().filter_map(|r| r["attributes"]["type"].as_str()).collect();
    types.dedup();
    (types.len() > MOST_RUNS).then(|| error(400, "LIMIT_EXCEEDED", "more than 10 chunks of types"))
}

fn read(record: &Json, update: bool) -> Result<Save, Failure> {
    let name = record["attributes"]["type"].as_str().unwrap_or_default();
    let object = object_named(name).ok_or_else(|| failure("INVALID_TYPE", "sObject type is not supported"))?;
    let given = ["id", "Id"].iter().find_map(|key| record[*key].as_str());
    match (update, given) {
        (true, None) => Err(failure("MISSING_ARGUMENT", "Id not specified in an update call")),
        (true, Some(text)) => Ok(Save { object, id: Some(id::with_suffix(text)), values: fields(record) }),
        (false, _) => Ok(Save { object, id: None, values: fields(record) }),
    }
}

fn saved(world: &World, save: Result<Save, Failure>, call: &Call, roll_back: bool) -> Json {
    result_of(save.and_then(|save| if roll_back { Err(rolled_back()) } else { store(world, save, call) }))
}

fn rolled_back() -> Failure {
    failure("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid")
}

/// One record of a collection's answer.
fn result_of(done: Result<String, Failure>) -> Json {
    match done {
        Ok(id) => json!({ "id": id, "success": true, "errors": [] }),
        Err(failure) => json!({
            "success": false,
            "errors": [{ "statusCode": failure.code, "message": failure.message, "fields": failure.fields }],
        }),
    }
}

fn check(world: &World, save: &Save, call: &Call) -> Result<(), Failure> {
    if let Some(name) = save.values.keys().find(|name| is_unknown_field(name)) {
        let message = format!("No such column '{name}' on sobject of type {}", save.object);
        return Err(Failure { code: "INVALID_FIELD", message, fields: vec![name.clone()] });
    }
    if let Some(id) = &save.id {
        check_record(world, save.object, id, call)?;
    }
    check_owner(world, save)?;
    let what_and_who = |name: &str| save.values.get(name).map(text_of).unwrap_or_default();
    if save.object == "Task" && what_and_who("WhoId").starts_with("00Q") && !what_and_who("WhatId").is_empty() {
        return Err(failure("FIELD_INTEGRITY_EXCEPTION", "WhatId must be empty when WhoId is a lead"));
    }
    Ok(())
}

fn check_record(world: &World, object: &str, id: &str, call: &Call) -> Result<(), Failure> {
    let record =
        world.get(object, id).ok_or_else(|| failure("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))?;
    if record.archived {
        return Err(failure("ENTITY_IS_DELETED", "entity is deleted"));
    }
    if object == "Lead" && record.get("IsConverted") == json!(true) {
        return Err(failure("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"));
    }
    if call.refused.iter().any(|refused| refused == id) {
        return Err(failure("FIELD_CUSTOM_VALIDATION_EXCEPTION", "a validation rule says no"));
    }
    if call.locked.iter().any(|locked| locked == id) {
        let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
        return Err(failure("UNABLE_TO_LOCK_ROW", &message));
    }
    Ok(())
}

/// Opportunities take no queue; nobody takes who left; a lead is never without owner.
fn check_owner(world: &World, save: &Save) -> Result<(), Failure> {
    let Some(owner) = save.values.get("OwnerId").map(text_of) else { return Ok(()) };
    let owner_field = |code, message: &str| Failure { fields: vec!["OwnerId".to_owned()], ..failure(code, message) };
    match world.member(&id::with_suffix(&owner)) {
        None if owner == super::record::integration_user() => Ok(()),
        None => Err(owner_field("INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank or unknown")),
        Some(member) if member.queue && save.object == "Opportunity" => {
            Err(owner_field("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
        }
        Some(member) if !member.active => {
            Err(owner_field("INACTIVE_OWNER_OR_USER", "operation performed with inactive user as owner"))
        }
        Some(_) => Ok(()),
    }
}

fn store(world: &World, mut save: Save, call: &Call) -> Result<String, Failure> {
    complete(world, &mut save);
    assign(world, &mut save, call);
    match save.id {
        None => Ok(world.create(save.object, save.values, By::App)),
        Some(id) => match world.change(save.object, &id, save.values, By::App) {
            Ok(_) => Ok(id),
            Err(gone) => Err(failure("ENTITY_IS_DELETED", &gone.to_string())),
        },
    }
}

/// What Salesforce fills in by itself.
fn complete(world: &World, save: &mut Save) {
    if let Some(owner) = save.values.get_mut("OwnerId") {
        *owner = json!(id::with_suffix(&text_of(owner)));
    }
    let owner = || json!(super::record::integration_user());
    if save.id.is_none() {
        save.values.entry("OwnerId".to_owned()).or_insert_with(owner);
    }
    if save.object == "Task" && save.values.get("Status") == Some(&json!("Completed")) {
        let now = json!(super::record::datetime(world.now()));
        save.values.insert("CompletedDateTime".to_owned(), now);
    }
}

/// The active assignment rule gives a lead to somebody else than asked for, unless the call carries
/// `Sforce-Auto-Assign: FALSE`: so a missing header is seen at once.
fn assign(world: &World, save: &mut Save, call: &Call) {
    let off = call.header("sforce-auto-assign").is_some_and(|v| v.trim().eq_ignore_ascii_case("FALSE"));
    let asked = save.values.get(vocabulary::property(world.crm, "Lead", "owner")).map(text_of);
    let (false, "Lead", Some(asked)) = (off, save.object, asked) else { return };
    if let Some(other) = world.members().into_iter().find(|m| m.active && !m.queue && m.id != asked) {
        save.values.insert("OwnerId".to_owned(), json!(other.id));
    }
}

pub fn create(world: &World, object: &str, call: &Call) -> Answer {
    let Some(object) = object_named(object) else {
        return error(404, "NOT_FOUND", "The requested resource does not exist");
    };
    let Some(body) = call.json() else { return error(400, "JSON_PARSER_ERROR", "Unexpected character") };
    let save = Save { object, id: None, values: fields(&body) };
    match check(world, &save, call).and_then(|()| store(world, save, call)) {
        Ok(id) => Answer::json(201, &json!({ "id": id, "success": true, "errors": [] })),
        Err(failure) => refused(&failure),
    }
}

pub fn update(world: &World, object: &str, id: &str, call: &Call) -> Answer {
    let Some(object) = object_named(object) else {
        return error(404, "NOT_FOUND", "The requested resource does not exist");
    };
    let Some(body) = call.json() else { return error(400, "JSON_PARSER_ERROR", "Unexpected character") };
    let save = Save { object, id: Some(id::with_suffix(id)), values: fields(&body) };
    if was_modified(world, &save, call) {
        return error(412, "ENTITY_CHANGED", "the record was modified since");
    }
    match check(world, &save, call).and_then(|()| store(world, save, call)) {
        Ok(_) => Answer::empty(204),
        Err(failure) => refused(&failure),
    }
}

/// `If-Unmodified-Since`, to the second.
fn was_modified(world: &World, save: &Save, call: &Call) -> bool {
    let since = call.header("if-unmodified-since").and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    let record = save.id.as_ref().and_then(|id| world.get(save.object, id));
    match (since, record) {
        (Some(since), Some(record)) => record.modified > Timestamp::from_jiff(since.timestamp()),
        _ => false,
    }
}

pub fn delete(world: &World, object: &str, id: &str) -> Answer {
    match world.delete(object_named(object).unwrap_or_default(), &id::with_suffix(id), By::App) {
        Ok(()) => Answer::empty(204),
        Err(gone) => error(404, "ENTITY_IS_DELETED", &gone.to_string()),
    }
}

/// `?ids=…,…`, each told in the order of the request; with `allOrNone=true` all or none.
pub fn delete_collection(world: &World, call: &Call) -> Answer {
    let list = call.parameter("ids").unwrap_or_default();
    let ids: Vec<String> = list.split(',').filter(|id| !id.is_empty()).map(id::with_suffix).collect();
    if ids.is_empty() || ids.len() > MOST {
        return error(400, "LIMIT_EXCEEDED", &format!("between 1 and {MOST} ids"));
    }
    let checked: Vec<Result<&'static str, Failure>> = ids.iter().map(|id| deletable(world, id, call)).collect();
    let roll_back = call.parameter("allOrNone").as_deref() == Some("true") && checked.iter().any(Result::is_err);
    let one = |(id, checked): (&String, Result<&'static str, Failure>)| {
        let done = checked.and_then(|object| match roll_back {
            true => Err(rolled_back()),
            false => world.delete(object, id, By::App).map_err(|e| failure("ENTITY_IS_DELETED", &e.to_string())),
        });
        result_of(done.map(|()| id.clone()))
    };
    Answer::json(200, &Json::Array(ids.iter().zip(checked).map(one).collect()))
}

/// The object of an id that can be deleted.
fn deletable(world: &World, id: &str, call: &Call) -> Result<&'static str, Failure> {
    let prefix = id.get(..3).unwrap_or_default();
    let object = OBJECTS.into_iter().find(|object| id::salesforce_prefix(object) == prefix);
    let object = object.ok_or_else(|| failure("MALFORMED_ID", &format!("malformed id {id}")))?;
    check_record(world, object, id, call).map(|()| object)
}

fn refused(failure: &Failure) -> Answer {
    let status = match failure.code {
        "ENTITY_IS_DELETED" => 404,
        _ => 400,
    };
    let body = json!([{ "message": failure.message, "errorCode": failure.code, "fields": failure.fields }]);
    Answer::json(status, &body)
}
