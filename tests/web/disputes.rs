//! Disputes and attestations on their pages: found, decided as the command does, shown as text.

use crate::agreement::{offer, signer};
use crate::house::{House, Person, at_work};
use crate::openapi::{ask, token};
use leadpact::engine::{attestation, dispute};
use leadpact::record::{
    Actor, ConnectionName, Elapsed, Fact, FactKind, Object, OwnerId, RecordId, RecordKey, Timestamp,
};
use leadpact::store::dispute::{self as disputes, DisputeRow, DisputeState};
use leadpact::store::journal::{self, JournalEntry};
use leadpact::store::role::Role;
use leadpact::store::{Priority, attestation as answers};
use reqwest::Method;
use serde_json::{Value as Json, json};

const HOSTILE: &str = "<img src=x onerror=alert(1)>";

fn key(id: &str) -> RecordKey {
    RecordKey { connection: ConnectionName::new("acme-hubspot"), object: Object::Lead, id: RecordId::new(id) }
}

/// A breach that somebody disputes.
async fn disputed(house: &House, id: &str, by: &str) -> DisputeRow {
    let agreement = crate::house::agreement();
    let clock = &agreement.clocks[0];
    let fact = Fact {
        kind: FactKind::Breached,
        at: at_work() - Elapsed::from_secs(3600),
        pass: 1,
        source: clock.name.clone(),
        run: 1,
        item: "".into(),
        party: Some(clock.party.clone()),
        owner: Some(OwnerId::new("7020")),
        stage: None,
        by: Actor::Leadpact,
        detail: serde_json::Map::new(),
    };
    let record = key(id);
    let entry = JournalEntry {
        record: Some(record.clone()),
        fact: fact.clone(),
        seen_at: at_work(),
        agreement: agreement.hash.to_string(),
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    journal::append(&mut tx, &record.connection, &[entry]).await.unwrap();
    tx.commit().await.unwrap();
    dispute::open(&house.db, &agreement, &record, &fact, (by, HOSTILE), at_work()).await.unwrap()
}

async fn state(house: &House, id: &str) -> DisputeState {
    disputes::find(&house.db, id).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_dispute_is_found_read_and_decided_under_the_visitors_name() {
    let house = House::start().await;
    assert!(house.text("/disputes").await.contains("Nothing is disputed"));
    let row = disputed(&house, "8842", "Eve").await;
    let list = house.text("/disputes").await;
    assert!(list.contains(&format!("/disputes/{}", row.id)) && list.contains("Whose turn"), "{list}");
    let page = house.text(&format!("/disputes/{}", row.id)).await;
    assert!(page.contains("Decide it") && page.contains("Breached: ") && !page.contains(HOSTILE), "{page}");
    assert!(page.contains("&#60;img src=x"), "shown as text");
    let operator = house.person(Role::Operator).await;
    let path = format!("/disputes/{}/decide", row.id);
    let without = house.post_as(&operator, &path, &[("verdict", "upheld"), ("why", " ")]).await;
    assert_eq!(without.status(), 409, "a decision needs a reason");
    assert_eq!(house.post_as(&operator, &path, &[("why", "x")]).await.status(), 422, "and a verdict");
    assert_eq!(state(&house, &row.id).await, DisputeState::Open);
    let done = house.post_as(&operator, &path, &[("verdict", "upheld"), ("why", "The phone was down.")]).await;
    assert_eq!(done.status(), 303);
    let is = disputes::find(&house.db, &row.id).await.unwrap().unwrap();
    assert_eq!((is.state, is.decided_by.as_deref()), (DisputeState::Upheld, Some("The operator")));
    let facts = journal::of_record(&house.db, &row.record).await.unwrap();
    assert_eq!(facts.last().unwrap().entry.fact.kind, FactKind::Upheld);
    let again = house.post_as(&operator, &path, &[("verdict", "dismissed"), ("why", "No.")]).await;
    assert_eq!(again.status(), 409, "it is over");
    assert!(house.text("/disputes").await.contains("Nothing is disputed"));
    assert!(house.text("/disputes?state=over").await.contains(&row.id));
}

#[tokio::test]
async fn viewers_look_and_only_whoever_opened_a_dispute_gives_it_up() {
    let house = House::start().await;
    let row = disputed(&house, "8842", "Eve").await;
    let viewer = house.person(Role::Viewer).await;
    let page = house.get_as(&viewer, &format!("/disputes/{}", row.id)).await.text().await.unwrap();
    assert!(!page.contains("Decide it"));
    let operator = house.person(Role::Operator).await;
    let path = format!("/disputes/{}/withdraw", row.id);
    assert_eq!(house.post_as(&viewer, &path, &[]).await.status(), 403);
    assert_eq!(house.post_as(&operator, &path, &[]).await.status(), 403, "another's");
    assert_eq!(state(&house, &row.id).await, DisputeState::Open);
    let own = disputed(&house, "8843", "The operator").await;
    let path = format!("/disputes/{}/withdraw", own.id);
    assert_eq!(house.post_as(&operator, &path, &[("why", "")]).await.status(), 303);
    assert_eq!(state(&house, &own.id).await, DisputeState::Withdrawn);
}

#[tokio::test]
async fn the_list_is_filtered_and_paged_without_losing_or_repeating_any() {
    let house = House::start().await;
    for n in 0..53 {
        disputed(&house, &format!("{n:03}"), "Eve").await;
    }
    let (mut path, mut seen, mut pages) = ("/disputes?party=&connection=acme-hubspot".to_owned(), Vec::new(), 0);
    loop {
        let page = house.text(&path).await;
        seen.extend(page.split("href=\"/disputes/0").skip(1).map(|rest| rest[..35].to_owned()));
        pages += 1;
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&");
        assert!(path.contains("connection=acme-hubspot"), "{path}");
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((pages, count, seen.len()), (2, 53, 53));
    let other = house.text("/disputes?connection=acme-salesforce").await;
    assert!(other.contains("No dispute like that"));
    assert_eq!(house.get("/disputes?after=x").await.status(), 400);
    assert_eq!(house.get("/disputes?state=x").await.status(), 400);
    assert_eq!(house.get("/disputes/x%00y").await.status(), 404);
}

#[tokio::test]
async fn programs_list_and_decide_too() {
    let house = House::start().await;
    let row = disputed(&house, "8842", "Eve").await;
    let told: serde_json::Value = house.get("/api/v1/disputes").await.json().await.unwrap();
    assert_eq!((&told["disputes"][0]["id"], &told["next"]), (&row.id.as_str().into(), &serde_json::Value::Null));
    let path = format!("/api/v1/disputes/{}/decide", row.id);
    let person = &house.admin_session;
    let request = |body: &'static str| {
        let request = house.as_nobody(reqwest::Method::POST, &path).header("Cookie", person.cookie());
        request.header("X-CSRF-Token", person.csrf()).header("Content-Type", "application/json").body(body)
    };
    let bad = request(r#"{"verdict": "withdrawn", "why": "x"}"#).send().await.unwrap();
    assert_eq!(bad.status(), 400);
    let done = request(r#"{"verdict": "dismissed", "why": "It stands."}"#).send().await.unwrap();
    assert_eq!(done.status(), 200);
    assert_eq!(state(&house, &row.id).await, DisputeState::Dismissed);
    let again = request(r#"{"verdict": "dismissed", "why": "It stands."}"#).send().await.unwrap();
    assert_eq!(again.status(), 409);
}

#[tokio::test]
async fn a_promise_is_attested_with_a_button_and_kept_in_the_journal() {
    let house = House::start().await;
    let agreement = crate::house::agreement();
    let (promise, every) = attestation::attested(&agreement)[0];
    assert_eq!(house.get("/disputes/attest").await.status(), 200);
    let now = house.engine.clock.now();
    let period = attestation::window(&agreement, every, None, now).unwrap().to_string();
    let operator = house.person(Role::Operator).await;
    let post = async |answer: &str, commitment: &str, period: &str| {
        let form = [("of", "acme-hubspot"), ("commitment", commitment), ("period", period), ("answer", answer)];
        house.post_as(&operator, "/disputes/attest", &form).await.status()
    };
    assert_eq!(post("perhaps", &promise.name, &period).await, 422);
    assert_eq!(post("yes", "no such promise", &period).await, 422);
    assert_eq!(post("yes", &promise.name, "3027-01").await, 422, "has not begun");
    assert_eq!(post("yes", &promise.name, &period).await, 303);
    let kept = answers::get(&house.db, None, &promise.name, &period).await.unwrap().unwrap();
    assert_eq!((kept.answer, kept.by.as_str()), (true, "The operator"));
}

#[tokio::test]
async fn a_signer_attests_for_their_own_party_and_for_no_other() {
    let house = House::start().await;
    let agreement = crate::house::agreement();
    let (promise, every) = attestation::attested(&agreement)[0];
    let period = attestation::window(&agreement, every, None, house.engine.clock.now()).unwrap().to_string();
    let other = agreement.parties.iter().find(|party| party.name != promise.by).unwrap();
    let theirs = signer(&house, "Theirs", promise.by.as_str(), None).await;
    let others = signer(&house, "Others", other.name.as_str(), None).await;
    let kept = async || answers::get(&house.db, None, &promise.name, &period).await.unwrap().map(|row| row.by);
    let form = [("of", "acme-hubspot"), ("commitment", &promise.name), ("period", &period), ("answer", "yes")];
    let front = [("connection", "acme-hubspot"), ("commitment", &promise.name), ("period", &period), ("answer", "yes")];
    let said = serde_json::json!({ "commitment": promise.name, "period": period, "answer": true });
    let post = async |person: &Person, way: &str| match way {
        "page" => house.post_as(person, "/disputes/attest", &form).await.status(),
        "overview" => house.post_as(person, "/attest", &front).await.status(),
        _ => {
            let request = house.as_nobody(Method::POST, "/api/v1/attestations").header("Cookie", person.cookie());
            let request = request.header("X-CSRF-Token", person.csrf()).header("Sec-Fetch-Site", "same-origin");
            request.json(&said).send().await.unwrap().status()
        }
    };
    for way in ["page", "overview", "api"] {
        assert_eq!(post(&others, way).await, 403, "{way}");
        assert_eq!(kept().await, None, "{way}");
    }
    for way in ["page", "overview", "api"] {
        assert!(post(&theirs, way).await.as_u16() < 400, "{way}");
        assert_eq!(kept().await.as_deref(), Some("Theirs"), "{way}");
    }
}

#[tokio::test]
async fn programs_read_the_way_of_a_dispute_and_withdraw_their_own() {
    let house = House::start().await;
    let operator = token(&house, Role::Operator).await;
    let row = disputed(&house, "8842", "Eve").await;
    let path = format!("/api/v1/disputes/{}", row.id);
    let (status, told) = ask(&house, &operator, Method::GET, &path, Json::Null).await;
    assert_eq!((status, &told["id"], &told["state"]), (200, &json!(row.id), &json!("open")));
    assert_eq!((told["way"].as_array().unwrap().len(), &told["name"]), (1, &json!("8842")), "{told}");
    assert!(told["what"].as_str().unwrap().starts_with("Breached: "), "{told}");
    let (status, told) = ask(&house, &operator, Method::POST, &format!("{path}/withdraw"), json!({})).await;
    assert_eq!(status, 403, "another's: {told}");
    assert_eq!(state(&house, &row.id).await, DisputeState::Open);
    let own = disputed(&house, "8843", "a program that may operate").await;
    let path = format!("/api/v1/disputes/{}/withdraw", own.id);
    let (status, told) = ask(&house, &operator, Method::POST, &path, json!({ "why": "A mistake." })).await;
    assert_eq!((status, &told["state"]), (200, &json!("withdrawn")), "{told}");
    assert_eq!(ask(&house, &operator, Method::POST, &path, json!({})).await.0, 409, "it is over");
    assert_eq!(ask(&house, &operator, Method::GET, "/api/v1/disputes/x", Json::Null).await.0, 404);
}

#[tokio::test]
async fn programs_find_the_promises_that_wait_and_answer_them() {
    for house in House::both_at(at_work()).await {
        promises_of(&house).await;
    }
}

async fn promises_of(house: &House) {
    let (reader, operator) = (token(house, Role::Viewer).await, token(house, Role::Operator).await);
    let list = async |query: &str| {
        let path = format!("/api/v1/attestations?{query}");
        let (status, told) = ask(house, &operator, Method::GET, &path, Json::Null).await;
        assert_eq!(status, 200, "{told}");
        told["promises"].as_array().unwrap().clone()
    };
    let agreement = crate::house::agreement();
    let (promise, _) = attestation::attested(&agreement)[0];
    let all = list("").await;
    assert_eq!(list("waiting=true&connection=acme-hubspot").await, all, "nothing is answered yet");
    let named = |one: &&Json| one["commitment"] == promise.name && one["is_over"] == false;
    let first = all.iter().find(named).unwrap();
    assert_eq!((&first["by"], &first["to"]), (&json!(promise.by), &json!(promise.to)));
    assert_eq!((&first["answer"], &first["may_attest"]), (&Json::Null, &json!(true)));
    assert!(first["from"].as_str() < first["until"].as_str(), "{first}");
    assert_eq!(first["connections"].as_array().unwrap().len(), 3, "all that share the agreement");
    let said =
        json!({ "commitment": first["commitment"], "period": first["period"], "answer": false, "note": "Nobody met." });
    assert_eq!(ask(house, &operator, Method::POST, "/api/v1/attestations", said).await.0, 200);
    assert_eq!(list("waiting=true").await.len(), all.len() - 1);
    let last = list("").await.pop().unwrap();
    assert_eq!(
        (&last["commitment"], &last["period"]),
        (&first["commitment"], &first["period"]),
        "what waits comes first"
    );
    let answer = &last["answer"];
    assert_eq!((&answer["answer"], &answer["note"]), (&json!(false), &json!("Nobody met.")));
    assert_eq!(answer["by"], "a program that may operate");
    let (_, told) = ask(house, &reader, Method::GET, "/api/v1/attestations", Json::Null).await;
    assert!(told["promises"].as_array().unwrap().iter().all(|one| one["may_attest"] == false), "{told}");
    let (status, _) = ask(house, &reader, Method::GET, "/api/v1/attestations?connection=nobody", Json::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn programs_are_told_what_waits_for_somebody_as_the_first_page_tells_it() {
    let after_january = Timestamp::parse("2027-02-05T14:00:00Z").unwrap();
    for house in House::both_at(after_january).await {
        let (reader, operator) = (token(&house, Role::Viewer).await, token(&house, Role::Operator).await);
        let needs = async |query: &str| {
            let (status, told) =
                ask(&house, &operator, Method::GET, &format!("/api/v1/needs{query}"), Json::Null).await;
            assert_eq!(status, 200, "{told}");
            told["needs"].as_array().unwrap().clone()
        };
        let kinds = |needs: &[Json]| -> Vec<String> {
            needs.iter().map(|need| need["kind"].as_str().unwrap().to_owned()).collect()
        };
        let agreement = crate::house::agreement();
        let promised = attestation::attested(&agreement).len();
        let unattested = vec!["attest".to_owned(); promised];
        assert_eq!(kinds(&needs("").await), unattested, "of January");
        disputed(&house, "8842", "Eve").await;
        offer(&house, &[]).await;
        let pause = "/api/v1/connections/acme-hubspot/pause";
        assert_eq!(ask(&house, &operator, Method::POST, pause, json!({ "why": HOSTILE })).await.0, 200);
        let all = needs("?connection=acme-hubspot").await;
        let wanted =
            [vec!["paused".to_owned(), "dispute".to_owned()], unattested, vec!["unsigned".to_owned()]].concat();
        assert_eq!(kinds(&all), wanted);
        let page = house.text("/?connection=acme-hubspot").await;
        for need in &all {
            let leads_to = need["page"].as_str().unwrap();
            assert_eq!(house.get(leads_to).await.status(), 200, "{need}");
            assert!(need["kind"] == "attest" || page.contains(leads_to), "{need}");
        }
        assert_eq!(needs("?connection=acme-salesforce").await.len(), promised + 1, "the agreement is theirs too");
        let attest = &all.iter().find(|need| need["kind"] == "attest").unwrap()["attest"];
        assert_eq!((&attest["period"], &attest["may_attest"]), (&json!("2027-01"), &json!(true)));
        let (_, told) = ask(&house, &reader, Method::GET, "/api/v1/needs", Json::Null).await;
        assert_eq!(told["needs"][2]["attest"]["may_attest"], false, "{told}");
        let said = json!({ "commitment": attest["commitment"], "period": attest["period"], "answer": true });
        assert_eq!(ask(&house, &operator, Method::POST, "/api/v1/attestations", said).await.0, 200);
        assert_eq!(needs("").await.len(), all.len() - 1);
        assert_eq!(ask(&house, &reader, Method::GET, "/api/v1/needs?connection=nobody", Json::Null).await.0, 404);
    }
}
