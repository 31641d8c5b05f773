//! Signing in with a browser (RFC 6749 with PKCE, RFC 7636): where to send somebody, and what their
//! code is exchanged for. Who keeps the grant is in `token.rs`, how it is renewed in `renewal.rs`.

use super::CrmError;
use super::connection::{Connection, Platform};
use super::http::Http;
use super::token::Grant;
use super::token_endpoint::{NoToken, TokenEndpoint};
use super::{hubspot, salesforce};
use crate::record::ConnectionName;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

/// A secret that proves that whoever exchanges a code is whoever asked for it.
#[derive(Clone, Debug)]
pub struct Pkce {
    /// Sent with the code; kept on our side until then.
    pub verifier: SecretString,
    /// Sent with the browser: the verifier's SHA-256 (`S256`).
    pub challenge: String,
}

impl Pkce {
    /// A new one, of 32 random bytes.
    pub fn new() -> Self {
        let verifier = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        Self { challenge: challenge(&verifier), verifier: SecretString::from(verifier) }
    }
}

impl Default for Pkce {
    /// Each is another.
    fn default() -> Self {
        Self::new()
    }
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Where a CRM sends the browser back to, below our public URL.
pub fn callback_path(connection: &ConnectionName) -> String {
    format!("/connect/{connection}/callback")
}

/// A connection that somebody signs in to with a browser.
#[derive(Clone, Debug)]
pub struct BrowserSignIn {
    pub(super) endpoint: TokenEndpoint,
    /// The page that asks the person.
    pub(super) authorize: Url,
    pub(super) client_id: SecretString,
    /// `None` where the app needs none.
    pub(super) client_secret: Option<SecretString>,
    pub(super) scopes: Vec<String>,
}

impl BrowserSignIn {
    /// `None` when the connection signs in another way.
    pub fn of(connection: &Connection) -> Option<Self> {
        match &connection.platform {
            Platform::HubSpot(settings) => hubspot::auth::browser(connection, settings),
            Platform::Salesforce(settings) => salesforce::auth::browser(connection, settings),
            Platform::Generic(_) => None,
        }
    }

    /// What we ask for, by the CRM's names.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Where to send the browser. `redirect_uri` must be the one that the app was registered with, to
    /// the letter; `state` comes back with the code.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> Url {
        let mut url = self.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id.expose_secret())
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &self.scopes.join(" "))
            .append_pair("state", state)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
        url
    }

    /// What the code is worth. It works once and for some minutes. Both CRMs document the verifier; where
    /// an app does not ask for PKCE it does no harm.
    ///
    /// # Errors
    /// [`CrmError::SignIn`] when it is refused, when it is for another account than the configured one,
    /// or when it cannot be renewed; nothing is to be kept then. [`CrmError::Later`] when the CRM does
    /// not answer: somebody has to begin again, since the code may be used up.
    pub async fn exchange(
        &self,
        http: &Http,
        code: &str,
        verifier: &SecretString,
        redirect_uri: &str,
    ) -> Result<Grant, CrmError> {
        let form = [("code", code), ("redirect_uri", redirect_uri), ("code_verifier", verifier.expose_secret())];
        let grant = self.ask(http, "authorization_code", &form).await.map_err(|refused| refused.error)?;
        let scopes = self.scopes.join(" ");
        if grant.account.is_none() {
            return Err(self
                .endpoint
                .sign_in("its answer does not say whose account was signed in to: nothing was kept"));
        }
        if grant.refresh_token.is_none() {
            let message = format!("it granted no refresh token: let the app ask for {scopes}, and sign in again");
            return Err(self.endpoint.sign_in(&message));
        }
        Ok(grant)
    }

    /// A new token for what was granted before; what the answer leaves out stays as it was.
    ///
    /// # Errors
    /// As [`TokenEndpoint::ask`].
    pub(super) async fn refresh(&self, http: &Http, old: &Grant) -> Result<Grant, NoToken> {
        let Some(refresh) = &old.refresh_token else {
            let message = "it granted no refresh token when somebody signed in".to_owned();
            return Err(NoToken { is_over: true, ..NoToken::from(self.sign_in_again(&message)) });
        };
        let form = [("refresh_token", refresh.expose_secret())];
        let new = self.ask(http, "refresh_token", &form).await?;
        Ok(Grant {
            refresh_token: new.refresh_token.or_else(|| Some(refresh.clone())),
            account: new.account.or_else(|| old.account.clone()),
            scopes: if new.scopes.is_empty() { old.scopes.clone() } else { new.scopes },
            ..new
        })
    }

    /// The client's own credentials stand in the body, as HubSpot wants it and RFC 6749 allows.
    async fn ask(&self, http: &Http, grant_type: &str, of_grant: &[(&str, &str)]) -> Result<Grant, NoToken> {
        let mut form = of_grant.to_vec();
        form.push(("client_id", self.client_id.expose_secret()));
        form.extend(self.client_secret.as_ref().map(|secret| ("client_secret", secret.expose_secret())));
        self.endpoint.ask(http, grant_type, &form).await
    }

    pub(super) fn sign_in_again(&self, message: &str) -> CrmError {
        self.endpoint.sign_in(&format!("{message}: leadpact connect {}", self.endpoint.connection))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standards_example() {
        // RFC 7636, appendix B.
        let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn every_verifier_is_another_and_never_shows() {
        let (one, two) = (Pkce::new(), Pkce::new());
        assert_ne!(one.verifier.expose_secret(), two.verifier.expose_secret());
        assert_eq!(one.verifier.expose_secret().len(), 43, "the shortest that RFC 7636 allows");
        assert!(!format!("{one:?}").contains(one.verifier.expose_secret()));
    }

    #[test]
    fn the_browser_comes_back_to_the_connections_own_path() {
        assert_eq!(callback_path(&ConnectionName::new("acme-hubspot")), "/connect/acme-hubspot/callback");
    }
}
