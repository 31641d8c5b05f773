//! `/risk`: the open clocks of all connections, soonest first.

use super::super::connections::{Trouble, troubles};
use super::super::people::Names;
use super::super::record::url;
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::super::{Web, cursor};
use super::tally::Counts;
use super::{Nav, html, tell, unavailable};
use crate::record::{OwnerId, Timestamp};
use crate::store::clock::{self, After, ClockRow, ClockState};
use crate::store::role::Permission;
use crate::store::{Db, StoreError};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[get("/risk", Permission::Look, |route| route.to(clocks))];

const ROWS: u32 = 100;

#[derive(Deserialize)]
pub struct Paging {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "clocks.html")]
struct Page {
    nav: Nav,
    troubles: Vec<Trouble>,
    counts: Arc<Counts>,
    rows: Vec<Row>,
    /// The cursor of the next page.
    next: Option<String>,
    is_first: bool,
    /// Where this page is asked for again, to stay fresh.
    here: String,
    /// Where CRMs send their webhooks, for when there is nothing to show yet.
    webhooks: Vec<String>,
}

struct Row {
    connection: String,
    object: &'static str,
    name: String,
    story: String,
    url: Option<String>,
    clock: String,
    party: String,
    owner: String,
    deadline: String,
    left: String,
    state: &'static str,
}

pub async fn clocks(web: Data<Web>, visitor: Visitor, paging: Query<Paging>) -> HttpResponse {
    let after = match paging.after.as_deref().map(cursor::read) {
        Some(None) => {
            return tell(&visitor, StatusCode::BAD_REQUEST, "No such page", "Begin again at the first page.");
        }
        known => known.flatten(),
    };
    match page(&web, &visitor, after.as_ref()).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unavailable(&error),
    }
}

async fn page(web: &Web, visitor: &Visitor, after: Option<&After>) -> Result<Page, StoreError> {
    let db = &web.engine.db;
    let mut found = clock::open_soonest(db, None, after, ROWS + 1).await?;
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let next = found.last().filter(|_| more).map(|row| cursor::write(&row.place()));
    let names = names(db, &found).await?;
    let now = web.engine.clock.now();
    Ok(Page {
        nav: Nav::at("/risk", visitor),
        troubles: troubles(web).await?,
        counts: web.tally.counts(web).await?,
        rows: found.iter().map(|row| shown(web, &names, row, now)).collect(),
        next,
        is_first: after.is_none(),
        here: after.map_or_else(|| "/risk".to_owned(), |place| format!("/risk?after={}", cursor::write(place))),
        webhooks: web.engine.sites().iter().map(|s| format!("{}/webhooks/{}", web.public_base, s.name())).collect(),
    })
}

async fn names(db: &Db, rows: &[ClockRow]) -> Result<Names, StoreError> {
    Names::load(db, rows.iter().map(|row| row.record.connection.clone()).collect()).await
}

fn shown(web: &Web, names: &Names, row: &ClockRow, now: Timestamp) -> Row {
    let key = &row.record;
    let site = web.engine.site(key.connection.as_str());
    let zone = site.as_ref().map_or(TimeZone::UTC, |site| site.agreement.zone());
    let name = |owner: &OwnerId| names.get(&key.connection, owner).unwrap_or(owner.as_str()).to_owned();
    Row {
        connection: key.connection.to_string(),
        object: key.object.as_str(),
        name: row.name.clone(),
        story: super::record::path(key),
        url: site.and_then(|site| url(&site, key)),
        clock: row.source.clone(),
        party: row.party.as_ref().map(|party| party.as_str().replace('_', " ")).unwrap_or_default(),
        owner: row.owner.as_ref().map_or_else(|| "nobody".to_owned(), name),
        deadline: row.deadline.map_or_else(|| "unknown".to_owned(), |at| at.in_zone(&zone)),
        left: left(row.state, row.deadline, now),
        state: row.state.as_str(),
    }
}

/// `in 2h 5m`, `5m late`, or that time stands still.
pub fn left(state: ClockState, deadline: Option<Timestamp>, now: Timestamp) -> String {
    match (state, deadline) {
        (ClockState::Paused, _) => "stands still".to_owned(),
        (_, None) => String::new(),
        (_, Some(at)) if at >= now => format!("in {}", at - now),
        (_, Some(at)) => format!("{} late", now - at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_from_both_sides_of_the_deadline() {
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        assert_eq!(left(ClockState::Open, Some(at(125)), at(0)), "in 2h 5m");
        assert_eq!(left(ClockState::Breached, Some(at(0)), at(5)), "5m late");
        assert_eq!(left(ClockState::Paused, Some(at(0)), at(5)), "stands still");
    }
}
