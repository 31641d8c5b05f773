//! Answers that several handlers give: small JSON errors, never with a secret or a database's text.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

/// `{"error": "…"}`
pub fn error(status: StatusCode, text: &str) -> HttpResponse {
    refused(status, text, None)
}

/// `{"error": "…", "parameter": "…"}`: with the parameter or the body's field that is meant.
pub fn refused(status: StatusCode, text: &str, parameter: Option<&str>) -> HttpResponse {
    let mut told = json!({ "error": text });
    if let Some(parameter) = parameter {
        told["parameter"] = parameter.into();
    }
    HttpResponse::build(status).json(told)
}

/// The database did not answer; the reason is for the log alone.
pub fn unavailable(error_seen: &crate::store::StoreError) -> HttpResponse {
    tracing::error!("a request could not be answered: {error_seen}");
    error(StatusCode::SERVICE_UNAVAILABLE, "the database is not available")
}
