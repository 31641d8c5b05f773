//! Deliveries from outside: what was given up, listed first, tried again once, dropped with a reason.

use crate::house::House;
use crate::openapi::{ask, token};
use leadpact::engine::clock::real_now;
use leadpact::engine::replay;
use leadpact::record::{
    Action, ConnectionName, Effect, EffectKey, FactKind, Object, Recipient, RecordId, RecordKey, Timestamp,
    effect::Notice,
};
use leadpact::store::inbox::{self, Kind, NewDelivery};
use leadpact::store::role::Role;
use leadpact::store::standing::{self, StandingRow};
use leadpact::store::{Priority, journal, outbox};
use reqwest::Method;
use serde_json::{Value as Json, json};

/// What somebody might write into a CRM's field to make a page do their bidding.
pub const HOSTILE: [&str; 25] = [
    "<script>alert(1)</script>",
    "\"><script>alert(2)</script>",
    "'><img src=x onerror=alert(3)>",
    "<svg onload=alert(4)>",
    "</title><script>alert(5)</script>",
    "</textarea><script>alert(6)</script>",
    "</pre><script>alert(7)</script>",
    "</code><iframe src=javascript:alert(8)>",
    "\" onmouseover=\"alert(9)",
    "' onfocus='alert(10)' autofocus='",
    "<a href=\"javascript:alert(11)\">x</a>",
    "<body onload=alert(12)>",
    "<math><mi xlink:href=\"data:x,<script>alert(13)</script>\">",
    "<style>@import 'javascript:alert(14)'</style>",
    "<link rel=stylesheet href=//evil.example/15>",
    "<meta http-equiv=refresh content=0;url=//evil.example/16>",
    "<base href=//evil.example/17>",
    "<form action=//evil.example/18><button>",
    "<div hx-get=//evil.example/19 hx-trigger=load>",
    "--><script>alert(20)</script><!--",
    "]]><script>alert(21)</script>",
    "<scr<script>ipt>alert(22)</script>",
    "&lt;script&gt;alert(23)&lt;/script&gt;<b>",
    "{{7*7}}<x onclick=alert(24)>",
    "\u{202e}<video><source onerror=alert(25)>",
];

fn name() -> ConnectionName {
    ConnectionName::new("acme-hubspot")
}

fn key(id: &str) -> RecordKey {
    RecordKey { connection: name(), object: Object::Lead, id: RecordId::new(id) }
}

fn notice(id: &str, n: u32) -> Effect {
    Effect {
        key: EffectKey::new(format!("acme-hubspot/lead/{id}/1/Accept or reject/1/step{n}/notify/owner")),
        record: key(id),
        action: Action::Notify { to: Recipient::Slack("#sales".into()), notice: Notice::Breach },
        source: "Accept or reject".into(),
        pass: 1,
        run: 1,
        step: "late".into(),
        at: Timestamp::from_millis(1_000),
        not_before: Timestamp::from_millis(1_000),
        deadline: None,
    }
}

/// A lead of this name with one effect that was given up for this reason.
async fn parked(house: &House, id: &str, called: &str, error: &str, at: Timestamp) -> Effect {
    let effect = notice(id, 1);
    let row = StandingRow {
        key: key(id),
        stage: None,
        owner: None,
        party: None,
        name: called.to_owned(),
        wake_at: None,
        state: "{}".to_owned(),
        updated: at,
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    outbox::add(&mut tx, std::slice::from_ref(&effect), at).await.unwrap();
    assert!(outbox::park(&mut tx, &name(), &effect.key, error, at).await.unwrap());
    tx.commit().await.unwrap();
    effect
}

async fn state(house: &House, effect: &Effect) -> String {
    outbox::get(&house.db, &name(), &effect.key).await.unwrap().unwrap().0
}

/// The address of the first thing of the list.
async fn first(house: &House, address: &str) -> String {
    let page: Json = house.get(address).await.json().await.unwrap();
    format!("/deliveries/{}", page["deliveries"][0]["id"].as_str().unwrap_or_else(|| panic!("{page}")))
}

async fn facts(house: &House, kind: FactKind) -> Vec<journal::JournalRow> {
    let rows = journal::recent(&house.db, &name(), 0, 1_000).await.unwrap();
    rows.into_iter().filter(|row| row.entry.fact.kind == kind).collect()
}

#[tokio::test]
async fn what_was_given_up_is_due_again_once_however_often_it_is_asked_for() {
    let house = House::start().await;
    let effect = parked(&house, "7001", "Jonas Berg", "the channel is gone", real_now()).await;
    let one = first(&house, "/api/v1/deliveries").await;
    let operator = house.person(Role::Operator).await;
    for expected in ["replayed", "nothing"] {
        let done = house.post_as(&operator, &format!("{one}/replay"), &[("why", "channel made anew")]).await;
        assert_eq!(done.status(), 303);
        assert!(done.headers()["location"].to_str().unwrap().ends_with(&format!("?done={expected}")));
    }
    assert_eq!(state(&house, &effect).await, "due");
    let told = facts(&house, FactKind::Replayed).await;
    assert_eq!(told.len(), 1, "who has it tried again is journalled once");
    let detail = &told[0].entry.fact.detail;
    assert_eq!((detail["by"].as_str(), detail["why"].as_str()), (Some("The operator"), Some("channel made anew")));
    assert_eq!(told[0].entry.record, Some(key("7001")));
    assert!(
        house.text(&one).await.contains("To be tried again: tell somebody, by The operator, since channel made anew")
    );
}

#[tokio::test]
async fn a_viewer_sees_it_and_changes_nothing() {
    let house = House::start().await;
    let effect = parked(&house, "7001", "Jonas Berg", "refused", real_now()).await;
    let one = first(&house, "/api/v1/deliveries").await;
    let viewer = house.person(Role::Viewer).await;
    let page = house.get_as(&viewer, &one).await.text().await.unwrap();
    assert!(page.contains("Jonas Berg") && !page.contains("/replay"), "{page}");
    for act in ["replay", "drop"] {
        assert_eq!(house.post_as(&viewer, &format!("{one}/{act}"), &[("why", "x")]).await.status(), 403);
    }
    let window = [("connection", "acme-hubspot"), ("from", "1970-01-01T00:00"), ("until", "2100-01-01T00:00")];
    assert_eq!(house.post_as(&viewer, "/deliveries/window", &window).await.status(), 403);
    assert_eq!(state(&house, &effect).await, "parked");
}

#[tokio::test]
async fn what_a_notice_says_is_shown_as_plain_text() {
    let house = House::start().await;
    let effect = parked(&house, "7001", "ignored", "refused", real_now()).await;
    let mut standing = leadpact::agreement::Standing::new(key("7001"));
    let name = leadpact::record::Value::text("Jonas <b>Berg</b>");
    standing.fields.set(leadpact::record::field::well_known().name, name, real_now());
    let state = serde_json::to_string(&standing).unwrap();
    let (key, name) = (key("7001"), "Jonas".to_owned());
    let row =
        StandingRow { key, stage: None, owner: None, party: None, name, wake_at: None, state, updated: real_now() };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
    let page = house.text(&first(&house, "/api/v1/deliveries").await).await;
    let (_, says) = page.split_once("<h2>What it says</h2>").unwrap_or_else(|| panic!("{page}"));
    let says = says.split_once("</section>").unwrap().0;
    assert!(says.contains("Jonas &#60;b&#62;Berg&#60;/b&#62;") && says.contains(&*effect.source), "{says}");
    assert!(!page.contains("<b>Berg"), "{page}");
}

#[tokio::test]
async fn it_is_dropped_only_with_a_reason_which_is_kept() {
    let house = House::start().await;
    let effect = parked(&house, "7001", "Jonas Berg", "refused", real_now()).await;
    let one = first(&house, "/api/v1/deliveries").await;
    let operator = house.person(Role::Operator).await;
    assert_eq!(house.post_as(&operator, &format!("{one}/drop"), &[("why", "  ")]).await.status(), 422);
    assert_eq!(state(&house, &effect).await, "parked");
    assert_eq!(house.post_as(&operator, &format!("{one}/drop"), &[("why", "he left")]).await.status(), 303);
    assert_eq!(state(&house, &effect).await, "dropped");
    assert!(house.text(&one).await.contains("given up by The operator: he left"));
    assert_eq!(facts(&house, FactKind::Discarded).await.len(), 1);
}

#[tokio::test]
async fn a_stretch_of_time_is_counted_before_it_is_tried_again() {
    let house = House::start().await;
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let inside = parked(&house, "7001", "A", "down", at("2027-01-05T14:00:00Z")).await;
    let outside = parked(&house, "7002", "B", "down", at("2027-01-05T16:00:00Z")).await;
    let operator = house.person(Role::Operator).await;
    // 09:00 in New York is 14:00 UTC.
    let window = [("connection", "acme-hubspot"), ("from", "2027-01-05T09:00"), ("until", "2027-01-05T10:00")];
    let query: Vec<String> = window.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let page = house.get_as(&operator, &format!("/deliveries/window?{}", query.join("&"))).await.text().await.unwrap();
    assert!(page.contains("Try 1 again"), "{page}");
    assert_eq!(state(&house, &inside).await, "parked", "looking changes nothing");
    assert_eq!(house.post_as(&operator, "/deliveries/window", &window).await.status(), 303);
    assert_eq!((state(&house, &inside).await, state(&house, &outside).await), ("due".into(), "parked".into()));
}

#[tokio::test]
async fn a_parked_delivery_is_received_again_and_shows_no_secret() {
    let house = House::start().await;
    let row = NewDelivery {
        connection: name(),
        delivery_id: None,
        kind: Kind::Delivery,
        body: r#"{"access_token":"t0ps3cret","note":"</pre><script>alert(1)</script>"}"#.to_owned(),
        received_at: real_now(),
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    inbox::insert_all(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
    let id = house.inbox("acme-hubspot").await[0].id.clone();
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    inbox::park(&mut tx, &name(), &id, "no events").await.unwrap();
    tx.commit().await.unwrap();
    let one = first(&house, "/api/v1/deliveries?tab=inbox").await;
    let page = house.text(&one).await;
    assert!(!page.contains("t0ps3cret") && !page.contains("<script>alert"), "{page}");
    assert!(page.contains("(hidden)"));
    let operator = house.person(Role::Operator).await;
    house.post_as(&operator, &format!("{one}/replay"), &[("why", "")]).await;
    let received = house.inbox("acme-hubspot").await;
    assert_eq!((received.len(), received[0].attempts), (1, 0));
}

#[tokio::test]
async fn a_page_stays_what_it_was_while_rows_arrive() {
    let house = House::start().await;
    for n in 0..6 {
        parked(&house, &format!("71{n:02}"), &format!("Lead {n}"), "down", Timestamp::from_millis(10_000 + n)).await;
    }
    let page: Json = house.get("/api/v1/deliveries?limit=3").await.json().await.unwrap();
    parked(&house, "7200", "Late", "down", Timestamp::from_millis(99_000)).await;
    let next = page["next"].as_str().unwrap();
    let rest: Json = house.get(&format!("/api/v1/deliveries?limit=3&after={next}")).await.json().await.unwrap();
    let names = |page: &Json| {
        let rows = page["deliveries"].as_array().unwrap().clone();
        rows.iter().map(|row| row["record"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&page), ["Lead 5", "Lead 4", "Lead 3"]);
    assert_eq!(names(&rest), ["Lead 2", "Lead 1", "Lead 0"]);
    assert!(rest["next"].is_null());
}

#[tokio::test]
async fn what_is_given_up_comes_first_and_filters_find_a_record_by_name() {
    let house = House::start().await;
    parked(&house, "7001", "Jonas Berg", "down", Timestamp::from_millis(5)).await;
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    outbox::add(&mut tx, &[notice("7002", 1), notice("7001", 2)], Timestamp::from_millis(900_000)).await.unwrap();
    tx.commit().await.unwrap();
    let all: Json = house.get("/api/v1/deliveries").await.json().await.unwrap();
    assert_eq!(all["deliveries"].as_array().unwrap().len(), 3);
    assert_eq!(all["deliveries"][0]["state"], "parked");
    let his: Json = house.get("/api/v1/deliveries?record=jonas%20BERG&state=due").await.json().await.unwrap();
    assert_eq!(his["deliveries"].as_array().unwrap().len(), 1, "{his}");
    assert_eq!(his["deliveries"][0]["record"]["id"], "7001");
    assert_eq!(house.get("/deliveries?state=nonsense").await.status(), 400);
    assert_eq!(house.get("/deliveries?after=bm9uc2Vuc2U").await.status(), 400);
}

#[tokio::test]
async fn what_crms_say_cannot_become_markup() {
    let house = House::start().await;
    for (n, text) in HOSTILE.iter().enumerate() {
        parked(&house, &format!("{n}\"><x {text}"), text, text, Timestamp::from_millis(n as i64)).await;
    }
    let list: Json = house.get("/api/v1/deliveries").await.json().await.unwrap();
    let mut pages = vec![house.text("/deliveries").await, house.text("/deliveries?record=%3Cscript%3E").await];
    for row in list["deliveries"].as_array().unwrap() {
        pages.push(house.text(&format!("/deliveries/{}", row["id"].as_str().unwrap())).await);
    }
    assert_eq!(pages.len(), 27);
    for page in pages {
        harmless(&page);
    }
}

/// Nothing of a hostile text is an element or an attribute.
pub fn harmless(page: &str) {
    let body = page.split_once("<main").unwrap().1;
    for bad in ["<script", "<img", "<svg", "<iframe", "<body", "<math", "<style", "<link", "<meta", "<base", "<video"] {
        assert!(!body.contains(bad), "{bad}: {body}");
    }
    for bad in ["evil.example/18><", "\" onmouseover", "' onfocus='", "<div hx-get=//", "<x ", "href=\"javascript:"] {
        assert!(!body.contains(bad), "{bad}: {body}");
    }
}

#[tokio::test]
async fn a_program_may_replay_with_a_token_that_operates() {
    let house = House::start().await;
    let effect = parked(&house, "7001", "Jonas Berg", "down", real_now()).await;
    let page: Json = house.get("/api/v1/deliveries").await.json().await.unwrap();
    let path = format!("/api/v1/deliveries/{}/replay", page["deliveries"][0]["id"].as_str().unwrap());
    let operator = house.person(Role::Operator).await;
    let request = house.as_nobody(reqwest::Method::POST, &path).header("Cookie", operator.cookie());
    let done = request.header("X-CSRF-Token", operator.csrf()).header("Sec-Fetch-Site", "same-origin").send().await;
    let answer: Json = done.unwrap().json().await.unwrap();
    assert_eq!(answer["replayed"], true, "{answer}");
    assert_eq!(state(&house, &effect).await, "due");
}

#[tokio::test]
async fn a_task_that_was_sent_before_is_in_doubt_until_it_was_looked_for() {
    let house = House::start().await;
    let mut task = notice("7001", 1);
    task.action = Action::Task { title: "Call".into() };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    outbox::add(&mut tx, std::slice::from_ref(&task), Timestamp::from_millis(1)).await.unwrap();
    let intent = [(task.key.clone(), "{}".to_owned())];
    outbox::mark_sending(&mut tx, &name(), &intent, Timestamp::from_millis(2)).await.unwrap();
    outbox::park(&mut tx, &name(), &task.key, "unknown whether it was made", Timestamp::from_millis(3)).await.unwrap();
    tx.commit().await.unwrap();
    let site = house.engine.site("acme-hubspot").unwrap();
    let chain = (name(), site.agreement.hash.to_string());
    let said = replay::Said { by: "Ada".into(), why: String::new() };
    let thing = replay::Thing::Effect(task.key.clone());
    assert!(replay::replay(&house.db, &chain, &thing, &said, Timestamp::from_millis(4)).await.unwrap());
    assert_eq!(state(&house, &task).await, "sending");
}

#[tokio::test]
async fn programs_see_a_body_without_what_lets_somebody_in_and_give_things_up() {
    let house = House::start().await;
    let operator = token(&house, Role::Operator).await;
    let effect = parked(&house, "7001", "Jonas Berg", "down", real_now()).await;
    let body = r#"[{"access_token": "t0p-secret", "objectId": 7}]"#.to_owned();
    let row =
        NewDelivery { connection: name(), delivery_id: None, kind: Kind::Delivery, body, received_at: real_now() };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    inbox::insert_all(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
    let ids = async |tab: &str| {
        let page: Json = house.get(&format!("/api/v1/deliveries?tab={tab}")).await.json().await.unwrap();
        page["deliveries"][0]["id"].as_str().unwrap().to_owned()
    };
    let (out, received) = (ids("outbox").await, ids("inbox").await);
    let one =
        async |id: &str| ask(&house, &operator, Method::GET, &format!("/api/v1/deliveries/{id}"), Json::Null).await;
    let (status, told) = one(&received).await;
    assert_eq!((status, told["bodies"].as_array().unwrap().len()), (200, 1), "{told}");
    assert!(!told.to_string().contains("t0p-secret") && told.to_string().contains("(hidden)"), "{told}");
    let drop = format!("/api/v1/deliveries/{out}/drop");
    let (status, told) = ask(&house, &operator, Method::POST, &drop, json!({ "why": " " })).await;
    assert_eq!(status, 409, "without a reason: {told}");
    let (status, told) = ask(&house, &operator, Method::POST, &drop, json!({ "why": "No such channel." })).await;
    assert_eq!((status, told), (200, json!({ "dropped": true })));
    assert_eq!(state(&house, &effect).await, "dropped");
    let (_, told) = ask(&house, &operator, Method::POST, &drop, json!({ "why": "Again." })).await;
    assert_eq!(told, json!({ "dropped": false }));
    let (_, told) = one(&out).await;
    assert_eq!(told["course"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(one("nonsense").await.0, 404);
    let reader = token(&house, Role::Viewer).await;
    assert_eq!(ask(&house, &reader, Method::POST, &drop, json!({ "why": "x" })).await.0, 403);
}

#[tokio::test]
async fn programs_replay_a_stretch_of_time_and_count_it_first() {
    let house = House::start().await;
    let operator = token(&house, Role::Operator).await;
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let inside = parked(&house, "1", "A", "down", at("2027-01-05T10:00:00Z")).await;
    let before = parked(&house, "2", "B", "down", at("2027-01-05T08:59:59Z")).await;
    let replay = async |change: (&str, Json)| {
        let mut body = json!({
            "connection": "acme-hubspot", "from": "2027-01-05T09:00:00Z", "until": "2027-01-05T11:00:00Z",
        });
        body[change.0] = change.1;
        ask(&house, &operator, Method::POST, "/api/v1/deliveries/replay", body).await
    };
    let (status, told) = replay(("dry_run", json!(true))).await;
    assert_eq!((status, told), (200, json!({ "replayed": false, "effects": 1, "received": 0 })));
    assert_eq!(state(&house, &inside).await, "parked", "it was only counted");
    let (_, told) = replay(("why", json!("The channel is back."))).await;
    assert_eq!(told, json!({ "replayed": true, "effects": 1, "received": 0 }));
    assert_eq!((state(&house, &inside).await, state(&house, &before).await), ("due".into(), "parked".into()));
    assert_eq!(replay(("until", json!("2027-01-05T09:00:00Z"))).await.0, 409);
    assert_eq!(replay(("until", json!("tomorrow"))).await.0, 400);
    assert_eq!(replay(("connection", json!("nobody"))).await.0, 404);
}

#[tokio::test]
async fn nothing_in_a_list_has_the_state_of_another_list() {
    let house = House::start().await;
    parked(&house, "7001", "Jonas Berg", "down", real_now()).await;
    for query in ["tab=outbox&state=received", "tab=letters&state=parked", "tab=inbox&sort=write"] {
        let told: Json = house.get(&format!("/api/v1/deliveries?{query}")).await.json().await.unwrap();
        assert_eq!(told["deliveries"], json!([]), "{query}");
    }
}
