//! `/disputes`: what is disputed, whose turn it is and until when. One dispute, and how it ends, is in
//! `detail`; promises that people attest are in `attest`.

mod attest;
pub mod detail;

use super::{Nav, html, tell, unavailable};
use crate::agreement::Agreement;
use crate::engine::dispute::{DisputeError, Ruling, decide};
use crate::engine::reach;
use crate::record::Timestamp;
use crate::store::StoreError;
use crate::store::dispute::{DisputeRow, DisputeState};
use crate::store::dispute_list::{self, Filter, Place};
use crate::store::role::Permission;
use crate::web::routes::{Entry, get, post};
use crate::web::session::Visitor;
use crate::web::{Web, cursor};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;

pub(super) const ROUTES: &[Entry] = &[
    get("/disputes", Permission::Look, |route| route.to(list)),
    get("/disputes/attest", Permission::Look, |route| route.to(attest::show)),
    post("/disputes/attest", Permission::Attest, |route| route.to(attest::answer)),
    get("/disputes/{id}", Permission::Look, |route| route.to(detail::show)),
    post("/disputes/{id}/decide", Permission::Operate, |route| route.to(detail::decide)),
    post("/disputes/{id}/withdraw", Permission::Operate, |route| route.to(detail::withdraw)),
];

const ROWS: u32 = 50;

/// What is looked for. Empty texts are as good as none.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    party: String,
    #[serde(default)]
    pub connection: String,
    after: Option<String>,
}

impl Asked {
    /// `None`: a state or a place that there is not.
    pub fn read(&self) -> Option<(Filter, Option<Place>)> {
        let (over, state) = match self.state.as_str() {
            "" | "waiting" => (false, None),
            "over" => (true, None),
            word => {
                let state = DisputeState::parse(word).ok()?;
                (!state.is_open(), Some(state))
            }
        };
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && !text.contains('\0'));
        let after = cursor::asked(self.after.as_deref()).ok()?;
        Some((Filter { over, state, connection: text(&self.connection), party: text(&self.party) }, after))
    }

    /// The address of the list with these filters, to which a place can be added.
    fn address(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("state", &self.state), ("party", &self.party), ("connection", &self.connection)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// A page of the list and the word by which it goes on.
///
/// # Errors
/// When the database cannot be read.
pub async fn page_of(
    web: &Web,
    filter: &Filter,
    after: Option<&Place>,
) -> Result<(Vec<DisputeRow>, Option<String>), StoreError> {
    let mut rows = dispute_list::page(&web.engine.db, filter, after, ROWS + 1).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = rows.last().filter(|_| more).map(|row| cursor::write(&dispute_list::place(row)));
    Ok((rows, next))
}

/// Ends a dispute as the command does, by the terms that its connection is judged by.
///
/// # Errors
/// As [`decide`]; `Refused` where its connection is not at work.
pub async fn rule(
    web: &Web,
    row: &DisputeRow,
    ruling: Ruling,
    (by, why): (&str, &str),
) -> Result<DisputeRow, DisputeError> {
    let Some(site) = web.engine.site(row.record.connection.as_str()) else {
        let why = format!("the connection `{}` is not at work", row.record.connection);
        return Err(DisputeError::Refused(why));
    };
    decide(&web.engine.db, &site.agreement, row, ruling, (by, why), web.engine.clock.now()).await
}

#[derive(Template)]
#[template(path = "disputes.html")]
struct Page {
    nav: Nav,
    over: bool,
    state: String,
    party: String,
    connection: String,
    parties: Vec<(String, String)>,
    connections: Vec<String>,
    rows: Vec<Row>,
    first: String,
    next: Option<String>,
    is_first: bool,
    is_filtered: bool,
}

struct Row {
    id: String,
    what: String,
    record: String,
    story: String,
    connection: String,
    party: String,
    by: String,
    opened: String,
    class: &'static str,
    state: &'static str,
    turn: String,
    until: String,
}

async fn list(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    let Some((filter, after)) = asked.read() else {
        return tell(&visitor, StatusCode::BAD_REQUEST, "No such page", "Begin again at the first page.");
    };
    match page(&web, &visitor, &asked, &filter, after.as_ref()).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unavailable(&error),
    }
}

async fn page(
    web: &Web,
    visitor: &Visitor,
    asked: &Asked,
    filter: &Filter,
    after: Option<&Place>,
) -> Result<Page, StoreError> {
    let (rows, next) = page_of(web, filter, after).await?;
    let sites = web.engine.sites();
    let parties: BTreeSet<String> =
        sites.iter().flat_map(|site| &site.agreement.parties).map(|party| party.name.to_string()).collect();
    let address = asked.address();
    let next = next.map(|word| format!("/disputes?{address}{}after={word}", if address.is_empty() { "" } else { "&" }));
    Ok(Page {
        nav: Nav::at("/disputes", visitor),
        over: filter.over,
        state: asked.state.clone(),
        party: asked.party.clone(),
        connection: asked.connection.clone(),
        parties: parties.into_iter().map(|name| (name.replace('_', " "), name)).collect(),
        connections: sites.iter().map(|site| site.name().to_string()).collect(),
        rows: rows.iter().map(|row| shown(web, row)).collect(),
        first: if address.is_empty() { "/disputes".to_owned() } else { format!("/disputes?{address}") },
        next,
        is_first: after.is_none(),
        is_filtered: filter.state.is_some() || filter.party.is_some() || filter.connection.is_some(),
    })
}

fn shown(web: &Web, row: &DisputeRow) -> Row {
    let site = web.engine.site(row.record.connection.as_str());
    let agreement = site.as_ref().map(|site| &*site.agreement);
    let zone = agreement.map_or(TimeZone::UTC, |agreement| agreement.zone_of(row.party.as_ref()));
    Row {
        id: row.id.clone(),
        what: what(row),
        record: format!("{} {}", row.record.object, row.record.id),
        story: super::record::path(&row.record),
        connection: row.record.connection.to_string(),
        party: row.party.as_ref().map(|party| party.as_str().replace('_', " ")).unwrap_or_default(),
        by: row.by.clone(),
        opened: row.opened_at.in_zone(&zone),
        class: class(row.state),
        state: row.state.as_str(),
        turn: turn(agreement, row),
        until: until(row, &zone, web.engine.clock.now()),
    }
}

/// `breached: Accept or reject`
fn what(row: &DisputeRow) -> String {
    format!("{}: {}", row.kind.as_str().replace('_', " "), row.source)
}

fn class(state: DisputeState) -> &'static str {
    match state {
        DisputeState::Open => "open",
        DisputeState::Exhausted => "late",
        DisputeState::Upheld => "upheld",
        DisputeState::Dismissed | DisputeState::Withdrawn => "",
    }
}

/// Whose turn it is, or who decided.
fn turn(agreement: Option<&Agreement>, row: &DisputeRow) -> String {
    if let Some(by) = &row.decided_by {
        return by.clone();
    }
    let step = agreement.and_then(|agreement| agreement.resolutions.get((row.step as usize).checked_sub(1)?));
    match (row.state, step) {
        (DisputeState::Open, Some(step)) => reach::in_words(&step.who, row.party.as_ref()),
        _ => "anybody: no step is left".to_owned(),
    }
}

/// Until when, and how long that is; of what is over, when it was decided.
fn until(row: &DisputeRow, zone: &TimeZone, now: Timestamp) -> String {
    match (row.decided_at, row.step_due) {
        (Some(at), _) => at.in_zone(zone),
        (None, Some(due)) if due >= now => format!("{} (in {})", due.in_zone(zone), due - now),
        (None, Some(due)) => format!("{} ({} ago)", due.in_zone(zone), now - due),
        (None, None) => "all steps are over".to_owned(),
    }
}
