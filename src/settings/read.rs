//! The sections of the configuration but connections: defaults, types and what a value may be.
//! Every problem is noted and reading goes on.

use super::values::{address, base_url, choice, filled, http_url, secret, secrets};
use super::{Journal, Log, LogFormat, Named, Notify, Retention, Schedules, Server, Settings, Source, Store, check};
use super::{connection, credential};
use crate::agreement::document::{Datum, Reader, Sink, Word};
use crate::agreement::problem::Problem;
use crate::crm::Connection;
use crate::engine::schedule::Schedule;
use crate::notify::settings::{EmailSettings, SlackSettings};
use crate::store::seal::Keys;
use secrecy::SecretString;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use toml::de::DeTable;
use tracing_subscriber::EnvFilter;
use url::Url;

/// What came of reading: the names that connections use, and the settings if they are complete.
pub(super) struct Read {
    pub names: Vec<Named>,
    pub settings: Option<Parts>,
}

/// Settings but for the file they came from.
pub(super) struct Parts {
    agreement: PathBuf,
    require_signatures: bool,
    server: Server,
    store: Store,
    schedule: Schedules,
    connections: Vec<Connection>,
    notify: Notify,
    journal: Journal,
    log: Log,
    retention: Retention,
}

impl Parts {
    pub(super) fn with_source(self, source: Source) -> Settings {
        let Parts {
            agreement,
            require_signatures,
            server,
            store,
            schedule,
            connections,
            notify,
            journal,
            log,
            retention,
        } = self;
        Settings {
            agreement,
            require_signatures,
            server,
            store,
            schedule,
            connections,
            notify,
            journal,
            log,
            retention,
            source,
        }
    }
}

/// Reads the whole file; relative paths start at `folder`.
pub(super) fn settings<'a>(table: &'a DeTable<'a>, folder: &Path, sink: &'a Sink<'a>) -> Read {
    let mut root = Reader::root(table, "the configuration", sink);
    let agreement = filled(&mut root, sink, "agreement").map_or("agreement.toml", |word| word.text);
    let signatures = root.flag("require_signatures");
    let server = server(root.table("server"), sink);
    let store = store(root.table("store"), sink);
    let schedule = schedules(root.table("schedule"), sink);
    let (connections, names) = connection::all(root.tables("connection", "[[connection]]"), folder, sink);
    let notify = notify(root.table("notify"), folder, sink);
    let journal = journal(root.table("journal"), notify.as_ref(), sink);
    let log = log(root.table("log"), sink);
    let retention = retention(root.table("retention"));

    credential::needed(&root, store.as_ref().map(|s| &s.credential_keys), &connections, sink);
    check::risks(&mut root, sink, signatures.as_ref(), server.as_ref(), &connections, notify.as_ref());
    root.finish();

    let settings = || {
        Some(Parts {
            agreement: folder.join(agreement),
            require_signatures: signatures.is_none_or(|flag| flag.value),
            server: server?,
            store: store?,
            schedule: schedule?,
            connections,
            notify: notify?,
            journal: journal?,
            log: log?,
            retention,
        })
    };
    Read { names, settings: settings() }
}

fn server(reader: Option<Reader<'_>>, sink: &Sink<'_>) -> Option<Server> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Some(mut reader) = reader else {
        let (listen, admin_listen) = (local(8080), local(8081));
        let public_url = own_url(listen)?;
        return Some(Server { listen, admin_listen, admin_url: None, public_url, workers: None, oidc: None });
    };
    let listen = address_or(&mut reader, sink, "listen", local(8080));
    let admin_listen = address_or(&mut reader, sink, "admin_listen", local(8081));
    let admin_url = reader.text("admin_url").and_then(|word| https_origin(sink, &word));
    let has_url = reader.has("admin_url");
    let admin_listen = admin_listen.filter(|admin| has_url || stays_here(*admin, &reader, sink));
    let public_url = match reader.text("public_url") {
        Some(word) => http_url(sink, &word, "public_url"),
        None => own_url(listen.unwrap_or(local(8080))),
    };
    let workers = count(reader.count("workers"));
    let oidc = reader.table("oidc").map(|r| super::oidc::oidc(r, sink));
    reader.finish();
    // What is there and wrong has noted why; the settings are not complete without it.
    let oidc = match oidc {
        None => None,
        Some(read) => Some(read?),
    };
    Some(Server { listen: listen?, admin_listen: admin_listen?, admin_url, public_url: public_url?, workers, oidc })
}

/// Passwords and sessions would cross the network in the clear.
fn stays_here(admin: SocketAddr, reader: &Reader<'_>, sink: &Sink<'_>) -> bool {
    if !admin.ip().is_loopback() {
        let message = "`admin_listen` beyond this machine needs `admin_url`: leadpact itself speaks plain http, in \
                       which anybody on the way could read passwords";
        let help = "put a proxy that speaks https before it and name its address, such as \
                    admin_url = \"https://leadpact.intranet.example\", or listen on 127.0.0.1:8081";
        sink.error_with(reader.span_of("admin_listen"), message, help);
    }
    admin.ip().is_loopback()
}

/// A proxy's address: https, and no path behind it.
fn https_origin(sink: &Sink<'_>, word: &Word) -> Option<Url> {
    let url = http_url(sink, word, "admin_url")?;
    if url.scheme() != "https" || url.path() != "/" || url.query().is_some() {
        sink.error(word.span.clone(), "`admin_url` must begin with https:// and end with the host or its port");
        return None;
    }
    Some(url)
}

fn own_url(listen: SocketAddr) -> Option<Url> {
    Url::parse(&format!("http://{listen}")).ok()
}

fn address_or(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str, default: SocketAddr) -> Option<SocketAddr> {
    if reader.has(key) { address(reader, sink, key) } else { Some(default) }
}

fn count(datum: Option<Datum<u32>>) -> Option<NonZeroU32> {
    datum.and_then(|datum| NonZeroU32::new(datum.value))
}

fn store(reader: Option<Reader<'_>>, sink: &Sink<'_>) -> Option<Store> {
    const DEFAULT: &str = "sqlite://leadpact.db";
    let Some(mut reader) = reader else {
        return Some(Store { url: DEFAULT.into(), max_connections: None, credential_keys: Keys::default() });
    };
    let url = match reader.text("url") {
        None => Some(DEFAULT),
        Some(word) if is_database(word.text) => Some(word.text),
        Some(word) => {
            let help = "for example sqlite://leadpact.db, or postgres://user:${PASSWORD}@host/leadpact";
            sink.error_with(word.span, "`url` must begin with sqlite: or postgres://", help);
            None
        }
    };
    let max_connections = count(reader.count("max_connections"));
    let credential_keys = credential::keys(&mut reader, sink);
    reader.finish();
    Some(Store { url: SecretString::from(url?), max_connections, credential_keys: credential_keys? })
}

fn is_database(url: &str) -> bool {
    ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme))
}

fn schedules(reader: Option<Reader<'_>>, sink: &Sink<'_>) -> Option<Schedules> {
    const WAKE: &str = "* * * * * *";
    const RECONCILE: &str = "0 */15 * * * *";
    let Some(mut reader) = reader else {
        return Some(Schedules { wake: Schedule::parse(WAKE).ok()?, reconcile: Schedule::parse(RECONCILE).ok()? });
    };
    let wake = cron(&mut reader, sink, "wake", WAKE);
    let reconcile = cron(&mut reader, sink, "reconcile", RECONCILE);
    reader.finish();
    Some(Schedules { wake: wake?, reconcile: reconcile? })
}

fn cron(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str, default: &str) -> Option<Schedule> {
    let word = if reader.has(key) { reader.text(key)? } else { Word { text: default, span: reader.span() } };
    match Schedule::parse(word.text) {
        Ok(schedule) => Some(schedule),
        Err(why) => {
            let help = "cron with seconds: second minute hour day month weekday, such as 0 */15 * * * *";
            sink.error_with(word.span, format!("`{key}`: {why}"), help);
            None
        }
    }
}

fn notify(reader: Option<Reader<'_>>, folder: &Path, sink: &Sink<'_>) -> Option<Notify> {
    let Some(mut reader) = reader else {
        return Some(Notify {
            notify_in_observe: false,
            templates: None,
            slack: None,
            slack_signing_secrets: Vec::new(),
            slack_team: None,
            email: None,
        });
    };
    let notify_in_observe = reader.flag("notify_in_observe").is_some_and(|flag| flag.value);
    let templates = filled(&mut reader, sink, "templates").map(|word| folder.join(word.text));
    let slack = reader.table("slack").map(|r| slack(r, sink));
    let email = reader.table("email").map(|r| email(r, sink));
    reader.finish();
    // A channel that is there and unreadable has noted why; the settings are not complete without it.
    let (slack, slack_signing_secrets, slack_team) = match slack {
        None => (None, Vec::new(), None),
        Some(read) => read.map(|(slack, signing, team)| (Some(slack), signing, team))?,
    };
    let email = match email {
        None => None,
        Some(read) => Some(read?),
    };
    Some(Notify { notify_in_observe, templates, slack, slack_signing_secrets, slack_team, email })
}

/// How to send, what Slack signs with, and which workspace it is.
fn slack(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<(SlackSettings, Vec<SecretString>, Option<String>)> {
    if !reader.has("token") && !reader.has("webhook_url") {
        let help = "token = \"${SLACK_BOT_TOKEN}\" for people and channels, webhook_url for one channel";
        sink.error_with(reader.span(), "[notify.slack] needs `token` or `webhook_url`", help);
    }
    let token = secret(&mut reader, sink, "token");
    let webhook_url = filled(&mut reader, sink, "webhook_url").and_then(|word| webhook(sink, &word));
    let signing_secrets = match reader.is_list("signing_secret") {
        true => secrets(&mut reader, sink, "signing_secret"),
        false => secret(&mut reader, sink, "signing_secret").into_iter().collect(),
    };
    let team = filled(&mut reader, sink, "team").map(|word| word.text.to_owned());
    let base_url = base_url(&mut reader, sink, Some("https://slack.com/api"));
    reader.finish();
    Some((SlackSettings { token, webhook_url, base_url: base_url? }, signing_secrets, team))
}

/// The address itself is the secret, and may well have a query.
fn webhook(sink: &Sink<'_>, word: &Word<'_>) -> Option<SecretString> {
    let url = Url::parse(word.text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        sink.error(word.span.clone(), "`webhook_url` must be a URL that begins with https:// or http://");
    }
    url.map(|_| SecretString::from(word.text))
}

fn email(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<EmailSettings> {
    let url = reader.need_text("smtp_url").filter(|word| {
        let fits = is_smtp(word.text);
        if !fits {
            let help = "for example smtps://user:${SMTP_PASSWORD}@smtp.acme.example";
            sink.error_with(word.span.clone(), "`smtp_url` must begin with smtps:// or smtp://", help);
        }
        fits
    });
    let from = reader.need_text("from").filter(|word| {
        let fits = word.text.parse::<lettre::message::Mailbox>().is_ok();
        if !fits {
            let help = "for example leadpact <sla@acme.example>";
            sink.error_with(word.span.clone(), "`from` must be an e-mail address", help);
        }
        fits
    });
    reader.finish();
    Some(EmailSettings { smtp_url: SecretString::from(url?.text), from: from?.text.to_owned() })
}

fn is_smtp(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "smtp" | "smtps") && url.host().is_some())
}

fn log(reader: Option<Reader<'_>>, sink: &Sink<'_>) -> Option<Log> {
    let Some(mut reader) = reader else { return Some(Log { format: LogFormat::Human, level: "info".into() }) };
    let formats = [("human", LogFormat::Human), ("json", LogFormat::Json)];
    let format = choice(&mut reader, sink, "format", &formats);
    let level = filled(&mut reader, sink, "level");
    reader.finish();
    if let Some(word) = &level
        && EnvFilter::try_new(word.text).is_err()
    {
        sink.error_with(
            word.span.clone(),
            "`level` is no log level",
            "for example info, debug, or info,leadpact=debug",
        );
    }
    Some(Log { format: format.unwrap_or(LogFormat::Human), level: level.map_or("info", |word| word.text).to_owned() })
}

/// The address must be one, and there must be a way to reach it.
fn journal(reader: Option<Reader<'_>>, notify: Option<&Notify>, sink: &Sink<'_>) -> Option<Journal> {
    let Some(mut reader) = reader else { return Some(Journal::default()) };
    let address = filled(&mut reader, sink, "mail_head_to");
    if let Some(word) = &address {
        if word.text.parse::<lettre::Address>().is_err() {
            let help = "write it like audit@acme.example";
            sink.error_with(word.span.clone(), format!("`{}` is no e-mail address", word.text), help);
        } else if notify.is_some_and(|notify| notify.email.is_none()) {
            let help = "add [notify.email], or leave `mail_head_to` out";
            sink.note(Problem::warning(word.span.clone(), "no mail can be sent").with_help(help));
        }
    }
    reader.finish();
    Some(Journal { mail_head_to: address.map(|word| word.text.trim().to_owned()) })
}

fn retention(reader: Option<Reader<'_>>) -> Retention {
    let Some(mut reader) = reader else { return Retention { inbox_days: 30, history_months: 13 } };
    let inbox_days = reader.count("inbox_days").map_or(30, |n| n.value);
    let history_months = reader.count("history_months").map_or(13, |n| n.value);
    reader.finish();
    Retention { inbox_days, history_months }
}
