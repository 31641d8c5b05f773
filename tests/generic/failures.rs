//! What a CRM's refusals lead to: later, doubt, never, gone, sign in; for a call and for each of its
//! items. Nothing is sent twice, and no more than four requests are under way.

use crate::fake::{self, Fake, PLAIN, at, crm, described, given, ids, is_gone, plain, values};
use leadpact::crm::{Crm, CrmError, ItemResult, ReadRecord, Sought, Write};
use leadpact::record::{Object, RecordId, Value};
use serde_json::json;
use std::time::Duration;

fn kind(error: &CrmError) -> String {
    match error {
        CrmError::Later { after, .. } => format!("later {:?}", after.unwrap_or_default()),
        CrmError::Doubt { .. } => "doubt".to_owned(),
        CrmError::Never { .. } => "never".to_owned(),
        CrmError::SignIn { .. } => "sign in".to_owned(),
    }
}

async fn reading(answer: fake::Given) -> String {
    let fake = Fake::always(answer).await;
    match plain(&fake.url).read(Object::Lead, &ids(&["1"])).await {
        Ok(reads) => format!("{:?}", reads.records.first().map(|(_, record)| *record == ReadRecord::Gone)),
        Err(error) => kind(&error),
    }
}

#[tokio::test]
async fn every_status_says_what_to_do_next() {
    for (status, expected) in [
        (301, "never"),
        (400, "never"),
        (401, "sign in"),
        (403, "never"),
        (404, "Some(true)"),
        (408, "later 2s"),
        (409, "never"),
        (410, "Some(true)"),
        (422, "never"),
        (423, "later 2s"),
        (425, "later 2s"),
        (429, "later 10s"),
        (500, "doubt"),
        (502, "doubt"),
        (503, "doubt"),
    ] {
        assert_eq!(reading(given(status, "<html>no JSON</html>")).await, expected, "{status}");
    }
    assert_eq!(reading(given(429, "{}").with("Retry-After", "3")).await, "later 3s");
    assert_eq!(reading(given(302, "").with("Location", "/elsewhere")).await, "never");
}

#[tokio::test]
async fn a_description_can_say_otherwise_of_a_status_and_where_the_text_stands() {
    let errors = "[errors]\nlater = [403]\ndoubt = [409]\nnever = [404]\ngone = [422]\nsign_in = [418]\n\
                  message = \"why.text\"\nsuccess = \"ok\"\nwait = \"X-Wait\"\n";
    let description = format!("{PLAIN}{errors}");
    let rest = |url: &str| format!("base_url = \"{url}\"\naccess_token = \"t\"\nwebhook_secret = [\"s\"]\n");
    for (answer, expected) in [
        (given(403, "{}").with("X-Wait", "9"), "later 9s"),
        (given(409, "{}"), "doubt"),
        (given(404, "{}"), "never"),
        (given(418, "{}"), "sign in"),
        (given(200, json!({"ok": false, "why": {"text": "not today"}})), "never"),
    ] {
        let fake = Fake::always(answer).await;
        let crm = crm(described(&description, &rest(&fake.url)));
        let error = crm.read(Object::Lead, &ids(&["1"])).await.unwrap_err();
        assert_eq!(kind(&error), expected);
        if expected == "never" && fake.seen().len() == 1 {
            assert!(!error.to_string().contains('{'), "{error}");
        }
    }
    let fake = Fake::always(given(200, json!({"ok": false, "why": {"text": "not\u{7} today"}}))).await;
    let refused = crm(described(&description, &rest(&fake.url))).read(Object::Lead, &ids(&["1"])).await;
    assert_eq!(refused.unwrap_err().to_string(), "refused: Plain answered 200: not today");
    let fake = Fake::always(given(422, "{}")).await;
    let reads = crm(described(&description, &rest(&fake.url))).read(Object::Lead, &ids(&["1"])).await.unwrap();
    assert!(is_gone(&reads, "1"));
    assert_eq!(reads.at, at("2026-01-05T09:05:00Z"), "it is gone by the CRM's clock");
}

#[tokio::test]
async fn a_slow_answer_is_doubt_and_no_connection_is_later() {
    let fake = Fake::always(given(200, "{}").after(Duration::from_secs(2))).await;
    let error = plain(&fake.url).read(Object::Lead, &ids(&["1"])).await.unwrap_err();
    assert_eq!(kind(&error), "doubt");
    let error = plain("http://127.0.0.1:9").read(Object::Lead, &ids(&["1"])).await.unwrap_err();
    assert!(matches!(error, CrmError::Later { .. }), "{error}");
}

fn write(id: &str) -> Write {
    Write { id: RecordId::new(id), values: values(&[("status", Value::text("x"))]) }
}

#[tokio::test]
async fn one_update_in_doubt_puts_all_of_the_call_in_doubt() {
    let fake = Fake::start(|seen| given(if seen.path.ends_with('3') { 502 } else { 200 }, "")).await;
    let writes: Vec<Write> = ["1", "2", "3"].into_iter().map(write).collect();
    let error = plain(&fake.url).write(Object::Lead, &writes).await.unwrap_err();
    assert_eq!(kind(&error), "doubt");
}

#[tokio::test]
async fn an_empty_answer_is_a_success_at_the_crms_own_clock() {
    let fake = Fake::always(given(204, "")).await;
    let results = plain(&fake.url).write(Object::Lead, &[write("1")]).await.unwrap();
    assert_eq!(results, [ItemResult::Done { modified: at("2026-01-05T09:05:00Z"), note: None }]);
    assert_eq!(fake.seen()[0].body, json!({"set": {"state": "x"}}));
    assert_eq!(fake.seen()[0].header("authorization"), "Bearer t");
}

#[tokio::test]
async fn rejected_credentials_stop_the_call_before_its_rest_is_sent() {
    let fake = Fake::always(given(401, "{}")).await;
    let crm = plain(&fake.url);
    let writes: Vec<Write> = (0..12).map(|i| write(&i.to_string())).collect();
    assert_eq!(kind(&crm.write(Object::Lead, &writes).await.unwrap_err()), "sign in");
    assert_eq!(fake.seen().len(), 4);
    let many: Vec<String> = (0..12).map(|i| i.to_string()).collect();
    let many = ids(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(kind(&crm.read(Object::Lead, &many).await.unwrap_err()), "sign in");
    assert_eq!(fake.seen().len(), 8);
}

#[tokio::test]
async fn single_reads_run_side_by_side_and_never_more_than_four() {
    let fake = Fake::start(|seen| {
        let id = seen.path.rsplit('/').next().unwrap().to_owned();
        let body = json!({"id": id, "changed_at": "2026-01-05T09:00:00Z", "owner": {"id": 7}});
        given(200, body).after(Duration::from_millis(60))
    })
    .await;
    let many: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    let many = ids(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let reads = plain(&fake.url).read(Object::Lead, &many).await.unwrap();
    assert_eq!(reads.records.len(), 10);
    assert_eq!(fake.most_at_once(), 4);
}

#[tokio::test]
async fn what_is_not_described_is_refused_by_name() {
    let crm = plain("http://127.0.0.1:9");
    let message = |error: CrmError| error.to_string();
    let write = crm.write(Object::Opportunity, &[write("1")]).await.unwrap_err();
    assert_eq!(message(write), "refused: the description of Plain has no [opportunity.update]");
    let since = Sought::Since(at("2026-01-05T09:00:00Z"));
    let search = crm.search(Object::Opportunity, since, None).await.unwrap_err();
    assert_eq!(message(search), "refused: the description of Plain has no [opportunity.search]");
    assert_eq!(crm.people().await, Ok(Vec::new()));
    assert!(!crm.maps(Object::Opportunity, leadpact::record::FieldName::new("status")));
}
