//! What belongs to which record: one call more for a read, pages, failures, and the times of a sweep.

use crate::fake::{Fake, Given, given};
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::{Crm, CrmError, ReadRecord, Reads, Says, VerifiedDelivery};
use leadpact::record::{FieldName, Object, RecordId, Timestamp, Value};
use serde_json::{Value as Json, json};

const READ: &str = "POST /crm/objects/2026-03/contacts/batch/read";
const OF_CONTACTS: &str = "POST /crm/associations/2026-03/contacts/deals/batch/read";

fn following(fake: &Fake) -> HubSpot {
    fake.crm().following_links(true)
}

fn contacts(ids: &[&str]) -> Given {
    let rows: Vec<Json> = ids.iter().map(|id| json!({"id": id, "properties": {}})).collect();
    given(200, json!({ "results": rows }))
}

fn to(from: &str, ids: Json, after: Option<&str>) -> Json {
    let to: Vec<Json> =
        ids.as_array().unwrap().iter().map(|id| json!({"toObjectId": id, "associationTypes": []})).collect();
    let paging = after.map_or(Json::Null, |after| json!({"next": {"after": after}}));
    json!({"from": {"id": from}, "to": to, "paging": paging})
}

fn none(from: &str) -> Json {
    json!({"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"fromObjectId": [from]},
           "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "message": "No associations"})
}

fn ids(texts: &[&str]) -> Vec<RecordId> {
    texts.iter().map(RecordId::new).collect()
}

fn listed(reads: &Reads, id: &str, name: &str) -> Option<String> {
    let ReadRecord::Found { values, .. } = &reads.records.iter().find(|(i, _)| i.as_str() == id)?.1 else {
        return None;
    };
    values.iter().find(|(n, _)| n.as_str() == name).and_then(|(_, v)| v.as_text().map(str::to_owned))
}

#[tokio::test]
async fn a_read_of_leads_tells_their_deals_with_one_call_more() {
    let linked = json!({"results": [to("1", json!(["7", 9]), None)], "errors": [none("2")]});
    let fake = Fake::start([contacts(&["1", "2"]), given(207, linked)]).await;
    let reads = following(&fake).read(Object::Lead, &ids(&["1", "2", "3"])).await.unwrap();
    assert_eq!(listed(&reads, "1", "opportunity[]").as_deref(), Some(";7;9;"));
    assert_eq!(listed(&reads, "2", "opportunity[]").as_deref(), Some(";"), "none is known as well");
    assert_eq!(fake.lines(), [READ, OF_CONTACTS]);
    assert_eq!(fake.seen()[1].body, json!({"inputs": [{"id": "1"}, {"id": "2"}]}), "only of those that are there");
}

#[tokio::test]
async fn a_read_of_deals_tells_their_leads() {
    let deal = given(200, json!({"results": [{"id": "7", "properties": {}}]}));
    let fake = Fake::start([deal, given(200, json!({"results": [to("7", json!(["1"]), None)]}))]).await;
    let reads = following(&fake).read(Object::Opportunity, &ids(&["7"])).await.unwrap();
    assert_eq!(listed(&reads, "7", "lead[]").as_deref(), Some(";1;"));
    assert_eq!(fake.lines()[1], "POST /crm/associations/2026-03/deals/contacts/batch/read");
}

#[tokio::test]
async fn the_leads_object_is_followed_too_and_by_the_older_path() {
    let fake = Fake::start([contacts(&["1"]), given(200, json!({"results": [to("1", json!(["7"]), None)]}))]).await;
    let crm = fake.crm_with(|c| {
        c.api_version = "v3".to_owned();
        let leadpact::crm::connection::Platform::HubSpot(settings) = &mut c.platform else { panic!() };
        settings.lead_object = "leads".to_owned();
    });
    crm.following_links(true).read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert_eq!(fake.lines()[1], "POST /crm/v4/associations/0-136/deals/batch/read");
}

#[tokio::test]
async fn a_record_with_more_associations_than_a_page_is_followed_to_its_end() {
    let first = json!({"results": [to("1", json!(["5"]), Some("MTAw")), to("2", json!(["6"]), None)]});
    let second = json!({"results": [to("1", json!(["7"]), None)]});
    let fake = Fake::start([contacts(&["1", "2"]), given(200, first), given(200, second)]).await;
    let reads = following(&fake).read(Object::Lead, &ids(&["1", "2"])).await.unwrap();
    assert_eq!(listed(&reads, "1", "opportunity[]").as_deref(), Some(";5;7;"));
    assert_eq!(fake.seen()[2].body, json!({"inputs": [{"id": "1", "after": "MTAw"}]}));
}

#[tokio::test]
async fn what_failed_is_unknown_and_not_none() {
    let failed = json!({"results": [], "errors": [{"category": "INTERNAL_ERROR", "context": {"fromObjectId": ["1"]}}, none("2")]});
    let fake = Fake::start([contacts(&["1", "2"]), given(207, failed)]).await;
    let reads = following(&fake).read(Object::Lead, &ids(&["1", "2"])).await.unwrap();
    assert_eq!(listed(&reads, "1", "opportunity[]"), None);
    assert_eq!(listed(&reads, "2", "opportunity[]").as_deref(), Some(";"));
    let nameless = json!({"results": [], "errors": [{"category": "INTERNAL_ERROR", "context": "odd"}]});
    let fake = Fake::start([contacts(&["1"]), given(207, nameless)]).await;
    let reads = following(&fake).read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert_eq!(listed(&reads, "1", "opportunity[]"), None);
}

#[tokio::test]
async fn an_account_that_hides_deals_is_read_without_and_a_busy_one_later() {
    let hidden = given(403, json!({"category": "MISSING_SCOPES", "message": "no"}));
    let fake = Fake::start([contacts(&["1"]), hidden]).await;
    let reads = following(&fake).read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert_eq!((reads.records.len(), listed(&reads, "1", "opportunity[]")), (1, None));
    let fake = Fake::start([contacts(&["1"]), given(429, json!({}))]).await;
    let failed = following(&fake).read(Object::Lead, &ids(&["1"])).await;
    assert!(matches!(failed, Err(CrmError::Later { .. })), "{failed:?}");
}

#[tokio::test]
async fn nothing_is_asked_where_the_agreement_needs_no_link_or_a_property_names_it() {
    let fake = Fake::start([contacts(&["1"])]).await;
    fake.crm().read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert_eq!(fake.lines(), [READ]);
    let fake = Fake::start([contacts(&["1"])]).await;
    let crm = fake.crm_with(|c| {
        c.fields.insert((Object::Lead, FieldName::new("opportunity")), "deal_id".to_owned());
    });
    // The dictionary of these tests knows no such field; the mapping alone decides once it does.
    let mapped = crm.maps(Object::Lead, FieldName::new("opportunity"));
    if mapped {
        crm.following_links(true).read(Object::Lead, &ids(&["1"])).await.unwrap();
        assert_eq!(fake.lines(), [READ]);
    }
}

#[tokio::test]
async fn a_history_tells_when_the_deals_of_a_lead_were_made() {
    let made = json!({"results": [
        {"id": "5", "properties": {"createdate": "2025-06-01T08:00:00Z"}},
        {"id": "7", "properties": {"createdate": "2026-01-05T08:00:00Z"}}]});
    let fake = Fake::start([
        given(200, json!({"results": [to("1", json!(["5", "7"]), None)]})),
        given(200, made),
        given(200, json!({"results": []})),
    ])
    .await;
    let since = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let events = following(&fake).histories(Object::Lead, &[(RecordId::new("1"), since)]).await.unwrap();
    assert_eq!(events.len(), 1, "what was made before is not asked for: {events:?}");
    assert_eq!(events[0].at, Timestamp::parse("2026-01-05T08:00:00Z").unwrap());
    assert_eq!(events[0].says, Says::Changed(vec![(FieldName::new("opportunity"), Value::text("7"))]));
}

fn event(body: Json) -> Vec<(Object, String, Says)> {
    let crm = crate::fake::hubspot(crate::fake::connection("http://127.0.0.1:1"));
    let delivery = VerifiedDelivery::from_inbox(json!([body]).to_string().into_bytes());
    let told = crm.events(&delivery).unwrap();
    told.events.into_iter().map(|e| (e.object, e.id.to_string(), e.says)).collect()
}

#[test]
fn an_association_that_is_removed_makes_both_sides_be_read() {
    let removed = event(json!({
        "portalId": 45540012, "occurredAt": 1767603600100_i64, "subscriptionType": "contact.associationChange",
        "associationType": "CONTACT_TO_DEAL", "fromObjectId": 1, "toObjectId": 7, "associationRemoved": true,
    }));
    assert_eq!(
        removed,
        [(Object::Lead, "1".to_owned(), Says::ReadIt), (Object::Opportunity, "7".to_owned(), Says::ReadIt)]
    );
}

#[test]
fn a_privacy_deletion_is_more_than_a_deletion() {
    let of = |kind: &str| {
        event(json!({"portalId": 45540012, "occurredAt": 1767603600100_i64, "subscriptionType": kind, "objectId": 1}))
    };
    assert_eq!(of("contact.privacyDeletion"), [(Object::Lead, "1".to_owned(), Says::Erased)]);
    assert_eq!(of("contact.deletion"), [(Object::Lead, "1".to_owned(), Says::Deleted)]);
}

#[tokio::test]
async fn who_came_back_is_the_owner_that_they_are_now_and_automations_may_be_listed_by_address() {
    let active =
        json!({"results": [{"id": "2", "userId": 99, "userIdIncludingInactive": 99, "email": "Bot@acme.example"}]});
    let archived =
        json!({"results": [{"id": "1", "userIdIncludingInactive": 99, "email": "bot@acme.example", "archived": true}]});
    let change = |crm: &HubSpot| {
        let event = json!([{"portalId": 45540012, "occurredAt": 1767603600000_i64, "objectId": 5,
            "subscriptionType": "contact.propertyChange", "changeSource": "CRM_UI", "sourceId": "userId:99",
            "propertyName": "email", "propertyValue": "a@b.example"}]);
        crm.events(&VerifiedDelivery::from_inbox(event.to_string().into_bytes())).unwrap().events[0].by.clone()
    };
    let answers = || [given(200, &active), given(200, &archived)];
    let crm = Fake::start(answers()).await.crm();
    crm.people().await.unwrap();
    assert_eq!(change(&crm), leadpact::record::Actor::Person("2".into()));
    let listed =
        Fake::start(answers()).await.crm_with(|c| c.touches.automation_users = vec!["bot@ACME.example".into()]);
    listed.people().await.unwrap();
    assert_eq!(change(&listed), leadpact::record::Actor::Automation);
}
