//! `/disputes/{id}`: what is disputed, by whom and why, the way it went so far, and the form to decide
//! it. Who decided stands in the journal with their reason.

use super::{class, rule, turn, until};
use crate::agreement::Standing;
use crate::engine::Site;
use crate::engine::dispute::{DisputeError, Ruling};
use crate::record::{FactKind, OwnerId, Timestamp};
use crate::report::story::Reader;
use crate::report::words;
use crate::store::dispute::{self, DisputeRow};
use crate::store::journal::{self, JournalRow};
use crate::store::role::Permission;
use crate::store::{StoreError, standing};
use crate::web::pages::{Nav, html, tell, unavailable};
use crate::web::people::Names;
use crate::web::session::Visitor;
use crate::web::{Web, record};
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Path};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "dispute.html")]
struct Page {
    nav: Nav,
    id: String,
    name: String,
    connection: String,
    story: String,
    url: Option<String>,
    fact: String,
    fact_at: String,
    party: String,
    owner: String,
    by: String,
    why: String,
    opened: String,
    class: &'static str,
    state: &'static str,
    is_open: bool,
    step: String,
    turn: String,
    until: String,
    verdict: Option<String>,
    way: Vec<(String, String)>,
    may_operate: bool,
    /// The visitor opened it, or administers.
    may_withdraw: bool,
    /// What they wrote, where it was not taken.
    reason: String,
    problem: Option<String>,
}

#[derive(Deserialize)]
pub struct Decision {
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    why: String,
}

pub async fn show(web: Data<Web>, visitor: Visitor, id: Path<String>) -> HttpResponse {
    answered(&web, &visitor, &id, (StatusCode::OK, None, "")).await
}

async fn answered(
    web: &Web,
    visitor: &Visitor,
    id: &str,
    (status, problem, reason): (StatusCode, Option<String>, &str),
) -> HttpResponse {
    let answer = async {
        let Some(row) = find(web, id).await? else { return Ok(unknown(visitor)) };
        let page = Page { problem, reason: reason.to_owned(), ..page(web, visitor, &row).await? };
        Ok(html(status, &page))
    };
    answer.await.unwrap_or_else(|error: StoreError| unavailable(&error))
}

/// PostgreSQL refuses to compare with what no id holds.
async fn find(web: &Web, id: &str) -> Result<Option<DisputeRow>, StoreError> {
    if id.contains('\0') {
        return Ok(None);
    }
    dispute::find(&web.engine.db, id).await
}

fn unknown(visitor: &Visitor) -> HttpResponse {
    tell(visitor, StatusCode::NOT_FOUND, "There is no such dispute", "The address may be mistyped or out of date.")
}

/// A dispute in words, for the page and the API.
pub struct Story {
    pub site: Option<Arc<Site>>,
    pub zone: TimeZone,
    /// What the record is called; its id where it has no name.
    pub name: String,
    /// The disputed fact in a sentence.
    pub fact: String,
    /// What the owner is called.
    pub owner: Option<String>,
    /// How many steps the agreement has.
    pub steps: usize,
    /// Whose turn it is, or who decided.
    pub turn: String,
    /// What became of it so far, by the journal.
    pub way: Vec<(Timestamp, String)>,
}

/// # Errors
/// When the database cannot be read.
pub async fn story(web: &Web, row: &DisputeRow) -> Result<Story, StoreError> {
    let db = &web.engine.db;
    let site = web.engine.site(row.record.connection.as_str());
    let agreement = site.as_ref().map(|site| &*site.agreement);
    let zone = agreement.map_or(TimeZone::UTC, |agreement| agreement.zone_of(row.party.as_ref()));
    let rows = journal::of_record(db, &row.record).await?;
    let names = Names::load(&web.engine, BTreeSet::from([row.record.connection.clone()])).await?;
    let name_of = |id: &OwnerId| names.get(&row.record.connection, id).map(str::to_owned);
    let sentence = |told: &JournalRow| match agreement {
        Some(agreement) => words::sentence(&Reader { agreement, zone: &zone, name_of: &name_of }, &told.entry.fact),
        None => told.entry.fact.kind.as_str().replace('_', " "),
    };
    let disputed = rows.iter().rfind(|r| r.entry.fact.at == row.fact_at && r.entry.fact.key() == row.fact_key);
    let steps = agreement.map_or(0, |agreement| agreement.resolutions.len());
    let standing = standing::load_one(db, &row.record).await?;
    let standing: Option<Standing> = standing.and_then(|json| serde_json::from_str(&json).ok());
    let name = standing.map(|s| s.name().to_owned()).filter(|name| !name.is_empty());
    Ok(Story {
        name: name.unwrap_or_else(|| row.record.id.to_string()),
        fact: disputed.map_or_else(|| super::what(row), sentence),
        owner: row.owner.as_ref().map(|id| name_of(id).unwrap_or_else(|| id.to_string())),
        steps,
        turn: turn(agreement, row),
        way: rows.iter().filter(|r| is_about(r, row)).map(|r| (r.entry.fact.at, sentence(r))).collect(),
        zone,
        site,
    })
}

/// Whoever opened it gives it up, or an administrator; for anybody else there are decisions.
pub fn may_withdraw(visitor: &Visitor, row: &DisputeRow) -> bool {
    visitor.name() == row.by || visitor.may(Permission::Administer)
}

async fn page(web: &Web, visitor: &Visitor, row: &DisputeRow) -> Result<Page, StoreError> {
    let Story { site, zone, name, fact, owner, steps, turn, way } = story(web, row).await?;
    Ok(Page {
        nav: Nav::at("/disputes", visitor),
        id: row.id.clone(),
        name,
        connection: row.record.connection.to_string(),
        story: super::super::record::path(&row.record),
        url: site.as_ref().and_then(|site| record::url(site, &row.record)),
        fact,
        fact_at: row.fact_at.in_zone(&zone),
        party: row.party.as_ref().map_or_else(|| "nobody".to_owned(), |party| party.as_str().replace('_', " ")),
        owner: owner.unwrap_or_else(|| "nobody".to_owned()),
        by: row.by.clone(),
        why: row.why.clone(),
        opened: row.opened_at.in_zone(&zone),
        class: class(row.state),
        state: row.state.as_str(),
        is_open: row.state.is_open(),
        step: format!("{} of {steps}", row.step),
        turn,
        until: until(row, &zone, web.engine.clock.now()),
        verdict: row.verdict.clone(),
        way: way.into_iter().map(|(at, text)| (at.in_zone(&zone), text)).collect(),
        may_operate: visitor.may(Permission::Operate),
        may_withdraw: visitor.may(Permission::Operate) && may_withdraw(visitor, row),
        reason: String::new(),
        problem: None,
    })
}

fn is_about(told: &JournalRow, row: &DisputeRow) -> bool {
    use FactKind::{Climbed, Dismissed, DisputeWithdrawn, Disputed, Upheld};
    let fact = &told.entry.fact;
    matches!(fact.kind, Disputed | Climbed | Upheld | Dismissed | DisputeWithdrawn) && *fact.item == *row.id
}

pub async fn decide(web: Data<Web>, visitor: Visitor, id: Path<String>, form: Form<Decision>) -> HttpResponse {
    let ruling = match form.verdict.as_str() {
        "upheld" => Ruling::Upheld,
        "dismissed" => Ruling::Dismissed,
        _ => {
            let problem = Some("Say whether it is upheld or dismissed.".to_owned());
            return answered(&web, &visitor, &id, (StatusCode::UNPROCESSABLE_ENTITY, problem, &form.why)).await;
        }
    };
    ruled(&web, &visitor, &id, ruling, &form.why).await
}

pub async fn withdraw(web: Data<Web>, visitor: Visitor, id: Path<String>, form: Form<Decision>) -> HttpResponse {
    match find(&web, &id).await {
        Ok(Some(row)) if !may_withdraw(&visitor, &row) => {
            let problem = Some(format!("Only {} or an administrator can withdraw it.", row.by));
            answered(&web, &visitor, &id, (StatusCode::FORBIDDEN, problem, "")).await
        }
        Ok(_) => ruled(&web, &visitor, &id, Ruling::Withdrawn, &form.why).await,
        Err(error) => unavailable(&error),
    }
}

async fn ruled(web: &Web, visitor: &Visitor, id: &str, ruling: Ruling, why: &str) -> HttpResponse {
    let row = match find(web, id).await {
        Ok(Some(row)) => row,
        Ok(None) => return unknown(visitor),
        Err(error) => return unavailable(&error),
    };
    match rule(web, &row, ruling, (visitor.name(), why)).await {
        Ok(is) => HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/disputes/{}", is.id))).finish(),
        Err(DisputeError::Store(error)) => unavailable(&error),
        Err(DisputeError::Refused(refusal)) => {
            let problem = Some(crate::web::pages::agreement::sentence(&refusal));
            answered(web, visitor, id, (StatusCode::CONFLICT, problem, why)).await
        }
    }
}
