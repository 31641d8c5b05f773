//! The JWT that vouches for us (RFC 7523): an RSA key, and what is signed with it. Where it is sent
//! to is in `auth.rs`.

use crate::crm::CrmError;
use crate::record::{Elapsed, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

/// How long an assertion lives: Salesforce takes up to three minutes, and clocks differ.
const LIFE: Elapsed = Elapsed::from_secs(120);

/// A private key that was tried out. Does not show in `Debug` output.
#[derive(Clone, Debug)]
pub struct RsaKey(Option<EncodingKey>);

/// Why a text is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    #[error("is no PEM: it begins with -----BEGIN PRIVATE KEY----- and keeps its line breaks")]
    NoPem,
    #[error("is encrypted with a passphrase, which leadpact has no place for")]
    Encrypted,
    #[error("is a certificate or a public key: leadpact needs the private one, the CRM the certificate")]
    Public,
    #[error("is a PEM, but no RSA key of at least 2048 bits that can sign")]
    NoRsa,
}

/// `RFC 7519` claims as Salesforce wants them.
#[derive(Serialize)]
struct Claims<'a> {
    /// The app's consumer key.
    iss: &'a str,
    /// The user's name.
    sub: &'a str,
    aud: &'a str,
    /// Seconds since 1970.
    exp: i64,
}

impl RsaKey {
    /// Reads a PEM (PKCS#1 or PKCS#8) and signs something with it, so that a key that cannot sign is
    /// found when it is read.
    ///
    /// # Errors
    /// [`BadKey`] says what it is instead.
    pub fn parse(pem: &str) -> Result<Self, BadKey> {
        let is = |label: &str| pem.contains(&format!("-----BEGIN {label}"));
        if is("ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(BadKey::Encrypted);
        }
        if is("CERTIFICATE") || is("PUBLIC KEY") || is("RSA PUBLIC KEY") {
            return Err(BadKey::Public);
        }
        if !pem.contains("-----BEGIN ") {
            return Err(BadKey::NoPem);
        }
        let key = Self(Some(EncodingKey::from_rsa_pem(pem.trim().as_bytes()).map_err(|_| BadKey::NoRsa)?));
        match key.assertion("trial", "trial", "trial", Timestamp::default()) {
            Ok(_) => Ok(key),
            Err(_) => Err(BadKey::NoRsa),
        }
    }

    /// In the place of a key that nobody has made yet; it signs nothing.
    pub fn absent() -> Self {
        Self(None)
    }

    /// A signed assertion that this app speaks for this user, from now on for two minutes.
    ///
    /// # Errors
    /// [`CrmError::Never`] when nothing can be signed.
    pub(super) fn assertion(&self, app: &str, user: &str, audience: &str, now: Timestamp) -> Result<String, CrmError> {
        let claims = Claims { iss: app, sub: user, aud: audience, exp: (now + LIFE).as_millis().div_euclid(1000) };
        let signed = self.0.as_ref().and_then(|key| encode(&Header::new(Algorithm::RS256), &claims, key).ok());
        signed.ok_or_else(|| CrmError::Never { message: "the private key signs nothing".to_owned() })
    }
}
