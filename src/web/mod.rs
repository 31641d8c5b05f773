//! Floor 4: actix-web. This file starts the servers: what the internet may reach is routed here, what is
//! for people and tools of the house in `routes`. What each answers is in the file of its name. Nothing
//! here decides about leads.

mod account;
mod address;
mod answer;
mod answer_link;
mod api;
mod api_agreement;
mod api_attest;
mod api_control;
mod api_deliveries;
mod api_disputes;
mod api_figures;
mod api_find;
mod api_health;
mod api_journal;
mod api_people;
mod api_records;
mod api_simulate;
mod api_templates;
mod asked;
pub mod assets;
mod attest;
mod audit;
mod connect;
mod connections;
pub mod csrf;
mod cursor;
mod deliveries;
mod figures;
mod find;
mod fitness;
mod guard;
mod headers;
mod health;
mod journal;
mod live;
mod login;
mod metrics;
mod numbers;
#[cfg(feature = "oidc")]
mod oidc;
pub mod openapi;
mod outcome;
mod pages;
pub mod password;
mod people;
pub mod programs;
mod record;
mod record_acts;
pub mod routes;
pub mod session;
pub mod slack_actions;
mod slack_message;
pub mod throttle;
mod webhooks;

use crate::engine::ingest::Ingest;
use crate::engine::sign_in::SignIns;
use crate::engine::simulate::Jobs;
use crate::engine::{Clock, Engine};
use actix_web::dev::{Server, ServerHandle};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use audit::Audits;
use figures::Measured;
use fitness::Examinations;
pub use fitness::Examine;
use live::Live;
use pages::agreement::Papers;
use pages::health::missed::MissedMoves;
use pages::risk::groups::Kept;
use pages::tally::Tally;
use pages::templates::Pace;
use slack_actions::SlackDoor;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A graceful stop waits so long for requests that are being answered.
const DRAIN: Duration = Duration::from_secs(20);
/// How long a client may take to send its request's head.
const HEAD: Duration = Duration::from_secs(5);

/// What every handler is given.
pub struct Web {
    pub engine: Arc<Engine>,
    pub ingest: Ingest,
    /// `server.public_url` of the configuration, without a slash at its end: what CRMs sign.
    pub public_base: String,
    /// Cancelled when the daemon begins to stop: from then on it calls itself not ready.
    pub stopping: CancellationToken,
    /// Who signs in to a CRM with a browser; `None`: nobody does.
    pub sign_ins: Option<SignIns>,
    /// `server.admin_url` of the configuration: the https address of the pages, where a proxy serves them.
    pub admin_url: Option<Url>,
    /// Sessions and their like go by the wall clock, whatever the engine's does.
    pub clock: Clock,
    /// How Slack's calls are known; `None`: there are none.
    pub slack: Option<Arc<SlackDoor>>,
    /// The identity provider that vouches for people; `None`: there are only our own accounts.
    #[cfg(feature = "oidc")]
    pub oidc: Option<crate::engine::oidc::door::Door>,
    /// Who looks at the answers to programs: in tests.
    witness: Option<Arc<programs::Witness>>,
    /// How long a page waits for numbers that are being counted, before it says so.
    pub patience: Duration,
    tally: Tally,
    audits: Arc<Audits>,
    /// What `leadpact doctor` checks; `None`: nobody can be asked.
    pub examine: Option<Examine>,
    examined: Arc<Examinations>,
    risk: Kept,
    missed: MissedMoves,
    measured: Measured,
    live: Live,
    papers: Papers,
    simulations: Jobs,
    tests: Pace,
}

impl Web {
    /// In a tokio runtime, whose threads do what no request waits for.
    pub fn new(engine: Arc<Engine>, ingest: Ingest, public_url: &str, stopping: CancellationToken) -> Self {
        let public_base = public_url.trim_end_matches('/').to_owned();
        Self {
            measured: Measured::new(stopping.clone()),
            engine,
            ingest,
            public_base,
            stopping,
            sign_ins: None,
            admin_url: None,
            clock: Clock::real(),
            slack: None,
            #[cfg(feature = "oidc")]
            oidc: None,
            witness: None,
            patience: pages::choices::PATIENCE,
            tally: Tally::default(),
            audits: Arc::default(),
            examine: None,
            examined: Arc::default(),
            risk: Kept::default(),
            missed: MissedMoves::default(),
            live: Live::default(),
            papers: Papers::default(),
            simulations: Jobs::default(),
            tests: Pace::default(),
        }
    }

    /// With the address at which a proxy serves the pages by https.
    #[must_use]
    pub fn behind(mut self, admin_url: Option<Url>) -> Self {
        self.admin_url = admin_url;
        self
    }

    /// With Slack's calls answered.
    #[must_use]
    pub fn with_slack(mut self, door: Option<SlackDoor>) -> Self {
        self.slack = door.map(Arc::new);
        self
    }

    /// With another clock for sessions: for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// With somebody who looks at every answer to a program: for tests.
    #[must_use]
    pub fn watched_by(mut self, witness: Arc<programs::Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// What people call the identity provider, where there is one.
    fn provider(&self) -> Option<&str> {
        #[cfg(feature = "oidc")]
        return self.oidc.as_ref().map(|door| door.name());
        #[cfg(not(feature = "oidc"))]
        return None;
    }

    fn is_behind_https(&self) -> bool {
        self.admin_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}

/// The servers, listening already; [`Serving::run`] answers until they are stopped.
pub struct Serving {
    public: Server,
    admin: Option<Server>,
}

impl Serving {
    /// Handles by which to stop them: `handle.stop(true)` lets requests end first.
    pub fn handles(&self) -> Vec<ServerHandle> {
        std::iter::once(&self.public).chain(&self.admin).map(Server::handle).collect()
    }

    /// Answers requests until all servers are stopped.
    ///
    /// # Errors
    /// When a server's threads cannot be started.
    pub async fn run(self) -> io::Result<()> {
        match self.admin {
            None => self.public.await,
            Some(admin) => tokio::try_join!(self.public, admin).map(|_| ()),
        }
    }
}

/// Starts the servers inside a tokio runtime. Without `admin` everything is on `public`; with it,
/// `public` has only what the internet may reach. Signals are left to the caller.
///
/// # Errors
/// When a listener cannot be used.
pub fn serve(web: Arc<Web>, public: TcpListener, admin: Option<TcpListener>, workers: usize) -> io::Result<Serving> {
    let data = Data::from(web);
    let everything = admin.is_none();
    let (public_data, admin_data) = (data.clone(), data);
    let public = HttpServer::new(move || {
        let app = App::new().app_data(public_data.clone()).configure(public_routes);
        app.configure(move |config| {
            if everything {
                routes::register(config)
            }
        })
    })
    .workers(workers)
    .client_request_timeout(HEAD)
    .shutdown_timeout(DRAIN.as_secs())
    .disable_signals()
    .listen(public)?
    .run();
    let admin = admin.map(|listener| {
        let routes = |config: &mut ServiceConfig| {
            health::routes(config);
            routes::register(config);
        };
        HttpServer::new(move || App::new().app_data(admin_data.clone()).configure(routes))
            .workers(1)
            .client_request_timeout(HEAD)
            .shutdown_timeout(DRAIN.as_secs())
            .disable_signals()
            .listen(listener)
            .map(HttpServer::run)
    });
    Ok(Serving { public, admin: admin.transpose()? })
}

/// What the internet may reach.
fn public_routes(routes: &mut ServiceConfig) {
    health::routes(routes);
    webhooks::routes(routes);
    connect::routes(routes);
    assets::routes(routes);
    slack_actions::routes(routes);
    answer_link::routes(routes);
}
