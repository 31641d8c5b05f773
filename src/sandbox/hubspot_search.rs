//! HubSpot's search over a [`World`]: filters, one sort, pages; and its plain list. Unlike the real index it never lags.

use super::call::{Answer, Call};
use super::hubspot_api::error;
use super::hubspot_objects::{associations, record_json, split};
use super::record::StoredRecord;
use super::world::{World, text_of};
use crate::record::Timestamp;
use serde_json::{Value as Json, json};
use std::cmp::Ordering;

const DEFAULT_PAGE: u64 = 10;
const MOST_PAGE: u64 = 200;
/// What a query finds at most; beyond it HubSpot refuses.
const MOST_FOUND: usize = 10_000;

pub fn search(world: &World, object: &str, call: &Call) -> Answer {
    let Some(body) = call.json() else {
        return error(400, "VALIDATION_ERROR", "Invalid input JSON on line 1, column 1");
    };
    let limit = body["limit"].as_u64().unwrap_or(DEFAULT_PAGE);
    let from = text_of(&body["after"]).parse().unwrap_or(0_usize);
    if limit > MOST_PAGE || from + (limit as usize) > MOST_FOUND {
        return error(400, "VALIDATION_ERROR", "There was a problem with the request.");
    }
    let mut found: Vec<StoredRecord> =
        world.all(object).into_iter().filter(|r| !r.archived && matches(r, &body["filterGroups"])).collect();
    sort(&mut found, &body["sorts"][0]);
    let properties: Vec<String> = strings(&body["properties"]);
    let page = found.iter().skip(from).take(limit as usize).map(|r| record_json(r, &properties, &[]));
    let mut answer = json!({ "total": found.len(), "results": page.collect::<Vec<_>>() });
    let next = from + limit as usize;
    if next < found.len() {
        answer["paging"] = json!({ "next": { "after": next.to_string() } });
    }
    Answer::json(200, &answer)
}

/// The list of all records, or of all archived ones, by their ids.
pub fn list(world: &World, object: &str, call: &Call) -> Answer {
    let number = |name: &str| call.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(10);
    if limit > 100 {
        return error(400, "VALIDATION_ERROR", "limit must be less than or equal to 100");
    }
    let archived = call.parameter("archived").as_deref() == Some("true");
    let mut found: Vec<StoredRecord> = world.all(object).into_iter().filter(|r| r.archived == archived).collect();
    found.sort_by(|a, b| compare(&a.id, &b.id));
    let from = number("after").unwrap_or(0);
    let (properties, history) = (split(call, "properties"), split(call, "propertiesWithHistory"));
    let others = split(call, "associations");
    let row = |record: &StoredRecord| {
        let mut row = record_json(record, &properties, &history);
        associations(world, record, &others, &mut row);
        row
    };
    let page = found.iter().skip(from).take(limit).map(row);
    let mut answer = json!({ "results": page.collect::<Vec<_>>() });
    if from + limit < found.len() {
        answer["paging"] = json!({ "next": { "after": (from + limit).to_string() } });
    }
    Answer::json(200, &answer)
}

fn strings(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text_of).collect()
}

/// Any group whose filters all hold; all records where there are no groups.
fn matches(record: &StoredRecord, groups: &Json) -> bool {
    let groups = groups.as_array().map_or(&[][..], Vec::as_slice);
    let group_holds = |group: &Json| group["filters"].as_array().into_iter().flatten().all(|f| holds(record, f));
    groups.is_empty() || groups.iter().any(group_holds)
}

fn holds(record: &StoredRecord, filter: &Json) -> bool {
    let seen = record.text(filter["propertyName"].as_str().unwrap_or_default());
    let is_set = !seen.is_empty();
    let value = text_of(&filter["value"]);
    let order = || compare(&seen, &value);
    let among = || strings(&filter["values"]).iter().any(|v| v.eq_ignore_ascii_case(&seen));
    match filter["operator"].as_str().unwrap_or_default() {
        "HAS_PROPERTY" => is_set,
        "NOT_HAS_PROPERTY" => !is_set,
        "EQ" => is_set && order() == Ordering::Equal,
        "NEQ" => order() != Ordering::Equal,
        "LT" => is_set && order() == Ordering::Less,
        "LTE" => is_set && order() != Ordering::Greater,
        "GT" => is_set && order() == Ordering::Greater,
        "GTE" => is_set && order() != Ordering::Less,
        "BETWEEN" => {
            let high = compare(&seen, &text_of(&filter["highValue"]));
            is_set && order() != Ordering::Less && high != Ordering::Greater
        }
        "IN" => is_set && among(),
        "NOT_IN" => is_set && !among(),
        "CONTAINS_TOKEN" => seen.to_lowercase().contains(value.trim_matches('*').to_lowercase().as_str()),
        _ => false,
    }
}

/// As moments, as numbers, else as text in any case: moments come as milliseconds or RFC 3339.
fn compare(a: &str, b: &str) -> Ordering {
    if let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) {
        return a.total_cmp(&b);
    }
    match (Timestamp::parse(a), Timestamp::parse(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.to_lowercase().cmp(&b.to_lowercase()),
    }
}

/// A sort is a property's name, with `-` before it for descending, or an object of both.
fn sort(records: &mut [StoredRecord], sort: &Json) {
    let (name, descending) = match sort.as_str() {
        Some(text) => (text.trim_start_matches('-').to_owned(), text.starts_with('-')),
        None => (text_of(&sort["propertyName"]), sort["direction"] == "DESCENDING"),
    };
    records.sort_by(|a, b| {
        let order = if name.is_empty() { Ordering::Equal } else { compare(&a.text(&name), &b.text(&name)) };
        order.then_with(|| compare(&a.id, &b.id))
    });
    if descending {
        records.reverse();
    }
}
