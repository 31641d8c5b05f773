//! Simulations on their page: the same figures as the command's, problems of a pasted text, one at a time.

use crate::house::{House, agreement, at_work};
use crate::openapi::{ask as asks, token};
use leadpact::agreement::parse::parse;
use leadpact::engine::simulate::Question;
use leadpact::engine::versions;
use leadpact::record::change::Reading;
use leadpact::record::{
    Actor, Change, ConnectionName, Elapsed, FieldName, Object, OwnerId, RecordId, RecordKey, Value, What,
};
use leadpact::report::difference::Kind;
use leadpact::store::role::Role;
use leadpact::store::{Priority, agreement as store, history};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

const TEXT: &str = include_str!("../../config/agreement.toml");
const HOSTILE: &str = "<script>alert(1)</script>";

fn shorter() -> String {
    let within = "within = \"4 business hours\"";
    assert!(TEXT.contains(within));
    TEXT.replacen(within, "within = \"1 business hour\"", 1)
}

fn lead(id: &str, answered: Option<i64>) -> Vec<(RecordKey, Change)> {
    let key =
        RecordKey { connection: ConnectionName::new("acme-hubspot"), object: Object::Lead, id: RecordId::new(id) };
    let by = Actor::Person(OwnerId::new("ann"));
    let field = |name: &str, value: &str| (FieldName::new(name), Value::text(value));
    let handed_over = vec![field("status", "Qualified by marketing"), field("owner", "ann"), field("name", HOSTILE)];
    let (at, later) = (at_work(), at_work() + Elapsed::from_millis(300));
    let read = Reading { modified: at, values: handed_over.clone(), import: false, from_now: false };
    let mut changes = vec![
        Change { at, what: What::Fields(handed_over), by: by.clone() },
        Change { at: later, what: What::Read(read), by: Actor::Unknown },
    ];
    let answer = vec![field("status", "Accepted")];
    let at = answered.map(|hours| at_work() + Elapsed::from_secs(hours * 3600));
    changes.extend(at.map(|at| Change { at, what: What::Fields(answer), by }));
    changes.into_iter().map(|change| (key.clone(), change)).collect()
}

/// Four leads, the last answered long after the deadlines of the others, and the agreement active.
async fn filled() -> House {
    let house = House::start().await;
    let row = versions::row(&agreement(), TEXT.to_owned(), BTreeMap::new(), at_work());
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    for (id, answered) in [("1", Some(0)), ("2", Some(2)), ("3", None), ("4", Some(48))] {
        history::add(&mut tx, &lead(id, answered)).await.unwrap();
    }
    store::offer(&mut tx, None, &row).await.unwrap();
    store::activate(&mut tx, None, &agreement().hash, at_work()).await.unwrap();
    tx.commit().await.unwrap();
    house
}

async fn ask(house: &House, form: &[(&str, &str)]) -> reqwest::Response {
    let operator = &house.admin_session;
    house.post_as(operator, "/simulate", form).await
}

async fn answer(house: &House, path: &str) -> String {
    for _ in 0..600 {
        let page = house.text(path).await;
        if !page.contains("changes replayed</label>") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never ended");
}

#[tokio::test]
async fn the_page_comes_to_what_the_command_comes_to() {
    let house = filled().await;
    let text = shorter();
    let asked = ask(&house, &[("connection", "acme-hubspot"), ("text", &text)]).await;
    assert_eq!(asked.status(), 303, "{}", asked.text().await.unwrap());
    let page = answer(&house, asked.headers()["location"].to_str().unwrap()).await;
    let read = |text: &str| parse("a", text, &|_| Err("none".into())).unwrap().agreement;
    let question = Question {
        connection: ConnectionName::new("acme-hubspot"),
        old: (read(TEXT), String::new()),
        new: (read(&text), String::new()),
        from: None,
        to: None,
        keep: 20,
        threads: 1,
    };
    let within = question.window(&house.db).await.unwrap().unwrap();
    let by_command = question.answer(&house.db, within, |_| ()).await.unwrap().difference;
    let differing: Vec<_> = by_command.differing().collect();
    let breaches = differing.iter().any(|(subject, line)| subject.kind == Kind::Breach && line.new > line.old);
    assert!(breaches, "{differing:?}");
    for (subject, line) in differing {
        let cells = format!(
            "{}</td><td class=\"number\" data-label=\"Old\">{}</td><td class=\"number\" data-label=\"New\">{}</td>",
            subject.kind.in_words(),
            line.old,
            line.new
        );
        assert!(page.contains(&cells), "{cells}: {page}");
    }
    assert!(page.contains("/records/acme-hubspot/lead/2") && !page.contains(HOSTILE));
    assert!(house.text("/simulate").await.contains("done"));
}

#[tokio::test]
async fn a_text_with_mistakes_is_answered_with_all_of_them_and_their_lines() {
    let house = filled().await;
    let text = TEXT.replacen("within = \"4 business hours\"", "within = \"4 busy hours\"", 1).replacen(
        "at         = \"mql\"",
        "at = \"<b>mqk\"",
        1,
    );
    let asked = ask(&house, &[("connection", "acme-hubspot"), ("text", &text)]).await;
    assert_eq!(asked.status(), 422);
    let page = asked.text().await.unwrap();
    assert_eq!(page.matches("[your text:").count(), 2, "{page}");
    assert!(page.contains("^") && !page.contains("<b>mqk"), "{page}");
    let same = ask(&house, &[("connection", "acme-hubspot"), ("version", &agreement().hash)]).await;
    let page = answer(&house, same.headers()["location"].to_str().unwrap()).await;
    assert!(page.contains("Nothing would have been different"), "{page}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_in_a_sentence() {
    let house = filled().await;
    let text = shorter();
    for (form, says) in [
        (vec![("connection", "nobody")], "Choose a connection"),
        (vec![("connection", "acme-hubspot")], "paste the text"),
        (vec![("connection", "acme-hubspot"), ("version", "x")], "not kept"),
        (vec![("connection", "acme-hubspot"), ("text", &text), ("from", "5.1.")], "Write days like"),
        (
            vec![("connection", "acme-hubspot"), ("text", &text), ("from", "2027-02-01"), ("to", "2027-01-01")],
            "comes after the last",
        ),
    ] {
        let asked = ask(&house, &form).await;
        assert_eq!(asked.status(), 422, "{says}");
        assert!(asked.text().await.unwrap().contains(says), "{says}");
    }
    let long = "#".repeat(129 * 1024);
    let asked = ask(&house, &[("connection", "acme-hubspot"), ("text", &long)]).await;
    assert!(asked.status() == 422 || asked.status() == 413, "{}", asked.status());
    let viewer = house.person(Role::Viewer).await;
    assert_eq!(house.get_as(&viewer, "/simulate").await.status(), 403);
    assert_eq!(house.get("/simulate/unknown").await.status(), 404);
}

#[tokio::test]
async fn programs_simulate_too_and_are_answered_as_the_command_prints_it() {
    let house = filled().await;
    let operator = token(&house, Role::Operator).await;
    let begin = async |body: Json| asks(&house, &operator, Method::POST, "/api/v1/simulations", body).await;
    let (status, told) = begin(json!({ "connection": "acme-hubspot", "text": shorter() })).await;
    assert_eq!(status, 202, "{told}");
    let path = format!("/api/v1/simulations/{}", told["id"].as_str().unwrap());
    let told = async {
        for _ in 0..600 {
            let (_, told) = asks(&house, &operator, Method::GET, &path, Json::Null).await;
            if told["state"] != "running" {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it never ended");
    };
    let told = told.await;
    assert_eq!(told["state"], "done", "{told}");
    let lines = told["answer"]["lines"].as_array().unwrap();
    let worse = |line: &&Json| line["kind"] == "breaches" && line["new"].as_u64() > line["old"].as_u64();
    let worse = lines.iter().find(worse).unwrap_or_else(|| panic!("{told}"));
    assert_eq!(worse["leads"][0]["name"], HOSTILE, "as it is: escaping is the reader's");
    let (_, told) = asks(&house, &operator, Method::POST, &format!("{path}/cancel"), Json::Null).await;
    assert_eq!(told["state"], "done", "one that ended stays as it was");
    let (_, all) = asks(&house, &operator, Method::GET, "/api/v1/simulations", Json::Null).await;
    assert_eq!(all["simulations"].as_array().unwrap().len(), 1, "{all}");
    for (body, status, says) in [
        (json!({ "connection": "nobody" }), 404, "no connection"),
        (json!({ "connection": "acme-hubspot" }), 409, "paste the text"),
        (json!({ "connection": "acme-hubspot", "text": "title = 1" }), 409, "your text"),
        (json!({ "connection": "acme-hubspot", "text": TEXT, "from": "5.1." }), 409, "Write days like"),
    ] {
        let (got, told) = begin(body).await;
        assert_eq!(got, status, "{told}");
        assert!(told["error"].as_str().unwrap().contains(says), "{told}");
    }
    let reader = token(&house, Role::Viewer).await;
    assert_eq!(asks(&house, &reader, Method::GET, &path, Json::Null).await.0, 403);
}
