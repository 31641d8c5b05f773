//! Whether HubSpot sent a webhook: signature v3 alone. HubSpot sends v1 or v2 alongside; they carry
//! no time and could be replayed, so a bad or absent v3 is never made up for by them.

use crate::crm::signature::verify_hubspot_v3;
use crate::crm::{RawDelivery, Refusal, VerifiedDelivery};
use crate::record::Timestamp;
use secrecy::{ExposeSecret, SecretString};

const SIGNATURE: &str = "x-hubspot-signature-v3";
const TIMESTAMP: &str = "x-hubspot-request-timestamp";

/// Accepts what any of the secrets signed within five minutes of `now`.
pub(super) fn verify(raw: RawDelivery, secrets: &[SecretString], now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
    let signature = raw.header(SIGNATURE).filter(|s| !s.is_empty()).ok_or(Refusal("no v3 signature"))?;
    let timestamp = raw.header(TIMESTAMP).filter(|s| !s.is_empty()).ok_or(Refusal("no signature timestamp"))?;
    let mut outcome = Err(Refusal("no secret is configured"));
    for secret in secrets {
        let secret = secret.expose_secret().as_bytes();
        outcome = verify_hubspot_v3(secret, &raw.method, &raw.url, &raw.body, timestamp, signature, now);
        if outcome.is_ok() {
            break;
        }
    }
    outcome.map(|()| VerifiedDelivery::new(raw.body, None))
}
