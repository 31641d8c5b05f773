//! Overview, waterfall and campaigns from outside: the numbers on the pages are those of the report.

use crate::house::{House, agreement};
use crate::openapi::{ask, file, token};
use leadpact::agreement::{Input, Standing, decide};
use leadpact::engine::clock::real_now;
use leadpact::engine::measure;
use leadpact::record::change::FieldValues;
use leadpact::record::{
    Actor, Change, ConnectionName, FieldName, Object, OwnerId, RecordId, RecordKey, Timestamp, Value, What,
};
use leadpact::report::figures::{Dimension, Report};
use leadpact::report::layout::{What as Table, json};
use leadpact::report::tally::Question;
use leadpact::store::clock::{self, ClockRow, ClockState};
use leadpact::store::journal::{self, JournalEntry};
use leadpact::store::role::Role;
use leadpact::store::standing::{self, StandingRow};
use leadpact::store::{Priority, attestation};
use serde_json::Value as Json;

const CONNECTION: &str = "acme-hubspot";
const EVIL: &str = "<img src=x onerror=alert(1)>\"&'";
const FORMULA: &str = "=HYPERLINK(\"http://evil\")";

/// `01-05 10:00` of 2027, UTC.
fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').unwrap();
    Timestamp::parse(&format!("2027-{day}T{time}:00Z")).unwrap()
}

/// A record's changes, each a moment and `field=value;…`, through the core into the store.
async fn record(house: &House, object: Object, id: &str, changes: &[(&str, &str)]) {
    let (agreement, connection) = (agreement(), ConnectionName::new(CONNECTION));
    let key = RecordKey { connection: connection.clone(), object, id: RecordId::new(id) };
    let (mut standing, mut entries) = (Standing::new(key.clone()), Vec::new());
    for (when, fields) in changes {
        let values: FieldValues = fields
            .split(';')
            .map(|field| {
                let (name, value) = field.split_once('=').unwrap();
                let number = value.parse().ok().map(Value::Number);
                (FieldName::new(name), number.filter(|_| name == "amount").unwrap_or_else(|| Value::text(value)))
            })
            .collect();
        let change = Change { at: at(when), what: What::Fields(values), by: Actor::Person(OwnerId::new("7020")) };
        let decision = decide(&agreement, standing, Input::Changed(change), at(when));
        standing = decision.standing;
        entries.extend(decision.facts.into_iter().map(|fact| JournalEntry {
            record: Some(key.clone()),
            fact,
            seen_at: at(when),
            agreement: agreement.hash.to_string(),
        }));
    }
    let row = StandingRow {
        key,
        stage: standing.stage.clone(),
        owner: standing.owner(),
        party: None,
        name: id.to_owned(),
        wake_at: None,
        state: serde_json::to_string(&standing).unwrap(),
        updated: at("01-20 00:00"),
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    journal::append(&mut tx, &connection, &entries).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Forty leads of four campaigns, one in four accepted and so on, one rejected, one that came back.
async fn a_history(house: &House) {
    for n in 0..40 {
        let campaign = ["Spring", EVIL, FORMULA, ""][n % 4];
        let first = format!("status=Open;source=Web;owner=o{};campaign={campaign}", n % 3);
        let (id, minute) = (format!("l{n}"), format!("01-05 15:{:02}", n));
        let qualified = format!("01-06 15:{n:02}");
        let accepted = format!("01-07 15:{n:02}");
        let mut changes = vec![(minute.as_str(), first.as_str())];
        if n % 2 == 0 {
            changes.push((&qualified, "status=Qualified by marketing;score=70;email=a@b.example;company=A"));
        }
        if n % 4 == 0 {
            changes.push((&accepted, "status=Accepted"));
        }
        if n == 2 {
            changes.push((&accepted, "status=Rejected;reject_reason=duplicate"));
        }
        if n == 4 {
            // Back to the handoff's stage: a second pass.
            changes.push(("01-08 15:00", "status=Qualified by marketing"));
        }
        if n == 8 {
            changes.push(("01-08 16:00", "opportunity=d8"));
        }
        record(house, Object::Lead, &id, &changes).await;
    }
    let won = [("01-08 16:00", "status=open;amount=1234.5;owner=o1"), ("01-12 16:00", "status=won")];
    record(house, Object::Opportunity, "d8", &won).await;
}

/// What `leadpact report` says of the same.
async fn report(house: &House, by: Option<Dimension>) -> Report {
    let connection = ConnectionName::new(CONNECTION);
    let named = ("2027-01", real_now());
    let question = measure::question(&house.db, &connection, false, &agreement(), named).await.unwrap().unwrap();
    measure::measure(&house.db, Question { by, ..question }).await.unwrap()
}

const ASKED: &str = "connection=acme-hubspot&period=2027-01";

/// A page once its figures are there.
async fn counted(house: &House, path: &str) -> String {
    for _ in 0..100 {
        let page = house.text(path).await;
        if !page.contains("Being counted…") {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} is still being counted");
}

#[tokio::test]
async fn the_api_answers_what_the_report_says() {
    let house = House::start().await;
    a_history(&house).await;
    let said = report(&house, None).await;
    for (path, parts) in [
        ("scorecard", [Table::Scorecard].as_slice()),
        ("waterfall", &[Table::Waterfall]),
        ("campaigns", &[Table::Campaigns, Table::Sources]),
    ] {
        let answer: Json = serde_json::from_str(&house.text(&format!("/api/v1/{path}?{ASKED}")).await).unwrap();
        assert_eq!(answer, Json::Array(vec![json(&said, parts).unwrap()]), "{path}");
    }
    let all: Json = serde_json::from_str(&house.text("/api/v1/scorecard?period=2027-01").await).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 3, "each connection in turn");
    let split = report(&house, Some(Dimension::Owner)).await;
    let answer: Json = serde_json::from_str(&house.text(&format!("/api/v1/waterfall?{ASKED}&by=owner")).await).unwrap();
    assert_eq!(answer, Json::Array(vec![json(&split, &[Table::Waterfall]).unwrap()]));
}

#[tokio::test]
async fn the_first_page_shows_each_promise_with_its_figure_and_verdict() {
    let house = House::start().await;
    a_history(&house).await;
    let page = counted(&house, &format!("/?{ASKED}")).await;
    let said = report(&house, None).await;
    let delivered = &said.commitments[0];
    assert_eq!(delivered.name, "Qualified leads delivered");
    let card = page.split("<article").find(|card| card.contains("Qualified leads delivered")).unwrap();
    assert!(card.contains("<dd class=\"large\">20</dd>"), "{card}");
    assert!(card.contains("at least 400") && card.contains("Marketing to teleprospecting"), "{card}");
    assert!(card.contains("became “Marketing qualified lead”"), "{card}");
    assert!(card.contains("<svg") && card.contains("badge open"), "{card}");
    assert_eq!(page.matches("<article").count(), said.commitments.len());
    let (left, right) = page.split_once("<h2>Teleprospecting and field sales</h2>").unwrap();
    assert!(left.contains("<h2>Marketing</h2>") && left.contains("Qualified leads delivered"));
    assert!(right.contains("First follow-ups on time") && !right.contains("Qualified leads delivered"));
}

/// The numbers and links of a waterfall's bars: from the table beside the first picture.
fn rows(page: &str) -> Vec<(String, u64)> {
    let table = page.split("As a table</summary>").nth(1).unwrap().split("</table>").next().unwrap();
    let row = |row: &str| {
        let href = row.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
        let count = row.split("<td class=\"number\">").nth(1).unwrap().split('<').next().unwrap();
        (href, count.parse().unwrap())
    };
    table.split("<tr>").skip(2).map(row).collect()
}

async fn listed(house: &House, path: &str) -> usize {
    house.text(path).await.matches("data-label=\"Reached it\"").count()
}

#[tokio::test]
async fn every_bar_leads_to_as_many_records_as_it_counts() {
    let house = House::start().await;
    a_history(&house).await;
    let page = counted(&house, &format!("/waterfall?{ASKED}")).await;
    let bars = rows(&page);
    let counts: Vec<u64> = bars.iter().map(|(_, n)| *n).collect();
    assert_eq!(counts[..3], [40, 20, 10], "{counts:?}");
    for (href, count) in &bars {
        assert_eq!(listed(&house, href).await as u64, *count, "{href}");
    }
    let again = page.split("came back: 1 returned").next().unwrap().rsplit("<a href=\"").next().unwrap();
    let again = again.split('"').next().unwrap().replace("&amp;", "&");
    assert!(again.contains("passes=again"), "{again}");
    assert_eq!(listed(&house, &again).await, 1);
    let rejected = format!("/waterfall/stage?stage=rejected&{ASKED}&passes=all");
    assert_eq!(listed(&house, &rejected).await, 1);
}

#[tokio::test]
async fn a_split_divides_the_bars_and_their_lists() {
    let house = House::start().await;
    a_history(&house).await;
    for by in ["campaign", "source", "owner", "party"] {
        let page = counted(&house, &format!("/waterfall?{ASKED}&by={by}")).await;
        let mut seen = 0;
        for part in page.split("<section class=\"card\">").skip(2) {
            let (href, count) = &rows(part)[0];
            assert_eq!(listed(&house, href).await as u64, *count, "{href}");
            seen += count;
        }
        assert_eq!(seen, 40, "{by}");
    }
}

#[tokio::test]
async fn a_list_goes_on_without_gap_or_repetition() {
    let house = House::start().await;
    for n in 0..130 {
        // Several at one moment.
        record(&house, Object::Lead, &format!("l{n:03}"), &[(&format!("01-05 15:{:02}", n / 7), "status=Open")]).await;
    }
    for of in ["", "&by=owner&value=", "&by=source&value="] {
        let (mut path, mut seen) = (format!("/waterfall/stage?stage=inquiry&{ASKED}{of}"), Vec::new());
        loop {
            let page = house.text(&path).await;
            let ids = page.split("/records/acme-hubspot/lead/l").skip(1);
            seen.extend(ids.map(|rest| rest[..3].parse::<u32>().unwrap()));
            let Some(next) = page.split("rel=\"next\"").next().filter(|before| before.len() < page.len()) else {
                break;
            };
            path = next.rsplit("href=\"").next().unwrap().split('"').next().unwrap().replace("&#38;", "&");
        }
        assert_eq!(seen.len(), 130, "{of}");
        seen.sort_unstable();
        assert_eq!(seen, (0..130).collect::<Vec<_>>(), "{of}");
    }
    assert_eq!(house.get(&format!("/waterfall/stage?stage=inquiry&{ASKED}&after=nonsense")).await.status(), 400);
}

#[tokio::test]
async fn names_of_campaigns_become_neither_markup_nor_formulas() {
    let house = House::start().await;
    a_history(&house).await;
    for path in [format!("/campaigns?{ASKED}"), format!("/waterfall?{ASKED}&by=campaign"), format!("/?{ASKED}")] {
        let page = counted(&house, &path).await;
        assert!(!page.contains("<img"), "{path}: {page}");
        assert!(!page.contains(" style=") && !page.contains("<style"), "{path}");
    }
    let page = counted(&house, &format!("/campaigns?{ASKED}&sort=name")).await;
    assert!(page.contains("&#60;img src=x") && page.contains("&lt;img src=x"), "in the table and in the picture");
    let value: String = url::form_urlencoded::byte_serialize(EVIL.as_bytes()).collect();
    let list = house.text(&format!("/waterfall/stage?stage=inquiry&{ASKED}&by=campaign&value={value}")).await;
    assert!(!list.contains("<img") && list.contains("&#60;img") && list.contains("lead/l1\""), "{list}");

    let response = house.get(&format!("/campaigns.csv?{ASKED}")).await;
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let name = response.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(name, "attachment; filename=\"campaigns-acme-hubspot-2027-01.csv\"");
    let csv = response.text().await.unwrap();
    assert!(csv.contains("\"'=HYPERLINK(\"\"http://evil\"\")\"") && !csv.contains(",\"=HYPER"), "{csv}");
    let reader = token(&house, Role::Viewer).await;
    let (kind, same) = file(&house, &reader, &format!("/api/v1/campaigns.csv?{ASKED}")).await;
    assert_eq!((kind.as_str(), String::from_utf8(same).unwrap()), ("text/csv; charset=utf-8", csv));
    let (_, sources) = file(&house, &reader, &format!("/api/v1/campaigns.csv?{ASKED}&by=source")).await;
    assert_eq!(String::from_utf8(sources).unwrap(), house.text(&format!("/campaigns.csv?{ASKED}&by=source")).await);
    for (query, status) in [("connection=nobody", 404), ("by=owner", 400), ("period=2027-W60", 400), ("sort=won", 400)]
    {
        let path = format!("/api/v1/campaigns.csv?{query}");
        assert_eq!(ask(&house, &reader, reqwest::Method::GET, &path, Json::Null).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn campaigns_are_sorted_by_the_column_that_is_asked_for() {
    let house = House::start().await;
    a_history(&house).await;
    let names = |page: &str| -> Vec<String> {
        let table = page.split("<tbody>").last().unwrap();
        let name = |row: &str| row.split("\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
        table.split("<th scope=\"row\">").skip(1).map(name).collect()
    };
    let won = names(&counted(&house, &format!("/campaigns?{ASKED}&sort=won")).await);
    assert_eq!(won[0], "Spring", "the lead of the opportunity tells its campaign: {won:?}");
    let by_name = names(&counted(&house, &format!("/campaigns?{ASKED}&sort=name")).await);
    assert_eq!((by_name[0].as_str(), by_name.len()), ("(none)", 4));
    let page = counted(&house, &format!("/campaigns?{ASKED}&by=source&sort=won")).await;
    assert!(page.contains("1,234.50") && page.contains("aria-sort=\"descending\""), "{page}");
    assert!(page.contains("duplicate 1"), "rejected by reason");
}

#[tokio::test]
async fn an_empty_database_says_what_to_do() {
    let house = House::start().await;
    let front = counted(&house, "/").await;
    assert!(front.contains("does the CRM send its webhooks to") && front.contains("/webhooks/acme-"), "{front}");
    assert!(counted(&house, "/waterfall").await.contains("Nothing came to any stage"));
    assert!(counted(&house, "/campaigns").await.contains("Nothing came in"));
    let list = house.text(&format!("/waterfall/stage?stage=mql&{ASKED}")).await;
    assert!(list.contains("No record"), "{list}");
}

#[tokio::test]
async fn what_is_no_filter_is_refused_and_not_taken_for_another() {
    let house = House::start().await;
    for path in ["/", "/waterfall", "/campaigns", "/api/v1/scorecard", "/api/v1/waterfall", "/api/v1/campaigns"] {
        assert_eq!(house.get(&format!("{path}?connection=nobody")).await.status(), 404, "{path}");
        assert_eq!(house.get(&format!("{path}?period=tomorrow")).await.status(), 400, "{path}");
        assert_eq!(house.get(&format!("{path}?connection=&period=")).await.status(), 200, "{path}: left empty");
    }
    assert_eq!(house.get("/waterfall?by=moon").await.status(), 400);
    assert_eq!(house.get("/api/v1/waterfall?by=moon").await.status(), 400);
    assert_eq!(house.get("/campaigns?sort=moon").await.status(), 400);
    assert_eq!(house.get("/waterfall/stage?stage=moon").await.status(), 404);
}

#[tokio::test]
async fn what_is_overdue_stands_on_the_first_page_the_longest_first() {
    let house = House::start().await;
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    for (id, hours, state) in
        [("a", 5, ClockState::Breached), ("b", 50, ClockState::Breached), ("c", 90, ClockState::Paused)]
    {
        let key =
            RecordKey { connection: ConnectionName::new(CONNECTION), object: Object::Lead, id: RecordId::new(id) };
        let deadline = Some(real_now() - leadpact::record::Elapsed::from_secs(hours * 3600));
        let name = format!("Lead {id} {EVIL}");
        let row = ClockRow {
            record: key.clone(),
            source: "Accept or reject".into(),
            pass: 1,
            run: 1,
            party: None,
            owner: None,
            started: at("01-05 10:00"),
            deadline,
            state,
            name,
        };
        clock::replace(&mut tx, &key, &[row]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let page = counted(&house, "/?connection=acme-hubspot").await;
    let (a, b) = (page.find("Lead a").unwrap(), page.find("Lead b").unwrap());
    assert!(b < a && page.contains("2d 2h late") && !page.contains("Lead c"), "{page}");
    assert!(!page.contains("<img"));
    assert!(page.contains("<a href=\"/risk\">All open clocks</a>"));
}

#[tokio::test]
async fn who_may_attests_to_a_promise_and_the_page_shows_it() {
    let house = House::start().await;
    a_history(&house).await;
    let promise = "New product briefing published before launch";
    let said = |answer: &'static str, period: &'static str| {
        [("connection", CONNECTION), ("commitment", promise), ("period", period), ("answer", answer)]
    };
    let viewer = house.person(Role::Viewer).await;
    assert_eq!(house.post_as(&viewer, "/attest", &said("yes", "2026-10")).await.status(), 403);
    let operator = house.person(Role::Operator).await;
    assert_eq!(house.post_as(&operator, "/attest", &said("yes", "2027-Q1")).await.status(), 400, "it is monthly");
    assert_eq!(house.post_as(&operator, "/attest", &said("yes", "2999-01")).await.status(), 400, "not begun");
    assert_eq!(house.post_as(&operator, "/attest", &said("yes", "2026-10")).await.status(), 303);
    let row = attestation::get(&house.db, None, promise, "2026-10").await.unwrap().unwrap();
    assert!(row.answer && row.by == operator.account.name, "{row:?}");
}

#[tokio::test]
async fn programs_list_what_is_behind_a_bar_without_gap_or_repetition() {
    let house = House::start().await;
    a_history(&house).await;
    let stage = async |query: &str| -> Json {
        serde_json::from_str(&house.text(&format!("/api/v1/waterfall/stage?{ASKED}&{query}")).await).unwrap()
    };
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let part = stage(&format!("stage=inquiry&limit=7{after}")).await;
        assert_eq!((&part["stage"], &part["period"]), (&"inquiry".into(), &"2027-01".into()), "{part}");
        let records = part["records"].as_array().unwrap();
        assert!(records.len() <= 7);
        seen.extend(records.iter().map(|r| r["record"]["id"].as_str().unwrap().to_owned()));
        let Some(next) = part["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (40, 40), "as many as the page's bar");
    let back = stage("stage=mql&passes=again").await;
    assert_eq!(back["records"].as_array().unwrap().len(), 1, "{back}");
    assert_eq!(back["records"][0]["pass_kind"], "returned");
    let spring = stage("stage=inquiry&by=campaign&value=Spring").await;
    assert_eq!(spring["records"].as_array().unwrap().len(), 10);
    for (query, status) in [
        ("stage=moon", 404),
        ("stage=mql&connection=nobody", 404),
        ("stage=mql&period=tomorrow", 400),
        ("stage=mql&after=nonsense", 400),
        ("connection=acme-hubspot", 400),
    ] {
        assert_eq!(house.get(&format!("/api/v1/waterfall/stage?{query}")).await.status(), status, "{query}");
    }
}
