//! Health from outside: connections as they fare, pauses and arming by those who may, checks made when
//! somebody asks.

use crate::deliveries::{HOSTILE, harmless};
use crate::house::House;
use crate::openapi::{ask, token};
use leadpact::engine::doctor::Check;
use leadpact::engine::switches::Switches;
use leadpact::record::{ConnectionName, FactKind};
use leadpact::store::journal;
use leadpact::store::role::Role;
use reqwest::Method;
use serde_json::Value as Json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

async fn paused(house: &House, connection: &str) -> bool {
    let switches = Switches::read(&house.db, &ConnectionName::new(connection)).await.unwrap();
    switches.pause(house.engine.clock.now()).is_some()
}

#[tokio::test]
async fn the_kill_switch_pauses_everything_and_is_journalled_with_the_person() {
    let house = House::start().await;
    let operator = house.person(Role::Operator).await;
    assert_eq!(house.post_as(&operator, "/health/pause", &[("why", "too many moves")]).await.status(), 303);
    assert!(paused(&house, "acme-hubspot").await && paused(&house, "acme-salesforce").await);
    let page = house.text("/health").await;
    assert!(page.contains("Everything is paused by The operator since"), "{page}");
    let rows = journal::recent(&house.db, &ConnectionName::new("acme-other"), 0, 10).await.unwrap();
    let set = rows.iter().find(|row| row.entry.fact.kind == FactKind::Setting).unwrap();
    assert_eq!(set.entry.fact.detail["by"], "The operator");
    house.post_as(&operator, "/health/resume", &[]).await;
    assert!(!paused(&house, "acme-hubspot").await);
}

#[tokio::test]
async fn one_connection_is_paused_alone_and_never_by_a_viewer() {
    let house = House::start().await;
    let (viewer, operator) = (house.person(Role::Viewer).await, house.person(Role::Operator).await);
    let form = [("connection", "acme-hubspot"), ("why", "")];
    assert_eq!(house.post_as(&viewer, "/health/pause", &form).await.status(), 403);
    assert!(!paused(&house, "acme-hubspot").await);
    house.post_as(&operator, "/health/pause", &form).await;
    assert!(paused(&house, "acme-hubspot").await && !paused(&house, "acme-other").await);
    assert_eq!(house.post_as(&operator, "/health/pause", &[("connection", "acme-none")]).await.status(), 404);
}

#[tokio::test]
async fn only_an_admin_arms_and_sees_first_what_would_move() {
    let house = House::start().await;
    let operator = house.person(Role::Operator).await;
    let form = [("connection", "acme-hubspot"), ("why", "signed")];
    assert_eq!(house.post_as(&operator, "/health/arm", &form).await.status(), 403);
    let page = house.text("/health/arm?connection=acme-hubspot").await;
    assert!(page.contains("Records that would move now"), "{page}");
    let armed = async || Switches::read(&house.db, &ConnectionName::new("acme-hubspot")).await.unwrap().is_armed();
    assert!(!armed().await, "looking arms nothing");
    assert_eq!(house.post_as(&house.admin_session, "/health/arm", &form).await.status(), 303);
    assert!(armed().await);
    assert_eq!(house.post_as(&house.admin_session, "/health/disarm", &form).await.status(), 303);
    assert!(!armed().await);
}

#[tokio::test]
async fn checks_are_made_when_somebody_asks_and_not_by_looking() {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let house = House::examining(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            let all = HOSTILE.iter().map(|text| Check::fail(text, *text, *text, *text));
            Ok(all.chain([Check::ok("database", "schema", "up to date")]).collect())
        })
    }))
    .await;
    house.text("/health").await;
    house.get("/api/v1/health").await;
    assert_eq!(made.load(Ordering::SeqCst), 0);
    let (viewer, operator) = (house.person(Role::Viewer).await, house.person(Role::Operator).await);
    assert_eq!(house.post_as(&viewer, "/health/check", &[]).await.status(), 403);
    assert_eq!(house.post_as(&operator, "/health/check", &[]).await.status(), 303);
    for _ in 0..200 {
        let page = house.text("/health").await;
        if page.contains("1 ok, 0 to look at, 25 failed") {
            assert_eq!(made.load(Ordering::SeqCst), 1);
            harmless(&page);
            let told: Json = house.get("/api/v1/health").await.json().await.unwrap();
            assert_eq!(told["checked"]["verdict"], "fail");
            assert_eq!(told["connections"].as_array().unwrap().len(), 3);
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the checks were never shown");
}

#[tokio::test]
async fn programs_have_everything_checked_too() {
    let house =
        House::examining(Arc::new(|| Box::pin(async { Ok(vec![Check::ok("database", "schema", "up to date")]) })))
            .await;
    let (reader, operator) = (token(&house, Role::Viewer).await, token(&house, Role::Operator).await);
    let check = "/api/v1/health/check";
    assert_eq!(ask(&house, &reader, Method::POST, check, Json::Null).await.0, 403);
    let (status, told) = ask(&house, &operator, Method::POST, check, Json::Null).await;
    assert_eq!((status, &told["began"]), (202, &Json::from(true)), "{told}");
    for _ in 0..200 {
        let (_, told) = ask(&house, &reader, Method::GET, "/api/v1/health", Json::Null).await;
        if !told["checked"].is_null() {
            assert_eq!(told["checked"]["verdict"], "ok");
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the checks were never told");
}
