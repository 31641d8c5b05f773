//! Every call that leadpact makes to Slack's Web API fits the published description: method, arguments
//! and their types. The description is of 2021; what Slack's pages say in another way today is named here.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use leadpact::notify::settings::SlackSettings;
use leadpact::notify::slack::Slack;
use leadpact::notify::{Destination, Notifier, Rendered};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};

const CONTRACT: &str = include_str!("../fixtures/specs/slack-web-api-subset.openapi2.json");

/// A call as it came: method, path below `/api`, query, content type, body.
#[derive(Clone)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

type Log = Arc<Mutex<Vec<Sent>>>;

async fn take(request: HttpRequest, body: String, log: web::Data<Mutex<Vec<Sent>>>) -> HttpResponse {
    let text = |v: &actix_web::http::header::HeaderValue| v.to_str().unwrap().to_owned();
    log.lock().unwrap().push(Sent {
        method: request.method().as_str().to_lowercase(),
        path: request.path().trim_start_matches("/api").to_owned(),
        query: request.query_string().to_owned(),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    });
    HttpResponse::Ok().json(json!({
        "ok": true, "channel": "C1", "ts": "1.1", "user": { "id": "U1" }, "channels": [], "response_metadata": {},
    }))
}

fn serve() -> (Log, String) {
    let log = Log::default();
    let data = web::Data::from(log.clone());
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(take)))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let url = format!("http://{}/api", server.addrs()[0]);
    tokio::spawn(server.run());
    (log, url)
}

/// What is wrong with a call.
fn judge(contract: &Json, sent: &Sent) -> Vec<String> {
    let header = |name: &str| sent.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    let told = &contract["paths"][&sent.path][&sent.method];
    if told.is_null() {
        return vec!["no such method".to_owned()];
    }
    let mut problems = Vec::new();
    // Today a token goes into this header in every method, and never into an address.
    if !header("authorization").starts_with("Bearer xoxb-") {
        problems.push("no bearer token".to_owned());
    }
    if !sent.body.is_empty() && header("content-type") != "application/json; charset=utf-8" {
        problems.push(format!("the body is said to be {}", header("content-type")));
    }
    let body: Json = serde_json::from_str(&sent.body).unwrap_or_else(|_| json!({}));
    let pairs = url::form_urlencoded::parse(sent.query.as_bytes()).map(|(name, v)| (name.into_owned(), Json::from(v)));
    let from_body = body.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone()));
    let arguments: Vec<(String, Json)> = pairs.chain(from_body).collect();
    let known = told["parameters"].as_array().unwrap();
    for (name, value) in &arguments {
        match known.iter().find(|p| p["name"] == **name && p["name"] != "token") {
            None => problems.push(format!("the argument {name} is unknown")),
            Some(parameter) if !is_of(parameter, value) => {
                problems.push(format!("{name} is no {}: {value}", parameter["type"]))
            }
            Some(_) => {}
        }
    }
    let missing = known.iter().filter(|p| p["required"] == true && p["name"] != "token");
    let missing = missing.filter(|p| !arguments.iter().any(|(name, _)| p["name"] == **name));
    problems.extend(missing.map(|p| format!("{} is missing", p["name"])));
    problems
}

/// In a form all is text; in JSON, blocks are the list itself, and flags are booleans.
fn is_of(parameter: &Json, value: &Json) -> bool {
    let in_query = parameter["in"] == "query";
    match (parameter["type"].as_str().unwrap_or_default(), value) {
        (_, Json::Array(blocks)) => parameter["name"] == "blocks" && !blocks.is_empty() && blocks.len() <= 50,
        ("boolean", Json::Bool(_)) => true,
        ("boolean", Json::String(text)) => in_query && ["true", "false"].contains(&text.as_str()),
        ("integer", Json::String(text)) => in_query && text.parse::<u64>().is_ok(),
        ("string", Json::String(text)) => !text.is_empty(),
        _ => false,
    }
}

#[tokio::test]
async fn every_call_to_slack_fits_its_description() {
    let (log, base_url) = serve();
    let slack = Slack::new(&SlackSettings { token: Some("xoxb-1".into()), webhook_url: None, base_url }).unwrap();
    let message = Rendered {
        key: "key".into(),
        subject: "Zoë <waits> & waits".into(),
        text: "Call her.".into(),
        html: String::new(),
        blocks: json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "Call her." } }]),
    };
    slack.send(&Destination::SlackChannel("#sales".into()), &message).await.unwrap();
    slack.send(&Destination::SlackMember { email: "amy@acme.example".into() }, &message).await.unwrap();
    slack.examine(&["#sales"]).await;
    let contract: Json = serde_json::from_str(CONTRACT).unwrap();
    let sent = log.lock().unwrap().clone();
    let problems: Vec<String> = sent
        .iter()
        .flat_map(|sent| {
            judge(&contract, sent).into_iter().map(move |what| format!("{} {}: {what}", sent.method, sent.path))
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for asked in ["/chat.postMessage", "/users.lookupByEmail", "/conversations.list", "/auth.test"] {
        assert!(sent.iter().any(|sent| sent.path == asked), "{asked} was not asked");
    }
    let mut wrong = sent.iter().find(|sent| sent.path == "/chat.postMessage").unwrap().clone();
    wrong.body = r##"{"chanel":"#sales","text":1}"##.into();
    assert_eq!(
        judge(&contract, &wrong),
        ["the argument chanel is unknown", "text is no \"string\": 1", "\"channel\" is missing"]
    );
}
