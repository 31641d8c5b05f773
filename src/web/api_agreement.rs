//! The agreement and its disputes for programs, below `/api/v1`: which version is enforced, which there
//! are and who signed them; disputes, and how they end.

use super::pages::agreement::Shelf;
use super::pages::disputes::{self, Asked};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer};
use crate::engine::dispute::{DisputeError, Ruling};
use crate::engine::versions::Known;
use crate::store::dispute::{self, DisputeRow};
use crate::store::role::Permission;
use crate::store::signature::Signature;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json as Body, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/agreement", Permission::Look, |route| route.to(agreement)),
    get("/api/v1/disputes", Permission::Look, |route| route.to(list)),
    post("/api/v1/disputes/{id}/decide", Permission::Operate, |route| route.to(decide)),
];

#[derive(Deserialize)]
struct Of {
    connection: Option<String>,
}

async fn agreement(web: Data<Web>, of: Query<Of>) -> HttpResponse {
    match Shelf::find(&web, of.connection.as_deref()).await {
        Ok(Some(shelf)) => HttpResponse::Ok().json(shown(&shelf)),
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "no such connection is at work"),
        Err(error) => answer::unavailable(&error),
    }
}

fn shown(shelf: &Shelf) -> Json {
    let agreement = &shelf.enforced;
    let active = shelf.version(&agreement.hash).and_then(|known| known.version.activated_at);
    json!({
        "title": agreement.title,
        "version": agreement.version,
        "hash": agreement.hash,
        "active_since": active.map(|at| at.to_string()),
        "effective": agreement.effective.map(|day| day.to_string()),
        "review_by": agreement.review_by.map(|day| day.to_string()),
        "connections": shelf.scope.connections,
        "versions": shelf.known.iter().map(version).collect::<Vec<_>>(),
    })
}

fn version(known: &Known) -> Json {
    let version = &known.version;
    let time = |at: Option<crate::record::Timestamp>| at.map(|at| at.to_string());
    json!({
        "title": version.title,
        "version": version.version,
        "hash": version.hash,
        "offered_at": version.offered_at.to_string(),
        "activated_at": time(version.activated_at),
        "superseded_at": time(version.superseded_at),
        "is_active": known.is_active(),
        "is_signed": known.is_signed(),
        "missing": known.missing(),
        "signatures": known.signatures.iter().map(signature).collect::<Vec<_>>(),
    })
}

fn signature(signature: &Signature) -> Json {
    json!({
        "party": signature.party,
        "name": signature.name,
        "title": signature.title,
        "on_behalf_of": signature.on_behalf_of,
        "entered_by": signature.entered_by,
        "signed_at": signature.signed_at.to_string(),
    })
}

async fn list(web: Data<Web>, asked: Query<Asked>) -> HttpResponse {
    let Some((filter, after)) = asked.read() else {
        return answer::error(StatusCode::BAD_REQUEST, "`state` or `after` is not known");
    };
    match disputes::page_of(&web, &filter, after.as_ref()).await {
        Ok((rows, next)) => {
            HttpResponse::Ok().json(json!({ "disputes": rows.iter().map(row).collect::<Vec<_>>(), "next": next }))
        }
        Err(error) => answer::unavailable(&error),
    }
}

fn row(row: &DisputeRow) -> Json {
    json!({
        "id": row.id,
        "record": { "connection": row.record.connection, "object": row.record.object, "id": row.record.id },
        "fact": { "kind": row.kind, "at": row.fact_at.to_string(), "source": row.source, "key": row.fact_key },
        "party": row.party,
        "owner": row.owner,
        "opened_at": row.opened_at.to_string(),
        "by": row.by,
        "why": row.why,
        "step": row.step,
        "step_due": row.step_due.map(|at| at.to_string()),
        "state": row.state.as_str(),
        "decided_at": row.decided_at.map(|at| at.to_string()),
        "decided_by": row.decided_by,
        "verdict": row.verdict,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    verdict: Verdict,
    why: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Upheld,
    Dismissed,
}

/// `by` is whoever's token or session it is.
async fn decide(web: Data<Web>, visitor: Visitor, id: Path<String>, decision: Body<Decision>) -> HttpResponse {
    let ruling = match decision.verdict {
        Verdict::Upheld => Ruling::Upheld,
        Verdict::Dismissed => Ruling::Dismissed,
    };
    let known = match dispute::find(&web.engine.db, &id).await {
        Ok(Some(known)) => known,
        Ok(None) => return answer::error(StatusCode::NOT_FOUND, "there is no such dispute"),
        Err(error) => return answer::unavailable(&error),
    };
    match disputes::rule(&web, &known, ruling, (visitor.name(), &decision.why)).await {
        Ok(is) => HttpResponse::Ok().json(row(&is)),
        Err(DisputeError::Refused(why)) => answer::error(StatusCode::CONFLICT, &why),
        Err(DisputeError::Store(error)) => answer::unavailable(&error),
    }
}
