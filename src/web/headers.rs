//! What every answer to a browser carries: nothing foreign is loaded, framed, sent on or kept.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Scripts and styles come from our own files only: none stand in a page, not even in an attribute.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const ALL: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Lets the page's forms lead to other addresses than our own. They are the operator's, as the
/// configuration names them; what is no header's text leaves the policy as it is.
pub fn let_forms_lead_to(headers: &mut HeaderMap, targets: &str) {
    let policy = POLICY.replace("form-action 'self'", &format!("form-action {targets}"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Adds them where the answer does not say otherwise.
pub fn protect(headers: &mut HeaderMap) {
    for (name, value) in ALL {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
