//! Server-sent events: what changed is told to open pages, and to nobody who may not look any more.

use crate::house::House;
use leadpact::record::{Actor, ConnectionName, Fact, FactKind, Object, RecordId, RecordKey, Timestamp};
use leadpact::store::journal::JournalEntry;
use leadpact::store::role::Role;
use leadpact::store::{Priority, session};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn entry() -> Arc<JournalEntry> {
    let connection = ConnectionName::new("acme-hubspot");
    let fact = Fact {
        kind: FactKind::StageEntered,
        at: Timestamp::from_millis(0),
        pass: 1,
        source: "".into(),
        run: 0,
        item: "a secret name".into(),
        party: None,
        owner: None,
        stage: None,
        by: Actor::Unknown,
        detail: Default::default(),
    };
    let record = Some(RecordKey { connection, object: Object::Lead, id: RecordId::new("7001") });
    Arc::new(JournalEntry { record, fact, seen_at: Timestamp::from_millis(0), agreement: "h".into() })
}

/// What is said within so long.
async fn said(response: &mut reqwest::Response, patience: Duration) -> String {
    let mut text = String::new();
    let until = Instant::now() + patience;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        match tokio::time::timeout(left, response.chunk()).await {
            Ok(Ok(Some(bytes))) => text.push_str(&String::from_utf8_lossy(&bytes)),
            _ => break,
        }
    }
    text
}

/// How long it takes until nothing more can come.
async fn ended(mut response: reqwest::Response, patience: Duration) -> bool {
    let all = async { while let Ok(Some(_)) = response.chunk().await {} };
    tokio::time::timeout(patience, all).await.is_ok()
}

#[tokio::test]
async fn a_page_hears_once_a_second_that_something_happened_and_nothing_of_the_record() {
    let house = House::start().await;
    let mut response = house.get("/live").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("no-transform"));
    assert!(said(&mut response, Duration::from_millis(300)).await.starts_with(": here"));
    for _ in 0..50 {
        house.engine.told.send(entry()).unwrap();
    }
    let text = said(&mut response, Duration::from_millis(2500)).await;
    assert_eq!(text.matches("event: told\ndata: ").count(), 1, "{text}");
    assert!(text.contains(r#"{"connections":["acme-hubspot"],"facts":50}"#), "{text}");
    assert!(!text.contains("secret") && !text.contains("7001"), "{text}");
}

#[tokio::test]
async fn who_is_signed_out_hears_nothing_more() {
    let house = House::start().await;
    let viewer = house.person(Role::Viewer).await;
    let mut response = house.get_as(&viewer, "/live").await;
    said(&mut response, Duration::from_millis(200)).await;
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    session::end(&mut tx, &viewer.secret).await.unwrap();
    tx.commit().await.unwrap();
    house.engine.told.send(entry()).unwrap();
    let began = Instant::now();
    let text = said(&mut response, Duration::from_secs(4)).await;
    assert!(!text.contains("told") && began.elapsed() < Duration::from_secs(3), "{text}");
    assert_eq!(house.get_as(&viewer, "/live").await.status(), 303);
}

#[tokio::test]
async fn a_daemon_that_stops_lets_its_listeners_go_within_a_second() {
    let house = House::start().await;
    let response = house.get("/live").await;
    house.stopping.cancel();
    assert!(ended(response, Duration::from_secs(1)).await);
}

#[tokio::test]
async fn so_many_listen_and_a_page_that_was_closed_keeps_no_seat() {
    let house = House::start().await;
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(house.get("/live").await);
    }
    assert!(open.iter().all(|response| response.status() == 200));
    assert_eq!(house.get("/live").await.status(), 503);
    assert_eq!(house.get("/").await.status(), 200, "pages do without");
    drop(open);
    // That one is closed is noticed with the next line at the latest.
    let until = Instant::now() + Duration::from_secs(20);
    while house.get("/live").await.status() != 200 {
        assert!(Instant::now() < until, "no seat became free");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
