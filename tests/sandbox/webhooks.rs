//! Webhooks as their receiver gets them.

use crate::support::{ORGANIZATION, Receiver, SECRET, sandbox, values};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use leadpact::sandbox::{By, CrmKind, Mischief, hubspot_signature};
use serde_json::json;
use sha2::Sha256;
use std::time::{Duration, UNIX_EPOCH};

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_change_in_hubspot_arrives_signed_with_the_real_time() {
    let hand = sandbox().await;
    let receiver = Receiver::default();
    let url = format!("{}/webhooks/acme", receiver.start());
    let public = "https://leadpact.acme.example/webhooks/acme%3Fx";
    hand.sandbox.set_webhook_url(CrmKind::HubSpot, &url, Some(public));
    let world = hand.sandbox.hubspot();
    let amy = world.add_member("Amy Ng", "amy@acme.example", None, false);
    let id = world.create("contacts", values(&[("hs_lead_status", "OPEN")]), By::Person(amy.clone()));
    hand.pass(1000);
    world.change("contacts", &id, values(&[("hs_lead_status", "")]), By::App).unwrap();
    assert!(hand.sandbox.settled(LONG).await);

    let requests = receiver.taken();
    assert_eq!(requests.len(), 1, "what happens within a moment comes together");
    let timestamp = requests[0].header("X-HubSpot-Request-Timestamp");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("POSThttps://leadpact.acme.example/webhooks/acme?x{}{timestamp}", requests[0].body).as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(requests[0].header("X-HubSpot-Signature-v3"), expected);
    let now = UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    assert!((now - timestamp.parse::<i64>().unwrap()).abs() < 60_000);

    let events = receiver.events();
    let types: Vec<&str> = events.iter().map(|e| e["subscriptionType"].as_str().unwrap()).collect();
    assert_eq!(types, ["contact.creation", "contact.propertyChange", "contact.propertyChange"]);
    assert_eq!(events[0]["portalId"], 45_540_012);
    assert_eq!(events[0]["objectId"].to_string(), id);
    assert_eq!(events[1]["occurredAt"], crate::support::MORNING);
    assert_eq!((&events[1]["changeSource"], &events[1]["sourceId"]), (&json!("CRM_UI"), &json!("userId:9912")));
    assert_eq!((&events[2]["propertyValue"], &events[2]["changeSource"]), (&json!(""), &json!("INTEGRATION")));
    assert_eq!(events[2]["sourceId"], events[2]["appId"].to_string());
}

#[tokio::test]
async fn an_association_is_told_from_both_sides() {
    let hand = sandbox().await;
    let receiver = Receiver::default();
    hand.sandbox.set_webhook_url(CrmKind::HubSpot, &receiver.start(), None);
    let world = hand.sandbox.hubspot();
    let deal = world.create("deals", values(&[]), By::Form);
    let contact = world.create("contacts", values(&[]), By::Form);
    world.associate(("deals", &deal), ("contacts", &contact), 3, By::Form);
    let lead = world.create("0-136", values(&[]), By::Form);
    world.associate(("0-136", &lead), ("contacts", &contact), 578, By::Form);
    assert!(hand.sandbox.settled(LONG).await);
    let events = receiver.events();
    let of = |kind: &str| events.iter().find(|e| e["subscriptionType"] == kind).unwrap();
    assert_eq!(of("deal.associationChange")["associationType"], "DEAL_TO_CONTACT");
    assert_eq!(of("contact.associationChange")["associationType"], "CONTACT_TO_DEAL");
    assert_eq!(of("contact.associationChange")["toObjectId"].to_string(), deal);
    let generic = of("object.associationChange");
    assert_eq!((&generic["fromObjectTypeId"], &generic["toObjectTypeId"]), (&json!("0-136"), &json!("0-1")));
    assert_eq!(of("object.creation")["objectTypeId"], "0-136");
}

#[tokio::test]
async fn a_refused_delivery_is_tried_again_with_its_number() {
    let hand = sandbox().await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([(500, ""), (503, "")]);
    hand.sandbox.set_webhook_url(CrmKind::HubSpot, &receiver.start(), None);
    hand.sandbox.hubspot().create("contacts", values(&[]), By::Form);
    assert!(hand.sandbox.settled(LONG).await);
    let attempts: Vec<i64> = receiver.events().iter().map(|e| e["attemptNumber"].as_i64().unwrap()).collect();
    assert_eq!(attempts, [0, 1, 2]);
    let tally = hand.sandbox.tally(CrmKind::HubSpot);
    assert_eq!((tally.delivered, tally.failed_attempts, tally.given_up), (1, 2, 0));
}

#[tokio::test]
async fn deliveries_go_astray_on_order() {
    let hand = sandbox().await;
    let receiver = Receiver::default();
    hand.sandbox.set_webhook_url(CrmKind::HubSpot, &receiver.start(), None);
    hand.sandbox.set_mischief(CrmKind::HubSpot, Mischief { duplicate: true, shuffle: true, ..Mischief::default() });
    let world = hand.sandbox.hubspot();
    for _ in 0..150 {
        world.create("contacts", values(&[]), By::Import);
    }
    assert!(hand.sandbox.settled(LONG).await);
    let sizes: Vec<usize> = receiver
        .taken()
        .iter()
        .map(|r| serde_json::from_str::<Vec<serde_json::Value>>(&r.body).unwrap().len())
        .collect();
    assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 300);
    let ids: Vec<u64> = receiver.events().iter().map(|e| e["objectId"].as_u64().unwrap()).collect();
    assert!(!ids.is_sorted());

    hand.sandbox.set_mischief(CrmKind::HubSpot, Mischief { drop_every: 1, ..Mischief::default() });
    world.create("contacts", values(&[]), By::Import);
    assert!(hand.sandbox.settled(LONG).await);
    assert_eq!(receiver.events().len(), 300);
    assert_eq!(hand.sandbox.tally(CrmKind::HubSpot).dropped, 1);
}

/// The text of every element of that local name.
fn texts(xml: &str, name: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::NsReader::from_str(xml);
    let (mut found, mut open) = (Vec::new(), None::<String>);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.local_name().into_inner() == name => open = Some(String::new()),
            Event::Text(text) => open.iter_mut().for_each(|t| t.push_str(&text.xml10_content())),
            Event::GeneralRef(entity) => {
                let text = quick_xml::escape::resolve_predefined_entity(&entity).unwrap();
                open.iter_mut().for_each(|t| t.push_str(text));
            }
            Event::End(end) if end.local_name().into_inner() == name => found.extend(open.take()),
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_outbound_message_carries_the_record_as_it_is_when_sent() {
    let hand = sandbox().await;
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([(200, ""), (200, "<a><Ack>false</Ack></a>")]);
    hand.sandbox.set_webhook_url(CrmKind::Salesforce, &receiver.start(), None);
    let world = hand.sandbox.salesforce();
    let lead = world.create("Lead", values(&[("Company", "Blåbær & Sønner <AS>"), ("Status", "Open")]), By::Form);
    tokio::time::sleep(Duration::from_millis(120)).await;
    world.change("Lead", &lead, values(&[("Rating", "Hot")]), By::App).unwrap();
    assert!(hand.sandbox.settled(LONG).await);
    let messages = receiver.taken();
    assert_eq!(messages.len(), 3, "an empty 200 and a false Ack are failures");
    assert_eq!(messages[0].header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(texts(&messages[0].body, "OrganizationId"), [ORGANIZATION]);
    assert_eq!(texts(&messages[0].body, "Company"), ["Blåbær & Sønner <AS>"]);
    assert_eq!(texts(&messages[0].body, "Id")[1], lead);
    assert_eq!(texts(&messages[0].body, "Id"), texts(&messages[2].body, "Id"), "a retry keeps its id");
    assert_eq!(texts(&messages[0].body, "Rating"), Vec::<String>::new());
    assert_eq!(texts(&messages[2].body, "Rating"), ["Hot"], "values of the moment of sending");
    assert_eq!(texts(&messages[0].body, "LastModifiedDate"), ["2027-01-05T14:00:00.000Z"]);
}

#[tokio::test]
async fn an_outbound_message_is_about_one_object_type_and_only_about_what_the_rules_name() {
    let hand = sandbox().await;
    let receiver = Receiver::default();
    hand.sandbox.set_webhook_url(CrmKind::Salesforce, &receiver.start(), None);
    let world = hand.sandbox.salesforce();
    let lead = world.create("Lead", values(&[("Status", "Open")]), By::Form);
    world.create("Opportunity", values(&[("StageName", "Prospecting")]), By::Form);
    world.create("Task", values(&[("WhoId", &lead)]), By::Form);
    assert!(hand.sandbox.settled(LONG).await);
    assert_eq!(receiver.taken().len(), 2);
    assert!(receiver.taken().iter().all(|m| texts(&m.body, "Notification").len() == 1));
    world.change("Lead", &lead, values(&[("Leadpact_Violations__c", "x")]), By::App).unwrap();
    assert!(hand.sandbox.settled(LONG).await);
    assert_eq!(receiver.taken().len(), 2);
}

#[test]
fn the_signature_is_hubspots_own() {
    let file: serde_json::Value = serde_json::from_str(include_str!("../fixtures/signatures.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let ours = cases.iter().filter(|c| c["scheme"] == "hubspot-v3" && c["method"] == "POST" && c["body"].is_string());
    let mut seen = 0;
    for case in ours {
        let text = |name: &str| case[name].as_str().map_or_else(|| case[name].to_string(), str::to_owned);
        let signature = hubspot_signature(&text("secret"), &text("url"), &text("body"), &text("timestamp"));
        assert_eq!(signature, text("expected_signature"), "{}", case["id"]);
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}
