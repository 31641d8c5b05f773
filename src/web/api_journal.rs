//! `/api/v1/journal`: one connection's facts, the newest first, as the page lists them.

use super::journal::{Filter, Told, Trouble, question};
use super::routes::{Entry, get};
use super::{Web, answer};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// Entries in one answer, unless fewer are asked for.
const MOST: u32 = 100;

pub(super) const ROUTES: &[Entry] = &[get("/api/v1/journal", Permission::Look, |route| route.to(entries))];

#[derive(Deserialize)]
struct Limit {
    limit: Option<u32>,
}

async fn entries(web: Data<Web>, filter: Query<Filter>, limit: Query<Limit>) -> HttpResponse {
    match list(&web, &filter, limit.limit.unwrap_or(MOST).clamp(1, MOST)).await {
        Ok(body) => HttpResponse::Ok().json(body),
        Err(Trouble::Unclear(why)) => answer::error(StatusCode::BAD_REQUEST, why),
        Err(Trouble::Store(error)) => answer::unavailable(&error),
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
