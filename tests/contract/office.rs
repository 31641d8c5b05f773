//! The engine with leadpact's real connectors on the sandbox's CRMs, driven by hand on SQLite. Moments are
//! minutes after noon, for the engine and for the CRMs.

use crate::support::{CLIENT, ORGANIZATION, PORTAL, SECRET, TOKEN, sandbox};
use leadpact::agreement::dictionary;
use leadpact::agreement::parse::parse;
use leadpact::crm::connection::{
    Backfill, Connection, HubSpot as HubSpotSettings, HubSpotAuth, Mode, Platform, Roster,
    Salesforce as SalesforceSettings, SalesforceAuth, TouchBy, Touches,
};
use leadpact::crm::http::Http;
use leadpact::crm::hubspot::HubSpot;
use leadpact::crm::salesforce::Salesforce;
use leadpact::crm::{Expected, SharedCrm, Wanted};
use leadpact::engine::clock::{Clock, real_now};
use leadpact::engine::context::Parts;
use leadpact::engine::deliver::Deliver;
use leadpact::engine::directory::Directory;
use leadpact::engine::switches::Acts;
use leadpact::engine::{Engine, Site, backfill, doctor, reconcile, worker};
use leadpact::notify::{Notifiers, Templates};
use leadpact::record::{ConnectionName, Elapsed, FieldName, Object, OwnerId, PartyName, Timestamp};
use leadpact::sandbox::{By, CrmKind, Sandbox, Values, World, vocabulary};
use leadpact::store::lease::{self, Lease};
use leadpact::store::{Db, OpenOptions};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const AGREEMENT: &str = include_str!("terms.toml");

/// Which CRM, and how its connection is configured.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub crm: CrmKind,
    pub api_version: &'static str,
    /// HubSpot's: `contacts` or `leads`.
    pub lead_object: &'static str,
}

pub const HUBSPOT: Kind = Kind { crm: CrmKind::HubSpot, api_version: "2026-03", lead_object: "contacts" };
pub const SALESFORCE: Kind = Kind { crm: CrmKind::Salesforce, api_version: "67.0", lead_object: "" };

pub struct Office {
    pub sandbox: Sandbox,
    pub engine: Engine,
    pub site: Site,
    pub lease: Lease,
    pub kind: Kind,
    /// Owner of the leads, of field sales.
    pub amy: String,
    clock: Clock,
    deliver: Deliver,
    _folder: tempfile::TempDir,
}

/// So many minutes after noon.
pub fn minute(n: i64) -> Timestamp {
    Timestamp::parse("2027-01-05T12:00:00Z").unwrap() + Elapsed::from_secs(60 * n)
}

impl Office {
    pub async fn open(kind: Kind) -> Self {
        let clock = Clock::manual(minute(0));
        let theirs = clock.clone();
        let sandbox = sandbox(Arc::new(move || theirs.now())).await;
        sandbox.keep_answers();
        let world = if kind.crm == CrmKind::HubSpot { sandbox.hubspot() } else { sandbox.salesforce() };
        let amy = world.add_member("Amy Ng", "amy@acme.example", None, false);
        let tess = world.add_member("Tess Hall", "tess@acme.example", None, false);
        let queue = (kind.crm == CrmKind::Salesforce).then(|| world.add_member("Teleprospecting", "", None, true));
        let tele = queue.map_or(Roster::Members(vec![tess]), |queue| Roster::Queue(OwnerId::new(&queue)));
        if kind.lead_object == "leads" {
            world.schema().scopes.push("crm.schemas.leads.write".to_owned());
        }
        let connection = connection(kind, &sandbox, tele);
        let crm = connector(kind, &connection, &clock);
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("office.db").display());
        let db = Db::open(&url, &OpenOptions { max_connections: 4, ..OpenOptions::default() }).await.unwrap();
        let lease = lease::take(&db, &connection.name, "office", real_now(), Elapsed::from_secs(600)).await;
        let notifiers = Notifiers::of(Templates::load(None).unwrap(), Vec::new());
        let parts = Parts { db, clock: clock.clone(), notifiers, notify_in_observe: false };
        let engine = Engine::new(parts, "office", Vec::new());
        let none = |file: &str| Err(format!("{file} is not here"));
        let agreement =
            parse("terms.toml", AGREEMENT, &none).unwrap_or_else(|report| panic!("{}", report.render(false)));
        let site = Site {
            connection,
            crm,
            agreement: Arc::new(agreement.agreement),
            acts: Acts::Always,
            directory: Directory::default(),
            stirred: Arc::default(),
            issued: Arc::default(),
        };
        let lease = lease.unwrap().unwrap();
        let deliver = Deliver::default();
        Self { sandbox, engine, site, lease, kind, amy, clock, deliver, _folder: folder }
    }

    pub fn world(&self) -> &Arc<World> {
        match self.kind.crm {
            CrmKind::HubSpot => self.sandbox.hubspot(),
            CrmKind::Salesforce => self.sandbox.salesforce(),
        }
    }

    pub fn at(&self, minutes: i64) {
        self.clock.set(minute(minutes));
    }

    /// A record of this object's with these values, by their logical names.
    pub fn create(&self, object: Object, values: &[(&'static str, &str)]) -> String {
        let crm = self.kind.crm;
        let table = match object {
            Object::Lead => vocabulary::lead_object(crm),
            Object::Opportunity => vocabulary::opportunity_object(crm),
        };
        let theirs = |(name, value): &(&'static str, &str)| {
            let status = vocabulary::HUBSPOT_STATUSES.iter().find(|(logical, _)| *name == "status" && logical == value);
            let value = status.filter(|_| crm == CrmKind::HubSpot).map_or(*value, |(_, theirs)| theirs);
            (vocabulary::property(crm, table, name).to_owned(), Json::from(value))
        };
        let values: Values = values.iter().map(theirs).collect();
        let table = if object == Object::Lead && self.kind.lead_object == "leads" { "0-136" } else { table };
        self.world().create(table, values, By::Form)
    }

    /// Leads of Amy's that were handed to her now.
    pub fn hand_over(&self, n: usize) -> Vec<String> {
        let one = |_| self.create(Object::Lead, &[("status", "Qualified by teleprospecting"), ("owner", &self.amy)]);
        (0..n).map(one).collect()
    }

    /// Imports all that is open.
    pub async fn import(&self) {
        backfill::ask(&self.engine.db, self.site.name(), "office", true, self.clock.now()).await.unwrap();
        while backfill::step(&self.engine, &self.site, &self.lease).await.unwrap() == backfill::Stepped::Went {}
        let import = backfill::state(&self.engine.db, self.site.name()).await.unwrap().unwrap();
        assert!(import.ended.is_some() && import.refused.is_empty(), "{import:?}");
    }

    pub async fn sweep(&self) {
        let swept = reconcile::sweep(&self.engine, &self.site, &self.lease, &CancellationToken::new()).await.unwrap();
        assert_eq!(swept, reconcile::Swept::Through);
    }

    /// What `leadpact doctor` asks of the CRM.
    pub async fn examine(&self) {
        doctor::connection(&self.site.connection, Some(&self.site.agreement), Expected::default(), &*self.site.crm)
            .await;
        let _ = self.site.crm.examine(&Wanted::default()).await;
    }

    /// What `leadpact connect` makes in the CRM.
    pub async fn connect(&self) {
        for made in self.site.crm.create_fields(&doctor::own_fields(&self.site.connection)).await {
            assert!(made.new.is_ok(), "{made:?}");
        }
    }

    /// Turns and steps until nothing moves any more.
    pub async fn settle(&mut self) {
        for _ in 0..200 {
            worker::turn(&self.engine, &self.site, &self.lease, &CancellationToken::new()).await.unwrap();
            if self.deliver.step(&self.engine, &self.site, &self.lease).await.unwrap() > 0 {
                continue;
            }
            match self.deliver.next_look() {
                Some(wait) if wait < Duration::from_secs(3) => {
                    tokio::time::sleep(wait + Duration::from_millis(2)).await
                }
                _ => return,
            }
        }
        panic!("it never settles");
    }
}

/// A call that no CRM would know often breaks a test before it is judged: it is said all the same.
impl Drop for Office {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let refused = |status: Option<u16>| status.is_some_and(|status| status >= 400);
            let calls = self.sandbox.calls("*").into_iter().filter(|call| refused(call.status));
            calls.for_each(|call| {
                eprintln!("{} {} ({}) was refused: {}", call.method, call.path, call.kind, call.answer)
            });
        }
    }
}

fn connection(kind: Kind, sandbox: &Sandbox, tele: Roster) -> Connection {
    let of = |object: Object, table: &str| {
        let fields = vocabulary::fields(kind.crm, table).iter();
        fields.map(move |(logical, theirs)| ((object, FieldName::new(logical)), (*theirs).to_owned()))
    };
    let leads = of(Object::Lead, vocabulary::lead_object(kind.crm));
    let fields = leads.chain(of(Object::Opportunity, vocabulary::opportunity_object(kind.crm))).collect();
    let statuses = vocabulary::HUBSPOT_STATUSES.iter().map(|(name, v)| ((*name).to_owned(), vec![(*v).to_owned()]));
    let (platform, values) = match kind.crm {
        CrmKind::HubSpot => (
            Platform::HubSpot(HubSpotSettings {
                portal_id: Some(PORTAL),
                auth: HubSpotAuth::AccessToken(TOKEN.into()),
                webhook_secret: vec![SECRET.into()],
                lead_object: kind.lead_object.into(),
            }),
            BTreeMap::from([((Object::Lead, FieldName::new("status")), statuses.collect())]),
        ),
        CrmKind::Salesforce => (
            Platform::Salesforce(SalesforceSettings {
                organization_id: ORGANIZATION.into(),
                auth: SalesforceAuth::ClientCredentials { client_id: CLIENT.0.into(), client_secret: CLIENT.1.into() },
                path_secret: None,
                client_certificate: None,
                login_url: None,
            }),
            BTreeMap::new(),
        ),
    };
    Connection {
        name: ConnectionName::new("acme"),
        agreement: None,
        mode: Some(Mode::Enforce),
        base_url: sandbox.base_url(),
        api_version: kind.api_version.to_owned(),
        backfill: Backfill::FromCrm,
        api_share: 0.9,
        fields,
        values,
        parties: BTreeMap::from([(PartyName::new("teleprospecting"), tele)]),
        touches: Touches {
            types: ["call", "email", "meeting", "task"].map(str::to_owned).to_vec(),
            by: TouchBy::Anyone,
            automation_users: Vec::new(),
        },
        platform,
    }
}

fn connector(kind: Kind, connection: &Connection, clock: &Clock) -> SharedCrm {
    let clock = clock.clone();
    let http = Http::new(Arc::new(move || clock.now())).unwrap();
    match kind.crm {
        CrmKind::HubSpot => Arc::new(HubSpot::new(connection.clone(), &dictionary::standard(), http)),
        CrmKind::Salesforce => Arc::new(Salesforce::new(connection, &dictionary::standard(), http).unwrap()),
    }
}
