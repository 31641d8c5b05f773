//! A server on a port of its own that answers by a function of the request and keeps the requests;
//! and connections, read from a configuration as an admin would write it.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use leadpact::agreement::dictionary;
use leadpact::agreement::model::Dictionary;
use leadpact::crm::connection::Connection;
use leadpact::crm::generic::Generic;
use leadpact::crm::http::Http;
use leadpact::crm::{Crm, CrmError, ReadRecord, Reads, Sought};
use leadpact::record::change::FieldValues;
use leadpact::record::{FieldName, Object, RecordId, Timestamp, Value};
use leadpact::settings::{self, Environment};
use serde_json::Value as Json;
use std::sync::atomic::{AtomicUsize, Ordering};
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

impl Given {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// As it came, escapes and all.
    pub path: String,
    /// Decoded.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Json,
}

impl Seen {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

type Answer = Arc<dyn Fn(&Seen) -> Given + Send + Sync>;

#[derive(Clone)]
pub struct Fake {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    most: Arc<AtomicUsize>,
}

impl Fake {
    pub async fn start(answer: impl Fn(&Seen) -> Given + Send + Sync + 'static) -> Self {
        let (seen, now, most): (Arc<Mutex<Vec<Seen>>>, Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let answer: Answer = Arc::new(answer);
        let shared = (seen.clone(), now, most.clone(), answer);
        let server = HttpServer::new(move || {
            let (seen, now, most, answer) = shared.clone();
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                respond(request, body, seen.clone(), now.clone(), most.clone(), answer.clone())
            }))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, seen, most }
    }

    /// Answers everything alike.
    pub async fn always(answer: Given) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.seen().iter().map(Seen::line).collect();
        lines.sort();
        lines
    }

    /// The most requests that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

async fn respond(
    request: HttpRequest,
    body: web::Bytes,
    seen: Arc<Mutex<Vec<Seen>>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    answer: Answer,
) -> HttpResponse {
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let one = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect(),
        headers: request.headers().iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let given = answer(&one);
    seen.lock().unwrap().push(one);
    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    tokio::time::sleep(given.delay).await;
    now.fetch_sub(1, Ordering::SeqCst);
    let mut response = HttpResponse::build(StatusCode::from_u16(given.status).unwrap());
    for (name, value) in &given.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(given.body)
}

/// The one connection of a configuration; `rest` comes after its name and kind.
pub fn connection(rest: &str) -> Connection {
    let text = format!("[[connection]]\nname = \"acme\"\ncrm = \"generic\"\n{rest}");
    let environment = Environment::from_iter([("NONE", "")]);
    match settings::from_text("leadpact.toml", &text, &environment) {
        Ok((settings, _)) => settings.connections[0].clone(),
        Err(report) => panic!("{}", report.render(false)),
    }
}

/// With a description of the test's own, written to a file.
pub fn described(description: &str, rest: &str) -> Connection {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), description).unwrap();
    connection(&format!("connector = {:?}\n{rest}", file.path().to_str().unwrap()))
}

/// With a time-out of half a second and a clock that stands at 1 ms.
pub fn crm(connection: Connection) -> Generic {
    let http = Http::with_timeout(Arc::new(|| Timestamp::from_millis(1)), Duration::from_millis(500)).unwrap();
    Generic::new(connection, &standard(), http)
}

pub fn standard() -> Dictionary {
    dictionary::standard()
}

pub fn ids(ids: &[&str]) -> Vec<RecordId> {
    ids.iter().map(|id| RecordId::new(*id)).collect()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn values(values: &[(&str, Value)]) -> FieldValues {
    values.iter().map(|(name, value)| (FieldName::new(name), value.clone())).collect()
}

/// What was found of a record: its modification time, its values as text, and what could not be read.
pub fn found(reads: &Reads, id: &str) -> (String, Vec<String>, Vec<String>) {
    let (_, record) = reads.records.iter().find(|(known, _)| known.as_str() == id).expect("it was read");
    let ReadRecord::Found { modified, values, unreadable } = record else { panic!("{id} is gone") };
    let mut shown: Vec<String> = values.iter().filter(|(_, v)| !v.is_null()).map(|(n, v)| format!("{n}={v}")).collect();
    shown.sort();
    (modified.to_string(), shown, unreadable.clone())
}

/// All that is found by a search, page by page: the ids of each page, and what was deleted.
pub async fn searched(
    crm: &Generic,
    object: Object,
    sought: Sought,
) -> Result<(Vec<Vec<String>>, Vec<(String, Timestamp)>), CrmError> {
    let (mut pages, mut ended, mut next) = (Vec::new(), Vec::new(), None);
    for _ in 0..50 {
        let page = crm.search(object, sought, next.as_ref()).await?;
        pages.push(page.found.iter().map(ToString::to_string).collect());
        ended.extend(page.ended.iter().map(|event| (event.id.to_string(), event.at)));
        next = page.next;
        if next.is_none() {
            return Ok((pages, ended));
        }
    }
    panic!("the search does not end: {pages:?}")
}

pub fn is_gone(reads: &Reads, id: &str) -> bool {
    reads.records.iter().any(|(known, record)| known.as_str() == id && *record == ReadRecord::Gone)
}

/// A description of a CRM that signs, with one record a request.
pub const PLAIN: &str = r#"
name = "Plain"

[authentication]
scheme = "bearer"

[webhook]
verify  = { scheme = "hmac-sha256", header = "X-Sig", encoding = "hex", prefix = "sha256=" }
events  = "events"
id      = "record.id"
object  = "kind"
action  = "did"
actions = { set = "changed", cut = "deleted", back = "restored", joined = "merged" }
time    = "at"
by      = "who"
fields  = "record"
into    = "other"

[lead]
type     = "person"
id       = "id"
modified = "changed_at"
fields   = { name = "name", status = "state", owner = "owner.id" }
read     = { get = "/people/{id}" }
search   = { get = "/people", query = { since = "{since}" }, items = "list", next_link = "more" }
update   = { patch = "/people/{id}", body = { set = "{changes}" } }

[opportunity]
type     = "sale"
id       = "id"
modified = "changed_at"
read     = { post = "/find", body = { kind = "{type}", id = "{id}" }, item = "found" }

[task]
create = { post = "/people/{id}/todo", body = { text = "{text}", when = "{due}" } }
find   = { get = "/people/{id}/todo", id = "id", text = "text" }
"#;

/// [`PLAIN`] at this address.
pub fn plain(url: &str) -> Generic {
    crm(described(PLAIN, &format!("base_url = \"{url}\"\naccess_token = \"t\"\nwebhook_secret = [\"s\"]\n")))
}
