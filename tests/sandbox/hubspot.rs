//! HubSpot's API: the shapes that its client expects.

use crate::support::{TOKEN, sandbox, send, values};
use leadpact::sandbox::{By, Fault, FaultRule};
use serde_json::{Value as Json, json};

const UPDATE: &str = "/crm/objects/2026-03/contacts/batch/update";
const READ: &str = "/crm/objects/2026-03/contacts/batch/read";

#[tokio::test]
async fn a_batch_read_tells_of_missing_records_in_a_207() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let id = world.create("contacts", values(&[("email", "zoe@example.com")]), By::Form);
    let body = json!({
        "inputs": [{ "id": id }, { "id": "70110042" }], "properties": ["email", "hubspot_owner_id"],
        "propertiesWithHistory": [],
    });
    for path in [READ, "/crm/v3/objects/0-1/batch/read"] {
        let answer = hand.hubspot("POST", path, body.clone()).await;
        assert_eq!(answer.status, 207);
        let json = answer.json();
        assert_eq!(json["status"], "COMPLETE");
        let row = &json["results"][0];
        assert_eq!(row["id"], json!(id));
        assert_eq!(row["properties"]["email"], "zoe@example.com");
        assert_eq!(row["properties"]["hubspot_owner_id"], Json::Null);
        assert_eq!(row["properties"]["lastmodifieddate"], "2027-01-05T14:00:00.120Z");
        assert_eq!(row["updatedAt"], "2027-01-05T14:00:00.120Z");
        assert_eq!(json["numErrors"], 1);
        assert_eq!(json["errors"][0]["category"], "OBJECT_NOT_FOUND");
        assert_eq!(json["errors"][0]["context"]["ids"], json!(["70110042"]));
    }
}

#[tokio::test]
async fn every_answer_carries_the_crms_own_date_and_the_limits() {
    let hand = sandbox().await;
    let answer = hand.hubspot("GET", "/crm/owners/2026-03", json!({})).await;
    assert_eq!(answer.header("date"), "Tue, 05 Jan 2027 14:00:00 GMT");
    assert_eq!(answer.header("x-hubspot-ratelimit-max"), "190");
    hand.pass(60_000);
    let answer = hand.hubspot("GET", "/crm/owners/2026-03", json!({})).await;
    assert_eq!(answer.header("date"), "Tue, 05 Jan 2027 14:01:00 GMT");
}

#[tokio::test]
async fn a_batch_update_settles_item_by_item_and_echoes_the_trace() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let (good, bad) =
        (world.create("contacts", values(&[]), By::Form), world.create("contacts", values(&[]), By::Form));
    hand.sandbox.fail(FaultRule::once("hubspot.batch_update", Fault::Refuse { ids: vec![bad.clone()] }));
    let input = |id: &str, trace: &str| {
        json!({
            "id": id, "objectWriteTraceId": trace, "properties": { "hs_lead_status": "OPEN" },
        })
    };
    let body = json!({ "inputs": [input(&good, "0"), input(&bad, "1"), input("1", "2")] });
    let answer = hand.hubspot("POST", UPDATE, body).await;
    assert_eq!(answer.status, 207);
    let json = answer.json();
    assert_eq!(json["results"].as_array().unwrap().len(), 1);
    assert_eq!(json["results"][0]["objectWriteTraceId"], "0");
    assert_eq!(json["errors"][0]["context"], json!({ "objectWriteTraceId": ["1"] }));
    assert_eq!(json["errors"][0]["category"], "VALIDATION_ERROR");
    assert_eq!(json["errors"][1]["context"], json!({ "ids": ["1"], "objectWriteTraceId": ["2"] }));
    assert_eq!(world.field("contacts", &good, "status"), "OPEN");
    assert_eq!(world.field("contacts", &bad, "status"), "");
}

#[tokio::test]
async fn a_call_is_refused_whole_without_token_with_too_much_or_with_unknown_properties() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let id = world.create("contacts", values(&[]), By::Form);
    let answer = send(hand.request("POST", UPDATE).bearer_auth("another").json(&json!({}))).await;
    assert_eq!((answer.status, answer.json()["category"].as_str().unwrap()), (401, "INVALID_AUTHENTICATION"));
    let many: Vec<Json> = (0..101).map(|n| json!({ "id": n.to_string(), "properties": {} })).collect();
    assert_eq!(hand.hubspot("POST", UPDATE, json!({ "inputs": many })).await.status, 400);
    let unknown = json!({ "inputs": [{ "id": id, "properties": { "no_such_property": "1" } }] });
    let answer = hand.hubspot("POST", UPDATE, unknown).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("PROPERTY_DOESNT_EXIST"), "{}", answer.text);
    let twice = json!({ "inputs": [{ "id": id, "properties": {} }, { "id": id, "properties": {} }] });
    assert_eq!(hand.hubspot("POST", UPDATE, twice).await.status, 400);
    let inactive = world.add_member("Gone Away", "gone@acme.example", None, false);
    world.set_active(&inactive, false);
    let owned = json!({ "inputs": [{ "id": id, "properties": { "hubspot_owner_id": inactive } }] });
    assert_eq!(hand.hubspot("POST", UPDATE, owned).await.status, 207);
    assert!(send(hand.request("GET", "/crm/owners/2026-03").bearer_auth(TOKEN)).await.status == 200);
}

#[tokio::test]
async fn an_empty_text_clears_and_history_keeps_who_did_it() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let amy = world.add_member("Amy Ng", "amy@acme.example", None, false);
    let id = world.create("contacts", values(&[("hubspot_owner_id", &amy)]), By::Person(amy.clone()));
    hand.pass(1000);
    let path = format!("/crm/objects/2026-03/contacts/{id}");
    assert_eq!(hand.hubspot("PATCH", &path, json!({ "properties": { "hubspot_owner_id": "" } })).await.status, 200);
    let path = format!("{path}?properties=hubspot_owner_id&propertiesWithHistory=hubspot_owner_id");
    let row = hand.hubspot("GET", &path, json!({})).await.json();
    assert_eq!(row["properties"]["hubspot_owner_id"], Json::Null);
    let history = &row["propertiesWithHistory"]["hubspot_owner_id"];
    assert_eq!(history[0]["value"], "");
    assert_eq!(history[0]["sourceType"], "INTEGRATION");
    assert_eq!(history[1]["value"], json!(amy));
    assert_eq!(history[1]["timestamp"], "2027-01-05T14:00:00.120Z");
}

#[tokio::test]
async fn a_task_is_made_once_and_found_through_its_association() {
    let hand = sandbox().await;
    let lead = hand.sandbox.hubspot().create("contacts", values(&[]), By::Form);
    let body = json!({ "inputs": [{
        "objectWriteTraceId": "0",
        "properties": { "hs_task_subject": "Call", "hs_task_body": "key-1" },
        "associations": [{
            "to": { "id": lead },
            "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204 }],
        }],
    }] });
    let made = hand.hubspot("POST", "/crm/objects/2026-03/tasks/batch/create", body).await;
    assert_eq!(made.status, 201);
    let task = made.json()["results"][0]["id"].clone();
    for path in
        ["/crm/associations/2026-03/contacts/tasks/batch/read", "/crm/v4/associations/contacts/tasks/batch/read"]
    {
        let found = hand.hubspot("POST", path, json!({ "inputs": [{ "id": lead }] })).await.json();
        assert_eq!(found["results"][0]["from"]["id"], json!(lead));
        assert_eq!(found["results"][0]["to"][0]["toObjectId"], task);
    }
    let read = json!({ "inputs": [{ "id": task }], "properties": ["hs_task_body"] });
    let row = hand.hubspot("POST", "/crm/objects/2026-03/tasks/batch/read", read).await.json();
    assert_eq!(row["results"][0]["properties"]["hs_task_body"], "key-1");
}

#[tokio::test]
async fn a_search_finds_what_was_modified_since_in_pages() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.create("deals", values(&[("dealname", "A")]), By::Import));
        hand.pass(1000);
    }
    let since = (crate::support::MORNING + 2000).to_string();
    let mut body = json!({
        "filterGroups": [{ "filters": [{ "propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": since }] }],
        "sorts": ["hs_lastmodifieddate"], "properties": ["dealname"], "limit": 2,
    });
    let page = hand.hubspot("POST", "/crm/objects/2026-03/deals/search", body.clone()).await;
    assert_eq!(page.header("x-hubspot-ratelimit-max"), "", "search has no limit headers");
    let page = page.json();
    assert_eq!((page["total"].as_u64(), page["results"][0]["id"].as_str()), (Some(3), Some(ids[2].as_str())));
    body["after"] = page["paging"]["next"]["after"].clone();
    let page = hand.hubspot("POST", "/crm/objects/2026-03/deals/search", body).await.json();
    assert_eq!(page["results"][0]["id"], json!(ids[4]));
    assert_eq!(page["paging"], Json::Null);
}

#[tokio::test]
async fn owners_come_in_pages_and_those_who_left_apart() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    for n in 0..3 {
        world.add_member(&format!("Person {n}"), &format!("p{n}@acme.example"), None, false);
    }
    world.set_active(&world.members()[2].id, false);
    let first = hand.hubspot("GET", "/crm/owners/2026-03?limit=1&archived=false", json!({})).await.json();
    let after = first["paging"]["next"]["after"].as_str().unwrap().to_owned();
    let second = hand.hubspot("GET", &format!("/crm/v3/owners/?limit=1&after={after}"), json!({})).await.json();
    assert_eq!(second["results"][0]["lastName"], "1");
    assert_eq!(second["paging"], Json::Null);
    let gone = hand.hubspot("GET", "/crm/owners/2026-03?archived=true", json!({})).await.json();
    assert_eq!(gone["results"][0]["userId"], Json::Null);
    assert_eq!(gone["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pipelines_tell_closed_and_won_as_text() {
    let hand = sandbox().await;
    let json = hand.hubspot("GET", "/crm/pipelines/2026-03/deals", json!({})).await.json();
    let stages = json["results"][0]["stages"].as_array().unwrap();
    let won = stages.iter().find(|s| s["id"] == "closedwon").unwrap();
    assert_eq!(won["metadata"], json!({ "isClosed": "true", "probability": "1.0" }));
}
