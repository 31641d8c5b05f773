//! Every call that leadpact makes to Salesforce is one of those below, in the form that the REST API
//! guide gives it ("Query", "sObject Collections", "Composite", "Describe", "Headers"): Salesforce
//! publishes no description that could be kept here. The sandbox's answers are held to the same pages.

use crate::columns::unknown_columns;
use crate::office::{Office, SALESFORCE, minute};
use crate::salesforce_answers::{described, made, parts, refused, rows, saved};
use leadpact::crm::{NewTask, Sought};
use leadpact::record::{Object, OwnerId, RecordId};
use leadpact::sandbox::{By, RecordedCall, soql};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Longest query, and longest address of a call.
const MOST_SOQL: usize = 100_000;
const MOST_URL: usize = 16_384;

/// A call that may be made: its kind in the sandbox's log, method, path below the version (`*` is any
/// part), and what its query and body have to be.
struct Known {
    kind: &'static str,
    method: &'static str,
    path: &'static str,
    sent: fn(&RecordedCall, &str) -> Vec<String>,
    answered: fn(&RecordedCall) -> Vec<String>,
}

const KNOWN: [Known; 9] = [
    Known { kind: "salesforce.query", method: "GET", path: "/query", sent: query, answered: rows },
    Known { kind: "salesforce.query", method: "GET", path: "/queryAll", sent: query, answered: rows },
    Known { kind: "salesforce.query_more", method: "GET", path: "/query/*", sent: nothing, answered: rows },
    Known { kind: "salesforce.composite", method: "POST", path: "/composite", sent: composite, answered: parts },
    Known {
        kind: "salesforce.collection_update",
        method: "PATCH",
        path: "/composite/sobjects",
        sent: updates,
        answered: saved,
    },
    Known {
        kind: "salesforce.collection_create",
        method: "POST",
        path: "/composite/sobjects",
        sent: creates,
        answered: saved,
    },
    Known {
        kind: "salesforce.describe",
        method: "GET",
        path: "/sobjects/*/describe",
        sent: nothing,
        answered: described,
    },
    Known { kind: "salesforce.create", method: "POST", path: "/sobjects/*", sent: fields, answered: made },
    Known {
        kind: "salesforce.field_create",
        method: "POST",
        path: "/tooling/sobjects/CustomField",
        sent: custom_field,
        answered: made,
    },
];

fn is_path(known: &str, path: &str) -> bool {
    let (known, path): (Vec<&str>, Vec<&str>) = (known.split('/').collect(), path.split('/').collect());
    known.len() == path.len() && known.iter().zip(&path).all(|(k, p)| k == p || (*k == "*" && !p.is_empty()))
}

/// What is wrong with a call and its answer.
fn judge(call: &RecordedCall) -> Vec<String> {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let mut problems = Vec::new();
    if call.path.len() > MOST_URL {
        problems.push(format!("the address has {} bytes", call.path.len()));
    }
    if call.kind == "salesforce.token" {
        let form = call.header("content-type") == Some("application/x-www-form-urlencoded");
        let known = (call.method.as_str(), path, query) == ("POST", "/services/oauth2/token", "");
        return if form && known { problems } else { vec![format!("{} {path} asks for no token", call.method)] };
    }
    let Some(rest) = path.strip_prefix("/services/data/v67.0") else {
        return vec![format!("{} {path} is not below the version", call.method)];
    };
    // The list of a version's resources, which names who is asking.
    if (call.kind, call.method.as_str(), rest, query) == ("salesforce.resources", "GET", "/", "") {
        return problems;
    }
    let Some(known) = KNOWN.iter().find(|k| k.kind == call.kind && k.method == call.method && is_path(k.path, rest))
    else {
        return vec![format!("{} {path} ({}) is no call that is known", call.method, call.kind)];
    };
    problems.extend((known.sent)(call, query));
    if call.method != "GET" && call.header("content-type") != Some("application/json") {
        problems.push("the body is not said to be JSON".to_owned());
    }
    match call.status {
        Some(status @ 200..300) if !call.answer.is_empty() || status == 204 => problems.extend((known.answered)(call)),
        Some(400..500) => problems.extend(refused(call)),
        other => problems.push(format!("answered {other:?}")),
    }
    problems
}

fn nothing(call: &RecordedCall, query: &str) -> Vec<String> {
    let sent = !query.is_empty() || !call.body.is_empty();
    sent.then(|| "neither query nor body are expected".to_owned()).into_iter().collect()
}

fn query(call: &RecordedCall, query: &str) -> Vec<String> {
    let parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    match parameters.as_slice() {
        [(name, text)] if name == "q" && call.body.is_empty() => sound(text),
        _ => vec![format!("a query has one parameter, q: {query}")],
    }
}

/// What is wrong with a query's text.
fn sound(text: &str) -> Vec<String> {
    if text.chars().count() > MOST_SOQL {
        return vec!["the query is too long".to_owned()];
    }
    match soql::parse(text) {
        Err(malformed) => vec![format!("{malformed}: {text}")],
        Ok(query) => unknown_columns(&query),
    }
}

fn composite(call: &RecordedCall, _: &str) -> Vec<String> {
    let body = call.json();
    let asked = body["compositeRequest"].as_array().cloned().unwrap_or_default();
    let mut problems = only(&body, &["allOrNone", "compositeRequest"]);
    if asked.is_empty() || asked.len() > 5 {
        problems.push(format!("{} queries in a composite", asked.len()));
    }
    let mut names = BTreeSet::new();
    for part in &asked {
        problems.extend(only(part, &["method", "url", "referenceId"]));
        let (url, name) = (part["url"].as_str().unwrap_or_default(), part["referenceId"].as_str().unwrap_or_default());
        let is_name =
            name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
        if !is_name || !names.insert(name.to_owned()) {
            problems.push(format!("`{name}` is no reference of its own"));
        }
        match url.strip_prefix("/services/data/v67.0/query?") {
            Some(query) if part["method"] == "GET" && url.len() <= MOST_URL => {
                let whole = RecordedCall { body: String::new(), ..call.clone() };
                problems.extend(self::query(&whole, query));
            }
            _ => problems.push(format!("{} {url} is no query", part["method"])),
        }
    }
    problems
}

fn updates(call: &RecordedCall, query: &str) -> Vec<String> {
    collection(call, query, true)
}

fn creates(call: &RecordedCall, query: &str) -> Vec<String> {
    collection(call, query, false)
}

fn collection(call: &RecordedCall, query: &str, update: bool) -> Vec<String> {
    let body = call.json();
    let mut problems = only(&body, &["allOrNone", "records"]);
    if body["allOrNone"] != false || !query.is_empty() {
        problems.push("each record is to be saved for itself".to_owned());
    }
    // Otherwise assignment rules take the record from its new owner.
    if call.header("sforce-auto-assign") != Some("FALSE") {
        problems.push("Sforce-Auto-Assign is not FALSE".to_owned());
    }
    if call.header("sforce-call-options") != Some("client=leadpact") {
        problems.push("Sforce-Call-Options does not name leadpact".to_owned());
    }
    let records = body["records"].as_array().cloned().unwrap_or_default();
    if records.is_empty() || records.len() > 200 {
        problems.push(format!("{} records in a collection", records.len()));
    }
    let mut ids = BTreeSet::new();
    for record in &records {
        problems.extend(record_of(record, update));
        if update && !ids.insert(record["id"].to_string()) {
            problems.push(format!("{} is named twice", record["id"]));
        }
    }
    problems
}

fn record_of(record: &Json, update: bool) -> Vec<String> {
    let mut problems = only(&record["attributes"], &["type"]);
    if !record["attributes"]["type"].is_string() {
        problems.push("a record does not name its type".to_owned());
    }
    let id = record["id"].as_str().unwrap_or_default();
    if update != (id.len() == 18 && id.bytes().all(|c| c.is_ascii_alphanumeric())) {
        problems.push(format!("`{id}` is no id of 18 characters"));
    }
    let nested = record
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| *name != "attributes" && (value.is_object() || value.is_array()));
    problems.extend(nested.map(|(name, value)| format!("{name} is no plain value: {value}")));
    problems
}

fn fields(call: &RecordedCall, query: &str) -> Vec<String> {
    let plain =
        call.json().as_object().is_some_and(|fields| !fields.is_empty() && fields.values().all(|v| !v.is_object()));
    (!plain || !query.is_empty()).then(|| format!("no plain fields: {}", call.body)).into_iter().collect()
}

/// Tooling API, CustomField: `FullName` and `Metadata`, by the type what that needs besides.
fn custom_field(call: &RecordedCall, _: &str) -> Vec<String> {
    let body = call.json();
    let metadata = &body["Metadata"];
    let needs: &[&str] = match metadata["type"].as_str().unwrap_or_default() {
        "Checkbox" => &["defaultValue", "label"],
        "LongTextArea" => &["length", "visibleLines", "label"],
        "Text" => &["length", "label"],
        "DateTime" => &["label"],
        other => return vec![format!("`{other}` is no type of field")],
    };
    let mut problems = only(&body, &["FullName", "Metadata"]);
    let named = body["FullName"]
        .as_str()
        .and_then(|name| name.split_once('.'))
        .is_some_and(|(_, field)| field.ends_with("__c"));
    if !named {
        problems.push(format!("{} names no custom field", body["FullName"]));
    }
    problems.extend(
        needs.iter().filter(|need| metadata[**need].is_null()).map(|need| format!("Metadata.{need} is missing")),
    );
    problems
}

fn only(object: &Json, known: &[&str]) -> Vec<String> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter(|(name, _)| !known.contains(&name.as_str())).map(|(name, _)| format!("{name} is unknown")).collect()
}

/// What the engine asks for only in doubt, or of many records.
async fn work_by_hand(office: &Office, lead: &str, deal: &str) {
    let crm = &office.site.crm;
    let task = |object, id: &str| NewTask {
        object,
        record: RecordId::new(id),
        owner: Some(OwnerId::new(&office.amy)),
        title: "Call".into(),
        body: "Please".into(),
        due: minute(40),
        done: false,
        key: format!("key-of-{id}"),
    };
    let tasks = [task(Object::Lead, lead), task(Object::Opportunity, deal)];
    crm.create_tasks(&tasks).await.unwrap();
    assert!(crm.find_tasks(&tasks).await.unwrap().iter().all(Option::is_some));
    let asked: Vec<_> = (0..200).map(|n| (RecordId::new(format!("00Q5g00000{n:05}AAA")), minute(0))).collect();
    for object in [Object::Lead, Object::Opportunity] {
        crm.histories(object, &asked).await.unwrap();
        crm.search(object, Sought::Since(minute(0)), None).await.unwrap();
    }
    crm.people().await.unwrap();
}

#[tokio::test]
async fn every_call_to_salesforce_is_one_that_its_guide_describes() {
    let mut office = Office::open(SALESFORCE).await;
    office.sandbox.set_page_size(100);
    office.examine().await;
    office.connect().await;
    office.connect().await;
    let ids = office.hand_over(210);
    let deal =
        office.create(Object::Opportunity, &[("name", "Acme"), ("owner", &office.amy), ("stage_name", "Prospecting")]);
    office.import().await;
    office.settle().await;
    office.at(31);
    office.settle().await;
    work_by_hand(&office, &ids[0], &deal).await;
    office.world().change("Lead", &ids[2], [("Company".to_owned(), "Acme".into())].into(), By::Form).unwrap();
    office.world().merge("Lead", &ids[1], &ids[2], By::Form).unwrap();
    office.world().delete("Opportunity", &deal, By::Form).unwrap();
    office.sweep().await;
    office.at(61);
    office.settle().await;
    let calls = office.sandbox.calls("salesforce.*");
    let told = |call: &RecordedCall| {
        let path: String = call.path.chars().take(200).collect();
        judge(call).into_iter().map(move |what| format!("{} {path}: {what}", call.method)).collect::<Vec<_>>()
    };
    let problems: Vec<String> = calls.iter().flat_map(told).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let seen: BTreeSet<&str> = calls.iter().map(|call| call.kind).collect();
    let mut asked: BTreeSet<&str> = KNOWN.iter().map(|known| known.kind).collect();
    asked.extend(["salesforce.resources", "salesforce.token"]);
    assert_eq!(seen, asked, "all that may be asked is asked in such a day");
}
