//! Signing in and out: with a password, or by a link that works once. Every way in begins a new
//! session, whatever the browser brought.

use super::pages::{self, Nav, html};
use super::password::{self, PasswordError};
use super::routes::{Entry, Needs, Verb, open, post};
use super::session::{self as cookies, Visitor};
use super::throttle::Attempt;
use super::{Web, address};
use crate::record::Elapsed;
use crate::store::account::{self, Account, Purpose};
use crate::store::role::Permission;
use crate::store::secret::Secret;
use crate::store::session::{self, From};
use crate::store::{Priority, StoreError, oidc};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

pub(super) const ROUTES: &[Entry] = &[
    open(Verb::Get, "/login", Needs::Nothing, |route| route.to(show)),
    open(Verb::Post, "/login", Needs::Nothing, |route| route.to(sign_in)),
    open(Verb::Get, "/login/link/{token}", Needs::Nothing, |route| route.to(show_link)),
    open(Verb::Post, "/login/link/{token}", Needs::Nothing, |route| route.to(use_link)),
    post("/logout", Permission::Look, |route| route.to(sign_out)),
];

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    nav: Nav,
    problem: Option<String>,
    login: String,
    next: String,
    other: Option<OtherWay>,
}

/// The way in by the identity provider.
struct OtherWay {
    name: String,
    href: String,
}

impl OtherWay {
    fn of(web: &Web, next: &str) -> Option<Self> {
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let href = if next == "%2F" { "/login/oidc".to_owned() } else { format!("/login/oidc?next={next}") };
        web.provider().map(|name| Self { name: name.to_owned(), href })
    }
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    nav: Nav,
    name: String,
    token: String,
    /// Else it signs in at once.
    sets_password: bool,
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Shown {
    next: Option<String>,
}

#[derive(Deserialize)]
struct SignIn {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct UseLink {
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

/// Where to go afterwards: a path of ours, never another site.
pub(super) fn local(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if is_path && next.bytes().all(|b| b.is_ascii_graphic()) { next } else { "/" }
}

async fn show(web: Data<Web>, shown: Query<Shown>) -> HttpResponse {
    let next = shown.next.as_deref().map(local).unwrap_or("/").to_owned();
    let other = OtherWay::of(&web, &next);
    html(StatusCode::OK, &Page { nav: Nav::nobody(), problem: None, login: String::new(), next, other })
}

fn refuse(web: &Web, status: StatusCode, form: &SignIn, problem: String) -> HttpResponse {
    let (login, next) = (form.login.clone(), local(&form.next).to_owned());
    let other = OtherWay::of(web, &next);
    html(status, &Page { nav: Nav::nobody(), problem: Some(problem), login, next, other })
}

async fn sign_in(web: Data<Web>, request: HttpRequest, form: Form<SignIn>) -> HttpResponse {
    match try_sign_in(&web, &request, &form).await {
        Ok(answer) => answer,
        Err(error) => pages::unavailable(&error),
    }
}

async fn try_sign_in(web: &Web, request: &HttpRequest, form: &SignIn) -> Result<HttpResponse, StoreError> {
    let (db, now) = (&web.engine.db, web.clock.now());
    let attempt = match Attempt::begin(db, &form.login, &address::of(web, request), now).await? {
        Ok(attempt) => attempt,
        Err(wait) => return Ok(wait_first(web, form, wait)),
    };
    let account = account::find(db, &form.login).await?.filter(|account| !account.disabled);
    let hash = account.as_ref().and_then(|account| account.password.clone());
    let is_right = match password::verify(form.password.clone(), hash).await {
        Ok(is_right) => is_right,
        Err(error) => return Ok(not_now(web, form, &error)),
    };
    let Some(account) = account.filter(|_| is_right) else {
        tracing::warn!("a sign-in failed");
        let problem = "The e-mail address or the password is wrong.".to_owned();
        return Ok(refuse(web, StatusCode::UNAUTHORIZED, form, problem));
    };
    let mut tx = db.begin(Priority::Work).await?;
    attempt.succeeded(&mut tx, now).await?;
    tx.commit().await?;
    begin(web, request, &account, local(&form.next)).await
}

fn wait_first(web: &Web, form: &SignIn, wait: Elapsed) -> HttpResponse {
    let seconds = (wait.as_millis() + 999) / 1000;
    let wait = Elapsed::from_secs(seconds);
    let problem = format!("Too many wrong passwords. Try again in {wait}.");
    let mut answer = refuse(web, StatusCode::TOO_MANY_REQUESTS, form, problem);
    answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    answer
}

fn not_now(web: &Web, form: &SignIn, error: &PasswordError) -> HttpResponse {
    tracing::error!("a password could not be looked at: {error}");
    let problem = "Signing in does not work now. Try again in a moment.".to_owned();
    refuse(web, StatusCode::SERVICE_UNAVAILABLE, form, problem)
}

/// Begins a session and ends the one that the browser had, so that nobody can slip a known one in.
pub(super) async fn begin(
    web: &Web,
    request: &HttpRequest,
    account: &Account,
    next: &str,
) -> Result<HttpResponse, StoreError> {
    begin_for(web, request, account, next, session::LONGEST).await
}

/// The same, of one that ends after so long.
pub(super) async fn begin_for(
    web: &Web,
    request: &HttpRequest,
    account: &Account,
    next: &str,
    lasts: Elapsed,
) -> Result<HttpResponse, StoreError> {
    let (now, secret) = (web.clock.now(), Secret::fresh(""));
    let browser = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let address = address::of(web, request);
    let mut tx = web.engine.db.begin(Priority::Work).await?;
    session::tidy(&mut tx, now).await?;
    if let Some(before) = cookies::cookie(web, request) {
        session::end(&mut tx, &before).await?;
    }
    session::begin_for(&mut tx, &secret, &account.id, From { address: &address, browser }, (now, lasts)).await?;
    tx.commit().await?;
    tracing::info!(account = %account.id, role = %account.role, "somebody signed in");
    let cookie = cookies::keep(web, &secret, lasts);
    Ok(HttpResponse::SeeOther().cookie(cookie).insert_header((header::LOCATION, next)).finish())
}

async fn sign_out(web: Data<Web>, visitor: Visitor) -> HttpResponse {
    let ended = async {
        let (Some(session), Some((account, _))) = (visitor.session(), visitor.account()) else { return Ok("/login") };
        let mut tx = web.engine.db.begin(Priority::Work).await?;
        session::end(&mut tx, session).await?;
        tx.commit().await?;
        // At an identity provider whom it is of may be signed in still.
        let is_bound = web.provider().is_some() && !oidc::of_account(&web.engine.db, account).await?.is_empty();
        Ok(if is_bound { "/login/oidc/out" } else { "/login" })
    };
    match ended.await {
        Ok(next) => {
            let cookie = cookies::forget(&web);
            HttpResponse::SeeOther().cookie(cookie).insert_header((header::LOCATION, next)).finish()
        }
        Err(error) => pages::unavailable(&error),
    }
}

/// A link is looked at first: programs that open links ahead of people must not use it up.
async fn show_link(web: Data<Web>, token: Path<String>) -> HttpResponse {
    let secret = Secret::brought(&token);
    match account::look_at_link(&web.engine.db, &secret, web.clock.now()).await {
        Ok(Some((account, purpose))) => link_page(StatusCode::OK, &secret, account, purpose, None),
        Ok(None) => over(),
        Err(error) => pages::unavailable(&error),
    }
}

fn link_page(
    status: StatusCode,
    secret: &Secret,
    account: Account,
    purpose: Purpose,
    problem: Option<String>,
) -> HttpResponse {
    let (nav, token) = (Nav::nobody(), secret.expose().to_owned());
    let sets_password = purpose == Purpose::SetPassword;
    html(status, &LinkPage { nav, name: account.name, token, sets_password, problem })
}

fn over() -> HttpResponse {
    let text = "It works once and for a limited time. Ask an administrator for another one.";
    pages::message(StatusCode::NOT_FOUND, "This link does not work any more", text)
}

async fn use_link(web: Data<Web>, request: HttpRequest, token: Path<String>, form: Form<UseLink>) -> HttpResponse {
    match try_link(&web, &request, &Secret::brought(&token), &form).await {
        Ok(answer) => answer,
        Err(error) => pages::unavailable(&error),
    }
}

async fn try_link(
    web: &Web,
    request: &HttpRequest,
    secret: &Secret,
    form: &UseLink,
) -> Result<HttpResponse, StoreError> {
    let (db, now) = (&web.engine.db, web.clock.now());
    let Some((account, purpose)) = account::look_at_link(db, secret, now).await? else { return Ok(over()) };
    let hash = match purpose {
        Purpose::SignIn => None,
        Purpose::SetPassword => match chosen(form).await {
            Ok(hash) => Some(hash),
            Err(PasswordError::Unfit(problem)) => {
                return Ok(link_page(StatusCode::BAD_REQUEST, secret, account, purpose, Some(problem)));
            }
            Err(error) => {
                tracing::error!("a password could not be set: {error}");
                let problem = "That does not work now. Try again in a moment.".to_owned();
                return Ok(link_page(StatusCode::SERVICE_UNAVAILABLE, secret, account, purpose, Some(problem)));
            }
        },
    };
    let mut tx = db.begin(Priority::Work).await?;
    if !account::use_link(&mut tx, secret, now).await? {
        return Ok(over());
    }
    if let Some(hash) = hash {
        account::set_password(&mut tx, &account.id, Some(&hash)).await?;
    }
    tx.commit().await?;
    begin(web, request, &account, "/").await
}

/// The hash of a password that was typed twice.
async fn chosen(form: &UseLink) -> Result<String, PasswordError> {
    if form.password != form.again {
        return Err(PasswordError::Unfit("The two passwords are not the same.".to_owned()));
    }
    password::hash(form.password.clone()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        for away in ["https://evil.example", "//evil.example", "/\\evil.example", "\\/evil.example", "", "/a\r\nX: y"] {
            assert_eq!(local(away), "/", "{away:?}");
        }
        assert_eq!(local("/records/acme/lead/7?x=%20y"), "/records/acme/lead/7?x=%20y");
    }
}
