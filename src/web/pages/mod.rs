//! Pages for people: which there are, and how they are answered. How to add one: docs/pages.md.

pub mod agreement;
mod campaigns;
pub(super) mod choices;
mod counted;
mod deliveries;
pub mod disputes;
mod find;
mod front;
pub(super) mod health;
mod journal;
mod nav;
pub(super) mod record;
pub(super) mod risk;
pub(super) mod simulate;
pub mod tally;
pub mod templates;
pub(super) mod waterfall;

pub use nav::Nav;

use super::routes::Entry;
use super::session::Visitor;
use super::{answer, headers};
use crate::chart::text::escape;
use crate::store::role::Permission;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

/// The pages' lines of the table of routes, a list a file.
pub(super) const ROUTES: &[&[Entry]] = &[
    agreement::ROUTES,
    campaigns::ROUTES,
    deliveries::ROUTES,
    disputes::ROUTES,
    find::ROUTES,
    front::ROUTES,
    health::ROUTES,
    journal::ROUTES,
    record::ROUTES,
    &record::ACTS,
    risk::ROUTES,
    simulate::ROUTES,
    templates::ROUTES,
    waterfall::ROUTES,
];

/// Answers with a page.
pub fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => {
            let mut response = HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text);
            headers::protect(response.headers_mut());
            response
        }
        Err(error) => {
            tracing::error!("a page could not be made: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A page of which the form may lead to these addresses, as a content security policy names them.
pub fn html_with(status: StatusCode, page: &impl Template, form_targets: &str) -> HttpResponse {
    let mut response = html(status, page);
    headers::let_forms_lead_to(response.headers_mut(), form_targets);
    response
}

/// What stands between backticks, as code; all of it escaped: HTML.
pub fn coded(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }).collect()
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    nav: Nav,
    title: &'a str,
    text: &'a str,
}

/// Says one thing to whoever it is.
pub fn message(status: StatusCode, title: &str, text: &str) -> HttpResponse {
    html(status, &Message { nav: Nav::nobody(), title, text })
}

/// Says one thing to somebody who signed in.
pub fn tell(visitor: &Visitor, status: StatusCode, title: &str, text: &str) -> HttpResponse {
    html(status, &Message { nav: Nav::at("", visitor), title, text })
}

/// What was asked for needs another role.
pub fn forbidden(visitor: &Visitor, permission: Permission) -> HttpResponse {
    let text = format!(
        "This needs {}; your role is {}. An administrator can change it with leadpact user role.",
        permission.roles(),
        visitor.role()
    );
    tell(visitor, StatusCode::FORBIDDEN, "You may not do this", &text)
}

/// The database did not answer.
pub fn unavailable(error: &crate::store::StoreError) -> HttpResponse {
    tracing::error!("a page could not be shown: {error}");
    let text = "Try again in a moment. CRMs send again what could not be stored; the log says more.";
    message(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer", text)
}

/// Where nothing is.
pub async fn nothing(request: HttpRequest, visitor: Visitor) -> HttpResponse {
    if request.path().starts_with("/api/") {
        return answer::error(StatusCode::NOT_FOUND, "no such address");
    }
    tell(&visitor, StatusCode::NOT_FOUND, "There is no such page", "The address may be mistyped or out of date.")
}
