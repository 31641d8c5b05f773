//! A described CRM with odd habits, the whole loop: an unsigned webhook names a record, its clock runs
//! by wall times of another zone, and it goes back by a request of its own; what no webhook told is
//! found by `leadpact reconcile`, and errors come with status 200.

use crate::agreements::follow_up;
use crate::daemon::run;
use crate::house::{House, on_both};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use jiff::tz::TimeZone;
use leadpact::engine::clock::real_now;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const DESCRIPTION: &str = r#"
name      = "Odd CRM"
times     = "%Y-%m-%d %H:%M:%S"
time_zone = "America/New_York"

[authentication]
scheme = "query"
name   = "api_token"
value  = "{access_token}"

[webhook]
verify = { scheme = "token", header = "X-Odd" }
id     = "number"

[lead]
id       = "number"
modified = "stamps.changed"
gone     = "is_deleted"
numbers  = ["id", "owner"]
fields   = { name = "person.full", status = "state.name", owner = "agent.number" }
read     = { get = "/lead/{id}", item = "lead" }
search   = { get = "/leads", query = { from = "{since}", skip = "{offset}" }, items = "leads", page = 50, oldest_first = true }
update   = { post = "/lead/{id}", body = { lead = "{changes}" }, item = "lead" }

[people]
get   = "/agents"
items = "agents"
id    = "number"

[errors]
success = "ok"
message = "error"
"#;

const CONNECTION: &str = r#"
[[connection]]
name           = "odd"
crm            = "generic"
mode           = "enforce"
connector      = "odd.toml"
base_url       = "ODD"
access_token   = "t0ken"
webhook_secret = ["shared"]

  [connection.values.lead.status]
  "Qualified by marketing"       = "marketing"
  "Qualified by teleprospecting" = "qualified"
  "Working"                      = "work"

  [connection.parties]
  teleprospecting = { members = ["8"] }
"#;

type Leads = Arc<Mutex<BTreeMap<u64, Json>>>;

fn start(leads: &Leads) -> String {
    let leads = leads.clone();
    let server = HttpServer::new(move || {
        let leads = leads.clone();
        App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
            let answer = answer(&leads, &request, &body);
            async move { HttpResponse::Ok().json(answer) }
        }))
    });
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}", server.addrs()[0]);
    tokio::spawn(server.run());
    url
}

/// Whatever it is, the status is 200.
fn answer(leads: &Leads, request: &HttpRequest, body: &[u8]) -> Json {
    if !request.query_string().contains("api_token=t0ken") {
        return json!({"ok": false, "error": "who are you?"});
    }
    if request.path() == "/agents" {
        return json!({"agents": [{"number": 7}, {"number": 8}]});
    }
    if request.path() == "/leads" {
        return json!({"ok": true, "leads": listed(leads, request.query_string())});
    }
    let number: u64 = request.path().trim_start_matches("/lead/").parse().expect("a number");
    if request.method() == "POST" {
        let body: Json = serde_json::from_slice(body).expect("JSON");
        set(leads, number, &body["lead"]);
    }
    match leads.lock().expect("no panic").get(&number) {
        Some(lead) => json!({"ok": true, "lead": lead}),
        None => json!({"ok": false, "error": "no such lead"}),
    }
}

fn listed(leads: &Leads, query: &str) -> Vec<Json> {
    let asked: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let changed = |lead: &Json| lead["stamps"]["changed"].as_str().expect("a time").to_owned();
    let mut all: Vec<Json> = leads.lock().expect("no panic").values().cloned().collect();
    all.retain(|lead| changed(lead) >= asked["from"]);
    all.sort_by_key(changed);
    all.into_iter().skip(asked["skip"].parse().expect("a number")).take(50).collect()
}

fn set(leads: &Leads, number: u64, fields: &Json) {
    let mut leads = leads.lock().expect("no panic");
    let lead = leads.entry(number).or_insert_with(|| json!({"number": number, "is_deleted": false}));
    for (name, value) in fields.as_object().expect("a table") {
        lead[name] = value.clone();
    }
    let zone = TimeZone::get("America/New_York").expect("a zone");
    lead["stamps"] = json!({"changed": real_now().to_jiff().to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()});
}

fn qualify(leads: &Leads, number: u64) {
    let lead = json!({"person": {"full": "Ada Stone"}, "state": {"name": "qualified"}, "agent": {"number": 7}});
    set(leads, number, &lead);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_of_an_odd_crm_goes_back_and_what_no_webhook_told_is_found_when_asked_for() {
    on_both(&follow_up(), async |house| {
        let leads = Leads::default();
        let url = start(&leads);
        std::fs::write(house.file("odd.toml"), DESCRIPTION).expect("a file");
        house.configure("leadpact.toml", house.port, |text| text + &CONNECTION.replace("ODD", &url));
        house.start().await;
        house.until("it is worked", async || house.log().matches("working this connection").count() == 3).await;
        crate::house::pause(1_200).await;

        qualify(&leads, 1);
        qualify(&leads, 2);
        let hook = format!("http://127.0.0.1:{}/webhooks/odd", house.port);
        let sent = reqwest::Client::new().post(hook).header("X-Odd", "shared").body(r#"{"number": 1}"#).send().await;
        assert_eq!(sent.expect("an answer").status(), 204);
        // The daemon holds the lease: it does the work that this command asks for.
        let done = run(&["reconcile", "odd"], &house.file("leadpact.toml"));
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success() && said.starts_with("Read 2 records modified"), "{said}");

        let agent = |number| leads.lock().expect("no panic")[&number]["agent"]["number"].clone();
        house.until("both leads go back", async || agent(1) == 8 && agent(2) == 8).await;
        for number in ["1", "2"] {
            house.until("it is journalled", async || count(house, number, "recycled").await == 1).await;
            assert_eq!(count(house, number, "breached").await, 1);
        }
        set(&leads, 2, &json!({"is_deleted": true}));
        assert!(run(&["reconcile", "odd"], &house.file("leadpact.toml")).status.success());
        assert_eq!(count(house, "2", "deleted").await, 1);
    })
    .await;
}

async fn count(house: &House, id: &str, kind: &str) -> usize {
    house.timeline("odd", "lead", id).await.iter().filter(|fact| fact["kind"] == kind).count()
}
