//! Pages for people: which there are, and the headers that all of them carry. There are no scripts;
//! the one style sheet comes from here.

mod clocks;
mod record;
pub mod tally;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use askama::Template;

/// Nothing may be loaded but our style sheet, nothing run, nobody may frame us.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action";
const STYLE: &str = include_str!("../../../templates/style.css");

pub fn routes(routes: &mut ServiceConfig) {
    routes
        .route("/", web::get().to(clocks::clocks))
        .route("/records/{connection}/{object}/{id}", web::get().to(record::record));
}

/// What every page needs, on whichever address it is.
pub fn assets(routes: &mut ServiceConfig) {
    routes.route("/assets/style.css", web::get().to(style));
}

async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("Cache-Control", "max-age=300"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(STYLE)
}

fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    html_with(status, page, "'none'")
}

/// A page with a form that may lead to these, as a Content-Security-Policy names them.
pub fn html_with(status: StatusCode, page: &impl Template, form_targets: &str) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header(("Content-Security-Policy", format!("{POLICY} {form_targets}")))
            .insert_header(("X-Content-Type-Options", "nosniff"))
            .insert_header(("X-Frame-Options", "DENY"))
            .insert_header(("Referrer-Policy", "no-referrer"))
            .insert_header(("Cache-Control", "no-store"))
            .body(text),
        Err(error) => {
            tracing::error!("a page could not be made: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

fn message(status: StatusCode, title: &str, text: &str) -> HttpResponse {
    html(status, &Message { title, text })
}

fn unavailable(error: &crate::store::StoreError) -> HttpResponse {
    tracing::error!("a page could not be shown: {error}");
    let text = "Try again in a moment. CRMs send again what could not be stored; the log says more.";
    message(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer", text)
}
