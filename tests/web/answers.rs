//! Answers at the door: Slack's signature, its workspace, odd payloads; links that looking at burns
//! nothing of. What an answer does is tried in tests/engine.

use crate::house::{House, agreement};
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit, Mac};
use leadpact::agreement::Standing;
use leadpact::agreement::standing::Run;
use leadpact::engine::answers::{About, mark, written};
use leadpact::engine::clock::real_now;
use leadpact::notify::{SlackPeople, SlackSettings};
use leadpact::record::{
    ConnectionName, Elapsed, FieldName, Object, OwnerId, RecordId, RecordKey, StageName, Timestamp, Value,
};
use leadpact::store::Priority;
use leadpact::store::answer::{self, Purpose, Ticket};
use leadpact::store::person::{self, PersonRow};
use leadpact::store::preference::{self, Channel, Gathering, Quiet};
use leadpact::store::secret::Secret;
use leadpact::store::standing::{self, StandingRow};
use leadpact::web::slack_actions::SlackDoor;
use reqwest::Method;
use serde_json::json;
use sha2::Sha256;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "slack's signing secret";
const NAME: &str = "<script>alert(1)</script> Zoë";

/// What is told of a member, beside their address.
type Members = fn(&str) -> serde_json::Value;

struct Installed {
    /// What the token is told of itself.
    auth: serde_json::Value,
    of: Members,
}

/// A pretend Slack: who people are, and what it was told by response addresses.
struct Slack {
    at: SocketAddr,
    told: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Slack {
    fn start() -> Self {
        Self::installed(json!({ "team_id": "T0TEST001" }), |_| json!({}))
    }

    fn installed(auth: serde_json::Value, of: Members) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, told) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<serde_json::Value>>>::default());
        let seen = told.clone();
        let server = HttpServer::new(move || {
            let app =
                App::new().app_data(Data::new(seen.clone())).app_data(Data::new(Installed { auth: auth.clone(), of }));
            app.default_service(web::to(Self::answer))
        });
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { at, told }
    }

    async fn answer(
        request: HttpRequest,
        body: Bytes,
        told: Data<Arc<Mutex<Vec<serde_json::Value>>>>,
        installed: Data<Installed>,
    ) -> HttpResponse {
        let Installed { auth, of } = &**installed;
        match request.path() {
            "/api/auth.test" => {
                let mut told = json!({ "ok": true, "user": "leadpact" });
                told.as_object_mut().unwrap().extend(auth.as_object().unwrap().clone());
                HttpResponse::Ok().json(told)
            }
            "/api/users.info" => {
                let user = request.query_string().rsplit_once('=').unwrap().1;
                let email = if user.starts_with("U0TEST") { "pat@acme.example" } else { "eve@x.example" };
                let mut member = json!({ "profile": { "email": email } });
                member.as_object_mut().unwrap().extend(of(user).as_object().unwrap().clone());
                HttpResponse::Ok().json(json!({ "ok": true, "user": member }))
            }
            _ => {
                told.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                HttpResponse::Ok().body("ok")
            }
        }
    }

    fn door(&self) -> SlackDoor {
        let base_url = format!("http://{}/api", self.at);
        let settings = SlackSettings { token: Some("xoxb-1".into()), webhook_url: None, base_url };
        SlackDoor::new(vec!["the next one".into(), SECRET.into()], SlackPeople::new(&settings, None).unwrap())
    }

    /// What it was told, once there is something.
    async fn told(&self) -> serde_json::Value {
        for _ in 0..100 {
            if let Some(last) = self.told.lock().unwrap().last() {
                return last.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("Slack was told nothing")
    }
}

fn connection() -> ConnectionName {
    ConnectionName::new("acme-hubspot")
}

/// A lead of Pat's that waits to be accepted, as apply would have left it.
async fn waiting(house: &House) {
    let key = RecordKey { connection: connection(), object: Object::Lead, id: RecordId::new("7") };
    let mut standing = Standing::new(key.clone());
    let (now, terms) = (real_now(), agreement());
    standing.agreement = terms.hash.clone();
    for (name, value) in [("status", "Qualified by marketing"), ("owner", "80"), ("name", NAME)] {
        standing.fields.set(FieldName::new(name), Value::text(value), now);
    }
    standing.stage = Some(StageName::new("mql"));
    standing.furthest = standing.stage.clone();
    standing.handoff = Some(terms.handoffs[0].name.clone());
    (standing.pass, standing.pass_began, standing.folded_to) = (1, now, now);
    standing.runs.push(Run {
        clock: terms.clocks[0].name.clone(),
        number: 1,
        started: now,
        deadline: now + Elapsed::from_secs(3600),
        paused: None,
        breached: None,
        ended: None,
        touches_before: Some(0.0),
        spared: None,
        silent: false,
        steps: Vec::new(),
    });
    let row = StandingRow {
        key,
        stage: standing.stage.clone(),
        owner: Some(OwnerId::new("80")),
        party: None,
        name: NAME.to_owned(),
        wake_at: None,
        state: serde_json::to_string(&standing).unwrap(),
        updated: now,
    };
    let pat = PersonRow {
        id: OwnerId::new("80"),
        user: None,
        name: "Pat <b>Doe</b>".to_owned(),
        email: Some("pat@acme.example".to_owned()),
        manager: None,
        active: true,
        queue: false,
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    person::save_all(&mut tx, &connection(), &[pat]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn ticket(house: &House, purpose: Purpose, only: Option<&str>, expires_at: Timestamp) -> String {
    let about = About {
        object: Object::Lead,
        id: RecordId::new("7"),
        clock: agreement().clocks[0].name.clone(),
        pass: 1,
        run: 1,
        effect: "k".to_owned(),
        answer: only.map(str::to_owned),
    };
    let word = Secret::fresh("");
    let is_button = purpose == Purpose::Button;
    let ticket = Ticket {
        purpose,
        about: serde_json::to_string(&about).unwrap(),
        person: (!is_button).then(|| OwnerId::new("80")),
        email: if is_button { String::new() } else { "pat@acme.example".to_owned() },
        expires_at,
        used_at: None,
    };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    answer::add(&mut tx, &connection(), &[(word.clone(), ticket)]).await.unwrap();
    tx.commit().await.unwrap();
    written(&connection(), &word)
}

fn soon() -> Timestamp {
    real_now() + Elapsed::from_secs(3600)
}

fn payload(slack: &Slack, user: &str, team: &str, action: serde_json::Value) -> String {
    let mut payload: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/slack/interactive-block-actions.json")).unwrap();
    payload["user"]["id"] = json!(user);
    payload["team"]["id"] = json!(team);
    payload["response_url"] = json!(format!("http://{}/actions/1", slack.at));
    payload["actions"] = json!([action]);
    payload.to_string()
}

fn form(payload: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", payload).finish()
}

fn signature(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{body}").as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

async fn post(house: &House, body: &str, at: i64, signature: &str) -> u16 {
    let request = house.client.post(format!("http://{}/slack/actions", house.public));
    let request = request.header("X-Slack-Request-Timestamp", at.to_string()).header("X-Slack-Signature", signature);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.body(body.to_owned()).send().await.unwrap().status().as_u16()
}

fn seconds() -> i64 {
    real_now().as_millis() / 1000
}

async fn signed(house: &House, body: &str) -> u16 {
    let at = seconds();
    post(house, body, at, &signature(SECRET, at, body)).await
}

#[tokio::test]
async fn only_what_slack_signed_within_five_minutes_is_taken() {
    let slack = Slack::start();
    let house = House::with_slack(slack.door()).await;
    waiting(&house).await;
    let word = ticket(&house, Purpose::Button, None, soon()).await;
    let body = form(&payload(&slack, "U0TEST001", "T0TEST001", json!({ "action_id": "accept", "value": word })));
    let now = seconds();
    for (at, secret) in [(now, "another"), (now, ""), (now - 302, SECRET), (now + 310, SECRET)] {
        assert_eq!(post(&house, &body, at, &signature(secret, at, &body)).await, 401);
    }
    assert_eq!(post(&house, &body, now, "").await, 401);
    assert_eq!(post(&house, &format!("{body}&x=1"), now, &signature(SECRET, now, &body)).await, 401);
    assert!(house.inbox("acme-hubspot").await.is_empty());
    assert_eq!(signed(&house, &body).await, 200);
    assert_eq!(house.inbox("acme-hubspot").await.len(), 1);
    let told = slack.told().await;
    assert_eq!(told["replace_original"], true);
    assert!(told.to_string().contains("Accepted by Pat &lt;b&gt;Doe&lt;/b&gt; via Slack"), "{told}");
    // While the secret is being changed, either will do.
    let now = seconds();
    let next = form(&payload(&slack, "U0TEST001", "T0TEST001", json!({ "action_id": "on_it", "value": word })));
    assert_eq!(post(&house, &next, now, &signature("the next one", now, &next)).await, 200);
    assert_eq!(house.inbox("acme-hubspot").await.len(), 2);
    // Replayed as it was: acknowledged, and stored once.
    assert_eq!(signed(&house, &body).await, 200);
    assert_eq!(house.inbox("acme-hubspot").await.len(), 2);
}

#[tokio::test]
async fn a_lead_of_a_digest_is_rejected_by_its_menu() {
    let slack = Slack::start();
    let house = House::with_slack(slack.door()).await;
    waiting(&house).await;
    let word = ticket(&house, Purpose::Button, None, soon()).await;
    let chosen = format!("{word}:reject-{}", mark("outside territory"));
    let menu = json!({ "action_id": "menu", "selected_option": { "value": chosen } });
    assert_eq!(signed(&house, &form(&payload(&slack, "U0TEST001", "T0TEST001", menu))).await, 200);
    assert_eq!(house.inbox("acme-hubspot").await.len(), 1);
    let told = slack.told().await.to_string();
    assert!(told.contains("Rejected by Pat") && told.contains("via Slack: outside territory"), "{told}");
}

#[tokio::test]
async fn other_workspaces_and_strangers_change_nothing() {
    let slack = Slack::start();
    let house = House::with_slack(slack.door()).await;
    waiting(&house).await;
    let word = ticket(&house, Purpose::Button, None, soon()).await;
    let accept = json!({ "action_id": "accept", "value": word });
    let other = form(&payload(&slack, "U0TEST001", "T0OTHER", accept.clone()));
    assert_eq!(signed(&house, &other).await, 403);
    let stranger = form(&payload(&slack, "U0EVE", "T0TEST001", accept));
    assert_eq!(signed(&house, &stranger).await, 200);
    let told = slack.told().await;
    assert_eq!((&told["response_type"], &told["replace_original"]), (&json!("ephemeral"), &json!(false)));
    assert!(told["text"].as_str().unwrap().contains("Only its owner"), "{told}");
    assert!(!told["text"].as_str().unwrap().contains('<'), "{told}");
    assert!(house.inbox("acme-hubspot").await.is_empty());
}

/// An app that is installed for a whole Enterprise organisation: its clicks may name no workspace.
#[tokio::test]
async fn a_click_without_a_workspace_is_taken_from_our_own_organisation_alone() {
    let auth = json!({ "team_id": null, "enterprise_id": "E0ACME", "is_enterprise_install": true });
    let slack = Slack::installed(auth, |user| match user {
        "U0TEST001" => json!({ "team_id": "T1", "enterprise_user": { "enterprise_id": "E0ACME", "teams": ["T1"] } }),
        "U0TEST002" => json!({ "team_id": "E0ACME" }),
        "U0TEST003" => json!({ "team_id": "T1", "enterprise_user": { "enterprise_id": "E0OTHER", "teams": ["T1"] } }),
        _ => json!({}),
    });
    let house = House::with_slack(slack.door()).await;
    waiting(&house).await;
    let word = ticket(&house, Purpose::Button, None, soon()).await;
    let click = |user: &str, changes: serde_json::Value| {
        let accept = json!({ "action_id": "accept", "value": word });
        let mut click: serde_json::Value = serde_json::from_str(&payload(&slack, user, "T1", accept)).unwrap();
        (click["team"], click["enterprise"]) = (json!(null), json!({ "id": "E0ACME", "name": "Acme" }));
        click["is_enterprise_install"] = json!(true);
        click.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        form(&click.to_string())
    };
    for elsewhere in [
        json!({ "enterprise": { "id": "E0OTHER" } }),
        json!({ "enterprise": null }),
        json!({ "enterprise": null, "team": { "id": "E0ACME" } }),
        json!({ "is_enterprise_install": false }),
        json!({ "team": { "id": "T9", "enterprise_id": "E0OTHER" } }),
    ] {
        assert_eq!(signed(&house, &click("U0TEST001", elsewhere.clone())).await, 403, "{elsewhere}");
    }
    // A guest of another organisation with the same address, and one of whom Slack tells nothing.
    for guest in ["U0TEST003", "U0TEST004"] {
        assert_eq!(signed(&house, &click(guest, json!({}))).await, 200);
    }
    assert!(house.inbox("acme-hubspot").await.is_empty());
    assert_eq!(signed(&house, &click("U0TEST001", json!({}))).await, 200);
    assert_eq!(house.inbox("acme-hubspot").await.len(), 1);
    let in_a_workspace = json!({ "team": { "id": "T1", "enterprise_id": "E0ACME" } });
    assert_eq!(signed(&house, &click("U0TEST002", in_a_workspace)).await, 200);
    assert!(slack.told().await.to_string().contains("Accepted by Pat"));
}

/// An app of one workspace in such an organisation.
#[tokio::test]
async fn a_workspace_in_an_organisation_knows_its_members_and_wants_its_own_clicks() {
    let slack = Slack::installed(json!({ "team_id": "T0TEST001", "enterprise_id": "E0ACME" }), |user| {
        let teams = if user == "U0TEST001" { ["T0", "T0TEST001"] } else { ["T0", "T2"] };
        json!({ "team_id": "E0ACME", "enterprise_user": { "enterprise_id": "E0ACME", "teams": teams } })
    });
    let house = House::with_slack(slack.door()).await;
    waiting(&house).await;
    let word = ticket(&house, Purpose::Button, None, soon()).await;
    let accept = json!({ "action_id": "accept", "value": word });
    let mut nowhere: serde_json::Value =
        serde_json::from_str(&payload(&slack, "U0TEST001", "", accept.clone())).unwrap();
    (nowhere["team"], nowhere["enterprise"]) = (json!(null), json!({ "id": "E0ACME" }));
    nowhere["is_enterprise_install"] = json!(true);
    assert_eq!(signed(&house, &form(&nowhere.to_string())).await, 403);
    let of = |user: &str| form(&payload(&slack, user, "T0TEST001", accept.clone()));
    assert_eq!(signed(&house, &of("U0TEST002")).await, 200);
    assert!(house.inbox("acme-hubspot").await.is_empty());
    assert_eq!(signed(&house, &of("U0TEST001")).await, 200);
    assert_eq!(house.inbox("acme-hubspot").await.len(), 1);
}

#[tokio::test]
async fn odd_payloads_are_refused_or_ignored_and_never_stored() {
    let slack = Slack::start();
    let house = House::with_slack(slack.door()).await;
    waiting(&house).await;
    for body in ["", "payload=", "payload=%00", "payload={", "payload=[]&payload=[]", "x=1", "payload=null"] {
        assert_eq!(signed(&house, body).await, 400, "{body}");
    }
    let odd = [
        json!([]),
        json!(null),
        json!(1),
        json!({}),
        json!([null]),
        json!([{}]),
        json!([{ "action_id": 1 }]),
        json!([{ "action_id": "accept" }]),
        json!([{ "action_id": "accept", "value": "" }]),
        json!([{ "action_id": "accept", "value": "acme-hubspot." }]),
        json!([{ "action_id": "reject", "value": "x:y" }]),
        json!([{ "action_id": "reject", "selected_option": { "value": ":" } }]),
        json!([{ "action_id": "menu", "selected_option": { "value": "a:b:c" } }]),
        json!([{ "action_id": "accept", "value": "\u{0}".repeat(3000) }]),
        json!([[[[]]]]),
    ];
    for actions in odd {
        for kind in ["block_actions", "view_submission", ""] {
            let text = json!({ "type": kind, "user": { "id": "U0TEST001" }, "team": { "id": "T0TEST001" },
                "response_url": "http://169.254.169.254/", "actions": actions })
            .to_string();
            let status = signed(&house, &form(&text)).await;
            assert!([200, 400].contains(&status), "{status}: {text}");
        }
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(signed(&house, &form(&deep)).await, 400);
    assert!(house.inbox("acme-hubspot").await.is_empty());
}

async fn open(house: &House, method: Method, path: &str, form: &[(&str, &str)]) -> (u16, String) {
    let request = house.client.request(method, format!("http://{}{path}", house.public));
    let response = request.header("Sec-Fetch-Site", "same-origin").form(form).send().await.unwrap();
    assert!(response.headers()["x-robots-tag"].to_str().unwrap().contains("noindex"));
    // Else browsers that know no `Sec-Fetch-Site` would say of no form whose page it is of.
    assert_eq!(response.headers()["referrer-policy"], "same-origin");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn looking_at_a_link_changes_nothing_and_its_button_acts_once() {
    let house = House::start().await;
    waiting(&house).await;
    let path = format!("/answer/{}", ticket(&house, Purpose::Link, Some("accept"), soon()).await);
    assert_eq!(open(&house, Method::HEAD, &path, &[]).await, (200, String::new()));
    for method in [Method::GET, Method::GET] {
        let (status, page) = open(&house, method, &path, &[]).await;
        assert_eq!(status, 200);
        assert!(
            page.contains("You answer as Pat") && !page.contains("<script>alert") && !page.contains("<b>"),
            "{page}"
        );
    }
    assert!(house.inbox("acme-hubspot").await.is_empty());
    let foreign = house.client.post(format!("http://{}{path}", house.public)).header("Origin", "https://evil.example");
    assert_eq!(foreign.form(&[("a", "b")]).send().await.unwrap().status(), 403);
    let (status, page) = open(&house, Method::POST, &path, &[]).await;
    assert_eq!((status, house.inbox("acme-hubspot").await.len()), (200, 1), "{page}");
    let (status, page) = open(&house, Method::POST, &path, &[]).await;
    assert_eq!((status, page.contains("answered already"), house.inbox("acme-hubspot").await.len()), (410, true, 1));
}

#[tokio::test]
async fn links_that_are_old_or_nobodys_say_so() {
    let house = House::start().await;
    waiting(&house).await;
    let old = ticket(&house, Purpose::Link, Some("accept"), real_now()).await;
    let button = ticket(&house, Purpose::Button, None, soon()).await;
    for (word, expect) in [(old.as_str(), 410), (&button, 404), ("x", 404), ("acme-hubspot.x", 404), ("..%2f", 404)] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(open(&house, method, &format!("/answer/{word}"), &[]).await.0, expect, "{word}");
        }
    }
    let reject = ticket(&house, Purpose::Link, Some("reject"), soon()).await;
    let (_, page) = open(&house, Method::GET, &format!("/answer/{reject}"), &[]).await;
    assert!(page.contains("outside territory") && page.contains("wrong contact data"), "{page}");
    assert_eq!(open(&house, Method::POST, &format!("/answer/{reject}"), &[("reason", "none")]).await.0, 409);
    assert!(house.inbox("acme-hubspot").await.is_empty());
}

#[tokio::test]
async fn a_person_says_how_they_want_to_be_told() {
    let house = House::start().await;
    waiting(&house).await;
    let path = format!("/preferences/{}", ticket(&house, Purpose::Preferences, None, soon()).await);
    assert_eq!(open(&house, Method::GET, &path, &[]).await.0, 200);
    let odd = [("channel", "pigeon"), ("gathering", "daily"), ("from", ""), ("until", "")];
    assert_eq!(open(&house, Method::POST, &path, &odd).await.0, 422);
    let half = [("channel", "both"), ("gathering", "daily"), ("from", "22:00"), ("until", "")];
    assert_eq!(open(&house, Method::POST, &path, &half).await.0, 422);
    assert!(preference::load_all(&house.db, &connection()).await.unwrap().is_empty());
    let good = [("channel", "both"), ("gathering", "daily"), ("from", "22:00"), ("until", "07:00")];
    let (status, page) = open(&house, Method::POST, &path, &good).await;
    assert!(status == 200 && page.contains("Saved."), "{page}");
    let row = preference::load_all(&house.db, &connection()).await.unwrap().remove(0);
    assert_eq!((row.channel, row.gathering, row.quiet), (Channel::Both, Gathering::Daily, Quiet::new(1320, 420)));
    let link = ticket(&house, Purpose::Link, Some("accept"), soon()).await;
    assert_eq!(open(&house, Method::GET, &format!("/preferences/{link}"), &[]).await.0, 404);
}
