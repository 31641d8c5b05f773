//! Tokens that somebody granted by signing in with a browser: what they are, and who keeps them for
//! all replicas. How they are asked for is in `oauth.rs`; where and how they are kept (encrypted, in
//! the store) is the engine's business, which gives each connector a [`TokenKeeper`].

use super::CrmError;
use crate::record::Timestamp;
use async_trait::async_trait;
use secrecy::SecretString;
use std::sync::Arc;

/// What a CRM granted. Secrets do not show in its `Debug` output.
#[derive(Clone, Debug)]
pub struct Grant {
    pub access_token: SecretString,
    /// The one to use next; the CRM may have replaced the one that was sent (RFC 6749, section 6).
    pub refresh_token: Option<SecretString>,
    /// When the access token ends, in real time; `None` where the CRM does not say (Salesforce).
    pub expires: Option<Timestamp>,
    /// When it was granted, in real time.
    pub granted: Timestamp,
    /// The HubSpot account's or Salesforce organisation's id that the token opens.
    pub account: Option<String>,
    pub scopes: Vec<String>,
}

/// A grant as it is kept; every renewal raises the version.
#[derive(Clone, Debug)]
pub struct Kept {
    pub version: i64,
    pub grant: Grant,
}

/// The right to renew one version, held by one caller of all replicas for a short time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub version: i64,
    /// Who holds it: made anew for each claim.
    pub token: String,
}

/// Keeps the grant of one connection for all replicas. A refresh token may work only once, so whoever
/// renews claims first; who does not get the claim reads again until the version has changed.
#[async_trait]
pub trait TokenKeeper: Send + Sync {
    /// The grant as it is now; `None` when nobody has signed in yet.
    ///
    /// # Errors
    /// [`CrmError::Later`] when the database does not answer; [`CrmError::SignIn`] when what is kept
    /// cannot be opened with any of the configured keys.
    async fn kept(&self) -> Result<Option<Kept>, CrmError>;

    /// Claims the renewal of that version; `None` when somebody else holds it, or the version is
    /// another one by now. A claim ends by itself after 20 seconds, twice what a call may take.
    ///
    /// # Errors
    /// [`CrmError::Later`] when the database does not answer: do not renew.
    async fn claim(&self, version: i64) -> Result<Option<Claim>, CrmError>;

    /// Stores the renewed grant and ends the claim. `false` when the claim had ended and somebody else
    /// has renewed meanwhile.
    ///
    /// # Errors
    /// [`CrmError::Later`] when the database does not answer: the caller tries again, since the old
    /// refresh token may be used up.
    async fn keep(&self, claim: &Claim, grant: &Grant) -> Result<bool, CrmError>;

    /// Ends the claim without a new grant: the CRM did not answer, or refused.
    ///
    /// # Errors
    /// As [`TokenKeeper::claim`].
    async fn release(&self, claim: &Claim) -> Result<(), CrmError>;
}

pub type SharedKeeper = Arc<dyn TokenKeeper>;
