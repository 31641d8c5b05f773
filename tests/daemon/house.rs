//! A house to run the daemon in: a folder with its configuration, two pretend CRMs, a pretend Slack,
//! a mail server and a database of either engine. People's deeds go through here too.

use crate::configuration;
use crate::daemon::{Daemon, free_port};
use crate::postgres;
use crate::slack::FakeSlack;
use crate::smtp::FakeSmtp;
use leadpact::engine::clock::{monotonic_now, real_now};
use leadpact::record::{Elapsed, Timestamp};
use leadpact::sandbox::{By, CrmKind, HubSpotOrg, SalesforceOrg, Sandbox, SandboxOptions, Values, World, vocabulary};
use leadpact::store::api_token::{self, ApiToken};
use leadpact::store::role::Role;
use leadpact::store::secret::Secret;
use leadpact::store::{Db, OpenOptions, Priority};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OnceCell;

pub use CrmKind::{HubSpot, Salesforce};

pub const PORTAL: u64 = 45_540_012;
pub const SECRET: &str = "client-secret-of-the-app";
/// Longer than anything takes, even where many tests share two cores.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

pub struct House {
    pub engine: Engine,
    pub sandbox: Sandbox,
    pub slack: FakeSlack,
    pub smtp: FakeSmtp,
    pub people: People,
    pub store: String,
    pub port: u16,
    folder: tempfile::TempDir,
    /// The moment at which the CRMs' clocks stand; 0: they go.
    stopped_at: Arc<AtomicI64>,
    daemon: Mutex<Option<Daemon>>,
    client: reqwest::Client,
    /// For the API; made when it is first asked.
    token: OnceCell<Secret>,
}

/// Ids of owners.
pub struct People {
    /// Of field sales, in both CRMs.
    amy: [String; 2],
    /// HubSpot's teleprospecting.
    pub tele: [String; 2],
    /// Salesforce's.
    pub queue: String,
}

impl People {
    pub fn amy(&self, crm: CrmKind) -> &str {
        &self.amy[usize::from(crm == Salesforce)]
    }

    /// Whether this owner is teleprospecting.
    pub fn is_tele(&self, owner: &str) -> bool {
        self.tele.iter().any(|id| id == owner) || self.queue == owner
    }
}

/// Tells a story on SQLite and on PostgreSQL, side by side.
pub async fn on_both(agreement: &str, story: impl AsyncFn(&House)) {
    let sqlite = async {
        let house = House::open(Engine::Sqlite, agreement).await.expect("SQLite is always there");
        story(&house).await;
    };
    let postgres = async {
        if let Some(house) = House::open(Engine::Postgres, agreement).await {
            story(&house).await;
        }
    };
    tokio::join!(sqlite, postgres);
}

pub async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

impl House {
    /// A house with its files written and nothing running but the CRMs. `None`: no PostgreSQL here.
    pub async fn open(engine: Engine, agreement: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("leadpact").tempdir().expect("a folder");
        let store = match engine {
            Engine::Sqlite => format!("sqlite://{}", folder.path().join("leadpact.db").display()),
            Engine::Postgres => postgres::fresh_database().await?,
        };
        let port = free_port();
        let stopped_at = Arc::new(AtomicI64::new(0));
        let sandbox = sandbox(port, stopped_at.clone()).await;
        let people = people(&sandbox);
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a client");
        let house = Self {
            engine,
            sandbox,
            slack: FakeSlack::start(),
            smtp: FakeSmtp::start(&[]),
            people,
            store,
            port,
            folder,
            stopped_at,
            daemon: Mutex::default(),
            client,
            token: OnceCell::new(),
        };
        std::fs::write(house.file("agreement.toml"), agreement).expect("a file");
        house.configure("leadpact.toml", port, |text| text);
        Some(house)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a configuration that enforces in both CRMs, after `change`.
    pub fn configure(&self, name: &str, port: u16, change: impl FnOnce(String) -> String) {
        std::fs::write(self.file(name), change(configuration::text(self, port))).expect("a file");
    }

    /// Starts the daemon and waits until it takes deliveries.
    pub async fn start(&self) {
        let daemon = Daemon::start(&self.file("leadpact.toml"), &self.file("log"));
        *self.daemon.lock().expect("no panic while locked") = Some(daemon);
        self.until("the daemon is ready", async || {
            assert!(self.with_daemon(Daemon::is_running), "it ended: {}", self.log());
            self.get(self.port, "/readyz").await.is_some_and(|(status, _)| status == 200)
        })
        .await;
    }

    pub fn with_daemon<T>(&self, what: impl FnOnce(&mut Daemon) -> T) -> T {
        what(self.daemon.lock().expect("no panic while locked").as_mut().expect("a daemon was started"))
    }

    /// Takes the process out, to be waited for.
    pub fn take_daemon(&self) -> Daemon {
        self.daemon.lock().expect("no panic while locked").take().expect("a daemon was started")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// Status and body; `None` where nobody answers.
    pub async fn get(&self, port: u16, path: &str) -> Option<(u16, Json)> {
        let mut request = self.client.get(format!("http://127.0.0.1:{port}{path}"));
        if path.starts_with("/api/") {
            request = request.bearer_auth(self.token.get_or_init(async || token(&self.store).await).await.expose());
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, serde_json::from_str(&answer.text().await.ok()?).unwrap_or_default()))
    }

    /// What the API tells of a record; null where it is not known yet.
    pub async fn record(&self, connection: &str, object: &str, id: &str) -> Json {
        let path = format!("/api/v1/records/{connection}/{object}/{id}");
        match self.get(self.port, &path).await {
            Some((200, record)) => record,
            _ => Json::Null,
        }
    }

    /// The facts of a record's journal, those taken back left out.
    pub async fn timeline(&self, connection: &str, object: &str, id: &str) -> Vec<Json> {
        let record = self.record(connection, object, id).await;
        let all = record["timeline"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|fact| fact["withdrawn"] == false && fact["kind"] != "withdrawn").collect()
    }

    /// The facts of one kind about a lead.
    pub async fn facts(&self, crm: CrmKind, id: &str, kind: &str) -> Vec<Json> {
        let timeline = self.timeline(connection(crm), "lead", id).await;
        timeline.into_iter().filter(|fact| fact["kind"] == kind).collect()
    }

    /// What was told of a lead and what the CRM recorded, for whoever reads why a test failed.
    pub async fn story(&self, crm: CrmKind, id: &str) -> String {
        let timeline = self.timeline(connection(crm), "lead", id).await;
        let told: Vec<String> = timeline.iter().map(Json::to_string).collect();
        let record = self.world(crm).get(vocabulary::lead_object(crm), id).expect("the lead is there");
        let changes: Vec<String> = record.history.iter().map(|change| format!("{change:?}")).collect();
        format!("journal:\n{}\n{crm:?}:\n{}", told.join("\n"), changes.join("\n"))
    }

    /// Waits until it is so.
    pub async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let begun = monotonic_now();
        while !is_so().await {
            assert!(begun.elapsed() < PATIENCE, "{:?}: it does not happen that {what}", self.engine);
            pause(50).await;
        }
    }

    pub fn world(&self, crm: CrmKind) -> &Arc<World> {
        match crm {
            HubSpot => self.sandbox.hubspot(),
            Salesforce => self.sandbox.salesforce(),
        }
    }

    /// The CRMs' clocks stand still at this moment, so that all that happens now falls due at once.
    pub fn stop_clocks(&self) {
        self.stopped_at.store(real_now().as_millis(), Ordering::SeqCst);
    }

    /// The CRMs' clocks stand at this moment.
    pub fn set_clocks(&self, at: Timestamp) {
        self.stopped_at.store(at.as_millis(), Ordering::SeqCst);
    }

    pub fn let_clocks_go(&self) {
        self.stopped_at.store(0, Ordering::SeqCst);
    }

    /// A new lead of Amy's at this logical status, filled in by a form.
    pub fn lead(&self, crm: CrmKind, name: &str, status: &'static str) -> String {
        let owner = self.people.amy(crm).to_owned();
        let mut values = values(crm, vocabulary::lead_object(crm), &[("status", status), ("owner", &owner)]);
        let (first, last) = name.split_once(' ').unwrap_or(("", name));
        let names = match crm {
            HubSpot => ["firstname", "lastname"],
            Salesforce => ["FirstName", "LastName"],
        };
        values.extend(names.into_iter().zip([first, last]).map(|(name, v)| (name.to_owned(), Json::from(v))));
        self.world(crm).create(vocabulary::lead_object(crm), values, By::Form)
    }

    /// Amy changes fields of a lead, by their logical names.
    pub fn amy_sets(&self, crm: CrmKind, id: &str, fields: &[(&'static str, &str)]) {
        let object = vocabulary::lead_object(crm);
        let by = By::Person(self.people.amy(crm).to_owned());
        self.world(crm).change(object, id, values(crm, object, fields), by).expect("the lead is there");
    }

    /// A lead's field in the CRM, by its logical name and with its logical value.
    pub fn field(&self, crm: CrmKind, id: &str, name: &'static str) -> String {
        let value = self.world(crm).field(vocabulary::lead_object(crm), id, name);
        if name == "status" { vocabulary::logical_status(crm, &value).to_owned() } else { value }
    }

    /// How often leadpact changed this lead's owner in the CRM.
    pub fn moves(&self, crm: CrmKind, id: &str) -> usize {
        let object = vocabulary::lead_object(crm);
        let owner = vocabulary::property(crm, object, "owner");
        let record = self.world(crm).get(object, id).expect("the lead is there");
        record.history.iter().filter(|change| change.by == By::App && change.property == owner).count()
    }

    /// In how many update calls this lead was named.
    pub fn writes(&self, crm: CrmKind, id: &str) -> usize {
        self.updates(crm).iter().flat_map(|ids| ids.iter()).filter(|named| *named == id).count()
    }

    /// The ids of each update call.
    pub fn updates(&self, crm: CrmKind) -> Vec<Vec<String>> {
        let (kind, list, id) = match crm {
            HubSpot => ("hubspot.batch_update", "inputs", "id"),
            Salesforce => ("salesforce.collection_update", "records", "Id"),
        };
        let ids = |call: Json| {
            let all = call[list].as_array().cloned().unwrap_or_default();
            all.iter().map(|one| one[id].as_str().or(one["id"].as_str()).unwrap_or_default().to_owned()).collect()
        };
        self.sandbox.calls(kind).iter().map(|call| ids(call.json())).collect()
    }

    /// The lead is teleprospecting's again.
    pub fn is_back(&self, crm: CrmKind, id: &str) -> bool {
        self.people.is_tele(&self.field(crm, id, "owner")) && self.field(crm, id, "status") == "Qualified by marketing"
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("── the daemon's log on {:?}", self.engine);
            last.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// A token for the API, put into the store as `leadpact token add` does.
async fn token(store: &str) -> Secret {
    let db = Db::open(store, &OpenOptions::default()).await.expect("the daemon made it");
    let secret = Secret::fresh("");
    let created_at = real_now();
    let token = ApiToken {
        name: "tests".into(),
        scope: Role::Viewer,
        created_at,
        created_by: "tests".into(),
        expires_at: created_at + Elapsed::from_secs(86_400 * 3650),
    };
    let mut tx = db.begin(Priority::Work).await.expect("a transaction");
    api_token::add(&mut tx, &secret, &token).await.expect("room for a token");
    tx.commit().await.expect("it is kept");
    db.close().await;
    secret
}

pub fn connection(crm: CrmKind) -> &'static str {
    match crm {
        HubSpot => "hubspot",
        Salesforce => "salesforce",
    }
}

/// Fields by the CRM's names.
pub fn values(crm: CrmKind, object: &str, fields: &[(&'static str, &str)]) -> Values {
    let theirs = |name, value: &str| match (crm, name) {
        (HubSpot, "status") => {
            let known = vocabulary::HUBSPOT_STATUSES.iter().find(|(logical, _)| *logical == value);
            known.map_or(value, |(_, theirs)| theirs).to_owned()
        }
        _ => value.to_owned(),
    };
    let one = |(name, value): &(&'static str, &str)| {
        (vocabulary::property(crm, object, name).to_owned(), Json::from(theirs(*name, value)))
    };
    fields.iter().map(one).collect()
}

async fn sandbox(port: u16, stopped_at: Arc<AtomicI64>) -> Sandbox {
    let base = format!("http://127.0.0.1:{port}/webhooks");
    let options = SandboxOptions {
        clock: Arc::new(move || match stopped_at.load(Ordering::SeqCst) {
            0 => real_now(),
            at => Timestamp::from_millis(at),
        }),
        hubspot: Some(HubSpotOrg {
            portal_id: PORTAL,
            token: "pat-na1-pretend".into(),
            client_secret: SECRET.into(),
            webhook_url: format!("{base}/hubspot"),
        }),
        salesforce: Some(SalesforceOrg {
            organization_id: "00D5g000004XyZaEAK".into(),
            client_id: "id".into(),
            client_secret: "secret".into(),
            webhook_url: format!("{base}/salesforce/{SECRET}"),
        }),
        listen: "127.0.0.1:0".parse().expect("an address"),
    };
    Sandbox::start(options).await.expect("a sandbox")
}

fn people(sandbox: &Sandbox) -> People {
    let (hubspot, salesforce) = (sandbox.hubspot(), sandbox.salesforce());
    People {
        amy: [
            hubspot.add_member("Amy Ng", "amy@acme.example", None, false),
            salesforce.add_member("Amy Ng", "amy@acme.example", None, false),
        ],
        tele: [
            hubspot.add_member("Tess Hall", "tess@acme.example", None, false),
            hubspot.add_member("Theo Brandt", "theo@acme.example", None, false),
        ],
        queue: salesforce.add_member("Teleprospecting", "", None, true),
    }
}
