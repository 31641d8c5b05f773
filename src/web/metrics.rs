//! `/metrics` for Prometheus. What is counted is in `engine/metrics.rs`.

use super::Web;
use actix_web::HttpResponse;
use actix_web::web::Data;

pub async fn metrics(web: Data<Web>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(web.engine.metrics.encode())
}
