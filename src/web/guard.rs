//! The one gate before all that is served to people and tools of the house: who asks is known, may do
//! that, and means it. What an address needs is said in `routes`; handlers find the [`Visitor`].

use super::routes::{Needs, needs};
use super::session::{self, Visitor};
use super::{Web, answer, csrf, headers, pages, programs};
use crate::store::StoreError;
use crate::store::role::Permission;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use std::net::IpAddr;

/// Why somebody is not let in.
enum Refusal {
    /// They are to sign in first.
    Unknown,
    Lacks(Visitor, Permission),
    /// Not sent by a page of ours, or by one that is out of date.
    NotMeant,
    Unavailable(StoreError),
    /// Its body cannot be read.
    Unreadable(Error),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::Unavailable(error)
    }
}

/// Lets a request through to its handler, or answers it.
///
/// # Errors
/// What the handler's service fails with.
pub async fn guard<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let web = web_of(&request);
    let mut response = match let_in(&mut request).await {
        Ok(()) => programs::finish(&web, next.call(request).await?),
        Err(answer) => {
            programs::finish(&web, request.into_response(*answer)).map_into_boxed_body().map_into_right_body()
        }
    };
    headers::protect(response.headers_mut());
    Ok(response)
}

fn web_of(request: &ServiceRequest) -> Data<Web> {
    request.app_data::<Data<Web>>().expect("every server has it").clone()
}

async fn let_in(request: &mut ServiceRequest) -> Result<(), Box<HttpResponse>> {
    if let Err(refusal) = admit(request).await {
        return Err(Box::new(refused(request.request(), refusal)));
    }
    match programs::is_api(request.path()) {
        true => programs::admit(request).await,
        false => Ok(()),
    }
}

async fn admit(request: &mut ServiceRequest) -> Result<(), Refusal> {
    let web = web_of(request);
    let is_own = request.method().is_safe() || is_own_page(&web, request);
    let needs = needs(request.method(), request.match_pattern().as_deref());
    let permission = match needs {
        Needs::Nothing => return if is_own { Ok(()) } else { Err(Refusal::NotMeant) },
        Needs::ToBeNear if is_near(&web, request.request()) => return Ok(()),
        Needs::ToBeNear => Permission::Look,
        Needs::Permission(permission) => permission,
    };
    let visitor = session::identify(&web, request.request()).await?.ok_or(Refusal::Unknown)?;
    if let Some(session) = visitor.session().filter(|_| !request.method().is_safe()) {
        let carries = csrf::carries_token(request, session).await.map_err(Refusal::Unreadable)?;
        if !(is_own && carries) {
            return Err(Refusal::NotMeant);
        }
    }
    if !visitor.may(permission) {
        return Err(Refusal::Lacks(visitor, permission));
    }
    request.extensions_mut().insert(visitor);
    Ok(())
}

fn is_own_page(web: &Web, request: &ServiceRequest) -> bool {
    let host = match &web.admin_url {
        Some(url) => url.authority().to_owned(),
        None => request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned(),
    };
    csrf::is_own_page(request.headers(), &host)
}

/// Whether this comes from this machine and not through a proxy, nor by a name that somebody else
/// chose for us.
fn is_near(web: &Web, request: &HttpRequest) -> bool {
    let proxied = [header::FORWARDED, header::X_FORWARDED_FOR].iter().any(|name| request.headers().contains_key(name));
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    let is_ours = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    web.admin_url.is_none() && !proxied && is_ours && request.peer_addr().is_some_and(|peer| peer.ip().is_loopback())
}

fn is_for_program(request: &HttpRequest) -> bool {
    programs::is_api(request.path()) || request.path() == "/metrics"
}

fn refused(request: &HttpRequest, refusal: Refusal) -> HttpResponse {
    match (refusal, is_for_program(request)) {
        (Refusal::Unknown, true) => {
            let mut answer = answer::error(StatusCode::UNAUTHORIZED, "an API token is needed: `leadpact token add`");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
            answer
        }
        (Refusal::Unknown, false) => to_sign_in(request),
        (Refusal::Lacks(_, permission), true) => {
            answer::error(StatusCode::FORBIDDEN, &format!("this needs {}", permission.roles()))
        }
        (Refusal::Lacks(visitor, permission), false) => pages::forbidden(&visitor, permission),
        (Refusal::NotMeant, true) => {
            answer::error(StatusCode::FORBIDDEN, "the token against forgery is missing or wrong")
        }
        (Refusal::NotMeant, false) => pages::message(
            StatusCode::FORBIDDEN,
            "This was not sent by a current page",
            "Nothing was changed. Load the page again and repeat what you did.",
        ),
        (Refusal::Unavailable(error), true) => answer::unavailable(&error),
        (Refusal::Unavailable(error), false) => pages::unavailable(&error),
        (Refusal::Unreadable(error), _) => error.error_response(),
    }
}

/// To the sign-in page, and back here afterwards. A part of a page cannot show a page: the browser is
/// told to go there as a whole.
fn to_sign_in(request: &HttpRequest) -> HttpResponse {
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let back = if request.method().is_safe() { here } else { "/" };
    if request.headers().contains_key("hx-request") {
        return HttpResponse::Unauthorized().insert_header(("HX-Redirect", "/login")).finish();
    }
    let next: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    let target = if back == "/" { "/login".to_owned() } else { format!("/login?next={next}") };
    HttpResponse::SeeOther().insert_header((header::LOCATION, target)).finish()
}
