//! `/api/v1/simulations`: what other terms would have made of the recorded changes, begun and read as on
//! the page. Answers are kept for an hour, in memory.

use super::Web;
use super::api_control::{Refused, answered, site};
use super::pages::simulate::{Asked, Unbegun, begun, state};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use crate::engine::simulate::{Job, State, json as answer_json};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json as Sent, Path};
use serde_json::{Value as Json, json};
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/simulations", Permission::Operate, |route| route.to(list)),
    post("/api/v1/simulations", Permission::Operate, |route| route.to(begin)),
    get("/api/v1/simulations/{id}", Permission::Operate, |route| route.to(one)),
    post("/api/v1/simulations/{id}/cancel", Permission::Operate, |route| route.to(cancel)),
];

async fn list(web: Data<Web>) -> HttpResponse {
    let jobs: Vec<Json> = web.simulations.list().iter().map(|job| shown(job)).collect();
    HttpResponse::Ok().json(json!({ "simulations": jobs }))
}

async fn begin(web: Data<Web>, visitor: Visitor, asked: Sent<Asked>) -> HttpResponse {
    match try_begin(&web, &visitor, &asked).await {
        Ok(job) => HttpResponse::Accepted().json(shown(&job)),
        Err(refused) => answered(Err(refused)),
    }
}

async fn try_begin(web: &Web, visitor: &Visitor, asked: &Asked) -> Result<Arc<Job>, Refused> {
    let site = site(web, &asked.connection)?;
    begun(web, visitor, &site, asked).await?.map_err(|why| match why {
        Unbegun::Busy => Refused::Conflict("another simulation is running: one at a time".to_owned()),
        Unbegun::Why(why) => Refused::Conflict(why),
        Unbegun::Text(report) => Refused::Conflict(format!("the text has errors; nothing was replayed\n{report}")),
    })
}

fn job(web: &Web, id: &str) -> Result<Arc<Job>, Refused> {
    let gone = || Refused::NotFound("there is no such simulation: answers are kept for an hour".to_owned());
    web.simulations.find(id).ok_or_else(gone)
}

async fn one(web: Data<Web>, id: Path<String>) -> HttpResponse {
    answered(job(&web, &id).map(|job| {
        let (error, answer) = match job.state() {
            State::Done(answer) => (None, Some(answer_json(&answer))),
            State::Failed(why) => (Some(why), None),
            State::Running | State::Cancelled => (None, None),
        };
        let mut told = shown(&job);
        told["error"] = error.into();
        told["answer"] = answer.into();
        told
    }))
}

/// What was replayed is thrown away; one that ended stays as it is.
async fn cancel(web: Data<Web>, id: Path<String>) -> HttpResponse {
    answered(job(&web, &id).map(|job| {
        job.cancel();
        shown(&job)
    }))
}

fn shown(job: &Job) -> Json {
    json!({
        "id": job.id,
        "what": job.what,
        "by": job.by,
        "state": state(job).0,
        "replayed": job.replayed(),
        "of": job.total,
    })
}
