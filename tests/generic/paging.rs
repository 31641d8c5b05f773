//! Pages: links, cursors and offsets, and lists that never end.

use crate::fake::{Fake, PLAIN, at, crm, described, given, plain};
use leadpact::crm::{Crm, CrmError, Sought};
use leadpact::record::{Object, RecordId};
use serde_json::json;

#[tokio::test]
async fn a_next_link_is_followed_on_the_same_server_only() {
    let fake = Fake::start(|seen| match seen.query("from") {
        None => given(
            200,
            json!({"list": [{"id": "1", "changed_at": "2026-01-05T09:00:00Z"}, {"no": "id"}],
            "more": "/people?from=2"}),
        ),
        Some("2") => given(200, json!({"list": [], "more": "http://thief.example/people"})),
        other => panic!("{other:?}"),
    })
    .await;
    let crm = plain(&fake.url);
    let since = Sought::Since(at("2026-01-05T00:00:00Z"));
    let first = crm.search(Object::Lead, since, None).await.unwrap();
    assert_eq!(first.found, [RecordId::new("1")], "what has no id is left out");
    let second = crm.search(Object::Lead, since, first.next.as_ref()).await.unwrap();
    let third = crm.search(Object::Lead, since, second.next.as_ref()).await.unwrap_err();
    assert_eq!(third, CrmError::Never { message: "the next page is on another server".into() });
    assert_eq!(fake.seen().len(), 2);
}

fn with_people(url: &str, people: &str) -> leadpact::crm::generic::Generic {
    let rest = format!("base_url = \"{url}\"\naccess_token = \"t\"\nwebhook_secret = [\"s\"]\n");
    crm(described(&format!("{PLAIN}\n[people]\n{people}"), &rest))
}

#[tokio::test]
async fn a_cursor_that_leads_to_itself_ends_the_list() {
    let fake = Fake::always(given(200, json!({"list": [{"id": 1}], "next": "again"}))).await;
    let people = "get = \"/users\"\nquery = { c = \"{cursor}\" }\nitems = \"list\"\nid = \"id\"\nnext = \"next\"\n";
    let people = with_people(&fake.url, people).people().await.unwrap();
    assert_eq!(people.len(), 2);
    assert_eq!(fake.seen().len(), 2);
    assert_eq!(people[0].name, "1", "without a name the id stands for it");
}

#[tokio::test]
async fn an_offset_grows_until_a_page_is_not_full_and_queues_are_owners_too() {
    let fake = Fake::start(|seen| match (seen.path.as_str(), seen.query("skip")) {
        ("/users", Some("0")) => given(200, json!([{"id": 1}, {"id": 2}])),
        ("/users", Some("2")) => given(200, json!([{"id": 3}])),
        ("/queues", None) => given(200, json!([{"id": "q"}, {"name": "without an id"}])),
        other => panic!("{other:?}"),
    })
    .await;
    let people = "get = \"/users\"\nquery = { skip = \"{offset}\" }\nid = \"id\"\npage = 2\n\
                  [queues]\nget = \"/queues\"\nid = \"id\"\n";
    let people = with_people(&fake.url, people).people().await.unwrap();
    let told: Vec<_> = people.iter().map(|p| (p.id.as_str(), p.queue)).collect();
    assert_eq!(told, [("1", false), ("2", false), ("3", false), ("q", true)]);
}

#[tokio::test]
async fn items_that_are_no_list_are_said_and_a_foreign_cursor_is_refused() {
    let fake = Fake::always(given(200, json!({"list": {"1": {}}}))).await;
    let since = Sought::Since(at("2026-01-05T00:00:00Z"));
    let error = plain(&fake.url).search(Object::Lead, since, None).await.unwrap_err();
    assert_eq!(error, CrmError::Never { message: "`items` does not lead to a list".into() });
}
