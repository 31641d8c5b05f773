//! `/login/oidc`: to the identity provider and back, and what went wrong. What must fit before somebody
//! is let in is decided in `engine/oidc/`. States, codes and tokens are never logged.

use super::login;
use super::pages::{self, Nav, html};
use super::routes::{Entry, Needs, Verb, open};
use super::{Web, address};
use crate::engine::oidc::admission::{Journals, Refusal};
use crate::engine::oidc::door::{Door, LASTS, Onward, Refused, Returned};
use crate::engine::oidc::provider::ProviderError;
use crate::engine::switches::Told;
use crate::store::account::Account;
use crate::store::secret::Secret;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

/// All are links that browsers follow: no form leads to the provider, and the content security policy
/// stays as it is.
pub(super) const ROUTES: &[Entry] = &[
    open(Verb::Get, "/login/oidc", Needs::Nothing, |route| route.to(go)),
    open(Verb::Get, "/login/oidc/callback", Needs::Nothing, |route| route.to(come_back)),
    open(Verb::Get, "/login/oidc/out", Needs::Nothing, |route| route.to(signed_out)),
];

/// Longest text of the provider's that is shown.
const MOST_CHARS: usize = 200;
/// Longest path that is gone to afterwards.
const LONGEST_NEXT: usize = 2_000;

#[derive(Template)]
#[template(path = "oidc.html")]
struct Page {
    nav: Nav,
    title: &'static str,
    texts: Vec<String>,
    name: String,
    again: &'static str,
    /// The provider's page to sign out there.
    leave: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    next: Option<String>,
}

/// RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207.
#[derive(Deserialize)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

fn nothing_here() -> HttpResponse {
    let text = "Nothing in the configuration names an identity provider. Sign in with a password.";
    pages::message(StatusCode::NOT_FOUND, "There is no single sign-on here", text)
}

async fn go(web: Data<Web>, request: HttpRequest, asked: Result<Query<Asked>, actix_web::Error>) -> HttpResponse {
    let Some(door) = &web.oidc else { return nothing_here() };
    let asked = asked.ok().and_then(|asked| asked.into_inner().next);
    let next = asked.as_deref().map(login::local).filter(|next| next.len() <= LONGEST_NEXT).unwrap_or("/");
    match door.begin(next, &address::of(&web, &request), web.clock.now()).await {
        Ok(Onward { url, browser }) => {
            let lasts = Duration::milliseconds(LASTS.as_millis());
            let cookie = cookie(&web, browser.expose(), lasts);
            HttpResponse::SeeOther().cookie(cookie).insert_header((header::LOCATION, url.as_str())).finish()
        }
        Err(refused) => refuse(door, refused),
    }
}

async fn come_back(
    web: Data<Web>,
    request: HttpRequest,
    answer: Result<Query<Answer>, actix_web::Error>,
) -> HttpResponse {
    let Some(door) = &web.oidc else { return nothing_here() };
    // A state that is given twice is none.
    let Ok(answer) = answer.map(Query::into_inner) else { return refuse(door, Refused::Unknown) };
    let state = Secret::brought(answer.state.as_deref().unwrap_or_default());
    let browser = request.cookie(cookie_name(&web)).map(|cookie| Secret::brought(cookie.value()));
    // Before anything that came with it is believed, an error of the provider's included.
    let returned = match door.come_back(&state, browser.as_ref(), web.clock.now()).await {
        Ok(returned) => returned,
        Err(refused) => return refuse(door, refused),
    };
    let account = match code(door, &answer) {
        Ok(code) => complete(&web, door, &returned, code).await,
        Err(refused) => Err(refused),
    };
    let response = match account {
        Ok(account) => {
            login::begin_for(&web, &request, &account, &returned.next, door.session()).await.map_err(Refused::Store)
        }
        Err(refused) => Err(refused),
    };
    let mut response = response.unwrap_or_else(|refused| refuse(door, refused));
    // The sign-in is used up, and so is what tied it to this browser.
    if let Err(error) = response.add_cookie(&cookie(&web, "", Duration::ZERO)) {
        tracing::error!("a cookie could not be taken back: {error}");
    }
    response
}

/// After signing out here: the way to do so at the provider, which would else let the next person at this
/// browser in without asking.
async fn signed_out(web: Data<Web>) -> HttpResponse {
    let Some(door) = &web.oidc else { return nothing_here() };
    let (name, leave) = (door.name().to_owned(), door.sign_out_url(web.clock.now()).await);
    let open = format!("{name} may still know this browser, and let you in here again without asking.");
    let leave = leave.map(String::from);
    let page =
        Page { nav: Nav::nobody(), title: "You are signed out", texts: vec![open], name, again: "Sign in", leave };
    html(StatusCode::OK, &page)
}

/// The code, where the configured provider sent one.
fn code<'a>(door: &Door, answer: &'a Answer) -> Result<&'a str, Refused> {
    if answer.iss.as_deref().is_some_and(|issuer| issuer != door.issuer()) {
        return Err(ProviderError::Untrusted("another issuer answered".to_owned()).into());
    }
    if let Some(error) = &answer.error {
        let said = [Some(error), answer.error_description.as_ref()].into_iter().flatten().cloned();
        return Err(ProviderError::Refused(short(&said.collect::<Vec<_>>().join(": "))).into());
    }
    answer.code.as_deref().ok_or_else(|| ProviderError::Refused("it sent no code".to_owned()).into())
}

async fn complete(web: &Web, door: &Door, returned: &Returned, code: &str) -> Result<Account, Refused> {
    let sites = web.engine.sites();
    let chains: Vec<Told> = sites.iter().map(|s| (s.name().clone(), s.agreement.hash.to_string())).collect();
    let journals = Journals { chains: &chains, at: web.engine.clock.now() };
    door.complete(returned, code, journals, web.clock.now()).await
}

/// A cookie of the https name comes from this host, over TLS, and from no part of it.
fn cookie_name(web: &Web) -> &'static str {
    if web.is_behind_https() { "__Host-leadpact-oidc" } else { "leadpact-oidc" }
}

/// Lax: it has to come along when the provider sends the browser back.
fn cookie(web: &Web, value: &str, lasts: Duration) -> Cookie<'static> {
    Cookie::build(cookie_name(web), value.to_owned())
        .path("/")
        .secure(web.is_behind_https())
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(lasts)
        .finish()
}

fn refuse(door: &Door, refused: Refused) -> HttpResponse {
    if let Refused::Store(error) = &refused {
        return pages::unavailable(error);
    }
    match &refused {
        Refused::Provider(_) => tracing::warn!("a single sign-on failed: {refused}"),
        _ => tracing::info!("a single sign-on was refused: {refused}"),
    }
    let (status, title, texts) = said(&refused, door.name());
    let name = door.name().to_owned();
    let page = Page { nav: Nav::nobody(), title, texts, name, again: "Begin again", leave: None };
    html(status, &page)
}

/// What to do about it. Of what went wrong at the provider a person learns what the provider itself said;
/// the rest is in the log.
fn said(refused: &Refused, name: &str) -> (StatusCode, &'static str, Vec<String>) {
    let says = |status, title, texts: &[&str]| (status, title, texts.iter().map(|text| (*text).to_owned()).collect());
    match refused {
        Refused::Unknown | Refused::Expired => says(
            StatusCode::BAD_REQUEST,
            "This sign-in is over",
            &["It was used already, or it took longer than ten minutes. Nobody was signed in by it."],
        ),
        Refused::OtherBrowser => says(
            StatusCode::FORBIDDEN,
            "This sign-in belongs to another browser",
            &[
                "A sign-in counts only in the browser, and under the address of leadpact, where it was begun.",
                "Begin again here. If that does not help, the browser keeps no cookies from this site.",
            ],
        ),
        Refused::TooMany => says(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many sign-ins are under way",
            &["Try again in ten minutes. Whoever has a password can sign in with it now."],
        ),
        Refused::Provider(ProviderError::Unreachable(_)) => (
            StatusCode::BAD_GATEWAY,
            "The identity provider does not answer",
            vec![
                format!("{name} cannot be used at the moment. Try again in a while; the log says what is wrong."),
                "Whoever has a password can sign in with it.".to_owned(),
            ],
        ),
        Refused::Provider(ProviderError::Refused(why)) => (
            StatusCode::FORBIDDEN,
            "The identity provider did not sign you in",
            vec![format!("{name} says: {}", short(why)), "Nobody was signed in.".to_owned()],
        ),
        Refused::Provider(ProviderError::Untrusted(_)) => (
            StatusCode::FORBIDDEN,
            "The identity provider's answer is not valid",
            vec![
                "Nobody was signed in: what came does not belong to this sign-in, or was not made for leadpact."
                    .to_owned(),
                "Begin again. If it happens again, tell an administrator: the log says what does not fit.".to_owned(),
            ],
        ),
        Refused::NotLetIn(refusal) => not_let_in(*refusal, name),
        Refused::Store(_) => says(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer", &[]),
    }
}

fn not_let_in(refusal: Refusal, name: &str) -> (StatusCode, &'static str, Vec<String>) {
    let title = "You may not come in yet";
    let forbidden = |texts: Vec<String>| (StatusCode::FORBIDDEN, title, texts);
    match refusal {
        Refusal::Disabled => forbidden(vec![
            format!("{name} knows you; your account here is disabled."),
            "An administrator can enable it with leadpact user enable.".to_owned(),
        ]),
        Refusal::Unknown => forbidden(vec![
            format!("{name} knows you; there is no account for you here, and no group of yours is given a role."),
            "An administrator can add one with leadpact user add, under the e-mail address that you have there."
                .to_owned(),
        ]),
        Refusal::Unverified => forbidden(vec![
            format!("{name} does not say that your e-mail address is verified: no account is looked for by it."),
            "Verify the address there and begin again, or have an administrator give one of your groups a role."
                .to_owned(),
        ]),
        Refusal::AnotherPerson => forbidden(vec![
            format!("The account of your e-mail address belongs to somebody else at {name}."),
            "If that was you, an administrator can loosen it with leadpact user unlink; then begin again.".to_owned(),
        ]),
        Refusal::RoleGone => forbidden(vec![
            format!("{name} gives you no role for leadpact any more."),
            "Have yourself added to one of the groups that have a role here, then begin again.".to_owned(),
        ]),
        Refusal::Again => (
            StatusCode::CONFLICT,
            "Somebody was faster",
            vec!["You were signing in twice at the same moment. Begin again.".to_owned()],
        ),
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect()
}
