//! Durable ingest beside an endpoint that only verifies and parses, in requests a second: the same
//! signed HubSpot body over 64 kept connections, SQLite at `synchronous=FULL`, server and client in
//! one process. The aim is a ratio of 0.35 for ten events a body and 0.6 for one.

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use leadpact::agreement::{Agreement, parse};
use leadpact::crm::connection::{Backfill, Connection, HubSpot as Settings, HubSpotAuth, Platform, TouchBy, Touches};
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::{RawDelivery, SharedCrm};
use leadpact::engine::clock::{Clock, monotonic_now, real_now};
use leadpact::engine::context::Parts;
use leadpact::engine::directory::Directory;
use leadpact::engine::ingest::Ingest;
use leadpact::engine::{Engine, Site};
use leadpact::notify::{Notifiers, Templates};
use leadpact::record::ConnectionName;
use leadpact::store::{Db, OpenOptions};
use leadpact::web::{Web, serve};
use sha2::Sha256;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const PUBLIC: &str = "https://leadpact.acme.example";
const PATH: &str = "/webhooks/acme";
const SECRET: &str = "a client secret";
const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(5);
const EVENT_BYTES: usize = 316;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(compare());
}

async fn compare() {
    let agreement = agreement();
    let connection = connection();
    let http = Http::new(Arc::new(real_now)).expect("an HTTP client");
    let crm: SharedCrm = Arc::new(HubSpot::new(connection.clone(), &agreement.dictionary, http));
    let plain = plain_endpoint(crm.clone());
    println!("{:>12} {:>16} {:>16} {:>8}", "events/body", "verify and parse", "durable ingest", "ratio");
    for events in [10, 1] {
        let request = request(&body(events));
        let parsed = measure(plain, &request).await;
        // A fresh file each time.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let url = format!("sqlite://{}/bench.db", folder.path().display());
        let db = Db::open(&url, &OpenOptions::default()).await.expect("a database");
        let (address, ingest) = daemon(db.clone(), &connection, &crm, &agreement);
        let durable = measure(address, &request).await;
        println!("{events:>12} {parsed:>14.0}/s {durable:>14.0}/s {:>8.2}", durable / parsed);
        println!("{:>12} {} commits", "", ingest.commits());
        db.close().await;
    }
}

fn agreement() -> Arc<Agreement> {
    let text = include_str!("../config/agreement.toml");
    Arc::new(parse::parse("agreement.toml", text, &|_| Err("no files".into())).expect("the example").agreement)
}

fn connection() -> Connection {
    let settings = Settings {
        portal_id: Some(45_540_012),
        auth: HubSpotAuth::AccessToken("token".into()),
        webhook_secret: vec![SECRET.into()],
        lead_object: "contacts".to_owned(),
    };
    Connection {
        name: ConnectionName::new("acme"),
        agreement: None,
        mode: None,
        base_url: "http://127.0.0.1:9".to_owned(),
        api_version: "2026-03".to_owned(),
        backfill: Backfill::FromCrm,
        api_share: 0.5,
        fields: Default::default(),
        values: Default::default(),
        parties: Default::default(),
        touches: Touches { types: Vec::new(), by: TouchBy::Anyone, automation_users: Vec::new() },
        platform: Platform::HubSpot(settings),
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

/// The daemon's own web floor; nothing works its inbox.
fn daemon(db: Db, connection: &Connection, crm: &SharedCrm, agreement: &Arc<Agreement>) -> (SocketAddr, Ingest) {
    let site = Site {
        connection: connection.clone(),
        crm: crm.clone(),
        agreement: agreement.clone(),
        acts: leadpact::engine::switches::Acts::Never,
        directory: Directory::default(),
        stirred: Default::default(),
        issued: Default::default(),
    };
    let notifiers = Notifiers::new(Templates::load(None).expect("templates"), None, None).expect("no channels");
    let parts = Parts { db: db.clone(), clock: Clock::real(), notifiers, notify_in_observe: false };
    let engine = Engine::new(parts, "bench", vec![Arc::new(site)]);
    let ingest = Ingest::start(db, &engine.sites());
    let web = Web::new(Arc::new(engine), ingest.clone(), PUBLIC, CancellationToken::new());
    let public = listener();
    let address = public.local_addr().expect("an address");
    tokio::spawn(serve(Arc::new(web), public, None, 2).expect("a server").run());
    (address, ingest)
}

/// The same checks, and nothing stored.
fn plain_endpoint(crm: SharedCrm) -> SocketAddr {
    let listener = listener();
    let address = listener.local_addr().expect("an address");
    let crm = Data::new(crm);
    let server = HttpServer::new(move || App::new().app_data(crm.clone()).route(PATH, web::post().to(check)))
        .workers(2)
        .disable_signals()
        .listen(listener)
        .expect("a server");
    tokio::spawn(server.run());
    address
}

async fn check(crm: Data<SharedCrm>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let raw = RawDelivery {
        method: "POST".to_owned(),
        url: format!("{PUBLIC}{}", request.uri()),
        path_secret: None,
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.into(),
    };
    match crm.verify(raw, real_now()).map(|delivery| crm.events(&delivery)) {
        Ok(Ok(_)) => HttpResponse::NoContent().finish(),
        Ok(Err(_)) => HttpResponse::BadRequest().finish(),
        Err(_) => HttpResponse::Unauthorized().finish(),
    }
}

fn body(events: usize) -> String {
    let event = |id: usize| {
        let start = format!(
            r#"{{"eventId":{id},"subscriptionId":310002,"portalId":45540012,"appId":880101,"occurredAt":1767603600980,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":{},"changeSource":"CRM_UI","propertyName":"hs_lead_status","propertyValue":"OPEN","sourceId":"userId:9912","note":""#,
            70_112_000 + id
        );
        let filler = "x".repeat(EVENT_BYTES.saturating_sub(start.len() + 2));
        format!("{start}{filler}\"}}")
    };
    format!("[{}]", (0..events).map(event).collect::<Vec<_>>().join(","))
}

/// A signed request as bytes; good for five minutes.
fn request(body: &str) -> Arc<[u8]> {
    let timestamp = real_now().as_millis();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(format!("POST{PUBLIC}{PATH}{body}{timestamp}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let text = format!(
        "POST {PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         X-HubSpot-Signature-v3: {signature}\r\nX-HubSpot-Request-Timestamp: {timestamp}\r\n\r\n{body}",
        body.len()
    );
    Arc::from(text.into_bytes())
}

/// Requests answered a second, all of them with 204.
async fn measure(address: SocketAddr, request: &Arc<[u8]>) -> f64 {
    let from = monotonic_now() + WARM_UP;
    let until = from + MEASURED;
    let client = |_| {
        let request = request.clone();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("a socket option");
            let (mut answered, mut buffer) = (0_u64, [0; 1024]);
            loop {
                exchange(&mut stream, &request, &mut buffer).await;
                let now = monotonic_now();
                if now >= until {
                    return answered;
                }
                answered += u64::from(now >= from);
            }
        })
    };
    let clients: Vec<_> = (0..CONNECTIONS).map(client).collect();
    let mut answered = 0;
    for client in clients {
        answered += client.await.expect("a client");
    }
    answered as f64 / MEASURED.as_secs_f64()
}

async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) {
    stream.write_all(request).await.expect("a server that reads");
    let mut read = 0;
    while !buffer[..read].ends_with(b"\r\n\r\n") {
        let more = stream.read(&mut buffer[read..]).await.expect("a server that answers");
        assert!(more > 0, "the server closed the connection");
        read += more;
    }
    assert!(buffer.starts_with(b"HTTP/1.1 204 "), "{}", String::from_utf8_lossy(&buffer[..read]));
}
