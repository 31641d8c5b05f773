//! Tasks: made once, found again by their key.

use crate::fake::{Fake, given};
use leadpact::crm::{Crm, CrmError, ItemResult, NewTask};
use leadpact::record::{Object, OwnerId, RecordId, Timestamp};
use serde_json::json;

fn task(object: Object, record: &str, key: &str) -> NewTask {
    NewTask {
        object,
        record: RecordId::new(record),
        owner: Some(OwnerId::new("55001234")),
        title: "Accept or reject Zoë Ünal".to_owned(),
        body: "Waiting for <b>you</b>".to_owned(),
        due: Timestamp::parse("2026-01-05T10:00:00Z").unwrap(),
        done: false,
        key: key.to_owned(),
    }
}

#[tokio::test]
async fn a_task_hangs_on_its_record_and_carries_its_key() {
    let answer = json!({"results": [
        {"id": "302", "properties": {"hs_task_body": "… key-b"}},
        {"id": "301", "objectWriteTraceId": "0", "updatedAt": "2026-01-05T09:01:00Z"},
    ]});
    let fake = Fake::start([given(201, answer)]).await;
    let tasks = [task(Object::Lead, "1", "key-a"), task(Object::Opportunity, "2", "key-b")];
    let results = fake.crm().create_tasks(&tasks).await.unwrap();
    let notes: Vec<_> = results
        .iter()
        .map(|r| match r {
            ItemResult::Done { note, .. } => note.as_deref().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(notes, ["301", "302"]);
    let seen = &fake.seen()[0];
    assert_eq!(seen.line, "POST /crm/objects/2026-03/tasks/batch/create");
    let first = &seen.body["inputs"][0];
    assert_eq!(first["properties"]["hs_task_body"], "Waiting for &lt;b&gt;you&lt;/b&gt;<br><br>key-a");
    assert_eq!(first["properties"]["hs_timestamp"], "2026-01-05T10:00:00.000Z");
    assert_eq!(first["properties"]["hubspot_owner_id"], "55001234");
    assert_eq!(first["associations"][0]["to"]["id"], "1");
    let types: Vec<_> = (0..2).map(|i| &seen.body["inputs"][i]["associations"][0]["types"][0]).collect();
    assert_eq!(types[0]["associationTypeId"], 204);
    assert_eq!(types[1]["associationTypeId"], 216);
}

#[tokio::test]
async fn tasks_are_settled_one_by_one_and_an_untold_one_is_doubt() {
    let refused = json!({"category": "VALIDATION_ERROR", "message": "no", "context": {"objectWriteTraceId": ["1"]}});
    let half = json!({"results": [{"id": "301"}], "errors": [refused]});
    let none = json!({"results": [], "errors": [refused]});
    let fake = Fake::start([given(207, half), given(207, none)]).await;
    let crm = fake.crm();
    let tasks = [task(Object::Lead, "1", "key-a"), task(Object::Lead, "2", "key-b")];
    let results = crm.create_tasks(&tasks).await.unwrap();
    assert!(matches!(&results[..], [ItemResult::Done { .. }, ItemResult::Refused { .. }]), "{results:?}");
    let untold = crm.create_tasks(&tasks).await.unwrap_err();
    assert!(matches!(untold, CrmError::Doubt { .. }), "{untold}");
}

#[tokio::test]
async fn a_task_is_found_by_its_key_among_all_tasks_of_its_record() {
    let first = json!({"results": [{"from": {"id": "1"}, "to": [{"toObjectId": 900}],
        "paging": {"next": {"after": "p2"}}}]});
    let second = json!({"results": [{"from": {"id": "1"}, "to": [{"toObjectId": "901"}]}]});
    let bodies = json!({"results": [
        {"id": "900", "properties": {"hs_task_body": "somebody's own task"}},
        {"id": "901", "properties": {"hs_task_body": "text<br>a &amp; b/50%"}},
    ]});
    let fake = Fake::start([given(200, first), given(207, second), given(200, bodies)]).await;
    let tasks = [task(Object::Lead, "1", "other key"), task(Object::Lead, "1", "a & b/50%")];
    let found = fake.crm().find_tasks(&tasks).await.unwrap();
    assert_eq!(found, [None, Some("901".to_owned())]);
    let associations = "POST /crm/associations/2026-03/contacts/tasks/batch/read";
    assert_eq!(fake.lines(), [associations, associations, "POST /crm/objects/2026-03/tasks/batch/read"]);
    assert_eq!(fake.seen()[1].body, json!({"inputs": [{"id": "1", "after": "p2"}]}));
}

#[tokio::test]
async fn a_record_without_tasks_has_none_to_find() {
    let fake = Fake::start([given(200, json!({"results": []}))]).await;
    assert_eq!(fake.crm().find_tasks(&[task(Object::Opportunity, "2", "k")]).await.unwrap(), [None]);
    assert_eq!(fake.lines(), ["POST /crm/associations/2026-03/deals/tasks/batch/read"]);
}
