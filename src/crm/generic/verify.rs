//! Whether the configured sender sent a webhook: Standard Webhooks; a plain HMAC-SHA-256 of the body,
//! which carries no time and so can be replayed; HTTP Basic credentials or a shared token, which vouch
//! for nothing that the body says.

use crate::crm::connection::{GenericVerify, SignatureEncoding};
use crate::crm::signature::{from_base64, from_hex, verify_hmac, verify_standard_webhooks};
use crate::crm::{RawDelivery, Refusal, VerifiedDelivery};
use crate::record::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Accepts what any of the secrets signed or names; Standard Webhooks within five minutes of `now`.
pub(super) fn verify(raw: RawDelivery, scheme: &GenericVerify, now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
    match scheme {
        GenericVerify::StandardWebhooks { secret } => return standard_webhooks(raw, secret, now),
        GenericVerify::HmacSha256 { header, encoding, prefix, secret } => {
            let text = presented(&raw, header, prefix, "no signature")?;
            let mac = match encoding {
                SignatureEncoding::Hex => from_hex(text),
                SignatureEncoding::Base64 => from_base64(text),
            }?;
            any(secret, |secret| verify_hmac(secret.as_bytes(), &[&raw.body], &mac))?;
        }
        GenericVerify::Basic { secret } => {
            let text = raw.header("authorization").ok_or(Refusal("no credentials"))?;
            let (scheme, text) = text.split_once(' ').ok_or(WRONG)?;
            let given = from_base64(text.trim()).map_err(|_| WRONG)?;
            let is_basic = scheme.eq_ignore_ascii_case("basic");
            any(secret, |secret| if is_basic { same(secret, &given) } else { Err(WRONG) })?;
        }
        GenericVerify::Token { header, prefix, secret } => {
            let text = presented(&raw, header, prefix, "no token")?;
            any(secret, |secret| same(secret, text.as_bytes()))?;
        }
    }
    Ok(VerifiedDelivery::new(raw.body, None))
}

const WRONG: Refusal = Refusal("wrong credentials");

fn presented<'a>(raw: &'a RawDelivery, header: &str, prefix: &str, missing: &'static str) -> Result<&'a str, Refusal> {
    let text = raw.header(&header.to_lowercase()).ok_or(Refusal(missing))?;
    text.strip_prefix(prefix).ok_or(Refusal("the signature lacks its prefix"))
}

/// Equal and not empty, in a time that does not tell how much of it is equal.
fn same(expected: &str, given: &[u8]) -> Result<(), Refusal> {
    let mac = |text: &[u8]| {
        let mac = Hmac::<Sha256>::new_from_slice(expected.as_bytes()).expect("HMAC takes keys of any length");
        mac.chain_update(text)
    };
    let equal = mac(given).verify_slice(&mac(expected.as_bytes()).finalize().into_bytes()).is_ok();
    if equal && !expected.is_empty() { Ok(()) } else { Err(WRONG) }
}

fn standard_webhooks(raw: RawDelivery, secrets: &[SecretString], now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
    let header = |name| raw.header(name).filter(|text| !text.is_empty());
    let id = header("webhook-id").ok_or(Refusal("no webhook id"))?;
    let timestamp = header("webhook-timestamp").ok_or(Refusal("no signature timestamp"))?;
    let signatures = header("webhook-signature").ok_or(Refusal("no signature"))?;
    any(secrets, |secret| verify_standard_webhooks(secret, id, timestamp, &raw.body, signatures, now))?;
    let id = id.to_owned();
    Ok(VerifiedDelivery::new(raw.body, Some(id)))
}

/// The outcome of the first secret that verifies, else of the last one.
fn any(secrets: &[SecretString], check: impl Fn(&str) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let mut outcome = Err(Refusal("no secret is configured"));
    for secret in secrets {
        outcome = check(secret.expose_secret());
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}
