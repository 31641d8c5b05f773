//! `/simulate`: what other terms would have made of the recorded changes, beside what those in force
//! make of them. It runs in the background, one at a time; the answer is shown by `answer`.

mod answer;
mod asked;

use super::agreement::Shelf;
use super::{Nav, html, tell, unavailable};
use crate::engine::Site;
use crate::engine::simulate::{Busy, Job, State};
use crate::store::role::Permission;
use crate::store::{StoreError, history};
use crate::web::Web;
use crate::web::routes::{Entry, get, post};
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data, Path, Query};
use answer::Shown;
use askama::Template;
use asked::Refused;
pub use asked::{Asked, LONGEST};
use serde::Deserialize;
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[
    get("/simulate", Permission::Operate, |route| route.to(show)),
    post("/simulate", Permission::Operate, |route| route.to(begin)),
    get("/simulate/{id}", Permission::Operate, |route| route.to(one)),
    post("/simulate/{id}/cancel", Permission::Operate, |route| route.to(cancel)),
];

#[derive(Template)]
#[template(path = "simulate.html")]
struct Page {
    nav: Nav,
    connections: Vec<String>,
    versions: Vec<Choice>,
    asked: Asked,
    problem: Option<String>,
    /// What is wrong with the text, with lines and carets.
    report: Option<String>,
    jobs: Vec<Line>,
}

/// A version that can be tried.
struct Choice {
    hash: String,
    name: String,
}

/// A simulation in the list.
struct Line {
    id: String,
    what: String,
    by: String,
    state: &'static str,
    class: &'static str,
}

#[derive(Deserialize)]
struct Start {
    #[serde(default)]
    connection: String,
    #[serde(default)]
    version: String,
}

async fn show(web: Data<Web>, visitor: Visitor, start: Query<Start>) -> HttpResponse {
    let start = start.into_inner();
    let asked = Asked { connection: start.connection, version: start.version, ..Asked::default() };
    answered(form(&web, &visitor, asked, StatusCode::OK, None, None).await)
}

fn answered(done: Result<HttpResponse, StoreError>) -> HttpResponse {
    done.unwrap_or_else(|error| unavailable(&error))
}

async fn form(
    web: &Web,
    visitor: &Visitor,
    asked: Asked,
    status: StatusCode,
    problem: Option<String>,
    report: Option<String>,
) -> Result<HttpResponse, StoreError> {
    let mut versions: Vec<Choice> = Vec::new();
    for scope in super::agreement::scopes(web) {
        let of = scope.connections.first().map(|name| name.as_str());
        let Some(shelf) = Shelf::find(web, of).await? else { continue };
        for known in &shelf.known {
            let version = &known.version;
            if versions.iter().all(|known| known.hash != version.hash) {
                let state = if known.is_active() { ", in effect" } else { "" };
                let name = format!("{} ({}{state})", version.version, version.title);
                versions.push(Choice { hash: version.hash.clone(), name });
            }
        }
    }
    let page = Page {
        nav: Nav::at("/simulate", visitor),
        connections: web.engine.sites().iter().map(|site| site.name().to_string()).collect(),
        versions,
        asked,
        problem,
        report,
        jobs: web.simulations.list().iter().map(|job| line(job)).collect(),
    };
    Ok(html(status, &page))
}

fn line(job: &Job) -> Line {
    let (state, class) = state(job);
    Line { id: job.id.clone(), what: job.what.clone(), by: job.by.clone(), state, class }
}

/// The state of a simulation in a word, and the class of its badge.
pub fn state(job: &Job) -> (&'static str, &'static str) {
    match job.state() {
        State::Running => ("running", "open"),
        State::Done(_) => ("done", "done"),
        State::Failed(_) => ("failed", "error"),
        State::Cancelled => ("cancelled", ""),
    }
}

/// The body is read here, since a text may be longer than other forms are.
async fn begin(web: Data<Web>, visitor: Visitor, body: Bytes) -> HttpResponse {
    answered(try_begin(&web, &visitor, Asked::read(&body)).await)
}

/// Why nothing is simulated.
pub enum Unbegun {
    /// Another one runs.
    Busy,
    /// A sentence.
    Why(String),
    /// All problems of the text, each with its line and a caret.
    Text(String),
}

/// Begins what is asked, in the visitor's name, for the page and the API.
///
/// # Errors
/// When the database cannot be read; inside, why nothing was begun.
pub async fn begun(
    web: &Web,
    visitor: &Visitor,
    site: &Site,
    asked: &Asked,
) -> Result<Result<Arc<Job>, Unbegun>, StoreError> {
    let question = match asked.question(web, site).await? {
        Ok(question) => question,
        Err(Refused::Why(why)) => return Ok(Err(Unbegun::Why(why))),
        Err(Refused::Text(report)) => return Ok(Err(Unbegun::Text(report))),
    };
    let Ok(within) = question.window(&web.engine.db).await? else {
        let why = "The first day comes after the last, or lies in the future.".to_owned();
        return Ok(Err(Unbegun::Why(why)));
    };
    let total = history::count_all(&web.engine.db, site.name()).await?;
    let what = format!("{}: {} against {}", site.name(), question.new.0.version, question.old.0.version);
    let job = web.simulations.begin(&web.engine.db, question, within, (visitor.name(), what, total));
    Ok(job.map_err(|Busy| Unbegun::Busy))
}

async fn try_begin(web: &Web, visitor: &Visitor, asked: Asked) -> Result<HttpResponse, StoreError> {
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(site) = web.engine.site(&asked.connection) else {
        return form(web, visitor, asked, UNFIT, Some("Choose a connection.".to_owned()), None).await;
    };
    match begun(web, visitor, &site, &asked).await? {
        Ok(job) => Ok(to(&format!("/simulate/{}", job.id))),
        Err(Unbegun::Why(why)) => form(web, visitor, asked, UNFIT, Some(why), None).await,
        Err(Unbegun::Text(report)) => {
            let problem = Some("The text has errors; nothing was replayed.".to_owned());
            form(web, visitor, asked, UNFIT, problem, Some(report)).await
        }
        Err(Unbegun::Busy) => {
            let why = "Another simulation is running: one at a time. Wait for it, or cancel it below.".to_owned();
            form(web, visitor, asked, StatusCode::CONFLICT, Some(why), None).await
        }
    }
}

fn to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

#[derive(Template)]
#[template(path = "simulation.html")]
struct OnePage {
    nav: Nav,
    id: String,
    what: String,
    by: String,
    state: &'static str,
    class: &'static str,
    is_running: bool,
    replayed: u64,
    total: u64,
    failed: Option<String>,
    answer: Option<Shown>,
}

fn gone(visitor: &Visitor) -> HttpResponse {
    let text = "Answers are kept for an hour and until leadpact starts again. Ask again on the page Simulate.";
    tell(visitor, StatusCode::NOT_FOUND, "There is no such simulation", text)
}

async fn one(web: Data<Web>, visitor: Visitor, id: Path<String>) -> HttpResponse {
    let Some(job) = web.simulations.find(&id) else { return gone(&visitor) };
    let (word, class) = state(&job);
    let (failed, answer) = match job.state() {
        State::Done(answer) => (None, Some(answer::shown(&answer))),
        State::Failed(why) => (Some(why), None),
        State::Running | State::Cancelled => (None, None),
    };
    let page = OnePage {
        nav: Nav::at("/simulate", &visitor),
        id: job.id.clone(),
        what: job.what.clone(),
        by: job.by.clone(),
        state: word,
        class,
        is_running: word == "running",
        replayed: job.replayed(),
        total: job.total,
        failed,
        answer,
    };
    html(StatusCode::OK, &page)
}

async fn cancel(web: Data<Web>, visitor: Visitor, id: Path<String>) -> HttpResponse {
    let Some(job) = web.simulations.find(&id) else { return gone(&visitor) };
    job.cancel();
    to(&format!("/simulate/{}", job.id))
}
