//! Salesforce's API: tokens, collections, queries.

use crate::support::{ORGANIZATION, sandbox, send, values};
use leadpact::sandbox::{By, Fault, FaultRule, id};
use serde_json::{Value as Json, json};

const COLLECTION: &str = "/services/data/v67.0/composite/sobjects";

fn query(soql: &str) -> String {
    let q: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    format!("/services/data/v67.0/query?q={q}")
}

#[tokio::test]
async fn a_token_names_its_organisation_and_a_void_one_is_refused() {
    let hand = sandbox().await;
    let form = [("grant_type", "client_credentials"), ("client_id", "id"), ("client_secret", "secret")];
    let answer = send(hand.request("POST", "/services/oauth2/token").form(&form)).await.json();
    assert!(answer["id"].as_str().unwrap().contains(ORGANIZATION), "{answer}");
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let call = || send(hand.request("GET", &query("SELECT Id FROM Lead")).bearer_auth(&token));
    let good = call().await;
    assert_eq!(good.status, 200);
    assert!(good.header("sforce-limit-info").starts_with("api-usage="));
    hand.sandbox.revoke_tokens();
    let void = call().await;
    assert_eq!((void.status, &void.json()[0]["errorCode"]), (401, &json!("INVALID_SESSION_ID")));
    let wrong = [("grant_type", "client_credentials"), ("client_id", "id"), ("client_secret", "wrong")];
    let refused = send(hand.request("POST", "/services/oauth2/token").form(&wrong)).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_client")));
}

#[tokio::test]
async fn a_collection_answers_in_order_and_with_200_whatever_failed() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let ids: Vec<String> = (0..4).map(|_| world.create("Lead", values(&[("LastName", "A")]), By::Form)).collect();
    world.change("Lead", &ids[1], [("IsConverted".to_owned(), json!(true))].into(), By::Import).unwrap();
    hand.sandbox.fail(FaultRule::once("salesforce.collection_update", Fault::Lock { ids: vec![ids[3].clone()] }));
    let record = |id: &str| json!({ "attributes": { "type": "Lead" }, "id": id, "Status": "Nurture" });
    let unknown = id::salesforce("00Q", 7);
    let records: Vec<Json> = [&ids[0][..15], &ids[1], &unknown, &ids[3]].into_iter().map(record).collect();
    let answer = hand.salesforce("PATCH", COLLECTION, json!({ "allOrNone": false, "records": records })).await;
    assert_eq!(answer.status, 200);
    let results = answer.json();
    assert_eq!(results[0], json!({ "id": ids[0], "success": true, "errors": [] }));
    let code = |n: usize| results[n]["errors"][0]["statusCode"].as_str().unwrap().to_owned();
    assert_eq!(
        [code(1), code(2), code(3)],
        ["CANNOT_UPDATE_CONVERTED_LEAD", "INVALID_CROSS_REFERENCE_KEY", "UNABLE_TO_LOCK_ROW"]
    );
    assert_eq!(world.field("Lead", &ids[0], "status"), "Nurture");
    assert_eq!(world.field("Lead", &ids[3], "status"), "");
}

#[tokio::test]
async fn all_or_none_does_none_and_more_than_200_are_refused() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let good = world.create("Lead", values(&[]), By::Form);
    let record = |id: &str| json!({ "attributes": { "type": "Lead" }, "id": id, "Status": "Nurture" });
    let records = [record(&good), record(&id::salesforce("00Q", 7))];
    let results = hand.salesforce("PATCH", COLLECTION, json!({ "allOrNone": true, "records": records })).await.json();
    assert_eq!(results[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(world.field("Lead", &good, "status"), "");
    let many: Vec<Json> = (0..201).map(|n| record(&id::salesforce("00Q", n))).collect();
    assert_eq!(hand.salesforce("PATCH", COLLECTION, json!({ "records": many })).await.status, 400);
}

#[tokio::test]
async fn a_lead_goes_astray_when_assignment_rules_were_not_switched_off() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let other = world.add_member("Amy Ng", "amy@acme.example", None, false);
    let wanted = world.add_member("Ben Castillo", "ben@acme.example", None, false);
    let lead = world.create("Lead", values(&[]), By::Form);
    let body = json!({ "records": [{ "attributes": { "type": "Lead" }, "id": lead, "OwnerId": wanted }] });
    let token = hand.token().await;
    send(hand.request("PATCH", COLLECTION).bearer_auth(token).json(&body)).await;
    assert_eq!(world.field("Lead", &lead, "owner"), other);
    hand.salesforce("PATCH", COLLECTION, body).await;
    assert_eq!(world.field("Lead", &lead, "owner"), wanted);
}

#[tokio::test]
async fn an_opportunity_takes_no_queue_and_nobody_who_left() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let queue = world.add_member("Teleprospecting queue", "", None, true);
    let gone = world.add_member("Gone Away", "gone@acme.example", None, false);
    world.set_active(&gone, false);
    let deal = world.create("Opportunity", values(&[]), By::Form);
    let lead = world.create("Lead", values(&[]), By::Form);
    let record =
        |kind: &str, id: &str, owner: &str| json!({ "attributes": { "type": kind }, "id": id, "OwnerId": owner });
    let records =
        [record("Opportunity", &deal, &queue), record("Lead", &lead, &queue), record("Opportunity", &deal, &gone)];
    for (record, expected) in records.into_iter().zip(["INVALID_CROSS_REFERENCE_KEY", "", "INACTIVE_OWNER_OR_USER"]) {
        let result = hand.salesforce("PATCH", COLLECTION, json!({ "records": [record] })).await.json();
        assert_eq!(result[0]["errors"][0]["statusCode"].as_str().unwrap_or_default(), expected);
    }
}

#[tokio::test]
async fn a_query_comes_in_pages_with_relationships_and_times_in_salesforces_form() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let amy = world.add_member("Amy Ng", "amy@acme.example", None, false);
    for n in 0..5 {
        world.create("Lead", values(&[("LastName", &format!("L{n}")), ("OwnerId", &amy)]), By::Form);
        hand.pass(1000);
    }
    hand.sandbox.set_page_size(2);
    let soql = "SELECT Id, Name, Owner.Name, Owner.Email, Company, SystemModstamp FROM Lead \
                WHERE IsConverted = false AND SystemModstamp >= 2027-01-05T14:00:01Z ORDER BY SystemModstamp, Id LIMIT 3";
    let first = hand.salesforce("GET", &query(soql), json!({})).await.json();
    assert_eq!((first["totalSize"].as_u64(), first["done"].as_bool()), (Some(3), Some(false)));
    let row = &first["records"][0];
    assert_eq!(row["Name"], "L1");
    assert_eq!(row["Owner"]["Name"], "Amy Ng");
    assert_eq!(row["Owner"]["Email"], "amy@acme.example");
    assert_eq!(row["Company"], Json::Null);
    assert_eq!(row["SystemModstamp"], "2027-01-05T14:00:01.000+0000");
    assert_eq!(row["attributes"]["type"], "Lead");
    let next = first["nextRecordsUrl"].as_str().unwrap().to_owned();
    let second = hand.salesforce("GET", &next, json!({})).await.json();
    assert_eq!((second["records"][0]["Name"].as_str(), second["done"].as_bool()), (Some("L3"), Some(true)));
    let again = hand.salesforce("GET", &next, json!({})).await;
    assert_eq!(again.json()[0]["errorCode"], "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn tasks_users_queues_and_mistakes_are_answered_as_salesforce_does() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let manager = world.add_member("Mona Haddad", "mona@acme.example", None, false);
    world.add_member("Amy Ng", "amy@acme.example", Some(&manager), false);
    let queue = world.add_member("Teleprospecting queue", "", None, true);
    let lead = world.create("Lead", values(&[]), By::Form);
    let task = json!({ "attributes": { "type": "Task" }, "Subject": "Call", "WhoId": lead, "Status": "Completed" });
    let made = hand.salesforce("POST", COLLECTION, json!({ "records": [task] })).await.json();
    let soql =
        format!("SELECT Id,CompletedDateTime,CreatedById FROM Task WHERE WhoId IN ('{lead}') AND IsClosed = true");
    let found = hand.salesforce("GET", &query(&soql), json!({})).await.json();
    assert_eq!(found["records"][0]["Id"], made[0]["id"]);
    assert_eq!(found["records"][0]["CompletedDateTime"], "2027-01-05T14:00:00.000+0000");
    let users = hand.salesforce("GET", &query("SELECT Id,Name,IsActive,ManagerId FROM User"), json!({})).await.json();
    assert_eq!(users["records"][1]["ManagerId"], json!(manager));
    let queues = "SELECT Id,DeveloperName FROM Group WHERE Type = 'Queue'";
    assert_eq!(hand.salesforce("GET", &query(queues), json!({})).await.json()["records"][0]["Id"], json!(queue));
    for (soql, code) in [
        ("SELECT Id FROM Spaceship", "INVALID_TYPE"),
        ("SELECT No_Such__c FROM Lead", "INVALID_FIELD"),
        ("SELECT FROM", "MALFORMED_QUERY"),
    ] {
        let answer = hand.salesforce("GET", &query(soql), json!({})).await;
        assert_eq!((answer.status, answer.json()[0]["errorCode"].as_str().unwrap()), (400, code));
    }
}

#[tokio::test]
async fn a_single_record_is_read_and_changed_unless_it_was_modified_since() {
    let hand = sandbox().await;
    let world = hand.sandbox.salesforce();
    let id = world.create("Lead", values(&[("Company", "Acme"), ("LastName", "A")]), By::Form);
    let path = format!("/services/data/v67.0/sobjects/Lead/{id}");
    let row = hand.salesforce("GET", &format!("{path}?fields=Company,LastModifiedDate"), json!({})).await.json();
    assert_eq!(
        (row["Company"].as_str(), row["LastModifiedDate"].as_str()),
        (Some("Acme"), Some("2027-01-05T14:00:00.000+0000"))
    );
    let token = hand.token().await;
    let patch = |since: &str| {
        let request = hand.request("PATCH", &path).bearer_auth(&token).header("If-Unmodified-Since", since);
        send(request.json(&json!({ "Company": "B", "Status": "Open" })))
    };
    assert_eq!(patch("Tue, 05 Jan 2027 13:59:59 GMT").await.status, 412);
    assert_eq!(patch("Tue, 05 Jan 2027 14:00:00 GMT").await.status, 204);
    assert_eq!(world.field("Lead", &id, "company"), "B");
}
