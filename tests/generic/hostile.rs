//! Payloads and answers made to do harm: wrong types, endless nesting, ids that are addresses.

use crate::fake::{Fake, found, given, ids, is_gone, plain, values};
use hmac::{Hmac, KeyInit, Mac};
use leadpact::crm::{Crm, Events, ItemResult, Malformed, NewTask, RawDelivery, Write};
use leadpact::record::{Object, RecordId, Timestamp, Value};
use serde_json::json;

fn events(body: &str) -> Result<Events, Malformed> {
    let crm = plain("http://127.0.0.1:9");
    let mac = Hmac::<sha2::Sha256>::new_from_slice(b"s").unwrap().chain_update(body).finalize().into_bytes();
    let raw = RawDelivery {
        method: "POST".into(),
        url: String::new(),
        path_secret: None,
        headers: vec![("x-sig".into(), format!("sha256={}", hex::encode(mac)))],
        body: body.into(),
    };
    crm.events(&crm.verify(raw, Timestamp::from_millis(0)).unwrap())
}

fn event(change: impl Fn(&mut serde_json::Value)) -> Result<Events, Malformed> {
    let mut event = json!({"kind": "person", "did": "set", "at": "2026-01-05T09:00:00Z", "who": 7,
        "record": {"id": "1", "state": "x"}});
    change(&mut event);
    events(&json!({"events": [event]}).to_string())
}

#[test]
fn a_body_of_any_shape_is_refused_or_dropped_and_never_believed() {
    for body in ["", "x", "null", "7", "[]", "{}", r#"{"event": []}"#, "\u{0}"] {
        assert!(events(body).is_err(), "{body:?}");
    }
    for body in [r#"{"events": []}"#, r#"{"events": null}"#, r#"{"events": [null, 7, "x", [], {}]}"#] {
        assert!(events(body).unwrap().events.is_empty(), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(events(&deep), Err(Malformed("the body is not JSON".into())));
    let many = format!("{{\"events\": [{}]}}", vec!["{}"; 1001].join(","));
    assert!(events(&many).unwrap_err().0.starts_with("1001 events"));
}

#[test]
fn wrong_types_are_said_with_the_place() {
    for id in [json!(null), json!(1.5), json!([1]), json!({"a": 1}), json!(true), json!(""), json!("x".repeat(300))] {
        let why = event(|e| e["record"]["id"] = id.clone()).unwrap_err().0;
        assert_eq!(why, "event 0: no id where the description says");
    }
    for time in [json!(null), json!("soon"), json!([]), json!("1e400"), json!({})] {
        let why = event(|e| e["at"] = time.clone()).unwrap_err().0;
        assert_eq!(why, "event 0: no time where the description says, or not in its format");
    }
    for kind in [json!(null), json!({}), json!(["person"]), json!("Person")] {
        assert_eq!(event(|e| e["kind"] = kind.clone()).unwrap().dropped, ["object not tracked"]);
    }
    // A list is no status: it is taken as unset, as everything is that cannot be read.
    let odd = event(|e| e["record"]["state"] = json!(["x"])).unwrap();
    assert_eq!(format!("{:?}", odd.events[0].says), "Changed([(status, Null)])");
}

#[tokio::test]
async fn an_id_stays_one_part_of_the_address_whatever_it_holds() {
    let fake = Fake::start(|seen| {
        let name = seen.path.trim_start_matches("/people/").to_owned();
        given(200, json!({"id": urlencoded(&name), "changed_at": "2026-01-05T09:00:00Z"}))
    })
    .await;
    let crm = plain(&fake.url);
    let odd = ["a/b", "../admin", "%2e%2e", "a?b=c", "a#b", "ä ö", "a\\b", "1,2", "a%00"];
    let reads = crm.read(Object::Lead, &ids(&odd)).await.unwrap();
    let mut paths: Vec<String> = fake.seen().iter().map(|s| s.path.clone()).collect();
    paths.sort();
    let mut expected: Vec<String> =
        ["a%2Fb", "..%2Fadmin", "%252e%252e", "a%3Fb%3Dc", "a%23b", "%C3%A4%20%C3%B6", "a%5Cb", "1%2C2", "a%2500"]
            .map(|part| format!("/people/{part}"))
            .to_vec();
    expected.sort();
    assert_eq!(paths, expected);
    assert_eq!(reads.records.len(), odd.len());
    assert!(fake.seen().iter().all(|seen| seen.query.is_empty()));
}

fn urlencoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned()
}

#[tokio::test]
async fn an_id_that_would_be_another_address_is_never_sent() {
    let fake = Fake::always(given(200, json!({"id": "1"}))).await;
    let crm = plain(&fake.url);
    let reads = crm.read(Object::Lead, &ids(&["..", ".", ""])).await.unwrap();
    for id in ["..", ".", ""] {
        assert!(is_gone(&reads, id), "{id:?}");
    }
    let write = Write { id: RecordId::new(".."), values: values(&[("status", Value::text("x"))]) };
    let results = crm.write(Object::Lead, &[write]).await.unwrap();
    assert_eq!(results, [ItemResult::Gone { message: "no record can have this id".into() }]);
    let task = NewTask {
        object: Object::Lead,
        record: RecordId::new(".."),
        owner: None,
        title: String::new(),
        body: String::new(),
        due: Timestamp::from_millis(0),
        done: false,
        key: "k".into(),
    };
    assert_eq!(crm.find_tasks(std::slice::from_ref(&task)).await, Ok(vec![None]));
    assert!(matches!(crm.create_tasks(&[task]).await.unwrap()[..], [ItemResult::Gone { .. }]));
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn an_answer_about_another_record_is_no_answer() {
    let fake = Fake::always(given(200, json!({"id": "2", "changed_at": "2026-01-05T09:00:00Z"}))).await;
    let reads = plain(&fake.url).read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert!(reads.records.is_empty(), "{reads:?}");
}

#[tokio::test]
async fn answers_of_wrong_types_are_noted_and_read_as_unset() {
    let body = json!({"id": 1, "changed_at": {}, "name": ["x"], "state": {"id": 1}, "owner": "not a table"});
    let fake = Fake::always(given(200, body)).await;
    let reads = plain(&fake.url).read(Object::Lead, &ids(&["1"])).await.unwrap();
    let (modified, values, mut unreadable) = found(&reads, "1");
    assert_eq!(modified, "2026-01-05T09:05:00.000Z", "the CRM's clock stands in");
    assert!(values.is_empty(), "{values:?}");
    unreadable.sort();
    let expected = [
        "modified: no time where the description says, or not in its format",
        "name: this is a list",
        "status: this is a table",
    ];
    assert_eq!(unreadable, expected);
}

#[tokio::test]
async fn a_body_in_json_takes_an_id_as_text_and_not_as_syntax() {
    let fake = Fake::always(given(404, "{}")).await;
    let id = "\", \"kind\": \"person\" {id}";
    plain(&fake.url).read(Object::Opportunity, &ids(&[id])).await.unwrap();
    assert_eq!(fake.seen()[0].body, json!({"kind": "sale", "id": id}));
}

#[tokio::test]
async fn a_deep_or_unreadable_answer_is_doubt() {
    for body in ["[".repeat(200_000), "<html>sign in</html>".to_owned(), "{\"id\": ".to_owned()] {
        let fake = Fake::always(given(200, body)).await;
        let error = plain(&fake.url).read(Object::Lead, &ids(&["1"])).await.unwrap_err();
        assert!(matches!(error, leadpact::crm::CrmError::Doubt { .. }), "{error}");
    }
}
