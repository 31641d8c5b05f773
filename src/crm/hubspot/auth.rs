//! The token that HubSpot is called with: a fixed one, or one that somebody granted with a browser
//! (`oauth.rs`, `renewal.rs`). What HubSpot's token endpoint says is known here.

use super::api::ObjectType;
use crate::crm::CrmError;
use crate::crm::connection::{Connection, HubSpot as Settings, HubSpotAuth};
use crate::crm::http::Http;
use crate::crm::oauth::BrowserSignIn;
use crate::crm::renewal::Session;
use crate::crm::token::{Grant, SharedKeeper};
use crate::crm::token_endpoint::{Denied, Dialect, TokenEndpoint, Told};
use crate::record::Object;
use secrecy::SecretString;
use std::collections::BTreeSet;
use url::Url;

pub(super) enum Auth {
    Fixed(SecretString),
    Browser(Session),
}

static DIALECT: Dialect =
    Dialect { crm: "HubSpot", organisation: "account", setting: "portal_id", account: hub, advice };

impl Auth {
    pub fn new(connection: &Connection, settings: &Settings) -> Self {
        match &settings.auth {
            HubSpotAuth::AccessToken(token) => Auth::Fixed(token.clone()),
            HubSpotAuth::Browser { client_id, client_secret, login_url } => {
                Auth::Browser(Session::new(sign_in(connection, settings, client_id, client_secret, login_url)))
            }
        }
    }

    /// With somebody who keeps the grant; a fixed token needs nobody.
    pub fn keeping(self, keeper: SharedKeeper) -> Self {
        match self {
            Auth::Browser(session) => Auth::Browser(session.keeping(keeper)),
            fixed => fixed,
        }
    }

    /// The token to call with.
    pub async fn token(&self, http: &Http) -> Result<SecretString, CrmError> {
        match self {
            Auth::Fixed(token) => Ok(token.clone()),
            Auth::Browser(session) => session.token(http).await,
        }
    }

    /// Another token than one that was not accepted; `None` where there is only that one.
    pub async fn renewed(&self, http: &Http, stale: &SecretString) -> Result<Option<SecretString>, CrmError> {
        match self {
            Auth::Fixed(_) => Ok(None),
            Auth::Browser(session) => session.renewed(http, stale).await.map(Some),
        }
    }

    /// What somebody granted; `None` for a fixed token.
    pub async fn grant(&self, http: &Http) -> Option<Result<Grant, CrmError>> {
        match self {
            Auth::Fixed(_) => None,
            Auth::Browser(session) => Some(session.grant(http).await),
        }
    }

    pub async fn keep_signed_in(&self, http: &Http) -> Result<(), CrmError> {
        match self {
            Auth::Fixed(_) => Ok(()),
            Auth::Browser(session) => session.keep_alive(http).await,
        }
    }
}

/// How somebody signs in to this connection with a browser, if that is its way.
pub(in crate::crm) fn browser(connection: &Connection, settings: &Settings) -> Option<BrowserSignIn> {
    match &settings.auth {
        HubSpotAuth::AccessToken(_) => None,
        HubSpotAuth::Browser { client_id, client_secret, login_url } => {
            Some(sign_in(connection, settings, client_id, client_secret, login_url))
        }
    }
}

fn sign_in(
    connection: &Connection,
    settings: &Settings,
    client_id: &SecretString,
    client_secret: &SecretString,
    login_url: &str,
) -> BrowserSignIn {
    let authorize = format!("{login_url}/oauth/authorize");
    BrowserSignIn {
        endpoint: TokenEndpoint {
            url: token_url(connection),
            connection: connection.name.clone(),
            account: settings.portal_id.map(|id| id.to_string()),
            dialect: &DIALECT,
        },
        authorize: Url::parse(&authorize).expect("the settings take addresses only"),
        client_id: client_id.clone(),
        client_secret: Some(client_secret.clone()),
        scopes: scopes(settings).into_iter().collect(),
    }
}

/// Dated like the rest of the API, or `v3`, the one older form that takes everything in the body.
fn token_url(connection: &Connection) -> String {
    let version = if connection.api_version.starts_with('v') { "v3" } else { connection.api_version.as_str() };
    format!("{}/oauth/{version}/token", connection.base_url)
}

/// All that leadpact may ever need in a connection, whatever its agreement says: HubSpot refuses a
/// sign-in that asks for more or less than the app does, and an agreement changes more often than
/// somebody wants to sign in. The generated app asks for the same.
pub fn scopes(settings: &Settings) -> BTreeSet<String> {
    let lead = ObjectType::of(Object::Lead, &settings.lead_object);
    let mut scopes = BTreeSet::from(["oauth".to_owned(), "crm.objects.owners.read".to_owned()]);
    // Tasks are made under the permission to write contacts, whatever they are about.
    for object in [lead, ObjectType::Contact, ObjectType::Deal] {
        scopes.extend(["read", "write"].map(|what| format!("crm.objects.{}.{what}", object.plural())));
    }
    for object in [lead, ObjectType::Deal] {
        scopes.insert(format!("crm.schemas.{}.write", object.plural()));
    }
    scopes
}

fn hub(told: &Told) -> Option<String> {
    told.hub_id.map(|id| id.to_string())
}

/// HubSpot's own word says more than the standard's.
fn advice(denied: &Denied, _: &str) -> Option<&'static str> {
    Some(match denied.status.as_str() {
        "BAD_REFRESH_TOKEN" => "the app was uninstalled, or what was granted was revoked",
        "BAD_HUB" => "the account is gone, or the app is not installed in it any more",
        "BAD_AUTH_CODE" => "the sign-in took too long, or its page was opened twice",
        "BAD_CLIENT_ID" => "no app has this client_id: copy it from the app's Auth page",
        "BAD_CLIENT_SECRET" => "client_secret is not this app's: copy it from the app's Auth page",
        "BAD_REDIRECT_URI" | "MISMATCH_REDIRECT_URI_AUTH_CODE" => {
            "the app does not know our address: generate the package again and upload it"
        }
        _ if denied.error == "invalid_client" => "client_id or client_secret is not this app's",
        _ => return None,
    })
}
