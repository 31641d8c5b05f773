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
}

impl FakeSlack {
    /// Listens on a free port, on the current tokio runtime.
    pub fn start() -> Self {
        let messages: Arc<Mutex<Vec<Json>>> = Arc::default();
        let data = web::Data::from(Arc::clone(&messages));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/api/chat.postMessage", web::post().to(post))
                .route("/api/users.lookupByEmail", web::get().to(look_up))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("a free port");
        let address = server.addrs()[0].to_string();
        tokio::spawn(server.run());
        Self { address, messages }
    }

    /// What `notify.slack.base_url` has to be.
    pub fn base_url(&self) -> String {
        format!("http://{}/api", self.address)
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

async fn look_up(request: HttpRequest) -> HttpResponse {
    let email = url::form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "email");
    let id = format!("U-{}", email.map(|(_, value)| value.into_owned()).unwrap_or_default());
    HttpResponse::Ok().json(json!({ "ok": true, "user": { "id": id, "deleted": false } }))
}
