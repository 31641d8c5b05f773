//! The shipped description of Pipedrive, against the documented shapes.

use crate::fake::{self, Fake, Given, Seen, at, crm, found, given, ids, is_gone, values};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use leadpact::crm::generic::Generic;
use leadpact::crm::{Crm, Event, ItemResult, NewTask, RawDelivery, Says, Sought, Write};
use leadpact::record::{Actor, FieldName, Object, OwnerId, RecordId, Timestamp, Value};
use serde_json::json;
use std::collections::BTreeSet;

const DEALS: &str = include_str!("../fixtures/generic/pipedrive-deals.json");
const LEAD: &str = include_str!("../fixtures/generic/pipedrive-lead.json");
const CHANGE: &str = include_str!("../fixtures/generic/pipedrive-v2-deal-change.json");
const KEY: &str = "d4de1c1518b4531717c676029a45911c340390a6";
const LEAD_ID: &str = "adf21080-0e10-11eb-879b-05d71fb426ec";

fn pipedrive(url: &str) -> Generic {
    crm(fake::connection(&format!(
        r#"
connector      = "pipedrive"
base_url       = "{url}"
access_token   = "secret-token"
webhook_secret = ["hook:s3cret"]

[connection.fields.lead]
status = "{KEY}"
flag   = "f0000000000000000000000000000000000000aa"

[connection.fields.opportunity]
flag = "custom_fields.{KEY}"

[connection.values.lead.status]
"Qualified by marketing" = ["41", "42"]
"Working" = "43"
"#
    )))
}

fn posted(login: &str, body: &str) -> RawDelivery {
    RawDelivery {
        method: "POST".into(),
        url: "https://h/webhooks/acme".into(),
        path_secret: None,
        headers: vec![("authorization".into(), format!("Basic {}", STANDARD.encode(login)))],
        body: body.into(),
    }
}

#[test]
fn a_webhook_is_not_signed_and_so_only_says_which_record_to_read() {
    let crm = pipedrive("http://127.0.0.1:9");
    let now = Timestamp::from_millis(0);
    assert!(crm.verify(posted("hook:wrong", CHANGE), now).is_err());
    let verified = crm.verify(posted("hook:s3cret", CHANGE), now).unwrap();
    let read_it = |object, id: &str| Event {
        object,
        id: RecordId::new(id),
        at: Timestamp::MIN,
        by: Actor::Unknown,
        says: Says::ReadIt,
    };
    assert_eq!(crm.events(&verified).unwrap().events, [read_it(Object::Opportunity, "1842")]);

    let deleted = json!({"meta": {"action": "delete", "entity": "lead", "entity_id": LEAD_ID,
        "timestamp": "2099-01-01T00:00:00Z", "user_id": "990011"}, "data": null});
    let verified = crm.verify(posted("hook:s3cret", &deleted.to_string()), now).unwrap();
    assert_eq!(crm.events(&verified).unwrap().events, [read_it(Object::Lead, LEAD_ID)]);

    let person = CHANGE.replace("\"entity\": \"deal\"", "\"entity\": \"person\"");
    let verified = crm.verify(posted("hook:s3cret", &person), now).unwrap();
    assert_eq!(crm.events(&verified).unwrap().dropped, ["object not tracked"]);
}

#[tokio::test]
async fn deals_are_read_a_hundred_at_once_and_a_missing_one_is_asked_for_before_it_is_gone() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/api/v2/deals" => given(200, DEALS),
        _ => given(404, json!({"success": false, "error": "Deal not found"})),
    })
    .await;
    let reads = pipedrive(&fake.url).read(Object::Opportunity, &ids(&["1842", "1843", "1844"])).await.unwrap();
    assert_eq!(reads.at, at("2026-01-05T09:05:00Z"));
    let (modified, values, unreadable) = found(&reads, "1842");
    assert_eq!(modified, "2026-01-05T09:00:00.000Z");
    let expected = [
        "amount=12500",
        "close_date=2026-03-31",
        "created=2025-12-01T08:00:00.000Z",
        "currency=EUR",
        "lead=adf21080-0e10-11eb-879b-05d71fb426ec",
        "modified=2026-01-05T09:00:00.000Z",
        "name=Renewal",
        "owner=990011",
        "stage_name=3",
        "status=open",
        "touches=2",
    ];
    assert_eq!(values, expected);
    // What is mapped to a number cannot be a checkbox.
    assert_eq!(unreadable, ["flag: `41` is not a bool"]);
    assert!(is_gone(&reads, "1843"), "marked as deleted");
    assert!(is_gone(&reads, "1844"), "not there");
    let seen = fake.seen();
    assert_eq!(fake.lines(), ["GET /api/v2/deals", "GET /api/v2/deals/1844"]);
    assert_eq!(seen[0].query("ids"), Some("1842,1843,1844"));
    assert_eq!(seen[0].header("x-api-token"), "secret-token");
}

#[tokio::test]
async fn leads_are_read_one_by_one_and_their_options_are_numbers() {
    let fake = Fake::always(given(200, LEAD)).await;
    let crm = pipedrive(&fake.url);
    let reads = crm.read(Object::Lead, &ids(&[LEAD_ID])).await.unwrap();
    let (modified, values, _) = found(&reads, LEAD_ID);
    assert_eq!(modified, "2026-01-05T08:30:36.551Z");
    assert!(values.contains(&"status=Qualified by marketing".to_owned()), "{values:?}");
    assert!(values.contains(&"owner=990011".to_owned()), "{values:?}");
    assert_eq!(fake.lines(), [format!("GET /api/v1/leads/{LEAD_ID}")]);
    assert_eq!(crm.limits().read, 12);
    assert!(crm.maps(Object::Lead, FieldName::new("flag")) && !crm.maps(Object::Lead, FieldName::new("due")));
    let url = crm.record_url(Object::Lead, &RecordId::new("a/b"));
    assert_eq!(url, Some(format!("{}/leads/inbox/a%2Fb", fake.url)));
}

#[tokio::test]
async fn an_update_carries_the_changed_fields_alone_typed_and_in_their_places() {
    let fake = Fake::start(|seen| match seen.path.contains("leads") {
        true => given(200, LEAD),
        false => given(200, json!({"success": true, "data": {"id": 1842, "update_time": "2026-01-05T09:04:59Z"}})),
    })
    .await;
    let crm = pipedrive(&fake.url);
    let lead = Write {
        id: RecordId::new(LEAD_ID),
        values: values(&[
            ("owner", Value::text("990012")),
            ("status", Value::text("qualified by marketing")),
            ("violation", Value::text("not mapped")),
        ]),
    };
    let done = |text| ItemResult::Done { modified: at(text), note: None };
    let results = crm.write(Object::Lead, &[lead]).await.unwrap();
    assert_eq!(results, [done("2026-01-05T08:30:36.551Z")]);
    let deal = Write {
        id: RecordId::new("1842"),
        values: values(&[("flag", Value::Bool(true)), ("owner", Value::Null), ("stage_name", Value::text("007"))]),
    };
    assert_eq!(crm.write(Object::Opportunity, &[deal]).await.unwrap(), [done("2026-01-05T09:04:59Z")]);
    let seen = fake.seen();
    assert_eq!(seen[0].line(), format!("PATCH /api/v1/leads/{LEAD_ID}"));
    assert_eq!(seen[0].body, json!({"owner_id": 990012, KEY: 41}));
    assert_eq!(seen[1].line(), "PATCH /api/v2/deals/1842");
    assert_eq!(seen[1].body, json!({"custom_fields": {KEY: true}, "owner_id": null, "stage_id": "007"}));
}

fn a_lead(id: usize, at: &str) -> serde_json::Value {
    json!({"id": format!("L{id}"), "update_time": at, "title": "x"})
}

/// What `start` and `updated_since` leave of leads, sorted as asked for.
fn page_of(seen: &Seen, mut leads: Vec<serde_json::Value>) -> Given {
    let time = |lead: &serde_json::Value| lead["update_time"].as_str().unwrap().to_owned();
    leads.sort_by_key(time);
    if seen.query("sort") == Some("update_time DESC") {
        leads.reverse();
    }
    let since = seen.query("updated_since").unwrap_or_default();
    let start = seen.query("start").unwrap().parse().unwrap();
    let left = leads.into_iter().filter(|lead| time(lead).as_str() >= since).skip(start).take(100);
    given(200, json!({"success": true, "data": left.collect::<Vec<_>>()}))
}

#[tokio::test]
async fn leads_are_searched_from_the_last_moment_on_and_archived_ones_no_further_than_needed() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/api/v1/leads" => {
            page_of(seen, (0..250).map(|i| a_lead(i, &format!("2026-01-05T08:{:02}:00Z", i / 5))).collect())
        }
        "/api/v1/leads/archived" => {
            let old = (300..500).map(|i| a_lead(i, "2026-01-05T06:59:59Z"));
            page_of(seen, old.chain([a_lead(500, "2026-01-05T07:30:00Z")]).collect())
        }
        other => panic!("{other}"),
    })
    .await;
    let since = Sought::Since(at("2026-01-05T07:00:00Z"));
    let (pages, ended) = fake::searched(&pipedrive(&fake.url), Object::Lead, since).await.unwrap();
    let all: BTreeSet<String> = pages.iter().flatten().cloned().collect();
    let expected: BTreeSet<String> = (0..250).chain([500]).map(|i| format!("L{i}")).collect();
    assert_eq!((all, ended), (expected, vec![]));
    // 100 leads, then again from the moment of the last one on, whose other leads come twice.
    let asked: Vec<_> = fake
        .seen()
        .iter()
        .map(|s| (s.query("updated_since").map(str::to_owned), s.query("start").map(str::to_owned)))
        .collect();
    assert_eq!(asked[1], (Some("2026-01-05T08:19:00.000Z".to_owned()), Some("0".to_owned())));
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[tokio::test]
async fn deals_modified_since_are_searched_by_cursor_deleted_and_archived_ones_too() {
    let fake = Fake::start(|seen| {
        let next = match (seen.path.as_str(), seen.query("cursor")) {
            ("/api/v2/deals", None) => json!("c=1&x"),
            ("/api/v2/deals", Some("c=1&x")) | ("/api/v2/deals/archived", None) => json!(null),
            other => panic!("{other:?}"),
        };
        let mut page: serde_json::Value = serde_json::from_str(DEALS).unwrap();
        page["additional_data"]["next_cursor"] = next;
        given(200, page)
    })
    .await;
    let crm = pipedrive(&fake.url);
    let since = Sought::Since(at("2026-01-05T07:00:00Z"));
    let (pages, _) = fake::searched(&crm, Object::Opportunity, since).await.unwrap();
    assert_eq!(
        pages,
        [["1842", "1843"], ["1842", "1843"], ["1842", "1843"]],
        "what is marked as deleted is to be read"
    );
    let seen = fake.seen();
    assert_eq!(seen[0].query("updated_since"), Some("2026-01-05T07:00:00.000Z"));
    assert_eq!(seen[0].query("status"), Some("open,won,lost,deleted"));
    assert_eq!((seen[0].query("limit"), seen[0].query("cursor")), (Some("500"), None));
}

fn task(object: Object, record: &str) -> NewTask {
    NewTask {
        object,
        record: RecordId::new(record),
        owner: Some(OwnerId::new("990011")),
        title: "Answer <now>".into(),
        body: "Please <call>".into(),
        due: at("2026-01-05T17:30:00Z"),
        done: false,
        key: format!("acme/{object}/{record}/task"),
    }
}

#[tokio::test]
async fn a_task_is_an_activity_of_its_record_and_is_found_by_its_key() {
    let fake = Fake::start(|seen| match seen.method.as_str() {
        "POST" => given(201, json!({"success": true, "data": {"id": 8}})),
        _ => given(200, include_str!("../fixtures/generic/pipedrive-activities.json")),
    })
    .await;
    let crm = pipedrive(&fake.url);
    let deal = task(Object::Opportunity, "1842");
    let made = crm.create_tasks(std::slice::from_ref(&deal)).await.unwrap();
    assert_eq!(made, [ItemResult::Done { modified: at("2026-01-05T09:05:00Z"), note: Some("8".into()) }]);
    let expected = json!({"subject": "Answer <now>", "type": "task", "due_date": "2026-01-05", "due_time": "17:30",
        "owner_id": 990011, "deal_id": 1842,
        "note": "Please &lt;call&gt;<br><br>acme/opportunity/1842/task"});
    assert_eq!(fake.seen()[0].body, expected);

    let other = task(Object::Opportunity, "18");
    assert_eq!(crm.find_tasks(&[deal, other]).await.unwrap(), [Some("8".to_owned()), None]);
    assert_eq!(fake.seen()[1].query("deal_id"), Some("1842"));

    let mut lead = task(Object::Lead, LEAD_ID);
    lead.owner = None;
    crm.create_tasks(&[lead]).await.unwrap();
    let body = fake.seen().last().unwrap().body.clone();
    assert_eq!((&body["lead_id"], body.get("owner_id"), body.get("deal_id")), (&json!(LEAD_ID), None, None));
}

#[tokio::test]
async fn users_are_owners_and_inactive_ones_are_known() {
    let fake = Fake::always(given(200, include_str!("../fixtures/generic/pipedrive-users.json"))).await;
    let people = pipedrive(&fake.url).people().await.unwrap();
    let told: Vec<_> = people.iter().map(|p| (p.id.as_str(), p.name.as_str(), p.email.as_deref(), p.active)).collect();
    let expected =
        [("990011", "Ada Ng", Some("ada@acme.example"), true), ("990012", "Ben Ode", Some("ben@acme.example"), false)];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn an_id_with_a_comma_is_not_two_ids() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/api/v2/deals" => given(200, DEALS),
        _ => given(404, "{}"),
    })
    .await;
    let reads = pipedrive(&fake.url).read(Object::Opportunity, &ids(&["1842", "1843,1844"])).await.unwrap();
    assert_eq!(fake.seen()[0].query("ids"), Some("1842"));
    assert_eq!(fake.seen()[1].path, "/api/v2/deals/1843%2C1844");
    assert!(is_gone(&reads, "1843,1844"));
}
