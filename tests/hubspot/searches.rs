//! Searches beyond the 10,000 records that HubSpot finds for one query, and its rate headers.

use crate::fake::{Fake, given};
use leadpact::crm::{Crm, CrmError, Page, Position, Sought};
use leadpact::record::{Object, Timestamp};
use serde_json::{Value as Json, json};

/// A page of one record.
fn page(id: u64, modified: &str, after: Option<&str>) -> Json {
    let row = json!({ "id": id.to_string(), "properties": { "lastmodifieddate": modified } });
    match after {
        Some(after) => json!({ "total": 12_000, "results": [row], "paging": { "next": { "after": after } } }),
        None => json!({ "total": 1, "results": [row] }),
    }
}

const SINCE: Sought = Sought::Since(Timestamp::from_millis(1_000));

/// Where the search goes on after these pages, and what it asked for last.
async fn after(pages: Vec<Json>) -> (Vec<Page>, Json) {
    let count = pages.len();
    let fake = Fake::start(pages.into_iter().map(|page| given(200, page))).await;
    let crm = fake.crm();
    let (mut got, mut next): (Vec<Page>, Option<Position>) = (Vec::new(), None);
    for _ in 0..count {
        let page = crm.search(Object::Lead, SINCE, next.as_ref()).await.unwrap();
        next = page.next.clone();
        got.push(page);
    }
    (got, fake.seen().pop().unwrap().body)
}

#[tokio::test]
async fn beyond_ten_thousand_a_new_query_begins_at_the_last_moment() {
    let (_, asked) = after(vec![
        page(1, "1970-01-01T00:00:02Z", Some("9800")),
        page(2, "1970-01-01T00:00:05Z", Some("10000")),
        page(3, "1970-01-01T00:00:06Z", None),
    ])
    .await;
    let filter = json!([{ "propertyName": "lastmodifieddate", "operator": "GTE", "value": "5000" }]);
    assert_eq!(asked["filterGroups"][0]["filters"], filter);
    assert_eq!(asked["after"], Json::Null);
    assert_eq!((&asked["sorts"][0]["propertyName"], &asked["limit"]), (&json!("lastmodifieddate"), &json!(200)));
}

#[tokio::test]
async fn a_page_before_ten_thousand_goes_on_in_its_query() {
    let (_, asked) =
        after(vec![page(1, "1970-01-01T00:00:02Z", Some("9800")), page(2, "1970-01-01T00:00:05Z", None)]).await;
    assert_eq!(asked["after"], "9800");
    assert_eq!(asked["filterGroups"][0]["filters"][0]["value"], "1000");
}

#[tokio::test]
async fn more_than_ten_thousand_of_one_moment_are_told_apart_by_their_ids() {
    let same = "1970-01-01T00:00:01Z";
    let (_, asked) = after(vec![page(1, same, Some("10000")), page(7, same, Some("200")), page(9, same, None)]).await;
    let filters = asked["filterGroups"][0]["filters"].as_array().unwrap();
    assert_eq!(filters[0], json!({ "propertyName": "lastmodifieddate", "operator": "EQ", "value": "1000" }));
    assert_eq!(filters[1], json!({ "propertyName": "hs_object_id", "operator": "GT", "value": "7" }));
    assert_eq!(asked["sorts"][0]["propertyName"], "hs_object_id");
    let (_, asked) =
        after(vec![page(1, same, Some("10000")), page(7, same, None), page(9, "1970-01-01T00:00:03Z", None)]).await;
    assert_eq!(asked["filterGroups"][0]["filters"][0]["value"], "1001", "and then on with what came later");
}

#[tokio::test]
async fn nearly_all_of_the_days_calls_used_nothing_more_is_sent() {
    let used_up = given(200, json!({ "results": [] }))
        .with("X-HubSpot-RateLimit-Daily", "1000")
        .with("X-HubSpot-RateLimit-Daily-Remaining", "50");
    let fake = Fake::start([used_up]).await;
    let crm = fake.crm();
    crm.people().await.unwrap_err();
    let refused = crm.people().await.unwrap_err();
    assert!(matches!(&refused, CrmError::Later { message, .. } if message.contains("nearly all")), "{refused}");
    assert_eq!(fake.seen().len(), 1);
    assert_eq!(crm.usage().unwrap().day.map(|d| (d.used, d.limit)), Some((950, 1_000)));
}
