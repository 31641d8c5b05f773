//! Answers that several handlers give: small JSON errors, never with a secret or a database's text.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

/// `{"error": "…"}`
pub fn error(status: StatusCode, text: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": text }))
}

/// The database did not answer; the reason is for the log alone.
pub fn unavailable(error_seen: &crate::store::StoreError) -> HttpResponse {
    tracing::error!("a request could not be answered: {error_seen}");
    error(StatusCode::SERVICE_UNAVAILABLE, "the database is not available")
}
