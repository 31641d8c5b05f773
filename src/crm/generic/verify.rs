//! Whether the configured sender sent a webhook: Standard Webhooks, or a plain HMAC-SHA-256 of the
//! body in a header of the sender's choice. The latter carries no time, so it can be replayed.

use crate::crm::connection::{GenericVerify, SignatureEncoding};
use crate::crm::signature::{from_base64, from_hex, verify_hmac, verify_standard_webhooks};
use crate::crm::{RawDelivery, Refusal, VerifiedDelivery};
use crate::record::Timestamp;
use secrecy::{ExposeSecret, SecretString};

/// Accepts what any of the secrets signed; Standard Webhooks within five minutes of `now`.
pub(super) fn verify(raw: RawDelivery, scheme: &GenericVerify, now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
    match scheme {
        GenericVerify::StandardWebhooks { secret } => standard_webhooks(raw, secret, now),
        GenericVerify::HmacSha256 { header, encoding, prefix, secret } => {
            let presented = raw.header(&header.to_lowercase()).ok_or(Refusal("no signature"))?;
            let text = presented.strip_prefix(prefix.as_str()).ok_or(Refusal("the signature lacks its prefix"))?;
            let mac = match encoding {
                SignatureEncoding::Hex => from_hex(text),
                SignatureEncoding::Base64 => from_base64(text),
            }?;
            any(secret, |secret| verify_hmac(secret.as_bytes(), &[&raw.body], &mac))?;
            Ok(VerifiedDelivery::new(raw.body, None))
        }
    }
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
