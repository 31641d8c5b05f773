//! Tells us what happened: gathers events for a moment, sends them, tries again with growing delays.
//! What a body looks like stands in `hubspot_events.rs` and `outbound.rs`. Deliveries can be made to
//! go astray on order ([`Mischief`]).

use super::event::{CrmKind, WorldEvent};
use super::world::World;
use super::{hubspot_events, outbound};
use crate::engine::clock::real_now;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

/// The HubSpot app that leadpact is.
pub const APP_ID: u64 = 880_101;
/// Events of one request at most, in both CRMs.
const MOST: usize = 100;
const GATHER: Duration = Duration::from_millis(50);
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
const MOST_ATTEMPTS: u32 = 10;
/// HubSpot's time-out; Salesforce waits a minute, which would only make tests slow.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What goes wrong with deliveries on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mischief {
    /// Every delivery is sent twice.
    pub duplicate: bool,
    /// Events come in any order.
    pub shuffle: bool,
    /// Every delivery waits so many milliseconds.
    pub delay_ms: u64,
    /// Every n-th delivery is lost; 0: none.
    pub drop_every: u32,
}

/// How to sign and where to send to.
#[derive(Clone, Debug, Default)]
pub struct Target {
    pub url: String,
    /// The public address that the receiver believes it has, where it differs.
    pub signed_as: Option<String>,
    /// HubSpot's client secret.
    pub secret: String,
    /// HubSpot's portal.
    pub portal_id: u64,
    /// Salesforce's organisation.
    pub organization_id: String,
}

/// How deliveries fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub delivered: u64,
    pub failed_attempts: u64,
    pub given_up: u64,
    pub dropped: u64,
}

/// The sender of one organisation.
pub struct Webhooks {
    world: Arc<World>,
    pub target: Mutex<Target>,
    pub mischief: Mutex<Mischief>,
    client: reqwest::Client,
    numbers: AtomicU64,
    batches: AtomicU64,
    /// Events heard of and not yet delivered or given up.
    pending: AtomicUsize,
    tally: Mutex<Tally>,
    stop: CancellationToken,
}

/// A request ready to be sent, but for its signature.
pub struct Prepared {
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Webhooks {
    /// Begins to listen at once.
    pub fn start(world: Arc<World>, target: Target, client: reqwest::Client, stop: CancellationToken) -> Arc<Self> {
        let events = world.listen();
        let sender = Arc::new(Self {
            world,
            target: Mutex::new(target),
            mischief: Mutex::default(),
            client,
            numbers: AtomicU64::new(3_100_450_000),
            batches: AtomicU64::new(0),
            pending: AtomicUsize::new(0),
            tally: Mutex::default(),
            stop,
        });
        tokio::spawn(sender.clone().run(events));
        sender
    }

    pub fn tally(&self) -> Tally {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Nothing is gathered or under way.
    pub fn is_idle(&self) -> bool {
        self.pending.load(Ordering::SeqCst) == 0
    }

    async fn run(self: Arc<Self>, mut events: UnboundedReceiver<WorldEvent>) {
        loop {
            let first = tokio::select! {
                () = self.stop.cancelled() => return,
                first = events.recv() => first,
            };
            let Some(first) = first else { return };
            self.pending.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(GATHER).await;
            let mut gathered = vec![first];
            while let Ok(event) = events.try_recv() {
                gathered.push(event);
            }
            self.send_all(gathered);
            self.pending.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn send_all(self: &Arc<Self>, events: Vec<WorldEvent>) {
        if self.target.lock().unwrap_or_else(PoisonError::into_inner).url.is_empty() {
            return;
        }
        let mischief = self.mischief.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut items = self.items(&events);
        if mischief.shuffle {
            let seed = self.batches.load(Ordering::Relaxed);
            items.shuffle(&mut StdRng::seed_from_u64(seed));
        }
        for batch in self.batches_of(items) {
            let number = self.batches.fetch_add(1, Ordering::Relaxed) + 1;
            if mischief.drop_every > 0 && number.is_multiple_of(u64::from(mischief.drop_every)) {
                self.count(|tally| tally.dropped += 1);
                continue;
            }
            for _ in 0..=usize::from(mischief.duplicate) {
                self.pending.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(self.clone().deliver(batch.clone(), Duration::from_millis(mischief.delay_ms)));
            }
        }
    }

    /// The notices that these events become; some become none.
    fn items(&self, events: &[WorldEvent]) -> Vec<Notice> {
        let number = || self.numbers.fetch_add(1, Ordering::Relaxed);
        match self.world.crm {
            CrmKind::HubSpot => {
                let portal = self.target.lock().unwrap_or_else(PoisonError::into_inner).portal_id;
                let event = |e| hubspot_events::event(&self.world, e, portal, number());
                events.iter().filter_map(event).map(Notice::HubSpot).collect()
            }
            CrmKind::Salesforce => outbound::notices(events, number).into_iter().map(Notice::Salesforce).collect(),
        }
    }

    /// At most a hundred a request; an outbound message is about one object type.
    fn batches_of(&self, items: Vec<Notice>) -> Vec<Vec<Notice>> {
        let mut groups: Vec<(String, Vec<Notice>)> = Vec::new();
        for item in items {
            let object = item.object();
            match groups.iter_mut().find(|(of, group)| *of == object && group.len() < MOST) {
                Some((_, group)) => group.push(item),
                None => groups.push((object, vec![item])),
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }

    async fn deliver(self: Arc<Self>, batch: Vec<Notice>, wait: Duration) {
        let mut wait = wait;
        let mut backoff = FIRST_DELAY;
        for attempt in 0..MOST_ATTEMPTS {
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
            if self.attempt(&batch, attempt).await {
                self.count(|tally| tally.delivered += 1);
                self.pending.fetch_sub(1, Ordering::SeqCst);
                return;
            }
            self.count(|tally| tally.failed_attempts += 1);
            wait = backoff;
            backoff = (backoff * 2).min(LONGEST_DELAY);
        }
        self.count(|tally| tally.given_up += 1);
        self.pending.fetch_sub(1, Ordering::SeqCst);
    }

    /// Sends once; whether the receiver took it.
    async fn attempt(&self, batch: &[Notice], attempt: u32) -> bool {
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let prepared = match self.world.crm {
            CrmKind::HubSpot => hubspot_events::request(batch, &target, attempt, real_now()),
            CrmKind::Salesforce => outbound::request(&self.world, batch, &target),
        };
        let mut request = self.client.post(&target.url).timeout(TIMEOUT).body(prepared.body);
        for (name, value) in prepared.headers {
            request = request.header(name, value);
        }
        let Ok(answer) = request.send().await else { return false };
        let status = answer.status();
        match self.world.crm {
            CrmKind::HubSpot => status.is_success(),
            CrmKind::Salesforce => status.as_u16() == 200 && outbound::is_ack(&answer.text().await.unwrap_or_default()),
        }
    }
}

/// One thing to tell.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The event as HubSpot sends it, without its attempt number.
    HubSpot(serde_json::Value),
    Salesforce(outbound::Notice),
}

impl Notice {
    fn object(&self) -> String {
        match self {
            Notice::HubSpot(_) => String::new(),
            Notice::Salesforce(notice) => notice.object.clone(),
        }
    }
}
