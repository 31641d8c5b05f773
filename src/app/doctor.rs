//! Every check there is of an installation, gathered side by side: for `leadpact doctor` and for the
//! page that shows how it fares. What the checks are stands in `engine/doctor/`.

use super::{Agreements, connector_reading, credentials, doctor_package, open_to_look, signing};
use crate::agreement::problem::{Report, Severity};
use crate::agreement::{Agreement, dictionary};
use crate::crm::connection::Mode;
use crate::crm::http::Http;
use crate::crm::oauth::BrowserSignIn;
use crate::crm::{Connection, Expected};
use crate::engine::clock::real_now;
use crate::engine::credentials::Credentials;
use crate::engine::doctor::{self, Check, Verdict};
use crate::engine::signed_out::ask_where_out;
use crate::notify::{Notifiers, SlackPeople, Templates};
use crate::package::wiring::{Wired, wiring};
use crate::record::ConnectionName;
use crate::settings::Settings;
use crate::store::Db;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// For each request to our own public address.
const ADDRESS: Duration = Duration::from_secs(8);
const CONFIGURATION: &str = "configuration";

/// What is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Of the connections this one only.
    pub connection: Option<&'a str>,
    /// The folder of its generated package, where that is not in `install/NAME`.
    pub package: Option<&'a Path>,
}

/// All checks of an installation under these settings but for those of reading them. Nothing is changed.
///
/// # Errors
/// When a check ends by a fault of its own.
pub async fn examine(settings: &Settings, wanted: Wanted<'_>) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    let agreements = read_agreements(settings, &mut checks);
    if let Some(agreements) = &agreements {
        checks.extend(signatures(settings, agreements).await);
    }
    let signed_in = signed_in(settings).await;
    let slack = slack_people(settings);
    let db = doctor::open_to_look(settings.store.url.expose_secret()).await.map(Arc::new);
    let is_wanted = |c: &&Connection| wanted.connection.is_none_or(|name| c.name.as_str() == name);
    let connections = settings.connections.iter().filter(is_wanted).map(|c| {
        let agreement = agreements.as_ref().map(|all| all.of(&c.name).agreement.clone());
        let house = House {
            base: settings.server.public_base().to_owned(),
            package: wanted.package.map(Path::to_path_buf),
            db: db.clone(),
            signed_in: signed_in.clone(),
            slack: slack.clone(),
        };
        tokio::spawn(one_connection(c.clone(), agreement, house))
    });
    let connections: Vec<_> = connections.collect();
    let names: Vec<_> = settings.connections.iter().filter(is_wanted).map(|c| c.name.clone()).collect();
    ask_where_out(settings.store.url.expose_secret(), &names, real_now()).await;
    let (database, url, channels) = tokio::join!(
        doctor::database(settings.store.url.expose_secret()),
        public_url(settings),
        channels(settings, agreements.as_ref())
    );
    checks.extend(database.into_iter().chain(url).chain(channels));
    #[cfg(feature = "oidc")]
    checks.extend(single_sign_on(settings).await);
    for examined in connections {
        checks.extend(examined.await?);
    }
    Ok(checks)
}

fn read_agreements(settings: &Settings, checks: &mut Vec<Check>) -> Option<Agreements> {
    match Agreements::read(settings) {
        Ok((agreements, warnings)) => {
            for file in agreements.files() {
                let found = format!("{} ({})", file.agreement.title, file.agreement.version);
                checks.push(Check::ok("agreement", file.path.display().to_string(), found));
            }
            let against = agreements.check_against(settings);
            checks.extend(warnings.iter().chain(&against).flat_map(of_report));
            Some(agreements)
        }
        Err(reports) => {
            checks.extend(reports.iter().flat_map(of_report));
            None
        }
    }
}

/// The problems of a file as checks of it.
pub fn of_report(report: &Report) -> Vec<Check> {
    let one = |problem: &crate::agreement::problem::Problem| {
        let line = problem.span.as_ref().and_then(|span| report.text.get(..span.start));
        let place = line.map_or_else(String::new, |before| format!(":{}", before.matches('\n').count() + 1));
        let what = format!("{}{place}", report.file);
        let fix = problem.help.clone().unwrap_or_else(|| "`leadpact check` shows the place".to_owned());
        match problem.severity {
            Severity::Error => Check::fail(CONFIGURATION, what, problem.message.clone(), fix),
            Severity::Warning => Check::warn(CONFIGURATION, what, problem.message.clone(), fix),
        }
    };
    report.problems.iter().map(one).collect()
}

async fn signatures(settings: &Settings, agreements: &Agreements) -> Vec<Check> {
    let missing = signing(settings, agreements).await;
    if missing.is_empty() {
        return vec![Check::ok("agreement", "signatures", "none is missing")];
    }
    if !settings.require_signatures {
        return vec![Check::ok("agreement", "signatures", missing.join(" "))];
    }
    let fix = "until then everything is only observed: have each side run `leadpact agreement sign`";
    missing.into_iter().map(|found| Check::warn("agreement", "signatures", found, fix)).collect()
}

/// What those who signed in were granted; `None` where nobody has to, or the database cannot be
/// opened, which has a check of its own.
async fn signed_in(settings: &Settings) -> Option<Credentials> {
    settings.connections.iter().find(|c| BrowserSignIn::of(c).is_some())?;
    let db = open_to_look(settings).await.ok()?;
    Some(credentials(settings, &db))
}

/// What every connection is looked at with.
struct House {
    /// The public address without a slash at its end.
    base: String,
    /// The folder that was named.
    package: Option<PathBuf>,
    db: Option<Arc<Db>>,
    /// What those who signed in were granted.
    signed_in: Option<Credentials>,
    slack: Option<Arc<SlackPeople>>,
}

async fn one_connection(connection: Connection, agreement: Option<Arc<Agreement>>, house: House) -> Vec<Check> {
    let expected =
        agreement.as_deref().map(|agreement| expected(&connection, agreement, &house.base)).unwrap_or_default();
    let standard = dictionary::standard();
    let known = agreement.as_ref().map_or(&standard, |agreement| &agreement.dictionary);
    match connector_reading(&connection, known, house.signed_in.as_ref()) {
        Ok(crm) => {
            let mut checks = doctor::connection(&connection, agreement.as_deref(), expected.clone(), &*crm).await;
            let zone = agreement.as_deref().map_or(TimeZone::UTC, Agreement::zone);
            checks.extend(doctor::grant(&connection, house.signed_in.as_ref(), &zone, real_now()).await);
            if let Some(agreement) = &agreement {
                let folder =
                    house.package.clone().unwrap_or_else(|| Path::new("install").join(connection.name.as_str()));
                let is_named = house.package.is_some();
                checks.extend(doctor_package::checks(&connection, agreement, &house.base, &folder, is_named));
            }
            if let Some(slack) = &house.slack {
                checks.extend(doctor::slack_accounts(&connection, &*crm, slack).await);
            }
            if let Some(db) = house.db {
                checks.extend(doctor::running(&db, &connection, &expected, &*crm, real_now()).await);
            }
            checks
        }
        Err(error) => {
            let fix = "correct this connection's settings";
            vec![Check::fail(connection.name.as_str(), "CRM", error.to_string(), fix)]
        }
    }
}

/// What the generated package would make the CRM tell us.
fn expected(connection: &Connection, agreement: &Agreement, base: &str) -> Expected {
    let plain = |name: &String| !name.contains('.');
    let names = |wired: &Wired| wired.watched.iter().map(|w| w.crm_name.clone()).filter(plain).collect();
    Expected {
        target: format!("{base}/webhooks/{}", connection.name),
        watched: wiring(agreement, connection).objects.iter().map(|wired| (wired.object, names(wired))).collect(),
        queues: Vec::new(),
    }
}

async fn public_url(settings: &Settings) -> Vec<Check> {
    let acting = settings.connections.iter().any(|c| c.mode == Some(Mode::Enforce));
    let remote = settings.connections.iter().any(|c| {
        // A connection without an address of its own is called by somebody, who may be anywhere.
        url::Url::parse(&c.base_url).map_or(true, |url| !doctor::is_loopback(&url))
    });
    let mut checks = doctor::public_url(&settings.server.public_url, acting, remote).await;
    // What does not even resolve, or is this machine itself, is not asked for anything.
    if remote && !doctor::is_loopback(&settings.server.public_url) && doctor::worst(&checks) != Verdict::Fail {
        let names: Vec<&ConnectionName> = settings.connections.iter().map(|c| &c.name).collect();
        let asked = Http::with_timeout(Arc::new(real_now), ADDRESS);
        if let Ok(http) = asked {
            checks.extend(doctor::reached(&http, settings.server.public_base(), settings.server.listen, &names).await);
        }
    }
    checks
}

/// Each channel for itself, so that one that cannot work hides no other.
async fn channels(settings: &Settings, agreements: Option<&Agreements>) -> Vec<Check> {
    let notify = &settings.notify;
    let named: Vec<&Agreement> = agreements.into_iter().flat_map(|all| all.files()).map(|f| &*f.agreement).collect();
    let mut checks = Vec::new();
    if let Err(error) = Templates::load(notify.templates.as_deref()) {
        checks.push(unusable(&error.to_string()));
    }
    match &notify.slack {
        None => checks.extend(doctor::without_slack(&named)),
        Some(slack) => {
            let remote = url::Url::parse(&slack.base_url).map_or(true, |url| !doctor::is_loopback(&url));
            let (people, signed) = (slack_people(settings), !notify.slack_signing_secrets.is_empty());
            let base = &settings.server.public_url;
            checks.extend(doctor::slack_buttons(people.as_deref(), signed, base, remote).await);
        }
    }
    let build = |slack, email| Notifiers::new(Templates::load(None)?, slack, email);
    let (slack, email) = (build(notify.slack.as_ref(), None), build(None, notify.email.as_ref()));
    for built in [slack, email] {
        match built {
            Ok(notifiers) => checks.extend(doctor::channels(&notifiers, &named).await),
            Err(error) => checks.push(unusable(&error.to_string())),
        }
    }
    checks
}

/// Who looks members up, where there is a bot's token.
fn slack_people(settings: &Settings) -> Option<Arc<SlackPeople>> {
    let slack = settings.notify.slack.as_ref().filter(|slack| slack.token.is_some())?;
    let people = SlackPeople::new(slack, settings.notify.slack_team.clone()).ok()?;
    Some(Arc::new(people.at_leisure()))
}

/// The identity provider's document can be read and names what we need.
#[cfg(feature = "oidc")]
async fn single_sign_on(settings: &Settings) -> Option<Check> {
    const ABOUT: &str = "pages";
    const WHAT: &str = "single sign-on";
    let provider = match super::oidc_provider(&settings.server) {
        Ok(provider) => provider?,
        Err(error) => {
            return Some(Check::fail(ABOUT, WHAT, format!("{error:#}"), "give this machine root certificates"));
        }
    };
    Some(match provider.examine(real_now()).await {
        Ok(found) => Check::ok(ABOUT, WHAT, found),
        Err(error) => {
            let fix = "correct [server.oidc] issuer: it stands in ISSUER/.well-known/openid-configuration to the letter, \
                       and must be reached from here; until then only people with a password get in";
            Check::fail(ABOUT, WHAT, error.to_string(), fix)
        }
    })
}

fn unusable(error: &str) -> Check {
    Check::fail("notices", "settings", error, "correct [notify]: `leadpact serve` does not start like this")
}
