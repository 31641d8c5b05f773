//! The API and its own document: each says what the other does; refusals are of one shape; and whatever
//! is asked, well or badly, is answered as the document says.

use crate::document::{Got, differs, document};
use crate::house::{House, at_work};
use crate::odd;
use leadpact::record::Elapsed;
use leadpact::store::Priority;
use leadpact::store::api_token::{self, ApiToken};
use leadpact::store::role::{Permission, Role};
use leadpact::store::secret::Secret;
use leadpact::web::openapi;
use leadpact::web::routes::{Needs, Verb};
use proptest::test_runner::TestRunner;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Requests of each operation.
const TRIES: u32 = 40;

pub async fn token(house: &House, scope: Role) -> Secret {
    let secret = Secret::fresh("leadpact_");
    let token = ApiToken {
        name: format!("a program that may {}", scope.as_scope()),
        scope,
        created_at: at_work(),
        created_by: "tests".to_owned(),
        expires_at: at_work() + Elapsed::from_secs(86_400),
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    assert!(api_token::add(&mut tx, &secret, &token).await.unwrap());
    tx.commit().await.unwrap();
    secret
}

fn with(house: &House, token: &Secret, method: Method, path: &str) -> RequestBuilder {
    house.as_nobody(method, path).bearer_auth(token.expose())
}

fn method(verb: Verb) -> Method {
    Method::from_bytes(verb.method().as_str().as_bytes()).unwrap()
}

async fn read(response: Response) -> (u16, Json) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    (status, response.json().await.unwrap())
}

/// What a program is answered; `Null` sends no body.
pub async fn ask(house: &House, token: &Secret, verb: Method, path: &str, body: Json) -> (u16, Json) {
    let request = with(house, token, verb, path);
    let request = if body.is_null() { request } else { request.json(&body) };
    read(request.send().await.unwrap()).await
}

/// What a program is answered where that is no JSON: its kind and its bytes.
pub async fn file(house: &House, token: &Secret, path: &str) -> (String, Vec<u8>) {
    let response = with(house, token, Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, response.bytes().await.unwrap().to_vec())
}

#[test]
fn every_address_of_the_api_is_in_the_document_and_the_other_way_round() {
    let name = |verb: Verb, path: &str| format!("{:?} {path}", verb);
    let served: BTreeSet<String> = openapi::served().map(|entry| name(entry.verb, entry.path)).collect();
    let told: BTreeSet<String> = openapi::operations().iter().map(|o| name(o.verb, o.path)).collect();
    assert_eq!(served, told);
    assert!(served.len() > 10, "{}", served.len());
}

#[test]
fn the_document_holds_together() {
    let paths = document()["paths"].as_object().unwrap();
    let operations: Vec<(&String, &Json)> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().values().map(move |o| (path, o)))
        .collect();
    let ids: BTreeSet<&str> = operations.iter().map(|(_, o)| o["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len(), "each operation has an id of its own");
    for (path, operation) in &operations {
        assert!(operation["summary"].as_str().is_some_and(|s| !s.is_empty()), "{path}");
        let named = path.matches('{').count();
        let parameters = operation["parameters"].as_array().unwrap();
        let of_path: Vec<&Json> = parameters.iter().filter(|p| p["in"] == "path").collect();
        assert_eq!(of_path.len(), named, "{path}");
        for parameter in parameters {
            assert!(parameter["description"].as_str().is_some_and(|s| !s.is_empty()), "{path}: {}", parameter["name"]);
        }
    }
    let text = document().to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(!document()["components"]["schemas"][name].is_null(), "{name}");
    }
}

#[test]
fn what_is_no_json_is_described_by_its_kind_and_held_to_it() {
    let kinds = |answer: &Json| answer["content"].as_object().unwrap().keys().next().unwrap().clone();
    let mut files = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (status, answer) in methods.as_object().unwrap().values().flat_map(|o| o["responses"].as_object().unwrap())
        {
            let kind = kinds(answer);
            if kind != "application/json" {
                files.push((path.rsplit('/').next().unwrap(), status.as_str(), kind));
            }
        }
    }
    let pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    let wanted = [
        ("slides.html", "200", "text/html"),
        ("slides.pptx", "200", pptx),
        ("campaigns.csv", "200", "text/csv"),
        ("journal.csv", "200", "text/csv"),
    ];
    files.sort();
    let mut wanted = wanted.map(|(path, status, kind)| (path, status, kind.to_owned()));
    wanted.sort();
    assert_eq!(files, wanted);
    let differs = |path: &str, status, kind, body| differs("GET", Some(path), Got { status, kind, body });
    let (csv, clocks) = ("/api/v1/journal.csv", "/api/v1/clocks");
    assert_eq!(differs(csv, 200, "text/csv; charset=utf-8", None), None, "piece by piece");
    assert_eq!(differs(csv, 200, "text/csv", Some(b"x")), None);
    for (path, status, kind, body) in [
        (csv, 200, "text/html; charset=utf-8", None),
        (csv, 200, "application/json", Some(b"{}".as_slice())),
        (csv, 200, "text/csv", Some(b"".as_slice())),
        (csv, 204, "text/csv", None),
        (csv, 404, "text/csv", Some(b"x".as_slice())),
        (clocks, 200, "text/csv", Some(b"x".as_slice())),
        (clocks, 200, "application/json", None),
    ] {
        assert!(differs(path, status, kind, body).is_some(), "{path} {status} {kind} {body:?}");
    }
}

/// What is sent may hold nothing that is not described, at any depth; what is answered may grow.
#[test]
fn bodies_are_closed_and_answers_open() {
    fn open(shape: &Json) -> bool {
        let is_object = shape["properties"].is_object() && shape["additionalProperties"] != false;
        is_object || shape.as_object().into_iter().flatten().any(|(_, part)| open(part))
    }
    let (mut bodies, mut answers) = (0, 0);
    for (path, methods) in openapi::document()["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let body = &operation["requestBody"];
            bodies += usize::from(body.is_object());
            assert!(!open(body), "{path}: {body}");
            answers += usize::from(open(&operation["responses"]));
        }
    }
    assert!(bodies > 20 && answers > 20, "{bodies} {answers}");
}

/// The server's parser takes an address of 64 KiB and answers nothing that is ours beyond it.
#[tokio::test]
async fn the_longest_request_that_the_document_allows_is_read() {
    let house = House::start().await;
    let admin = token(&house, Role::Admin).await;
    for (path, methods) in document()["paths"].as_object().unwrap() {
        let parameters = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let texts = parameters.iter().filter(|p| p["in"] == "query" && p["schema"]["type"] == "string");
        let longest = texts.filter(|p| p["schema"]["enum"].is_null()).map(|parameter| {
            let most = parameter["schema"]["maxLength"].as_u64().unwrap_or_else(|| panic!("{path}: {parameter}"));
            let is_free = parameter["schema"]["pattern"] == "^[^\\u0000]*$";
            let wide = if is_free { "%F0%9F%98%80" } else { "9" };
            format!("{}={}", parameter["name"].as_str().unwrap(), wide.repeat(most as usize))
        });
        let query = longest.collect::<Vec<_>>().join("&");
        if query.is_empty() {
            continue;
        }
        let path = path.replace("{connection}", "acme-hubspot").replace("{template}", "breach");
        let answer = with(&house, &admin, Method::GET, &format!("{path}?{query}")).send().await.unwrap();
        assert!(answer.status().as_u16() < 500, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn records_are_found_by_name_and_by_id() {
    let house = House::start().await;
    crate::pages::with_a_lead(&house).await;
    let reader = token(&house, Role::Viewer).await;
    for (q, found) in [("7001", 1), ("%3Cscri", 1), ("nobody", 0), ("", 0)] {
        let (status, told) = ask(&house, &reader, Method::GET, &format!("/api/v1/find?q={q}"), Json::Null).await;
        let records = told["records"].as_array().unwrap();
        assert_eq!((status, records.len(), &told["more"]), (200, found, &json!(false)), "{q}: {told}");
        for record in records {
            assert_eq!((&record["record"]["id"], &record["owner"]), (&json!("7001"), &json!("7020")));
            assert_eq!(record["owner_name"], "Amy <b>Ng</b>");
        }
    }
}

#[tokio::test]
async fn the_document_is_served_with_the_scope_of_each_operation() {
    let house = House::start().await;
    let reader = token(&house, Role::Viewer).await;
    let (status, served) = read(with(&house, &reader, Method::GET, "/api/v1/openapi.json").send().await.unwrap()).await;
    assert_eq!((status, &served["openapi"]), (200, &json!("3.1.0")));
    let security = |path: &str, method: &str| served["paths"][path][method]["security"].clone();
    assert_eq!(security("/api/v1/clocks", "get"), json!([{ "token": ["read"] }]));
    assert_eq!(security("/api/v1/connections/{connection}/pause", "post"), json!([{ "token": ["operate"] }]));
    assert_eq!(security("/api/v1/connections/{connection}/arm", "post"), json!([{ "token": ["admin"] }]));
    let page = house.text("/api").await;
    for operation in openapi::operations() {
        assert!(page.contains(operation.path), "{}", operation.path);
    }
    assert!(page.contains("Authorization: Bearer $TOKEN"), "{page}");
    assert!(page.contains("Answers a file of the kind text/csv.") && page.contains("curl -O -H"), "{page}");
}

#[tokio::test]
async fn whatever_is_refused_is_refused_in_json() {
    let house = House::start().await;
    let admin = token(&house, Role::Admin).await;
    let pause = "/api/v1/connections/acme-hubspot/pause";
    let ask = |verb: Method, path: &str| with(&house, &admin, verb, path);
    let json_kind = ("content-type", "application/json");
    let post = |body: &str| ask(Method::POST, pause).header(json_kind.0, json_kind.1).body(body.to_owned());
    for (request, status, says) in [
        (ask(Method::GET, "/api/v1/nothing"), 404, "no such address"),
        (ask(Method::GET, "/api/"), 404, "no such address"),
        (ask(Method::DELETE, "/api/v1/clocks"), 405, "this address takes GET"),
        (ask(Method::PATCH, pause), 405, "this address takes POST"),
        (ask(Method::GET, "/api/v1/clocks?limit=251"), 400, "`limit` is at most 250"),
        (
            ask(Method::GET, "/api/v1/clocks?limti=5"),
            400,
            "`limti` is no parameter of this address: did you mean `limit`?",
        ),
        (ask(Method::GET, "/api/v1/clocks?after=x"), 400, "`after` is not what an answer's `next` said"),
        (ask(Method::GET, "/api/v1/people/nobody"), 404, "no connection is called so"),
        (ask(Method::GET, "/api/v1/clocks?connection=nobody"), 404, "no connection is called so"),
        (ask(Method::GET, "/api/v1/deliveries?connection=nobody"), 404, "no connection is called so"),
        (ask(Method::GET, "/api/v1/disputes?connection=nobody"), 404, "no connection is called so"),
        (ask(Method::GET, "/api/v1/journal?connection=nobody"), 404, "no connection is called so"),
        (ask(Method::GET, "/api/v1/people/acme-hubspot?after=x"), 400, "`after` is not what an answer's `next` said"),
        (ask(Method::GET, "/api/v1/find"), 400, "`q` is missing"),
        (ask(Method::GET, "/api/v1/disputes?state=lost"), 400, "`state` is one of "),
        (ask(Method::GET, "/api/v1/deliveries?state=lost"), 400, "`state` is one of "),
        (ask(Method::POST, "/api/v1/health/check"), 409, "nobody checks from here"),
        (ask(Method::GET, "/api/v1/simulations/x"), 404, "there is no such simulation"),
        (ask(Method::GET, "/api/v1/templates/x"), 404, "No message has this template"),
        (post("{"), 400, "the body is no JSON: EOF while parsing an object at line 1 column 1"),
        (post("[]"), 400, "the body is a JSON object"),
        (post("{\"unitl\":\"x\"}"), 400, "`unitl` is no field of this body: did you mean `until`?"),
        (post("{\"until\":\"tomorrow\"}"), 400, "`until` is a moment such as 2027-01-05T14:00:00Z"),
        (post("{\"until\":\"2001-01-01T00:00:00Z\"}"), 409, "`until` is over already"),
        (post(&format!("{{\"why\":\"{}\"}}", "x".repeat(2000))), 400, "`why` has at most 1000 characters"),
        (post(&" ".repeat(300_000)), 413, "the body is too large"),
        (
            ask(Method::POST, pause).body("why=x").header("content-type", "text/plain"),
            415,
            "the body is JSON: say `Content-Type: application/json`",
        ),
        (
            ask(Method::POST, "/api/v1/connections/acme-hubspot/release")
                .json(&json!({ "only": [{ "object": "lead", "id": "7" }] })),
            404,
            "nothing is held of lead 7",
        ),
        (
            ask(Method::POST, "/api/v1/attestations").json(&json!({ "commitment": "No such", "answer": true })),
            409,
            "no commitment is called `No such`",
        ),
    ] {
        let (got, told) = read(request.send().await.unwrap()).await;
        let text = told["error"].as_str().unwrap();
        assert_eq!(got, status, "{text}");
        assert!(text.starts_with(says), "{text}");
    }
    let refused = ask(Method::PATCH, pause).send().await.unwrap();
    assert_eq!(
        (&refused.headers()["allow"], &refused.headers()["x-content-type-options"]),
        (&"POST".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    let nobody = house.as_nobody(Method::POST, pause).body("{").send().await.unwrap();
    assert_eq!(read(nobody).await.0, 401, "who is not known learns nothing else");
}

#[tokio::test]
async fn a_program_pauses_arms_and_lets_go_as_the_commands_do() {
    let house = House::start().await;
    let (operator, admin) = (token(&house, Role::Operator).await, token(&house, Role::Admin).await);
    let ask = async |token: &Secret, verb: Method, path: &str, body: Json| {
        read(with(&house, token, verb, path).json(&body).send().await.unwrap()).await
    };
    let until = "2999-01-01T00:00:00.000Z";
    let (status, told) = ask(
        &operator,
        Method::POST,
        "/api/v1/connections/acme-hubspot/pause",
        json!({ "until": until, "why": "moving" }),
    )
    .await;
    assert_eq!(status, 200);
    let paused = &told["connections"][0]["paused"];
    assert_eq!(
        (&paused["until"], &paused["by"], &paused["everywhere"]),
        (&json!(until), &json!("a program that may operate"), &json!(false))
    );
    let (_, told) = ask(&operator, Method::POST, "/api/v1/pause", json!({})).await;
    assert!(told["connections"].as_array().unwrap().iter().all(|c| c["paused"]["everywhere"] == true), "{told}");
    let resumed = with(&house, &operator, Method::POST, "/api/v1/resume").send().await.unwrap();
    let (status, told) = read(resumed).await;
    assert_eq!((status, &told["connections"][0]["paused"]["until"]), (200, &json!(until)), "its own pause stays");
    let (_, told) = ask(&operator, Method::POST, "/api/v1/connections/acme-hubspot/resume", json!({})).await;
    assert_eq!(told["connections"][0]["paused"], Json::Null);

    let arm = "/api/v1/connections/acme-hubspot/arm";
    assert_eq!(ask(&operator, Method::POST, arm, json!({})).await.0, 403);
    let (status, told) = ask(&admin, Method::POST, arm, json!({ "include_overdue": true })).await;
    assert_eq!((status, &told["connections"][0]["armed"], &told["moves"]), (200, &json!(true), &json!(0)));
    let (_, told) =
        ask(&admin, Method::POST, "/api/v1/connections/acme-hubspot/disarm", json!({ "why": "enough" })).await;
    assert_eq!(told["connections"][0]["armed"], false);

    let absence = "/api/v1/people/acme-hubspot/7020/absence";
    let (status, told) = ask(&operator, Method::PUT, absence, json!({ "until": until })).await;
    assert_eq!((status, &told["absence"]["until"]), (200, &json!(until)));
    let (_, told) = read(with(&house, &operator, Method::DELETE, absence).send().await.unwrap()).await;
    assert_eq!(told["was_away"], true);
    let (_, told) = read(with(&house, &operator, Method::DELETE, absence).send().await.unwrap()).await;
    assert_eq!(told["was_away"], false);
    let (status, told) =
        ask(&operator, Method::POST, "/api/v1/connections/acme-hubspot/release", json!({ "discard": true })).await;
    assert_eq!((status, told), (200, json!({ "moves": 0, "breaker_counts_afresh": false })));
}

/// Deterministic: what fails once fails again, and says what was sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_is_answered_as_the_document_says() {
    let house = House::start().await;
    crate::pages::with_a_lead(&house).await;
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, token(&house, role).await));
    }
    let mut runner = TestRunner::deterministic();
    let mut wrong = Vec::new();
    for entry in openapi::served() {
        let Needs::Permission(permission) = entry.needs else { panic!("{} is open", entry.path) };
        let operation = &document()["paths"][entry.path][method(entry.verb).as_str().to_lowercase()];
        let good = odd::good(entry.path, operation);
        let unknown = house.as_nobody(method(entry.verb), &good.path);
        assert_eq!(good.on(unknown).send().await.unwrap().status(), 401, "{}", entry.path);
        wrong.extend(closed_to_others(&house, &tokens, permission, entry.verb, &good).await);
        let (_, admin) = tokens.last().unwrap();
        for _ in 0..TRIES {
            let asked = odd::request(&mut runner, entry.path, operation);
            let request = asked.on(with(&house, admin, method(entry.verb), &asked.path));
            wrong.extend(check(entry.verb, entry.path, request.send().await, &asked).await);
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

async fn closed_to_others(
    house: &House,
    tokens: &[(Role, Secret)],
    permission: Permission,
    verb: Verb,
    good: &odd::Asked,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (role, token) in tokens {
        let answer = good.on(with(house, token, method(verb), &good.path)).send().await.unwrap();
        let is_refused = answer.status() == 403;
        if is_refused == role.may(permission) {
            wrong.push(format!("{verb:?} {} answers {} to {role}", good.path, answer.status()));
        }
    }
    wrong
}

async fn check(verb: Verb, pattern: &str, answer: reqwest::Result<Response>, asked: &odd::Asked) -> Option<String> {
    let told = |what: String| Some(format!("{verb:?} {asked}: {what}"));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return told(format!("no answer: {error:?}")),
    };
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = match answer.bytes().await {
        Ok(body) => body,
        Err(error) => return told(format!("no whole answer: {error}")),
    };
    let text = String::from_utf8_lossy(&body).chars().take(300).collect::<String>();
    if status >= 500 {
        return told(format!("{status} {text}"));
    }
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("cache-control", "no-store"), ("x-frame-options", "DENY")]
    {
        if headers.get(name).is_none_or(|v| v != value) {
            return told(format!("{status} without {name}"));
        }
    }
    // Where an odd path leads to no address at all, there is nothing in the document.
    if status == 404 || status == 405 {
        return None;
    }
    if asked.is_broken && status < 400 {
        return told(format!("{status}, though the document does not allow it"));
    }
    let kind = headers.get("content-type").map(|kind| kind.to_str().unwrap()).unwrap_or_default();
    differs(method(verb).as_str(), Some(pattern), Got { status, kind, body: Some(&body) }).and_then(told)
}
