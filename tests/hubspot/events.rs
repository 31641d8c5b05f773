//! Recorded webhook bodies and what they say.

use crate::fake::{Fake, connection, given, hubspot};
use leadpact::crm::connection::{Connection, Platform};
use leadpact::crm::{Crm, Event, Events, Says, VerifiedDelivery};
use leadpact::record::{Actor, FieldName, Object, RecordId};
use serde_json::{Value as Json, json};

const MIXED: &str = include_str!("../fixtures/hubspot/webhook-mixed-batch.json");

fn read_with(connection: Connection, body: &str) -> Events {
    hubspot(connection).events(&VerifiedDelivery::from_inbox(body.as_bytes().to_vec())).unwrap()
}

fn read(body: &str) -> Events {
    read_with(connection("http://127.0.0.1:1"), body)
}

fn on_leads() -> Connection {
    let mut connection = connection("http://127.0.0.1:1");
    if let Platform::HubSpot(hubspot) = &mut connection.platform {
        hubspot.lead_object = "leads".to_owned();
    }
    connection
}

/// `lead 70112233 changed status=…, by person 9912`.
fn told(events: &Events) -> Vec<String> {
    events.events.iter().map(told_one).collect()
}

fn told_one(event: &Event) -> String {
    let says = match &event.says {
        Says::Changed(values) if values.is_empty() => "appeared".to_owned(),
        Says::Changed(values) => {
            let values: Vec<String> = values.iter().map(|(n, v)| format!("{n}={v}")).collect();
            format!("changed {}", values.join(", "))
        }
        Says::ReadIt => "to be read".to_owned(),
        Says::Deleted => "deleted".to_owned(),
        Says::Erased => "erased".to_owned(),
        Says::Restored => "restored".to_owned(),
        Says::Merged { into } => format!("merged into {into}"),
    };
    let by = match &event.by {
        Actor::Person(id) => format!(" by {id}"),
        Actor::Automation => " by automation".to_owned(),
        _ => String::new(),
    };
    format!("{} {} {says}{by}", event.object, event.id)
}

fn one(mut event: Json) -> String {
    let defaults = json!({"eventId": 1, "portalId": 45540012, "appId": 880101, "occurredAt": 1767603600000i64,
        "subscriptionType": "contact.propertyChange", "objectId": 123});
    for (key, value) in defaults.as_object().unwrap() {
        if event.get(key).is_none() {
            event[key] = value.clone();
        }
    }
    json!([event]).to_string()
}

#[test]
fn a_mixed_batch_tells_what_concerns_contacts_and_deals() {
    let events = read(MIXED);
    assert_eq!(
        told(&events),
        [
            "lead 70112233 appeared",
            "opportunity 811223344556 appeared by automation",
            "opportunity 811223344556 changed stage_name=contractsent by 9912",
            "opportunity 811223344556 to be read by 9912",
            "lead 70110001 deleted by 9912",
            "opportunity 811223340001 restored",
        ]
    );
    assert_eq!(
        events.dropped,
        ["unmapped property", "object not tracked", "object not tracked", "object not tracked", "unmapped property"]
    );
    assert_eq!(events.events[0].at.as_millis(), 1_767_603_600_120);
}

#[test]
fn with_leads_as_lead_object_the_generic_events_count_and_contacts_do_not() {
    let events = read_with(on_leads(), MIXED);
    let leads: Vec<String> = told(&events).into_iter().filter(|t| t.starts_with("lead")).collect();
    assert_eq!(leads, ["lead 497301188201 appeared by 9912", "lead 497301188201 changed owner=nothing by 9912"]);
}

#[test]
fn retries_in_other_batches_say_nothing_new_even_where_an_event_id_is_used_twice() {
    let file: Json = serde_json::from_str(include_str!("../fixtures/hubspot/webhook-retry-duplicates.json")).unwrap();
    let mut distinct: Vec<Event> = Vec::new();
    for delivery in file["deliveries"].as_array().unwrap() {
        let mut connection = connection("http://127.0.0.1:1");
        connection.fields.insert((Object::Lead, FieldName::new("email")), "phone".to_owned());
        for event in read_with(connection, &delivery["body"].to_string()).events {
            if !distinct.contains(&event) && event.says != Says::ReadIt {
                distinct.push(event);
            }
        }
    }
    assert_eq!(distinct.len() as u64, file["expected_distinct"].as_u64().unwrap(), "{distinct:#?}");
}

#[test]
fn events_keep_their_own_times_whatever_order_they_come_in() {
    let file: Json = serde_json::from_str(include_str!("../fixtures/hubspot/webhook-out-of-order.json")).unwrap();
    let bodies = file["deliveries"].as_array().unwrap().iter().map(|d| d["body"].to_string());
    let events: Vec<Event> = bodies.flat_map(|body| read(&body).events).collect();
    let staged = events.iter().filter(|e| told_one(e).contains("stage_name"));
    let last = staged.max_by_key(|e| e.at).unwrap();
    assert_eq!(told_one(last), "opportunity 811223344600 changed stage_name=decisionmakerboughtin");
}

#[test]
fn merged_records_point_to_the_survivor_and_a_new_survivor_takes_the_primary_too() {
    let body = include_str!("../fixtures/hubspot/webhook-merge.json");
    assert_eq!(
        told(&read(body)),
        [
            "lead 70110042 merged into 70119999",
            "lead 70112233 merged into 70119999",
            "lead 70119999 to be read",
            "opportunity 811223340007 merged into 811223344556",
            "opportunity 811223340008 merged into 811223344556",
            "opportunity 811223344556 to be read",
        ]
    );
    assert!(told(&read_with(on_leads(), body)).contains(&"lead 497301188201 merged into 497301199999".to_owned()));
}

#[test]
fn an_association_links_both_sides_whichever_side_tells_it() {
    let events = read(include_str!("../fixtures/hubspot/webhook-association-privacy.json"));
    let (lead, deal) =
        ("lead 70112233 changed opportunity=811223344556", "opportunity 811223344556 changed lead=70112233");
    assert_eq!(told(&events), [lead, deal, lead, deal, "lead 70110001 erased", "lead 70110001 deleted"]);
    assert_eq!(events.dropped, ["association not tracked"]);
}

#[test]
fn a_removed_association_makes_both_sides_be_read() {
    let event = json!({"subscriptionType": "contact.associationChange", "associationType": "CONTACT_TO_DEAL",
        "fromObjectId": 1, "toObjectId": 2, "associationRemoved": true});
    assert_eq!(told(&read(&one(event))), ["lead 1 to be read", "opportunity 2 to be read"]);
}

#[test]
fn a_full_batch_is_read_and_a_fuller_one_refused() {
    let full = include_str!("../fixtures/hubspot/webhook-full-batch-100.json");
    let events = read(full);
    assert!(events.events.len() >= 100 && events.dropped.is_empty(), "{:?}", events.dropped);
    let mut more: Vec<Json> = serde_json::from_str(full).unwrap();
    more.push(more[0].clone());
    let crm = hubspot(connection("http://127.0.0.1:1"));
    let refused = crm.events(&VerifiedDelivery::from_inbox(serde_json::to_vec(&more).unwrap())).unwrap_err();
    assert!(refused.to_string().contains("101"), "{refused}");
}

#[test]
fn quirks_are_taken_and_only_what_is_no_list_is_refused() {
    let file: Json = serde_json::from_str(include_str!("../fixtures/hubspot/webhook-quirks.json")).unwrap();
    let crm = hubspot(connection("http://127.0.0.1:1"));
    let verdicts: Vec<String> = file["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| match crm.events(&VerifiedDelivery::from_inbox(item["body"].to_string().into_bytes())) {
            Ok(events) => format!("{:?} {:?}", told(&events), events.dropped),
            Err(_) => "refused".to_owned(),
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            r#"["lead 123 appeared"] []"#,
            "[] []",
            r#"[] ["unmapped property"]"#,
            r#"[] ["unmapped property"]"#,
            r#"[] ["object not tracked"]"#,
            r#"[] ["other portal"]"#,
            "refused",
        ]
    );
}

#[test]
fn values_are_read_through_the_map_and_a_hidden_one_causes_a_read() {
    let changed = |name: &str, value: &str| json!({"propertyName": name, "propertyValue": value});
    let check = |event, expected: &str| assert_eq!(told(&read(&one(event))), [expected]);
    check(changed("hs_lead_status", "mql"), "lead 123 changed status=Qualified by marketing");
    check(changed("hs_lead_status", ""), "lead 123 changed status=nothing");
    check(changed("hubspotscore", "62"), "lead 123 changed score=62");
    check(changed("hubspotscore", "many"), "lead 123 changed score=nothing");
    check(changed("hs_lead_status", "REDACTED"), "lead 123 to be read");
    check(changed("lastname", "Ünal"), "lead 123 to be read");
    let mut sensitive = changed("hs_lead_status", "NEW");
    sensitive["isSensitive"] = true.into();
    check(sensitive, "lead 123 to be read");
    check(json!({"propertyName": "hs_lead_status"}), "lead 123 to be read");
}

#[test]
fn a_listed_user_and_a_workflow_are_automation_and_an_unnamed_source_is_unknown() {
    let by = |source: &str, id: &str| {
        let event = json!({"propertyName": "email", "propertyValue": "", "changeSource": source, "sourceId": id});
        read(&one(event)).events[0].by.clone()
    };
    assert_eq!(by("CRM_UI", "userId:7099"), Actor::Automation);
    assert_eq!(by("CRM_UI", "userId:9912"), Actor::Person("9912".into()));
    assert_eq!(by("INTEGRATION", "880101"), Actor::Automation, "our own app");
    assert_eq!(by("INTEGRATION", "25200"), Actor::Unknown, "a person may stand behind another app");
    assert_eq!(by("AUTOMATION_PLATFORM", "x"), Actor::Automation);
    assert_eq!(by("SOMETHING_NEW", ""), Actor::Unknown);
}

#[test]
fn what_lacks_an_id_or_a_time_is_dropped_and_the_rest_of_the_batch_is_read() {
    let body = json!([
        {"portalId": 45540012, "subscriptionType": "contact.creation", "occurredAt": 1},
        {"portalId": 45540012, "subscriptionType": "contact.creation", "occurredAt": 1, "objectId": -3},
        {"portalId": 45540012, "subscriptionType": "contact.creation", "objectId": 3},
        {"portalId": 45540012},
        {"portalId": 45540012, "subscriptionType": "contact.creation", "occurredAt": 1, "objectId": 874716779721u64},
    ]);
    let events = read(&body.to_string());
    assert_eq!(events.dropped, ["no object id", "no object id", "no time", "no event type"]);
    assert_eq!(told(&events), ["lead 874716779721 appeared"]);
}

#[tokio::test]
async fn a_stage_tells_the_status_of_a_deal_once_the_pipelines_are_known() {
    let row = json!({"id": "5", "properties": {"dealstage": "closedwon"}});
    let pipelines = crate::fake::recorded(include_str!("../fixtures/hubspot/pipelines-deals.json"));
    let fake = Fake::start([given(200, json!({"results": [row]})), pipelines]).await;
    let crm = fake.crm();
    let event = json!({"subscriptionType": "deal.propertyChange", "propertyName": "dealstage",
        "propertyValue": "closedwon"});
    let delivery = VerifiedDelivery::from_inbox(one(event).into_bytes());
    assert_eq!(
        told(&crm.events(&delivery).unwrap()),
        ["opportunity 123 changed stage_name=closedwon", "opportunity 123 to be read"]
    );
    crm.read(Object::Opportunity, &[RecordId::new("5")]).await.unwrap();
    assert_eq!(told(&crm.events(&delivery).unwrap()), ["opportunity 123 changed stage_name=closedwon, status=won"]);
}
