//! `/api/v1/connections/…`: what people set for a whole connection, as `leadpact pause`, `arm` and
//! `release` do. What it means is the engine's.

use super::deliveries::chain;
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer, cursor};
use crate::engine::Site;
use crate::engine::arming::{self, Arming};
use crate::engine::held::{Decision, decide, of_record};
use crate::engine::overdue::{self, TOGETHER, overdue};
use crate::engine::switches::{self, Pausing, Switches};
use crate::record::{EffectKey, Object, Timestamp};
use crate::store::StoreError;
use crate::store::outbox::{self, WaitingMove};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json as Sent, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/connections/{connection}/held", Permission::Look, |route| route.to(held)),
    get("/api/v1/connections/{connection}/overdue", Permission::Look, |route| route.to(missed)),
    post("/api/v1/connections/{connection}/pause", Permission::Operate, |route| route.to(pause)),
    post("/api/v1/connections/{connection}/resume", Permission::Operate, |route| route.to(resume)),
    post("/api/v1/connections/{connection}/release", Permission::Operate, |route| route.to(release)),
    post("/api/v1/connections/{connection}/arm", Permission::Administer, |route| route.to(arm)),
    post("/api/v1/connections/{connection}/disarm", Permission::Administer, |route| route.to(disarm)),
    post("/api/v1/pause", Permission::Operate, |route| route.to(pause_all)),
    post("/api/v1/resume", Permission::Operate, |route| route.to(resume_all)),
];

/// Why something is not done.
pub(super) enum Refused {
    NoSuchConnection,
    /// A field of the body, and what is wrong with it.
    Field(&'static str, String),
    /// It cannot be done as things stand.
    Conflict(String),
    /// Their role may do this, but not to what they named.
    Forbidden(String),
    NotFound(String),
    Unavailable(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Unavailable(error)
    }
}

/// The answer of a handler.
pub(super) fn answered(done: Result<Json, Refused>) -> HttpResponse {
    match done {
        Ok(told) => HttpResponse::Ok().json(told),
        Err(Refused::NoSuchConnection) => answer::error(StatusCode::NOT_FOUND, "no connection is called so"),
        Err(Refused::Field(name, why)) => {
            answer::refused(StatusCode::BAD_REQUEST, &format!("`{name}` {why}"), Some(name))
        }
        Err(Refused::Conflict(why)) => answer::error(StatusCode::CONFLICT, &why),
        Err(Refused::Forbidden(why)) => answer::error(StatusCode::FORBIDDEN, &why),
        Err(Refused::NotFound(why)) => answer::error(StatusCode::NOT_FOUND, &why),
        Err(Refused::Unavailable(error)) => answer::unavailable(&error),
    }
}

pub(super) fn site(web: &Web, name: &str) -> Result<Arc<Site>, Refused> {
    web.engine.site(name).ok_or(Refused::NoSuchConnection)
}

/// A moment to come.
pub(super) fn to_come(name: &'static str, text: &str, now: Timestamp) -> Result<Timestamp, Refused> {
    let unclear = || Refused::Field(name, "is a moment such as 2027-01-05T14:00:00Z".to_owned());
    let at = Timestamp::parse(text).ok_or_else(unclear)?;
    if at <= now { Err(Refused::Conflict(format!("`{name}` is over already"))) } else { Ok(at) }
}

#[derive(Deserialize)]
struct Pause {
    until: Option<String>,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct Why {
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct Arm {
    #[serde(default)]
    include_overdue: bool,
    #[serde(default)]
    why: String,
}

/// A list's part of the address.
#[derive(Deserialize)]
struct Paging {
    after: Option<String>,
    limit: Option<u32>,
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    discard: bool,
    only: Option<Vec<Named>>,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct Named {
    object: String,
    id: String,
}

async fn pause(web: Data<Web>, visitor: Visitor, name: Path<String>, sent: Sent<Pause>) -> HttpResponse {
    answered(try_pause(&web, &visitor, Some(&name), &sent).await)
}

async fn pause_all(web: Data<Web>, visitor: Visitor, sent: Sent<Pause>) -> HttpResponse {
    answered(try_pause(&web, &visitor, None, &sent).await)
}

/// The connection that is named, or all of them.
fn meant(web: &Web, name: Option<&String>) -> Result<Vec<Arc<Site>>, Refused> {
    name.map_or_else(|| Ok(web.engine.sites()), |name| Ok(vec![site(web, name)?]))
}

async fn try_pause(web: &Web, visitor: &Visitor, name: Option<&String>, sent: &Pause) -> Result<Json, Refused> {
    let now = web.engine.clock.now();
    let until = sent.until.as_deref().map(|text| to_come("until", text, now)).transpose()?;
    switch(web, visitor, name, (true, until), &sent.why).await
}

/// Sets a pause or ends it, and tells how the connections stand then.
async fn switch(
    web: &Web,
    visitor: &Visitor,
    name: Option<&String>,
    (on, until): (bool, Option<Timestamp>),
    why: &str,
) -> Result<Json, Refused> {
    let sites = meant(web, name)?;
    let told: Vec<_> = sites.iter().map(|site| chain(site)).collect();
    let zone = sites.first().map_or(jiff::tz::TimeZone::UTC, |site| site.agreement.zone());
    let to = match (on, until) {
        (false, _) => "off".to_owned(),
        (true, None) => "on".to_owned(),
        (true, Some(until)) => format!("on until {}", until.in_zone(&zone)),
    };
    let connection = name.and_then(|_| sites.first()).map(|site| site.name().clone());
    let pausing = Pausing { connection, on, until, by: visitor.name().to_owned(), why: why.to_owned() };
    switches::pause(&web.engine.db, pausing, &told, &to, web.engine.clock.now()).await?;
    sites.iter().for_each(|site| site.issued.notify_one());
    stand(web, &sites).await
}

async fn resume(web: Data<Web>, visitor: Visitor, name: Path<String>, sent: Sent<Why>) -> HttpResponse {
    answered(try_resume(&web, &visitor, Some(&name), &sent).await)
}

async fn resume_all(web: Data<Web>, visitor: Visitor, sent: Sent<Why>) -> HttpResponse {
    answered(try_resume(&web, &visitor, None, &sent).await)
}

async fn try_resume(web: &Web, visitor: &Visitor, name: Option<&String>, sent: &Why) -> Result<Json, Refused> {
    switch(web, visitor, name, (false, None), &sent.why).await
}

/// How connections stand after something was set.
async fn stand(web: &Web, sites: &[Arc<Site>]) -> Result<Json, Refused> {
    let mut all = Vec::new();
    for site in sites {
        all.push(super::connections::shown(web, site).await?);
    }
    Ok(json!({ "connections": all }))
}

async fn arm(web: Data<Web>, visitor: Visitor, name: Path<String>, sent: Sent<Arm>) -> HttpResponse {
    let done = async {
        let (site, now) = (switchable(&web, &name)?, web.engine.clock.now());
        let missed = match sent.include_overdue {
            true => overdue(&web.engine.db, &site.agreement, site.name(), now).await?,
            false => Vec::new(),
        };
        let keys: Vec<EffectKey> = missed.into_iter().map(|one| one.effect.key).collect();
        set_armed(&web, &visitor, site, (true, &keys), &sent.why).await
    };
    answered(done.await)
}

async fn disarm(web: Data<Web>, visitor: Visitor, name: Path<String>, sent: Sent<Why>) -> HttpResponse {
    let done = async { set_armed(&web, &visitor, switchable(&web, &name)?, (false, &[]), &sent.why).await };
    answered(done.await)
}

async fn set_armed(
    web: &Web,
    visitor: &Visitor,
    site: Arc<Site>,
    (on, overdue): (bool, &[EffectKey]),
    why: &str,
) -> Result<Json, Refused> {
    let arming = Arming { on, by: visitor.name().to_owned(), why: why.to_owned(), overdue };
    let moves = arming::set(&web.engine.db, &chain(&site), arming, web.engine.clock.now()).await?;
    site.issued.notify_one();
    let mut told = stand(web, &[site]).await?;
    told["moves"] = moves.into();
    Ok(told)
}

fn switchable(web: &Web, name: &str) -> Result<Arc<Site>, Refused> {
    let site = site(web, name)?;
    match arming::fixed(site.connection.mode) {
        None => Ok(site),
        Some(mode) => Err(Refused::Conflict(format!(
            "the configuration says mode = \"{mode}\" for {name}, and the file goes before arming"
        ))),
    }
}

async fn held(web: Data<Web>, name: Path<String>) -> HttpResponse {
    let done = async {
        let site = site(&web, &name)?;
        let db = &web.engine.db;
        let holds = Switches::read(db, site.name()).await?.breaker().filter(|row| row.on).cloned();
        let holds = holds.map(|row| json!({ "since": row.at.to_string(), "why": row.why }));
        Ok(json!({ "breaker": holds, "moves": moves(&outbox::held(db, site.name()).await?) }))
    };
    answered(done.await)
}

async fn missed(web: Data<Web>, name: Path<String>, paging: Query<Paging>) -> HttpResponse {
    let done = async {
        let site = site(&web, &name)?;
        let after = cursor::asked(paging.after.as_deref())
            .map_err(|_| Refused::Field("after", "is not what an answer's `next` said".to_owned()))?;
        let (now, of) = (web.engine.clock.now(), paging.limit.unwrap_or(TOGETHER));
        let page = overdue::page(&web.engine.db, &site.agreement, site.name(), now, after.as_ref(), of).await?;
        Ok(json!({ "moves": moves(&page.moves), "next": page.next.as_ref().map(cursor::write) }))
    };
    answered(done.await)
}

fn moves(waiting: &[WaitingMove]) -> Vec<Json> {
    let shown = |one: &WaitingMove| {
        let record = &one.effect.record;
        json!({
            "record": {
                "connection": record.connection, "object": record.object, "id": record.id, "name": one.name,
            },
            "action": one.effect.action.as_str(),
            "clock": one.effect.source,
            "party": one.party,
            "owner": one.owner,
            "since": one.since.to_string(),
        })
    };
    waiting.iter().map(shown).collect()
}

async fn release(web: Data<Web>, visitor: Visitor, name: Path<String>, sent: Sent<Release>) -> HttpResponse {
    answered(try_release(&web, &visitor, &name, &sent).await)
}

async fn try_release(web: &Web, visitor: &Visitor, name: &str, sent: &Release) -> Result<Json, Refused> {
    let (site, db) = (site(web, name)?, &web.engine.db);
    let held = outbox::held(db, site.name()).await?;
    let only = sent.only.as_ref().map(|named| these(&site, &held, named)).transpose()?;
    let decision = Decision { discard: sent.discard, by: visitor.name().to_owned(), why: sent.why.clone() };
    let now = web.engine.clock.now();
    let decided = decide(db, &chain(&site), only.as_deref(), &decision, now).await?;
    site.issued.notify_one();
    Ok(json!({ "moves": decided.effects, "breaker_counts_afresh": decided.closed }))
}

/// The held moves of the records that are named.
fn these(site: &Site, held: &[WaitingMove], named: &[Named]) -> Result<Vec<EffectKey>, Refused> {
    let of = |one: &Named| {
        let object =
            Object::parse(&one.object).ok_or_else(|| Refused::Field("only", "names an unknown object".into()))?;
        match of_record(held, object, site.connection.record_id(&one.id).as_str()) {
            keys if keys.is_empty() => Err(Refused::NotFound(format!("nothing is held of {object} {}", one.id))),
            keys => Ok(keys),
        }
    };
    Ok(named.iter().map(of).collect::<Result<Vec<_>, _>>()?.concat())
}
