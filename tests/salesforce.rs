//! The Salesforce connector against a server that answers as a test tells it to: sign-in, reads,
//! partial failures, tasks, people, doubt. Deliveries are tried beside their code.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use leadpact::agreement::model::Dictionary;
use leadpact::crm::connection::{Backfill, Platform, Roster, Salesforce as Settings, SalesforceAuth, TouchBy, Touches};
use leadpact::crm::examine::Found;
use leadpact::crm::http::Http;
use leadpact::crm::salesforce::Salesforce;
use leadpact::crm::{Connection, Crm, CrmError, ItemResult, NewTask, OwnField, ReadRecord, Sought, Wanted, Write};
use leadpact::record::field::well_known;
use leadpact::record::{ConnectionName, FieldName, FieldType, Object, OwnerId, PartyName, RecordId, Timestamp, Value};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[path = "salesforce/sign_in.rs"]
mod sign_in;

const DATE: &str = "Mon, 05 Jan 2026 12:00:00 GMT";
const NOON: &str = "2026-01-05T12:00:00Z";
const LEAD_1: &str = "00Q5g00000LeAd1EAF";
const DEAL: &str = "0065g00000DeAl1AAE";
const LEAD_2: &str = "00Q5g00000LeAd2EAF";
const AMY: &str = "0055g00000AbCdEAAV";

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Json>(include_str!(concat!("fixtures/salesforce/", $name))).unwrap()
    };
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Seen {
    method: String,
    path: String,
    /// The `q` of a query.
    soql: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Seen {
    fn token(&self) -> &str {
        self.headers.get("authorization").map_or("", |value| value.trim_start_matches("Bearer "))
    }

    fn asks_for(&self, object: &str) -> bool {
        self.soql.contains(&format!(" FROM {object} "))
    }

    fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap()
    }
}

struct Reply {
    status: u16,
    body: String,
    retry_after: Option<&'static str>,
    after: Duration,
}

fn reply(status: u16, body: &Json) -> Reply {
    Reply { status, body: body.to_string(), retry_after: None, after: Duration::ZERO }
}

fn rows(rows: Json) -> Reply {
    reply(200, &json!({ "totalSize": rows.as_array().unwrap().len(), "done": true, "records": rows }))
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A server that answers by a script and remembers what it was asked.
#[derive(Clone)]
struct Fake {
    script: Arc<Script>,
    log: Arc<Mutex<Vec<Seen>>>,
    passes_on_queries_alone: Arc<AtomicBool>,
}

impl Fake {
    fn requests(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    fn count(&self, of: impl Fn(&Seen) -> bool) -> usize {
        self.requests().iter().filter(|seen| of(seen)).count()
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, fake: web::Data<Fake>) -> HttpResponse {
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let seen = Seen {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        soql: query.get("q").cloned().unwrap_or_default(),
        headers: request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_lowercase(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    fake.log.lock().unwrap().push(seen.clone());
    let reply = if seen.path.ends_with("/composite") { composite(&fake, &seen) } else { (fake.script)(&seen) };
    tokio::time::sleep(reply.after).await;
    let mut response = HttpResponse::build(actix_web::http::StatusCode::from_u16(reply.status).unwrap());
    response.insert_header(("Date", DATE)).insert_header(("Content-Type", "application/json"));
    if let Some(seconds) = reply.retry_after {
        response.insert_header(("Retry-After", seconds));
    }
    response.body(reply.body)
}

/// Each subrequest by the script, as if it had come alone.
fn composite(fake: &Fake, seen: &Seen) -> Reply {
    if fake.passes_on_queries_alone.load(Ordering::SeqCst) {
        return reply(404, &json!([{ "errorCode": "NOT_FOUND", "message": "The requested resource does not exist" }]));
    }
    let one = |sub: &Json| {
        let (path, query) = sub["url"].as_str().unwrap().split_once('?').unwrap();
        let soql = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "q").unwrap().1.into_owned();
        let reply = (fake.script)(&Seen { method: "GET".into(), path: path.into(), soql, ..seen.clone() });
        let body: Json = serde_json::from_str(&reply.body).unwrap();
        json!({ "body": body, "httpHeaders": {}, "httpStatusCode": reply.status, "referenceId": sub["referenceId"] })
    };
    let parts: Vec<Json> = seen.json()["compositeRequest"].as_array().unwrap().iter().map(one).collect();
    reply(200, &json!({ "compositeResponse": parts }))
}

fn serve(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (Fake, String) {
    let fake = Fake { script: Arc::new(script), log: Arc::default(), passes_on_queries_alone: Arc::default() };
    let data = web::Data::new(fake.clone());
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    actix_web::rt::spawn(server.run());
    (fake, url)
}

fn connection(base_url: &str) -> Connection {
    Connection {
        name: ConnectionName::new("acme"),
        agreement: None,
        mode: None,
        base_url: base_url.to_owned(),
        api_version: "67.0".to_owned(),
        backfill: Backfill::default(),
        api_share: 0.5,
        fields: BTreeMap::new(),
        values: BTreeMap::new(),
        parties: BTreeMap::new(),
        touches: Touches {
            types: ["call", "email", "meeting", "task"].map(str::to_owned).to_vec(),
            by: TouchBy::Party,
            automation_users: Vec::new(),
        },
        platform: Platform::Salesforce(Settings {
            organization_id: "00D5g000004XyZaEAK".to_owned(),
            auth: SalesforceAuth::ClientCredentials { client_id: "id".into(), client_secret: "s&cret".into() },
            login_url: None,
            path_secret: None,
            client_certificate: None,
        }),
    }
}

fn dictionary() -> Dictionary {
    Dictionary {
        lead: BTreeMap::from([("touches", FieldType::Number), ("last_touch", FieldType::Time)]),
        opportunity: BTreeMap::from([("amount", FieldType::Number), ("close_date", FieldType::Date)]),
    }
}

fn client(connection: &Connection) -> Salesforce {
    let http = Http::with_timeout(Arc::new(Timestamp::default), Duration::from_millis(800)).unwrap();
    Salesforce::new(connection, &dictionary(), http).unwrap()
}

fn crm(base_url: &str) -> Salesforce {
    client(&connection(base_url))
}

/// Hands out `token-1`, `token-2`, …; everything else goes to the script.
fn signing_in(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (Fake, String) {
    let granted = Mutex::new(0);
    serve(move |seen| {
        if seen.path != "/services/oauth2/token" {
            return script(seen);
        }
        let mut granted = granted.lock().unwrap();
        *granted += 1;
        let mut body = fixture!("oauth.json")["token_ok"]["body"].clone();
        body["access_token"] = json!(format!("token-{granted}"));
        Reply { after: Duration::from_millis(50), ..reply(200, &body) }
    })
}

fn ids(ids: &[&str]) -> Vec<RecordId> {
    ids.iter().map(RecordId::new).collect()
}

fn owner_write(id: &str) -> Write {
    Write { id: RecordId::new(id), values: vec![(well_known().owner, Value::text("00G5g000001QueA"))] }
}

fn task(record: &str, key: &str) -> NewTask {
    NewTask {
        object: Object::Lead,
        record: RecordId::new(record),
        owner: Some(OwnerId::new(AMY)),
        title: "Accept or reject".to_owned(),
        body: "Please.".to_owned(),
        due: Timestamp::parse(NOON).unwrap(),
        done: false,
        key: key.to_owned(),
    }
}

fn found(record: &ReadRecord) -> BTreeMap<&'static str, Value> {
    let ReadRecord::Found { values, .. } = record else { panic!("{record:?}") };
    values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

#[actix_web::test]
async fn many_calls_at_once_fetch_one_token() {
    let (fake, url) = signing_in(|_| rows(json!([])));
    let crm = crm(&url);
    let (a, b, c) = tokio::join!(crm.people(), crm.people(), crm.people());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let grants: Vec<Seen> = fake.requests().into_iter().filter(|s| s.path.ends_with("/token")).collect();
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].body, "grant_type=client_credentials&client_id=id&client_secret=s%26cret");
    assert_eq!(fake.count(|s| s.token() == "token-1"), 6);
}

#[actix_web::test]
async fn an_ended_session_is_renewed_once_by_all_who_meet_it() {
    let (fake, url) = signing_in(|seen| match seen.token() {
        "token-1" => reply(401, &fixture!("rest-errors.json")["cases"][0]["body"]),
        _ => rows(json!([])),
    });
    let crm = crm(&url);
    let (a, b) = tokio::join!(crm.people(), crm.people());
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(fake.count(|s| s.path.ends_with("/token")), 2);
}

#[actix_web::test]
async fn a_session_that_ends_again_at_once_is_signed_out() {
    let (fake, url) = signing_in(|_| reply(401, &json!([{ "errorCode": "INVALID_SESSION_ID", "message": "" }])));
    let error = crm(&url).write(Object::Lead, &[owner_write(LEAD_1)]).await.unwrap_err();
    assert!(matches!(error, CrmError::SignIn { .. }), "{error}");
    assert_eq!(fake.count(|s| s.method == "PATCH"), 2);
}

#[actix_web::test]
async fn refused_credentials_mean_sign_in_and_a_dead_token_endpoint_means_later() {
    let denied = fixture!("oauth.json")["errors"][3]["body"].clone();
    let (_, url) = serve(move |_| reply(400, &denied));
    let error = crm(&url).people().await.unwrap_err();
    assert!(matches!(&error, CrmError::SignIn { message } if message.contains("invalid_client")), "{error}");
    let (_, url) = serve(|_| reply(503, &json!([])));
    let error = crm(&url).write(Object::Lead, &[owner_write(LEAD_1)]).await.unwrap_err();
    assert!(matches!(error, CrmError::Later { .. }), "{error}");
}

#[actix_web::test]
async fn a_token_of_another_organization_is_not_used() {
    let (fake, url) = serve(|_| {
        reply(200, &json!({ "access_token": "t", "id": "https://login.salesforce.com/id/00D5g00000AtTkREAV/005" }))
    });
    let error = crm(&url).people().await.unwrap_err();
    assert!(matches!(error, CrmError::SignIn { .. }), "{error}");
    assert_eq!(fake.count(|s| s.token() == "t"), 0);
}

#[actix_web::test]
async fn a_fixed_token_is_used_as_it_is() {
    let (fake, url) = serve(|seen| match seen.token() {
        "fixed" => rows(json!([])),
        _ => reply(401, &json!([])),
    });
    let mut connection = connection(&url);
    let Platform::Salesforce(settings) = &mut connection.platform else { panic!() };
    settings.auth = SalesforceAuth::AccessToken("fixed".into());
    assert!(client(&connection).people().await.is_ok());
    settings_token(&mut connection, "stale");
    let error = client(&connection).people().await.unwrap_err();
    assert!(matches!(error, CrmError::SignIn { .. }), "{error}");
    assert_eq!(fake.count(|s| s.path.ends_with("/token")), 0);
}

fn settings_token(connection: &mut Connection, token: &str) {
    let Platform::Salesforce(settings) = &mut connection.platform else { panic!() };
    settings.auth = SalesforceAuth::AccessToken(token.into());
}

#[actix_web::test]
async fn a_read_brings_fields_and_touches_and_says_who_is_gone() {
    let (fake, url) = signing_in(|seen| match seen {
        seen if seen.asks_for("Lead") => rows(json!([{
            "Id": LEAD_1, "Name": "Zoë Ünal", "OwnerId": AMY, "Status": "Open", "IsConverted": false,
            "SystemModstamp": "2026-01-05T09:00:10.000+0000",
        }])),
        seen if seen.asks_for("Task") => rows(json!([
            { "WhoId": LEAD_1, "OwnerId": AMY, "CompletedDateTime": "2026-01-05T10:00:00.000+0000" },
            { "WhoId": LEAD_1, "OwnerId": AMY, "CompletedDateTime": "2026-01-05T10:30:00.000+0000",
              "Description": "Call them.\n\nleadpact:k" },
        ])),
        _ => rows(json!([
            { "WhoId": LEAD_1, "OwnerId": AMY, "EndDateTime": "2026-01-05T11:00:00.000+0000" },
            { "WhoId": LEAD_1, "OwnerId": AMY, "EndDateTime": "2026-01-05T18:00:00.000+0000" },
        ])),
    });
    let reads = crm(&url).read(Object::Lead, &ids(&[LEAD_1, LEAD_2])).await.unwrap();
    assert_eq!(reads.at, Timestamp::parse(NOON).unwrap());
    assert_eq!(reads.records[1], (RecordId::new(LEAD_2), ReadRecord::Gone));
    let values = found(&reads.records[0].1);
    assert_eq!(values["name"], Value::text("Zoë Ünal"));
    assert_eq!(values["owner"], Value::text(AMY));
    assert_eq!(values["touches"], Value::Number(2.0));
    assert_eq!(values["last_touch"], Value::Time(Timestamp::parse("2026-01-05T11:00:00Z").unwrap()));
    assert_eq!(values["company"], Value::Null);
    assert_eq!(fake.count(|s| s.path == "/services/data/v67.0/query"), 1);
    assert_eq!(fake.count(|s| s.path == "/services/data/v67.0/composite"), 1, "tasks and meetings in one call");
}

#[actix_web::test]
async fn a_query_of_several_pages_is_followed_to_its_end() {
    let pages = fixture!("rest-query-pages.json")["pages"].clone();
    let (fake, url) = signing_in(move |seen| match seen {
        seen if seen.path.ends_with("-2") => reply(200, &pages[1]["body"]),
        seen if seen.asks_for("Lead") => reply(200, &pages[0]["body"]),
        _ => rows(json!([])),
    });
    let asked = ids(&[LEAD_1, LEAD_2, "00Q5g00000LeAd3EAF"]);
    let reads = crm(&url).read(Object::Lead, &asked).await.unwrap();
    let owners: Vec<Value> = reads.records.iter().map(|(_, record)| found(record)["owner"].clone()).collect();
    assert_eq!(owners, [Value::text("00G5g000001QueAEAS"), Value::text(AMY), Value::text(AMY)]);
    assert_eq!(fake.count(|s| s.path == "/services/data/v67.0/query/01g5g00000FiCtNAAU-2"), 1);
}

#[actix_web::test]
async fn activities_that_we_may_not_see_do_not_stop_a_read_but_unknown_ones_do() {
    let lead = || rows(json!([{ "Id": LEAD_1, "OwnerId": AMY }]));
    let invalid = json!([{ "errorCode": "INVALID_TYPE", "message": "sObject type 'Event' is not supported." }]);
    let (_, url) = signing_in(move |seen| match seen {
        seen if seen.asks_for("Lead") => lead(),
        seen if seen.asks_for("Task") => rows(json!([])),
        _ => reply(400, &invalid),
    });
    let reads = crm(&url).read(Object::Lead, &ids(&[LEAD_1])).await.unwrap();
    assert_eq!(found(&reads.records[0].1)["touches"], Value::Number(0.0));
    let (_, url) = signing_in(move |seen| if seen.asks_for("Lead") { lead() } else { reply(503, &json!([])) });
    assert!(crm(&url).read(Object::Lead, &ids(&[LEAD_1])).await.is_err());
}

#[actix_web::test]
async fn where_composite_calls_are_not_passed_on_activities_are_asked_for_one_by_one() {
    let (fake, url) = signing_in(|seen| match seen {
        seen if seen.asks_for("Lead") => rows(json!([{ "Id": LEAD_1, "OwnerId": AMY }])),
        seen if seen.asks_for("Task") => rows(json!([{ "WhoId": LEAD_1, "OwnerId": AMY }])),
        _ => rows(json!([])),
    });
    fake.passes_on_queries_alone.store(true, Ordering::SeqCst);
    let reads = crm(&url).read(Object::Lead, &ids(&[LEAD_1])).await.unwrap();
    assert_eq!(found(&reads.records[0].1)["touches"], Value::Number(1.0));
    assert_eq!(fake.count(|s| s.path.ends_with("/query")), 3);
}

#[actix_web::test]
async fn a_mapped_counter_spares_the_queries_for_activities() {
    let (fake, url) = signing_in(|_| rows(json!([{ "Id": LEAD_1, "Touches__c": 7, "Last__c": null }])));
    let mut connection = connection(&url);
    connection.fields.insert((Object::Lead, well_known().touches), "Touches__c".to_owned());
    connection.fields.insert((Object::Lead, well_known().last_touch), "Last__c".to_owned());
    let reads = client(&connection).read(Object::Lead, &ids(&[LEAD_1])).await.unwrap();
    assert_eq!(found(&reads.records[0].1)["touches"], Value::Number(7.0));
    assert_eq!(fake.count(|s| s.path.ends_with("/query")), 1);
}

#[actix_web::test]
async fn members_given_by_address_are_looked_up_once() {
    let (fake, url) = signing_in(|seen| match seen {
        seen if seen.soql.contains("FROM User") => {
            rows(json!([{ "Id": AMY, "Name": "Amy", "Email": "amy@acme.example", "IsActive": true }]))
        }
        seen if seen.asks_for("Lead") => rows(json!([{ "Id": LEAD_1, "OwnerId": "00G5g000001QueAEAS" }])),
        seen if seen.asks_for("Task") => rows(json!([{ "WhoId": LEAD_1, "OwnerId": AMY }])),
        _ => rows(json!([])),
    });
    let mut connection = connection(&url);
    connection.parties.insert(PartyName::new("tele"), Roster::Members(vec!["Amy@acme.example".to_owned()]));
    let crm = client(&connection);
    for _ in 0..2 {
        let reads = crm.read(Object::Lead, &ids(&[LEAD_1])).await.unwrap();
        assert_eq!(found(&reads.records[0].1)["touches"], Value::Number(1.0));
    }
    assert_eq!(fake.count(|s| s.soql.contains("FROM User")), 1);
}

#[actix_web::test]
async fn a_partial_failure_settles_item_by_item_in_one_call() {
    let partial = fixture!("rest-collections-partial.json")["body"].clone();
    let (fake, url) = signing_in(move |_| reply(200, &partial));
    let writes: Vec<Write> = (1..=5).map(|n| owner_write(&format!("00Q5g00000LeAd{n}"))).collect();
    let results = crm(&url).write(Object::Lead, &writes).await.unwrap();
    let noon = Timestamp::parse(NOON).unwrap();
    assert!(matches!(&results[0], ItemResult::Done { modified, .. } if *modified == noon), "{:?}", results[0]);
    assert!(matches!(results[1], ItemResult::Gone { .. }));
    assert!(matches!(results[2], ItemResult::Refused { .. }));
    assert!(matches!(results[3], ItemResult::Refused { .. }));
    assert!(matches!(results[4], ItemResult::Later { .. }));
    let calls: Vec<Seen> = fake.requests().into_iter().filter(|s| s.method == "PATCH").collect();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path, "/services/data/v67.0/composite/sobjects");
    assert_eq!(calls[0].headers["sforce-auto-assign"], "FALSE");
    assert_eq!(calls[0].headers["sforce-duplicate-rule-header"], "allowSave=true");
    assert_eq!(calls[0].headers["sforce-call-options"], "client=leadpact");
    let body = calls[0].json();
    assert_eq!(body["allOrNone"], json!(false));
    let first = json!({ "attributes": { "type": "Lead" }, "id": LEAD_1, "OwnerId": "00G5g000001QueAEAS" });
    assert_eq!(body["records"][0], first);
}

#[actix_web::test]
async fn what_cannot_be_sent_is_refused_and_the_others_keep_their_places() {
    let (fake, url) = signing_in(|_| reply(200, &json!([{ "id": LEAD_2, "success": true, "errors": [] }])));
    let nobody = Write { id: RecordId::new(LEAD_1), values: vec![(well_known().owner, Value::Null)] };
    let unmapped = Write { id: RecordId::new(LEAD_1), values: vec![(FieldName::new("flag"), Value::Bool(true))] };
    let crm = crm(&url);
    let writes = [nobody.clone(), owner_write(LEAD_2), owner_write(LEAD_2)];
    let results = crm.write(Object::Lead, &writes).await.unwrap();
    assert!(matches!(results[0], ItemResult::Refused { .. }));
    assert!(matches!(&results[1], ItemResult::Done { note: Some(id), .. } if id == LEAD_2));
    assert!(matches!(results[2], ItemResult::Later { .. }), "one call cannot name a record twice");
    crm.write(Object::Lead, &[nobody, unmapped]).await.unwrap();
    assert_eq!(fake.count(|s| s.method == "PATCH"), 1, "nothing to send, nothing sent");
}

#[actix_web::test]
async fn a_write_without_an_answer_is_in_doubt_and_is_not_repeated() {
    let (fake, url) = signing_in(|_| Reply { after: Duration::from_secs(5), ..reply(200, &json!([])) });
    let error = crm(&url).write(Object::Lead, &[owner_write(LEAD_1)]).await.unwrap_err();
    assert!(matches!(error, CrmError::Doubt { .. }), "{error}");
    assert_eq!(fake.count(|s| s.method == "PATCH"), 1);
}

#[actix_web::test]
async fn a_whole_call_that_fails_says_what_to_do_next() {
    for (status, body, expected) in [
        (500, json!([{ "errorCode": "UNKNOWN_EXCEPTION", "message": "x" }]), "doubt"),
        (403, json!([{ "errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "x" }]), "900 s"),
        (400, json!([{ "errorCode": "UNABLE_TO_LOCK_ROW", "message": "x" }]), "later"),
        (400, json!([{ "errorCode": "JSON_PARSER_ERROR", "message": "x" }]), "never"),
        (200, json!([]), "doubt"),
        (200, json!({ "odd": true }), "doubt"),
        (302, json!(null), "never"),
        (429, json!([]), "30 s"),
    ] {
        let (_, url) =
            signing_in(move |_| Reply { retry_after: (status == 429).then_some("30"), ..reply(status, &body) });
        let told = match crm(&url).write(Object::Lead, &[owner_write(LEAD_1)]).await.unwrap_err() {
            CrmError::Doubt { .. } => "doubt".to_owned(),
            CrmError::Never { .. } => "never".to_owned(),
            CrmError::SignIn { .. } => "sign in".to_owned(),
            CrmError::Later { after: None, .. } => "later".to_owned(),
            CrmError::Later { after: Some(after), .. } => format!("{} s", after.as_secs()),
        };
        assert_eq!(told, expected, "status {status}");
    }
}

#[actix_web::test]
async fn tasks_are_made_in_one_call_and_found_again_by_their_keys() {
    let made = Arc::new(Mutex::new(Vec::<Json>::new()));
    let kept = made.clone();
    let (fake, url) = signing_in(move |seen| {
        let mut kept = kept.lock().unwrap();
        if seen.method != "POST" {
            return rows(json!(*kept));
        }
        let mut results = Vec::new();
        for mut record in seen.json()["records"].as_array().unwrap().clone() {
            let id = format!("00T5g00000000{:02}", kept.len());
            record["Id"] = json!(id);
            results.push(json!({ "id": id, "success": true, "errors": [] }));
            kept.push(record);
        }
        reply(201, &json!(results))
    });
    let crm = crm(&url);
    let tasks = [task(LEAD_1, "a"), task(LEAD_2, "b")];
    assert_eq!(crm.find_tasks(&tasks).await.unwrap(), [None, None]);
    let results = crm.create_tasks(&tasks).await.unwrap();
    let ItemResult::Done { note: Some(second), .. } = &results[1] else { panic!("{results:?}") };
    assert_eq!(second.len(), 18);
    let sought = [task(LEAD_2, "b"), task(LEAD_2, "a"), task(LEAD_1, "a")];
    let found = crm.find_tasks(&sought).await.unwrap();
    assert_eq!(found[0].as_ref(), Some(second));
    assert!(found[1].is_none() && found[2].is_some());
    assert_eq!(fake.count(|s| s.path == "/services/data/v67.0/composite/sobjects"), 1);
    assert_eq!(made.lock().unwrap()[0]["WhoId"], json!(LEAD_1));
}

#[actix_web::test]
async fn people_are_users_active_or_not_and_queues() {
    let (_, url) = signing_in(|seen| match seen.soql.contains("FROM User") {
        true => rows(json!([
            { "Id": "0055g00000AbCdE", "Name": "Amy Ng", "Email": "amy@acme.example", "IsActive": true, "ManagerId": "005000000000001" },
            { "Id": "005000000000002AAA", "Name": "Ben", "Email": null, "IsActive": false, "ManagerId": null },
        ])),
        false => rows(json!([{ "Id": "00G5g000001QueA", "Name": "Inbound queue", "DeveloperName": "Inbound" }])),
    });
    let people = crm(&url).people().await.unwrap();
    assert_eq!(people[0].id.as_str(), AMY);
    assert_eq!(people[0].manager.as_ref().unwrap().as_str(), "005000000000001AAA");
    assert!(!people[1].active && people[1].email.is_none());
    assert_eq!((people[2].id.as_str(), people[2].queue), ("00G5g000001QueAEAS", true));
}

#[actix_web::test]
async fn a_page_begins_behind_the_last_row_of_the_one_before_it() {
    let modified = |n: usize| format!("2026-01-05T11:{:02}:{:02}.000+0000", n / 60, n % 60);
    let row =
        move |n: usize| json!({ "Id": format!("00Q5g0000{n:06}"), "SystemModstamp": modified(n), "IsDeleted": false });
    let (fake, url) = signing_in(move |seen| match seen.soql.contains("AND Id > ") {
        false if seen.asks_for("Lead") => rows((0..1_000).map(row).collect()),
        true => rows(json!([row(1_000)])),
        false => rows(json!([])),
    });
    let (crm, since) = (crm(&url), Timestamp::parse("2026-01-05T11:00:00Z").unwrap());
    let first = crm.search(Object::Lead, Sought::Since(since), None).await.unwrap();
    assert_eq!((first.found.len(), first.at), (1_000, Timestamp::parse(NOON).unwrap()));
    let second = crm.search(Object::Lead, Sought::Since(since), first.next.as_ref()).await.unwrap();
    assert_eq!(second.found.len(), 1);
    let asked: Vec<String> = fake.requests().into_iter().map(|s| s.soql).filter(|q| !q.is_empty()).collect();
    assert!(
        asked[0].contains("WHERE SystemModstamp >= 2026-01-05T11:00:00.000Z ORDER BY SystemModstamp, Id"),
        "{asked:?}"
    );
    let behind = "(SystemModstamp = 2026-01-05T11:16:39.000Z AND Id > '00Q5g0000000999";
    assert!(asked[1].contains(behind), "{}", asked[1]);
    assert!(fake.requests().iter().any(|s| s.path.ends_with("/queryAll")));
}

#[actix_web::test]
async fn activities_that_are_hidden_end_a_search_without_failing_it() {
    let hidden =
        || reply(400, &json!([{ "errorCode": "INVALID_TYPE", "message": "sObject type 'Task' is not supported." }]));
    let (_, url) = signing_in(move |seen| if seen.asks_for("Lead") { rows(json!([])) } else { hidden() });
    let (crm, mut next, mut pages) = (crm(&url), None, 0);
    loop {
        let page = crm.search(Object::Lead, Sought::Since(Timestamp::from_millis(0)), next.as_ref()).await.unwrap();
        (next, pages) = (page.next, pages + 1);
        if next.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
}

#[actix_web::test]
async fn an_owner_in_history_is_the_row_with_the_id_and_hidden_history_is_none() {
    let row = |field: &str, new: &str| json!({ "LeadId": LEAD_1, "Field": field, "NewValue": new, "CreatedDate": NOON, "CreatedById": AMY });
    let told = json!([row("Owner", "Amy Ng"), row("Owner", "0055g00000AbCdE"), row("created", "x")]);
    let (_, url) = signing_in(move |_| rows(told.clone()));
    let asked = [(RecordId::new(LEAD_1), Timestamp::MIN)];
    let events = crm(&url).histories(Object::Lead, &asked).await.unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].says, leadpact::crm::Says::Changed(vec![(well_known().owner, Value::text(AMY))]));
    let (_, url) = signing_in(|_| reply(400, &json!([{ "errorCode": "INVALID_TYPE", "message": "" }])));
    assert_eq!(crm(&url).histories(Object::Lead, &asked).await.unwrap(), []);
}

#[actix_web::test]
async fn a_stage_in_history_tells_the_status_that_it_meant() {
    let row = |stage: &str, at: &str| json!({ "OpportunityId": DEAL, "Field": "StageName", "NewValue": stage, "CreatedDate": at, "CreatedById": AMY });
    let stage =
        |label: &str, closed, won| json!({ "MasterLabel": label, "ApiName": label, "IsClosed": closed, "IsWon": won });
    let (_, url) = signing_in(move |seen| match seen.soql.contains("FROM OpportunityStage") {
        true => {
            rows(json!([stage("Signed", true, true), stage("Dropped", true, false), stage("Proposal", false, false)]))
        }
        false => rows(json!([row("Proposal", NOON), row("signed", NOON), row("Renamed since", NOON)])),
    });
    let events = crm(&url).histories(Object::Opportunity, &[(RecordId::new(DEAL), Timestamp::MIN)]).await.unwrap();
    let status = |event: &leadpact::crm::Event| match &event.says {
        leadpact::crm::Says::Changed(values) => {
            values.iter().find(|(name, _)| *name == well_known().status).map(|(_, value)| value.clone())
        }
        other => panic!("{other:?}"),
    };
    let statuses: Vec<_> = events.iter().map(status).collect();
    assert_eq!(statuses, [Some(Value::text("open")), Some(Value::text("won")), None]);
}

fn setup(seen: &Seen) -> Reply {
    let column = |name: &str, kind: &str, updateable| json!({ "name": name, "type": kind, "updateable": updateable });
    match (seen.method.as_str(), seen.path.as_str()) {
        (_, "/services/data/v67.0/") => {
            reply(200, &json!({ "identity": "https://login.salesforce.com/id/00D5g000004XyZaEAK/0055g00000AbCdEAAV" }))
        }
        (_, "/services/data/v67.0/sobjects/Lead/describe") => {
            let mut status = column("Status", "picklist", true);
            status["restrictedPicklist"] = json!(true);
            let value = |value: &str, active| json!({ "value": value, "active": active, "label": value });
            status["picklistValues"] = json!([value("Open", true), value("Nurture", false)]);
            let mut campaign = column("Campaign__c", "reference", true);
            campaign["relationshipName"] = json!("Campaign__r");
            let fields = json!([column("OWNERID", "reference", false), status, campaign]);
            reply(200, &json!({ "queryable": true, "createable": true, "updateable": true, "fields": fields }))
        }
        (_, "/services/data/v67.0/sobjects/Task/describe") => {
            reply(404, &json!([{ "errorCode": "NOT_FOUND", "message": "The requested resource does not exist" }]))
        }
        ("POST", "/services/data/v67.0/tooling/sobjects/CustomField") if seen.body.contains("Lead.Flag__c") => reply(
            400,
            &json!([{ "errorCode": "DUPLICATE_DEVELOPER_NAME", "message": "There is already a field named Flag__c" }]),
        ),
        ("POST", _) => reply(201, &json!({ "id": "0PS5g0000000001AAA", "success": true, "errors": [] })),
        ("GET", path) if path.ends_with("/query") => rows(json!([])),
        _ => reply(200, &json!({ "queryable": true, "updateable": false, "fields": [] })),
    }
}

#[actix_web::test]
async fn a_description_tells_which_fields_exist_can_be_written_and_take_a_value() {
    let (_, url) = signing_in(setup);
    let mut settings = connection(&url);
    for (name, theirs) in [("campaign", "Campaign__r.Name"), ("source", "Web.Name")] {
        settings.fields.insert((Object::Lead, FieldName::new(name)), theirs.to_owned());
    }
    let status = (Object::Lead, well_known().status);
    let writes = BTreeMap::from([(status, vec![Value::text("open"), Value::text("Nurture")])]);
    let told = client(&settings).examine(&Wanted { writes, tasks: true }).await.unwrap();

    let account = told.account.unwrap();
    assert_eq!((account.id.as_str(), account.user.as_deref()), ("00D5g000004XyZaEAK", Some(AMY)));
    let denied: Vec<String> =
        told.permissions.unwrap().into_iter().filter(|p| !p.granted).map(|permission| permission.name).collect();
    assert_eq!(denied, ["Task: Create", "Task: Read"]);
    let fields = told.objects[0].fields.as_ref().unwrap();
    let found = |name: &str| &fields.iter().find(|field| field.name.as_str() == name).unwrap().found;
    assert!(matches!(found("owner"), Found::There { writable: false, fits: true, .. }), "names in any case");
    let Found::There { untaken, .. } = found("status") else { panic!() };
    assert_eq!(untaken, &["Nurture"], "a value that is not active is not taken");
    assert!(matches!(found("campaign"), Found::There { .. }), "through a relationship");
    assert_eq!(found("source"), &Found::Missing);
    assert_eq!(found("email"), &Found::Missing);
}

#[actix_web::test]
async fn a_field_that_is_there_but_hidden_is_shown_by_the_permission_set_instead_of_created() {
    let (fake, url) = signing_in(setup);
    let own =
        |crm_name: &str| OwnField { object: Object::Lead, name: well_known().flag, crm_name: crm_name.to_owned() };
    let made = crm(&url).create_fields(&[own("Flag__c"), own("New__c"), own("Standard")]).await;
    let told: Vec<(String, Option<bool>)> = made.into_iter().map(|one| (one.what, one.new.ok())).collect();
    let expected = [
        ("field Lead.Flag__c", Some(false)),
        ("field Lead.New__c", Some(true)),
        ("field Lead.Standard", None),
        ("permission set Leadpact_Fields", Some(true)),
        ("access to Lead.Flag__c by Leadpact_Fields", Some(true)),
        ("access to Lead.New__c by Leadpact_Fields", Some(true)),
        ("Leadpact_Fields for leadpact's user", Some(true)),
    ];
    assert_eq!(told, expected.map(|(what, new)| (what.to_owned(), new)));
    let sent = fake.requests();
    let field = sent.iter().find(|seen| seen.body.contains("Lead.New__c")).unwrap().json();
    assert_eq!(field["Metadata"]["type"], "Checkbox");
    assert_eq!(field["Metadata"]["defaultValue"], "false", "a checkbox cannot be made without");
    let access = sent.iter().find(|seen| seen.path.ends_with("/sobjects/FieldPermissions")).unwrap().json();
    assert_eq!((&access["Field"], &access["PermissionsEdit"]), (&json!("Lead.Flag__c"), &json!(true)));
}
