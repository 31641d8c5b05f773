//! The only wiring: settings and agreements in, an engine with its connections out, and everything
//! that runs started and stopped in order.

use crate::agreement::parse::parse;
use crate::agreement::problem::{Problem, Report};
use crate::agreement::{Agreement, lint};
use crate::crm::connection::{Connection, Mode, Platform};
use crate::crm::generic::Generic;
use crate::crm::http::Http;
use crate::crm::hubspot::HubSpot;
use crate::crm::salesforce::Salesforce;
use crate::crm::{CrmError, SharedCrm};
use crate::engine::clock::{Clock, real_now};
use crate::engine::context::{Engine, Parts, Site};
use crate::engine::directory::Directory;
use crate::engine::ingest::Ingest;
use crate::engine::switches::Acts;
use crate::engine::worker::{self, Retention};
use crate::notify::{Notifiers, Templates};
use crate::record::{ConnectionName, Elapsed};
use crate::settings::{self, Server, Settings};
use crate::store::agreement::{AgreementRow, activate, active, offer};
use crate::store::{Db, OpenOptions, Priority};
use crate::web::{self, Serving, Web};
use anyhow::{Context, Result, bail};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const DAY: i64 = 86_400;

/// An agreement as its file has it.
pub struct AgreementFile {
    pub path: PathBuf,
    pub text: String,
    pub agreement: Arc<Agreement>,
}

/// The agreements of a configuration: the general one first, then those that connections name.
pub struct Agreements {
    files: Vec<AgreementFile>,
    of: HashMap<ConnectionName, usize>,
}

impl Agreements {
    /// Reads and checks every file. `Err` holds what is wrong in any of them, `Ok` the warnings.
    pub fn read(settings: &Settings) -> std::result::Result<(Self, Vec<Report>), Vec<Report>> {
        let mut paths = vec![settings.agreement.clone()];
        let mut of = HashMap::new();
        for connection in &settings.connections {
            let path = connection.agreement.as_ref().map_or_else(|| paths[0].clone(), PathBuf::from);
            let at = paths.iter().position(|p| *p == path).unwrap_or_else(|| {
                paths.push(path);
                paths.len() - 1
            });
            of.insert(connection.name.clone(), at);
        }
        let (mut files, mut warnings, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            match read_agreement(&path) {
                Ok((file, warned)) => {
                    files.push(file);
                    warnings.push(warned);
                }
                Err(report) => errors.push(report),
            }
        }
        if errors.is_empty() { Ok((Self { files, of }, warnings)) } else { Err(errors) }
    }

    pub fn files(&self) -> &[AgreementFile] {
        &self.files
    }

    /// The agreement that a connection is judged by.
    pub fn of(&self, connection: &ConnectionName) -> &AgreementFile {
        &self.files[self.of.get(connection).copied().unwrap_or(0)]
    }

    /// What the agreements leave unsaid, each in a sentence.
    pub fn unsaid(&self) -> Vec<String> {
        self.files.iter().flat_map(|f| lint::unsaid(&f.agreement)).collect()
    }
}

/// Reads one agreement file, with the files that it names beside it.
pub fn read_agreement(path: &Path) -> std::result::Result<(AgreementFile, Report), Report> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Report::new(&name, "", vec![Problem::of_file(format!("the agreement cannot be read: {e}"))]))?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let include = |file: &str| std::fs::read_to_string(folder.join(file)).map_err(|e| e.to_string());
    let parsed = parse(&name, &text, &include)?;
    Ok((AgreementFile { path: path.to_owned(), text, agreement: Arc::new(parsed.agreement) }, parsed.warnings))
}

/// Everything that a running daemon needs.
pub struct App {
    pub engine: Arc<Engine>,
    wakes: crate::engine::schedule::Schedule,
    keep: Retention,
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
    pub async fn build(settings: &Settings, agreements: &Agreements, clock: Clock) -> Result<Self> {
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
        agreements: &Agreements,
        clock: Clock,
        notifiers: Notifiers,
    ) -> Result<Self> {
        let db = open(settings).await?;
        let mut sites = Vec::new();
        for connection in &settings.connections {
            let file = agreements.of(&connection.name);
            let (agreement, acts) = enforced(&db, settings, connection, file).await?;
            sites.push(Arc::new(site(connection, agreement, acts)?));
        }
        let notify_in_observe = settings.notify.notify_in_observe;
        let parts = Parts { db, clock, notifiers, notify_in_observe };
        let mut engine = Engine::new(parts, &uuid::Uuid::now_v7().to_string(), sites);
        engine.mail_head_to = settings.journal.mail_head_to.clone();
        let keep = Retention {
            inbox: Elapsed::from_secs(i64::from(settings.retention.inbox_days) * DAY),
            history: Elapsed::from_secs(i64::from(settings.retention.history_months) * 31 * DAY),
        };
        let (stopping, stop) = (CancellationToken::new(), CancellationToken::new());
        let wakes = settings.schedule.wake.clone();
        Ok(Self { engine: Arc::new(engine), wakes, keep, stopping, stop, tasks: TaskTracker::new() })
    }

    /// Binds the addresses and prepares the web servers; answered once they run.
    ///
    /// # Errors
    /// When an address cannot be listened at.
    pub fn listen(&self, server: &Server) -> Result<Listening> {
        let public = bind(server.listen)?;
        let admin = (server.admin_listen != server.listen).then(|| bind(server.admin_listen)).transpose()?;
        let public_at = public.local_addr()?;
        let admin_at = admin.as_ref().map_or(Ok(public_at), TcpListener::local_addr)?;
        let ingest = Ingest::start(self.engine.db.clone(), &self.engine.sites());
        let web = Web::new(self.engine.clone(), ingest, server.public_base(), self.stopping.clone());
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

    /// Starts the workers of every connection.
    pub fn start(&self) {
        for site in self.engine.sites() {
            let engine = self.engine.clone();
            let (wakes, keep, stop) = (self.wakes.clone(), self.keep, self.stop.clone());
            self.tasks.spawn(async move { worker::work(engine, site, wakes, keep, stop).await });
        }
        self.tasks.close();
    }

    /// Lets every worker finish what it holds, gives the leases back and closes the database.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
        self.engine.db.close().await;
    }
}

async fn open(settings: &Settings) -> Result<Db> {
    let url = settings.store.url.expose_secret();
    let mut options = OpenOptions::default();
    if let Some(most) = settings.store.max_connections {
        options.max_connections = most.get();
    }
    Db::open(url, &options).await.context("the database cannot be used")
}

/// The agreement that this connection enforces, and whether it may act. The file is offered to the
/// database and becomes active when nothing stands against it; every replica enforces what is
/// active there. A draft that may not act runs in observe mode.
async fn enforced(
    db: &Db,
    settings: &Settings,
    connection: &Connection,
    file: &AgreementFile,
) -> Result<(Arc<Agreement>, Acts)> {
    let own = connection.agreement.is_some().then_some(&connection.name);
    let row = AgreementRow {
        hash: file.agreement.hash.to_string(),
        title: file.agreement.title.clone(),
        version: file.agreement.version.clone(),
        text: file.text.clone(),
        offered_at: real_now(),
        activated_at: None,
    };
    let mut tx = db.begin(Priority::Work).await?;
    offer(&mut tx, own, &row).await?;
    if !needs_signatures(settings, &file.agreement) {
        activate(&mut tx, own, &row.hash, real_now()).await?;
    }
    tx.commit().await?;
    let agreement = match active(db, own).await? {
        Some(active) if active.hash != row.hash => active_elsewhere(file, &active)?,
        _ => file.agreement.clone(),
    };
    let enforces = connection.mode == Some(Mode::Enforce);
    let unsigned = needs_signatures(settings, &agreement);
    if unsigned && enforces {
        tracing::warn!(
            connection = %connection.name,
            "the agreement is not signed: observing only. `require_signatures = false` lets an unsigned agreement act"
        );
    }
    Ok((agreement, Acts::of(connection.mode, !unsigned)))
}

/// Signatures are needed when parties name who signs, unless the operator lifts it.
fn needs_signatures(settings: &Settings, agreement: &Agreement) -> bool {
    settings.require_signatures && agreement.parties.iter().any(|p| p.signs.is_some())
}

/// Another version than the file's is active in the database: that one is enforced.
fn active_elsewhere(file: &AgreementFile, active: &AgreementRow) -> Result<Arc<Agreement>> {
    tracing::warn!(active = %active.version, file = %file.agreement.version, "the file is a draft; the active version is enforced");
    let folder = file.path.parent().unwrap_or(Path::new(".")).to_owned();
    let include = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|e| e.to_string());
    match parse("active agreement", &active.text, &include) {
        Ok(parsed) => Ok(Arc::new(parsed.agreement)),
        Err(report) => bail!("the active agreement in the database cannot be read:\n{}", report.render(false)),
    }
}

fn site(connection: &Connection, agreement: Arc<Agreement>, acts: Acts) -> Result<Site> {
    let crm = connector(connection, &agreement).with_context(|| format!("connection `{}`", connection.name))?;
    match acts {
        Acts::Always => {}
        Acts::Never => tracing::info!(
            connection = %connection.name,
            "observing: what would be done is journalled, nothing is written"
        ),
        Acts::WhenArmed => tracing::info!(
            connection = %connection.name,
            "observing until somebody arms it: `leadpact arm {}`", connection.name
        ),
    }
    Ok(Site {
        connection: connection.clone(),
        crm,
        agreement,
        acts,
        directory: Directory::default(),
        stirred: Notify::new(),
        issued: Notify::new(),
    })
}

/// The CRM that a connection speaks to.
///
/// # Errors
/// When its settings cannot work.
pub fn connector(connection: &Connection, agreement: &Agreement) -> std::result::Result<SharedCrm, CrmError> {
    let http = Http::new(Arc::new(real_now))?;
    Ok(match connection.platform {
        Platform::HubSpot(_) => Arc::new(HubSpot::new(connection.clone(), &agreement.dictionary, http)),
        Platform::Salesforce(_) => Arc::new(Salesforce::new(connection, &agreement.dictionary, http)?),
        Platform::Generic(_) => Arc::new(Generic::new(connection.clone(), &agreement.dictionary)),
    })
}

/// The agreement that a configuration with errors names, so that its errors show together with them.
fn agreement_beside(configuration: &Path) -> Option<PathBuf> {
    let table: toml::Table = std::fs::read_to_string(configuration).ok()?.parse().ok()?;
    let named = table.get("agreement").and_then(toml::Value::as_str).unwrap_or("agreement.toml");
    let path = configuration.parent()?.join(named);
    path.is_file().then_some(path)
}

/// Reads a configuration and its agreements, printing everything that is wrong with any of them.
/// `None`: there are errors and nothing may start.
pub fn read_configuration(path: &Path, color: bool) -> Option<(Settings, Agreements, Vec<Report>)> {
    let (settings, mut warnings) = match settings::load(path, &settings::Environment::of_process()) {
        Ok((settings, warnings)) => (settings, vec![warnings]),
        Err(report) => {
            eprintln!("{}", report.render(color));
            if let Some(Err(report)) = agreement_beside(path).map(|path| read_agreement(&path)) {
                eprintln!("{}", report.render(color));
            }
            return None;
        }
    };
    let agreements = match Agreements::read(&settings) {
        Ok((agreements, more)) => {
            warnings.extend(more);
            agreements
        }
        Err(reports) => {
            reports.iter().for_each(|report| eprintln!("{}", report.render(color)));
            return None;
        }
    };
    for (i, file) in agreements.files().iter().enumerate() {
        let judged = |c: &Connection| agreements.of.get(&c.name).copied().unwrap_or(0) == i;
        let report = settings::check_against(&settings, &file.agreement, judged);
        if report.has_errors() {
            eprintln!("{}", report.render(color));
            return None;
        }
        warnings.push(report);
    }
    Some((settings, agreements, warnings))
}
