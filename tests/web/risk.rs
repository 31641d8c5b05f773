//! The list of open clocks and the search for records, on both engines.

use crate::house::House;
use crate::openapi::{ask, token};
use leadpact::agreement::Standing;
use leadpact::agreement::standing::{Run, StepRun, StepState};
use leadpact::record::field::well_known;
use leadpact::record::{
    ConnectionName, Elapsed, Object, OwnerId, PartyName, RecordId, RecordKey, StageName, Timestamp, Value,
};
use leadpact::store::Priority;
use leadpact::store::clock::{self, ClockRow, ClockState};
use leadpact::store::role::Role;
use leadpact::store::standing::{self, StandingRow};
use serde_json::Value as Json;

const ACCEPT: &str = "Accept or reject";

fn key(connection: &str, id: &str) -> RecordKey {
    RecordKey { connection: ConnectionName::new(connection), object: Object::Lead, id: RecordId::new(id) }
}

fn row(connection: &str, id: &str, due: Timestamp) -> ClockRow {
    ClockRow {
        record: key(connection, id),
        source: ACCEPT.into(),
        pass: 1,
        run: 1,
        party: Some(PartyName::new("teleprospecting")),
        owner: Some(OwnerId::new("7020")),
        started: due - Elapsed::from_secs(3600),
        deadline: Some(due),
        state: ClockState::Open,
        name: format!("Lead {id}."),
    }
}

async fn put(house: &House, rows: &[ClockRow]) {
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    for row in rows {
        clock::replace(&mut tx, &row.record, std::slice::from_ref(row)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// The leads that a page lists, in its order.
fn listed(page: &str) -> Vec<String> {
    page.split(">Lead ").skip(1).map(|rest| rest.split('.').next().unwrap().to_owned()).collect()
}

promise!(each_filter_shows_what_it_names_and_two_show_what_both_name, |house| {
    let now = house.engine.clock.now();
    let due = |minutes: i64| now + Elapsed::from_secs(minutes * 60);
    let base = |id: &str, minutes| row("acme-hubspot", id, due(minutes));
    let rows = [
        ClockRow { owner: Some(OwnerId::new("7021")), ..base("a", 1) },
        ClockRow { party: Some(PartyName::new("field_sales")), source: "Other".into(), ..base("b", 2) },
        ClockRow { state: ClockState::Breached, ..base("c", -60) },
        ClockRow { state: ClockState::Paused, owner: Some(OwnerId::new("7021")), ..base("d", 4) },
        row("acme-salesforce", "e", due(5)),
        base("f", 60 * 24 * 60),
    ];
    put(&house, &rows).await;
    for (query, wanted) in [
        ("", "c a b d e f"),
        ("?owner=7021", "a d"),
        ("?owner=7021&state=paused", "d"),
        ("?owner=7021&clock=Other", ""),
        ("?party=field_sales", "b"),
        ("?party=field_sales&owner=7020&clock=Other", "b"),
        ("?clock=Accept+or+reject", "c a d e f"),
        ("?state=breached", "c"),
        ("?state=open&connection=acme-hubspot", "a b f"),
        ("?connection=acme-salesforce", "e"),
        ("?due=1bd", "a b d e"),
        ("?state=held", ""),
        ("?owner=%27%3B--", ""),
    ] {
        let page = house.text(&format!("/risk{query}")).await;
        assert_eq!(listed(&page).join(" "), wanted, "{query}");
        let answer: Json = serde_json::from_str(&house.text(&format!("/api/v1/clocks{query}")).await).unwrap();
        let ids: Vec<&str> =
            answer["clocks"].as_array().unwrap().iter().map(|c| c["record"]["id"].as_str().unwrap()).collect();
        assert_eq!(ids.join(" "), wanted, "{query}");
    }
    assert!(house.text("/risk?owner=nobody").await.contains("No open clock is like this"));
    for wrong in ["?state=lost", "?due=soon", "?connection=nobody", "?owner=%00", "?after=nonsense"] {
        assert_eq!(house.get(&format!("/risk{wrong}")).await.status(), 400, "{wrong}");
        let by_program = if wrong.contains("connection") { 404 } else { 400 };
        assert_eq!(house.get(&format!("/api/v1/clocks{wrong}")).await.status(), by_program, "{wrong}");
    }
});

promise!(pages_of_a_filtered_list_have_no_gap_and_repeat_nothing, |house| {
    let now = house.engine.clock.now();
    // Several of one deadline, in all states, in two connections, owned by two.
    let rows: Vec<ClockRow> = (0..240_i64)
        .map(|n| {
            let connection = if n % 2 == 0 { "acme-hubspot" } else { "acme-salesforce" };
            let state = ClockState::ALL[usize::try_from(n / 2 % 3).unwrap()];
            let owner = Some(OwnerId::new(if n % 20 == 0 { "7021" } else { "7020" }));
            ClockRow { state, owner, ..row(connection, &n.to_string(), now + Elapsed::from_secs(n / 12)) }
        })
        .collect();
    put(&house, &rows).await;
    let mut wanted: Vec<String> =
        rows.iter().filter(|r| r.owner == Some(OwnerId::new("7020"))).map(|r| r.record.id.to_string()).collect();
    let (mut path, mut seen, mut pages) = ("/risk?owner=7020".to_owned(), Vec::new(), 0);
    loop {
        let page = house.text(&path).await;
        seen.extend(listed(&page));
        pages += 1;
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        path = before.rsplit("href=\"").next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        assert!(path.contains("owner=7020"), "the filter stays: {path}");
    }
    assert_eq!(pages, 5);
    let due = |id: &String| id.parse::<i64>().unwrap() / 12;
    assert!(seen.windows(2).all(|pair| due(&pair[0]) <= due(&pair[1])), "soonest first");
    seen.sort();
    wanted.sort();
    assert_eq!(seen, wanted);
});

promise!(a_line_says_how_much_time_is_left_and_what_happens_next, |house| {
    let now = house.engine.clock.now();
    let due = now + Elapsed::from_secs(30 * 86_400);
    let mut standing = Standing::new(key("acme-hubspot", "7001"));
    (standing.stage, standing.pass) = (Some(StageName::new("mql")), 1);
    let agreement = crate::house::agreement();
    let clock = agreement.clock_named(ACCEPT).unwrap();
    let step = |step: &leadpact::agreement::model::Step| StepRun {
        name: step.name.clone(),
        at: due,
        noticed: None,
        state: StepState::Pending,
        issued: Vec::new(),
    };
    standing.runs.push(Run {
        clock: ACCEPT.into(),
        number: 1,
        started: now - Elapsed::from_secs(86_400),
        deadline: due,
        paused: None,
        breached: None,
        ended: None,
        touches_before: None,
        spared: None,
        silent: false,
        steps: clock.steps.iter().map(step).collect(),
    });
    save(&house, &standing, "Lead 7001.").await;
    put(&house, &[row("acme-hubspot", "7001", due)]).await;
    let viewer = house.person(Role::Viewer).await;
    let page = house.get_as(&viewer, "/risk").await.text().await.unwrap();
    assert!(page.contains("goes to teleprospecting on"), "{page}");
    assert!(page.contains("owner, manager told"), "{page}");
    assert!(page.contains("<progress class=\"bar\""), "{page}");
    let story = house.text("/records/acme-hubspot/lead/7001").await;
    assert!(story.contains("goes to teleprospecting on") && story.contains("Due next"), "{story}");
    let get = async |path: &str| house.get_as(&viewer, path).await.json::<Json>().await.unwrap();
    let clock = get("/api/v1/clocks").await["clocks"][0].clone();
    let of_record = get("/api/v1/records/acme-hubspot/lead/7001").await["clocks"][0].clone();
    for told in [&clock, &of_record] {
        assert!(told["next"].as_str().unwrap().contains("goes to teleprospecting on"), "{told}");
        assert!(page.contains(told["left"].as_str().unwrap()), "{told}");
        assert!((0.0..1.0).contains(&told["used"].as_f64().unwrap()), "{told}");
    }
    assert_eq!((&clock["held"], &clock["owner_name"]), (&Json::Bool(false), &Json::Null), "nobody's name is known");
    assert!(clock["url"].as_str().unwrap().starts_with("https://"), "{clock}");
});

promise!(programs_are_told_how_many_are_open_of_each_clock_and_whose_the_most_are, |house| {
    let due = house.engine.clock.now() + Elapsed::from_secs(60);
    let base = |id: &str| row("acme-hubspot", id, due);
    let rows = [
        base("a"),
        ClockRow { state: ClockState::Breached, ..base("b") },
        ClockRow { owner: Some(OwnerId::new("7021")), ..base("c") },
        ClockRow { source: "Other".into(), state: ClockState::Paused, ..base("d") },
    ];
    put(&house, &rows).await;
    let reader = token(&house, Role::Viewer).await;
    let (status, told) = ask(&house, &reader, reqwest::Method::GET, "/api/v1/clocks/counts", Json::Null).await;
    assert_eq!(status, 200, "{told}");
    let of = |name: &str| told["clocks"].as_array().unwrap().iter().find(|one| one["clock"] == name).unwrap();
    let counts = |name: &str| ["open", "paused", "breached"].map(|state| of(name)[state].as_u64().unwrap());
    assert_eq!((counts(ACCEPT), counts("Other")), ([2, 0, 1], [0, 1, 0]));
    assert_eq!((&of(ACCEPT)["party"], &of("Other")["party"]), (&"teleprospecting".into(), &Json::Null));
    let owners: Vec<_> = told["owners"].as_array().unwrap().iter().map(|one| (&one["owner"], &one["clocks"])).collect();
    assert_eq!(owners, [(&"7020".into(), &3.into()), (&"7021".into(), &1.into())]);
});

async fn save(house: &House, standing: &Standing, name: &str) {
    let row = StandingRow {
        key: standing.key.clone(),
        stage: standing.stage.clone(),
        owner: standing.owner(),
        party: None,
        name: name.to_owned(),
        wake_at: None,
        state: serde_json::to_string(standing).unwrap(),
        updated: Timestamp::parse("2027-01-05T14:00:00Z").unwrap(),
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
}

promise!(a_record_is_found_by_the_beginning_of_its_name_or_by_its_id, |house| {
    let long = "00Q5g00000AbCdEEAV";
    for (connection, id, name) in [
        ("acme-hubspot", "7001", "Amy <b>Ng</b>"),
        ("acme-hubspot", "7002", "amyloid Ltd"),
        ("acme-hubspot", "7003", "Bob 100% Amy"),
        ("acme-hubspot", "a/b?c", "Odd"),
        ("acme-salesforce", long, "Carla"),
    ] {
        let mut standing = Standing::new(key(connection, id));
        standing.fields.set(well_known().name, Value::text(name), house.engine.clock.now());
        save(&house, &standing, name).await;
    }
    let found = async |q: &str| {
        let page = house.text(&format!("/find?q={q}")).await;
        assert!(!page.contains("<b>Ng"), "{page}");
        page.matches("<th scope=\"row\">").count()
    };
    assert_eq!(found("AMY").await, 2);
    assert_eq!(found("amy%20%3Cb").await, 1);
    assert_eq!(found("my").await, 0, "only beginnings");
    assert_eq!(found("%25").await, 0, "no wildcard");
    assert_eq!(found("").await, 0);
    let leads_to = async |q: &str| {
        let response = house.get(&format!("/find?q={q}")).await;
        response.headers().get("location").map(|to| to.to_str().unwrap().to_owned())
    };
    assert_eq!(leads_to("7003").await.as_deref(), Some("/records/acme-hubspot/lead/7003"));
    assert_eq!(leads_to("a%2Fb%3Fc").await.as_deref(), Some("/records/acme-hubspot/lead/a%2Fb%3Fc"));
    let short = leadpact::crm::salesforce::id::normalise("00Q5g00000AbCdE").unwrap();
    let to = leads_to("00Q5g00000AbCdE").await;
    assert_eq!(to.is_some(), short == long, "the id that Salesforce shows leads to the one that is stored");
    assert_eq!(house.get("/find?q=%00").await.status(), 200);
});

#[tokio::test]
async fn pages_do_not_wait_for_what_is_being_counted() {
    let house = House::in_a_hurry().await;
    put(&house, &[row("acme-hubspot", "a", house.engine.clock.now() + Elapsed::from_secs(60))]).await;
    let page = house.text("/risk").await;
    assert!(page.contains("Being counted") && listed(&page) == ["a"], "the list is there: {page}");
    for _ in 0..200 {
        if !house.text("/risk").await.contains("Being counted") && !house.text("/").await.contains("How many clocks") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("what is counted is never shown");
}
