//! The access token that Salesforce is called with: a fixed one; one from the client credentials or
//! the JWT bearer flow, fetched when it is first needed and again when the session is over (no answer
//! names a lifetime); or one that somebody granted with a browser (`oauth.rs`, `renewal.rs`).

use super::id;
use super::jwt::RsaKey;
use crate::crm::CrmError;
use crate::crm::connection::{Connection, Salesforce as Settings, SalesforceAuth};
use crate::crm::http::Http;
use crate::crm::oauth::BrowserSignIn;
use crate::crm::renewal::Session;
use crate::crm::token::{Grant, SharedKeeper};
use crate::crm::token_endpoint::{Denied, Dialect, NoToken, TokenEndpoint, Told};
use crate::record::Elapsed;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tokio::sync::Mutex;
use url::{Host, Url};

/// A token in use; two are the same when they are the same fetch.
pub type Token = Arc<SecretString>;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT_CREDENTIALS: &str = "client_credentials";
/// Where production organisations sign in, and sandboxes.
const LOGIN: &str = "https://login.salesforce.com";
const TEST: &str = "https://test.salesforce.com";
/// A clock that is off by more spoils assertions.
const OFF: Elapsed = Elapsed::from_secs(60);

static DIALECT: Dialect = Dialect {
    crm: "Salesforce",
    organisation: "organization",
    setting: "organization_id",
    account: organization,
    advice,
};

pub struct Auth(Way);

enum Way {
    Fixed(Token),
    Fetched(Box<Fetched>),
    Browser(Session),
}

/// A flow that nobody takes part in.
struct Fetched {
    endpoint: TokenEndpoint,
    flow: Flow,
    /// Locked while a token is fetched, so that many callers cause one fetch.
    current: Mutex<Option<Token>>,
}

enum Flow {
    ClientCredentials { client_id: SecretString, client_secret: SecretString },
    Jwt { client_id: SecretString, private_key: RsaKey, username: String, audience: String },
}

impl Auth {
    pub fn new(connection: &Connection, settings: &Settings) -> Self {
        let fetched = |flow| {
            let endpoint = endpoint(connection, settings);
            Way::Fetched(Box::new(Fetched { endpoint, flow, current: Mutex::new(None) }))
        };
        Self(match settings.auth.clone() {
            SalesforceAuth::AccessToken(token) => Way::Fixed(Arc::new(token)),
            SalesforceAuth::ClientCredentials { client_id, client_secret } => {
                fetched(Flow::ClientCredentials { client_id, client_secret })
            }
            SalesforceAuth::Jwt { client_id, private_key, username } => {
                let audience = audience(connection, settings).to_owned();
                fetched(Flow::Jwt { client_id, private_key, username, audience })
            }
            SalesforceAuth::Browser { client_id, client_secret } => {
                Way::Browser(Session::new(sign_in(connection, settings, &client_id, &client_secret)))
            }
        })
    }

    /// With somebody who keeps a browser's grant; the other ways need nobody.
    pub fn keeping(self, keeper: SharedKeeper) -> Self {
        match self.0 {
            Way::Browser(session) => Self(Way::Browser(session.keeping(keeper))),
            other => Self(other),
        }
    }

    /// The token to call with.
    ///
    /// # Errors
    /// [`CrmError::SignIn`] when the credentials are refused or nobody has signed in,
    /// [`CrmError::Later`] when the token endpoint does not answer: nothing was done.
    pub async fn token(&self, http: &Http) -> Result<Token, CrmError> {
        match &self.0 {
            Way::Fixed(token) => Ok(token.clone()),
            Way::Browser(session) => session.token(http).await.map(Arc::new),
            Way::Fetched(fetched) => {
                let mut current = fetched.current.lock().await;
                match &*current {
                    Some(token) => Ok(token.clone()),
                    None => fetched.fetch(http, &mut current).await,
                }
            }
        }
    }

    /// A token instead of one that was not accepted any more. Whoever comes with a token that
    /// somebody else already renewed gets the new one.
    ///
    /// # Errors
    /// As [`Auth::token`]; a fixed token cannot be renewed.
    pub async fn renewed(&self, http: &Http, stale: &Token) -> Result<Token, CrmError> {
        match &self.0 {
            Way::Fixed(_) => Err(CrmError::SignIn { message: "the access token is not accepted".to_owned() }),
            Way::Browser(session) => session.renewed(http, stale).await.map(Arc::new),
            Way::Fetched(fetched) => {
                let mut current = fetched.current.lock().await;
                match &*current {
                    Some(token) if !Arc::ptr_eq(token, stale) => Ok(token.clone()),
                    _ => {
                        *current = None;
                        fetched.fetch(http, &mut current).await
                    }
                }
            }
        }
    }

    /// Renews a browser's grant that nobody renewed for a day.
    ///
    /// # Errors
    /// As [`Auth::token`].
    pub async fn keep_signed_in(&self, http: &Http) -> Result<(), CrmError> {
        match &self.0 {
            Way::Browser(session) => session.keep_alive(http).await,
            Way::Fixed(_) | Way::Fetched(_) => Ok(()),
        }
    }
}

impl Fetched {
    async fn fetch(&self, http: &Http, current: &mut Option<Token>) -> Result<Token, CrmError> {
        let token = Arc::new(self.ask(http).await?.access_token);
        *current = Some(token.clone());
        Ok(token)
    }

    async fn ask(&self, http: &Http) -> Result<Grant, CrmError> {
        match &self.flow {
            Flow::ClientCredentials { client_id, client_secret } => {
                let form = [("client_id", client_id.expose_secret()), ("client_secret", client_secret.expose_secret())];
                self.endpoint.ask(http, CLIENT_CREDENTIALS, &form).await.map_err(|refused| refused.error)
            }
            Flow::Jwt { client_id, private_key, username, audience } => {
                let assertion = private_key.assertion(client_id.expose_secret(), username, audience, http.now())?;
                let asked = self.endpoint.ask(http, JWT_BEARER, &[("assertion", &assertion)]).await;
                asked.map_err(with_clock)
            }
        }
    }
}

/// An assertion is dated: where one is refused and the clocks differ, that is the first thing to know.
fn with_clock(refused: NoToken) -> CrmError {
    match (refused.error, refused.ahead) {
        (CrmError::SignIn { message }, Some(ahead)) if ahead.as_millis().abs() > OFF.as_millis() => {
            let length = Elapsed::from_millis(ahead.as_millis().abs());
            let way = if ahead > Elapsed::ZERO { "behind" } else { "ahead of" };
            let clock = format!("this machine's clock is {length} {way} Salesforce's, which spoils signed assertions");
            CrmError::SignIn { message: format!("{message}; {clock}: correct it first") }
        }
        (error, _) => error,
    }
}

fn endpoint(connection: &Connection, settings: &Settings) -> TokenEndpoint {
    TokenEndpoint {
        url: format!("{}/services/oauth2/token", login_url(connection, settings)),
        connection: connection.name.clone(),
        account: Some(id::or_as_is(&settings.organization_id)),
        dialect: &DIALECT,
    }
}

/// Where we sign in: at the organisation's own domain, unless the settings say otherwise.
fn login_url<'a>(connection: &'a Connection, settings: &'a Settings) -> &'a str {
    settings.login_url.as_deref().unwrap_or_else(|| connection.base_url.trim_end_matches('/'))
}

/// Whom an assertion is for: what `login_url` says if it is one of the two, else test.salesforce.com
/// where the domain is a sandbox's (`acme--uat.sandbox.my.salesforce.com`).
fn audience(connection: &Connection, settings: &Settings) -> &'static str {
    match settings.login_url.as_deref() {
        Some(LOGIN) => LOGIN,
        Some(TEST) => TEST,
        _ if is_sandbox(&connection.base_url) => TEST,
        _ => LOGIN,
    }
}

fn is_sandbox(base_url: &str) -> bool {
    let url = Url::parse(base_url).ok();
    let Some(Host::Domain(host)) = url.as_ref().and_then(Url::host) else { return false };
    host.split('.').any(|label| label.eq_ignore_ascii_case("sandbox"))
        || host.eq_ignore_ascii_case("test.salesforce.com")
}

/// How somebody signs in to this connection with a browser, if that is its way.
pub(in crate::crm) fn browser(connection: &Connection, settings: &Settings) -> Option<BrowserSignIn> {
    match &settings.auth {
        SalesforceAuth::Browser { client_id, client_secret } => {
            Some(sign_in(connection, settings, client_id, client_secret))
        }
        _ => None,
    }
}

fn sign_in(
    connection: &Connection,
    settings: &Settings,
    client_id: &SecretString,
    client_secret: &Option<SecretString>,
) -> BrowserSignIn {
    let authorize = format!("{}/services/oauth2/authorize", login_url(connection, settings));
    BrowserSignIn {
        endpoint: endpoint(connection, settings),
        authorize: Url::parse(&authorize).expect("the settings take addresses only"),
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        scopes: ["api", "refresh_token"].map(str::to_owned).to_vec(),
    }
}

/// From `https://login.salesforce.com/id/{organization}/{user}`.
fn organization(told: &Told) -> Option<String> {
    told.id.as_deref().and_then(|url| url.rsplit('/').nth(1)).and_then(id::normalise)
}

fn advice(denied: &Denied, grant_type: &str) -> Option<&'static str> {
    let says = |part: &str| denied.error_description.to_ascii_lowercase().contains(part);
    Some(match denied.error.as_str() {
        "invalid_client_id" => "no app has this client_id; a new app can take 30 minutes until it is known",
        "invalid_client" if grant_type == JWT_BEARER => {
            "client_id is not this app's, or the app has another certificate than the private key's"
        }
        "invalid_client" => "client_id or client_secret is not this app's: copy them from its OAuth settings",
        "invalid_app_access" => NOT_APPROVED,
        "inactive_user" => "the user is not active",
        "inactive_org" => "the organization is locked or closed",
        "redirect_uri_mismatch" => "the app does not know our address: generate the package again and deploy it",
        "unsupported_grant_type" => "the app does not allow this flow: switch it on in its OAuth settings",
        "invalid_grant" if says("hasn't approved") || says("not admin approved") => NOT_APPROVED,
        "invalid_grant" if says("audience") => {
            "the assertion is for another kind of organization: set login_url to https://test.salesforce.com for a \
             sandbox, to https://login.salesforce.com for any other"
        }
        "invalid_grant" if says("not supported on this domain") => {
            "client credentials are accepted at the organization's own domain only: base_url is its My Domain, and \
             login_url is left out"
        }
        "invalid_grant" if says("no client credentials user") => {
            "the app has no user to run as: name one in its policies, under the client credentials flow"
        }
        "invalid_grant" if says("ip restricted") => {
            "the app or the user's profile does not allow this machine's address"
        }
        "invalid_grant" if grant_type == JWT_BEARER && (says("expired") || says("assertion")) => {
            "the assertion was not believed: compare this machine's clock with the real time, and the app's certificate \
             with the private key"
        }
        "invalid_grant" if grant_type == "authorization_code" => {
            "the sign-in took too long, or its page was opened twice"
        }
        "invalid_grant" if grant_type == "refresh_token" => {
            "what was granted was revoked, ended unused, or its refresh token was used twice"
        }
        _ => return None,
    })
}

const NOT_APPROVED: &str = "the app is not pre-authorised for that user: let its policies admit admin-approved users, \
                            and give the user the permission set that the app names";
