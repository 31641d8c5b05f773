//! The access token: a fixed one, or one from the client-credentials flow, fetched when it is first
//! needed and renewed when Salesforce says that the session is over (its answer names no lifetime).

use super::{error, id};
use crate::crm::CrmError;
use crate::crm::connection::SalesforceAuth;
use crate::crm::http::{Answer, Http};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A token in use; two are the same when they are the same fetch.
pub type Token = Arc<SecretString>;

pub struct Auth {
    kind: SalesforceAuth,
    organization_id: String,
    token_url: String,
    /// Locked while a token is fetched, so that many callers cause one fetch.
    current: Mutex<Option<Token>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// `https://login.salesforce.com/id/{organization}/{user}`.
    id: Option<String>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Auth {
    pub fn new(kind: SalesforceAuth, organization_id: &str, base_url: &str) -> Self {
        Self {
            kind,
            organization_id: organization_id.to_owned(),
            token_url: format!("{base_url}/services/oauth2/token"),
            current: Mutex::new(None),
        }
    }

    /// The token to call with.
    ///
    /// # Errors
    /// [`CrmError::SignIn`] when the credentials are refused, [`CrmError::Later`] when the token
    /// endpoint does not answer: nothing was done.
    pub async fn token(&self, http: &Http) -> Result<Token, CrmError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(token) => Ok(token.clone()),
            None => self.fetch(http, &mut current).await,
        }
    }

    /// A token instead of one that was not accepted any more. Whoever comes with a token that
    /// somebody else already renewed gets the new one.
    ///
    /// # Errors
    /// As [`Auth::token`]; a fixed token cannot be renewed.
    pub async fn renewed(&self, http: &Http, stale: &Token) -> Result<Token, CrmError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(token) if !Arc::ptr_eq(token, stale) => Ok(token.clone()),
            _ => {
                if let SalesforceAuth::AccessToken(_) = self.kind {
                    return Err(CrmError::SignIn { message: "the access token is not accepted".to_owned() });
                }
                *current = None;
                self.fetch(http, &mut current).await
            }
        }
    }

    async fn fetch(&self, http: &Http, current: &mut Option<Token>) -> Result<Token, CrmError> {
        let secret = match &self.kind {
            SalesforceAuth::AccessToken(token) => token.clone(),
            SalesforceAuth::ClientCredentials { client_id, client_secret } => {
                self.grant(http, client_id, client_secret).await?
            }
        };
        let token = Arc::new(secret);
        *current = Some(token.clone());
        Ok(token)
    }

    async fn grant(&self, http: &Http, id: &SecretString, secret: &SecretString) -> Result<SecretString, CrmError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id.expose_secret()),
            ("client_secret", secret.expose_secret()),
        ];
        // Asking for a token changes nothing in the CRM, so a lost answer is no doubt.
        let answer = http.send(http.post(&self.token_url).form(&form)).await.map_err(later)?;
        if !answer.is_success() {
            return Err(denied(&answer));
        }
        let granted: Granted = answer.json().map_err(|_| sign_in("the token answer cannot be read"))?;
        self.same_organization(granted.id.as_deref())?;
        Ok(SecretString::from(granted.access_token))
    }

    /// A token of another organisation would read and write that one.
    fn same_organization(&self, identity: Option<&str>) -> Result<(), CrmError> {
        let given = identity.and_then(|url| url.rsplit('/').nth(1)).and_then(id::normalise);
        match given {
            Some(given) if Some(&given) != id::normalise(&self.organization_id).as_ref() => {
                Err(sign_in("the token belongs to another organization"))
            }
            _ => Ok(()),
        }
    }
}

fn sign_in(message: &str) -> CrmError {
    CrmError::SignIn { message: message.to_owned() }
}

fn later(error: CrmError) -> CrmError {
    match error {
        CrmError::Doubt { message } => CrmError::Later { message: format!("no token: {message}"), after: None },
        other => other,
    }
}

fn denied(answer: &Answer) -> CrmError {
    match serde_json::from_slice::<Denied>(&answer.body) {
        Ok(denied) if (400..500).contains(&answer.status) && answer.status != 429 => {
            sign_in(&error::short(&format!("{}: {}", denied.error, denied.error_description)))
        }
        _ if matches!(answer.status, 400 | 401 | 403) => sign_in(&format!("no token: status {}", answer.status)),
        _ => later(error::of(answer)),
    }
}
