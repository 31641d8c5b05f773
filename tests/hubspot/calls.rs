//! Reads, writes and the directory against recorded answers.

use crate::fake::{DATE, Fake, given, recorded};
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::{Crm, ItemResult, ReadRecord, Reads, VerifiedDelivery, Write};
use leadpact::record::{Actor, FieldName, Object, RecordId, Timestamp, Value};
use serde_json::json;

fn ids(texts: &[&str]) -> Vec<RecordId> {
    texts.iter().map(RecordId::new).collect()
}

fn values(reads: &Reads, id: &str) -> Vec<String> {
    match &reads.records.iter().find(|(i, _)| i.as_str() == id).unwrap().1 {
        ReadRecord::Found { values, .. } => values.iter().map(|(n, v)| format!("{n}={v}")).collect(),
        ReadRecord::Gone => vec!["gone".to_owned()],
    }
}

fn write(id: &str, values: Vec<(&str, Value)>) -> Write {
    Write { id: RecordId::new(id), values: values.into_iter().map(|(n, v)| (FieldName::new(n), v)).collect() }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[tokio::test]
async fn a_batch_read_asks_once_and_tells_found_from_gone() {
    let fake = Fake::start([recorded(include_str!("../fixtures/hubspot/batch-read-207.json"))]).await;
    let reads = fake.crm().read(Object::Lead, &ids(&["70112233", "70110042", "70119999"])).await.unwrap();
    assert_eq!(reads.at, time("2026-01-05T09:05:00Z"), "{DATE}");
    let lead = values(&reads, "70112233");
    for expected in ["email=zoe@example.com", "name=zoe@example.com", "owner=nothing", "status=nothing", "flag=nothing"]
    {
        assert!(lead.contains(&expected.to_owned()), "{expected} in {lead:?}");
    }
    assert_eq!(values(&reads, "70110042"), ["gone"]);
    assert_eq!(values(&reads, "70119999"), ["gone"], "merged away: neither a result nor an error");
    let seen = fake.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "POST /crm/objects/2026-03/contacts/batch/read");
    assert_eq!(seen[0].authorization, "Bearer pat-test");
    assert_eq!(seen[0].agent, concat!("leadpact/", env!("CARGO_PKG_VERSION")));
    let asked = seen[0].body["properties"].to_string();
    for property in ["firstname", "lastname", "lastmodifieddate", "num_contacted_notes", "leadpact_violation"] {
        assert!(asked.contains(&format!("\"{property}\"")), "{property} in {asked}");
    }
}

#[tokio::test]
async fn a_read_keeps_the_records_own_time_and_notes_what_it_cannot_read() {
    let row = json!({"id": "1", "updatedAt": "2026-01-05T09:01:00Z", "properties": {
        "firstname": "Zoë", "lastname": "Ünal", "hs_lead_status": "MQL", "hubspotscore": "many",
        "lastmodifieddate": "2026-01-05T09:02:00.500Z", "notes_last_contacted": "1767603600000"}});
    let fake = Fake::start([given(200, json!({"results": [row]}))]).await;
    let reads = fake.crm().read(Object::Lead, &ids(&["1"])).await.unwrap();
    let ReadRecord::Found { modified, unreadable, .. } = &reads.records[0].1 else { panic!("found") };
    assert_eq!(*modified, time("2026-01-05T09:02:00.500Z"));
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    let lead = values(&reads, "1");
    for expected in
        ["name=Zoë Ünal", "status=Qualified by marketing", "score=nothing", "last_touch=2026-01-05T09:00:00.000Z"]
    {
        assert!(lead.contains(&expected.to_owned()), "{expected} in {lead:?}");
    }
}

#[tokio::test]
async fn a_record_that_failed_for_another_reason_is_missing_and_not_gone() {
    let answer = json!({"results": [], "errors": [{"category": "INTERNAL_ERROR", "context": {"ids": ["1"]}}]});
    let fake = Fake::start([given(207, answer)]).await;
    let reads = fake.crm().read(Object::Lead, &ids(&["1", "2"])).await.unwrap();
    assert_eq!(reads.records, [(RecordId::new("2"), ReadRecord::Gone)]);
}

#[tokio::test]
async fn an_answer_without_a_date_takes_the_clocks_time() {
    // The server adds its own date, so an unreadable one stands for none.
    let fake = Fake::start([given(200, json!({"results": []})).with("Date", "sometime")]).await;
    let reads = fake.crm().read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert_eq!(reads.at, Timestamp::from_millis(1));
}

#[tokio::test]
async fn pipelines_are_fetched_for_a_new_stage_and_again_after_a_day() {
    let deal = |stage: &str| given(200, json!({"results": [{"id": "5", "properties": {"dealstage": stage}}]}));
    let pipelines = || recorded(include_str!("../fixtures/hubspot/pipelines-deals.json"));
    let tomorrow = "Tue, 06 Jan 2026 09:06:00 GMT";
    let fake = Fake::start([
        deal("closedwon"),
        pipelines(),
        deal("appointmentscheduled"),
        deal("closedwon").with("Date", tomorrow),
        pipelines().with("Date", tomorrow),
    ])
    .await;
    let crm = fake.crm();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let reads = crm.read(Object::Opportunity, &ids(&["5"])).await.unwrap();
        statuses.extend(values(&reads, "5").into_iter().filter(|v| v.starts_with("status")));
    }
    assert_eq!(statuses, ["status=won", "status=open", "status=won"]);
    let read = "POST /crm/objects/2026-03/deals/batch/read";
    let fetch = "GET /crm/pipelines/2026-03/deals";
    assert_eq!(fake.lines(), [read, fetch, read, read, fetch]);
}

#[tokio::test]
async fn a_multi_status_write_is_settled_item_by_item_in_the_order_of_the_writes() {
    let mut answer = recorded(include_str!("../fixtures/hubspot/batch-update-207.json"));
    for (recorded, index) in [("act-1", "2"), ("act-2", "0"), ("act-3", "1")] {
        answer.body = answer.body.replace(recorded, index);
    }
    let fake = Fake::start([answer]).await;
    let owner = || vec![("owner", Value::text("55001234"))];
    let writes = [
        write("811223340007", owner()),
        write("811223344600", vec![("stage_name", Value::text("no_such_stage"))]),
        write("811223344556", owner()),
    ];
    let results = fake.crm().write(Object::Opportunity, &writes).await.unwrap();
    assert!(matches!(&results[0], ItemResult::Gone { .. }), "{results:?}");
    assert!(matches!(&results[1], ItemResult::Refused { message } if message.contains("no_such_stage")));
    assert_eq!(results[2], ItemResult::Done { modified: time("2026-01-05T09:01:00Z"), note: None });
    assert_eq!(fake.lines(), ["POST /crm/objects/2026-03/deals/batch/update"]);
}

#[tokio::test]
async fn values_are_written_as_text_and_null_clears() {
    let fake = Fake::start([given(200, json!({"results": [{"id": "1"}]}))]).await;
    let values = vec![
        ("owner", Value::Null),
        ("status", Value::text("Qualified by marketing")),
        ("flag", Value::Bool(true)),
        ("due", Value::Time(time("2027-01-05T09:00:00Z"))),
        ("score", Value::Number(62.0)),
        ("last_action", Value::text("recycled")),
    ];
    let results = fake.crm().write(Object::Lead, &[write("1", values)]).await.unwrap();
    assert_eq!(results, [ItemResult::Done { modified: time("2026-01-05T09:05:00Z"), note: None }]);
    assert_eq!(
        fake.seen()[0].body["inputs"],
        json!([{"id": "1", "objectWriteTraceId": "0", "properties": {
            "hubspot_owner_id": "", "hs_lead_status": "MARKETING_QUALIFIED", "leadpact_violation": "true",
            "leadpact_due": "2027-01-05T09:00:00.000Z", "hubspotscore": "62"}}])
    );
}

#[tokio::test]
async fn a_date_is_written_as_a_day() {
    let fake = Fake::start([given(200, json!({"results": [{"id": "1"}]}))]).await;
    let values = vec![("close_date", Value::Date("2027-03-31".parse().unwrap()))];
    fake.crm().write(Object::Opportunity, &[write("1", values)]).await.unwrap();
    assert_eq!(fake.seen()[0].body["inputs"][0]["properties"], json!({"closedate": "2027-03-31"}));
}

#[tokio::test]
async fn what_is_not_mapped_is_not_sent_and_a_record_is_not_written_twice_in_a_call() {
    let fake = Fake::start([given(200, json!({"results": [{"id": "2"}]}))]).await;
    let crm = fake.crm();
    let unmapped = || write("1", vec![("last_action", Value::text("recycled"))]);
    let results = crm.write(Object::Lead, &[unmapped()]).await.unwrap();
    assert!(matches!(&results[..], [ItemResult::Refused { .. }]) && fake.seen().is_empty());
    let twice = || write("2", vec![("owner", Value::Null)]);
    let results = crm.write(Object::Lead, &[unmapped(), twice(), twice()]).await.unwrap();
    assert!(
        matches!(&results[..], [ItemResult::Refused { .. }, ItemResult::Done { .. }, ItemResult::Later { .. }]),
        "{results:?}"
    );
    assert_eq!(fake.seen()[0].body["inputs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_record_without_an_answer_is_tried_again() {
    let fake = Fake::start([given(200, json!({"results": []}))]).await;
    let results = fake.crm().write(Object::Lead, &[write("2", vec![("owner", Value::Null)])]).await.unwrap();
    assert!(matches!(&results[..], [ItemResult::Later { .. }]), "{results:?}");
}

#[tokio::test]
async fn once_the_owners_were_read_a_user_is_known_as_the_owner_that_it_is() {
    let page = recorded(include_str!("../fixtures/hubspot/owners-page.json"));
    let none = || given(200, json!({"results": []}));
    let crm = Fake::start([page, none(), none()]).await.crm();
    let people = crm.people().await.unwrap();
    // Of another process, which reads what this one has stored.
    let restarted = Fake::start([]).await.crm();
    let event = json!([{
        "eventId": 1, "subscriptionId": 1, "portalId": 45540012, "appId": 1, "occurredAt": 1767603600000_i64,
        "subscriptionType": "contact.propertyChange", "attemptNumber": 0, "objectId": 123,
        "changeSource": "CRM_UI", "sourceId": "userId:9912", "propertyName": "email", "propertyValue": "a@b.example",
    }]);
    let delivery = VerifiedDelivery::from_inbox(event.to_string().into_bytes());
    let by = |crm: &HubSpot| crm.events(&delivery).unwrap().events[0].by.clone();
    assert_eq!(by(&crm), Actor::Person("55001234".into()));
    assert_eq!(by(&restarted), Actor::Person("9912".into()));
    restarted.recall(&people);
    assert_eq!(by(&restarted), Actor::Person("55001234".into()));
    // What was read is newer than what is kept.
    crm.recall(&[]);
    assert_eq!(by(&crm), Actor::Person("55001234".into()));
}

#[tokio::test]
async fn the_directory_is_paged_and_holds_archived_owners_and_queues() {
    let last = json!({"results": [{"id": "77", "type": "QUEUE", "archived": false}]});
    let archived = json!({"results": [{"id": "55001299", "email": "gone@example.com", "archived": true}]});
    let page = recorded(include_str!("../fixtures/hubspot/owners-page.json"));
    let fake = Fake::start([page, given(200, last), given(200, archived)]).await;
    let people = fake.crm().people().await.unwrap();
    let told: Vec<String> = people
        .iter()
        .map(|p| format!("{} {} {:?} active={} queue={}", p.id, p.name, p.email.as_deref(), p.active, p.queue))
        .collect();
    assert_eq!(
        told,
        [
            r#"55001234 Amy Ng Some("amy@example.com") active=true queue=false"#,
            r#"55001299 Left Company Some("gone@example.com") active=false queue=false"#,
            "77 77 None active=true queue=true",
        ]
    );
    assert_eq!(
        fake.lines(),
        [
            "GET /crm/owners/2026-03?limit=100&archived=false",
            "GET /crm/owners/2026-03?limit=100&archived=false&after=NTUwMDEyOTk%3D",
            "GET /crm/owners/2026-03?limit=100&archived=true",
        ]
    );
}

#[tokio::test]
async fn a_directory_that_repeats_its_cursor_ends() {
    let page = || recorded(include_str!("../fixtures/hubspot/owners-page.json"));
    let fake = Fake::start([page(), page(), page(), page()]).await;
    assert_eq!(fake.crm().people().await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_older_paths_are_used_with_an_older_version() {
    let fake = Fake::start([given(200, json!({"results": []})), given(200, json!({})), given(200, json!({}))]).await;
    let crm = fake.crm_with(|c| c.api_version = "v3".to_owned());
    crm.read(Object::Lead, &ids(&["1"])).await.unwrap();
    crm.people().await.unwrap();
    assert_eq!(
        fake.lines()[..2],
        ["POST /crm/v3/objects/contacts/batch/read", "GET /crm/v3/owners/?limit=100&archived=false"]
    );
}

#[test]
fn a_record_opens_in_its_portal_and_only_mapped_fields_can_be_written() {
    let crm = crate::fake::hubspot(crate::fake::connection("http://127.0.0.1:1"));
    let url = |object| crm.record_url(object, &RecordId::new("8")).unwrap();
    assert_eq!(url(Object::Lead), "https://app.hubspot.com/contacts/45540012/record/0-1/8");
    assert_eq!(url(Object::Opportunity), "https://app.hubspot.com/contacts/45540012/record/0-3/8");
    let maps = |object, name| crm.maps(object, FieldName::new(name));
    assert!(maps(Object::Lead, "flag") && maps(Object::Lead, "owner") && maps(Object::Opportunity, "amount"));
    assert!(!maps(Object::Opportunity, "flag") && !maps(Object::Opportunity, "status") && !maps(Object::Lead, "name"));
}
