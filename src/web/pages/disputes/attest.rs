//! `/disputes/attest`: promises that no CRM records. Which wait for somebody's word, for the period that
//! runs and the one before it, with a button for yes and one for no.

use super::scopes;
use crate::agreement::Agreement;
use crate::engine::attestation::attested;
use crate::engine::versions::Scope;
use crate::record::Timestamp;
use crate::report::window::Window;
use crate::store::StoreError;
use crate::store::attestation;
use crate::web::Web;
use crate::web::attest::{Unsaid, Word as Given, may_attest, say};
use crate::web::pages::{Nav, html, tell, unavailable};
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Query};
use askama::Template;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "attest.html")]
struct Page {
    nav: Nav,
    promises: Vec<Promise>,
    said: Option<&'static str>,
    waiting: usize,
}

struct Promise {
    of: String,
    governs: String,
    commitment: String,
    by: String,
    to: String,
    credit: Option<String>,
    period: String,
    until: String,
    is_over: bool,
    answer: Option<Answer>,
    may_attest: bool,
}

struct Answer {
    is_yes: bool,
    by: String,
    at: String,
    note: Option<String>,
}

#[derive(Deserialize)]
pub struct Said {
    said: Option<String>,
}

#[derive(Deserialize)]
pub struct Word {
    of: String,
    commitment: String,
    period: String,
    answer: String,
    #[serde(default)]
    note: String,
}

pub async fn show(web: Data<Web>, visitor: Visitor, said: Query<Said>) -> HttpResponse {
    match page(&web, &visitor, said.said.is_some()).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unavailable(&error),
    }
}

async fn page(web: &Web, visitor: &Visitor, said: bool) -> Result<Page, StoreError> {
    let now = web.engine.clock.now();
    let mut promises = Vec::new();
    for scope in scopes(web) {
        if let Some(agreement) = agreement_of(web, &scope) {
            promises.extend(promises_of(web, visitor, &scope, &agreement, now).await?);
        }
    }
    promises.sort_by_key(|promise| promise.answer.is_some());
    Ok(Page {
        nav: Nav::at("/disputes", visitor),
        waiting: promises.iter().filter(|promise| promise.answer.is_none()).count(),
        promises,
        said: said.then_some("Noted. It stands in the journal with your name."),
    })
}

fn agreement_of(web: &Web, scope: &Scope) -> Option<Arc<Agreement>> {
    Some(web.engine.site(scope.connections.first()?.as_str())?.agreement.clone())
}

async fn promises_of(
    web: &Web,
    visitor: &Visitor,
    scope: &Scope,
    agreement: &Agreement,
    now: Timestamp,
) -> Result<Vec<Promise>, StoreError> {
    let zone = agreement.zone();
    let mut promises = Vec::new();
    for (commitment, period) in attested(agreement) {
        let running = Window::containing(period, now, &zone);
        let before = running.before(&zone);
        let began = |window: &Window| window.until > agreement.effective_at;
        for window in [before, running].into_iter().filter(began) {
            let period = window.to_string();
            let known = attestation::get(&web.engine.db, scope.own.as_ref(), &commitment.name, &period).await?;
            promises.push(Promise {
                of: scope.connections.first().map(ToString::to_string).unwrap_or_default(),
                governs: scope.names(),
                commitment: commitment.name.clone(),
                by: commitment.by.as_str().replace('_', " "),
                to: commitment.to.as_str().replace('_', " "),
                credit: commitment.credit.clone(),
                period,
                until: window.until.in_zone(&zone),
                is_over: window.is_over(now),
                may_attest: may_attest(visitor, &commitment.by),
                answer: known.map(|known| Answer {
                    is_yes: known.answer,
                    by: known.by,
                    at: known.at.in_zone(&zone),
                    note: known.note,
                }),
            });
        }
    }
    Ok(promises)
}

pub async fn answer(web: Data<Web>, visitor: Visitor, word: Form<Word>) -> HttpResponse {
    let refuse = |why: &str| tell(&visitor, StatusCode::UNPROCESSABLE_ENTITY, "Nothing was noted", why);
    let is_kept = match word.answer.as_str() {
        "yes" => true,
        "no" => false,
        _ => return refuse("Say yes or no."),
    };
    let Some(site) = web.engine.site(&word.of) else { return refuse("No such connection is at work.") };
    let given = Given { commitment: &word.commitment, period: Some(&word.period), is_kept, note: Some(&word.note) };
    match say(&web, &visitor, &site, given).await {
        Ok(_) => HttpResponse::SeeOther().insert_header((header::LOCATION, "/disputes/attest?said=yes")).finish(),
        Err(Unsaid::Impossible(why)) => refuse(&why),
        Err(Unsaid::NotTheirs(why)) => tell(&visitor, StatusCode::FORBIDDEN, "Nothing was noted", &why),
        Err(Unsaid::Unavailable(error)) => unavailable(&error),
    }
}
