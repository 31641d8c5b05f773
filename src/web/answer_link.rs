//! `/answer/…` and `/preferences/…`: links in e-mails, on the public address. Looking at one changes
//! nothing, since mail scanners and previews look at every link; only the button on the page acts.

use super::pages::Nav;
use super::{Web, csrf, headers, pages};
use crate::engine::answers::{self, Choice, Open, Refused, Said, Shown, mark};
use crate::engine::clock::real_now;
use crate::record::OwnerId;
use crate::store::answer::Purpose;
use crate::store::preference::{self, Channel, Gathering, Preference, Quiet};
use crate::store::{Priority, StoreError, person};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, Form, Path, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

pub fn routes(routes: &mut ServiceConfig) {
    let answer = web::resource("/answer/{token}").route(web::get().to(show)).route(web::post().to(act));
    let preferences =
        web::resource("/preferences/{token}").route(web::get().to(preferences)).route(web::post().to(prefer));
    routes.service(answer.wrap(from_fn(hidden)));
    routes.service(preferences.wrap(from_fn(hidden)));
}

/// What is behind such links is in no index, no cache and no other site's log.
async fn hidden<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    headers::protect(response.headers_mut());
    let none = HeaderValue::from_static("noindex, nofollow, noarchive");
    response.headers_mut().insert(HeaderName::from_static("x-robots-tag"), none);
    Ok(response)
}

#[derive(Template)]
#[template(path = "answer.html")]
struct AnswerPage {
    nav: Nav,
    token: String,
    record: String,
    clock: String,
    as_whom: String,
    /// The answer that this link gives.
    answer: String,
    reasons: Vec<(String, String)>,
    snooze: String,
}

#[derive(Template)]
#[template(path = "preferences.html")]
struct PreferencesPage {
    nav: Nav,
    token: String,
    name: String,
    channel: &'static str,
    gathering: &'static str,
    from: String,
    until: String,
    saved: bool,
    problem: Option<&'static str>,
}

fn refused(refused: &Refused) -> HttpResponse {
    let (status, title) = match refused {
        Refused::Unknown => (StatusCode::NOT_FOUND, "This link does not work"),
        Refused::Expired => (StatusCode::GONE, "This link is too old"),
        Refused::Used => (StatusCode::GONE, "This was answered already"),
        Refused::Overtaken(_) => (StatusCode::CONFLICT, "This is over"),
        Refused::NotYours(_) => (StatusCode::FORBIDDEN, "This is not yours to answer"),
        Refused::Store(error) => return pages::unavailable(error),
    };
    message(status, title, &refused.to_string())
}

#[derive(Template)]
#[template(path = "answered.html")]
struct MessagePage<'a> {
    nav: Nav,
    title: &'a str,
    text: &'a str,
}

/// As the house's message, without a way to pages that are not on this address.
fn message(status: StatusCode, title: &str, text: &str) -> HttpResponse {
    pages::html(status, &MessagePage { nav: Nav::nobody(), title, text })
}

async fn opened(web: &Web, token: &str) -> Result<(Shown, Open), Refused> {
    let shown = answers::look(&web.engine, token).await?;
    let open = answers::open(&web.engine, &shown, Purpose::Link).await?;
    Ok((shown, open))
}

async fn show(web: Data<Web>, token: Path<String>) -> HttpResponse {
    let (shown, open) = match opened(&web, &token).await {
        Ok(found) => found,
        Err(why) => return refused(&why),
    };
    let as_whom = match called(&web, &shown).await {
        Ok(name) => name,
        Err(error) => return pages::unavailable(&error),
    };
    let page = AnswerPage {
        nav: Nav::nobody(),
        token: token.into_inner(),
        record: open.standing.name().to_owned(),
        clock: open.about.clock.to_string(),
        as_whom,
        answer: open.about.answer.clone().unwrap_or_default(),
        reasons: open.offered.reasons.iter().map(|reason| (mark(reason), reason.clone())).collect(),
        snooze: open.offered.snooze.map(crate::agreement::span::span_in_words).unwrap_or_default(),
    };
    pages::html(StatusCode::OK, &page)
}

/// The name of whom a ticket was sent to, else their address.
async fn called(web: &Web, shown: &Shown) -> Result<String, StoreError> {
    let people = person::load_all(&web.engine.db, shown.site.name()).await?;
    let known = people.into_iter().find(|p| Some(&p.id) == shown.ticket.person.as_ref());
    Ok(known.map_or_else(|| shown.ticket.email.clone(), |p| format!("{} ({})", p.name, shown.ticket.email)))
}

#[derive(Deserialize)]
struct Act {
    #[serde(default)]
    reason: String,
}

async fn act(web: Data<Web>, request: HttpRequest, token: Path<String>, form: Form<Act>) -> HttpResponse {
    if !is_own(&web, &request) {
        return message(StatusCode::FORBIDDEN, "This was not sent by our page", "Nothing was changed.");
    }
    let (shown, open) = match opened(&web, &token).await {
        Ok(found) => found,
        Err(why) => return refused(&why),
    };
    let choice = match open.about.answer.as_deref() {
        Some("accept") => Choice::Accept,
        Some("on_it") => Choice::OnIt,
        Some("snooze") => Choice::Snooze,
        Some("reject") => Choice::Reject(form.reason.clone()),
        _ => return refused(&Refused::Unknown),
    };
    let delivery = shown.word.hash();
    let said = Said { email: &shown.ticket.email, via: "e-mail", delivery: &delivery };
    match answers::take(&web.engine, &shown, &choice, said).await {
        Ok(taken) => {
            let text =
                format!("{}: {}. It is written to the CRM now; you can close this page.", taken.name, taken.words);
            message(StatusCode::OK, "Thank you", &text)
        }
        Err(why) => refused(&why),
    }
}

/// Forms are sent by our own page, at the address that is configured or the one that was asked.
fn is_own(web: &Web, request: &HttpRequest) -> bool {
    let asked = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let configured = url::Url::parse(&web.public_base).map(|url| url.authority().to_owned()).unwrap_or_default();
    csrf::is_own_page(request.headers(), asked) || csrf::is_own_page(request.headers(), &configured)
}

/// Whose preferences a link opens.
async fn preferring(web: &Web, token: &str) -> Result<(Shown, OwnerId), Refused> {
    let shown = answers::look(&web.engine, token).await?;
    let is_one = shown.ticket.purpose == Purpose::Preferences;
    let owner = shown.ticket.person.clone().filter(|_| is_one).ok_or(Refused::Unknown)?;
    if shown.ticket.expires_at <= web.engine.clock.now() {
        return Err(Refused::Expired);
    }
    Ok((shown, owner))
}

async fn preferences(web: Data<Web>, token: Path<String>) -> HttpResponse {
    match preferences_page(&web, &token, false, None).await {
        Ok(page) => pages::html(StatusCode::OK, &page),
        Err(why) => refused(&why),
    }
}

async fn preferences_page(
    web: &Web,
    token: &str,
    saved: bool,
    problem: Option<&'static str>,
) -> Result<PreferencesPage, Refused> {
    let (shown, owner) = preferring(web, token).await?;
    let all = preference::load_all(&web.engine.db, shown.site.name()).await?;
    let known = all.into_iter().find(|p| p.owner == owner);
    let quiet = known.as_ref().and_then(|p| p.quiet);
    let clock = |minute: Option<u16>| minute.map(|m| format!("{:02}:{:02}", m / 60, m % 60)).unwrap_or_default();
    Ok(PreferencesPage {
        nav: Nav::nobody(),
        token: token.to_owned(),
        name: called(web, &shown).await?,
        channel: known.as_ref().map(|p| p.channel).unwrap_or_default().as_str(),
        gathering: known.as_ref().map(|p| p.gathering).unwrap_or_default().as_str(),
        from: clock(quiet.map(|q| q.from)),
        until: clock(quiet.map(|q| q.until)),
        saved,
        problem,
    })
}

#[derive(Deserialize)]
struct Prefer {
    channel: String,
    gathering: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
}

async fn prefer(web: Data<Web>, request: HttpRequest, token: Path<String>, form: Form<Prefer>) -> HttpResponse {
    if !is_own(&web, &request) {
        return message(StatusCode::FORBIDDEN, "This was not sent by our page", "Nothing was changed.");
    }
    let saved = match save(&web, &token, &form).await {
        Ok(problem) => preferences_page(&web, &token, problem.is_none(), problem).await,
        Err(why) => Err(why),
    };
    match saved {
        Ok(page) if page.problem.is_some() => pages::html(StatusCode::UNPROCESSABLE_ENTITY, &page),
        Ok(page) => pages::html(StatusCode::OK, &page),
        Err(why) => refused(&why),
    }
}

/// Answers what is wrong with it.
async fn save(web: &Web, token: &str, form: &Prefer) -> Result<Option<&'static str>, Refused> {
    let (shown, owner) = preferring(web, token).await?;
    let (Some(channel), Some(gathering)) = (Channel::parse(&form.channel), Gathering::parse(&form.gathering)) else {
        return Ok(Some("Choose how, and how often."));
    };
    let quiet = match (form.from.trim(), form.until.trim()) {
        ("", "") => None,
        (from, until) => match (preference::minute(from), preference::minute(until)) {
            (Some(from), Some(until)) if Quiet::new(from, until).is_some() => Quiet::new(from, until),
            _ => return Ok(Some("Quiet hours have a beginning and another end, such as 22:00 and 07:00.")),
        },
    };
    let by = called(web, &shown).await?;
    let row = Preference { owner, channel, gathering, quiet, by, at: real_now() };
    let mut tx = web.engine.db.begin(Priority::Work).await?;
    preference::set(&mut tx, shown.site.name(), &row).await?;
    tx.commit().await?;
    Ok(None)
}
