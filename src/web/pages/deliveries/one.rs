//! `/deliveries/{id}`: one effect, delivery or letter, with its body and all that became of it. What is
//! known of it is gathered in `web/deliveries/one.rs`.

use super::super::super::Web;
use super::super::super::deliveries::one::{self, Body, Known, known};
use super::super::super::deliveries::{Id, Tab};
use super::super::super::session::Visitor;
use super::super::record::path;
use super::super::{Nav, html, tell, unavailable};
use super::{Done, Row, row, told, zone_of};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;

#[derive(Template)]
#[template(path = "delivery.html")]
struct Page {
    nav: Nav,
    said: Option<String>,
    row: Row,
    tab: Tab,
    may_operate: bool,
    may_drop: bool,
    crm_link: Option<String>,
    /// What a delivery says, by record.
    says: Vec<Line>,
    says_more: usize,
    unread: Option<String>,
    bodies: Vec<Body>,
    /// What became of it, by the journal.
    course: Vec<Line>,
    zone: String,
}

struct Line {
    at: String,
    name: String,
    link: Option<String>,
    text: String,
}

pub(super) async fn one(web: Data<Web>, visitor: Visitor, word: Path<String>, done: Query<Done>) -> HttpResponse {
    let Some(id) = Id::read(&word) else { return missing(&visitor) };
    match known(&web, &id).await {
        Ok(Some(known)) => html(StatusCode::OK, &page(&web, &visitor, &id, known, &done)),
        Ok(None) => missing(&visitor),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn missing(visitor: &Visitor) -> HttpResponse {
    let text = "It may have been deleted by age: what ended is kept for as long as the configuration says.";
    tell(visitor, StatusCode::NOT_FOUND, "This is not there any more", text)
}

fn page(web: &Web, visitor: &Visitor, id: &Id, known: Known, done: &Done) -> Page {
    let zone = zone_of(web, id.connection.as_str());
    let site = web.engine.site(id.connection.as_str());
    let record = known.shown.record.as_ref();
    let line = |line: one::Line| Line {
        at: told(line.at, &zone),
        link: line.record.as_ref().map(|(key, _)| path(key)),
        name: line.record.map(|(_, name)| name).unwrap_or_default(),
        text: line.text,
    };
    Page {
        nav: Nav::at("/deliveries", visitor),
        said: done.said(),
        tab: id.tab,
        may_operate: visitor.may(Permission::Operate) && known.shown.waits,
        may_drop: id.tab != Tab::Letters,
        crm_link: site.zip(record).and_then(|(site, key)| super::super::super::record::url(&site, key)),
        says: known.says.into_iter().map(line).collect(),
        says_more: known.says_more,
        unread: known.unread,
        bodies: known.bodies,
        course: known.course.into_iter().map(line).collect(),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        row: row(web, known.shown),
    }
}
