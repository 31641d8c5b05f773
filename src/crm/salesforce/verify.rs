//! Whether a delivery is from our organisation: the secret in its path, the client certificate that
//! the proxy saw, the organisation id. Outbound messages carry no signature, so a verified message is
//! still no more than a hint which records to read.

use super::{id, soap};
use crate::crm::connection::{ClientCertificate, Salesforce};
use crate::crm::{RawDelivery, Refusal, VerifiedDelivery};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Checks secret and certificate before a byte of the body is looked at, then the organisation.
///
/// A body that cannot be parsed names no organisation and passes: `events` refuses it as malformed,
/// so that nothing of it is stored and the answer says what is wrong.
///
/// # Errors
/// [`Refusal`] when it is not from our organisation.
pub fn verify(settings: &Salesforce, raw: RawDelivery) -> Result<VerifiedDelivery, Refusal> {
    path_secret(settings.path_secret.as_ref(), raw.path_secret.as_deref())?;
    if let Some(certificate) = &settings.client_certificate {
        client_certificate(certificate, &raw)?;
    }
    if let Ok(message) = soap::parse(&raw.body) {
        organization(&settings.organization_id, message.organization_id.as_deref())?;
    }
    // No id: a retry carries newer values under the same Notification ids, so each is worth a read.
    Ok(VerifiedDelivery::new(raw.body, None))
}

fn path_secret(expected: Option<&SecretString>, given: Option<&str>) -> Result<(), Refusal> {
    match (expected, given) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Refusal("a path secret is given, but none is configured")),
        (Some(_), None) => Err(Refusal("no path secret")),
        (Some(expected), Some(given)) if same(expected.expose_secret(), given) => Ok(()),
        (Some(_), Some(_)) => Err(Refusal("wrong path secret")),
    }
}

/// Equal and not empty, in a time that does not tell how much of it is equal.
fn same(expected: &str, given: &str) -> bool {
    let mac = |text: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(expected.as_bytes()).expect("HMAC takes keys of any length");
        mac.chain_update(text.as_bytes())
    };
    !expected.is_empty() && mac(given).verify_slice(&mac(expected).finalize().into_bytes()).is_ok()
}

fn client_certificate(expected: &ClientCertificate, raw: &RawDelivery) -> Result<(), Refusal> {
    let mut given = raw.headers.iter().filter(|(name, _)| *name == expected.header);
    // Two headers: one may be the sender's own, and which is the proxy's cannot be known.
    let (Some((_, fingerprint)), None) = (given.next(), given.next()) else {
        return Err(Refusal("no client certificate"));
    };
    let fingerprint = bare(fingerprint);
    match expected.sha256.iter().any(|known| !fingerprint.is_empty() && bare(known) == fingerprint) {
        true => Ok(()),
        false => Err(Refusal("unknown client certificate")),
    }
}

/// A fingerprint without colons and capitals.
fn bare(fingerprint: &str) -> String {
    fingerprint.trim().replace(':', "").to_ascii_lowercase()
}

fn organization(expected: &str, given: Option<&str>) -> Result<(), Refusal> {
    let given = given.and_then(id::normalise).ok_or(Refusal("no organization id"))?;
    match id::normalise(expected).is_some_and(|expected| expected == given) {
        true => Ok(()),
        false => Err(Refusal("another organization")),
    }
}
