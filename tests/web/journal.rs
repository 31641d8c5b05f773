//! The journal from outside: found by what people know, downloaded without formulas, its chain walked.

use crate::deliveries::{HOSTILE, harmless};
use crate::house::House;
use crate::openapi::{ask, file, token};
use leadpact::record::{
    Actor, ConnectionName, Fact, FactKind, Object, OwnerId, PartyName, RecordId, RecordKey, Timestamp,
};
use leadpact::store::Priority;
use leadpact::store::journal::{self, JournalEntry};
use leadpact::store::person::{self, PersonRow};
use leadpact::store::role::Role;
use leadpact::store::standing::{self, StandingRow};
use reqwest::Method;
use serde_json::{Value as Json, json};
use sqlx::{Connection, SqliteConnection};
use std::time::Duration;

fn name() -> ConnectionName {
    ConnectionName::new("acme-hubspot")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn entry(id: &str, kind: FactKind, seen: Timestamp, by: Actor, reason: &str) -> JournalEntry {
    let fact = Fact {
        kind,
        at: seen,
        pass: 1,
        source: "Accept or reject".into(),
        run: 1,
        item: "".into(),
        party: Some(PartyName::new("teleprospecting")),
        owner: None,
        stage: None,
        by,
        detail: json!({ "reason": reason }).as_object().unwrap().clone(),
    };
    let record = RecordKey { connection: name(), object: Object::Lead, id: RecordId::new(id) };
    JournalEntry { record: Some(record), fact, seen_at: seen, agreement: "a1b2c3d4e5f6a7b8".into() }
}

async fn append(house: &House, entries: &[JournalEntry]) {
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    journal::append(&mut tx, &name(), entries).await.unwrap();
    tx.commit().await.unwrap();
}

async fn called(house: &House, id: &str, text: &str) {
    let key = RecordKey { connection: name(), object: Object::Lead, id: RecordId::new(id) };
    let row = StandingRow {
        key,
        stage: None,
        owner: None,
        party: None,
        name: text.to_owned(),
        wake_at: None,
        state: "{}".to_owned(),
        updated: at("2027-01-05T14:00:00Z"),
    };
    let amy = PersonRow {
        id: OwnerId::new("7020"),
        user: None,
        name: "Amy Ng".into(),
        email: None,
        manager: None,
        active: true,
        queue: false,
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    person::save_all(&mut tx, &name(), &[amy]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn seqs(house: &House, query: &str) -> Vec<i64> {
    let page: Json = house.get(&format!("/api/v1/journal?connection=acme-hubspot&{query}")).await.json().await.unwrap();
    let entries = page["entries"].as_array().unwrap_or_else(|| panic!("{query}: {page}"));
    entries.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn entries_are_found_by_kind_record_person_clock_and_day() {
    let house = House::start().await;
    let amy = Actor::Person(OwnerId::new("7020"));
    called(&house, "1", "Jonas Berg").await;
    append(
        &house,
        &[
            entry("1", FactKind::Rejected, at("2027-01-04T14:00:00Z"), amy.clone(), "x"),
            entry("2", FactKind::Rejected, at("2027-01-05T14:00:00Z"), Actor::Leadpact, "x"),
            entry("1", FactKind::Met, at("2027-01-06T14:00:00Z"), amy, "x"),
        ],
    )
    .await;
    assert_eq!(seqs(&house, "").await, [3, 2, 1]);
    assert_eq!(seqs(&house, "kind=rejected").await, [2, 1]);
    assert_eq!(seqs(&house, "record=jonas+berg").await, [3, 1]);
    assert_eq!(seqs(&house, "record=2").await, [2]);
    assert_eq!(seqs(&house, "who=amy+ng").await, [3, 1]);
    assert_eq!(seqs(&house, "who=7020&kind=met").await, [3]);
    assert_eq!(seqs(&house, "who=leadpact").await, [2]);
    assert_eq!(seqs(&house, "who=nobody+of+this+name").await, [0_i64; 0]);
    assert_eq!(seqs(&house, "clock=Accept+or+reject&kind=met").await, [3]);
    assert_eq!(seqs(&house, "clock=Other").await, [0_i64; 0]);
    assert_eq!(seqs(&house, "from=2027-01-05&until=2027-01-05").await, [2]);
    assert_eq!(seqs(&house, "from=2027-01-05").await, [3, 2]);
    assert_eq!(seqs(&house, "until=2027-01-04").await, [1]);
    assert_eq!(house.get("/journal?kind=nonsense").await.status(), 400);
    assert_eq!(house.get("/journal?from=yesterday").await.status(), 400);
}

/// HubSpot's news name the user; whose owner that is, is known once the directory was read.
#[tokio::test]
async fn who_was_told_of_before_anybody_knew_them_is_called_as_they_are_known_now() {
    let house = House::start().await;
    let by = |id: &str| Actor::Person(OwnerId::new(id));
    let of = |id: &str| entry(id, FactKind::Rejected, at("2027-01-04T14:00:00Z"), by("9914"), "x");
    let elsewhere = House::start().await;
    append(&elsewhere, &[of("1")]).await;
    assert!(elsewhere.text("/journal").await.contains(r#"<td data-label="Who">9914</td>"#));
    append(&house, &[of("1")]).await;
    called(&house, "1", "Jonas Berg").await;
    let row = |id: &str, user: &str, name: &str| PersonRow {
        id: OwnerId::new(id),
        user: Some(OwnerId::new(user)),
        name: name.into(),
        email: None,
        manager: None,
        active: true,
        queue: false,
    };
    let people = [row("7020", "9914", "Amy Ng"), row("9913", "7020", "Cleo Oh")];
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    person::save_all(&mut tx, &name(), &people).await.unwrap();
    tx.commit().await.unwrap();
    append(&house, &[entry("2", FactKind::Rejected, at("2027-01-05T14:00:00Z"), by("7020"), "x")]).await;
    let page = house.text("/journal").await;
    // An owner's id is the owner's, whatever user has the same.
    let whose = page.matches(r#"<td data-label="Who">Amy Ng</td>"#).count();
    assert_eq!((whose, page.contains("9914"), page.contains("Cleo")), (2, false, false), "{page}");
    assert_eq!((seqs(&house, "who=9914").await, seqs(&house, "who=amy+ng").await), (vec![1], vec![2]));
}

#[tokio::test]
async fn a_page_stays_what_it_was_while_entries_arrive() {
    let house = House::start().await;
    let some: Vec<_> =
        (0..5).map(|n| entry(&n.to_string(), FactKind::Met, at("2027-01-05T14:00:00Z"), Actor::Leadpact, "")).collect();
    append(&house, &some).await;
    assert_eq!(seqs(&house, "limit=2").await, [5, 4]);
    append(&house, &some).await;
    assert_eq!(seqs(&house, "limit=2&before=4").await, [3, 2]);
    assert_eq!(seqs(&house, "limit=2&before=2").await, [1]);
}

#[tokio::test]
async fn a_rare_entry_is_found_behind_thousands_that_are_sorted_out() {
    let house = House::start().await;
    let amy = Actor::Person(OwnerId::new("7020"));
    let seen = at("2027-01-05T14:00:00Z");
    called(&house, "1", "Jonas Berg").await;
    append(&house, &[entry("1", FactKind::Met, seen, amy.clone(), "")]).await;
    for _ in 0..6 {
        let many: Vec<_> = (0..1_000).map(|_| entry("2", FactKind::Rejected, seen, amy.clone(), "")).collect();
        append(&house, &many).await;
    }
    let page = async |query: &str| -> Json {
        house
            .get(&format!("/api/v1/journal?connection=acme-hubspot&who=7020&kind=met{query}"))
            .await
            .json()
            .await
            .unwrap()
    };
    let first = page("").await;
    assert_eq!(first["entries"].as_array().unwrap().len(), 0, "one stretch is sorted through at a time");
    let next = page(&format!("&before={}", first["next"])).await;
    assert_eq!(next["entries"][0]["seq"], 1, "{next}");
    assert!(next["next"].is_null());
}

#[tokio::test]
async fn a_download_is_whole_and_holds_no_formula() {
    let house = House::start().await;
    called(&house, "1", "=HYPERLINK(\"http://evil.example\")").await;
    let seen = at("2027-01-05T14:00:00Z");
    let by = Actor::Person(OwnerId::new("+1+cmd|' /C calc'!A0"));
    for _ in 0..3 {
        let many: Vec<_> = (0..900).map(|_| entry("1", FactKind::Rejected, seen, by.clone(), "@SUM(1)")).collect();
        append(&house, &many).await;
    }
    let response = house.get("/journal.csv?connection=acme-hubspot").await;
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let text = response.text().await.unwrap();
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2_700);
    for row in &rows {
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
    }
    assert_eq!(&rows[0][1], "2700");
    let filtered = house.text("/journal.csv?connection=acme-hubspot&kind=met").await;
    assert_eq!(filtered.lines().count(), 1, "filters hold for the download");
}

/// Has the chain verified and waits for the result.
async fn verified(house: &House) -> String {
    let viewer = house.person(Role::Viewer).await;
    let done = house.post_as(&viewer, "/journal/verify", &[("connection", "acme-hubspot")]).await;
    assert_eq!(done.status(), 303);
    for _ in 0..200 {
        let page = house.text("/journal?connection=acme-hubspot").await;
        if page.contains("Verified 20") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it was never verified");
}

#[tokio::test]
async fn a_chain_that_holds_is_said_to_hold_with_its_head() {
    let house = House::start().await;
    append(&house, &[entry("1", FactKind::Met, at("2027-01-05T14:00:00Z"), Actor::Leadpact, "")]).await;
    let head = journal::head(&house.db, &name()).await.unwrap().unwrap();
    let page = verified(&house).await;
    assert!(page.contains("The chain holds: 1 entry") && page.contains(&head.to_string()), "{page}");
}

#[tokio::test]
async fn a_chain_that_was_tampered_with_is_shown_as_such() {
    let house = House::start().await;
    let seen = at("2027-01-05T14:00:00Z");
    let some: Vec<_> = (0..3).map(|_| entry("1", FactKind::Breached, seen, Actor::Leadpact, "")).collect();
    append(&house, &some).await;
    let mut hand = SqliteConnection::connect(&house.url).await.unwrap();
    sqlx::query("UPDATE journal SET kind = 'met' WHERE seq = 2").execute(&mut hand).await.unwrap();
    let page = verified(&house).await;
    assert!(page.contains("Entry 2 is not as it was written"), "{page}");
    assert!(page.contains("note bad") && !page.contains("The chain holds"), "{page}");
}

#[tokio::test]
async fn what_crms_say_cannot_become_markup() {
    let house = House::start().await;
    let seen = at("2027-01-05T14:00:00Z");
    for (n, text) in HOSTILE.iter().enumerate() {
        called(&house, &n.to_string(), text).await;
        let by = Actor::Person(OwnerId::new(text));
        append(&house, &[entry(&n.to_string(), FactKind::Rejected, seen, by, text)]).await;
    }
    let page = house.text("/journal?connection=acme-hubspot").await;
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    harmless(&page);
    harmless(&house.text("/journal?connection=acme-hubspot&record=%22%3E%3Cscript%3E&who=%3Cscript%3E").await);
}

#[tokio::test]
async fn programs_have_a_chain_verified_and_are_told_how_it_ended() {
    let house = House::start().await;
    let reader = token(&house, Role::Viewer).await;
    let seen = at("2027-01-05T14:00:00Z");
    let some: Vec<_> = (0..3).map(|_| entry("1", FactKind::Breached, seen, Actor::Leadpact, "")).collect();
    append(&house, &some).await;
    let verify = async |connection: &str| {
        let body = json!({ "connection": connection });
        let (status, told) = ask(&house, &reader, Method::POST, "/api/v1/journal/verify", body).await;
        if status != 202 {
            return (status, told);
        }
        let path = format!("/api/v1/journal/verify?connection={connection}");
        for _ in 0..200 {
            let (status, told) = ask(&house, &reader, Method::GET, &path, Json::Null).await;
            if told["walking"].is_null() && !told["last"].is_null() {
                return (status, told);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it was never verified");
    };
    let (status, told) = verify("acme-hubspot").await;
    assert_eq!((status, &told["last"]["holds"], &told["last"]["entries"]), (200, &json!(true), &json!(3)), "{told}");
    let head = journal::head(&house.db, &name()).await.unwrap().unwrap();
    assert_eq!(told["last"]["head"], head.to_string());
    let mut hand = SqliteConnection::connect(&house.url).await.unwrap();
    sqlx::query("UPDATE journal SET kind = 'met' WHERE seq = 2").execute(&mut hand).await.unwrap();
    // Another walk's result may be told until this one ends.
    for _ in 0..200 {
        let (_, told) = verify("acme-hubspot").await;
        if told["last"]["holds"] == false {
            assert_eq!((&told["last"]["first_bad"], &told["last"]["entries"]), (&json!(2), &json!(1)), "{told}");
            assert_eq!(verify("nobody").await.0, 404);
            return;
        }
    }
    panic!("what was tampered with was not found");
}

promise!(programs_download_what_the_page_does, |house| {
    let reader = token(&house, Role::Viewer).await;
    let seen = at("2027-01-05T14:00:00Z");
    called(&house, "1", "=HYPERLINK(\"http://evil.example\")").await;
    let many: Vec<_> = (0..1_200).map(|_| entry("1", FactKind::Rejected, seen, Actor::Leadpact, "x")).collect();
    append(&house, &many).await;
    append(&house, &[entry("2", FactKind::Met, seen, Actor::Leadpact, "")]).await;
    for query in ["connection=acme-hubspot", "kind=met", "from=2027-01-06"] {
        let (kind, csv) = file(&house, &reader, &format!("/api/v1/journal.csv?{query}")).await;
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!(kind, "text/csv; charset=utf-8");
        assert_eq!(csv, house.text(&format!("/journal.csv?{query}")).await, "{query}");
        let rows = csv.lines().count() - 1;
        assert_eq!(
            rows,
            if query == "kind=met" {
                1
            } else if query.starts_with("from") {
                0
            } else {
                1_201
            },
            "{query}"
        );
    }
    for (query, status) in
        [("connection=nobody", 404), ("kind=nonsense", 400), ("from=yesterday", 400), ("limit=1", 400)]
    {
        let path = format!("/api/v1/journal.csv?{query}");
        assert_eq!(ask(&house, &reader, Method::GET, &path, Json::Null).await.0, status, "{query}");
    }
});
