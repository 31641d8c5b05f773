//! A server on a port of its own that gives the answers it was told to, in their order, and keeps
//! the requests; and the connection settings that the tests share.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use leadpact::agreement::model::Dictionary;
use leadpact::crm::connection::{Backfill, Connection, HubSpot as Settings, HubSpotAuth, Platform, TouchBy, Touches};
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::record::{ConnectionName, FieldName, FieldType, Object, OwnerId, Timestamp};
use serde_json::Value as Json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const DATE: &str = "Mon, 05 Jan 2026 09:05:00 GMT";

#[derive(Clone)]
pub struct Given {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub delay: Duration,
}

pub fn given(status: u16, body: impl ToString) -> Given {
    let headers = vec![("Date".to_owned(), DATE.to_owned())];
    Given { status, headers, body: body.to_string(), delay: Duration::ZERO }
}

/// A recorded answer: its `status`, `headers` and `body`.
pub fn recorded(text: &str) -> Given {
    let file: Json = serde_json::from_str(text).unwrap();
    given(file["status"].as_u64().unwrap() as u16, &file["body"])
}

impl Given {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[derive(Clone, Debug)]
pub struct Seen {
    /// Method, path and query.
    pub line: String,
    pub authorization: String,
    pub agent: String,
    pub body: Json,
    /// The parts of a form, sorted.
    pub form: Vec<String>,
}

#[derive(Clone)]
pub struct Fake {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    pub async fn start(answers: impl IntoIterator<Item = Given>) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let queue: Arc<Mutex<VecDeque<Given>>> = Arc::new(Mutex::new(answers.into_iter().collect()));
        let shared = seen.clone();
        let server = HttpServer::new(move || {
            let (seen, queue) = (shared.clone(), queue.clone());
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                answer(request, body, seen.clone(), queue.clone())
            }))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|s| s.line).collect()
    }

    pub fn crm(&self) -> HubSpot {
        self.crm_with(|_| {})
    }

    pub fn crm_with(&self, change: impl FnOnce(&mut Connection)) -> HubSpot {
        let mut connection = connection(&self.url);
        change(&mut connection);
        hubspot(connection)
    }
}

async fn answer(
    request: HttpRequest,
    body: web::Bytes,
    seen: Arc<Mutex<Vec<Seen>>>,
    queue: Arc<Mutex<VecDeque<Given>>>,
) -> HttpResponse {
    let header = |name| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(Seen {
        line: format!("{} {}", request.method(), request.uri()),
        authorization: header("authorization"),
        agent: header("user-agent"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        form: {
            let mut parts: Vec<String> = String::from_utf8_lossy(&body).split('&').map(str::to_owned).collect();
            parts.sort();
            parts
        },
    });
    let next = queue.lock().unwrap().pop_front().expect("an answer for every request");
    tokio::time::sleep(next.delay).await;
    let mut response = HttpResponse::build(StatusCode::from_u16(next.status).unwrap());
    for (name, value) in &next.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(next.body)
}

pub fn connection(base_url: &str) -> Connection {
    let field = |object, logical: &str, theirs: &str| ((object, FieldName::new(logical)), theirs.to_owned());
    let status = (Object::Lead, FieldName::new("status"));
    let mql = ("Qualified by marketing".to_owned(), vec!["MARKETING_QUALIFIED".to_owned(), "MQL".to_owned()]);
    Connection {
        name: ConnectionName::new("acme-hubspot"),
        agreement: None,
        mode: None,
        base_url: base_url.to_owned(),
        api_version: "2026-03".to_owned(),
        backfill: Backfill::FromCrm,
        api_share: 0.5,
        fields: [
            field(Object::Lead, "flag", "leadpact_violation"),
            field(Object::Lead, "violation", "leadpact_violations"),
            field(Object::Lead, "due", "leadpact_due"),
        ]
        .into(),
        values: [(status, vec![mql])].into(),
        parties: Default::default(),
        touches: Touches { types: Vec::new(), by: TouchBy::Anyone, automation_users: vec![OwnerId::new("7099")] },
        platform: Platform::HubSpot(Settings {
            portal_id: Some(45_540_012),
            auth: HubSpotAuth::AccessToken("pat-test".into()),
            webhook_secret: vec!["secret".into()],
            lead_object: "contacts".to_owned(),
        }),
    }
}

/// With a time-out of half a second and a clock that stands at 1 ms.
pub fn hubspot(connection: Connection) -> HubSpot {
    let clock = Arc::new(|| Timestamp::from_millis(1));
    let http = Http::with_timeout(clock, Duration::from_millis(500)).unwrap();
    HubSpot::new(connection, &dictionary(), http)
}

pub fn dictionary() -> Dictionary {
    use FieldType::{Date, Number, Text, Time};
    Dictionary {
        lead: [
            ("name", Text),
            ("email", Text),
            ("owner", Text),
            ("status", Text),
            ("score", Number),
            ("touches", Number),
            ("last_touch", Time),
            ("modified", Time),
        ]
        .into(),
        opportunity: [
            ("name", Text),
            ("owner", Text),
            ("status", Text),
            ("stage_name", Text),
            ("amount", Number),
            ("close_date", Date),
        ]
        .into(),
    }
}
