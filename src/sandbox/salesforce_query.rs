//! Reading from Salesforce: queries with their pages, and single records. The language itself is in
//! `soql.rs`.

use super::call::{Answer, Call};
use super::event::CrmKind;
use super::record::{StoredRecord, datetime};
use super::salesforce_api::{SalesforceApi, error, is_unknown_field, object_named};
use super::soql::{self, Query};
use super::world::{Member, World, text_of};
use super::{id, salesforce_setup as setup, soql_match, vocabulary};
use crate::record::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::sync::{Mutex, PoisonError};

/// Rows that wait for their page, by locator.
#[derive(Default)]
pub struct Locators {
    waiting: Mutex<HashMap<String, (usize, Vec<Json>)>>,
    made: AtomicU64,
}

/// A row of any object: what it is and how its fields read.
struct Row<'a> {
    object: &'static str,
    get: Box<dyn Fn(&str) -> Json + 'a>,
}

pub fn first_page(api: &SalesforceApi, world: &World, call: &Call) -> Answer {
    let query = match soql::parse(&call.parameter("q").unwrap_or_default()) {
        Ok(query) => query,
        Err(malformed) => return error(400, "MALFORMED_QUERY", &malformed.to_string()),
    };
    let tooling = || call.path.contains("/tooling/").then(|| tooling_object(&query.object)).flatten();
    let shown = object_named(&query.object).filter(|object| !setup::is_hidden(world, object));
    let Some(object) = shown.or_else(tooling) else {
        return error(400, "INVALID_TYPE", &format!("sObject type '{}' is not supported.", query.object));
    };
    if let Some(name) = query.fields.iter().find(|name| is_unknown_field(name)) {
        return error(400, "INVALID_FIELD", &format!("No such column '{name}' on entity '{object}'."));
    }
    let root = call.path.rsplit_once('/').map_or("", |(root, _)| root);
    let found = run(world, object, &query, call.path.ends_with("/queryAll"), root);
    if query.fields == [soql::COUNT] {
        return Answer::json(200, &json!({ "totalSize": found.len(), "done": true, "records": [] }));
    }
    page(api, root, found.len(), found)
}

fn run(world: &World, object: &'static str, query: &Query, with_deleted: bool, root: &str) -> Vec<Json> {
    let mut rows: Vec<Row<'_>> = rows(world, object, with_deleted);
    rows.retain(|row| query.condition.as_ref().is_none_or(|c| c.holds(&|name| field(world, row, name))));
    rows.sort_by(|a, b| {
        let by = |(name, descending): &(String, bool)| {
            let order = soql_match::sorted_as(&field(world, a, name), &field(world, b, name));
            if *descending { order.reverse() } else { order }
        };
        query.order.iter().map(by).find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
    });
    let wanted = rows.iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX));
    wanted.map(|row| projected(world, row, &query.fields, root)).collect()
}

fn rows(world: &World, object: &'static str, with_deleted: bool) -> Vec<Row<'static>> {
    match object {
        "User" | "Group" => {
            let wanted = world.members().into_iter().filter(|m| m.queue == (object == "Group"));
            wanted.map(|m| Row { object, get: Box::new(move |name| member_field(&m, name)) }).collect()
        }
        CUSTOM_FIELD => custom_fields(world),
        _ if setup::SETUP.contains(&object) => {
            let get = |row: Json| move |name: &str| row[name].clone();
            setup::rows(world, object).into_iter().map(|row| Row { object, get: Box::new(get(row)) }).collect()
        }
        "LeadHistory" => histories(world, "Lead", object),
        "OpportunityFieldHistory" => histories(world, "Opportunity", object),
        _ => {
            let records = world.all(object).into_iter().filter(|r| with_deleted || !r.archived);
            records.map(|r| Row { object, get: Box::new(move |name| r.get(name)) }).collect()
        }
    }
}

/// What only the Tooling API has.
const CUSTOM_FIELD: &str = "CustomField";

fn tooling_object(name: &str) -> Option<&'static str> {
    name.eq_ignore_ascii_case(CUSTOM_FIELD).then_some(CUSTOM_FIELD)
}

/// A row for each field that an administrator added.
fn custom_fields(world: &World) -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for table in ["Lead", "Opportunity"] {
        let columns = world.schema().columns(table).to_vec();
        let names = columns.into_iter().filter_map(|c| c.name.strip_suffix("__c").map(str::to_owned));
        for name in names {
            let id = id::salesforce("00N", 1 + rows.len() as u64);
            let get = move |field: &str| match field.to_ascii_lowercase().as_str() {
                "id" => json!(id),
                "developername" => json!(name),
                "tableenumorid" => json!(table),
                _ => Json::Null,
            };
            rows.push(Row { object: CUSTOM_FIELD, get: Box::new(get) });
        }
    }
    rows
}

/// One row for each change of a tracked field.
fn histories(world: &World, of: &'static str, object: &'static str) -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for record in world.all(of) {
        for (n, change) in record.history.clone().into_iter().enumerate() {
            if vocabulary::logical(CrmKind::Salesforce, of, &change.property).is_none() {
                continue;
            }
            let record_id = record.id.clone();
            let number = rows.len() as u64 * 1000 + n as u64;
            let get = move |name: &str| match name.to_ascii_lowercase().as_str() {
                "id" => json!(id::salesforce("017", number)),
                "leadid" | "opportunityid" => json!(record_id),
                "field" => json!(change.property.trim_end_matches("Id")),
                "oldvalue" => change.old.clone(),
                "newvalue" => change.value.clone(),
                "createddate" => json!(datetime(change.at)),
                "createdbyid" => json!(match &change.by {
                    super::event::By::Person(id) => id.clone(),
                    _ => super::record::integration_user(),
                }),
                _ => Json::Null,
            };
            rows.push(Row { object, get: Box::new(get) });
        }
    }
    rows
}

fn member_field(member: &Member, name: &str) -> Json {
    match name.to_ascii_lowercase().as_str() {
        "id" => json!(member.id),
        "name" => json!(member.name()),
        "firstname" => json!(member.first),
        "lastname" => json!(member.last),
        "email" | "username" => json!(member.email),
        "isactive" => json!(member.active),
        "managerid" => json!(member.manager),
        "type" if member.queue => json!("Queue"),
        "usertype" => json!("Standard"),
        "developername" => json!(member.name().replace(' ', "_")),
        _ => Json::Null,
    }
}

/// A field, through one relationship at a time: `Owner.Name` is the `Name` of what `OwnerId` names.
fn field(world: &World, row: &Row<'_>, name: &str) -> Json {
    match name.split_once('.') {
        None => (row.get)(name),
        Some((relation, rest)) => {
            let key = (row.get)(&format!("{relation}Id"));
            related(world, &text_of(&key)).map_or(Json::Null, |row| field(world, &row, rest))
        }
    }
}

fn related(world: &World, id: &str) -> Option<Row<'static>> {
    if let Some(member) = world.member(id) {
        let object = if member.queue { "Group" } else { "User" };
        return Some(Row { object, get: Box::new(move |name| member_field(&member, name)) });
    }
    ["Lead", "Opportunity", "Task", "PermissionSet"].into_iter().find_map(|object| {
        let record: StoredRecord = world.get(object, id)?;
        Some(Row { object, get: Box::new(move |name| record.get(name)) })
    })
}

fn projected(world: &World, row: &Row<'_>, names: &[String], root: &str) -> Json {
    let id = text_of(&(row.get)("Id"));
    let mut fields = Map::new();
    fields.insert(
        "attributes".to_owned(),
        json!({ "type": row.object, "url": format!("{root}/sobjects/{}/{id}", row.object) }),
    );
    for name in names {
        match name.split_once('.') {
            None => {
                fields.insert(name.clone(), (row.get)(name));
            }
            Some((relation, rest)) => {
                let key = text_of(&(row.get)(&format!("{relation}Id")));
                let other = related(world, &key).map(|other| projected(world, &other, &[rest.to_owned()], root));
                merge(fields.entry(relation.to_owned()).or_insert(Json::Null), other);
            }
        }
    }
    Json::Object(fields)
}

/// Several fields of one related record stand in one object.
fn merge(place: &mut Json, other: Option<Json>) {
    match (place.as_object_mut(), other) {
        (Some(known), Some(Json::Object(more))) => known.extend(more),
        (None, Some(other)) => *place = other,
        _ => {}
    }
}

fn page(api: &SalesforceApi, root: &str, total: usize, mut rows: Vec<Json>) -> Answer {
    let rest = rows.split_off(api.page_size.load(Memory::Relaxed).clamp(1, rows.len().max(1)).min(rows.len()));
    let mut body = json!({ "totalSize": total, "done": rest.is_empty(), "records": rows });
    if !rest.is_empty() {
        let number = api.locators.made.fetch_add(1, Memory::Relaxed);
        let locator = format!("{}-{}", id::salesforce("01g", number), total - rest.len());
        body["nextRecordsUrl"] = json!(format!("{root}/query/{locator}"));
        api.locators.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(locator, (total, rest));
    }
    Answer::json(200, &body)
}

pub fn next_page(api: &SalesforceApi, version: &str, locator: &str) -> Answer {
    let waiting = api.locators.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(locator);
    match waiting {
        Some((total, rows)) => page(api, &format!("/services/data/{version}"), total, rows),
        None => error(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
    }
}

/// Most records of a collection that is read.
const MOST_READ: usize = 2000;

/// Records by their ids, in that order, null for those that are not there.
pub fn collection(world: &World, object: &str, call: &Call) -> Answer {
    let Some(object) = object_named(object) else {
        return error(404, "NOT_FOUND", "The requested resource does not exist");
    };
    let body = call.json().unwrap_or_default();
    let list = |name: &str| -> Vec<String> { body[name].as_array().into_iter().flatten().map(text_of).collect() };
    let (ids, fields) = (list("ids"), list("fields"));
    if ids.is_empty() || fields.is_empty() || ids.len() > MOST_READ {
        return error(400, "JSON_PARSER_ERROR", "ids and fields are required, up to 2000 ids");
    }
    if let Some(name) = fields.iter().find(|name| is_unknown_field(name)) {
        return error(400, "INVALID_FIELD", &format!("No such column '{name}' on entity '{object}'."));
    }
    let root = call.path.split("/composite/").next().unwrap_or_default();
    let one = |id: &String| match world.get(object, &id::with_suffix(id)).filter(|record| !record.archived) {
        Some(record) => {
            let row = Row { object, get: Box::new(move |name| record.get(name)) };
            projected(world, &row, &fields, root)
        }
        None => Json::Null,
    };
    Answer::json(200, &Json::Array(ids.iter().map(one).collect()))
}

/// One record; all set fields where none are named.
pub fn get(world: &World, object: &str, id: &str, call: &Call) -> Answer {
    let record = object_named(object).and_then(|object| Some((object, world.get(object, &id::with_suffix(id))?)));
    let Some((object, record)) = record else {
        return error(404, "NOT_FOUND", "The requested resource does not exist");
    };
    if record.archived {
        return error(404, "ENTITY_IS_DELETED", "entity is deleted");
    }
    let since = call.header("if-modified-since").and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    if since.is_some_and(|since| record.modified <= Timestamp::from_jiff(since.timestamp())) {
        return Answer::empty(304);
    }
    let always = ["Id", "LastModifiedDate", "SystemModstamp", "CreatedDate"].map(str::to_owned);
    let names: Vec<String> = match call.parameter("fields") {
        Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        None => record.properties.keys().cloned().chain(always).collect(),
    };
    let root = call.path.split("/sobjects/").next().unwrap_or_default().to_owned();
    let row = Row { object, get: Box::new(move |name| record.get(name)) };
    Answer::json(200, &projected(world, &row, &names, &root))
}
