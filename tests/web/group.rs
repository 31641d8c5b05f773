//! Stored before it is answered, many requests in one commit, and 503 in time when it cannot be.

use crate::house::{HUBSPOT, House, event, from_generic, from_hubspot};
use leadpact::engine::clock::monotonic_now;
use leadpact::record::{ConnectionName, Timestamp};
use leadpact::store::inbox::{Kind, NewDelivery};
use leadpact::store::{Priority, StoreError};
use std::sync::Arc;
use std::time::Duration;

const LEAD: &str = r#"{"type":"lead.created","timestamp":"2027-01-05T09:00:00Z","data":{"id":"1"}}"#;

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_committed() {
    let house = Arc::new(House::start().await);
    let writer = house.db.begin(Priority::Work).await.unwrap();
    let sender = house.clone();
    let mut answer = tokio::spawn(async move { sender.send(&from_hubspot(HUBSPOT, &event(1))).await });
    let early = tokio::time::timeout(Duration::from_millis(400), &mut answer).await;
    assert!(early.is_err(), "answered while nothing could be written: {early:?}");
    assert!(house.inbox("acme-hubspot").await.is_empty());
    writer.rollback().await.unwrap();
    assert_eq!(answer.await.unwrap().0, 204);
    assert_eq!(house.inbox("acme-hubspot").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_requests_at_once_share_a_few_commits() {
    let house = Arc::new(House::start().await);
    // While another transaction runs, all of them gather.
    let writer = house.db.begin(Priority::Work).await.unwrap();
    let send = |n: u64| {
        let house = house.clone();
        tokio::spawn(async move { house.send(&from_hubspot(HUBSPOT, &event(n))).await.0 })
    };
    let answers: Vec<_> = (0..200).map(send).collect();
    tokio::time::sleep(Duration::from_millis(900)).await;
    writer.rollback().await.unwrap();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), 204);
    }
    assert_eq!(house.inbox("acme-hubspot").await.len(), 200);
    assert!(house.ingest.commits() <= 10, "{} commits", house.ingest.commits());
}

#[tokio::test]
async fn a_repeated_delivery_within_one_commit_is_stored_once() {
    let house = Arc::new(House::start().await);
    let writer = house.db.begin(Priority::Work).await.unwrap();
    let send = |_| {
        let house = house.clone();
        tokio::spawn(async move { house.send(&from_generic("msg_1", LEAD)).await.0 })
    };
    let answers: Vec<_> = (0..8).map(send).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    writer.rollback().await.unwrap();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), 204);
    }
    assert_eq!(house.inbox("acme-other").await.len(), 1);
}

#[tokio::test]
async fn whoever_is_not_stored_within_two_seconds_is_told_to_come_again() {
    let house = House::start().await;
    let writer = house.db.begin(Priority::Work).await.unwrap();
    let began = monotonic_now();
    let (status, text) = house.send(&from_hubspot(HUBSPOT, &event(1))).await;
    assert_eq!((status, text.as_str()), (503, r#"{"error":"cannot be stored now, try again"}"#));
    assert!(began.elapsed() < Duration::from_millis(2900), "{:?}", began.elapsed());
    assert_eq!(house.get("/readyz").await.status(), 503, "and others are not sent here");
    writer.rollback().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_answers_503_and_is_not_ready() {
    let house = House::start().await;
    assert_eq!(house.get("/readyz").await.status(), 200);
    house.db.close().await;
    assert_eq!(house.send(&from_hubspot(HUBSPOT, &event(1))).await.0, 503);
    assert_eq!(house.get("/readyz").await.status(), 503);
    assert_eq!(house.get("/healthz").await.status(), 200, "the process itself is well");
}

#[tokio::test]
async fn one_connection_cannot_fill_the_queue() {
    let house = House::start().await;
    let writer = house.db.begin(Priority::Work).await.unwrap();
    let delivery = |connection: &str| NewDelivery {
        connection: ConnectionName::new(connection),
        delivery_id: None,
        kind: Kind::Delivery,
        body: " ".repeat(1024 * 1024),
        received_at: Timestamp::from_millis(1),
    };
    let store = |connection: &str| {
        let (ingest, delivery) = (house.ingest.clone(), delivery(connection));
        tokio::spawn(async move { ingest.store(delivery).await })
    };
    let flood: Vec<_> = (0..40).map(|_| store("acme-hubspot")).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let turned_away = flood.iter().filter(|answer| answer.is_finished()).count();
    assert!((1..40).contains(&turned_away), "{turned_away} of the flood were turned away at once");
    let other = store("acme-other");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!other.is_finished(), "the other connection has a place");
    writer.rollback().await.unwrap();
    assert!(other.await.unwrap().is_ok());
    for answer in flood {
        assert!(matches!(answer.await.unwrap(), Ok(_) | Err(StoreError::Unavailable(_))));
    }
}

#[tokio::test]
async fn the_workers_of_a_site_are_stirred_after_the_commit() {
    let house = House::start().await;
    house.send(&from_hubspot(HUBSPOT, &event(1))).await;
    let site = house.engine.site("acme-hubspot").unwrap();
    let stirred = site.stirred.notified();
    tokio::time::timeout(Duration::from_secs(1), stirred).await.expect("a notice was left");
    let other = house.engine.site("acme-other").unwrap();
    let quiet = other.stirred.notified();
    assert!(tokio::time::timeout(Duration::from_millis(50), quiet).await.is_err());
}
