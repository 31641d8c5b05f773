//! A sandbox with a clock that stands at a moment, calls to it, and a receiver of webhooks.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use leadpact::record::Timestamp;
use leadpact::sandbox::{HubSpotOrg, SalesforceOrg, Sandbox, SandboxOptions, Values};
use serde_json::Value as Json;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

pub const TOKEN: &str = "pat-na1-pretend";
pub const SECRET: &str = "client-secret-of-the-app";
pub const ORGANIZATION: &str = "00D5g000004XyZaEAK";
/// 2027-01-05 09:00 in Boston, a Tuesday, and 120 ms.
pub const MORNING: i64 = 1_799_157_600_120;

pub struct Hand {
    pub sandbox: Sandbox,
    pub time: Arc<AtomicI64>,
    client: reqwest::Client,
}

pub async fn sandbox() -> Hand {
    let time = Arc::new(AtomicI64::new(MORNING));
    let shown = time.clone();
    let options = SandboxOptions {
        clock: Arc::new(move || Timestamp::from_millis(shown.load(Ordering::SeqCst))),
        hubspot: Some(HubSpotOrg {
            portal_id: 45_540_012,
            token: TOKEN.into(),
            client_secret: SECRET.into(),
            webhook_url: String::new(),
        }),
        salesforce: Some(SalesforceOrg {
            organization_id: ORGANIZATION.into(),
            client_id: "id".into(),
            client_secret: "secret".into(),
            webhook_url: String::new(),
        }),
        listen: "127.0.0.1:0".parse().unwrap(),
    };
    Hand { sandbox: Sandbox::start(options).await.unwrap(), time, client: reqwest::Client::new() }
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Hand {
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.sandbox.base_url()))
    }

    /// A call with HubSpot's token.
    pub async fn hubspot(&self, method: &str, path: &str, body: Json) -> Answer {
        send(self.request(method, path).bearer_auth(TOKEN).json(&body)).await
    }

    /// Signs in and calls Salesforce, as leadpact does: without assignment rules.
    pub async fn salesforce(&self, method: &str, path: &str, body: Json) -> Answer {
        let token = self.token().await;
        send(self.request(method, path).bearer_auth(token).header("Sforce-Auto-Assign", "FALSE").json(&body)).await
    }

    pub async fn token(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("client_id", "id"), ("client_secret", "secret")];
        let answer = send(self.request("POST", "/services/oauth2/token").form(&form)).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub fn pass(&self, milliseconds: i64) {
        self.time.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, text: answer.text().await.unwrap() }
}

pub fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))).collect()
}

/// Takes webhooks, and answers with what is queued, else with a success.
#[derive(Clone, Default)]
pub struct Receiver {
    pub requests: Arc<Mutex<Vec<Received>>>,
    pub answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
}

#[derive(Clone)]
pub struct Received {
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v)
    }
}

pub const ACK: &str = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
    <notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack></notificationsResponse>\
    </soapenv:Body></soapenv:Envelope>";

impl Receiver {
    /// Its address.
    pub fn start(&self) -> String {
        let data = web::Data::new(self.clone());
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(take)))
            .workers(1)
            .disable_signals()
            .bind("127.0.0.1:0")
            .unwrap();
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        format!("http://{address}")
    }

    pub fn taken(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    pub fn events(&self) -> Vec<Json> {
        let bodies = self.taken();
        bodies.iter().flat_map(|r| serde_json::from_str::<Vec<Json>>(&r.body).unwrap()).collect()
    }
}

async fn take(request: HttpRequest, body: String, receiver: web::Data<Receiver>) -> HttpResponse {
    let text = |v: &actix_web::http::header::HeaderValue| v.to_str().unwrap().to_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    receiver.requests.lock().unwrap().push(Received { headers, body });
    let (status, body) = receiver.answers.lock().unwrap().pop_front().unwrap_or((200, ACK));
    HttpResponse::build(status.try_into().unwrap()).body(body)
}
