//! A sandbox with both CRMs, people in them, and a receiver of webhooks.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use leadpact::engine::clock::real_now;
use leadpact::sandbox::{Clock, HubSpotOrg, SalesforceOrg, Sandbox, SandboxOptions};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};

pub const PORTAL: u64 = 45_540_012;
pub const TOKEN: &str = "pat-na1-pretend";
pub const SECRET: &str = "client-secret-of-the-app";
pub const ORGANIZATION: &str = "00D5g000004XyZaEAK";
pub const CLIENT: (&str, &str) = ("client-id", "client-secret");

pub async fn sandbox(clock: Clock) -> Sandbox {
    let options = SandboxOptions {
        clock,
        hubspot: Some(HubSpotOrg {
            portal_id: PORTAL,
            token: TOKEN.into(),
            client_secret: SECRET.into(),
            webhook_url: String::new(),
        }),
        salesforce: Some(SalesforceOrg {
            organization_id: ORGANIZATION.into(),
            client_id: CLIENT.0.into(),
            client_secret: CLIENT.1.into(),
            webhook_url: String::new(),
        }),
        listen: "127.0.0.1:0".parse().unwrap(),
    };
    Sandbox::start(options).await.unwrap()
}

/// In real time, as official clients expect it.
pub async fn sandbox_now() -> Sandbox {
    sandbox(Arc::new(real_now)).await
}

/// Takes webhooks: each as its headers and its body.
#[derive(Clone, Default)]
pub struct Receiver(Arc<Mutex<Vec<Json>>>);

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

    pub fn taken(&self) -> Vec<Json> {
        self.0.lock().unwrap().clone()
    }
}

async fn take(request: HttpRequest, body: String, receiver: web::Data<Receiver>) -> HttpResponse {
    let mut headers = json!({});
    for (name, value) in request.headers() {
        headers[name.as_str()] = json!(value.to_str().unwrap());
    }
    receiver.0.lock().unwrap().push(json!({ "headers": headers, "body": body }));
    HttpResponse::Ok().finish()
}
