//! `/agreement`: the terms as they are enforced, every version with its signatures, what changed between
//! two of them, who was told. Signing is in `sign`, the printed slides in `slides`.

mod shelf;
mod shown;
mod sign;
pub mod slides;
mod version;

pub use shelf::{Papers, Shelf, scopes};
pub use shown::sentence;
pub use sign::keep;

use super::{Nav, html, tell, unavailable};
use crate::engine::inform;
use crate::engine::versions::Scope;
use crate::store::StoreError;
use crate::store::receipt::{self, Receipt};
use crate::store::role::Permission;
use crate::web::Web;
use crate::web::routes::{Entry, get, post};
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Query};
use askama::Template;
use serde::Deserialize;
use shown::{Part, Receipts, Version};

pub(super) const ROUTES: &[Entry] = &[
    get("/agreement", Permission::Look, |route| route.to(agreement)),
    get("/agreement/slides.html", Permission::Look, |route| route.to(slides::page)),
    get("/agreement/slides.pptx", Permission::Look, |route| route.to(slides::presentation)),
    get("/agreement/difference", Permission::Look, |route| route.to(version::difference)),
    post("/agreement/confirm", Permission::Look, |route| route.to(confirm)),
    post("/agreement/sign", Permission::Sign, |route| route.to(sign::sign)),
    get("/agreement/versions/{hash}", Permission::Look, |route| route.to(version::version)),
];

/// Which scope, by the name of a connection in it.
#[derive(Deserialize)]
pub(super) struct Of {
    of: Option<String>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "agreement.html")]
struct Page {
    nav: Nav,
    of: String,
    tabs: Vec<Tab>,
    title: String,
    number: String,
    hash: String,
    state: String,
    is_active: bool,
    effective: String,
    review_by: Option<String>,
    governs: String,
    active: Option<Version>,
    waiting: Vec<Version>,
    versions: Vec<Version>,
    receipts: Receipts,
    /// The visitor was told of it and did not confirm it yet.
    may_confirm: bool,
    may_sign: bool,
    parts: Vec<Part>,
    problem: Option<String>,
    said: Option<&'static str>,
}

/// One agreement of several.
pub(super) struct Tab {
    pub of: String,
    pub names: String,
    pub is_here: bool,
}

pub(super) fn tabs(web: &Web, here: &Shelf) -> Vec<Tab> {
    let all = scopes(web);
    if all.len() < 2 {
        return Vec::new();
    }
    let tab = |scope: Scope| Tab {
        of: scope.connections.first().map(ToString::to_string).unwrap_or_default(),
        names: scope.names(),
        is_here: scope == here.scope,
    };
    all.into_iter().map(tab).collect()
}

/// Where there is no such agreement.
fn none(visitor: &Visitor) -> HttpResponse {
    let text = "No connection of that name is at work. Its agreement shows here once leadpact runs it.";
    tell(visitor, StatusCode::NOT_FOUND, "There is no such agreement", text)
}

async fn agreement(web: Data<Web>, visitor: Visitor, asked: Query<Of>) -> HttpResponse {
    let answer = async {
        let Some(shelf) = Shelf::find(&web, asked.of.as_deref()).await? else { return Ok(none(&visitor)) };
        Ok(html(StatusCode::OK, &page(&web, &visitor, &shelf, asked.said.as_deref()).await?))
    };
    answer.await.unwrap_or_else(|error: StoreError| unavailable(&error))
}

async fn page(web: &Web, visitor: &Visitor, shelf: &Shelf, said: Option<&str>) -> Result<Page, StoreError> {
    let agreement = &shelf.enforced;
    let known = shelf.version(&agreement.hash);
    let all = receipts(web, shelf, &agreement.hash).await?;
    let slides = shown::slides(agreement, known);
    let versions: Vec<Version> = shelf.known.iter().map(|known| shown::version(shelf, known)).collect();
    let waiting = shelf.known.iter().filter(|k| k.version.superseded_at.is_none() && !k.missing().is_empty());
    Ok(Page {
        nav: Nav::at("/agreement", visitor),
        of: shelf.of().to_owned(),
        tabs: tabs(web, shelf),
        title: agreement.title.clone(),
        number: agreement.version.clone(),
        hash: agreement.hash.to_string(),
        state: known.map_or_else(
            || "This text is judged by, and not yet kept among the versions.".to_owned(),
            |known| shown::version(shelf, known).standing,
        ),
        is_active: known.is_some_and(crate::engine::versions::Known::is_active),
        effective: agreement.effective.map_or_else(|| "at once".to_owned(), |day| day.to_string()),
        review_by: agreement.review_by.map(|day| day.to_string()),
        governs: shelf.scope.names(),
        active: known.map(|known| shown::version(shelf, known)),
        waiting: waiting.map(|known| shown::version(shelf, known)).collect(),
        versions,
        receipts: shown::receipts(&all, &shelf.zone),
        may_confirm: !theirs(visitor, &all).is_empty(),
        may_sign: visitor.may(Permission::Sign),
        problem: slides.as_ref().err().cloned(),
        parts: slides.map(|document| shown::parts(&document)).unwrap_or_default(),
        said: said.filter(|said| *said == "confirmed").map(|_| "Noted: you confirmed that you have read it."),
    })
}

/// Who was or is to be told of a version, in all connections of the scope.
///
/// # Errors
/// When the database cannot be read.
pub async fn receipts(web: &Web, shelf: &Shelf, hash: &str) -> Result<Vec<Receipt>, StoreError> {
    let mut all = Vec::new();
    for connection in &shelf.scope.connections {
        all.extend(receipt::of(&web.engine.db, connection, hash).await?);
    }
    Ok(all)
}

/// What the visitor can confirm: they are known by their e-mail address.
fn theirs<'r>(visitor: &Visitor, all: &'r [Receipt]) -> Vec<&'r Receipt> {
    let Some((_, login)) = visitor.account() else { return Vec::new() };
    let open = |r: &&Receipt| r.confirmed_at.is_none() && r.email.eq_ignore_ascii_case(login);
    all.iter().filter(open).collect()
}

#[derive(Deserialize)]
struct Confirm {
    of: String,
    hash: String,
}

/// Whoever was told says that they have read it.
async fn confirm(web: Data<Web>, visitor: Visitor, form: Form<Confirm>) -> HttpResponse {
    let answer = async {
        let Some(shelf) = Shelf::find(&web, Some(&form.of)).await? else { return Ok(none(&visitor)) };
        if *form.hash != *shelf.enforced.hash {
            let text = "Another version is in force by now. Read that one first.";
            return Ok(tell(&visitor, StatusCode::CONFLICT, "Nothing was confirmed", text));
        }
        let all = receipts(&web, &shelf, &form.hash).await?;
        for receipt in theirs(&visitor, &all) {
            inform::confirm(&web.engine.db, receipt, web.clock.now()).await?;
        }
        Ok(to(&format!("/agreement?{}said=confirmed", query_of(&shelf))))
    };
    answer.await.unwrap_or_else(|error: StoreError| unavailable(&error))
}

fn to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

/// `of=acme&`
fn query_of(shelf: &Shelf) -> String {
    let of: String = url::form_urlencoded::byte_serialize(shelf.of().as_bytes()).collect();
    format!("of={of}&")
}
