//! What Salesforce's answers look like, by the REST API guide: the sandbox is held to it.

use leadpact::sandbox::RecordedCall;
use serde_json::Value as Json;

fn unless(is_so: bool, what: &str, answer: &Json) -> Vec<String> {
    if is_so { Vec::new() } else { vec![format!("the answer is no {what}: {answer}")] }
}

fn answer(call: &RecordedCall) -> Json {
    serde_json::from_str(&call.answer).unwrap_or_default()
}

pub fn rows(call: &RecordedCall) -> Vec<String> {
    let page = answer(call);
    unless(is_page(&page), "page of a query", &page)
}

fn is_page(page: &Json) -> bool {
    let is_row = |row: &Json| row["attributes"]["type"].is_string() && row["attributes"]["url"].is_string();
    let next = page["nextRecordsUrl"].as_str();
    page["totalSize"].is_u64()
        && page["done"]
            .as_bool()
            .is_some_and(|done| done != next.is_some_and(|next| next.starts_with("/services/data/")))
        && page["records"].as_array().is_some_and(|rows| rows.iter().all(is_row))
}

pub fn parts(call: &RecordedCall) -> Vec<String> {
    let told = answer(call);
    let asked = call.json();
    let names =
        |list: &Json| list.as_array().into_iter().flatten().map(|p| p["referenceId"].clone()).collect::<Vec<_>>();
    let same = names(&told["compositeResponse"]) == names(&asked["compositeRequest"]);
    let is_part =
        |part: &Json| part["httpHeaders"].is_object() && part["httpStatusCode"] == 200 && is_page(&part["body"]);
    unless(same && told["compositeResponse"].as_array().into_iter().flatten().all(is_part), "composite", &told)
}

pub fn saved(call: &RecordedCall) -> Vec<String> {
    let results = answer(call);
    let each = results.as_array().cloned().unwrap_or_default();
    let is_error = |e: &Json| e["statusCode"].is_string() && e["message"].is_string() && e["fields"].is_array();
    let is_result = |r: &Json| match (r["success"].as_bool(), r["errors"].as_array()) {
        (Some(true), Some(errors)) => errors.is_empty() && r["id"].as_str().is_some_and(|id| id.len() == 18),
        (Some(false), Some(errors)) => !errors.is_empty() && errors.iter().all(is_error),
        _ => false,
    };
    let all = each.len() == call.json()["records"].as_array().map_or(0, Vec::len) && each.iter().all(is_result);
    unless(all, "list of results", &results)
}

pub fn described(call: &RecordedCall) -> Vec<String> {
    let told = answer(call);
    let flags = ["queryable", "createable", "updateable"].iter().all(|flag| told[*flag].is_boolean());
    let is_field = |f: &Json| {
        f["name"].is_string() && f["type"].is_string() && f["updateable"].is_boolean() && f["picklistValues"].is_array()
    };
    unless(flags && told["fields"].as_array().is_some_and(|all| all.iter().all(is_field)), "description", &told)
}

pub fn made(call: &RecordedCall) -> Vec<String> {
    let told = answer(call);
    unless(call.status == Some(201) && told["success"] == true && told["id"].is_string(), "new record", &told)
}

pub fn refused(call: &RecordedCall) -> Vec<String> {
    let told = answer(call);
    let is_error = |e: &Json| e["errorCode"].is_string() && e["message"].is_string();
    unless(told.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_error)), "list of errors", &told)
}
