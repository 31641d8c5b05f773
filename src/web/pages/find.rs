//! `/find?q=`: records by the beginning of their name or by their id in the CRM. How they are found is in
//! `web/find.rs`.

use super::super::Web;
use super::super::find::{self, Found};
use super::super::people::Names;
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::record::path;
use super::{Nav, html, unavailable};
use crate::store::StoreError;
use crate::store::role::Permission;
use crate::store::standing::Hit;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

pub(super) const ROUTES: &[Entry] = &[get("/find", Permission::Look, |route| route.to(find))];

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "find.html")]
struct Page {
    nav: Nav,
    q: String,
    rows: Vec<Row>,
    more: bool,
}

struct Row {
    name: String,
    path: String,
    place: String,
    stage: String,
    owner: String,
}

/// An id leads straight to its record.
async fn find(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    match answered(&web, &visitor, find::typed(&asked.q)).await {
        Ok(answer) => answer,
        Err(error) => unavailable(&error),
    }
}

async fn answered(web: &Web, visitor: &Visitor, q: String) -> Result<HttpResponse, StoreError> {
    let (hits, more) = match find::find(web, &q).await? {
        Found::One(hit) => {
            return Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, path(&hit.key))).finish());
        }
        Found::Some { hits, more } => (hits, more),
    };
    let names = Names::load(&web.engine, hits.iter().map(|hit| hit.key.connection.clone()).collect()).await?;
    let rows = hits.into_iter().map(|hit| row(web, &names, hit)).collect();
    Ok(html(StatusCode::OK, &Page { nav: Nav::at("", visitor), q, rows, more }))
}

fn row(web: &Web, names: &Names, hit: Hit) -> Row {
    let site = web.engine.site(hit.key.connection.as_str());
    let known =
        site.as_ref().and_then(|s| s.agreement.stages.iter().find(|stage| Some(&stage.name) == hit.stage.as_ref()));
    let plain = hit.stage.as_ref().map(ToString::to_string).unwrap_or_default();
    let owner = hit.owner.as_ref().map(|id| names.get(&hit.key.connection, id).unwrap_or(id.as_str()).to_owned());
    Row {
        path: path(&hit.key),
        place: format!("{} · {} · {}", hit.key.connection, hit.key.object.as_str(), hit.key.id),
        name: hit.name,
        stage: known.map_or(plain, |stage| stage.term.clone()),
        owner: owner.unwrap_or_else(|| "nobody".to_owned()),
    }
}
