//! The signature schemes of the senders we know, as pure functions over what arrived. Which scheme
//! a sender must use, and from which headers, is decided in its own `verify.rs`.

use super::Refusal;
use crate::record::{Elapsed, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A signature older or newer than this is a replay or a wrong clock. Exactly this old still passes.
pub const WINDOW: Elapsed = Elapsed::from_secs(300);

/// What HubSpot decodes in a URL before it signs; every other escape stays as it is.
const DECODED: [(&str, char); 12] = [
    ("%3A", ':'),
    ("%2F", '/'),
    ("%3F", '?'),
    ("%40", '@'),
    ("%21", '!'),
    ("%24", '$'),
    ("%27", '\''),
    ("%28", '('),
    ("%29", ')'),
    ("%2A", '*'),
    ("%2C", ','),
    ("%3B", ';'),
];

/// HubSpot v1: hex(SHA-256(secret, body)). No timestamp, so it can be replayed: for tools, not for ingest.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn verify_hubspot_v1(secret: &[u8], body: &[u8], signature: &str) -> Result<(), Refusal> {
    verify_plain_hash(secret, &[body], signature)
}

/// HubSpot v2: hex(SHA-256(secret, method, URL, body)), the URL as it is. Can be replayed, as v1.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn verify_hubspot_v2(secret: &[u8], method: &str, url: &str, body: &[u8], signature: &str) -> Result<(), Refusal> {
    verify_plain_hash(secret, &[method.as_bytes(), url.as_bytes(), body], signature)
}

/// HubSpot v3: base64(HMAC-SHA-256(secret, method, URL, body, timestamp)); the timestamp in
/// milliseconds, the URL partly decoded. `url` is the public one as received.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn verify_hubspot_v3(
    secret: &[u8],
    method: &str,
    url: &str,
    body: &[u8],
    timestamp: &str,
    signature: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    in_window(Timestamp::from_millis(digits(timestamp)?), now)?;
    let mac = from_base64(signature)?;
    let url = decode_for_hubspot(url);
    verify_hmac(secret, &[method.as_bytes(), url.as_bytes(), body, timestamp.as_bytes()], &mac)
}

/// Slack v0: `v0=` and hex(HMAC-SHA-256(secret, `v0:timestamp:body`)), the timestamp in seconds.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn verify_slack_v0(
    secret: &[u8],
    timestamp: &str,
    body: &[u8],
    signature: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    in_window(from_seconds(digits(timestamp)?), now)?;
    let mac = from_hex(signature.strip_prefix("v0=").ok_or(MISMATCH)?)?;
    verify_hmac(secret, &[b"v0:", timestamp.as_bytes(), b":", body], &mac)
}

/// Standard Webhooks v1: one of the listed `v1,` and base64(HMAC-SHA-256(key, `id.timestamp.body`));
/// the key is what the secret decodes to, the timestamp is in seconds. Other versions are skipped.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn verify_standard_webhooks(
    secret: &str,
    id: &str,
    timestamp: &str,
    body: &[u8],
    signatures: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    if id.is_empty() {
        return Err(Refusal("no webhook id"));
    }
    in_window(from_seconds(digits(timestamp)?), now)?;
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).map_err(|_| NO_SECRET)?;
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let offered = signatures.split_ascii_whitespace().filter_map(|s| s.strip_prefix("v1,"));
    offered
        .filter_map(|text| from_base64(text).ok())
        .find_map(|mac| verify_hmac(&key, &signed, &mac).ok())
        .ok_or(MISMATCH)
}

/// HMAC-SHA-256 over the parts, compared in constant time and never cut short.
///
/// # Errors
/// [`Refusal`] when the secret is empty or the MAC is another.
pub fn verify_hmac(secret: &[u8], parts: &[&[u8]], mac: &[u8]) -> Result<(), Refusal> {
    keyed(secret, parts)?.verify_slice(mac).map_err(|_| MISMATCH)
}

/// The bytes of a hex text.
///
/// # Errors
/// [`Refusal`] when it is none.
pub fn from_hex(text: &str) -> Result<Vec<u8>, Refusal> {
    hex::decode(text).map_err(|_| MISMATCH)
}

/// The bytes of a base64 text (standard alphabet, padded).
///
/// # Errors
/// [`Refusal`] when it is none.
pub fn from_base64(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| MISMATCH)
}

const MISMATCH: Refusal = Refusal("the signature does not match");
const NO_SECRET: Refusal = Refusal("no usable secret is configured");

fn keyed(secret: &[u8], parts: &[&[u8]]) -> Result<Hmac<Sha256>, Refusal> {
    if secret.is_empty() {
        return Err(NO_SECRET);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| NO_SECRET)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac)
}

fn verify_plain_hash(secret: &[u8], parts: &[&[u8]], signature: &str) -> Result<(), Refusal> {
    let presented = from_hex(signature)?;
    let mut hash = Sha256::new_with_prefix(secret);
    parts.iter().for_each(|part| hash.update(part));
    // Comparing MACs of both hides at which byte they differ.
    let expected = keyed(secret, &[&hash.finalize()])?.finalize().into_bytes();
    verify_hmac(secret, &[&presented], &expected)
}

/// Digits only: no sign, no space, no fraction.
fn digits(timestamp: &str) -> Result<i64, Refusal> {
    let plain = !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
    timestamp.parse().ok().filter(|_| plain).ok_or(Refusal("the timestamp is not a number"))
}

fn from_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1000))
}

fn in_window(signed: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if now - signed > WINDOW {
        Err(Refusal("the signature is too old"))
    } else if signed - now > WINDOW {
        Err(Refusal("the signature is from the future"))
    } else {
        Ok(())
    }
}

/// One pass, so that what a decoded escape uncovers is not decoded again.
fn decode_for_hubspot(url: &str) -> Cow<'_, str> {
    if !url.contains('%') {
        return Cow::Borrowed(url);
    }
    let mut decoded = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = DECODED.iter().find(|(escape, _)| rest.starts_with(escape));
        decoded.push(known.map_or('%', |(_, c)| *c));
        rest = &rest[known.map_or(1, |(escape, _)| escape.len())..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_escapes_are_decoded_and_only_once() {
        assert_eq!(decode_for_hubspot("https://h/a%2Fb?c=%20%26%3B"), "https://h/a/b?c=%20%26;");
        assert_eq!(decode_for_hubspot("x%252F%2f%"), "x%252F%2f%");
        assert_eq!(decode_for_hubspot("%2Fé%3A"), "/é:");
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        let mac = keyed(b"x", &[b"body"]).unwrap().finalize().into_bytes();
        assert_eq!(verify_hmac(b"", &[b"body"], &mac), Err(NO_SECRET));
        assert_eq!(verify_hmac(b"x", &[b"body"], &mac), Ok(()));
        let mut keyless = Hmac::<Sha256>::new_from_slice(b"").unwrap();
        keyless.update(b"i.1.body");
        let forged = format!("v1,{}", STANDARD.encode(keyless.finalize().into_bytes()));
        let now = Timestamp::from_millis(0);
        assert_eq!(verify_standard_webhooks("whsec_", "i", "1", b"body", &forged, now), Err(MISMATCH));
    }

    #[test]
    fn a_shortened_signature_is_refused() {
        let mac = keyed(b"x", &[b"body"]).unwrap().finalize().into_bytes();
        assert_eq!(verify_hmac(b"x", &[b"body"], &mac[..31]), Err(MISMATCH));
        assert_eq!(verify_hmac(b"x", &[b"body"], &[]), Err(MISMATCH));
    }

    #[test]
    fn a_timestamp_has_digits_only() {
        for text in ["", "+1", "-1", " 1", "1.0", "NaN", "99999999999999999999"] {
            assert!(digits(text).is_err(), "{text}");
        }
        assert_eq!(digits("1767225600000"), Ok(1_767_225_600_000));
    }
}
