//! The identity provider: where a browser is sent, what a code is worth, and whom it vouches for.
//! What a token must be is in `token.rs`; none is kept.

use super::claims::More;
use super::document::{Documents, ProviderMetadata, auth_type, end_session, keeps_secrets};
use super::sender::Sender;
use super::token::{ALGORITHMS, Asked, Claims, Tokens, told, verified};
use super::{CALLBACK_PATH, OidcSettings, SIGNED_OUT_PATH};
use crate::crm::CrmError;
use crate::crm::http::Http;
use crate::record::Timestamp;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse,
};
use openidconnect::{
    AccessToken, AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse,
    SubjectIdentifier, UserInfoError,
};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use url::Url;

/// Longest text of the provider's that is passed on.
const MOST_CHARS: usize = 300;

type TokenError = RequestTokenError<CrmError, StandardErrorResponse<CoreErrorResponseType>>;
type OidcClient = Client<
    More,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why the provider's word is not had. No message holds a token or a code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not in a way that can be read.
    #[error("the identity provider cannot be used: {0}")]
    Unreachable(String),
    /// It was asked and says no.
    #[error("the identity provider refuses: {0}")]
    Refused(String),
    /// What it says must not be believed.
    #[error("the identity provider's word cannot be trusted: {0}")]
    Untrusted(String),
}

/// Who somebody is at the provider, as it vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their lasting name there.
    pub subject: String,
    pub email: Option<String>,
    /// The provider made sure that the address is theirs.
    pub email_verified: bool,
    /// What people call them.
    pub name: Option<String>,
    /// The values of the claim that names roles.
    pub values: Vec<String>,
}

/// What proves that a code belongs to whoever asked for it; two secrets for one sign-in.
#[derive(Clone, Debug)]
pub struct Proof {
    pub nonce: SecretString,
    /// Of PKCE (RFC 7636), 43 characters.
    pub verifier: SecretString,
}

/// The configured provider. What it says of itself is read when first needed.
pub struct Provider {
    settings: OidcSettings,
    http: Http,
    redirect_uri: String,
    documents: Documents,
}

impl Provider {
    /// `redirect_uri` is what is registered with the provider.
    pub fn new(settings: OidcSettings, http: Http, redirect_uri: String) -> Self {
        let documents = Documents::new(&settings.issuer, http.clone());
        Self { settings, http, redirect_uri, documents }
    }

    pub fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// Where to send a browser, by what the provider says of itself.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn authorize_url(&self, state: &str, proof: &Proof, now: Timestamp) -> Result<Url, ProviderError> {
        let client = self.client(&*self.documents.at(now).await?)?;
        let verifier = PkceCodeVerifier::new(proof.verifier.expose_secret().to_owned());
        let (state, nonce) = (state.to_owned(), proof.nonce.expose_secret().to_owned());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce));
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let request =
            request.add_scopes(scopes).set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        Ok(request.url().0)
    }

    /// Exchanges a code, verifies the token that comes for it and answers whom it is of. The token is
    /// forgotten.
    ///
    /// # Errors
    /// When the provider does not answer, refuses, or says what must not be believed.
    pub async fn person(&self, code: &str, proof: &Proof, now: Timestamp) -> Result<Person, ProviderError> {
        let document = self.documents.at(now).await?;
        let client = self.client(&document)?;
        let verifier = PkceCodeVerifier::new(proof.verifier.expose_secret().to_owned());
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(unusable)?;
        let sender = Sender(&self.http);
        let tokens: Tokens = request.set_pkce_verifier(verifier).request_async(&sender).await.map_err(no_token)?;
        let claims = match verified(&self.settings, &document, &tokens, proof, now) {
            // A key that we do not know may be a new one: the keys are read once more, once.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let newer = self.documents.again(&document, now).await?;
                verified(&self.settings, &newer, &tokens, proof, now)
            }
            done => done,
        };
        let claims = claims.map_err(|error| untrusted(&error))?;
        let more = match self.lacks(&claims) {
            true => self.ask_more(&client, tokens.access_token(), claims.subject()).await?,
            false => None,
        };
        told(&self.settings, &claims, more.as_ref())
    }

    /// Where a browser signs out at the provider (OpenID Connect RP-Initiated Logout 1.0); `None`: it offers
    /// that nowhere. It knows us by our client id, since none of its tokens is kept, and may ask the person.
    ///
    /// # Errors
    /// When what it says of itself cannot be read.
    pub async fn sign_out_url(&self, now: Timestamp) -> Result<Option<Url>, ProviderError> {
        let document = self.documents.at(now).await?;
        let Some(page) = end_session(&document) else { return Ok(None) };
        let ours = self.redirect_uri.strip_suffix(CALLBACK_PATH).unwrap_or_default();
        let back = PostLogoutRedirectUrl::new(format!("{ours}{SIGNED_OUT_PATH}")).map_err(unusable)?;
        let request = LogoutRequest::from(page).set_client_id(ClientId::new(self.settings.client_id.clone()));
        Ok(Some(request.set_post_logout_redirect_uri(back).http_get_url()))
    }

    /// What the provider says of itself has what we need; answers what was found, in a few words.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn examine(&self, now: Timestamp) -> Result<String, ProviderError> {
        let document = self.documents.at(now).await?;
        let code = document.response_types_supported().iter().any(|types| **types == [CoreResponseType::Code]);
        if !code {
            return Err(ProviderError::Unreachable("it does not offer the authorization code flow".to_owned()));
        }
        let algorithms = document.id_token_signing_alg_values_supported();
        if !algorithms.iter().any(|algorithm| ALGORITHMS.contains(algorithm)) {
            return Err(ProviderError::Unreachable("it signs with no key of its own (RS256, ES256 …)".to_owned()));
        }
        let keys = document.jwks().keys().len();
        if keys == 0 {
            return Err(ProviderError::Unreachable("it publishes no key".to_owned()));
        }
        self.client(&document)?;
        let some = if keys == 1 { "1 key".to_owned() } else { format!("{keys} keys") };
        Ok(format!("{}: its document and {some} can be read; redirect URI {}", self.settings.issuer, self.redirect_uri))
    }

    fn client(&self, document: &ProviderMetadata) -> Result<OidcClient, ProviderError> {
        keeps_secrets(document)?;
        let secret = ClientSecret::new(self.settings.client_secret.expose_secret().to_owned());
        let id = ClientId::new(self.settings.client_id.clone());
        let redirect = RedirectUrl::new(self.redirect_uri.clone()).map_err(unusable)?;
        let client = Client::from_provider_metadata(document.clone(), id, Some(secret));
        Ok(client.set_redirect_uri(redirect).set_auth_type(auth_type(document)))
    }

    /// Many providers keep e-mail addresses and groups out of the token.
    fn lacks(&self, claims: &Claims) -> bool {
        let no_values = claims.additional_claims().values(&self.settings.role_claim).is_none();
        claims.email().is_none() || (no_values && !self.settings.roles.is_empty())
    }

    async fn ask_more(
        &self,
        client: &OidcClient,
        token: &AccessToken,
        subject: &SubjectIdentifier,
    ) -> Result<Option<Asked>, ProviderError> {
        // Without an address to ask at, the token is all there is.
        let Ok(request) = client.user_info(token.clone(), Some(subject.clone())) else { return Ok(None) };
        let sender = Sender(&self.http);
        match request.request_async(&sender).await {
            Ok(more) => Ok(Some(more)),
            Err(UserInfoError::ClaimsVerification(error)) => Err(untrusted(&error)),
            Err(UserInfoError::Response(status, _, _)) => {
                Err(ProviderError::Unreachable(format!("it answers {status} when asked about the person")))
            }
            Err(error) => Err(ProviderError::Unreachable(causes(&error))),
        }
    }
}

pub(super) fn unusable(error: impl Error) -> ProviderError {
    ProviderError::Unreachable(causes(&error))
}

fn untrusted(error: &ClaimsVerificationError) -> ProviderError {
    ProviderError::Untrusted(causes(error))
}

fn no_token(error: TokenError) -> ProviderError {
    match error {
        RequestTokenError::ServerResponse(said) => ProviderError::Refused(short(&said.to_string())),
        RequestTokenError::Request(error) => ProviderError::Unreachable(causes(&error)),
        // Its message may quote what it cannot read: a token, for one that is signed in a strange way.
        RequestTokenError::Parse(_, _) => ProviderError::Untrusted("its answer to the code cannot be read".to_owned()),
        RequestTokenError::Other(message) => ProviderError::Unreachable(short(&message)),
    }
}

/// An error with what it comes from.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        said = format!("{said}: {next}");
        cause = next.source();
    }
    short(&said)
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect()
}
