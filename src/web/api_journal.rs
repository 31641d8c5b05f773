//! `/api/v1/journal`: one connection's facts, the newest first, as the page lists them; the same as CSV;
//! and walking along its hash chain.

use super::api_control::{Refused, answered, site};
use super::audit::Walked;
use super::journal::{Filter, Told, Trouble, question};
use super::routes::{Entry, get, post};
use super::{Web, answer, journal_csv};
use crate::engine::Site;
use crate::store::journal::Verified;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json as Sent, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// Entries in one answer, unless fewer are asked for.
const MOST: u32 = 100;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/journal", Permission::Look, |route| route.to(entries)),
    get("/api/v1/journal.csv", Permission::Look, |route| route.to(csv)),
    get("/api/v1/journal/verify", Permission::Look, |route| route.to(verified)),
    post("/api/v1/journal/verify", Permission::Look, |route| route.to(verify)),
];

#[derive(Deserialize)]
struct Limit {
    limit: Option<u32>,
}

async fn entries(web: Data<Web>, filter: Query<Filter>, limit: Query<Limit>) -> HttpResponse {
    if let Some(refusal) = answer::no_such_connection(&web, &filter.connection) {
        return refusal;
    }
    match list(&web, &filter, limit.limit.unwrap_or(MOST).clamp(1, MOST)).await {
        Ok(body) => HttpResponse::Ok().json(body),
        Err(trouble) => troubled(&trouble),
    }
}

fn troubled(trouble: &Trouble) -> HttpResponse {
    match trouble {
        Trouble::Unclear(why) => answer::error(StatusCode::BAD_REQUEST, why),
        Trouble::Store(error) => answer::unavailable(error),
    }
}

/// All of it that the filters leave, in one file.
async fn csv(web: Data<Web>, filter: Query<Filter>) -> HttpResponse {
    if let Some(refusal) = answer::no_such_connection(&web, &filter.connection) {
        return refusal;
    }
    match question(&web, &filter).await {
        Ok(Some(question)) => journal_csv::download(web, question),
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "no connection is configured yet"),
        Err(trouble) => troubled(&trouble),
    }
}

async fn list(web: &Web, filter: &Filter, limit: u32) -> Result<Json, Trouble> {
    let before = match filter.before.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| Trouble::Unclear("`before` is not what an answer's `next` said"))?),
    };
    let Some(question) = question(web, filter).await? else { return Ok(json!({ "entries": [], "next": null })) };
    let found = question.ask(web, before, limit).await?;
    let entries: Vec<Json> = found.told.iter().map(entry).collect();
    Ok(json!({ "connection": question.site.name(), "entries": entries, "next": found.before }))
}

fn entry(told: &Told) -> Json {
    let (row, entry) = (&told.row, &told.row.entry);
    let fact = &entry.fact;
    json!({
        "seq": row.seq,
        "kind": fact.kind,
        "at": fact.at.to_string(),
        "seen_at": entry.seen_at.to_string(),
        "record": entry.record.as_ref().map(|key| json!({
            "connection": key.connection, "object": key.object, "id": key.id, "name": told.record_name,
        })),
        "what": told.text,
        "who": told.who,
        "clock": fact.source,
        "run": fact.run,
        "pass": fact.pass,
        "party": fact.party,
        "owner": fact.owner,
        "stage": fact.stage,
        "detail": fact.detail,
        "erased": row.erased,
        "agreement": entry.agreement,
        "hash": row.hash,
    })
}

#[derive(Deserialize)]
struct Which {
    connection: String,
}

async fn verified(web: Data<Web>, which: Query<Which>) -> HttpResponse {
    answered(site(&web, &which.connection).map(|site| chain(&web, &site)))
}

/// In the background, one walk at a time, as the page begins it.
async fn verify(web: Data<Web>, which: Sent<Which>) -> HttpResponse {
    let site = match site(&web, &which.connection) {
        Ok(site) => site,
        Err(refused) => return answered(Err(refused)),
    };
    let began = web.audits.begin(web.engine.db.clone(), site.name().clone(), web.clock.clone());
    let elsewhere = web.audits.walking().filter(|walking| walking.connection != *site.name());
    if let Some(walking) = elsewhere.filter(|_| !began) {
        let why = format!("the journal of {} is being verified: one at a time", walking.connection);
        return answered(Err(Refused::Conflict(why)));
    }
    HttpResponse::Accepted().json(chain(&web, &site))
}

/// What is known of a chain: a walk that goes on, and how the last one ended.
fn chain(web: &Web, site: &Site) -> Json {
    let walking = web.audits.walking().filter(|walking| walking.connection == *site.name());
    json!({
        "connection": site.name(),
        "walking": walking.map(|walking| json!({ "walked": walking.walked, "of": walking.of })),
        "last": web.audits.last(site.name()).map(|walked| last(&walked)),
    })
}

fn last(walked: &Walked) -> Json {
    let at = walked.at.to_string();
    match &walked.found {
        Err(error) => json!({ "at": at, "error": error }),
        Ok(found) => {
            let Verified { entries, erased, head, first_bad, fault } = found;
            json!({
                "at": at,
                "holds": first_bad.is_none(),
                "entries": entries,
                "erased": erased,
                "head": (head.seq > 0).then(|| head.to_string()),
                "first_bad": first_bad,
                "fault": fault.map(|fault| fault.in_words()),
            })
        }
    }
}
