//! `/health`: whether everything works: the kill switch, a card for each connection, and what was last
//! found when everything was checked. What people switch here is in `act`, what a
//! connection missed in `missed`.

mod act;
pub mod missed;

use super::super::Web;
use super::super::fitness::{self, Examined, Fares};
use super::super::routes::{Entry, get, post};
use super::super::session::Visitor;
use super::{Nav, coded, html, unavailable};
use crate::engine::clock::real_now;
use crate::engine::doctor::{Check, Verdict};
use crate::record::Timestamp;
use crate::report::layout::thousands;
use crate::store::StoreError;
use crate::store::role::Permission;
use crate::store::switch::SwitchRow;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;

pub(super) const ROUTES: &[Entry] = &[
    get("/health", Permission::Look, |route| route.to(health)),
    post("/health/check", Permission::Operate, |route| route.to(act::check)),
    post("/health/pause", Permission::Operate, |route| route.to(act::pause)),
    post("/health/resume", Permission::Operate, |route| route.to(act::resume)),
    get("/health/arm", Permission::Administer, |route| route.to(act::outlook)),
    post("/health/arm", Permission::Administer, |route| route.to(act::arm)),
    post("/health/disarm", Permission::Administer, |route| route.to(act::disarm)),
];

/// What was done before this page was shown, as it stands in the address.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

impl Done {
    /// Only what we can have done is said.
    fn said(&self) -> Option<&'static str> {
        Some(match self.done.as_str() {
            "paused" => "Paused: nothing leaves. What is received is taken in, and clocks count on.",
            "resumed" => "Resumed: what fell due meanwhile leaves once it was confirmed again.",
            "armed" => "Armed: it acts on the steps that fall due from now on.",
            "disarmed" => "Disarmed: it observes. What would be done is journalled, nothing is written.",
            _ => return None,
        })
    }
}

#[derive(Template)]
#[template(path = "health.html")]
struct Page {
    nav: Nav,
    said: Option<&'static str>,
    may_operate: bool,
    may_administer: bool,
    /// Who paused everything, since when and why.
    killed: Option<String>,
    cards: Vec<Card>,
    freezes: Vec<String>,
    may_check: bool,
    checking: Option<String>,
    checked: Option<Checked>,
    zone: String,
}

struct Card {
    name: String,
    crm: &'static str,
    state: &'static str,
    badge: &'static str,
    /// What stops it, in sentences.
    stops: Vec<String>,
    facts: Vec<(&'static str, String)>,
    switchable: bool,
    armed: bool,
    paused: bool,
}

struct Checked {
    at: String,
    error: Option<String>,
    ok: usize,
    warned: usize,
    failed: usize,
    checks: Vec<Shown>,
}

struct Shown {
    word: &'static str,
    badge: &'static str,
    check: Check,
    /// Both as HTML.
    found: String,
    fix: String,
}

async fn health(web: Data<Web>, visitor: Visitor, done: Query<Done>) -> HttpResponse {
    match page(&web, &visitor, &done).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unavailable(&error),
    }
}

async fn page(web: &Web, visitor: &Visitor, done: &Done) -> Result<Page, StoreError> {
    let all = fitness::all(web).await?;
    let now = web.engine.clock.now();
    let zone = all.first().map_or(TimeZone::UTC, |fares| fares.site.agreement.zone());
    let pause = all.first().and_then(|fares| fares.switches.pause(now)).filter(|row| row.connection.is_none());
    Ok(Page {
        nav: Nav::at("/health", visitor),
        said: done.said(),
        may_operate: visitor.may(Permission::Operate),
        may_administer: visitor.may(Permission::Administer),
        killed: pause.map(|row| by_whom("Everything is paused", row, &zone)),
        freezes: freezes(&all, now),
        cards: all.iter().map(|fares| card(fares, now)).collect(),
        may_check: visitor.may(Permission::Operate) && web.examine.is_some(),
        checking: web.examined.going().map(|at| at.in_zone(&zone)),
        checked: web.examined.last().map(|last| checked(last, &zone)),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
    })
}

/// `Paused by Ada since 2027-01-05 09:00 EST: too many moves`
fn by_whom(what: &str, row: &SwitchRow, zone: &TimeZone) -> String {
    let why = if row.why.is_empty() { String::new() } else { format!(": {}", row.why) };
    let until = row.until.map(|at| format!(", until {}", at.in_zone(zone))).unwrap_or_default();
    format!("{what} by {} since {}{until}{why}", row.by, row.at.in_zone(zone))
}

/// The agreement's freeze days that are not over, each once.
fn freezes(all: &[Fares], now: Timestamp) -> Vec<String> {
    let of = |fares: &Fares| {
        let ahead = fares.site.agreement.freezes.iter().filter(|freeze| freeze.until > now);
        let words = ahead.map(|freeze| {
            let going = if freeze.from <= now { " (now)" } else { "" };
            format!("{} to {}{going}: {}", freeze.first, freeze.last, freeze.why)
        });
        words.collect::<Vec<_>>()
    };
    let mut freezes: Vec<String> = all.iter().flat_map(of).collect();
    freezes.sort();
    freezes.dedup();
    freezes
}

fn card(fares: &Fares, now: Timestamp) -> Card {
    let zone = fares.site.agreement.zone();
    let state = fares.state(now);
    let own_pause = fares.switches.pause(now).filter(|row| row.connection.is_some());
    Card {
        name: fares.site.name().to_string(),
        crm: super::super::deliveries::words::crm(&fares.site),
        state,
        badge: match state {
            "signed out" | "clocks apart" => "breached",
            "paused" => "paused",
            "held" => "held",
            "observes" => "observe",
            _ => "enforce",
        },
        stops: stops(fares, now, &zone),
        facts: facts(fares, now, &zone),
        switchable: fares.is_switchable(),
        armed: fares.switches.is_armed(),
        paused: own_pause.is_some(),
    }
}

fn stops(fares: &Fares, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let switches = &fares.switches;
    let mut stops = Vec::new();
    if let Some(row) = switches.signed_out() {
        let since = row.at.in_zone(zone);
        stops.push(format!("The CRM refuses leadpact's credentials since {since}: {}", row.why));
    }
    if let Some(row) = switches.clocks_apart() {
        stops.push(format!(
            "The CRM's clock and this machine's are too far apart since {}: {}",
            row.at.in_zone(zone),
            row.why
        ));
    }
    if let Some(row) = switches.pause(now).filter(|row| row.connection.is_some()) {
        stops.push(by_whom("Paused", row, zone));
    }
    if let Some(row) = switches.breaker().filter(|row| row.on) {
        stops.push(format!("The breaker holds recycles since {}: {}", row.at.in_zone(zone), row.why));
    }
    stops
}

fn facts(fares: &Fares, now: Timestamp, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let real = real_now();
    let (vitals, outbox) = (&fares.vitals, fares.outbox);
    let told = |at: Option<Timestamp>| at.map_or_else(|| "none yet".to_owned(), |at| at.in_zone(zone));
    let holder = fares.holder.as_ref().filter(|holder| holder.until > real);
    let lag = match vitals.oldest_waiting {
        Some(at) if now > at => format!("{}", now - at),
        _ => "none".to_owned(),
    };
    let mut facts = vec![
        ("Mode", fares.mode().to_owned()),
        ("Worked by", holder.map_or_else(|| "nobody".to_owned(), |holder| short(&holder.name))),
        ("Last event", told(vitals.last_delivery)),
        ("Last write", told(vitals.last_write)),
        ("Lag", lag),
        ("Deliveries waiting", thousands(fares.inbox.received)),
        ("Deliveries parked", thousands(fares.inbox.parked)),
        ("Effects due", thousands(outbox.due + outbox.sending)),
        ("Effects held", thousands(outbox.held)),
        ("Effects parked", thousands(outbox.parked)),
    ];
    if let Some(day) = fares.usage.and_then(|usage| usage.day) {
        facts.push((
            "Calls left today",
            format!("{} of {}", thousands(day.limit.saturating_sub(day.used)), thousands(day.limit)),
        ));
    }
    if let Some(row) = &fares.credential {
        let age = if real > row.granted_at { format!("{}", real - row.granted_at) } else { "new".to_owned() };
        facts.push(("Token's age", age));
        facts.push(("Token ends", row.expires_at.map_or_else(|| "not told".to_owned(), |at| at.in_zone(zone))));
        facts.push(("Signed in by", row.signed_in_by.clone()));
    }
    facts
}

/// Of a process's long name its end, which tells it from others.
fn short(name: &str) -> String {
    const ENOUGH: usize = 8;
    let all: Vec<char> = name.chars().collect();
    all[all.len().saturating_sub(ENOUGH)..].iter().collect()
}

fn checked(last: Examined, zone: &TimeZone) -> Checked {
    let at = last.at.in_zone(zone);
    match last.found {
        Err(error) => Checked { at, error: Some(error), ok: 0, warned: 0, failed: 0, checks: Vec::new() },
        Ok(mut checks) => {
            let (ok, warned, failed) = fitness::counts(&checks);
            // The worst first; within it as they were made.
            checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
            Checked { at, error: None, ok, warned, failed, checks: checks.into_iter().map(shown).collect() }
        }
    }
}

fn shown(check: Check) -> Shown {
    let (word, badge) = match check.verdict {
        Verdict::Ok => ("ok", "ok"),
        Verdict::Warn => ("look at", "warning"),
        Verdict::Fail => ("failed", "error"),
    };
    let fix = check.fix.as_deref().map(coded).unwrap_or_default();
    Shown { word, badge, found: coded(&check.found), fix, check }
}
