//! A pretend Slack for tests: takes every message, knows every e-mail address as a member, and
//! answers as the Web API does. It listens on a port of its own; nothing is shown to anybody.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};

/// Runs until the test's runtime ends.
#[derive(Clone)]
pub struct FakeSlack {
    address: String,
    messages: Arc<Mutex<Vec<Json>>>,
    workspace: Arc<Mutex<Workspace>>,
}

/// What the token opens, for whoever only looks.
#[derive(Clone)]
pub struct Workspace {
    /// Without `#`, and whether it is archived.
    pub channels: Vec<(&'static str, bool)>,
    /// Answers of these methods instead of a success: `auth.test` and `invalid_auth`.
    pub refusals: Vec<(&'static str, &'static str)>,
    /// Addresses that nobody in the workspace has.
    pub strangers: Vec<&'static str>,
    /// What the token may do; the app is in no channel.
    pub scopes: &'static str,
}

impl FakeSlack {
    /// Listens on a free port, on the current tokio runtime.
    pub fn start() -> Self {
        let messages: Arc<Mutex<Vec<Json>>> = Arc::default();
        let data = web::Data::from(Arc::clone(&messages));
        let channels = vec![("marketing", false), ("tele", false), ("sales", false)];
        let scopes = "chat:write,chat:write.public";
        let workspace = Workspace { channels, refusals: Vec::new(), strangers: Vec::new(), scopes };
        let workspace = Arc::new(Mutex::new(workspace));
        let shown = web::Data::from(Arc::clone(&workspace));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(shown.clone())
                .route("/api/chat.postMessage", web::post().to(post))
                .route("/api/users.lookupByEmail", web::get().to(look_up))
                .route("/api/auth.test", web::get().to(auth_test))
                .route("/api/users.info", web::get().to(info))
                .route("/actions", web::post().to(post))
                .route("/api/conversations.list", web::get().to(list_channels))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("a free port");
        let address = server.addrs()[0].to_string();
        tokio::spawn(server.run());
        Self { address, messages, workspace }
    }

    /// What `notify.slack.base_url` has to be.
    pub fn base_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Changes what is there.
    pub fn change(&self, change: impl FnOnce(&mut Workspace)) {
        change(&mut self.workspace.lock().expect("no panic while locked"));
    }

    /// The messages to this channel; to a person it is `U-` and the address.
    pub fn messages(&self, channel: &str) -> Vec<Json> {
        self.all().into_iter().filter(|message| message["channel"] == channel).collect()
    }

    pub fn all(&self) -> Vec<Json> {
        self.messages.lock().expect("no panic while locked").clone()
    }
}

async fn post(messages: web::Data<Mutex<Vec<Json>>>, message: web::Json<Json>) -> HttpResponse {
    let mut messages = messages.lock().expect("no panic while locked");
    messages.push(message.into_inner());
    HttpResponse::Ok().json(json!({ "ok": true, "channel": "C1", "ts": format!("1767603600.{:06}", messages.len()) }))
}

async fn look_up(request: HttpRequest, workspace: web::Data<Mutex<Workspace>>) -> HttpResponse {
    let email = url::form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "email");
    let email = email.map(|(_, value)| value.into_owned()).unwrap_or_default();
    if workspace.lock().expect("no panic while locked").strangers.iter().any(|stranger| *stranger == email) {
        return HttpResponse::Ok().json(json!({ "ok": false, "error": "users_not_found" }));
    }
    let id = format!("U-{email}");
    HttpResponse::Ok().json(json!({ "ok": true, "user": { "id": id, "deleted": false } }))
}

/// A member's id tells their address.
async fn info(request: HttpRequest, workspace: web::Data<Mutex<Workspace>>) -> HttpResponse {
    if let Some(refusal) = refusal(&workspace, "users.info") {
        return refusal;
    }
    let user = url::form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "user");
    let email = user.and_then(|(_, id)| id.strip_prefix("U-").map(str::to_owned));
    HttpResponse::Ok().json(json!({ "ok": true, "user": { "team_id": "T-acme", "profile": { "email": email } } }))
}

fn refusal(workspace: &Mutex<Workspace>, method: &str) -> Option<HttpResponse> {
    let workspace = workspace.lock().expect("no panic while locked");
    let error = workspace.refusals.iter().find(|(of, _)| *of == method)?.1;
    Some(HttpResponse::Ok().json(json!({ "ok": false, "error": error, "needed": "channels:read" })))
}

async fn auth_test(workspace: web::Data<Mutex<Workspace>>) -> HttpResponse {
    let scopes = workspace.lock().expect("no panic while locked").scopes;
    let team = json!({ "ok": true, "team": "Acme", "team_id": "T-acme", "user": "leadpact",
        "user_id": "U-leadpact@acme.example", "bot_id": "B1" });
    let done = || HttpResponse::Ok().insert_header(("X-OAuth-Scopes", scopes)).json(team);
    refusal(&workspace, "auth.test").unwrap_or_else(done)
}

/// Two pages, since a real list has more than one; private channels there are none.
async fn list_channels(request: HttpRequest, workspace: web::Data<Mutex<Workspace>>) -> HttpResponse {
    if let Some(refusal) = refusal(&workspace, "conversations.list") {
        return refusal;
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let has = |name: &str, value: &str| query.iter().any(|(n, v)| n == name && v == value);
    let all = workspace.lock().expect("no panic while locked").channels.clone();
    let (first, second) = all.split_at(all.len().min(1));
    let (page, next) = match (has("types", "public_channel"), has("cursor", "more")) {
        (false, _) => (&[][..], ""),
        (true, false) => (first, "more"),
        (true, true) => (second, ""),
    };
    let shown =
        page.iter().map(|(name, archived)| json!({ "id": format!("C-{name}"), "name": name, "is_archived": archived }));
    let channels: Vec<Json> = shown.collect();
    HttpResponse::Ok().json(json!({ "ok": true, "channels": channels, "response_metadata": { "next_cursor": next } }))
}
