//! `/api/v1/deliveries`: what goes out, what comes in and letters, as the page shows them, and what
//! was given up tried again or given up for good.

use super::api_control::{Refused, answered, site};
use super::deliveries::one::{self, Body, Known, Line};
use super::deliveries::{self, Filter, Id, Shown, Trouble, chain, wake};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer};
use crate::engine::Site;
use crate::engine::replay::{self, Said};
use crate::record::{RecordKey, Timestamp};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json as Sent, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Rows in one answer, unless fewer are asked for.
const MOST: u32 = 100;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/deliveries", Permission::Look, |route| route.to(list)),
    // Before those of one delivery, whose addresses have anything in this place.
    post("/api/v1/deliveries/replay", Permission::Operate, |route| route.to(window)),
    get("/api/v1/deliveries/{id}", Permission::Look, |route| route.to(known)),
    post("/api/v1/deliveries/{id}/drop", Permission::Operate, |route| route.to(give_up)),
    post("/api/v1/deliveries/{id}/replay", Permission::Operate, |route| route.to(again)),
];

#[derive(Deserialize)]
struct Limit {
    limit: Option<u32>,
}

async fn list(web: Data<Web>, filter: Query<Filter>, limit: Query<Limit>) -> HttpResponse {
    if let Some(refusal) = answer::no_such_connection(&web, &filter.connection) {
        return refusal;
    }
    let limit = limit.limit.unwrap_or(MOST).clamp(1, MOST);
    match deliveries::list(&web, &filter, limit).await {
        Ok(found) => {
            let rows: Vec<Json> = found.rows.iter().map(row).collect();
            HttpResponse::Ok().json(json!({ "tab": filter.tab, "deliveries": rows, "next": found.next }))
        }
        Err(Trouble::Unclear(why)) => answer::error(StatusCode::BAD_REQUEST, why),
        Err(Trouble::Store(error)) => answer::unavailable(&error),
    }
}

fn about(key: &RecordKey, name: Option<&str>) -> Json {
    json!({ "connection": key.connection, "object": key.object, "id": key.id, "name": name })
}

fn row(row: &Shown) -> Json {
    let time = |at: Timestamp| at.to_string();
    json!({
        "id": row.id,
        "connection": row.connection,
        "state": row.state,
        "kind": row.sort,
        "what": row.what,
        "to": row.to,
        "record": row.record.as_ref().map(|key| about(key, row.record_name.as_deref())),
        "at": time(row.at),
        "attempts": row.attempts,
        "next_try": row.next.map(time),
        "error": row.said,
        "waits_for_a_person": row.waits,
    })
}

async fn known(web: Data<Web>, word: Path<String>) -> HttpResponse {
    let Some(id) = Id::read(&word) else { return missing() };
    match one::known(&web, &id).await {
        Ok(Some(known)) => HttpResponse::Ok().json(whole(&known)),
        Ok(None) => missing(),
        Err(error) => answer::unavailable(&error),
    }
}

fn missing() -> HttpResponse {
    answer::error(StatusCode::NOT_FOUND, "no such delivery")
}

fn whole(known: &Known) -> Json {
    let body = |body: &Body| json!({ "title": body.title, "text": body.laid.text, "cut_from": body.laid.cut_from });
    let mut told = row(&known.shown);
    told["says"] = known.says.iter().map(line).collect();
    told["says_more"] = known.says_more.into();
    told["unread"] = known.unread.as_deref().into();
    told["bodies"] = known.bodies.iter().map(body).collect();
    told["course"] = known.course.iter().map(line).collect();
    told
}

fn line(line: &Line) -> Json {
    json!({
        "at": line.at.to_string(),
        "record": line.record.as_ref().map(|(key, name)| about(key, Some(name))),
        "what": line.text,
    })
}

#[derive(Deserialize)]
struct Why {
    #[serde(default)]
    why: String,
}

fn said(visitor: &Visitor, why: &str) -> Said {
    Said { by: visitor.name().to_owned(), why: why.trim().to_owned() }
}

fn meant(web: &Web, word: &str) -> Result<(Id, Arc<Site>), Refused> {
    let meant = Id::read(word).and_then(|id| Some((web.engine.site(id.connection.as_str())?, id)));
    meant.map(|(site, id)| (id, site)).ok_or_else(|| Refused::NotFound("no such delivery".to_owned()))
}

async fn again(web: Data<Web>, visitor: Visitor, word: Path<String>, sent: Sent<Why>) -> HttpResponse {
    let done = async {
        let (id, site) = meant(&web, &word)?;
        let (db, now) = (&web.engine.db, web.engine.clock.now());
        let replayed = replay::replay(db, &chain(&site), &id.thing(), &said(&visitor, &sent.why), now).await?;
        wake(&site);
        Ok(json!({ "replayed": replayed }))
    };
    answered(done.await)
}

async fn give_up(web: Data<Web>, visitor: Visitor, word: Path<String>, sent: Sent<Why>) -> HttpResponse {
    let done = async {
        let (id, site) = meant(&web, &word)?;
        if sent.why.trim().is_empty() {
            return Err(Refused::Conflict("say why it is given up: the journal keeps the reason".to_owned()));
        }
        let (db, now) = (&web.engine.db, web.engine.clock.now());
        let dropped = replay::give_up(db, &chain(&site), &id.thing(), &said(&visitor, &sent.why), now).await?;
        Ok(json!({ "dropped": dropped }))
    };
    answered(done.await)
}

/// A stretch of time in one connection.
#[derive(Deserialize)]
struct Window {
    connection: String,
    from: String,
    until: String,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    why: String,
}

async fn window(web: Data<Web>, visitor: Visitor, sent: Sent<Window>) -> HttpResponse {
    let done = async {
        let (site, db) = (site(&web, &sent.connection)?, &web.engine.db);
        let between = (moment("from", &sent.from)?, moment("until", &sent.until)?);
        if between.0 >= between.1 {
            return Err(Refused::Conflict("`until` comes after `from`".to_owned()));
        }
        let found = match sent.dry_run {
            true => replay::parked_between(db, &chain(&site), between.0, between.1).await?,
            false => {
                let now = web.engine.clock.now();
                let said = said(&visitor, &sent.why);
                let done = replay::replay_between(db, &chain(&site), between, &said, now).await;
                wake(&site);
                done?
            }
        };
        Ok(json!({ "replayed": !sent.dry_run, "effects": found.effects, "received": found.rows }))
    };
    answered(done.await)
}

fn moment(name: &'static str, text: &str) -> Result<Timestamp, Refused> {
    let why = || Refused::Field(name, "is a moment such as 2027-01-05T14:00:00Z".to_owned());
    Timestamp::parse(text).ok_or_else(why)
}
