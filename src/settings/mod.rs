//! Floor 5: the daemon's configuration: what it says (this file), and reading it from TOML and the
//! environment with every problem at once (the files beside it). What an agreement says is not here.

mod check;
mod connection;
mod credential;
mod environment;
mod generic;
mod interpolate;
mod keys;
mod mapping;
mod oidc;
mod overrides;
mod platform;
mod read;
mod sign_in;
mod values;

pub use check::check_against;
pub use environment::Environment;
pub use sign_in::NOT_SET;

use crate::agreement::document;
use crate::agreement::problem::{Problem, Report};
use crate::crm::Connection;
use crate::engine::oidc::OidcSettings;
use crate::engine::schedule::Schedule;
use crate::notify::settings::{EmailSettings, SlackSettings};
use crate::record::{ConnectionName, Object};
use crate::store::seal::Keys;
use secrecy::SecretString;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::{Path, PathBuf};
use url::Url;

/// Every setting with its default and a comment: the documentation, and a file to start from.
pub const DEFAULT_FILE: &str = include_str!("../../config/leadpact.toml");

/// The whole configuration, checked. Secrets do not show in its `Debug` output.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A relative path is relative to the configuration file.
    pub agreement: PathBuf,
    /// `false` lets an unsigned agreement act.
    pub require_signatures: bool,
    pub server: Server,
    pub store: Store,
    pub schedule: Schedules,
    pub connections: Vec<Connection>,
    pub notify: Notify,
    pub journal: Journal,
    pub log: Log,
    pub retention: Retention,
    /// For problems that only show once the agreement is known.
    source: Source,
}

#[derive(Clone, Debug)]
pub struct Server {
    /// Webhooks, Slack, callbacks and health: what the internet may reach.
    pub listen: SocketAddr,
    /// Pages, api and metrics; a loopback address, unless `admin_url` says that a proxy is before it.
    pub admin_listen: SocketAddr,
    /// The https address at which a proxy serves them to people.
    pub admin_url: Option<Url>,
    /// What CRMs sign and people click.
    pub public_url: Url,
    /// HTTP worker threads; `None`: one for each core.
    pub workers: Option<NonZeroU32>,
    /// The identity provider that vouches for people; `None`: there are only our own accounts.
    pub oidc: Option<OidcSettings>,
}

impl Server {
    /// The public URL without a slash at its end, to put a path behind.
    pub fn public_base(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    /// Where people open the pages, without a slash at its end.
    pub fn admin_base(&self) -> String {
        let own = || format!("http://{}", self.admin_listen);
        self.admin_url.as_ref().map_or_else(own, |url| url.as_str().trim_end_matches('/').to_owned())
    }
}

#[derive(Clone, Debug)]
pub struct Store {
    /// `sqlite://…` or `postgres://…`; may hold a password. A relative SQLite path is relative to
    /// the working directory.
    pub url: SecretString,
    pub max_connections: Option<NonZeroU32>,
    /// What seals the tokens of those who signed in with a browser: the first seals, all open.
    pub credential_keys: Keys,
}

/// Both run in UTC, being intervals.
#[derive(Clone, Debug)]
pub struct Schedules {
    /// The check for due clocks that always comes, besides sleeping until the earliest.
    pub wake: Schedule,
    /// The sweep over what was modified in the CRMs.
    pub reconcile: Schedule,
}

#[derive(Clone, Debug)]
pub struct Notify {
    /// Connections that only observe send notices too.
    pub notify_in_observe: bool,
    /// A folder with templates that stand in for the shipped ones; relative to the configuration file.
    pub templates: Option<PathBuf>,
    pub slack: Option<SlackSettings>,
    /// What Slack signs its calls to us with, two while it is being changed; stands in `[notify.slack]`.
    pub slack_signing_secrets: Vec<SecretString>,
    /// The workspace's (or organisation's) id, without which the token is asked for it; stands in `[notify.slack]`.
    pub slack_team: Option<String>,
    pub email: Option<EmailSettings>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// An e-mail address that gets the newest hash of every journal once a day.
    pub mail_head_to: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// Directives of tracing's filter: `info`, `info,leadpact=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long received deliveries are kept for replay, in days.
    pub inbox_days: u32,
    /// How long applied changes are kept, in months.
    pub history_months: u32,
}

impl Settings {
    pub fn connection(&self, name: &ConnectionName) -> Option<&Connection> {
        self.connections.iter().find(|c| &c.name == name)
    }
}

/// The file, kept to show later problems in.
#[derive(Clone)]
struct Source {
    file: String,
    text: String,
    /// The variables that overrode settings; see `overrides`.
    overrides: Vec<String>,
    names: Vec<Named>,
}

impl fmt::Debug for Source {
    /// Without the text: somebody may have written a secret into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Source {
    fn report(&self, problems: Vec<Problem>) -> Report {
        overrides::report(&self.file, &self.text, &self.overrides, problems)
    }
}

/// A name of the agreement that a connection uses, and where.
#[derive(Clone, Debug)]
struct Named {
    connection: ConnectionName,
    what: What,
    name: String,
    span: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// In `fields`.
    Field(Object),
    /// In `values`.
    Values(Object),
    Party,
}

/// Reads a configuration file. The answer's report holds the warnings.
///
/// # Errors
/// A report with every error and warning of the file.
pub fn load(path: &Path, environment: &Environment) -> Result<(Settings, Report), Report> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => from_text(&file, &text, environment),
        Err(e) => {
            let problem = Problem::of_file(format!("cannot be read: {e}"))
                .with_help("name the configuration with --config, or begin with `leadpact init config`");
            Err(Report::new(file, "", vec![problem]))
        }
    }
}

/// Reads a configuration that is in memory; `file` is what it is called, and its folder is where
/// relative paths start. The answer's report holds the warnings.
///
/// # Errors
/// A report with every error and warning of the text.
pub fn from_text(file: &str, text: &str, environment: &Environment) -> Result<(Settings, Report), Report> {
    let mut table = document::parse(file, text)?.into_inner();
    let mut problems = vec![];
    let overrides = overrides::apply(&mut table, text, environment, &mut problems);
    let unfilled = interpolate::apply(&mut table, text, environment, &mut problems);

    let sink = document::Sink::new(text);
    let read = read::settings(&table, Path::new(file).parent().unwrap_or(Path::new("")), &sink);
    let told = |p: &Problem| p.span.as_ref().is_some_and(|span| unfilled.contains(span));
    problems.extend(sink.into_report(file).problems.into_iter().filter(|p| !told(p)));

    let names = read.names;
    let source = Source { file: file.to_owned(), text: text.to_owned(), overrides, names };
    let report = source.report(problems);
    match read.settings {
        Some(parts) if !report.has_errors() => Ok((parts.with_source(source), report)),
        _ => Err(report),
    }
}
