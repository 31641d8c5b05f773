//! Every call that leadpact makes to HubSpot fits the official contract, in each version of the paths,
//! and so does every answer of the sandbox. Limits that the contract does not tell are those of
//! HubSpot's pages on searches and batches.

use crate::office::{HUBSPOT, Kind, Office, minute};
use crate::schema::Contract;
use leadpact::crm::{NewTask, Sought};
use leadpact::record::{Object, OwnerId, RecordId};
use leadpact::sandbox::{By, RecordedCall};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What the client's release does not cover; HubSpot's pages on account information and on tokens of
/// private apps describe it.
const BESIDE: [(&str, &str); 2] =
    [("GET", "/account-info/VERSION/details"), ("POST", "/oauth/v2/private-apps/get/access-token-info")];

/// All that leadpact asks of a HubSpot account.
async fn a_day(kind: Kind) -> Office {
    let mut office = Office::open(kind).await;
    office.examine().await;
    office.connect().await;
    office.connect().await;
    let ids = office.hand_over(3);
    let deal =
        office.create(Object::Opportunity, &[("name", "Acme"), ("owner", &office.amy), ("stage_name", "contractsent")]);
    office.import().await;
    office.settle().await;
    office.at(31);
    office.settle().await;
    work_by_hand(&office, &ids[0], &deal).await;
    let table = if kind.lead_object == "leads" { "0-136" } else { "contacts" };
    office.world().change(table, &ids[2], [("company".to_owned(), "Acme".into())].into(), By::Form).unwrap();
    office.world().merge(table, &ids[1], &ids[2], By::Form).unwrap();
    office.world().delete("deals", &deal, By::Form).unwrap();
    office.sweep().await;
    office.at(61);
    office.settle().await;
    office
}

/// What the engine asks for only in doubt, or of many records.
async fn work_by_hand(office: &Office, lead: &str, deal: &str) {
    let crm = &office.site.crm;
    let task = |object, id: &str| NewTask {
        object,
        record: RecordId::new(id),
        owner: Some(OwnerId::new(&office.amy)),
        title: "Call".into(),
        body: "Please & <soon>".into(),
        due: minute(40),
        done: false,
        key: format!("key-of-{id}"),
    };
    let tasks = [task(Object::Lead, lead), task(Object::Opportunity, deal)];
    crm.create_tasks(&tasks).await.unwrap();
    assert!(crm.find_tasks(&tasks).await.unwrap().iter().all(Option::is_some));
    let asked: Vec<_> = (0..51)
        .map(|n| (RecordId::new(format!("{n}")), minute(0)))
        .chain([(RecordId::new(lead), minute(-1))])
        .collect();
    for (object, sought) in [(Object::Lead, Sought::Since(minute(0))), (Object::Opportunity, Sought::Open)] {
        crm.histories(object, &asked).await.unwrap();
        crm.search(object, sought, None).await.unwrap();
    }
    crm.people().await.unwrap();
}

/// What is wrong with these calls and their answers, and which operations they were.
fn judge(calls: &[RecordedCall], version: &str) -> (Vec<String>, BTreeSet<String>) {
    let contract = Contract::load();
    let (mut problems, mut seen) = (Vec::new(), BTreeSet::new());
    for call in calls {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let beside =
            BESIDE.iter().any(|(method, known)| *method == call.method && known.replace("VERSION", version) == path);
        if beside {
            seen.insert(call.kind.to_owned());
            continue;
        }
        let Some(operation) = contract.operation(&call.method, path) else {
            problems.push(format!("{} {path} is no operation of the contract", call.method));
            continue;
        };
        seen.insert(call.kind.to_owned());
        let status = call.status.expect("all calls were answered");
        let mut wrong = contract.sent(operation, query, &call.body);
        wrong.extend(contract.answered(operation, status, &call.answer));
        wrong.extend(beyond_limits(call));
        problems.extend(wrong.into_iter().map(|what| format!("{} {path} ({}): {what}", call.method, operation.name)));
    }
    (problems, seen)
}

fn beyond_limits(call: &RecordedCall) -> Vec<String> {
    let body = call.json();
    let length = |list: &Json| list.as_array().map_or(0, Vec::len);
    let mut problems = Vec::new();
    let mut most = |what: &str, is: u64, most: u64| {
        if is > most {
            problems.push(format!("{what}: {is} are more than {most}"));
        }
    };
    let with_history = length(&body["propertiesWithHistory"]) > 0;
    most("inputs", length(&body["inputs"]) as u64, if with_history { 50 } else { 100 });
    if call.kind == "hubspot.search" {
        let after = body["after"].as_str().and_then(|after| after.parse().ok()).unwrap_or(0);
        let limit = body["limit"].as_u64().unwrap_or(10);
        most("characters of a search", call.body.chars().count() as u64, 3000);
        most("records of a page", limit, 200);
        most("records of a search", after + limit, 10_000);
        most("groups", length(&body["filterGroups"]) as u64, 5);
        most("filters", length(&body["filterGroups"][0]["filters"]) as u64, 6);
        most("sorts", length(&body["sorts"]) as u64, 1);
    }
    problems
}

/// What every version and either object of leads is to ask for in such a day.
const ASKED: [&str; 12] = [
    "hubspot.account",
    "hubspot.associations_read",
    "hubspot.batch_create",
    "hubspot.batch_read",
    "hubspot.batch_update",
    "hubspot.list",
    "hubspot.owners",
    "hubspot.pipelines",
    "hubspot.properties",
    "hubspot.property_create",
    "hubspot.search",
    "hubspot.token_info",
];

async fn keeps_to_the_contract(kind: Kind) {
    let office = a_day(kind).await;
    let (problems, seen) = judge(&office.sandbox.calls("hubspot.*"), kind.api_version);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let asked: BTreeSet<String> = ASKED.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(seen, asked);
}

#[tokio::test]
async fn every_call_to_hubspot_fits_its_contract() {
    keeps_to_the_contract(HUBSPOT).await;
}

#[tokio::test]
async fn every_call_fits_the_contract_by_the_older_paths_too() {
    keeps_to_the_contract(Kind { api_version: "v3", ..HUBSPOT }).await;
}

#[tokio::test]
async fn every_call_fits_the_contract_by_the_newest_paths_and_with_hubspots_leads() {
    keeps_to_the_contract(Kind { api_version: "2026-09", lead_object: "leads", ..HUBSPOT }).await;
}
