//! The only wiring: settings and agreements in, an engine with its connections out, and everything
//! that runs started and stopped in order.

pub mod activation;
mod agreements;
pub mod doctor;
mod doctor_package;
mod signing;
mod sites;
mod supervisor;

pub use crate::engine::versions::{Scope, read_stored};
pub use agreements::{AgreementFile, Agreements, parse_agreement, read_agreement, read_configuration, scopes};
pub use signing::signing;
pub use sites::{connector, connector_reading};

use crate::crm::http::Http;
use crate::engine::answers::Answering;
use crate::engine::clock::{Clock, real_now};
use crate::engine::context::{Engine, Parts};
use crate::engine::credentials::Credentials;
use crate::engine::ingest::Ingest;
#[cfg(feature = "oidc")]
use crate::engine::oidc::{CALLBACK_PATH, door::Door, provider::Provider};
use crate::engine::sign_in::SignIns;
use crate::engine::worker::{Retention, Times};
use crate::notify::{Notifiers, SlackPeople, Templates};
use crate::record::Elapsed;
use crate::settings::{Server, Settings};
use crate::store::{Db, OpenOptions};
use crate::web::slack_actions::SlackDoor;
use crate::web::{self, Serving, Web};
use activation::Activation;
use anyhow::{Context, Result};
use secrecy::ExposeSecret;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use supervisor::{Supervisor, Works};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const DAY: i64 = 86_400;

/// Everything that a running daemon needs.
pub struct App {
    pub engine: Arc<Engine>,
    settings: Arc<Settings>,
    credentials: Credentials,
    /// Until it is started.
    supervisor: Mutex<Option<Supervisor>>,
    /// Until the web listens.
    slack: Option<Mutex<Option<SlackDoor>>>,
    reread: Arc<Notify>,
    /// The web calls itself not ready from then on.
    stopping: CancellationToken,
    /// The workers end.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Bound addresses, with the servers that will answer there.
pub struct Listening {
    pub public: SocketAddr,
    pub admin: SocketAddr,
    serving: Serving,
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("{address} cannot be listened at"))
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

impl App {
    /// Opens the database and prepares every connection. Nothing runs yet.
    ///
    /// # Errors
    /// When the database cannot be opened or a part of the configuration cannot work.
    pub async fn build(settings: &Settings, agreements: Agreements, clock: Clock) -> Result<Self> {
        let templates = Templates::load(settings.notify.templates.as_deref())?;
        let notifiers = Notifiers::new(templates, settings.notify.slack.as_ref(), settings.notify.email.as_ref())?;
        Self::build_with(settings, agreements, clock, notifiers).await
    }

    /// The same with other channels than the configuration names.
    ///
    /// # Errors
    /// As [`App::build`].
    pub async fn build_with(
        settings: &Settings,
        agreements: Agreements,
        clock: Clock,
        notifiers: Notifiers,
    ) -> Result<Self> {
        let db = open(settings).await?;
        let notify_in_observe = settings.notify.notify_in_observe;
        let parts = Parts { db: db.clone(), clock: clock.clone(), notifiers, notify_in_observe };
        let credentials = credentials(settings, &db);
        let activation = Activation::new(db, clock, agreements, !settings.require_signatures);
        let (scopes, settings) = (scopes(settings), Arc::new(settings.clone()));
        let mut engine = Engine::new(parts, &uuid::Uuid::now_v7().to_string(), Vec::new());
        engine.mail_head_to = settings.journal.mail_head_to.clone();
        engine.answering = Some(answering(&settings));
        let slack = slack_door(&settings)?.map(|door| Mutex::new(Some(door)));
        engine.pages = settings.server.admin_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        let works = Works {
            engine: Arc::new(engine),
            times: times(&settings),
            keep: retention(&settings),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let (engine, stop, tasks) = (works.engine.clone(), works.stop.clone(), works.tasks.clone());
        let reread = Arc::new(Notify::new());
        let mut supervisor =
            Supervisor::new(works, settings.clone(), credentials.clone(), scopes, activation, reread.clone());
        engine.add(supervisor.build().await?);
        let (supervisor, stopping) = (Mutex::new(Some(supervisor)), CancellationToken::new());
        Ok(Self { engine, settings, credentials, supervisor, slack, reread, stopping, stop, tasks })
    }

    /// Binds the addresses and prepares the web servers; answered once they run.
    ///
    /// # Errors
    /// When an address cannot be listened at, or there is no TLS client.
    pub fn listen(&self, server: &Server) -> Result<Listening> {
        let public = bind(server.listen)?;
        let admin = (server.admin_listen != server.listen).then(|| bind(server.admin_listen)).transpose()?;
        let public_at = public.local_addr()?;
        let admin_at = admin.as_ref().map_or(Ok(public_at), TcpListener::local_addr)?;
        let ingest = Ingest::start(self.engine.db.clone(), &self.engine.sites());
        let web = Web::new(self.engine.clone(), ingest, server.public_base(), self.stopping.clone());
        let door = self.slack.as_ref().and_then(|door| door.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut web = web.behind(server.admin_url.clone()).with_slack(door);
        let http = Http::new(Arc::new(real_now))?;
        let settings = self.settings.clone();
        web.examine = Some(Arc::new(move || {
            let settings = settings.clone();
            Box::pin(async move {
                doctor::examine(&settings, doctor::Wanted::default()).await.map_err(|error| format!("{error:#}"))
            })
        }));
        web.sign_ins = Some(SignIns::new(self.credentials.clone(), http, server.public_base()));
        #[cfg(feature = "oidc")]
        {
            web.oidc = oidc_provider(server)?.map(|provider| Door::new(provider, self.engine.db.clone()));
        }
        let workers = server.workers.map_or_else(default_workers, |w| w.get() as usize);
        let serving = web::serve(Arc::new(web), public, admin, workers)?;
        Ok(Listening { public: public_at, admin: admin_at, serving })
    }

    /// Answers requests until `stopped`, then stops everything in order: not ready any more, open
    /// requests answered, what workers hold finished, leases given back.
    ///
    /// # Errors
    /// When a server's threads cannot be started.
    pub async fn run_until(&self, listening: Listening, stopped: impl Future<Output = ()>) -> Result<()> {
        let handles = listening.serving.handles();
        let servers = tokio::spawn(listening.serving.run());
        stopped.await;
        tracing::info!("stopping");
        self.stopping.cancel();
        for handle in handles {
            handle.stop(true).await;
        }
        servers.await.context("the web servers ended badly")??;
        self.stop().await;
        Ok(())
    }

    /// Starts the workers of every connection, and what keeps them under the active agreement.
    pub fn start(&self) {
        let supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(supervisor) = supervisor {
            self.tasks.spawn(supervisor.run());
        }
        self.tasks.close();
    }

    /// Has the agreements' files read and offered again. Settings stay as they are.
    pub fn reread_agreements(&self) {
        self.reread.notify_one();
    }

    /// Lets every worker finish what it holds, gives the leases back and closes the database.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
        self.engine.db.close().await;
    }
}

/// Where people answer: by links always, by buttons where Slack signs its calls and tells who people are.
fn answering(settings: &Settings) -> Answering {
    let bot = settings.notify.slack.as_ref().is_some_and(|slack| slack.token.is_some());
    Answering {
        public_base: settings.server.public_base().to_owned(),
        in_slack: bot && !settings.notify.slack_signing_secrets.is_empty(),
    }
}

fn slack_door(settings: &Settings) -> Result<Option<SlackDoor>> {
    let notify = &settings.notify;
    let secrets = notify.slack_signing_secrets.clone();
    let Some(slack) = notify.slack.as_ref().filter(|_| !secrets.is_empty()) else { return Ok(None) };
    let people = SlackPeople::new(slack, notify.slack_team.clone())?;
    Ok(Some(SlackDoor::new(secrets, people)))
}

/// The identity provider that vouches for people, where one is configured.
///
/// # Errors
/// When there is no TLS client.
#[cfg(feature = "oidc")]
fn oidc_provider(server: &Server) -> Result<Option<Provider>> {
    let Some(oidc) = &server.oidc else { return Ok(None) };
    let http = Http::new(Arc::new(real_now))?;
    Ok(Some(Provider::new(oidc.clone(), http, format!("{}{CALLBACK_PATH}", server.admin_base()))))
}

fn times(settings: &Settings) -> Times {
    Times { wake: settings.schedule.wake.clone(), reconcile: settings.schedule.reconcile.clone() }
}

fn retention(settings: &Settings) -> Retention {
    Retention {
        inbox: Elapsed::from_secs(i64::from(settings.retention.inbox_days) * DAY),
        history: Elapsed::from_secs(i64::from(settings.retention.history_months) * 31 * DAY),
    }
}

/// What those who signed in with a browser were granted, in that database.
pub fn credentials(settings: &Settings, db: &Db) -> Credentials {
    Credentials::new(db.clone(), settings.store.credential_keys.clone())
}

/// The database of a configuration.
///
/// # Errors
/// When it cannot be opened.
pub async fn open(settings: &Settings) -> Result<Db> {
    open_with(settings, OpenOptions::default()).await
}

/// The same, if it is there: nothing is created or altered by opening it.
///
/// # Errors
/// When it cannot be opened, or is not there yet.
pub async fn open_to_look(settings: &Settings) -> Result<Db> {
    open_with(settings, OpenOptions { only_look: true, ..OpenOptions::default() }).await
}

async fn open_with(settings: &Settings, mut options: OpenOptions) -> Result<Db> {
    let url = settings.store.url.expose_secret();
    if let Some(most) = settings.store.max_connections {
        options.max_connections = most.get();
    }
    Db::open(url, &options).await.context("the database cannot be used")
}
