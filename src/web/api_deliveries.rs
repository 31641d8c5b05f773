//! `/api/v1/deliveries`: what goes out, what comes in and letters, as the page lists them, and what
//! was given up tried again.

use super::deliveries::{self, Filter, Id, Shown, Trouble, chain};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer};
use crate::engine::replay::{self, Said};
use crate::record::Timestamp;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// Rows in one answer, unless fewer are asked for.
const MOST: u32 = 100;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/deliveries", Permission::Look, |route| route.to(list)),
    post("/api/v1/deliveries/{id}/replay", Permission::Operate, |route| route.to(again)),
];

#[derive(Deserialize)]
struct Limit {
    limit: Option<u32>,
}

async fn list(web: Data<Web>, filter: Query<Filter>, limit: Query<Limit>) -> HttpResponse {
    let limit = limit.limit.unwrap_or(MOST).clamp(1, MOST);
    match deliveries::list(&web, &filter, limit).await {
        Ok(found) => {
            let rows: Vec<Json> = found.rows.iter().map(one).collect();
            HttpResponse::Ok().json(json!({ "tab": filter.tab, "deliveries": rows, "next": found.next }))
        }
        Err(Trouble::Unclear(why)) => answer::error(StatusCode::BAD_REQUEST, why),
        Err(Trouble::Store(error)) => answer::unavailable(&error),
    }
}

fn one(row: &Shown) -> Json {
    let time = |at: Timestamp| at.to_string();
    json!({
        "id": row.id,
        "connection": row.connection,
        "state": row.state,
        "kind": row.sort,
        "what": row.what,
        "to": row.to,
        "record": row.record.as_ref().map(|key| json!({
            "connection": key.connection, "object": key.object, "id": key.id, "name": row.record_name,
        })),
        "at": time(row.at),
        "attempts": row.attempts,
        "next_try": row.next.map(time),
        "error": row.said,
        "waits_for_a_person": row.waits,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Why {
    why: String,
}

/// The body may be empty, or say why.
async fn again(web: Data<Web>, visitor: Visitor, word: Path<String>, body: Bytes) -> HttpResponse {
    let why: Why = match body.is_empty() {
        true => Why::default(),
        false => match serde_json::from_slice(&body) {
            Ok(why) => why,
            Err(_) => return answer::error(StatusCode::BAD_REQUEST, "the body is no JSON such as {\"why\": \"…\"}"),
        },
    };
    let meant = Id::read(&word).and_then(|id| Some((web.engine.site(id.connection.as_str())?, id)));
    let Some((site, id)) = meant else { return answer::error(StatusCode::NOT_FOUND, "no such delivery") };
    let said = Said { by: visitor.name().to_owned(), why: why.why };
    match replay::replay(&web.engine.db, &chain(&site), &id.thing(), &said, web.engine.clock.now()).await {
        Ok(replayed) => {
            site.issued.notify_one();
            site.stirred.notify_one();
            HttpResponse::Ok().json(json!({ "replayed": replayed }))
        }
        Err(error) => answer::unavailable(&error),
    }
}
