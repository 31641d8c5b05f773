//! The house under test, and requests as the three senders sign them.

use crate::document::Differences;
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
use leadpact::engine::directory::Directory;
use leadpact::engine::ingest::Ingest;
use leadpact::engine::switches::Acts;
use leadpact::engine::{Engine, Site};
use leadpact::notify::{Notifiers, Templates};
use leadpact::record::{ConnectionName, Timestamp};
use leadpact::store::account::{self, Account};
use leadpact::store::inbox::{self, InboxRow};
use leadpact::store::role::Role;
use leadpact::store::secret::Secret;
use leadpact::store::session::{self, From};
use leadpact::store::{Db, OpenOptions, Priority};
use leadpact::web::slack_actions::SlackDoor;
use leadpact::web::{Examine, Web, serve};
use reqwest::Method;
use reqwest::redirect::Policy;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

pub const PUBLIC: &str = "https://leadpact.acme.example";
pub const HUBSPOT: &str = "/webhooks/acme-hubspot";
pub const SALESFORCE: &str = "/webhooks/acme-salesforce/s3cret-path";
pub const GENERIC: &str = "/webhooks/acme-other";
pub const SECRETS: [&str; 2] = ["old client secret", "new client secret"];
const KEY: &[u8] = b"twenty-four bytes of key";

pub struct House {
    pub db: Db,
    pub engine: Arc<Engine>,
    pub ingest: Ingest,
    pub stopping: CancellationToken,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub client: reqwest::Client,
    /// An admin's session, which `get` and `text` use.
    pub admin_session: Person,
    /// What sessions go by.
    pub clock: Clock,
    /// Answers to programs that are not as the API's document says. There are none, or the test fails.
    differences: Differences,
    /// The database's.
    pub url: String,
    _folder: TempDir,
}

/// What is asked outside, where a test has it.
#[derive(Default)]
struct Asked {
    examine: Option<Examine>,
    slack: Option<SlackDoor>,
    #[cfg(feature = "oidc")]
    oidc: Option<leadpact::engine::oidc::OidcSettings>,
    patience: Option<Duration>,
    /// What the engine goes by in place of the wall clock.
    now: Option<Timestamp>,
}

impl Drop for House {
    fn drop(&mut self) {
        let found = self.differences.all();
        if !std::thread::panicking() {
            assert!(found.is_empty(), "answers that the API's document does not describe:\n{}", found.join("\n"));
        }
    }
}

/// Somebody who is signed in.
pub struct Person {
    pub account: Account,
    pub secret: Secret,
    cookie: &'static str,
}

impl Person {
    async fn sign_in(db: &Db, role: Role, name: &str, cookie: &'static str) -> Self {
        let account = account(role, name);
        let secret = Secret::fresh("");
        let mut tx = db.begin(Priority::Work).await.unwrap();
        account::add(&mut tx, &account).await.unwrap();
        session::begin(&mut tx, &secret, &account.id, From::default(), at_work()).await.unwrap();
        tx.commit().await.unwrap();
        Self { account, secret, cookie }
    }

    /// Somebody whose session has begun already.
    pub fn of(account: Account, secret: Secret) -> Self {
        Self { account, secret, cookie: "leadpact" }
    }

    pub fn cookie(&self) -> String {
        format!("{}={}", self.cookie, self.secret.expose())
    }

    /// What this session's forms carry.
    pub fn csrf(&self) -> String {
        leadpact::web::csrf::token(&self.secret)
    }
}

/// An account as `leadpact user add` makes it, without a password.
pub fn account(role: Role, name: &str) -> Account {
    Account {
        id: format!("id of {name}"),
        login: account::login(&format!("{}@acme.example", name.replace(' ', "."))),
        name: name.to_owned(),
        role,
        signs_for: None,
        password: None,
        disabled: false,
        created_at: at_work(),
        created_by: "tests".to_owned(),
    }
}

/// When these tests are: sessions go by this clock.
pub fn at_work() -> Timestamp {
    Timestamp::parse("2027-01-05T14:00:00Z").unwrap()
}

pub fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

pub fn agreement() -> Arc<Agreement> {
    let text = include_str!("../../config/agreement.toml");
    Arc::new(parse::parse("agreement.toml", text, &|_| Err("no files".into())).unwrap().agreement)
}

impl House {
    /// With the pages on a listener of their own.
    pub async fn start() -> Self {
        Self::with(Some(listener()), None).await
    }

    /// With everything on one listener.
    pub async fn on_one_address() -> Self {
        Self::with(None, None).await
    }

    /// With a proxy before the pages, which people know by this address.
    pub async fn behind(admin_url: &str) -> Self {
        Self::with(Some(listener()), Some(admin_url)).await
    }

    /// With Slack's calls answered.
    pub async fn with_slack(door: SlackDoor) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let asked = Asked { slack: Some(door), ..Asked::default() };
        Self::at(&url, folder, Some(listener()), None, asked).await
    }

    /// With an identity provider that vouches for people.
    #[cfg(feature = "oidc")]
    pub async fn with_oidc(settings: leadpact::engine::oidc::OidcSettings, admin_url: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let asked = Asked { oidc: Some(settings), ..Asked::default() };
        Self::at(&url, folder, Some(listener()), admin_url, asked).await
    }

    /// The same with its store on PostgreSQL, where that is installed.
    #[cfg(feature = "oidc")]
    pub async fn with_oidc_on_postgres(settings: leadpact::engine::oidc::OidcSettings) -> Option<Self> {
        let url = crate::postgres::fresh_database().await?;
        let asked = Asked { oidc: Some(settings), ..Asked::default() };
        Some(Self::at(&url, TempDir::new().unwrap(), Some(listener()), None, asked).await)
    }

    /// With somebody who can be asked to check everything.
    pub async fn examining(examine: Examine) -> Self {
        Self::whole(Some(listener()), None, Some(examine)).await
    }

    /// With pages that wait for no number.
    pub async fn in_a_hurry() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        Self::at(&url, folder, None, None, Asked { patience: Some(Duration::ZERO), ..Asked::default() }).await
    }

    /// With its store on PostgreSQL, where that is installed.
    pub async fn on_postgres() -> Option<Self> {
        let url = crate::postgres::fresh_database().await?;
        Some(Self::at(&url, TempDir::new().unwrap(), Some(listener()), None, Asked::default()).await)
    }

    /// Houses on both engines at a moment of which the test knows what the agreement says.
    pub async fn both_at(now: Timestamp) -> Vec<Self> {
        let mut houses = Vec::new();
        let folder = TempDir::new().unwrap();
        let sqlite = (format!("sqlite://{}/test.db", folder.path().display()), folder);
        let postgres = crate::postgres::fresh_database().await.map(|url| (url, TempDir::new().unwrap()));
        for (url, folder) in [Some(sqlite), postgres].into_iter().flatten() {
            let asked = Asked { now: Some(now), ..Asked::default() };
            houses.push(Self::at(&url, folder, Some(listener()), None, asked).await);
        }
        houses
    }

    async fn with(admin: Option<TcpListener>, admin_url: Option<&str>) -> Self {
        Self::whole(admin, admin_url, None).await
    }

    async fn whole(admin: Option<TcpListener>, admin_url: Option<&str>, examine: Option<Examine>) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        Self::at(&url, folder, admin, admin_url, Asked { examine, ..Asked::default() }).await
    }

    async fn at(url: &str, folder: TempDir, admin: Option<TcpListener>, admin_url: Option<&str>, asked: Asked) -> Self {
        let db = Db::open(url, &OpenOptions::default()).await.unwrap();
        let engine = engine(db.clone(), asked.now.map_or_else(Clock::real, Clock::manual));
        let ingest = Ingest::start(db.clone(), &engine.sites());
        let stopping = CancellationToken::new();
        let clock = Clock::manual(at_work());
        let web = Web::new(engine.clone(), ingest.clone(), PUBLIC, stopping.clone());
        let differences = Differences::default();
        let seen = differences.clone();
        let web = web.watched_by(Arc::new(move |answered| seen.look(answered)));
        let web = web.with_clock(clock.clone()).behind(admin_url.map(|url| url.parse().unwrap()));
        let mut web = web.with_slack(asked.slack);
        web.examine = asked.examine;
        // However busy the machine is, what is counted is there.
        web.patience = asked.patience.unwrap_or(Duration::from_secs(20));
        let public = listener();
        let public_address = public.local_addr().unwrap();
        let admin_address = admin.as_ref().map_or(public_address, |a| a.local_addr().unwrap());
        #[cfg(feature = "oidc")]
        if let Some(settings) = asked.oidc {
            use leadpact::engine::oidc::{CALLBACK_PATH, door::Door, provider::Provider};
            let base = admin_url.map_or_else(|| format!("http://{admin_address}"), str::to_owned);
            let provider = Provider::new(settings, self::http(), format!("{base}{CALLBACK_PATH}"));
            web.oidc = Some(Door::new(provider, db.clone()));
        }
        tokio::spawn(serve(Arc::new(web), public, admin, 2).unwrap().run());
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).redirect(Policy::none());
        let client = client.build().unwrap();
        let cookie = if admin_url.is_some() { "__Host-leadpact" } else { "leadpact" };
        let admin_session = Person::sign_in(&db, Role::Admin, "Ada Admin", cookie).await;
        let (public, admin) = (public_address, admin_address);
        Self {
            db,
            engine,
            ingest,
            stopping,
            public,
            admin,
            client,
            admin_session,
            clock,
            differences,
            url: url.to_owned(),
            _folder: folder,
        }
    }

    /// Somebody of this role, signed in.
    pub async fn person(&self, role: Role) -> Person {
        Person::sign_in(&self.db, role, &format!("The {role}"), "leadpact").await
    }

    /// Opens a page as somebody.
    pub async fn get_as(&self, person: &Person, path: &str) -> reqwest::Response {
        self.as_nobody(Method::GET, path).header("Cookie", person.cookie()).send().await.unwrap()
    }

    /// Sends a form as somebody, as a page of ours does.
    pub async fn post_as(&self, person: &Person, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let csrf = person.csrf();
        let form: Vec<(&str, &str)> = form.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        let request = self.as_nobody(Method::POST, path).header("Cookie", person.cookie());
        request.header("Sec-Fetch-Site", "same-origin").form(&form).send().await.unwrap()
    }

    /// A request to the pages by somebody whom nobody knows.
    pub fn as_nobody(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.admin))
    }

    /// What lies in the inbox of a connection.
    pub async fn inbox(&self, connection: &str) -> Vec<InboxRow> {
        let name = ConnectionName::new(connection);
        match inbox::mark(&self.db, &name).await.unwrap() {
            Some(mark) => inbox::received(&self.db, &name, &mark, 1000).await.unwrap(),
            None => Vec::new(),
        }
    }

    pub async fn send(&self, delivery: &Delivery) -> (u16, String) {
        let mut request = self.client.post(format!("http://{}{}", self.public, delivery.path));
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        let response = request.body(delivery.body.clone()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.get_as(&self.admin_session, path).await
    }

    pub async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    /// Sends bytes as they are and reads until the server closes or answers whole.
    pub async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.public).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = vec![0; 16 * 1024];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await;
        String::from_utf8_lossy(&answer[..read.expect("an answer").unwrap_or(0)]).into_owned()
    }
}

fn engine(db: Db, clock: Clock) -> Arc<Engine> {
    let agreement = agreement();
    let site = |(connection, crm): (Connection, SharedCrm)| {
        let (directory, acts) =
            (Directory::default(), if connection.name.as_str() == "acme-hubspot" { Acts::Always } else { Acts::Never });
        let (stirred, issued) = Default::default();
        Arc::new(Site { connection, crm, agreement: agreement.clone(), acts, directory, stirred, issued })
    };
    let sites = [hubspot(&agreement), salesforce(&agreement), generic(&agreement)].map(site).to_vec();
    Arc::new(Engine::new(
        leadpact::engine::context::Parts {
            db,
            clock,
            notifiers: Notifiers::new(Templates::load(None).unwrap(), None, None).unwrap(),
            notify_in_observe: false,
        },
        "test",
        sites,
    ))
}

pub fn connection(name: &str, platform: Platform) -> Connection {
    Connection {
        name: ConnectionName::new(name),
        agreement: None,
        mode: None,
        base_url: "https://crm.acme.example".to_owned(),
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

pub fn http() -> Http {
    Http::new(Arc::new(real_now)).unwrap()
}

fn hubspot(agreement: &Agreement) -> (Connection, SharedCrm) {
    let settings = HubSpotSettings {
        portal_id: Some(45_540_012),
        auth: HubSpotAuth::AccessToken("token".into()),
        webhook_secret: SECRETS.map(Into::into).to_vec(),
        lead_object: "contacts".to_owned(),
    };
    let connection = connection("acme-hubspot", Platform::HubSpot(settings));
    (connection.clone(), Arc::new(HubSpot::new(connection, &agreement.dictionary, http())))
}

pub fn salesforce(agreement: &Agreement) -> (Connection, SharedCrm) {
    let settings = SalesforceSettings {
        organization_id: "00D5g000004XyZaEAK".to_owned(),
        auth: SalesforceAuth::AccessToken("token".into()),
        login_url: None,
        path_secret: Some("s3cret-path".into()),
        client_certificate: None,
    };
    let connection = connection("acme-salesforce", Platform::Salesforce(settings));
    (connection.clone(), Arc::new(Salesforce::new(&connection, &agreement.dictionary, http()).unwrap()))
}

fn generic(agreement: &Agreement) -> (Connection, SharedCrm) {
    let secret = format!("whsec_{}", STANDARD.encode(KEY));
    let verify = GenericVerify::StandardWebhooks { secret: vec![secret.into()] };
    let connection = connection("acme-other", Platform::Generic(GenericSettings::listening(verify)));
    (connection.clone(), Arc::new(Generic::new(connection, &agreement.dictionary, http())))
}

/// A request on its way.
#[derive(Clone)]
pub struct Delivery {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Delivery {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    /// Its head and body as bytes, with a `Host` of one's choice.
    pub fn as_bytes(&self, host: &str) -> Vec<u8> {
        let mut head =
            format!("POST {} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", self.path, self.body.len());
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

fn mac(key: &[u8], signed: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    signed.iter().for_each(|part| mac.update(part));
    STANDARD.encode(mac.finalize().into_bytes())
}

/// As HubSpot signs it now, for the URL that it was configured with.
pub fn from_hubspot(path: &str, body: &str) -> Delivery {
    from_hubspot_at(path, body, real_now(), SECRETS[0])
}

pub fn from_hubspot_at(path: &str, body: &str, at: Timestamp, secret: &str) -> Delivery {
    signed_for(&format!("{PUBLIC}{path}"), path, body, at, secret)
}

/// Signed for one address and sent to the path.
pub fn signed_for(url: &str, path: &str, body: &str, at: Timestamp, secret: &str) -> Delivery {
    let timestamp = at.as_millis().to_string();
    let signed = [b"POST".as_slice(), url.as_bytes(), body.as_bytes(), timestamp.as_bytes()];
    let signature = mac(secret.as_bytes(), &signed);
    Delivery { path: path.to_owned(), headers: Vec::new(), body: body.as_bytes().to_vec() }
        .with("X-HubSpot-Signature-v3", &signature)
        .with("X-HubSpot-Request-Timestamp", &timestamp)
}

pub fn from_generic(id: &str, body: &str) -> Delivery {
    let timestamp = (real_now().as_millis() / 1000).to_string();
    let signature = mac(KEY, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()]);
    Delivery { path: GENERIC.to_owned(), headers: Vec::new(), body: body.as_bytes().to_vec() }
        .with("webhook-id", id)
        .with("webhook-timestamp", &timestamp)
        .with("webhook-signature", &format!("v1,{signature}"))
}

pub fn from_salesforce(path: &str, body: &str) -> Delivery {
    Delivery { path: path.to_owned(), headers: Vec::new(), body: body.as_bytes().to_vec() }
        .with("Content-Type", "text/xml; charset=utf-8")
}

/// One lead's status by HubSpot.
pub fn event(object: u64) -> String {
    format!(
        r#"[{{"eventId":1,"subscriptionId":310002,"portalId":45540012,"occurredAt":1767603600980,
        "subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":{object},"changeSource":"CRM_UI",
        "propertyName":"hs_lead_status","propertyValue":"OPEN","sourceId":"userId:9912"}}]"#
    )
}
