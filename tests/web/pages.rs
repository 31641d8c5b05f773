//! Pages, API and health from outside, over records that are put into the store as they are.

use crate::house::House;
use leadpact::agreement::Standing;
use leadpact::record::field::well_known;
use leadpact::record::{
    Actor, ConnectionName, Elapsed, Fact, FactKind, Object, OwnerId, PartyName, RecordId, RecordKey, StageName,
    Timestamp, Value,
};
use leadpact::store::Priority;
use leadpact::store::clock::{self, ClockRow, ClockState};
use leadpact::store::journal::{self, JournalEntry};
use leadpact::store::person::{self, PersonRow};
use leadpact::store::standing::{self, StandingRow};
use leadpact::web::assets;
use serde_json::{Value as Json, json};

const SCRIPT: &str = "<script>alert(\"x\")</script>'&";
const NINE: &str = "2027-01-05T14:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn key(id: &str) -> RecordKey {
    RecordKey { connection: ConnectionName::new("acme-hubspot"), object: Object::Lead, id: RecordId::new(id) }
}

fn row(id: &str, name: &str, deadline: Timestamp) -> ClockRow {
    ClockRow {
        record: key(id),
        source: "Accept or reject".into(),
        pass: 1,
        run: 1,
        party: Some(PartyName::new("teleprospecting")),
        owner: Some(OwnerId::new("7020")),
        started: at(NINE),
        deadline: Some(deadline),
        state: ClockState::Breached,
        name: name.to_owned(),
    }
}

fn fact(kind: FactKind, detail: Json) -> Fact {
    Fact {
        kind,
        at: at(NINE),
        pass: 1,
        source: "Accept or reject".into(),
        run: 1,
        item: "".into(),
        party: None,
        owner: None,
        stage: None,
        by: Actor::Person(OwnerId::new("7020")),
        detail: detail.as_object().unwrap().clone(),
    }
}

/// One lead with a hostile name, its clock and its story.
pub async fn with_a_lead(house: &House) {
    let mut standing = Standing::new(key("7001"));
    standing.fields.set(well_known().name, Value::text(SCRIPT), at(NINE));
    standing.fields.set(well_known().owner, Value::text("7020"), at(NINE));
    standing.fields.set(well_known().last_touch, Value::Time(at(NINE)), at(NINE));
    (standing.stage, standing.pass) = (Some(StageName::new("mql")), 1);
    let stored = StandingRow {
        key: key("7001"),
        stage: standing.stage.clone(),
        owner: standing.owner(),
        party: None,
        name: SCRIPT.to_owned(),
        wake_at: None,
        state: serde_json::to_string(&standing).unwrap(),
        updated: at(NINE),
    };
    let terms = json!([{ "text": "reached(\"tal\")", "seen": SCRIPT, "held": false }]);
    let facts = [
        fact(FactKind::ClockStarted, json!({ "deadline": at("2027-01-05T18:45:00Z").as_millis() })),
        fact(FactKind::Breached, json!({ "terms": terms })),
    ];
    let entry = |fact| JournalEntry { record: Some(key("7001")), fact, seen_at: at(NINE), agreement: "h".into() };
    let entries = facts.map(entry);
    let owner = PersonRow {
        id: OwnerId::new("7020"),
        user: None,
        name: "Amy <b>Ng</b>".into(),
        email: None,
        manager: None,
        active: true,
        queue: false,
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[stored]).await.unwrap();
    clock::replace(&mut tx, &key("7001"), &[row("7001", SCRIPT, at("2027-01-05T18:45:00Z"))]).await.unwrap();
    journal::append(&mut tx, &ConnectionName::new("acme-hubspot"), &entries).await.unwrap();
    person::save_all(&mut tx, &ConnectionName::new("acme-hubspot"), &[owner]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn names_from_the_crm_cannot_become_markup() {
    let house = House::start().await;
    with_a_lead(&house).await;
    for path in ["/risk", "/records/acme-hubspot/lead/7001"] {
        let page = house.text(path).await;
        assert!(!page.contains("<script>") && !page.contains("<b>Ng"), "{path}: {page}");
        assert!(page.contains("&#60;script&#62;alert("), "{path}: {page}");
        assert!(page.contains("Amy &#60;b&#62;Ng"), "{path}: {page}");
    }
}

#[tokio::test]
async fn pages_carry_headers_that_let_nothing_foreign_in() {
    let house = House::start().await;
    let response = house.get("/risk").await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'self'; script-src 'self'"));
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!((header("referrer-policy"), header("cache-control")), ("no-referrer".into(), "no-store".into()));
}

#[tokio::test]
async fn open_clocks_are_shown_in_the_agreements_zone() {
    let house = House::start().await;
    let empty = house.text("/risk").await;
    assert!(empty.contains("No clock is running") && empty.contains("/webhooks/acme-hubspot"), "{empty}");
    with_a_lead(&house).await;
    let page = house.text("/risk").await;
    assert!(page.contains("2027-01-05 13:45 EST"), "{page}");
    assert!(page.contains("badge breached"), "{page}");
    assert!(page.contains("href=\"/records/acme-hubspot/lead/7001\""), "{page}");
    assert!(page.contains("https://app.hubspot.com/contacts/45540012/record/0-1/7001"), "{page}");
    assert!(page.contains("badge enforce"), "{page}");
}

#[tokio::test]
async fn clocks_are_paged_without_gap_or_repetition() {
    let house = House::start().await;
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    for n in 0..205_i64 {
        // Several of one deadline.
        let due = at(NINE) + Elapsed::from_secs(n / 10);
        let id = format!("{}", 9000 + n);
        clock::replace(&mut tx, &key(&id), &[row(&id, &format!("Lead no {n}."), due)]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (mut path, mut seen) = ("/risk".to_owned(), Vec::new());
    for _ in 0..6 {
        let page = house.text(&path).await;
        seen.extend(page.split("Lead no ").skip(1).map(|rest| rest.split('.').next().unwrap().parse::<u32>().unwrap()));
        let Some(next) = page.split("href=\"/risk?after=").nth(1) else { break };
        path = format!("/risk?after={}", next.split('"').next().unwrap());
    }
    assert_eq!(seen, (0..205).collect::<Vec<_>>());
    assert_eq!(house.get("/risk?after=nonsense").await.status(), 400);

    let first: Json = serde_json::from_str(&house.text("/api/v1/clocks?limit=200").await).unwrap();
    let next = first["next"].as_str().unwrap();
    let second: Json =
        serde_json::from_str(&house.text(&format!("/api/v1/clocks?limit=200&after={next}")).await).unwrap();
    assert_eq!((first["clocks"].as_array().unwrap().len(), second["clocks"].as_array().unwrap().len()), (200, 5));
    assert_eq!(second["next"], Json::Null);
}

#[tokio::test]
async fn the_api_answers_where_a_record_stands_and_its_timeline() {
    let house = House::start().await;
    with_a_lead(&house).await;
    let response = house.get("/api/v1/records/acme-hubspot/lead/7001").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer: Json = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(answer["record"]["name"], SCRIPT);
    assert_eq!((&answer["stage"], &answer["owner"], &answer["pass"]), (&json!("mql"), &json!("7020"), &json!(1)));
    assert_eq!(answer["owner_name"], "Amy <b>Ng</b>");
    assert_eq!(answer["fields"]["last_touch"], "2027-01-05T14:00:00.000Z");
    assert_eq!((&answer["violations"], &answer["recycles"]), (&json!([]), &json!([])));
    let first = &answer["timeline"][0];
    assert_eq!(
        (&first["kind"], &first["clock"], &first["run"]),
        (&json!("clock_started"), &json!("Accept or reject"), &json!(1))
    );
    assert_eq!((&first["at"], &first["by"]), (&json!("2027-01-05T14:00:00.000Z"), &json!("person:7020")));
    assert_eq!(answer["timeline"][1]["detail"]["terms"][0]["held"], false);
    for unknown in ["acme-hubspot/lead/7002", "nobody/lead/7001", "acme-hubspot/account/7001", "acme-hubspot/lead/%00"]
    {
        let response = house.get(&format!("/api/v1/records/{unknown}")).await;
        assert_eq!(response.status(), 404, "{unknown}");
        assert!(response.text().await.unwrap().starts_with("{\"error\""), "{unknown}");
        assert_eq!(house.get(&format!("/records/{unknown}")).await.status(), 404, "{unknown}");
    }
}

#[tokio::test]
async fn the_public_address_has_nothing_but_webhooks_health_and_signing_in() {
    let house = House::start().await;
    for path in ["/", "/metrics", "/api/v1/clocks", "/records/acme-hubspot/lead/1", "/login"] {
        let response = house.client.get(format!("http://{}{path}", house.public)).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
    let health = house.client.get(format!("http://{}/healthz", house.public)).send().await.unwrap();
    assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, "ok"));
    let one = House::on_one_address().await;
    for path in ["/risk", "/metrics", "/api/v1/clocks", "/readyz", assets::url("style.css")] {
        assert_eq!(one.get(path).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_daemon_that_is_stopping_is_not_ready() {
    let house = House::start().await;
    house.stopping.cancel();
    let response = house.get("/readyz").await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.text().await.unwrap(), r#"{"ready":false,"reasons":["shutting down"]}"#);
}
