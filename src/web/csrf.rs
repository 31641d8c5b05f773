//! Whether a request that changes something was meant by the person whose browser sends it: it comes
//! from our own pages (by its headers) and carries a word that only they know.

use crate::store::secret::Secret;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, error};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The hidden field of forms, and the header of scripts.
const FIELD: &str = "csrf";
const HEADER: &str = "x-csrf-token";
const FORM: &str = "application/x-www-form-urlencoded";

fn mac(session: &Secret) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(session.expose().as_bytes()).expect("a key may be of any length");
    mac.update(b"csrf");
    mac
}

/// The word of a session. It follows from the session's token, which it does not betray.
pub fn token(session: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(mac(session).finalize().into_bytes())
}

fn is_token(session: &Secret, word: &str) -> bool {
    URL_SAFE_NO_PAD.decode(word).is_ok_and(|bytes| mac(session).verify_slice(&bytes).is_ok())
}

/// Whether the browser says that one of our own pages sends this. Other programs say nothing, which
/// is no fault: they have no cookie that somebody else could use.
pub fn is_own_page(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let same_origin =
        |origin: &str| origin.parse::<Uri>().is_ok_and(|uri| uri.authority().is_some_and(|a| *a == *host));
    match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        // Pages that send no referrer say `null`.
        (Some(site), Some("null") | None) => site == "same-origin",
        (Some(site), Some(origin)) => site == "same-origin" && same_origin(origin),
        (None, Some(origin)) => same_origin(origin),
        (None, None) => true,
    }
}

/// Whether the request carries the session's word, in its header or in its form. A form is read here
/// and laid back for the handler.
pub async fn carries_token(request: &mut ServiceRequest, session: &Secret) -> Result<bool, error::Error> {
    if let Some(word) = request.headers().get(HEADER) {
        return Ok(word.to_str().is_ok_and(|word| is_token(session, word)));
    }
    if !request.content_type().eq_ignore_ascii_case(FORM) {
        return Ok(false);
    }
    let body = request.extract::<Bytes>().await?;
    let words: Vec<_> = url::form_urlencoded::parse(&body).filter(|(name, _)| name == FIELD).collect();
    let carries = matches!(words.as_slice(), [(_, word)] if is_token(session, word));
    request.set_payload(Payload::from(body));
    Ok(carries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn own(said: &[(&'static str, &'static str)]) -> bool {
        let pairs = said.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
        let headers = pairs.collect::<HeaderMap>();
        is_own_page(&headers, "pages.acme.example:8081")
    }

    #[test]
    fn only_our_own_pages_send_forms() {
        const HERE: (&str, &str) = ("origin", "https://pages.acme.example:8081");
        assert!(own(&[]) && own(&[HERE]) && own(&[HERE, ("sec-fetch-site", "same-origin")]));
        assert!(own(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        for foreign in ["https://pages.acme.example", "https://evil.example:8081", "null", "x"] {
            assert!(!own(&[("origin", foreign)]), "{foreign}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!own(&[HERE, ("sec-fetch-site", site)]), "{site}");
            assert!(!own(&[("sec-fetch-site", site)]), "{site}");
        }
    }

    #[test]
    fn a_word_is_of_one_session_only() {
        let (one, other) = (Secret::fresh(""), Secret::fresh(""));
        assert!(is_token(&one, &token(&one)) && !is_token(&other, &token(&one)));
        assert!(!is_token(&one, "") && !is_token(&one, one.expose()));
    }
}
