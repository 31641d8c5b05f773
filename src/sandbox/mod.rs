//! Floor 4: a pretend CRM inside the binary. It speaks the HubSpot and Salesforce APIs that leadpact
//! calls, sends the webhooks that they would send, fails on order, and plays a sales floor. This
//! file starts and stops it; the demo and the end-to-end tests are its only users.

mod call;
pub mod event;
pub mod faults;
pub mod floor;
mod hubspot_api;
mod hubspot_associate;
mod hubspot_associations;
mod hubspot_events;
mod hubspot_oauth;
mod hubspot_objects;
mod hubspot_search;
mod hubspot_setup;
pub mod id;
pub mod oauth;
mod outbound;
pub mod record;
mod salesforce_api;
mod salesforce_composite;
mod salesforce_oauth;
mod salesforce_query;
mod salesforce_save;
mod salesforce_setup;
mod salesforce_whole;
pub mod schema;
mod server;
pub mod soql;
mod soql_match;
pub mod vocabulary;
pub mod webhooks;
pub mod world;

pub use event::{By, CrmKind, Happened, WorldEvent};
pub use faults::{Fault, FaultRule, RecordedCall};
pub use hubspot_events::signature as hubspot_signature;
pub use oauth::OauthApp;
pub use record::{StoredRecord, Values};
pub use schema::{Column, Schema, Sender};
pub use webhooks::{Mischief, Tally};
pub use world::{Clock, World};

use actix_web::dev::ServerHandle;
use anyhow::Context;
use hubspot_api::HubSpotApi;
use salesforce_api::SalesforceApi;
use server::Shared;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use webhooks::{Target, Webhooks};

/// Of the pretend HubSpot app; its secret is what webhooks are signed with.
pub const HUBSPOT_CLIENT_ID: &str = "00000000-4e1f-4b0c-9d55-pretend00app";

/// Events that a slow subscriber may be behind.
const REMEMBERED: usize = 4096;

/// A pretend HubSpot account.
#[derive(Clone, Debug)]
pub struct HubSpotOrg {
    pub portal_id: u64,
    /// The private app's token.
    pub token: String,
    /// What webhooks are signed with.
    pub client_secret: String,
    /// Where webhooks go to; none are sent while it is empty.
    pub webhook_url: String,
}

/// A pretend Salesforce organisation.
#[derive(Clone, Debug)]
pub struct SalesforceOrg {
    pub organization_id: String,
    pub client_id: String,
    pub client_secret: String,
    /// Where outbound messages go to; none are sent while it is empty.
    pub webhook_url: String,
}

pub struct SandboxOptions {
    /// The CRMs' own time.
    pub clock: Clock,
    pub hubspot: Option<HubSpotOrg>,
    pub salesforce: Option<SalesforceOrg>,
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
}

/// A running sandbox; dropping it stops the webhooks, [`Sandbox::stop`] the server too.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: ServerHandle,
    events: broadcast::Sender<WorldEvent>,
    stop: CancellationToken,
}

/// One organisation: its records, its sender, and the state of its API.
pub(crate) struct Organisation<A> {
    pub world: Arc<World>,
    pub webhooks: Arc<Webhooks>,
    pub api: A,
}

impl Sandbox {
    /// Starts on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub async fn start(options: SandboxOptions) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let (events, _) = broadcast::channel(REMEMBERED);
        let client = reqwest::Client::builder().build().context("no HTTP client for webhooks")?;
        let open = |crm, target| {
            let world = Arc::new(World::new(crm, options.clock.clone()));
            tokio::spawn(forward(world.clone(), events.clone(), stop.clone()));
            (world.clone(), Webhooks::start(world, target, client.clone(), stop.clone()))
        };
        let hubspot = options.hubspot.map(|org| {
            let secret = org.client_secret.clone();
            let target = Target {
                url: org.webhook_url,
                secret: org.client_secret,
                portal_id: org.portal_id,
                ..Target::default()
            };
            let (world, webhooks) = open(CrmKind::HubSpot, target);
            let app = OauthApp::new(HUBSPOT_CLIENT_ID, &secret);
            Organisation { world, webhooks, api: HubSpotApi { token: org.token, portal_id: org.portal_id, app } }
        });
        let salesforce = options.salesforce.map(|org| {
            let api = SalesforceApi::new(&org.organization_id, &org.client_id, &org.client_secret);
            let target =
                Target { url: org.webhook_url, organization_id: api.organization_id.clone(), ..Target::default() };
            let endpoint = target.url.clone();
            let (world, webhooks) = open(CrmKind::Salesforce, target);
            world.schema().install_senders(&endpoint);
            Organisation { world, webhooks, api }
        });
        let shared = Arc::new(Shared { clock: options.clock, faults: Default::default(), hubspot, salesforce });
        let (address, server) = server::start(shared.clone(), options.listen)?;
        Ok(Self { shared, address, server, events, stop })
    }

    /// `http://127.0.0.1:41234`, for both CRMs.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Finishes nothing: open calls are cut off.
    pub async fn stop(self) {
        self.stop.cancel();
        self.server.stop(false).await;
    }

    /// # Panics
    /// When the sandbox was started without HubSpot.
    pub fn hubspot(&self) -> &Arc<World> {
        &self.shared.hubspot.as_ref().expect("the sandbox was started with HubSpot").world
    }

    /// # Panics
    /// When the sandbox was started without Salesforce.
    pub fn salesforce(&self) -> &Arc<World> {
        &self.shared.salesforce.as_ref().expect("the sandbox was started with Salesforce").world
    }

    /// Everything that happens in all organisations from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<WorldEvent> {
        self.events.subscribe()
    }

    /// Calls of a kind fail; see [`FaultRule::on`].
    pub fn fail(&self, rule: FaultRule) {
        self.shared.faults.add(rule);
    }

    pub fn heal(&self) {
        self.shared.faults.clear();
    }

    /// The calls of a kind so far, such as `hubspot.batch_update`, `salesforce.*` or `*`.
    pub fn calls(&self, kind: &str) -> Vec<RecordedCall> {
        self.shared.faults.calls(kind)
    }

    /// What calls are answered with is kept beside them from now on.
    pub fn keep_answers(&self) {
        self.shared.faults.keep_answers();
    }

    /// The log of calls begins anew.
    pub fn forget_calls(&self) {
        self.shared.faults.forget_calls();
    }

    /// Access tokens of Salesforce that were given out are void.
    pub fn revoke_tokens(&self) {
        if let Some(app) = self.oauth(CrmKind::Salesforce) {
            app.end_sessions();
        }
    }

    /// The app that people sign in through; `None` when the sandbox was started without that CRM.
    pub fn oauth(&self, crm: CrmKind) -> Option<&OauthApp> {
        match crm {
            CrmKind::HubSpot => self.shared.hubspot.as_ref().map(|org| &org.api.app),
            CrmKind::Salesforce => self.shared.salesforce.as_ref().map(|org| &org.api.app),
        }
    }

    /// Rows of a page of Salesforce's queries.
    pub fn set_page_size(&self, rows: usize) {
        if let Some(org) = &self.shared.salesforce {
            org.api.page_size.store(rows, Ordering::Relaxed);
        }
    }

    /// Where a CRM's webhooks go from now on, and the address they are signed for where the
    /// receiver is known by another one.
    pub fn set_webhook_url(&self, crm: CrmKind, url: &str, signed_as: Option<&str>) {
        if let Some(webhooks) = self.shared.webhooks(crm) {
            let mut target = webhooks.target.lock().unwrap_or_else(PoisonError::into_inner);
            target.url = url.to_owned();
            target.signed_as = signed_as.map(str::to_owned);
        }
    }

    /// What goes wrong with a CRM's webhooks from now on.
    pub fn set_mischief(&self, crm: CrmKind, mischief: Mischief) {
        if let Some(webhooks) = self.shared.webhooks(crm) {
            *webhooks.mischief.lock().unwrap_or_else(PoisonError::into_inner) = mischief;
        }
    }

    /// How a CRM's webhooks fared.
    pub fn tally(&self, crm: CrmKind) -> Tally {
        self.shared.webhooks(crm).map(|webhooks| webhooks.tally()).unwrap_or_default()
    }

    /// Waits until all webhooks are delivered or given up, but not longer than that; whether they are.
    pub async fn settled(&self, longest: Duration) -> bool {
        let quiet = async {
            // Two looks: between an event and its gathering nothing is counted yet.
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                while !self.shared.all_webhooks().all(|webhooks| webhooks.is_idle()) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        tokio::time::timeout(longest, quiet).await.is_ok()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Passes a world's events on to whoever subscribed.
async fn forward(world: Arc<World>, events: broadcast::Sender<WorldEvent>, stop: CancellationToken) {
    let mut heard = world.listen();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            event = heard.recv() => match event {
                // Nobody listening is no failure.
                Some(event) => drop(events.send(event)),
                None => return,
            },
        }
    }
}
