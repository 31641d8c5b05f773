//! What people switch on `/health`: the checks run, pauses set and ended, connections armed and
//! disarmed. It is done by the same functions as the commands of these names.

use super::super::super::Web;
use super::super::super::deliveries::{Called, chain};
use super::super::super::session::Visitor;
use super::super::record::path;
use super::super::{Nav, html, tell, unavailable};
use crate::engine::Site;
use crate::engine::arming::{self, Arming, Glance};
use crate::engine::overdue::overdue;
use crate::engine::switches::{self, Pausing, Told};
use crate::record::{EffectKey, RecordKey};
use crate::report::layout::thousands;
use crate::store::StoreError;
use crate::store::outbox::WaitingMove;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Query};
use askama::Template;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Empty: every connection.
    connection: String,
    why: String,
    /// Also the moves that were missed.
    overdue: String,
}

fn go(done: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/health?done={done}"))).finish()
}

pub(super) async fn check(web: Data<Web>) -> HttpResponse {
    if let Some(examine) = &web.examine {
        web.examined.begin(examine);
    }
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/health#checks")).finish()
}

pub(super) async fn pause(web: Data<Web>, visitor: Visitor, asked: Form<Asked>) -> HttpResponse {
    switch(&web, &visitor, &asked, true).await
}

pub(super) async fn resume(web: Data<Web>, visitor: Visitor, asked: Form<Asked>) -> HttpResponse {
    switch(&web, &visitor, &asked, false).await
}

async fn switch(web: &Web, visitor: &Visitor, asked: &Asked, on: bool) -> HttpResponse {
    let sites = web.engine.sites();
    let named = |site: &&Arc<Site>| asked.connection.is_empty() || site.name().as_str() == asked.connection;
    let told: Vec<Told> = sites.iter().filter(named).map(|site| chain(site)).collect();
    let connection = match asked.connection.as_str() {
        "" => None,
        _ => match told.first() {
            Some((name, _)) => Some(name.clone()),
            None => return unknown(visitor),
        },
    };
    let (by, why) = (visitor.name().to_owned(), asked.why.trim().to_owned());
    let pausing = Pausing { connection, on, until: None, by, why };
    let to = if on { "on" } else { "off" };
    match switches::pause(&web.engine.db, pausing, &told, to, web.engine.clock.now()).await {
        Ok(()) => {
            sites.iter().for_each(|site| site.issued.notify_one());
            go(if on { "paused" } else { "resumed" })
        }
        Err(error) => unavailable(&error),
    }
}

fn unknown(visitor: &Visitor) -> HttpResponse {
    tell(visitor, StatusCode::NOT_FOUND, "There is no such connection", "Begin again at the health page.")
}

#[derive(Template)]
#[template(path = "health_arm.html")]
struct Page {
    nav: Nav,
    connection: String,
    is_armed: bool,
    /// Both are `None` while they are counted for the first time.
    breached: Option<u64>,
    missed: Option<u64>,
    /// When they were counted.
    counted_at: Option<String>,
    rows: Vec<Row>,
    more: usize,
    next: Vec<String>,
}

impl Page {
    fn in_digits(&self, count: &u64) -> String {
        thousands(*count)
    }
}

struct Row {
    name: String,
    link: String,
    what: String,
    owner: String,
}

/// The connection that can be armed; else the answer that says why not.
fn switchable(web: &Web, visitor: &Visitor, name: &str) -> Result<Arc<Site>, Box<HttpResponse>> {
    let site = web.engine.site(name).ok_or_else(|| Box::new(unknown(visitor)))?;
    match arming::fixed(site.connection.mode) {
        None => Ok(site),
        Some(mode) => {
            let text = format!(
                "The configuration says mode = \"{mode}\" for {name}, and the file goes before arming: change it \
                 there, or take the line out to arm and disarm from here."
            );
            Err(Box::new(tell(visitor, StatusCode::CONFLICT, "The configuration decides this", &text)))
        }
    }
}

/// What would move, before anybody arms.
pub(super) async fn outlook(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    let site = match switchable(&web, &visitor, &asked.connection) {
        Ok(site) => site,
        Err(answer) => return *answer,
    };
    let now = web.engine.clock.now();
    let page = async {
        let glance = arming::glance(&web.engine.db, site.name(), now).await?;
        page(&web, &visitor, &site, glance).await
    };
    match page.await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unavailable(&error),
    }
}

async fn page(web: &Web, visitor: &Visitor, site: &Arc<Site>, outlook: Glance) -> Result<Page, StoreError> {
    let missed = web.missed.of(web, site).await;
    let first = missed.as_ref().map(|missed| &missed.first[..]).unwrap_or_default();
    let records: Vec<RecordKey> = first.iter().map(|one| one.effect.record.clone()).collect();
    let called = Called::of(web, records).await?;
    let zone = site.agreement.zone();
    let row = |one: &WaitingMove| Row {
        name: one.name.clone(),
        link: path(&one.effect.record),
        what: one.effect.action.as_str().to_owned(),
        owner: one.owner.as_ref().map_or_else(
            || "nobody".to_owned(),
            |id| called.owners.get(site.name(), id).unwrap_or(id.as_str()).to_owned(),
        ),
    };
    let due = |row: &crate::store::clock::ClockRow| {
        let deadline = row.deadline.map(|at| at.in_zone(&zone)).unwrap_or_default();
        format!("{deadline}: {}, {}", row.name, row.source)
    };
    Ok(Page {
        nav: Nav::at("/health", visitor),
        connection: site.name().to_string(),
        is_armed: outlook.is_armed,
        breached: missed.as_ref().map(|missed| missed.breached),
        rows: first.iter().map(row).collect(),
        more: missed.as_ref().map_or(0, |missed| missed.moves - missed.first.len()),
        counted_at: missed.as_ref().map(|missed| missed.at.in_zone(&zone)),
        missed: missed.map(|missed| missed.moves as u64),
        next: outlook.next.iter().map(due).collect(),
    })
}

pub(super) async fn arm(web: Data<Web>, visitor: Visitor, asked: Form<Asked>) -> HttpResponse {
    set(&web, &visitor, &asked, true).await
}

pub(super) async fn disarm(web: Data<Web>, visitor: Visitor, asked: Form<Asked>) -> HttpResponse {
    set(&web, &visitor, &asked, false).await
}

async fn set(web: &Web, visitor: &Visitor, asked: &Asked, on: bool) -> HttpResponse {
    let site = match switchable(web, visitor, &asked.connection) {
        Ok(site) => site,
        Err(answer) => return *answer,
    };
    let set = async {
        let overdue: Vec<EffectKey> = match on && !asked.overdue.is_empty() {
            true => {
                let now = web.engine.clock.now();
                let missed = overdue(&web.engine.db, &site.agreement, site.name(), now).await?;
                missed.into_iter().map(|one| one.effect.key).collect()
            }
            false => Vec::new(),
        };
        let (by, why) = (visitor.name().to_owned(), asked.why.trim().to_owned());
        let arming = Arming { on, by, why, overdue: &overdue };
        arming::set(&web.engine.db, &chain(&site), arming, web.engine.clock.now()).await
    };
    match set.await {
        Ok(_) => {
            site.issued.notify_one();
            go(if on { "armed" } else { "disarmed" })
        }
        Err(error) => unavailable(&error),
    }
}
