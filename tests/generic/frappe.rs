//! The shipped description of Frappe CRM, against the documented shapes.

use crate::fake::{self, Fake, Seen, at, crm, found, given, ids, is_gone, values};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use leadpact::crm::generic::Generic;
use leadpact::crm::{Crm, Event, ItemResult, NewTask, RawDelivery, Says, Sought, Write};
use leadpact::record::{Actor, Object, OwnerId, RecordId, Timestamp, Value};
use serde_json::json;

const LEADS: &str = include_str!("../fixtures/generic/frappe-leads.json");
const WEBHOOK: &str = include_str!("../fixtures/generic/frappe-webhook.json");

fn frappe(url: &str) -> Generic {
    crm(fake::connection(&format!(
        r#"
connector      = "frappe-crm"
base_url       = "{url}"
time_zone      = "Europe/Berlin"
client_id      = "key"
client_secret  = "secret"
webhook_secret = ["shared"]

[connection.fields.lead]
flag       = "sla_violated"
due        = "sla_due"
[connection.values.lead.status]
"Qualified by teleprospecting" = "Qualified"
"#
    )))
}

fn signed(body: &str) -> RawDelivery {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(b"shared").unwrap().chain_update(body).finalize().into_bytes();
    RawDelivery {
        method: "POST".into(),
        url: "https://h/webhooks/acme".into(),
        path_secret: None,
        headers: vec![("x-frappe-webhook-signature".into(), STANDARD.encode(mac))],
        body: body.into(),
    }
}

fn events(body: &str) -> Vec<Event> {
    let crm = frappe("http://127.0.0.1:9");
    let verified = crm.verify(signed(body), Timestamp::from_millis(0)).unwrap();
    crm.events(&verified).unwrap().events
}

#[test]
fn a_signed_webhook_is_believed_in_the_sites_time_zone() {
    let body = WEBHOOK.trim();
    let events = events(body);
    assert_eq!(events.len(), 1);
    let expected = Event {
        object: Object::Lead,
        id: RecordId::new("CRM-LEAD-2026-00017"),
        at: at("2026-01-05T09:00:00.512Z"),
        by: Actor::Person(OwnerId::new("ada@acme.example")),
        says: Says::Changed(values(&[
            ("owner", Value::text("ada@acme.example")),
            ("status", Value::text("Qualified by teleprospecting")),
            ("converted", Value::Bool(false)),
        ])),
    };
    let Says::Changed(mut said) = events[0].says.clone() else { panic!("changed") };
    let Says::Changed(mut wanted) = expected.says.clone() else { unreachable!() };
    said.sort();
    wanted.sort();
    assert_eq!(said, wanted);
    assert_eq!(Event { says: Says::ReadIt, ..events[0].clone() }, Event { says: Says::ReadIt, ..expected });

    let forged = RawDelivery { body: body.replace("Qualified", "Junk").into(), ..signed(body) };
    assert!(frappe("http://127.0.0.1:9").verify(forged, Timestamp::from_millis(0)).is_err());
}

#[test]
fn a_deal_tells_its_lead_and_its_status_follows_from_its_stage() {
    let body = |status: &str| {
        json!({"event": "changed", "doctype": "CRM Deal", "name": "D-1", "modified": "2026-07-05 11:00:00",
            "modified_by": "a@b", "fields": {"status": status, "lead": "CRM-LEAD-2026-00017"}})
        .to_string()
    };
    for (theirs, status) in [("Won", "won"), ("Lost", "lost"), ("Negotiation", "open")] {
        let events = events(&body(theirs));
        assert_eq!(events[0].at, at("2026-07-05T09:00:00Z"));
        let Says::Changed(said) = &events[0].says else { panic!("changed") };
        for expected in values(&[
            ("status", Value::text(status)),
            ("stage_name", Value::text(theirs)),
            ("lead", Value::text("CRM-LEAD-2026-00017")),
        ]) {
            assert!(said.contains(&expected), "{said:?}");
        }
    }
    let deleted = body("Won").replace("\"changed\"", "\"deleted\"");
    assert_eq!(events(&deleted)[0].says, Says::Deleted);
}

#[tokio::test]
async fn leads_are_read_by_a_filter_that_is_json_and_their_times_are_the_sites() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/api/resource/CRM%20Lead" => given(200, LEADS),
        _ => given(404, json!({"exc_type": "DoesNotExistError"})),
    })
    .await;
    let asked = ids(&["CRM-LEAD-2026-00017", "CRM-LEAD-2026-00018", "odd\"]]{id}"]);
    let reads = frappe(&fake.url).read(Object::Lead, &asked).await.unwrap();
    let (modified, values, unreadable) = found(&reads, "CRM-LEAD-2026-00017");
    assert_eq!(modified, "2026-01-05T09:00:00.512Z");
    assert!(values.contains(&"created=2026-01-02T08:15:00.000Z".to_owned()), "{values:?}");
    assert!(values.contains(&"company=Blåbær & Sønner".to_owned()), "{values:?}");
    assert!(values.contains(&"status=Qualified by teleprospecting".to_owned()), "{values:?}");
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert!(is_gone(&reads, "odd\"]]{id}"));
    let seen = &fake.seen()[0];
    assert_eq!(seen.header("authorization"), "token key:secret");
    let filters: serde_json::Value = serde_json::from_str(seen.query("filters").unwrap()).unwrap();
    let names = json!([["name", "in", ["CRM-LEAD-2026-00017", "CRM-LEAD-2026-00018", "odd\"]]{id}"]]]);
    assert_eq!(filters, names);
    let fields: Vec<String> = serde_json::from_str(seen.query("fields").unwrap()).unwrap();
    for field in ["name", "modified", "lead_owner", "status", "sla_violated", "sla_due"] {
        assert!(fields.iter().any(|f| f == field), "{fields:?}");
    }
}

#[tokio::test]
async fn an_update_puts_the_changed_fields_and_each_answer_settles_its_own_record() {
    let fake = Fake::start(|seen| match seen.path.rsplit('/').next().unwrap() {
        "CRM-LEAD-2026-00017" => given(200, include_str!("../fixtures/generic/frappe-lead-saved.json")),
        "locked" => given(417, json!({"exception": "frappe.exceptions.ValidationError: Row is locked"})),
        "gone" => given(404, json!({"exc_type": "DoesNotExistError"})),
        _ => given(429, "{}").with("Retry-After", "7"),
    })
    .await;
    let write = |id: &str| Write {
        id: RecordId::new(id),
        values: values(&[
            ("owner", Value::Null),
            ("status", Value::text("Nurture")),
            ("flag", Value::Bool(true)),
            ("due", Value::Time(at("2026-01-05T09:00:00Z"))),
        ]),
    };
    let nothing = Write { id: RecordId::new("nothing"), values: values(&[("budget", Value::text("x"))]) };
    let writes = [
        write("CRM-LEAD-2026-00017"),
        nothing,
        write("locked"),
        write("gone"),
        write("busy"),
        write("gone"),
        write("late"),
    ];
    let results = frappe(&fake.url).write(Object::Lead, &writes).await.unwrap();
    let expected = [
        ItemResult::Done { modified: at("2026-01-05T09:05:00.250Z"), note: None },
        ItemResult::Refused { message: "none of these fields is mapped".into() },
        ItemResult::Refused {
            message: "Frappe CRM answered 417: frappe.exceptions.ValidationError: Row is locked".into(),
        },
        ItemResult::Gone { message: "Frappe CRM answered 404".into() },
        ItemResult::Later { message: "Frappe CRM answered 429".into(), after: Some(std::time::Duration::from_secs(7)) },
        ItemResult::Later { message: "written already in the same call".into(), after: None },
        ItemResult::Later { message: "not sent after another failed".into(), after: None },
    ];
    assert_eq!(results, expected);
    let seen = fake.seen();
    let first = seen.iter().find(|s| s.path.ends_with("00017")).unwrap();
    assert_eq!(first.line(), "PUT /api/resource/CRM%20Lead/CRM-LEAD-2026-00017");
    let body = json!({"lead_owner": null, "status": "Nurture", "sla_violated": true, "sla_due": "2026-01-05 10:00:00"});
    assert_eq!(first.body, body);
    assert_eq!(seen.len(), 4, "neither the empty, nor the doubled, nor the one after the limit was sent");
}

#[tokio::test]
async fn a_task_names_its_record_and_is_found_over_several_pages() {
    let key = "acme/lead/L-1/task";
    let fake = Fake::start(move |seen| match (seen.method.as_str(), seen.query("limit_start")) {
        ("POST", _) => given(200, json!({"data": {"name": 17}})),
        (_, Some("0")) => {
            let rows: Vec<_> = (0..200).map(|i| json!({"name": i, "description": "<p>other</p>"})).collect();
            given(200, json!({ "data": rows }))
        }
        (_, Some("200")) => {
            given(200, json!({"data": [{"name": 217, "description": format!("<p>x</p><p>{key}</p>")}]}))
        }
        other => panic!("{other:?}"),
    })
    .await;
    let crm = frappe(&fake.url);
    let task = NewTask {
        object: Object::Lead,
        record: RecordId::new("L-1"),
        owner: Some(OwnerId::new("ada@acme.example")),
        title: "Call".into(),
        body: "Call now".into(),
        due: at("2026-01-05T23:30:00Z"),
        done: false,
        key: key.into(),
    };
    crm.create_tasks(std::slice::from_ref(&task)).await.unwrap();
    let body = fake.seen()[0].body.clone();
    assert_eq!(body["reference_doctype"], "CRM Lead");
    assert_eq!(body["reference_docname"], "L-1");
    assert_eq!(body["due_date"], "2026-01-06", "in the site's time zone");
    assert_eq!(crm.find_tasks(&[task]).await.unwrap(), [Some("217".to_owned())]);
    let filters = fake.seen()[1].query("filters").unwrap().to_owned();
    assert_eq!(filters, r#"[["reference_doctype","=","CRM Lead"],["reference_docname","=","L-1"]]"#);
}

#[tokio::test]
async fn what_was_modified_is_searched_in_the_sites_wall_time_and_people_are_users() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/api/resource/User" => given(200, include_str!("../fixtures/generic/frappe-users.json")),
        _ => given(200, LEADS),
    })
    .await;
    let crm = frappe(&fake.url);
    let since = Sought::Since(at("2026-01-03T00:00:00Z"));
    let page = crm.search(Object::Lead, since, None).await.unwrap();
    assert_eq!(page.found.len(), 2);
    assert_eq!(fake.seen()[0].query("filters"), Some(r#"[["modified",">=","2026-01-03 01:00:00"]]"#));
    assert_eq!(fake.seen()[0].query("order_by"), Some("modified asc, name asc"));
    assert_eq!(fake.seen()[0].query("limit_page_length"), Some("200"));
    let people = crm.people().await.unwrap();
    assert_eq!(people.iter().map(|p| p.active).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn what_was_deleted_is_told_at_its_time_and_where_it_is_not_shown_the_sweep_goes_on() {
    let deleted = json!({"data": [{"deleted_name": "CRM-LEAD-2026-00009", "creation": "2026-01-05 09:30:00.123456"}]});
    let answer = move |seen: &Seen| match seen.path.as_str() {
        "/api/resource/Deleted%20Document" if seen.header("authorization").contains("manager") => given(200, &deleted),
        "/api/resource/Deleted%20Document" => given(403, json!({"exception": "frappe.exceptions.PermissionError"})),
        _ => given(200, json!({"data": []})),
    };
    let since = Sought::Since(at("2026-01-03T00:00:00Z"));
    let fake = Fake::start(answer).await;
    let (_, none) = fake::searched(&frappe(&fake.url), Object::Lead, since).await.unwrap();
    assert_eq!(none, []);
    let manager = fake::connection(&format!(
        "connector = \"frappe-crm\"\nbase_url = \"{}\"\ntime_zone = \"Europe/Berlin\"\nclient_id = \"manager\"\n\
         client_secret = \"s\"\nwebhook_secret = [\"shared\"]\n",
        fake.url
    ));
    let (_, ended) = fake::searched(&crm(manager), Object::Lead, since).await.unwrap();
    assert_eq!(ended, [("CRM-LEAD-2026-00009".to_owned(), at("2026-01-05T08:30:00.123Z"))]);
}

#[tokio::test]
async fn open_records_are_those_that_are_neither_converted_nor_won_nor_lost() {
    let fake = Fake::always(given(200, json!({"data": []}))).await;
    let crm = frappe(&fake.url);
    for object in [Object::Lead, Object::Opportunity] {
        fake::searched(&crm, object, Sought::Open).await.unwrap();
    }
    let filters: Vec<_> = fake.seen().iter().map(|seen| seen.query("filters").unwrap().to_owned()).collect();
    assert_eq!(filters, [r#"[["converted","=",0]]"#, r#"[["status","not in",["Won","Lost"]]]"#]);
}
