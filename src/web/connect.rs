//! `/connect/{connection}`: where somebody signs in to the CRM of a connection with a browser, and where
//! the CRM sends the browser back to. What must fit before anything happens is decided in
//! `engine/sign_in.rs`; what the pages say is in `connect/says.rs`. Tickets, states and codes are never
//! logged.

mod says;

use super::Web;
use super::pages::html_with;
use crate::crm::oauth::BrowserSignIn;
use crate::engine::Site;
use crate::engine::clock::real_now;
use crate::engine::sign_in::{Onward, Refused, STATE_LASTS, SignIns};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Form, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use says::Page;
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

pub fn routes(routes: &mut ServiceConfig) {
    let ask = web::resource("/connect/{connection}").route(web::get().to(ask)).route(web::post().to(go_on));
    let back = web::resource("/connect/{connection}/callback").route(web::get().to(come_back));
    routes.service(ask).service(back);
}

/// A connection that is signed in to with a browser.
struct Place<'w> {
    site: Arc<Site>,
    crm: BrowserSignIn,
    sign_ins: &'w SignIns,
    /// What goes before paths where a proxy gives us a part of a host.
    base: String,
    is_https: bool,
}

impl<'w> Place<'w> {
    fn find(web: &'w Web, connection: &str) -> Result<Self, Box<HttpResponse>> {
        let (base, is_https) = own_address(web);
        let Some(site) = web.engine.site(connection) else {
            return Err(Box::new(shown(StatusCode::NOT_FOUND, &says::no_connection(&base))));
        };
        match (BrowserSignIn::of(&site.connection), web.sign_ins.as_ref()) {
            (Some(crm), Some(sign_ins)) => Ok(Self { site, crm, sign_ins, base, is_https }),
            _ => Err(Box::new(shown(StatusCode::NOT_FOUND, &says::no_browser(&base, &site.connection)))),
        }
    }

    /// A cookie of that name comes from this host, over TLS, and from no part of it. Without TLS, which
    /// CRMs allow on this machine alone, no browser would take it.
    fn cookie_name(&self) -> &'static str {
        if self.is_https { "__Host-leadpact-connect" } else { "leadpact-connect" }
    }

    fn cookie(&self, value: &str, lasts: Duration) -> Cookie<'static> {
        Cookie::build(self.cookie_name(), value.to_owned())
            .path("/")
            .secure(self.is_https)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(lasts)
            .finish()
    }

    fn refuse(&self, of: Of, refused: &Refused) -> HttpResponse {
        let connection = self.site.name();
        match refused {
            Refused::Crm(_) | Refused::Credential(_) => tracing::warn!(%connection, "a sign-in failed: {refused}"),
            _ => tracing::info!(%connection, "a sign-in was refused: {refused}"),
        }
        let page = match of {
            Of::Ticket => says::bad_ticket(&self.base, &self.site.connection, refused),
            Of::State => says::bad_return(&self.base, &self.site.connection, refused),
        };
        shown(status(of, refused), &page)
    }
}

/// What was refused.
#[derive(Clone, Copy)]
enum Of {
    Ticket,
    State,
}

fn status(of: Of, refused: &Refused) -> StatusCode {
    use crate::crm::CrmError;
    use crate::engine::credentials::CredentialError;
    match (refused, of) {
        (Refused::Unknown | Refused::Expired | Refused::OtherConnection, Of::State) => StatusCode::BAD_REQUEST,
        (Refused::Unknown | Refused::Expired | Refused::OtherConnection | Refused::OtherBrowser, _) => {
            StatusCode::FORBIDDEN
        }
        (Refused::Crm(CrmError::SignIn { .. }), _) => StatusCode::FORBIDDEN,
        (Refused::Crm(_), _) => StatusCode::BAD_GATEWAY,
        (Refused::Credential(CredentialError::Store(_)), _) => StatusCode::SERVICE_UNAVAILABLE,
        (Refused::Credential(CredentialError::Seal(_)), _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The path of our public address, and whether it is https.
fn own_address(web: &Web) -> (String, bool) {
    let url = Url::parse(&web.public_base).ok();
    let path = url.as_ref().map_or("", Url::path).trim_end_matches('/').to_owned();
    (path, url.is_some_and(|url| url.scheme() == "https"))
}

fn shown(status: StatusCode, page: &Page) -> HttpResponse {
    html_with(status, page, "'none'")
}

#[derive(Deserialize)]
struct Ticketed {
    ticket: Option<String>,
}

/// Says what would be connected. Looking at it uses nothing up, since mail filters and messengers look
/// at addresses too.
async fn ask(web: Data<Web>, name: Path<String>, query: Result<Query<Ticketed>, actix_web::Error>) -> HttpResponse {
    let place = match Place::find(&web, &name) {
        Ok(place) => place,
        Err(response) => return *response,
    };
    let Some(ticket) = query.ok().and_then(|query| query.into_inner().ticket) else {
        return shown(StatusCode::OK, &says::no_ticket(&place.base, &place.site.connection));
    };
    match place.sign_ins.look(&place.site.connection, &ticket, real_now()).await {
        Ok(()) => {
            let page = says::ask(&place.base, &place.site, &place.crm, ticket);
            html_with(StatusCode::OK, &page, &form_targets(&place))
        }
        Err(refused) => place.refuse(Of::Ticket, &refused),
    }
}

/// Where the form may lead: Chromium holds every redirect after it to this list too. A CRM sends people
/// on to other hosts of its own, or to their company's identity provider, which nobody can name here.
fn form_targets(place: &Place<'_>) -> String {
    let crm = place.crm.authorize_url("", "", "");
    match crm.scheme() {
        "https" => "'self' https:".to_owned(),
        _ => format!("'self' https: {}", crm.origin().ascii_serialization()),
    }
}

async fn go_on(web: Data<Web>, name: Path<String>, form: Result<Form<Ticketed>, actix_web::Error>) -> HttpResponse {
    let place = match Place::find(&web, &name) {
        Ok(place) => place,
        Err(response) => return *response,
    };
    let ticket = form.ok().and_then(|form| form.into_inner().ticket).unwrap_or_default();
    match place.sign_ins.go_on(&place.site.connection, &place.crm, &ticket, real_now()).await {
        Ok(onward) => onward_to_crm(&place, &onward),
        Err(refused) => place.refuse(Of::Ticket, &refused),
    }
}

fn onward_to_crm(place: &Place<'_>, onward: &Onward) -> HttpResponse {
    let lasts = Duration::milliseconds(STATE_LASTS.as_millis());
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, onward.url.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .cookie(place.cookie(onward.browser.expose_secret(), lasts))
        .finish()
}

/// RFC 6749, sections 4.1.2 and 4.1.2.1.
#[derive(Deserialize)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

async fn come_back(
    web: Data<Web>,
    request: HttpRequest,
    name: Path<String>,
    query: Result<Query<Answer>, actix_web::Error>,
) -> HttpResponse {
    let place = match Place::find(&web, &name) {
        Ok(place) => place,
        Err(response) => return *response,
    };
    // A state that is given twice is none.
    let Some(answer) = query.ok().map(Query::into_inner) else { return place.refuse(Of::State, &Refused::Unknown) };
    let browser = request.cookie(place.cookie_name());
    let mut response = match finish(&web, &place, &answer, browser.as_ref().map(Cookie::value)).await {
        Ok(response) => response,
        Err(refused @ (Refused::Unknown | Refused::Expired | Refused::OtherConnection | Refused::OtherBrowser)) => {
            return place.refuse(Of::State, &refused);
        }
        Err(refused) => place.refuse(Of::State, &refused),
    };
    // The sign-in is used up, and so is what tied it to this browser.
    let spent = place.cookie("", Duration::ZERO);
    if let Err(error) = response.add_cookie(&spent) {
        tracing::error!("a cookie could not be taken back: {error}");
    }
    response
}

async fn finish(web: &Web, place: &Place<'_>, answer: &Answer, browser: Option<&str>) -> Result<HttpResponse, Refused> {
    let connection = &place.site.connection;
    let state = answer.state.as_deref().unwrap_or_default();
    // Before anything that came with it is believed, an error of the CRM's included.
    let returned = place.sign_ins.come_back(connection, state, browser, real_now()).await?;
    let Some(code) = answer.code.as_deref().filter(|_| answer.error.is_none()) else {
        let page =
            says::declined(&place.base, connection, answer.error.as_deref(), answer.error_description.as_deref());
        return Ok(shown(StatusCode::BAD_REQUEST, &page));
    };
    let at = web.engine.clock.now();
    let account = place.sign_ins.complete(&place.site, &place.crm, &returned, code, at).await?;
    Ok(shown(StatusCode::OK, &says::connected(&place.base, &place.site, account.as_deref())))
}
