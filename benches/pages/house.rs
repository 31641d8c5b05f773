//! The daemon as it is at work over the seeded file: web floor, ingest, and the workers of three connections,
//! whose CRMs cannot be reached, so that everything is paused; a CRM's events come in all the same.

use crate::lead::{self, now};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use leadpact::agreement::{Agreement, parse};
use leadpact::crm::SharedCrm;
use leadpact::crm::connection::{
    Backfill, Connection, Generic as GenericSettings, GenericVerify, HubSpot as HubSpotSettings, HubSpotAuth, Platform,
    Salesforce as SalesforceSettings, SalesforceAuth, TouchBy, Touches,
};
use leadpact::crm::generic::Generic;
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::salesforce::Salesforce;
use leadpact::engine::clock::{Clock, real_now};
use leadpact::engine::context::Parts;
use leadpact::engine::directory::Directory;
use leadpact::engine::ingest::Ingest;
use leadpact::engine::schedule::Schedule;
use leadpact::engine::switches::Acts;
use leadpact::engine::worker::{Retention, Stop, Times, work};
use leadpact::engine::{Engine, Site};
use leadpact::notify::{Notifiers, Templates};
use leadpact::record::{ConnectionName, Elapsed};
use leadpact::store::account::{self, Account};
use leadpact::store::role::Role;
use leadpact::store::secret::Secret;
use leadpact::store::session::{self, From};
use leadpact::store::switch::{self, Switch, SwitchRow};
use leadpact::store::{Db, OpenOptions, Priority};
use leadpact::web::{Web, serve};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PUBLIC: &str = "https://leadpact.acme.example";
const PATH: &str = "/webhooks/acme-hubspot";
const SECRET: &str = "a client secret";
const DAY: i64 = 86_400;

pub fn agreement() -> Arc<Agreement> {
    let text = include_str!("../../config/agreement.toml");
    Arc::new(parse::parse("agreement.toml", text, &|_| Err("no files".into())).expect("the example").agreement)
}

pub struct House {
    engine: Arc<Engine>,
    address: SocketAddr,
    client: reqwest::Client,
    cookie: String,
}

impl House {
    pub async fn open(file: &str) -> Self {
        let db = Db::open(&format!("sqlite://{file}"), &OpenOptions::default()).await.expect("the database opens");
        let secret = sign_in(&db).await;
        let engine = engine(db.clone());
        let ingest = Ingest::start(db, &engine.sites());
        let web = Web::new(engine.clone(), ingest, PUBLIC, CancellationToken::new());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(serve(Arc::new(web), listener, None, 2).expect("a server").run());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let cookie = format!("leadpact={}", secret.expose());
        Self { engine, address, client: client.expect("a client"), cookie }
    }

    /// Starts the workers.
    pub fn work(&self) {
        let every = |text: &str| Schedule::parse(text).expect("a schedule");
        for site in self.engine.sites() {
            let times = Times { wake: every("0 * * * * *"), reconcile: every("0 0 * * * *") };
            let keep = Retention { inbox: Elapsed::from_secs(90 * DAY), history: Elapsed::from_secs(900 * DAY) };
            let daemon = CancellationToken::new();
            let stop = Stop { site: daemon.child_token(), daemon };
            tokio::spawn(work(self.engine.clone(), site, times, keep, stop));
        }
    }

    /// The text of an answer that is as it should be.
    pub async fn get(&self, path: &str) -> String {
        let mut answer = self.ask(path).await;
        if answer.status().is_redirection() {
            let to = answer.headers()["location"].to_str().expect("an address").to_owned();
            answer = self.ask(&to).await;
        }
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        if path != "/live" {
            return answer.text().await.expect("a text");
        }
        let first = answer.chunk().await.expect("an event").expect("an event");
        String::from_utf8_lossy(&first).into_owned()
    }

    async fn ask(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("http://{}{path}", self.address)).header("Cookie", &self.cookie);
        request.send().await.expect("an answer")
    }

    /// So many events a second, each about another lead, as HubSpot signs them.
    pub async fn send(self: Arc<Self>, each_second: u32) {
        let mut beat = tokio::time::interval(Duration::from_secs(1) / each_second);
        for n in 0_u64.. {
            beat.tick().await;
            let body = event(n, self.engine.clock.now().as_millis());
            let (timestamp, signature) = signed(&body);
            let request = self.client.post(format!("http://{}{PATH}", self.address)).body(body);
            let request = request.header("X-HubSpot-Signature-v3", signature);
            let answer = request.header("X-HubSpot-Request-Timestamp", timestamp.to_string()).send().await;
            assert!(answer.is_ok_and(|answer| answer.status().is_success()), "an event was not taken");
        }
    }
}

fn event(n: u64, at: i64) -> String {
    let id = 70_000_000_000 + lead::chance(n, 50) % 100_000 * 70;
    format!(
        r#"[{{"eventId":{n},"subscriptionId":310002,"portalId":45540012,"appId":880101,"occurredAt":{at},"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":{id},"changeSource":"CRM_UI","propertyName":"num_contacted_notes","propertyValue":"{}","sourceId":"userId:9912"}}]"#,
        1 + n % 9
    )
}

fn signed(body: &str) -> (i64, String) {
    let timestamp = real_now().as_millis();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(format!("POST{PUBLIC}{PATH}{body}{timestamp}").as_bytes());
    (timestamp, STANDARD.encode(mac.finalize().into_bytes()))
}

/// An administrator's session; everything is paused.
async fn sign_in(db: &Db) -> Secret {
    let (secret, at) = (Secret::fresh(""), real_now());
    let account = Account {
        id: format!("{}", at.as_millis()),
        login: account::login(&format!("ada{}@acme.example", at.as_millis())),
        name: "Ada Admin".to_owned(),
        role: Role::Admin,
        signs_for: None,
        password: None,
        disabled: false,
        created_at: at,
        created_by: "bench".to_owned(),
    };
    let paused = SwitchRow {
        connection: None,
        switch: Switch::Paused,
        on: true,
        until: None,
        by: "Ada Admin".to_owned(),
        why: "there is no CRM".to_owned(),
        at: now(),
    };
    let mut tx = db.begin(Priority::Work).await.expect("a transaction begins");
    account::add(&mut tx, &account).await.expect("an account");
    session::begin(&mut tx, &secret, &account.id, From::default(), at).await.expect("a session");
    switch::set(&mut tx, &paused).await.expect("a switch");
    tx.commit().await.expect("a session");
    secret
}

fn engine(db: Db) -> Arc<Engine> {
    let agreement = agreement();
    let site = |(connection, crm): (Connection, SharedCrm)| {
        let (directory, stirred, issued) = (Directory::default(), Default::default(), Default::default());
        let (agreement, acts) = (agreement.clone(), Acts::Always);
        Arc::new(Site { connection, crm, agreement, acts, directory, stirred, issued })
    };
    let sites = [hubspot(&agreement), salesforce(&agreement), generic(&agreement)].map(site).to_vec();
    let notifiers = Notifiers::new(Templates::load(None).expect("templates"), None, None).expect("no channels");
    let clock = Clock::fast(now(), 1.0);
    Arc::new(Engine::new(Parts { db, clock, notifiers, notify_in_observe: false }, "bench", sites))
}

fn connection(which: usize, platform: Platform) -> Connection {
    Connection {
        name: ConnectionName::new(lead::CONNECTIONS[which]),
        agreement: None,
        mode: None,
        base_url: "http://127.0.0.1:9".to_owned(),
        api_version: "67.0".to_owned(),
        backfill: Backfill::FromCrm,
        api_share: 0.5,
        fields: BTreeMap::new(),
        values: BTreeMap::new(),
        parties: BTreeMap::new(),
        touches: Touches { types: Vec::new(), by: TouchBy::Anyone, automation_users: Vec::new() },
        platform,
    }
}

fn http() -> Http {
    Http::new(Arc::new(real_now)).expect("an HTTP client")
}

fn hubspot(agreement: &Agreement) -> (Connection, SharedCrm) {
    let settings = HubSpotSettings {
        portal_id: Some(45_540_012),
        auth: HubSpotAuth::AccessToken("token".into()),
        webhook_secret: vec![SECRET.into()],
        lead_object: "contacts".to_owned(),
    };
    let connection = connection(0, Platform::HubSpot(settings));
    (connection.clone(), Arc::new(HubSpot::new(connection, &agreement.dictionary, http())))
}

fn salesforce(agreement: &Agreement) -> (Connection, SharedCrm) {
    let settings = SalesforceSettings {
        organization_id: "00D5g000004XyZaEAK".to_owned(),
        auth: SalesforceAuth::AccessToken("token".into()),
        login_url: None,
        path_secret: Some("s3cret-path".into()),
        client_certificate: None,
    };
    let connection = connection(1, Platform::Salesforce(settings));
    (connection.clone(), Arc::new(Salesforce::new(&connection, &agreement.dictionary, http()).expect("Salesforce")))
}

fn generic(agreement: &Agreement) -> (Connection, SharedCrm) {
    let secret = format!("whsec_{}", STANDARD.encode(SECRET));
    let verify = GenericVerify::StandardWebhooks { secret: vec![secret.into()] };
    let connection = connection(2, Platform::Generic(GenericSettings::listening(verify)));
    (connection.clone(), Arc::new(Generic::new(connection, &agreement.dictionary, http())))
}
