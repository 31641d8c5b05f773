//! `/api/v1/records/…`: what can be done about one record, and doing it. Orders are answered 202: they are
//! applied in their turn by whoever works the connection.

use super::record::{self, Found, Place};
use super::record_acts::{Asked, Offers, Refusal, dispute, go_on, leave_alone, named, offers, undo};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer};
use crate::record::Fact;
use crate::report::words::sentence;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/records/{connection}/{object}/{id}/offers", Permission::Look, |route| route.to(offered)),
    post("/api/v1/records/{connection}/{object}/{id}/dispute", Permission::Operate, |route| route.to(disputed)),
    post("/api/v1/records/{connection}/{object}/{id}/undo", Permission::Operate, |route| route.to(undone)),
    post("/api/v1/records/{connection}/{object}/{id}/exclude", Permission::Operate, |route| route.to(excluded)),
    post("/api/v1/records/{connection}/{object}/{id}/include", Permission::Operate, |route| route.to(included)),
];

async fn offered(web: Data<Web>, place: Path<Place>) -> HttpResponse {
    let told = async {
        let found = record::find(&web, &place).await?.ok_or(Refusal::Unknown)?;
        Ok(told(&found, &offers(&web, &found).await?))
    };
    match told.await {
        Ok(told) => HttpResponse::Ok().json(told),
        Err(refusal) => refused(refusal),
    }
}

fn told(found: &Found, offers: &Offers<'_>) -> Value {
    let facts = found.in_words(|reader| {
        let told = |fact: &&Fact| {
            json!({ "fact": named(fact), "kind": fact.kind, "at": fact.at.to_string(), "what": sentence(reader, fact) })
        };
        offers.facts.iter().map(told).collect::<Vec<_>>()
    });
    let undo = offers.undo.as_ref().map(|made| {
        json!({
            "effect": made.effect,
            "kind": made.kind,
            "at": made.at.to_string(),
            "clock": made.source,
            "from": made.from,
            "to": made.to,
        })
    });
    json!({ "dispute": facts, "undo": undo, "include": offers.include })
}

async fn disputed(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Json<Asked>) -> HttpResponse {
    match dispute(&web, &visitor, &place, &asked).await {
        Ok(row) => HttpResponse::Created().json(json!({
            "dispute": row.id,
            "fact": row.fact_key,
            "at": row.fact_at.to_string(),
            "decided_by": row.step_due.map(|due| due.to_string()),
        })),
        Err(refusal) => refused(refusal),
    }
}

async fn undone(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Json<Asked>) -> HttpResponse {
    ordered("undo", undo(&web, &visitor, &place, &asked).await)
}

async fn excluded(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Json<Asked>) -> HttpResponse {
    ordered("exclude", leave_alone(&web, &visitor, &place, &asked).await.map(|_| ()))
}

async fn included(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Json<Asked>) -> HttpResponse {
    ordered("include", go_on(&web, &visitor, &place, &asked).await)
}

fn ordered(what: &str, done: Result<(), Refusal>) -> HttpResponse {
    match done {
        Ok(()) => HttpResponse::Accepted().json(json!({ "ordered": what })),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> HttpResponse {
    match refusal {
        Refusal::Unknown => answer::error(StatusCode::NOT_FOUND, "this record is not known"),
        Refusal::Refused(why) => answer::error(StatusCode::CONFLICT, &why),
        Refusal::Unavailable(error) => answer::unavailable(&error),
    }
}
