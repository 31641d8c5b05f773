//! Answers that several handlers give: small JSON errors, never with a secret or a database's text.

use super::Web;
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

/// The refusal of a list of a connection that there is not; `None` where it is known, or none is named.
pub fn no_such_connection(web: &Web, name: &str) -> Option<HttpResponse> {
    let is_known = name.is_empty() || web.engine.site(name).is_some();
    (!is_known).then(|| refused(StatusCode::NOT_FOUND, "no connection is called so", Some("connection")))
}

/// The database did not answer; the reason is for the log alone.
pub fn unavailable(error_seen: &crate::store::StoreError) -> HttpResponse {
    tracing::error!("a request could not be answered: {error_seen}");
    error(StatusCode::SERVICE_UNAVAILABLE, "the database is not available")
}
