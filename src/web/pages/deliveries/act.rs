//! What people do about what was given up: have it tried again, one thing or a stretch of time, or
//! give it up for good. How that is done is `engine/replay`'s.

use super::super::super::Web;
use super::super::super::deliveries::{Filter, Id, chain, wake};
use super::super::super::session::Visitor;
use super::super::{Nav, html, tell, unavailable};
use super::one::missing;
use super::{address, zone_of};
use crate::engine::Site;
use crate::engine::replay::{self, Said};
use crate::record::Timestamp;
use crate::store::StoreError;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Path, Query};
use askama::Template;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Why {
    why: String,
}

/// A stretch of time in one connection, as its form sends it: days and times in the agreement's zone.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Window {
    connection: String,
    from: String,
    until: String,
    why: String,
}

#[derive(Template)]
#[template(path = "deliveries_window.html")]
struct Confirm<'a> {
    nav: Nav,
    window: &'a Window,
    effects: u64,
    rows: u64,
    zone: String,
    back: String,
}

/// Sends the browser on, so that loading again repeats nothing.
pub(super) fn go(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish()
}

fn said(visitor: &Visitor, why: &str) -> Said {
    Said { by: visitor.name().to_owned(), why: why.trim().to_owned() }
}

pub(super) async fn replay(web: Data<Web>, visitor: Visitor, word: Path<String>, form: Form<Why>) -> HttpResponse {
    let Some((id, site)) = meant(&web, &word) else { return missing(&visitor) };
    let now = web.engine.clock.now();
    let said = said(&visitor, &form.why);
    let done = replay::replay(&web.engine.db, &chain(&site), &id.thing(), &said, now).await;
    wake(&site);
    after(&word, "replayed", done)
}

pub(super) async fn give_up(web: Data<Web>, visitor: Visitor, word: Path<String>, form: Form<Why>) -> HttpResponse {
    let Some((id, site)) = meant(&web, &word) else { return missing(&visitor) };
    if form.why.trim().is_empty() {
        let text = "Say why it is given up: the journal keeps the reason. Go back and fill it in.";
        return tell(&visitor, StatusCode::UNPROCESSABLE_ENTITY, "A reason is missing", text);
    }
    let now = web.engine.clock.now();
    let said = said(&visitor, &form.why);
    after(&word, "dropped", replay::give_up(&web.engine.db, &chain(&site), &id.thing(), &said, now).await)
}

fn meant(web: &Web, word: &str) -> Option<(Id, Arc<Site>)> {
    let id = Id::read(word)?;
    let site = web.engine.site(id.connection.as_str())?;
    Some((id, site))
}

fn after(word: &str, done: &str, answer: Result<bool, StoreError>) -> HttpResponse {
    match answer {
        Ok(true) => go(&format!("/deliveries/{word}?done={done}")),
        Ok(false) => go(&format!("/deliveries/{word}?done=nothing")),
        Err(error) => unavailable(&error),
    }
}

/// How much would be tried again, before anybody decides it.
pub(super) async fn window(web: Data<Web>, visitor: Visitor, window: Query<Window>) -> HttpResponse {
    let Some((site, between)) = stretch(&web, &window) else { return unclear(&visitor) };
    match replay::parked_between(&web.engine.db, &chain(&site), between.0, between.1).await {
        Ok(parked) => html(
            StatusCode::OK,
            &Confirm {
                nav: Nav::at("/deliveries", &visitor),
                window: &window,
                effects: parked.effects,
                rows: parked.rows,
                zone: zone_of(&web, &window.connection).iana_name().unwrap_or("UTC").to_owned(),
                back: address(&Filter { connection: window.connection.clone(), ..Filter::default() }),
            },
        ),
        Err(error) => unavailable(&error),
    }
}

pub(super) async fn replay_window(web: Data<Web>, visitor: Visitor, window: Form<Window>) -> HttpResponse {
    let Some((site, between)) = stretch(&web, &window) else { return unclear(&visitor) };
    let (db, now) = (&web.engine.db, web.engine.clock.now());
    let done = replay::replay_between(db, &chain(&site), between, &said(&visitor, &window.why), now).await;
    wake(&site);
    match done {
        Ok(done) => {
            let to = address(&Filter { connection: window.connection.clone(), ..Filter::default() });
            go(&format!("{to}&done=window&n={}", done.all()))
        }
        Err(error) => unavailable(&error),
    }
}

/// The stretch of time in the connection's zone; the earlier moment comes first.
fn stretch(web: &Web, window: &Window) -> Option<(Arc<Site>, (Timestamp, Timestamp))> {
    let site = web.engine.site(&window.connection)?;
    let zone = site.agreement.zone();
    let (from, until) = (moment(&window.from, &zone)?, moment(&window.until, &zone)?);
    (from < until).then_some((site, (from, until)))
}

/// `2027-01-05T09:00` in the zone, as a browser's form sends it, or a moment with its offset.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_jiff(at));
    }
    let civil = text.parse::<DateTime>().ok()?;
    Some(Timestamp::from_jiff(civil.to_zoned(zone.clone()).ok()?.timestamp()))
}

fn unclear(visitor: &Visitor) -> HttpResponse {
    let text = "Name a connection and two moments, the earlier one first, such as 2027-01-05T09:00.";
    tell(visitor, StatusCode::BAD_REQUEST, "Which stretch of time is not clear", text)
}
