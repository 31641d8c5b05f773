//! `/disputes/attest`: promises that no CRM records. Which wait for somebody's word, for the period that
//! runs and the one before it, with a button for yes and one for no.

use super::scopes;
use crate::agreement::Agreement;
use crate::engine::attestation::{attest, attested, commitment, window};
use crate::engine::versions::Scope;
use crate::record::Timestamp;
use crate::report::window::Window;
use crate::store::StoreError;
use crate::store::attestation::{self, AttestationRow};
use crate::store::role::Permission;
use crate::web::Web;
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
    may_operate: bool,
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
            promises.extend(promises_of(web, &scope, &agreement, now).await?);
        }
    }
    promises.sort_by_key(|promise| promise.answer.is_some());
    Ok(Page {
        nav: Nav::at("/disputes", visitor),
        waiting: promises.iter().filter(|promise| promise.answer.is_none()).count(),
        promises,
        may_operate: visitor.may(Permission::Operate),
        said: said.then_some("Noted. It stands in the journal with your name."),
    })
}

fn agreement_of(web: &Web, scope: &Scope) -> Option<Arc<Agreement>> {
    Some(web.engine.site(scope.connections.first()?.as_str())?.agreement.clone())
}

async fn promises_of(
    web: &Web,
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
    let said = match given(&web, &visitor, &word) {
        Ok(said) => said,
        Err(why) => return tell(&visitor, StatusCode::UNPROCESSABLE_ENTITY, "Nothing was noted", &why),
    };
    let (scope, agreement, row) = said;
    match attest(&web.engine.db, &agreement, scope.own.as_ref(), &scope.connections, &row).await {
        Ok(()) => HttpResponse::SeeOther().insert_header((header::LOCATION, "/disputes/attest?said=yes")).finish(),
        Err(error) => unavailable(&error),
    }
}

type Given = (Scope, Arc<Agreement>, AttestationRow);

/// The answer as it will be stored.
fn given(web: &Web, visitor: &Visitor, word: &Word) -> Result<Given, String> {
    let holds = |scope: &Scope| scope.connections.iter().any(|name| name.as_str() == word.of);
    let scope = scopes(web).into_iter().find(holds).ok_or("No such connection is at work.")?;
    let agreement = agreement_of(web, &scope).ok_or("No such connection is at work.")?;
    let now = web.engine.clock.now();
    let (commitment, period) = commitment(&agreement, &word.commitment).map_err(|error| error.to_string())?;
    let window = window(&agreement, period, Some(&word.period), now).map_err(|error| error.to_string())?;
    let is_yes = match word.answer.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err("Say yes or no.".to_owned()),
    };
    let row = AttestationRow {
        commitment: commitment.name.clone(),
        period: window.to_string(),
        period_from: window.from,
        answer: is_yes,
        by: visitor.name().to_owned(),
        note: Some(word.note.trim().to_owned()).filter(|note| !note.is_empty()),
        at: now,
    };
    Ok((scope, agreement, row))
}
