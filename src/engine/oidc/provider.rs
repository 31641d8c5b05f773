//! The identity provider: what it says of itself, where a browser is sent, and what a code is worth.
//! A token counts once everything about it is verified; none is kept. Who comes in is not decided here.

use super::OidcSettings;
use super::claims::More;
use crate::crm::CrmError;
use crate::crm::http::Http;
use crate::engine::doctor::is_loopback;
use crate::record::{Elapsed, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IdTokenClaims, IdTokenFields, IdTokenVerifier, IssuerUrl, LocalizedClaim, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse,
    StandardTokenResponse, SubjectIdentifier, TokenResponse, UserInfoClaims, UserInfoError, http,
};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

/// What the provider says of itself is read anew after so long.
const FRESH: Elapsed = Elapsed::from_secs(3600);
/// A provider that could not be read is left alone so long.
const REST: Elapsed = Elapsed::from_secs(5);
/// How far its clock may be ahead of ours.
const SKEW: Elapsed = Elapsed::from_secs(120);
/// A token is made for the code that is being exchanged: an older one is not it.
const OLDEST: Elapsed = Elapsed::from_secs(900);
/// Longest answer that is read; documents, keys and tokens stay far below.
const MOST_BYTES: usize = 1024 * 1024;
/// Longest `sub` (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;
/// Longest text of the provider's that is passed on.
const MOST_CHARS: usize = 300;

/// How a token may be signed: with the provider's own key. A secret that two know proves nothing.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Fields = IdTokenFields<
    More,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Claims = IdTokenClaims<More, CoreGenderClaim>;
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

/// What the provider said of itself, and when it could not.
#[derive(Default)]
struct Known {
    document: Option<(Arc<CoreProviderMetadata>, Timestamp)>,
    failed: Option<(ProviderError, Timestamp)>,
}

/// The configured provider. What it says of itself is read when first needed.
pub struct Provider {
    settings: OidcSettings,
    http: Http,
    redirect_uri: String,
    known: Mutex<Known>,
}

impl Provider {
    /// `redirect_uri` is what is registered with the provider.
    pub fn new(settings: OidcSettings, http: Http, redirect_uri: String) -> Self {
        Self { settings, http, redirect_uri, known: Mutex::default() }
    }

    pub fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// Where to send a browser, by what the provider says of itself.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn authorize_url(&self, state: &str, proof: &Proof, now: Timestamp) -> Result<Url, ProviderError> {
        let client = self.client(&*self.document(now).await?)?;
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
        let document = self.document(now).await?;
        let client = self.client(&document)?;
        let verifier = PkceCodeVerifier::new(proof.verifier.expose_secret().to_owned());
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(unusable)?;
        let sender = Sender(&self.http);
        let tokens: Tokens = request.set_pkce_verifier(verifier).request_async(&sender).await.map_err(no_token)?;
        let claims = match self.verified(&document, &tokens, proof, now) {
            // A key that we do not know may be a new one: the keys are read once more, once.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let newer = self.read_again(&document, now).await?;
                self.verified(&newer, &tokens, proof, now)
            }
            done => done,
        };
        let claims = claims.map_err(|error| untrusted(&error))?;
        let more = match self.lacks(&claims) {
            true => self.ask_more(&client, tokens.access_token(), claims.subject()).await?,
            false => None,
        };
        self.told(&claims, more.as_ref())
    }

    /// What the provider says of itself has what we need; answers what was found, in a few words.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn examine(&self, now: Timestamp) -> Result<String, ProviderError> {
        let document = self.document(now).await?;
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

    async fn document(&self, now: Timestamp) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
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
    async fn read_again(
        &self,
        seen: &Arc<CoreProviderMetadata>,
        now: Timestamp,
    ) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let mut known = self.known.lock().await;
        match &known.document {
            Some((document, _)) if !Arc::ptr_eq(document, seen) => Ok(document.clone()),
            _ => self.read(now, &mut known).await,
        }
    }

    async fn read(&self, now: Timestamp, known: &mut Known) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(unusable)?;
        let sender = Sender(&self.http);
        match CoreProviderMetadata::discover_async(issuer, &sender).await {
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

    fn client(&self, document: &CoreProviderMetadata) -> Result<OidcClient, ProviderError> {
        keeps_secrets(document)?;
        let secret = ClientSecret::new(self.settings.client_secret.expose_secret().to_owned());
        let id = ClientId::new(self.settings.client_id.clone());
        let redirect = RedirectUrl::new(self.redirect_uri.clone()).map_err(unusable)?;
        let client = Client::from_provider_metadata(document.clone(), id, Some(secret));
        Ok(client.set_redirect_uri(redirect).set_auth_type(auth_type(document)))
    }

    /// Everything that must be true of an ID token (OpenID Connect Core, section 3.1.3.7).
    fn verified(
        &self,
        document: &CoreProviderMetadata,
        tokens: &Tokens,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Claims, ClaimsVerificationError> {
        let token = tokens.id_token();
        let token = token.ok_or_else(|| ClaimsVerificationError::Other("no ID token came".to_owned()))?;
        let id = ClientId::new(self.settings.client_id.clone());
        let keys = document.jwks().clone();
        let moment = chrono::DateTime::from_timestamp_millis(now.as_millis()).unwrap_or_default();
        // As of a client without a secret: nobody but the provider can have signed it.
        let verifier = IdTokenVerifier::new_public_client(id, document.issuer().clone(), keys)
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || moment)
            .set_issue_time_verifier_fn(move |issued| is_fresh(Timestamp::from_millis(issued.timestamp_millis()), now));
        let claims = token.claims(&verifier, &Nonce::new(proof.nonce.expose_secret().to_owned()))?.clone();
        match claims.authorized_party() {
            Some(party) if **party != self.settings.client_id => {
                Err(ClaimsVerificationError::InvalidAudience("it was made for another application".to_owned()))
            }
            _ => Ok(claims),
        }
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
    ) -> Result<Option<UserInfoClaims<More, CoreGenderClaim>>, ProviderError> {
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

    /// The token's word goes before what was asked for it. An address and whether it is verified come
    /// from one and the same.
    fn told(
        &self,
        claims: &Claims,
        more: Option<&UserInfoClaims<More, CoreGenderClaim>>,
    ) -> Result<Person, ProviderError> {
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
            return Err(ProviderError::Untrusted("it names nobody".to_owned()));
        }
        let of_token = claims.email().map(|email| (email.to_string(), claims.email_verified()));
        let asked = || more.and_then(|m| Some((m.email()?.to_string(), m.email_verified())));
        let (email, verified) = of_token.or_else(asked).unzip();
        let role_claim = &self.settings.role_claim;
        let values = claims.additional_claims().values(role_claim);
        let values = values.or_else(|| more.and_then(|m| m.additional_claims().values(role_claim)));
        let name = whole(claims.name()).or_else(|| more.and_then(|m| whole(m.name())));
        let known_as = claims.preferred_username().or_else(|| more.and_then(|m| m.preferred_username()));
        Ok(Person {
            subject: subject.to_owned(),
            email,
            email_verified: verified.flatten() == Some(true),
            name: name.or_else(|| known_as.map(|name| name.to_string())),
            values: values.unwrap_or_default(),
        })
    }
}

/// The name without a language, or in any.
fn whole<T: Clone + std::ops::Deref<Target = String>>(name: Option<&LocalizedClaim<T>>) -> Option<String> {
    let name = name?;
    name.get(None).or_else(|| name.iter().next().map(|(_, name)| name)).map(|name| name.to_string())
}

fn is_fresh(issued: Timestamp, now: Timestamp) -> Result<(), String> {
    if issued > now + SKEW {
        return Err("it was issued in our future: compare the clocks".to_owned());
    }
    if issued + OLDEST < now {
        return Err("it was issued long ago".to_owned());
    }
    Ok(())
}

/// Basic is what every provider has to take; some take our secret in the form only.
fn auth_type(document: &CoreProviderMetadata) -> AuthType {
    let methods = document.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_none_or(|all| all.contains(&method));
    match !takes(CoreClientAuthMethod::ClientSecretBasic) && takes(CoreClientAuthMethod::ClientSecretPost) {
        true => AuthType::RequestBody,
        false => AuthType::BasicAuth,
    }
}

/// Our secret and people's codes go to these addresses: never in the clear, but on this machine.
fn keeps_secrets(document: &CoreProviderMetadata) -> Result<(), ProviderError> {
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

fn unusable(error: impl Error) -> ProviderError {
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
fn causes(error: &dyn Error) -> String {
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

/// Sends the library's requests by our client, with its time-outs, and follows no redirect.
struct Sender<'h>(&'h Http);

impl<'c> AsyncHttpClient<'c> for Sender<'_> {
    type Error = CrmError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CrmError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let request = self.0.request(head.method, &head.uri.to_string()).headers(head.headers).body(body);
            let answer = self.0.send(request).await?;
            if answer.body.len() > MOST_BYTES {
                return Err(CrmError::Never { message: "the answer is too long".to_owned() });
            }
            let mut response = http::Response::new(answer.body);
            *response.status_mut() = http::StatusCode::from_u16(answer.status)
                .map_err(|_| CrmError::Never { message: "the answer has no status".to_owned() })?;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}
