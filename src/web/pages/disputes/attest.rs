//! `/disputes/attest`: promises that no CRM records. Which wait for somebody's word, for the period that
//! runs and the one before it, with a button for yes and one for no.

use crate::store::StoreError;
use crate::web::Web;
use crate::web::attest::{Promise as Known, Unsaid, Word as Given, may_attest, promises, say};
use crate::web::pages::{Nav, html, tell, unavailable};
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Query};
use askama::Template;
use serde::Deserialize;

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
    let promises: Vec<Promise> = promises(web, None).await?.into_iter().map(|known| shown(visitor, known)).collect();
    Ok(Page {
        nav: Nav::at("/disputes", visitor),
        waiting: promises.iter().filter(|promise| promise.answer.is_none()).count(),
        promises,
        said: said.then_some("Noted. It stands in the journal with your name."),
    })
}

fn shown(visitor: &Visitor, known: Known) -> Promise {
    let zone = &known.zone;
    let answer = known.answer.map(|said| Answer {
        is_yes: said.answer,
        by: said.by,
        at: said.at.in_zone(zone),
        note: said.note,
    });
    Promise {
        of: known.scope.connections.first().map(ToString::to_string).unwrap_or_default(),
        governs: known.scope.names(),
        may_attest: may_attest(visitor, &known.by),
        commitment: known.name,
        by: known.by.as_str().replace('_', " "),
        to: known.to.as_str().replace('_', " "),
        credit: known.credit,
        period: known.window.to_string(),
        until: known.window.until.in_zone(zone),
        is_over: known.is_over,
        answer,
    }
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
