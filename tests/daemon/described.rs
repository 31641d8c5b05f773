//! A CRM that leadpact does not know, described in a file: its lead breaches and goes back, told of by
//! its webhook, read, and written through its own requests.

use crate::agreements::follow_up;
use crate::house::{House, on_both, pause};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit, Mac};
use leadpact::engine::clock::real_now;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const DESCRIPTION: &str = r#"
name  = "Brim CRM"
times = "unix-ms"

[authentication]
scheme = "header"
header = "X-Key"
value  = "{client_id}.{client_secret}"

[webhook]
verify = { scheme = "hmac-sha256", header = "X-Brim", encoding = "hex" }
id     = "prospect.ref"
time   = "prospect.touched"
by     = "who"
fields = "prospect"

[lead]
type     = "prospect"
id       = "ref"
modified = "touched"
fields   = { name = "title", status = "phase", owner = "holder" }
numbers  = ["owner"]
read     = { get = "/v1/{type}s/{id}", item = "prospect" }
update   = { put = "/v1/{type}s/{id}", body = { prospect = "{changes}" }, item = "prospect" }

[people]
get   = "/v1/people"
id    = "number"
name  = "name"
email = "mail"
"#;

const CONNECTION: &str = r#"
[[connection]]
name           = "brim"
crm            = "generic"
mode           = "enforce"
connector      = "brim.toml"
base_url       = "BRIM"
client_id      = "key"
client_secret  = "secret"
webhook_secret = ["shared"]

  [connection.values.lead.status]
  "Qualified by marketing"       = "marketing"
  "Qualified by teleprospecting" = "qualified"
  "Working"                      = "work"

  [connection.parties]
  teleprospecting = { members = ["8"] }
"#;

/// The CRM: its prospects, and the bodies of all updates.
#[derive(Clone, Default)]
struct Brim {
    prospects: Arc<Mutex<BTreeMap<String, Json>>>,
    updates: Arc<Mutex<Vec<(String, Json)>>>,
}

impl Brim {
    fn start(&self) -> String {
        let brim = self.clone();
        let server = HttpServer::new(move || {
            let brim = brim.clone();
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                let answer = brim.answer(&request, &body);
                async move { answer }
            }))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        url
    }

    fn answer(&self, request: &HttpRequest, body: &[u8]) -> HttpResponse {
        if request.headers().get("x-key").is_none_or(|key| key != "key.secret") {
            return HttpResponse::Unauthorized().finish();
        }
        if request.path() == "/v1/people" {
            return HttpResponse::Ok()
                .json(json!([{"number": 7, "name": "Amy Ng"}, {"number": 8, "name": "Tess Hall"}]));
        }
        let id = request.path().trim_start_matches("/v1/prospects/").to_owned();
        if request.method() == "PUT" {
            let body: Json = serde_json::from_slice(body).expect("JSON");
            self.updates.lock().expect("no panic").push((id.clone(), body.clone()));
            self.set(&id, &body["prospect"]);
        }
        match self.prospects.lock().expect("no panic").get(&id) {
            Some(prospect) => HttpResponse::Ok().json(json!({ "prospect": prospect })),
            None => HttpResponse::NotFound().finish(),
        }
    }

    fn set(&self, id: &str, fields: &Json) {
        let mut prospects = self.prospects.lock().expect("no panic");
        let prospect = prospects.entry(id.to_owned()).or_insert_with(|| json!({ "ref": id }));
        for (name, value) in fields.as_object().expect("a table") {
            prospect[name] = value.clone();
        }
        prospect["touched"] = real_now().as_millis().into();
    }

    fn get(&self, id: &str) -> Json {
        self.prospects.lock().expect("no panic")[id].clone()
    }

    fn updates(&self, id: &str) -> Vec<Json> {
        let all = self.updates.lock().expect("no panic");
        all.iter().filter(|(of, _)| of == id).map(|(_, body)| body.clone()).collect()
    }

    /// A new prospect of Amy's, told of by a signed webhook.
    async fn qualify(&self, house: &House, id: &str) {
        self.set(id, &json!({"title": "Ada Stone", "phase": "qualified", "holder": 7}));
        let body = json!({"who": 7, "prospect": self.get(id)}).to_string();
        let mac = Hmac::<sha2::Sha256>::new_from_slice(b"shared").expect("a key").chain_update(&body);
        let url = format!("http://127.0.0.1:{}/webhooks/brim", house.port);
        let sent = reqwest::Client::new().post(url).header("X-Brim", hex::encode(mac.finalize().into_bytes()));
        assert_eq!(sent.body(body).send().await.expect("an answer").status(), 204);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_of_a_described_crm_goes_back_through_its_own_requests() {
    on_both(&follow_up(), async |house| {
        let brim = Brim::default();
        let url = brim.start();
        std::fs::write(house.file("brim.toml"), DESCRIPTION).expect("a file");
        house.configure("leadpact.toml", house.port, |text| text + &CONNECTION.replace("BRIM", &url));
        house.start().await;

        brim.qualify(house, "P-1").await;
        brim.qualify(house, "P-2").await;
        pause(700).await;
        // Answered, and no webhook tells of it: only the read before the write can know.
        brim.set("P-2", &json!({"phase": "work"}));
        house.until("the lead goes back", async || brim.get("P-1")["holder"] == 8).await;
        house.until("it is journalled", async || count(house, "P-1", "recycled").await == 1).await;
        pause(1_500).await;
        assert_eq!(brim.get("P-1")["phase"], "marketing");
        assert_eq!(brim.updates("P-1"), [json!({"prospect": {"holder": 8, "phase": "marketing"}})]);
        assert_eq!((count(house, "P-1", "breached").await, count(house, "P-1", "parked").await), (1, 0));
        assert!(brim.updates("P-2").is_empty(), "{:?}", brim.updates("P-2"));
        assert_eq!(count(house, "P-2", "recycled").await, 0);
        let told = house.slack.messages("#sales");
        assert!(told.iter().any(|m| m["text"].as_str().is_some_and(|t| t.contains("Ada Stone"))), "{told:?}");
    })
    .await;
}

async fn count(house: &House, id: &str, kind: &str) -> usize {
    house.timeline("brim", "lead", id).await.iter().filter(|fact| fact["kind"] == kind).count()
}
