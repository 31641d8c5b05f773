//! `/metrics` for Prometheus: open to this machine, else for who signs in or has a token. What is
//! counted is in `engine/metrics.rs`.

use super::Web;
use super::routes::{Entry, Needs, Verb, open};
use actix_web::HttpResponse;
use actix_web::web::Data;

pub(super) const ROUTES: &[Entry] = &[open(Verb::Get, "/metrics", Needs::ToBeNear, |route| route.to(metrics))];

async fn metrics(web: Data<Web>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(web.engine.metrics.encode())
}
