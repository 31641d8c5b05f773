//! One record's page and what people do there, on both engines.

use crate::house::House;
use crate::openapi::{ask, token};
use leadpact::agreement::{Standing, Verdict, confirm};
use leadpact::engine::apply;
use leadpact::engine::clock::real_now;
use leadpact::record::field::well_known;
use leadpact::record::{
    Action, Actor, Ask, ConnectionName, Effect, EffectKey, Elapsed, Fact, FactKind, Object, Order, OwnerId, PartyName,
    RecordId, RecordKey, StageName, Timestamp, Value,
};
use leadpact::store::Priority;
use leadpact::store::dispute;
use leadpact::store::inbox;
use leadpact::store::journal::{self, JournalEntry};
use leadpact::store::lease;
use leadpact::store::role::Role;
use leadpact::store::standing::{self, StandingRow};
use reqwest::Method;
use serde_json::{Value as Json, json};

const NINE: &str = "2026-11-02T14:00:00Z";
const SCRIPT: &str = "<script>alert(1)</script>";
const ACCEPT: &str = "Accept or reject";
const PAGE: &str = "/records/acme-hubspot/lead/7001";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn key(id: &str) -> RecordKey {
    RecordKey { connection: ConnectionName::new("acme-hubspot"), object: Object::Lead, id: RecordId::new(id) }
}

fn fact(kind: FactKind, item: &str, detail: Json) -> Fact {
    Fact {
        kind,
        at: at(NINE),
        pass: 1,
        source: ACCEPT.into(),
        run: 1,
        item: item.into(),
        party: Some(PartyName::new("teleprospecting")),
        owner: Some(OwnerId::new("7020")),
        stage: None,
        by: Actor::Leadpact,
        detail: detail.as_object().cloned().unwrap_or_default(),
    }
}

/// A lead that was breached and recycled.
async fn lead(house: &House, id: &str) {
    let mut standing = Standing::new(key(id));
    standing.fields.set(well_known().name, Value::text(SCRIPT), at(NINE));
    standing.fields.set(well_known().owner, Value::text("7021"), at(NINE));
    (standing.stage, standing.pass) = (Some(StageName::new("mql")), 1);
    // Nothing is asked of the CRM again.
    standing.reading = true;
    let row = StandingRow {
        key: key(id),
        stage: standing.stage.clone(),
        owner: standing.owner(),
        party: None,
        name: SCRIPT.to_owned(),
        wake_at: None,
        state: serde_json::to_string(&standing).unwrap(),
        updated: at(NINE),
    };
    let terms = json!([
        { "text": "stage == \"mql\"", "seen": SCRIPT, "held": true },
        { "text": "touches > 0", "seen": "nothing", "held": false },
    ]);
    let moved = before(json!({ "from": "7020", "to": "7021" }));
    let facts = [
        fact(FactKind::ClockStarted, "", json!({ "deadline": at(NINE).as_millis() })),
        fact(FactKind::Breached, "", json!({ "terms": terms })),
        fact(FactKind::Recycled, "the-move", moved),
    ];
    let entries =
        facts.map(|fact| JournalEntry { record: Some(key(id)), fact, seen_at: at(NINE), agreement: "h".into() });
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    journal::append(&mut tx, &key(id).connection, &entries).await.unwrap();
    tx.commit().await.unwrap();
}

/// With the values that stood there before as the journal writes them.
fn before(mut detail: Json) -> Json {
    let values: leadpact::record::change::FieldValues = [(well_known().owner, Value::text("7020"))].into();
    detail["before"] = serde_json::to_value(&values).unwrap();
    detail
}

async fn orders(house: &House) -> Vec<Order> {
    let bodies = inbox::orders(&house.db, &key("").connection, 10).await.unwrap();
    bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

promise!(the_page_shows_the_story_as_a_picture_and_as_a_list_with_what_was_seen, |house| {
    lead(&house, "7001").await;
    for view in ["", "?show=week", "?show=day", "?show=%3Cscript%3E", "?done=%3Cscript%3E"] {
        let page = house.text(&format!("{PAGE}{view}")).await;
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(page.contains("<svg class=\"lanes\"") && !page.contains(" style=\""), "{page}");
    }
    let page = house.text(PAGE).await;
    assert!(!page.lines().any(|line| line.contains("hx-get") && line.contains("#story\" hx-select")), "{page}");
    assert!(page.contains("lanes-overdue") && page.contains("lanes-deadline"), "{page}");
    assert!(page.contains("Why: 1 of 2 terms held") && page.contains("✓") && page.contains("✗"), "{page}");
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    journal::erase(&mut tx, &key("7001")).await.unwrap();
    tx.commit().await.unwrap();
    let page = house.text(PAGE).await;
    assert!(page.contains("were erased") && !page.contains("Why: "), "{page}");
});

/// Stores a record with these fields.
async fn kin(house: &House, object: Object, id: &str, fields: &[(leadpact::record::FieldName, Value)]) {
    let key = RecordKey { object, ..key(id) };
    let mut standing = Standing::new(key.clone());
    for (name, value) in fields {
        standing.fields.set(*name, value.clone(), at(NINE));
    }
    let name = standing.name().to_owned();
    let state = serde_json::to_string(&standing).unwrap();
    let row = StandingRow { key, stage: None, owner: None, party: None, name, wake_at: None, state, updated: at(NINE) };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
}

promise!(a_lead_and_its_opportunities_lead_to_each_other_where_they_are_known, |house| {
    let w = well_known();
    let text = |text: &str| Value::text(text);
    // HubSpot's deals name their leads; Salesforce's opportunities do not, only the lead names what it became.
    kin(&house, Object::Lead, "71", &[(w.opportunity, text("91")), (w.opportunities, text(";91;99;"))]).await;
    kin(&house, Object::Opportunity, "91", &[(w.name, text(SCRIPT)), (w.lead, text("71"))]).await;
    kin(&house, Object::Lead, "72", &[(w.name, text("Amy Ng")), (w.opportunity, text("92"))]).await;
    kin(&house, Object::Opportunity, "92", &[(w.created, Value::Time(at(NINE)))]).await;
    let made = Fact { source: "".into(), ..fact(FactKind::Converted, "", json!({})) };
    let entry = JournalEntry { record: Some(key("72")), fact: made, seen_at: at(NINE), agreement: "h".into() };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    journal::append(&mut tx, &key("").connection, &[entry]).await.unwrap();
    tx.commit().await.unwrap();
    let lead = house.text("/records/acme-hubspot/lead/71").await;
    assert!(
        lead.contains("its opportunity <a href=\"/records/acme-hubspot/opportunity/91\">&#60;script&#62;"),
        "{lead}"
    );
    assert!(lead.contains("its opportunity 99"), "one that nobody told of has no page: {lead}");
    let deal = house.text("/records/acme-hubspot/opportunity/91").await;
    assert!(deal.contains("its lead <a href=\"/records/acme-hubspot/lead/71\">71</a>"), "{deal}");
    let deal = house.text("/records/acme-hubspot/opportunity/92").await;
    assert!(deal.contains("its lead <a href=\"/records/acme-hubspot/lead/72\">Amy Ng</a>"), "{deal}");
});

/// Whoever works the connection takes what lies in its inbox.
async fn applied(house: &House) {
    let site = house.engine.site("acme-hubspot").unwrap();
    let name = site.name().clone();
    let lease = lease::take(&house.db, &name, "t", real_now(), Elapsed::from_secs(60)).await.unwrap().unwrap();
    let mark = inbox::mark(&house.db, &name).await.unwrap().unwrap();
    apply::step(&house.engine, &site, &lease, &mark).await.unwrap();
}

promise!(a_viewer_sees_no_button_and_can_do_nothing, |house| {
    lead(&house, "7001").await;
    let viewer = house.person(Role::Viewer).await;
    let page = house.get_as(&viewer, PAGE).await.text().await.unwrap();
    assert!(page.contains("Story") && !page.contains("<h2>Act</h2>"), "{page}");
    for what in ["dispute", "undo", "exclude", "include"] {
        for path in [format!("{PAGE}/{what}"), format!("/api/v1{PAGE}/{what}")] {
            let done = house.post_as(&viewer, &path, &[("why", "because")]).await;
            assert_eq!(done.status(), 403, "{path}");
        }
    }
    assert!(orders(&house).await.is_empty());
});

promise!(a_breach_is_disputed_once_in_the_name_of_who_is_signed_in, |house| {
    lead(&house, "7001").await;
    let operator = house.person(Role::Operator).await;
    let breach = format!("1/{ACCEPT}/1/breached/@{}", at(NINE).as_millis());
    let form = [("fact", breach.as_str()), ("why", SCRIPT)];
    let path = format!("{PAGE}/dispute");
    assert_eq!(house.post_as(&operator, &path, &[("fact", breach.as_str()), ("why", " ")]).await.status(), 409);
    assert_eq!(house.post_as(&operator, &path, &[("fact", "1/x/1/met/"), ("why", "x")]).await.status(), 409);
    let done = house.post_as(&operator, &path, &form).await;
    assert_eq!(done.status(), 303);
    assert_eq!(done.headers()["location"], format!("{PAGE}?done=dispute"));
    assert_eq!(house.post_as(&operator, &path, &form).await.status(), 409, "once");
    let rows = dispute::of_record(&house.db, &key("7001")).await.unwrap();
    assert_eq!((rows.len(), rows[0].by.as_str(), rows[0].why.as_str()), (1, "The operator", SCRIPT));
    let page = house.text(&format!("{PAGE}?done=dispute")).await;
    assert!(page.contains("Disputed. Those who decide") && page.contains("The operator"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("Dispute a breach"), "{page}");
});

promise!(an_excluded_lead_is_not_recycled_afterwards, |house| {
    lead(&house, "7001").await;
    let operator = house.person(Role::Operator).await;
    let path = format!("{PAGE}/exclude");
    for wrong in [("until", "2001-01-01T09:00"), ("until", "soon"), ("why", "")] {
        let form = [("why", "our largest customer"), wrong];
        let form = if wrong.0 == "why" { &form[1..] } else { &form[..] };
        assert_eq!(house.post_as(&operator, &path, form).await.status(), 409, "{wrong:?}");
    }
    let done = house.post_as(&operator, &path, &[("why", "our largest customer"), ("until", "")]).await;
    assert_eq!(done.status(), 303);
    let page = house.text(PAGE).await;
    assert!(page.contains("An order of The operator waits in the inbox: leave it alone for good"), "{page}");
    applied(&house).await;
    let site = house.engine.site("acme-hubspot").unwrap();
    let json = standing::load_one(&house.db, &key("7001")).await.unwrap().unwrap();
    let mut standing: Standing = serde_json::from_str(&json).unwrap();
    let clock = site.agreement.clock_named(ACCEPT).unwrap();
    let now = house.engine.clock.now();
    let run: leadpact::agreement::standing::Run = serde_json::from_value(json!({
        "clock": clock.name, "number": 1, "started": 0, "deadline": 1, "paused": null, "breached": 1, "ended": null,
        "touches_before": null, "spared": null, "silent": false, "steps": [],
    }))
    .unwrap();
    standing.runs = vec![run];
    let effect = Effect {
        key: EffectKey::new("k"),
        record: key("7001"),
        action: Action::Recycle { to: PartyName::new("marketing"), set: Default::default() },
        source: clock.name.clone(),
        pass: standing.pass,
        run: 1,
        step: "due".into(),
        at: Timestamp::from_millis(2),
        not_before: Timestamp::from_millis(2),
        deadline: None,
    };
    let verdict = confirm(&site.agreement, &standing, &effect, now);
    assert_eq!(verdict, Verdict::Drop("left alone by order of The operator".to_owned()));
    let page = house.text(PAGE).await;
    assert!(page.contains("leadpact leaves it alone for good, asked by The operator: our largest customer"), "{page}");
    assert!(page.contains("/include\"") && !page.contains("waits in the inbox"), "{page}");
});

promise!(the_last_move_is_undone_as_the_command_does_it, |house| {
    lead(&house, "7001").await;
    let operator = house.person(Role::Operator).await;
    let path = format!("{PAGE}/undo");
    let other = [("effect", "another-move"), ("why", "too soon")];
    assert_eq!(house.post_as(&operator, &path, &other).await.status(), 409);
    let done = house.post_as(&operator, &path, &[("effect", "the-move"), ("why", "too soon")]).await;
    assert_eq!(done.status(), 303);
    let order = orders(&house).await.pop().unwrap();
    assert_eq!(order.by, "The operator");
    let Ask::Undo { effect, values, why } = order.ask else { panic!("{order:?}") };
    assert_eq!((effect.as_str(), why.as_str()), ("the-move", "too soon"));
    assert_eq!(values, [(well_known().owner, Value::text("7020"))]);
});

promise!(ids_with_odd_characters_have_pages_and_buttons_like_any_other, |house| {
    let id = "a/b c?d#\"<e>%41";
    lead(&house, id).await;
    let path = "/records/acme-hubspot/lead/a%2Fb%20c%3Fd%23%22%3Ce%3E%2541";
    let page = house.text(path).await;
    assert!(page.contains(&format!("action=\"{path}/exclude\"")), "{page}");
    let operator = house.person(Role::Operator).await;
    let done = house.post_as(&operator, &format!("{path}/exclude"), &[("why", "x")]).await;
    assert_eq!(done.headers()["location"], format!("{path}?done=exclude"));
    assert_eq!(orders(&house).await[0].id, RecordId::new(id));
});

promise!(programs_do_the_same_and_hear_why_not, |house| {
    lead(&house, "7001").await;
    let operator = house.person(Role::Operator).await;
    let post = async |path: &str, body: Json| {
        let request = house.as_nobody(reqwest::Method::POST, &format!("/api/v1{path}"));
        let request = request.header("Cookie", operator.cookie()).header("X-CSRF-Token", operator.csrf());
        let response = request.header("Sec-Fetch-Site", "same-origin").json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Json>().await.unwrap_or_default())
    };
    let breach = format!("1/{ACCEPT}/1/breached/");
    let (status, answer) = post(&format!("{PAGE}/dispute"), json!({ "fact": breach, "why": "we called" })).await;
    assert_eq!(status, 201, "{answer}");
    let (status, answer) = post(&format!("{PAGE}/dispute"), json!({ "fact": breach, "why": "again" })).await;
    assert!(status == 409 && answer["error"].as_str().unwrap().contains("disputed already"), "{answer}");
    assert_eq!(post(&format!("{PAGE}/exclude"), json!({ "why": "x", "until": "2h" })).await.0, 202);
    assert_eq!(post(&format!("{PAGE}/include"), json!({})).await.0, 202);
    assert_eq!(post(&format!("{PAGE}/undo"), json!({ "why": "x" })).await.0, 202);
    assert_eq!(post("/records/acme-hubspot/lead/7009/undo", json!({ "why": "x" })).await.0, 404);
    assert_eq!(orders(&house).await.len(), 3);
});

promise!(what_is_offered_about_a_record_is_taken_as_it_was_offered, |house| {
    lead(&house, "7001").await;
    let operator = token(&house, Role::Operator).await;
    let (story, offers) = (format!("/api/v1{PAGE}"), format!("/api/v1{PAGE}/offers"));
    let get = async |path: &str| {
        let (status, told) = ask(&house, &operator, Method::GET, path, Json::Null).await;
        assert_eq!(status, 200, "{told}");
        told
    };
    let order = async |what: &str, body: Json| {
        ask(&house, &operator, Method::POST, &format!("/api/v1{PAGE}/{what}"), body).await.0
    };
    let offered = get(&offers).await;
    let fact = &offered["dispute"][0];
    assert_eq!((offered["dispute"].as_array().unwrap().len(), &fact["kind"]), (1, &json!("breached")), "{offered}");
    assert!(fact["what"].as_str().unwrap().contains(ACCEPT), "{fact}");
    let undo = &offered["undo"];
    assert_eq!((&undo["effect"], &undo["from"], &undo["to"]), (&json!("the-move"), &json!("7020"), &json!("7021")));
    assert_eq!(offered["include"], false);
    assert_eq!(order("dispute", json!({ "fact": fact["fact"], "why": "we called" })).await, 201);
    assert_eq!(order("undo", json!({ "effect": "another", "why": "x" })).await, 409);
    assert_eq!(order("undo", json!({ "effect": undo["effect"], "why": "too soon" })).await, 202);
    assert_eq!(order("exclude", json!({ "why": "a guest" })).await, 202);
    assert_eq!(get(&offers).await["dispute"], json!([]), "once");
    let told = get(&story).await;
    let waits: Vec<&Json> = told["orders"].as_array().unwrap().iter().map(|one| &one["order"]).collect();
    assert_eq!(waits, ["undo", "exclude"], "{told}");
    assert_eq!((&told["orders"][1]["why"], &told["excluded"]), (&json!("a guest"), &Json::Null), "not in its turn yet");
    assert_eq!((&told["disputes"][0]["state"], &told["disputes"][0]["why"]), (&json!("open"), &json!("we called")));
    assert!(told["timeline"].as_array().unwrap().iter().all(|fact| !fact["what"].as_str().unwrap().is_empty()));
    applied(&house).await;
    let told = get(&story).await;
    assert_eq!((&told["orders"], &told["excluded"]["why"]), (&json!([]), &json!("a guest")), "{told}");
    assert_eq!(get(&offers).await["include"], true);
    let (status, _) =
        ask(&house, &operator, Method::GET, "/api/v1/records/acme-hubspot/lead/7009/offers", Json::Null).await;
    assert_eq!(status, 404);
});

promise!(programs_are_told_a_leads_opportunities_and_what_is_known_of_them, |house| {
    let w = well_known();
    let text = |text: &str| Value::text(text);
    kin(&house, Object::Lead, "71", &[(w.opportunity, text("91")), (w.opportunities, text(";91;99;"))]).await;
    kin(&house, Object::Opportunity, "91", &[(w.name, text(SCRIPT)), (w.lead, text("71"))]).await;
    let reader = token(&house, Role::Viewer).await;
    let (_, told) = ask(&house, &reader, Method::GET, "/api/v1/records/acme-hubspot/lead/71", Json::Null).await;
    let related = |i: usize| {
        let one = &told["related"][i];
        (&one["record"]["object"], &one["record"]["id"], &one["record"]["name"], &one["known"])
    };
    let object = json!("opportunity");
    assert_eq!(related(0), (&object, &json!("91"), &json!(SCRIPT), &json!(true)));
    assert_eq!(related(1), (&object, &json!("99"), &json!("99"), &json!(false)));
});
