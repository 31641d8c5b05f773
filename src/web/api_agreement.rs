//! `/api/v1/agreement`: which version is enforced and what it names, which there are and who signed them,
//! what differs between two of them; and signing one, as the command does. One version is in
//! `api_versions`.

use super::api_control::{Refused, answered};
use super::pages::agreement::{Shelf, keep};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer};
use crate::agreement::Agreement;
use crate::agreement::difference::difference;
use crate::agreement::model::Freeze;
use crate::engine::attestation::attested_by;
use crate::engine::signing::{self, Signing, SigningError};
use crate::engine::versions::{Known, outlook};
use crate::store::role::Permission;
use crate::store::signature::Signature;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json as Body, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/agreement", Permission::Look, |route| route.to(agreement)),
    get("/api/v1/agreement/difference", Permission::Look, |route| route.to(compared)),
    post("/api/v1/agreement/sign", Permission::Sign, |route| route.to(sign)),
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
        "names": names(agreement),
        "freezes": agreement.freezes.iter().map(freeze).collect::<Vec<_>>(),
        "versions": shelf.known.iter().map(version).collect::<Vec<_>>(),
    })
}

/// What filters and orders call by name.
fn names(agreement: &Agreement) -> Json {
    let parties = agreement.parties.iter().map(|party| {
        let signs = party.signs.as_ref().map(|signs| json!({ "name": signs.name, "title": signs.title }));
        json!({ "name": party.name, "signs": signs })
    });
    let stages = agreement.stages.iter().map(|s| json!({ "name": s.name, "term": s.term, "object": s.of }));
    let handoffs = agreement
        .handoffs
        .iter()
        .map(|h| json!({ "name": h.name, "from": h.from, "to": h.to, "stage": agreement.stages[h.at].name }));
    let clocks = agreement.clocks.iter().map(|c| json!({ "name": c.name, "party": c.party, "object": c.object }));
    let commitments = agreement
        .commitments
        .iter()
        .map(|c| json!({ "name": c.name, "by": c.by, "to": c.to, "attested": attested_by(c).is_some() }));
    json!({
        "parties": parties.collect::<Vec<_>>(),
        "stages": stages.collect::<Vec<_>>(),
        "handoffs": handoffs.collect::<Vec<_>>(),
        "clocks": clocks.collect::<Vec<_>>(),
        "commitments": commitments.collect::<Vec<_>>(),
    })
}

fn freeze(freeze: &Freeze) -> Json {
    json!({ "first": freeze.first.to_string(), "last": freeze.last.to_string(), "why": freeze.why })
}

pub(super) fn version(known: &Known) -> Json {
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

#[derive(Deserialize)]
struct Two {
    connection: Option<String>,
    from: String,
    to: String,
}

async fn compared(web: Data<Web>, two: Query<Two>) -> HttpResponse {
    let done = async {
        let shelf = shelf(&web, two.connection.as_deref()).await?;
        let (Some(old), Some(new)) = (shelf.paper(&web, &two.from).await?, shelf.paper(&web, &two.to).await?) else {
            return Err(no_such_version());
        };
        let told = difference(&old, &new);
        Ok(json!({ "from": two.from, "to": two.to, "groups": told.groups }))
    };
    answered(done.await)
}

pub(super) async fn shelf(web: &Web, of: Option<&str>) -> Result<Shelf, Refused> {
    Shelf::find(web, of).await?.ok_or(Refused::NoSuchConnection)
}

pub(super) fn no_such_version() -> Refused {
    Refused::NotFound("no version of this hash is kept".to_owned())
}

/// A signature as the command takes it: a token stands for no person, so it is said who signs.
#[derive(Deserialize)]
struct Signs {
    connection: Option<String>,
    hash: String,
    party: String,
    name: Option<String>,
    title: Option<String>,
    #[serde(default)]
    on_behalf: bool,
}

async fn sign(web: Data<Web>, visitor: Visitor, asked: Body<Signs>) -> HttpResponse {
    if visitor.session().is_some() {
        let why = "a person signs on the page of the version, and proves there who they are";
        return answer::error(StatusCode::FORBIDDEN, why);
    }
    answered(try_sign(&web, &visitor, &asked).await)
}

async fn try_sign(web: &Web, visitor: &Visitor, asked: &Signs) -> Result<Json, Refused> {
    let of = asked.connection.as_deref();
    let held = shelf(web, of).await?;
    let (Some(known), Some(paper)) = (held.version(&asked.hash), held.paper(web, &asked.hash).await?) else {
        return Err(no_such_version());
    };
    if known.version.superseded_at.is_some() {
        return Err(Refused::Conflict("this version was superseded".to_owned()));
    }
    let signing = Signing {
        party: &asked.party,
        name: given(asked.name.as_deref()),
        title: given(asked.title.as_deref()),
        on_behalf: asked.on_behalf,
        entered_by: visitor.name(),
    };
    let signature =
        signing::signature(&paper.agreement, signing, web.clock.now()).map_err(|why| Refused::Conflict(said(&why)))?;
    let is_new = keep(web, &held, &signature).await?.ok_or_else(no_such_version)?;
    let held = shelf(web, of).await?;
    let signed = held.version(&asked.hash).ok_or_else(no_such_version)?;
    let stands = outlook(&held.known, &asked.hash, held.now, &held.zone);
    Ok(json!({ "signed": is_new, "version": version(signed), "outlook": stands }))
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// In the words of a body's fields, where the command speaks of its arguments.
fn said(error: &SigningError) -> String {
    match error {
        SigningError::Another { named, party } => {
            format!("the agreement names {named} for {party}; with `on_behalf` somebody else signs for them")
        }
        SigningError::WithoutTitle => "say with `title` as what they sign".to_owned(),
        SigningError::NobodySigns(_) | SigningError::DoesNotSign { .. } => error.to_string(),
    }
}
