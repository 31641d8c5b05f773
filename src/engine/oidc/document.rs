//! What the identity provider says of itself: read when first needed, anew every hour and when a token
//! needs a key that we do not know. Its addresses are believed only where nobody can listen.

use super::provider::{ProviderError, causes, unusable};
use super::sender::Sender;
use crate::crm::http::Http;
use crate::engine::doctor::is_loopback;
use crate::record::{Elapsed, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, AuthType, EndSessionUrl, IssuerUrl};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

/// What the provider says of itself is read anew after so long.
const FRESH: Elapsed = Elapsed::from_secs(3600);
/// A provider that could not be read is left alone so long.
const REST: Elapsed = Elapsed::from_secs(5);

/// The way out of it, whatever stands there: a bad one keeps nobody from signing in.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct WayOut {
    #[serde(default)]
    end_session_endpoint: Value,
}

impl AdditionalProviderMetadata for WayOut {}

/// What the provider says of itself.
pub(super) type ProviderMetadata = openidconnect::ProviderMetadata<
    WayOut,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the provider said of itself, and when it could not.
#[derive(Default)]
struct Known {
    document: Option<(Arc<ProviderMetadata>, Timestamp)>,
    failed: Option<(ProviderError, Timestamp)>,
}

/// The provider's document and keys, shared by all sign-ins.
pub(super) struct Documents {
    issuer: String,
    http: Http,
    known: Mutex<Known>,
}

impl Documents {
    pub(super) fn new(issuer: &str, http: Http) -> Self {
        Self { issuer: issuer.to_owned(), http, known: Mutex::default() }
    }

    pub(super) async fn at(&self, now: Timestamp) -> Result<Arc<ProviderMetadata>, ProviderError> {
        let mut known = self.known.lock().await;
        match (&known.document, &known.failed) {
            (Some((document, at)), _) if now - *at < FRESH => return Ok(document.clone()),
            (None, Some((error, at))) if now - *at < REST => return Err(error.clone()),
            _ => {}
        }
        match (self.read(now, &mut known).await, &mut known.document) {
            (Err(error), Some((document, at))) => {
                tracing::warn!("what was known of the identity provider is used on: {error}");
                // Asked again after a rest, not at every sign-in.
                *at = now - FRESH + REST;
                Ok(document.clone())
            }
            (done, _) => done,
        }
    }

    /// Reads it anew, unless somebody has done so since `seen` was read.
    pub(super) async fn again(
        &self,
        seen: &Arc<ProviderMetadata>,
        now: Timestamp,
    ) -> Result<Arc<ProviderMetadata>, ProviderError> {
        let mut known = self.known.lock().await;
        match &known.document {
            Some((document, _)) if !Arc::ptr_eq(document, seen) => Ok(document.clone()),
            _ => self.read(now, &mut known).await,
        }
    }

    async fn read(&self, now: Timestamp, known: &mut Known) -> Result<Arc<ProviderMetadata>, ProviderError> {
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(unusable)?;
        let sender = Sender(&self.http);
        match ProviderMetadata::discover_async(issuer, &sender).await {
            Ok(document) => {
                let document = Arc::new(document);
                *known = Known { document: Some((document.clone(), now)), failed: None };
                Ok(document)
            }
            Err(error) => {
                let error = ProviderError::Unreachable(causes(&error));
                known.failed = Some((error.clone(), now));
                Err(error)
            }
        }
    }
}

/// Where a browser signs out at the provider, if it says so.
pub(super) fn end_session(document: &ProviderMetadata) -> Option<EndSessionUrl> {
    let url = document.additional_metadata().end_session_endpoint.as_str()?;
    let url = EndSessionUrl::new(url.to_owned()).ok()?;
    (url.url().scheme() == "https" || is_loopback(url.url())).then_some(url)
}

/// Basic is what every provider has to take; some take our secret in the form only.
pub(super) fn auth_type(document: &ProviderMetadata) -> AuthType {
    let methods = document.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_none_or(|all| all.contains(&method));
    match !takes(CoreClientAuthMethod::ClientSecretBasic) && takes(CoreClientAuthMethod::ClientSecretPost) {
        true => AuthType::RequestBody,
        false => AuthType::BasicAuth,
    }
}

/// Our secret and people's codes go to these addresses: never in the clear, but on this machine.
pub(super) fn keeps_secrets(document: &ProviderMetadata) -> Result<(), ProviderError> {
    let token = document.token_endpoint().map(|url| url.url());
    let token = token.ok_or_else(|| ProviderError::Unreachable("it names no token endpoint".to_owned()))?;
    let (page, keys) = (document.authorization_endpoint().url(), document.jwks_uri().url());
    let person = document.userinfo_endpoint().map(|url| url.url());
    let in_the_clear = |url: &&Url| url.scheme() != "https" && !is_loopback(url);
    match [token, page, keys].into_iter().chain(person).find(in_the_clear) {
        Some(url) => Err(ProviderError::Untrusted(format!("it names an address without https: {url}"))),
        None => Ok(()),
    }
}
