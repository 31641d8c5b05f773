//! A daemon without its loops: one connection, driven by hand. Moments are minutes after noon.

use crate::channels::Channels;
use crate::crm::FakeCrm;
use leadpact::agreement::parse::parse;
use leadpact::agreement::{Agreement, Standing};
use leadpact::crm::connection::{Backfill, Generic, GenericVerify, Mode, Platform, Roster, TouchBy, Touches};
use leadpact::crm::{Connection, Event, Person, Says};
use leadpact::engine::clock::{Clock, real_now};
use leadpact::engine::deliver::{Deliver, Patience};
use leadpact::engine::directory::Directory;
use leadpact::engine::switches::Acts;
use leadpact::engine::{Engine, Site, worker};
use leadpact::notify::{Notifiers, Templates};
use leadpact::record::{
    Actor, ConnectionName, Elapsed, FactKind, FieldName, Object, OwnerId, PartyName, RecordId, RecordKey, Timestamp,
    Value,
};
use leadpact::store::inbox::{self, Kind, NewDelivery};
use leadpact::store::lease::{self, Lease};
use leadpact::store::outbox::{self, OutboxCounts, OutboxRow};
use leadpact::store::{Db, OpenOptions, Priority, StoreError, history, journal, standing};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A fresh database.
pub struct Store {
    pub db: Db,
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Store {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self { db: open(&url).await, url, _folder: Some(folder) }
    }

    /// A database that stays.
    pub async fn at(url: &str) -> Self {
        Self { db: open(url).await, url: url.to_owned(), _folder: None }
    }

    pub async fn postgres() -> Option<Self> {
        let url = crate::postgres::fresh_database().await?;
        Some(Self { db: open(&url).await, url, _folder: None })
    }
}

pub async fn open(url: &str) -> Db {
    Db::open(url, &OpenOptions { max_connections: 4, ..OpenOptions::default() }).await.unwrap()
}

const AGREEMENT: &str = r##"
title     = "A test's agreement"
version   = "1"
effective = 2027-01-01
settle    = "15s"
summary   = "Whoever gets a lead calls within the hour."

[calendars.always]
time_zone = "UTC"
hours     = { mon-sun = ["00:00-24:00"] }

[parties.teleprospecting]
notify = ["slack:#teleprospecting"]

[parties.field_sales]
manager = "email:manager@acme.example"
notify  = ["slack:#field-sales"]

[[stage]]
name  = "mql"
term  = "Marketing qualified lead"
means = "Passed on by marketing."
of    = "lead"
when  = 'status == "MQL"'

[[stage]]
name  = "tql"
term  = "Teleprospecting qualified lead"
means = "Passed to field sales."
of    = "lead"
when  = 'status == "TQL"'

[[stage]]
name  = "cursed"
term  = "Cursed lead"
means = "A test makes the agreement fail here."
of    = "lead"
when  = 'status == "Cursed"'

[[stage]]
name  = "sal"
term  = "Sales accepted lead"
means = "A salesperson pursues the lead."
of    = "lead"
when  = 'status == "Working"'

[[stage]]
name  = "nurture"
term  = "Nurtured lead"
means = "Not now."
of    = "lead"
when  = 'status == "Nurture"'
ends  = "nurture"

[[handoff]]
name = "To field sales"
from = "teleprospecting"
to   = "field_sales"
at   = "tql"
REQUIRES

  [[handoff.clock]]
  name   = "Follow up"
  until  = 'touches >= 1 || reached("sal")'
  within = "60m"
  steps  = [STEPS]

[[handoff]]
name = "To the cursed"
from = "teleprospecting"
to   = "field_sales"
at   = "cursed"

  [[handoff.clock]]
  name   = "Cursed"
  until  = 'reached("sal")'
  within = "4 business hours"
  calendar = "always"
  steps  = [{ at = "due", notify = ["owner"] }]

[recycling]
to      = "teleprospecting"
RECYCLING
set     = { status = "MQL" }
at_most = { times = 2, within = "90d", then = "nurture" }
exclude = 'customer == true'
spare   = "4h"

[nurture]
set = { status = "Nurture" }
"##;

pub const RECYCLE: &str = r#"{ at = "due", recycle = true }"#;

pub fn agreement_text(steps: &str, requires: &str) -> String {
    text_with(steps, requires, FREELY)
}

fn text_with(steps: &str, requires: &str, recycling: &str) -> String {
    AGREEMENT.replace("STEPS", steps).replace("REQUIRES", requires).replace("RECYCLING", recycling)
}

/// However many are due, none is too much; and nobody hears of it.
const FREELY: &str = "quiet = true\nstop_above = { count = 100000, share_of_open = 1.0, share_of_owner = 1.0 }";

pub fn agreement(steps: &str, requires: &str) -> Agreement {
    agreement_with(steps, requires, FREELY, "")
}

/// `recycling`: more lines of [recycling]; `more`: of the file.
pub fn agreement_with(steps: &str, requires: &str, recycling: &str, more: &str) -> Agreement {
    let text = format!("{}\n{more}", text_with(steps, requires, recycling));
    let none = |file: &str| Err(format!("{file} is not here"));
    parse("agreement.toml", &text, &none).unwrap_or_else(|report| panic!("{}", report.render(false))).agreement
}

/// The same with something before and behind it.
pub fn agreement_between(steps: &str, before: &str, behind: &str) -> Agreement {
    let text = AGREEMENT.replace("STEPS", steps).replace("REQUIRES", "").replace("RECYCLING", FREELY);
    let text = format!("{before}\n{text}\n{behind}");
    let none = |file: &str| Err(format!("{file} is not here"));
    parse("agreement.toml", &text, &none).unwrap_or_else(|report| panic!("{}", report.render(false))).agreement
}

/// So many minutes after noon.
pub fn minute(n: i64) -> Timestamp {
    Timestamp::parse("2027-01-05T12:00:00Z").unwrap() + Elapsed::from_secs(60 * n)
}

pub fn acme() -> ConnectionName {
    ConnectionName::new("acme")
}

pub fn lead(id: &str) -> RecordKey {
    RecordKey { connection: acme(), object: Object::Lead, id: RecordId::new(id) }
}

pub fn text(text: &str) -> Value {
    Value::text(text)
}

pub fn changed(id: &str, at: Timestamp, values: &[(&str, Value)]) -> Event {
    let values = values.iter().map(|(name, value)| (FieldName::new(name), value.clone())).collect();
    said(id, at, Says::Changed(values))
}

pub fn said(id: &str, at: Timestamp, says: Says) -> Event {
    Event { object: Object::Lead, id: RecordId::new(id), at, by: Actor::Unknown, says }
}

pub fn person(id: &str, email: Option<&str>, manager: Option<&str>, active: bool) -> Person {
    Person {
        id: OwnerId::new(id),
        user: None,
        name: format!("Person {id}"),
        email: email.map(str::to_owned),
        active,
        manager: manager.map(OwnerId::new),
        queue: false,
    }
}

/// Short, for tests.
pub const PATIENCE: Patience = Patience {
    read_age: Duration::from_secs(5),
    doubt: Duration::from_millis(20),
    doubt_of_another: Duration::from_millis(150),
    untold: Duration::from_secs(5),
};

pub struct World {
    pub engine: Engine,
    pub site: Site,
    pub crm: Arc<FakeCrm>,
    pub channels: Channels,
    pub clock: Clock,
    pub lease: Lease,
    pub deliver: Deliver,
    _store: Option<Store>,
}

impl World {
    /// At noon, enforcing, with these steps on the one clock that matters: 60 minutes to follow up.
    pub async fn new(store: Store, steps: &str) -> Self {
        Self::with(store, agreement(steps, "")).await
    }

    /// At noon, enforcing this agreement.
    pub async fn with(store: Store, agreement: Agreement) -> Self {
        let mut world = Self::over(store.db.clone(), agreement, "first").await;
        world._store = Some(store);
        world
    }

    pub async fn over(db: Db, agreement: Agreement, holder: &str) -> Self {
        let clock = Clock::manual(minute(0));
        let crm = Arc::new(FakeCrm::new(clock.clone()));
        crm.with(|s| {
            // What is due is kept on the record only where a test asks for it.
            s.unmapped.extend(["due", "clock", "last_action"].map(FieldName::new));
            s.people = vec![
                person("70", Some("sam@acme.example"), None, true),
                person("71", Some("kim@acme.example"), None, true),
                person("80", Some("pat@acme.example"), None, true),
            ];
        });
        let channels = Channels::default();
        let engine = engine(db.clone(), &clock, &channels, holder);
        let lease = lease::take(&db, &acme(), holder, real_now(), Elapsed::from_secs(60)).await.unwrap().unwrap();
        let site = site(agreement, crm.clone());
        let deliver = Deliver::with_patience(PATIENCE);
        Self { engine, site, crm, channels, clock, lease, deliver, _store: None }
    }

    /// Keeps the database's folder as long as this world.
    pub fn keep(&mut self, store: Store) {
        self._store = Some(store);
    }

    /// Where its database is.
    pub fn url(&self) -> &str {
        &self._store.as_ref().expect("a world with a store of its own").url
    }

    /// The process dies; another takes the connection over.
    pub async fn crash(&mut self) {
        self.crash_after(1).await;
    }

    /// So many hours after the lease was taken first.
    pub async fn crash_after(&mut self, hours: i64) {
        let later = real_now() + Elapsed::from_secs(3600 * hours);
        let taken = lease::take(&self.engine.db, &acme(), "second", later, Elapsed::from_secs(60)).await;
        self.lease = taken.unwrap().unwrap();
        self.deliver = Deliver::with_patience(PATIENCE);
    }

    pub fn at(&self, minutes: i64) {
        self.clock.set(minute(minutes));
    }

    /// A delivery with these events.
    pub async fn receive(&self, events: &[Event]) {
        self.receive_text(&serde_json::to_string(events).unwrap()).await;
    }

    pub async fn receive_text(&self, body: &str) {
        let row = NewDelivery {
            connection: acme(),
            delivery_id: None,
            kind: Kind::Delivery,
            body: body.to_owned(),
            received_at: self.clock.now(),
        };
        let mut tx = self.engine.db.begin(Priority::Ingest).await.unwrap();
        inbox::insert_all(&mut tx, &[row]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The same change in the CRM and told by it.
    pub async fn change(&self, id: &str, at: Timestamp, values: &[(&str, Value)]) {
        self.crm.edit(Object::Lead, id, at, values);
        self.receive(&[changed(id, at, values)]).await;
    }

    /// Leads handed to field sales at noon, owned by 80, known and read.
    pub async fn hand_over(&mut self, ids: &[String]) {
        let values = [
            ("name", text("Zoë Ünal")),
            ("status", text("TQL")),
            ("owner", text("80")),
            ("touches", Value::Number(0.0)),
        ];
        let events: Vec<Event> = ids.iter().map(|id| changed(id, self.clock.now(), &values)).collect();
        for id in ids {
            self.crm.edit(Object::Lead, id, self.clock.now(), &values);
        }
        for some in events.chunks(100) {
            self.receive(some).await;
        }
        self.settle().await;
        self.crm.with(|s| s.reads.clear());
    }

    pub async fn turn(&self) {
        worker::turn(&self.engine, &self.site, &self.lease, &CancellationToken::new()).await.unwrap();
    }

    pub async fn step(&mut self) -> Result<usize, StoreError> {
        self.deliver.step(&self.engine, &self.site, &self.lease).await
    }

    /// A step that the process does not survive.
    pub async fn step_until_it_hangs(&mut self) {
        let step = self.deliver.step(&self.engine, &self.site, &self.lease);
        assert!(tokio::time::timeout(Duration::from_millis(600), step).await.is_err(), "it was to hang");
    }

    /// Turns and steps until nothing moves any more, waiting for short rests and doubts.
    pub async fn settle(&mut self) {
        for _ in 0..200 {
            self.turn().await;
            if self.step().await.unwrap() > 0 {
                continue;
            }
            match self.deliver.next_look() {
                Some(wait) if wait < Duration::from_secs(3) => {
                    tokio::time::sleep(wait + Duration::from_millis(2)).await;
                }
                _ if self.turn_and_step().await == 0 => return,
                _ => {}
            }
        }
        panic!("it never settles");
    }

    async fn turn_and_step(&mut self) -> usize {
        self.turn().await;
        self.step().await.unwrap()
    }

    pub async fn standing(&self, id: &str) -> Standing {
        let json = standing::load_one(&self.engine.db, &lead(id)).await.unwrap().unwrap();
        serde_json::from_str(&json).unwrap()
    }

    pub async fn facts(&self, id: &str) -> Vec<FactKind> {
        let rows = journal::of_record(&self.engine.db, &lead(id)).await.unwrap();
        rows.into_iter().map(|row| row.entry.fact.kind).collect()
    }

    pub async fn count(&self, id: &str, kind: FactKind) -> usize {
        self.facts(id).await.into_iter().filter(|k| *k == kind).count()
    }

    pub async fn history(&self, id: &str) -> usize {
        history::of_record(&self.engine.db, &lead(id)).await.unwrap().len()
    }

    pub async fn open_effects(&self) -> OutboxCounts {
        outbox::counts(&self.engine.db, &acme()).await.unwrap()
    }

    pub async fn parked(&self) -> Vec<OutboxRow> {
        outbox::parked(&self.engine.db, 1000).await.unwrap()
    }

    pub async fn parked_deliveries(&self) -> Vec<inbox::InboxRow> {
        inbox::parked(&self.engine.db, &acme(), 1000).await.unwrap()
    }
}

fn engine(db: Db, clock: &Clock, channels: &Channels, holder: &str) -> Engine {
    let notifiers = Notifiers::of(Templates::load(None).unwrap(), vec![Box::new(channels.clone())]);
    Engine::new(
        leadpact::engine::context::Parts { db, clock: clock.clone(), notifiers, notify_in_observe: false },
        holder,
        Vec::new(),
    )
}

pub fn site(agreement: Agreement, crm: Arc<FakeCrm>) -> Site {
    let members = Roster::Members(vec!["70".into(), "71".into()]);
    Site {
        connection: Connection {
            name: acme(),
            agreement: None,
            mode: Some(Mode::Enforce),
            base_url: "https://crm.example".into(),
            api_version: "1".into(),
            backfill: Backfill::FromCrm,
            api_share: 0.5,
            fields: BTreeMap::new(),
            values: BTreeMap::new(),
            parties: BTreeMap::from([(PartyName::new("teleprospecting"), members)]),
            touches: Touches { types: Vec::new(), by: TouchBy::Anyone, automation_users: Vec::new() },
            platform: Platform::Generic(Generic::listening(GenericVerify::StandardWebhooks { secret: Vec::new() })),
        },
        crm,
        agreement: Arc::new(agreement),
        acts: Acts::Always,
        directory: Directory::default(),
        stirred: Arc::default(),
        issued: Arc::default(),
    }
}
