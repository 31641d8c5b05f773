//! `/api/v1/disputes`: what is disputed, the way each dispute went, and how they end.

use super::pages::disputes::detail::{self, Story};
use super::pages::disputes::{self, Asked};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer, record};
use crate::engine::dispute::{DisputeError, Ruling};
use crate::store::StoreError;
use crate::store::dispute::{self, DisputeRow};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json as Body, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/disputes", Permission::Look, |route| route.to(list)),
    get("/api/v1/disputes/{id}", Permission::Look, |route| route.to(one)),
    post("/api/v1/disputes/{id}/decide", Permission::Operate, |route| route.to(decide)),
    post("/api/v1/disputes/{id}/withdraw", Permission::Operate, |route| route.to(withdraw)),
];

async fn list(web: Data<Web>, asked: Query<Asked>) -> HttpResponse {
    if let Some(refusal) = answer::no_such_connection(&web, &asked.connection) {
        return refusal;
    }
    let Some((filter, after)) = asked.read() else {
        return answer::refused(StatusCode::BAD_REQUEST, "`after` is not what an answer's `next` said", Some("after"));
    };
    match disputes::page_of(&web, &filter, after.as_ref()).await {
        Ok((rows, next)) => {
            HttpResponse::Ok().json(json!({ "disputes": rows.iter().map(row).collect::<Vec<_>>(), "next": next }))
        }
        Err(error) => answer::unavailable(&error),
    }
}

pub(super) fn row(row: &DisputeRow) -> Json {
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

async fn one(web: Data<Web>, id: Path<String>) -> HttpResponse {
    let told = async {
        let Some(known) = dispute::find(&web.engine.db, &id).await? else { return Ok(unknown()) };
        let story = detail::story(&web, &known).await?;
        Ok(HttpResponse::Ok().json(with_story(&known, &story)))
    };
    told.await.unwrap_or_else(|error: StoreError| answer::unavailable(&error))
}

fn unknown() -> HttpResponse {
    answer::error(StatusCode::NOT_FOUND, "there is no such dispute")
}

fn with_story(known: &DisputeRow, story: &Story) -> Json {
    let way = story.way.iter().map(|(at, what)| json!({ "at": at.to_string(), "what": what }));
    let mut told = row(known);
    told["name"] = story.name.as_str().into();
    told["url"] = story.site.as_ref().and_then(|site| record::url(site, &known.record)).into();
    told["what"] = story.fact.as_str().into();
    told["owner_name"] = story.owner.as_deref().into();
    told["steps"] = story.steps.into();
    told["turn"] = story.turn.as_str().into();
    told["way"] = way.collect();
    told
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

#[derive(Deserialize)]
struct Why {
    #[serde(default)]
    why: String,
}

async fn decide(web: Data<Web>, visitor: Visitor, id: Path<String>, decision: Body<Decision>) -> HttpResponse {
    let ruling = match decision.verdict {
        Verdict::Upheld => Ruling::Upheld,
        Verdict::Dismissed => Ruling::Dismissed,
    };
    match dispute::find(&web.engine.db, &id).await {
        Ok(Some(known)) => ruled(&web, &visitor, &known, ruling, &decision.why).await,
        Ok(None) => unknown(),
        Err(error) => answer::unavailable(&error),
    }
}

async fn withdraw(web: Data<Web>, visitor: Visitor, id: Path<String>, sent: Body<Why>) -> HttpResponse {
    match dispute::find(&web.engine.db, &id).await {
        Ok(Some(known)) if !detail::may_withdraw(&visitor, &known) => {
            let why = format!("only {} or an administrator can withdraw it", known.by);
            answer::error(StatusCode::FORBIDDEN, &why)
        }
        Ok(Some(known)) => ruled(&web, &visitor, &known, Ruling::Withdrawn, &sent.why).await,
        Ok(None) => unknown(),
        Err(error) => answer::unavailable(&error),
    }
}

/// By whoever's token or session it is.
async fn ruled(web: &Web, visitor: &Visitor, known: &DisputeRow, ruling: Ruling, why: &str) -> HttpResponse {
    match disputes::rule(web, known, ruling, (visitor.name(), why)).await {
        Ok(is) => HttpResponse::Ok().json(row(&is)),
        Err(DisputeError::Refused(why)) => answer::error(StatusCode::CONFLICT, &why),
        Err(DisputeError::Store(error)) => answer::unavailable(&error),
    }
}
