//! `/answer/…` and `/preferences/…`: links in e-mails, on the public address. Looking at one changes
//! nothing, since mail scanners and previews look at every link; only the button on the page acts.

use super::outcome::outcome;
use super::pages::Nav;
use super::{Web, csrf, headers, pages};
use crate::engine::answers::{self, Became, Choice, Open, Refused, Said, Shown, Taken, mark, preferences};
use crate::engine::clock::real_now;
use crate::record::OwnerId;
use crate::store::answer::Purpose;
use crate::store::preference::{self, Channel, Gathering, Preference, Quiet};
use crate::store::{StoreError, person};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, Form, Path, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use std::time::Duration;

/// So long a person's page waits for what came of their answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub fn routes(routes: &mut ServiceConfig) {
    // Programs that check links ask for the head alone.
    let answer = web::resource("/answer/{token}").route(web::get().to(show)).route(web::head().to(show));
    let answer = answer.route(web::post().to(act));
    let preferences = web::resource("/preferences/{token}").route(web::get().to(preferences));
    let preferences = preferences.route(web::head().to(self::preferences)).route(web::post().to(prefer));
    routes.service(answer.wrap(from_fn(hidden)));
    routes.service(preferences.wrap(from_fn(hidden)));
}

/// What is behind such links is in no index, no cache and no other site's log.
async fn hidden<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    // To ourselves alone: without any, browsers that know no `Sec-Fetch-Site` do not say whose page a form is of.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
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
        Refused::NotHere(_) => (StatusCode::CONFLICT, "Nothing is written here"),
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

/// What a link opens, else the page that says why not.
async fn opened(web: &Web, token: &str) -> Result<(Shown, Open), HttpResponse> {
    let shown = answers::look(&web.engine, token).await.map_err(|why| refused(&why))?;
    match answers::open(&web.engine, &shown, Purpose::Link).await {
        Ok(open) => Ok((shown, open)),
        Err(Refused::Used) => Err(used(web, &shown).await),
        Err(why) => Err(refused(&why)),
    }
}

/// Whoever comes again is told what came of it.
async fn used(web: &Web, shown: &Shown) -> HttpResponse {
    match answers::said_by(&web.engine, shown).await {
        Err(why) => refused(&why),
        Ok(None) => refused(&Refused::Used),
        Ok(Some((words, became))) => {
            let text = match became {
                Became::Done => format!("{words}. It is done."),
                Became::Pending => format!("{words}. It is on its way to the CRM."),
                Became::Failed(why) => format!("{words}. It came to nothing: {why}. Open the record in the CRM."),
            };
            message(StatusCode::GONE, "This was answered already", &text)
        }
    }
}

async fn show(web: Data<Web>, token: Path<String>) -> HttpResponse {
    let (shown, open) = match opened(&web, &token).await {
        Ok(found) => found,
        Err(page) => return page,
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
    let email = &shown.ticket.email;
    Ok(named(web, shown).await?.map_or_else(|| email.clone(), |name| format!("{name} ({email})")))
}

async fn named(web: &Web, shown: &Shown) -> Result<Option<String>, StoreError> {
    let people = person::load_all(&web.engine.db, shown.site.name()).await?;
    Ok(people.into_iter().find(|p| Some(&p.id) == shown.ticket.person.as_ref()).map(|p| p.name))
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
        Err(page) => return page,
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
        Ok(taken) => thanks(&web, &taken).await,
        Err(Refused::Used) => used(&web, &shown).await,
        Err(why) => refused(&why),
    }
}

/// What became of it, as far as that is known soon.
async fn thanks(web: &Web, taken: &Taken) -> HttpResponse {
    let Taken { name, words, waits, .. } = taken;
    let patience = if waits.is_some() { Duration::ZERO } else { PATIENCE };
    match outcome(web, taken, patience).await {
        Became::Done => message(StatusCode::OK, "Thank you", &format!("{name}: {words}. It is done.")),
        Became::Failed(why) => {
            let text = format!("{name} was not changed: {why}. Open the record in the CRM.");
            message(StatusCode::CONFLICT, "Nothing was changed", &text)
        }
        Became::Pending => {
            let when = waits.as_deref().unwrap_or("It is being written to the CRM.");
            let text = format!("{name}: {words}. {when} The same link tells what became of it.");
            message(StatusCode::OK, "Thank you", &text)
        }
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
    let (by, name) = (called(web, &shown).await?, named(web, &shown).await?);
    let name = name.unwrap_or_else(|| owner.to_string());
    let row = Preference { owner, channel, gathering, quiet, by, at: real_now() };
    let chain = (shown.site.name().clone(), shown.site.agreement.hash.to_string());
    let by = format!("{name}, by the link in a notice");
    preferences::set(&web.engine.db, &chain, &row, (&name, &by), web.engine.clock.now()).await?;
    Ok(None)
}
