//! Keeps every connection at work under the version that is active: looks into the database every
//! few seconds, and where a version became active or was signed, stops that connection's worker,
//! puts a new site in the place of the old one and starts again. Ingest and pages work meanwhile.

use super::activation::{Activation, Enforced};
use super::agreements::Agreements;
use super::sites::site;
use crate::engine::Engine;
use crate::engine::context::Site;
use crate::engine::credentials::Credentials;
use crate::engine::versions::Scope;
use crate::engine::worker::{self, Retention, Stop, Times};
use crate::record::ConnectionName;
use crate::settings::Settings;
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the database is asked, in real time.
const LOOK: Duration = Duration::from_secs(2);

/// A connection whose worker runs.
struct Running {
    /// By which agreement, and whether it may act.
    under: Under,
    stop: CancellationToken,
    worker: JoinHandle<()>,
}

/// What a change of makes a switch.
#[derive(Clone, PartialEq, Eq)]
pub struct Under {
    hash: Arc<str>,
    may_act: bool,
}

impl Enforced {
    pub fn under(&self) -> Under {
        Under { hash: self.agreement.hash.clone(), may_act: self.may_act }
    }
}

/// What workers are started with.
#[derive(Clone)]
pub struct Works {
    pub engine: Arc<Engine>,
    pub times: Times,
    pub keep: Retention,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

pub struct Supervisor {
    works: Works,
    settings: Arc<Settings>,
    credentials: Credentials,
    scopes: Vec<Scope>,
    activation: Activation,
    /// The files are to be read and offered again.
    reread: Arc<Notify>,
    /// What each connection's site was built under.
    built: HashMap<ConnectionName, Under>,
    running: HashMap<ConnectionName, Running>,
    /// What was said last about a scope, so that it is said once.
    said: HashMap<Option<ConnectionName>, Vec<String>>,
}

impl Supervisor {
    pub fn new(
        works: Works,
        settings: Arc<Settings>,
        credentials: Credentials,
        scopes: Vec<Scope>,
        activation: Activation,
        reread: Arc<Notify>,
    ) -> Self {
        let (built, running, said) = Default::default();
        Self { works, settings, credentials, scopes, activation, reread, built, running, said }
    }

    /// The sites to begin with.
    ///
    /// # Errors
    /// When the database is unavailable, the active version cannot be read or a connector cannot work.
    pub async fn build(&mut self) -> Result<Vec<Arc<Site>>> {
        let mut sites = Vec::new();
        for scope in self.scopes.clone() {
            let enforced = self.activation.enforced(&scope).await?;
            self.say(&scope, &enforced.notes);
            for name in &scope.connections {
                let settings = self.settings.clone();
                let connection = settings.connection(name).context("a scope names connections of the settings")?;
                let (agreement, may_act) = (enforced.agreement.clone(), enforced.may_act);
                sites.push(site(connection, agreement, may_act, None, &self.credentials)?);
                self.built.insert(name.clone(), enforced.under());
            }
        }
        Ok(sites)
    }

    /// Starts every worker, and goes on until the daemon stops.
    pub async fn run(mut self) {
        for site in self.works.engine.sites() {
            self.start(site);
        }
        let stop = self.works.stop.clone();
        let reread = self.reread.clone();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = reread.notified() => self.reread(),
                () = tokio::time::sleep(LOOK) => {}
            }
            self.look().await;
        }
    }

    fn start(&mut self, site: Arc<Site>) {
        let Some(under) = self.built.get(site.name()).cloned() else { return };
        let (name, stop) = (site.name().clone(), self.works.stop.child_token());
        let Works { engine, times, keep, stop: daemon, tasks } = self.works.clone();
        let stops = Stop { daemon, site: stop.clone() };
        let worker = tasks.spawn(async move { worker::work(engine, site, times, keep, stops).await });
        self.running.insert(name, Running { under, stop, worker });
    }

    /// The files as they are now, offered at the next look. Broken ones leave everything as it was.
    fn reread(&mut self) {
        let read = Agreements::read(&self.settings).and_then(|(agreements, _)| {
            let broken = agreements.check_against(&self.settings).into_iter().filter(|r| r.has_errors());
            let broken: Vec<_> = broken.collect();
            if broken.is_empty() { Ok(agreements) } else { Err(broken) }
        });
        match read {
            Ok(agreements) => {
                self.activation.agreements = agreements;
                self.said.clear();
                tracing::info!("the agreements were read again; the configuration is read at the start only");
            }
            Err(reports) => {
                let wrong: Vec<String> = reports.iter().map(|report| report.render(false)).collect();
                tracing::error!("the agreements cannot be read, so nothing changes:\n{}", wrong.join("\n"));
            }
        }
    }

    async fn look(&mut self) {
        for scope in self.scopes.clone() {
            match self.activation.enforced(&scope).await {
                Ok(enforced) => {
                    self.say(&scope, &enforced.notes);
                    self.switch_all(&scope, &enforced).await;
                }
                Err(error) => self.say(&scope, &[format!("the agreement could not be looked at: {error:#}")]),
            }
        }
    }

    async fn switch_all(&mut self, scope: &Scope, enforced: &Enforced) {
        for name in &scope.connections {
            let under = enforced.under();
            if self.running.get(name).is_some_and(|r| r.under != under)
                && let Err(error) = self.switch(name, enforced).await
            {
                let agreement = &enforced.agreement.version;
                tracing::error!(connection = %name, %agreement, "it cannot be switched and goes on as it was: {error:#}");
            }
        }
    }

    /// The old worker finishes what it holds; the lease stays ours, so that no replica which has not
    /// looked yet judges by the old version in between.
    async fn switch(&mut self, name: &ConnectionName, enforced: &Enforced) -> Result<()> {
        let before = self.works.engine.site(name.as_str());
        let connection = self.settings.connection(name).context("it is not in the settings")?;
        let agreement = enforced.agreement.clone();
        let site = site(connection, agreement, enforced.may_act, before.as_deref(), &self.credentials)?;
        if let Some(running) = self.running.remove(name) {
            running.stop.cancel();
            if let Err(fault) = running.worker.await {
                tracing::error!(connection = %name, "its worker ended badly: {fault}");
            }
        }
        let (agreement, may_act) = (&enforced.agreement.version, enforced.may_act);
        tracing::info!(connection = %name, %agreement, may_act, "this connection is under this version from now on");
        self.works.engine.replace(site.clone());
        self.built.insert(name.clone(), enforced.under());
        self.start(site);
        Ok(())
    }

    fn say(&mut self, scope: &Scope, notes: &[String]) {
        if self.said.get(&scope.own).is_none_or(|said| said != notes) {
            let agreement = self.activation.agreements.of_scope(scope).path.display().to_string();
            notes.iter().for_each(|note| tracing::warn!(agreement, "{note}"));
            self.said.insert(scope.own.clone(), notes.to_vec());
        }
    }
}
