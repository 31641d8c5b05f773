//! Failures on order.

use crate::support::{sandbox, send, values};
use leadpact::engine::clock::monotonic_now;
use leadpact::sandbox::{By, Fault, FaultRule};
use serde_json::json;
use std::time::Duration;

const UPDATE: &str = "/crm/objects/2026-03/contacts/batch/update";

#[tokio::test]
async fn a_fault_ordered_over_http_hits_once_and_the_call_is_kept() {
    let hand = sandbox().await;
    let rule = json!({ "on": "hubspot.search", "times": 1, "fault": { "do": "too_many_requests", "retry_after": 3 } });
    assert_eq!(send(hand.request("POST", "/_sandbox/faults").json(&rule)).await.status, 204);
    let path = "/crm/objects/2026-03/contacts/search";
    let limited = hand.hubspot("POST", path, json!({ "limit": 1 })).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, "3"));
    assert_eq!(limited.json()["policyName"], "TEN_SECONDLY_ROLLING");
    assert_eq!(hand.hubspot("POST", path, json!({})).await.status, 200);
    let calls = hand.sandbox.calls("hubspot.search");
    assert_eq!(calls.iter().map(|c| c.status).collect::<Vec<_>>(), [Some(429), Some(200)]);
    assert_eq!((calls[0].path.as_str(), calls[0].json()), (path, json!({ "limit": 1 })));
    assert_eq!(calls[0].header("authorization"), None);
    let nonsense = json!({ "on": "*", "fault": { "do": "explode" } });
    assert_eq!(send(hand.request("POST", "/_sandbox/faults").json(&nonsense)).await.status, 400);
}

#[tokio::test]
async fn a_write_may_land_though_its_caller_gave_up() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let id = world.create("contacts", values(&[]), By::Form);
    hand.sandbox.fail(FaultRule::once("hubspot.batch_update", Fault::ApplyThenHang { seconds: 5.0 }));
    let body = json!({ "inputs": [{ "id": id, "properties": { "company": "Landed" } }] });
    let request = hand.request("POST", UPDATE).bearer_auth(crate::support::TOKEN).json(&body);
    let error = request.timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(world.field("contacts", &id, "company"), "Landed");
}

#[tokio::test]
async fn a_hanging_call_does_nothing_and_is_answered_late() {
    let hand = sandbox().await;
    let world = hand.sandbox.hubspot();
    let id = world.create("contacts", values(&[]), By::Form);
    hand.sandbox.fail(FaultRule::once("hubspot.*", Fault::Hang { seconds: 0.2 }));
    let begun = monotonic_now();
    let body = json!({ "inputs": [{ "id": id, "properties": { "company": "Lost" } }] });
    assert_eq!(hand.hubspot("POST", UPDATE, body).await.status, 503);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(world.field("contacts", &id, "company"), "");
}

#[tokio::test]
async fn other_faults_look_like_the_real_ones() {
    let hand = sandbox().await;
    for (fault, status, text) in [
        (Fault::ServerError, 500, "INTERNAL_ERROR"),
        (Fault::BadGateway, 502, "<html>"),
        (Fault::Unauthorized, 401, "INVALID_AUTHENTICATION"),
    ] {
        hand.sandbox.fail(FaultRule::once("hubspot.owners", fault));
        let answer = hand.hubspot("GET", "/crm/owners/2026-03", json!({})).await;
        assert_eq!(answer.status, status);
        assert!(answer.text.contains(text), "{}", answer.text);
    }
    hand.sandbox.fail(FaultRule::always("salesforce.query", Fault::Unauthorized));
    for _ in 0..2 {
        let answer = hand.salesforce("GET", "/services/data/v67.0/query?q=SELECT+Id+FROM+Lead", json!({})).await;
        assert_eq!(answer.json()[0]["errorCode"], "INVALID_SESSION_ID");
    }
    hand.sandbox.heal();
    let answer = hand.salesforce("GET", "/services/data/v67.0/query?q=SELECT+Id+FROM+Lead", json!({})).await;
    assert_eq!(answer.status, 200);
}
