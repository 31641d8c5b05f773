//! `/find?q=`: records by the beginning of their name or by their id in the CRM: what an index serves.
//! Values of other fields, such as e-mail addresses, are not looked through.

use super::super::Web;
use super::super::people::Names;
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::record::path;
use super::{Nav, html, unavailable};
use crate::crm::salesforce::id::normalise;
use crate::record::ConnectionName;
use crate::store::StoreError;
use crate::store::role::Permission;
use crate::store::standing::{Hit, named, with_id};
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

pub(super) const ROUTES: &[Entry] = &[get("/find", Permission::Look, |route| route.to(find))];

const SHOWN: u32 = 50;
/// Nobody's name begins with more.
const LONGEST: usize = 200;

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
    let q: String = asked.q.trim().chars().take(LONGEST).collect();
    match looked_for(&web, &q).await {
        Ok(Found::One(path)) => HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish(),
        Ok(Found::Rows(rows)) => {
            let more = rows.len() > SHOWN as usize;
            let rows = rows.into_iter().take(SHOWN as usize).collect();
            html(StatusCode::OK, &Page { nav: Nav::at("", &visitor), q, rows, more })
        }
        Err(error) => unavailable(&error),
    }
}

enum Found {
    One(String),
    Rows(Vec<Row>),
}

async fn looked_for(web: &Web, q: &str) -> Result<Found, StoreError> {
    if q.is_empty() {
        return Ok(Found::Rows(Vec::new()));
    }
    let db = &web.engine.db;
    let connections: Vec<ConnectionName> = web.engine.sites().iter().map(|site| site.name().clone()).collect();
    let mut hits = with_id(db, &connections, q).await?;
    // Salesforce shows ids of 15 characters; stored are 18.
    if let Some(long) = normalise(q).filter(|long| long != q) {
        hits.extend(with_id(db, &connections, &long).await?);
    }
    if let [only] = hits.as_slice() {
        return Ok(Found::One(path(&only.key)));
    }
    hits.extend(named(db, q, SHOWN + 1).await?);
    let names = Names::load(db, hits.iter().map(|hit| hit.key.connection.clone()).collect()).await?;
    Ok(Found::Rows(hits.into_iter().map(|hit| row(web, &names, hit)).collect()))
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
