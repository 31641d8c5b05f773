//! Asking a CRM's token endpoint (RFC 6749, section 3.2), and what its answers mean. Which grant is
//! asked for is the caller's business; each CRM says in its `auth.rs` whose a token is and what its
//! refusals want done.

use super::CrmError;
use super::http::{Answer, Http};
use super::token::Grant;
use crate::record::{ConnectionName, Elapsed, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use std::time::Duration;

/// What is shown of a CRM's own words.
const LONGEST: usize = 200;
/// How long a limited or failing endpoint is left alone, where it says nothing itself.
const REST: Duration = Duration::from_secs(10);
const LONGEST_REST: Duration = Duration::from_secs(24 * 3600);
/// Refusals that pass by themselves, whatever their status.
const PASSING: [&str; 3] = ["rate_limit_exceeded", "server_error", "temporarily_unavailable"];
/// Grants that a person gave, and can give again.
const PERSONS: [&str; 2] = ["authorization_code", "refresh_token"];

/// One CRM's token endpoint, as one connection uses it.
#[derive(Clone, Debug)]
pub(super) struct TokenEndpoint {
    pub url: String,
    pub connection: ConnectionName,
    /// The account's or organisation's id as it is configured.
    pub account: Option<String>,
    pub dialect: &'static Dialect,
}

/// What differs between the CRMs.
pub(super) struct Dialect {
    /// The CRM's name in messages.
    pub crm: &'static str,
    /// What it calls an account.
    pub organisation: &'static str,
    /// The setting that holds the account's id.
    pub setting: &'static str,
    /// Whose account an answer's token opens.
    pub account: fn(&Told) -> Option<String>,
    /// What to do about a refusal of that grant type, where the CRM documents it. The CRM's texts
    /// choose the advice and nothing else: what follows is decided by codes.
    pub advice: fn(&Denied, grant_type: &str) -> Option<&'static str>,
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialect").field("crm", &self.crm).finish_non_exhaustive()
    }
}

/// A success, in the names of RFC 6749 and of both CRMs. Without `Debug`: it holds tokens.
#[derive(Deserialize)]
pub(super) struct Told {
    access_token: String,
    refresh_token: Option<String>,
    /// Seconds.
    expires_in: Option<u32>,
    /// Separated by spaces.
    scope: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    /// HubSpot's account.
    pub hub_id: Option<u64>,
    /// Salesforce's `https://login.salesforce.com/id/{organization}/{user}`.
    pub id: Option<String>,
}

/// A refusal (RFC 6749, section 5.2), and HubSpot's own word for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Denied {
    pub error: String,
    pub error_description: String,
    pub status: String,
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub(super) struct NoToken {
    pub error: CrmError,
    /// What was sent is used up, revoked or never was good: asking again with it leads nowhere.
    pub is_over: bool,
    /// How far the CRM's clock is ahead of ours, by its answer.
    pub ahead: Option<Elapsed>,
}

impl From<CrmError> for NoToken {
    fn from(error: CrmError) -> Self {
        Self { error, is_over: false, ahead: None }
    }
}

impl TokenEndpoint {
    /// Asks for a token with these fields besides, all in the body.
    ///
    /// # Errors
    /// [`CrmError::SignIn`] says what has to be done, [`CrmError::Later`] that nothing has to.
    pub async fn ask(&self, http: &Http, grant_type: &str, rest: &[(&str, &str)]) -> Result<Grant, NoToken> {
        let form: Vec<(&str, &str)> = [("grant_type", grant_type)].into_iter().chain(rest.iter().copied()).collect();
        // Asking for a token changes nothing in the CRM's records, so a lost answer is no doubt.
        let answer = http.send(http.post(&self.url).form(&form)).await.map_err(later)?;
        if !answer.is_success() {
            return Err(self.refused(&answer, grant_type, http.ahead(&answer)));
        }
        // What cannot be read is not shown: it may hold a token.
        let told: Told = serde_json::from_slice(&answer.body)
            .map_err(|_| self.sign_in("its answer to the sign-in cannot be read; is the address right?"))?;
        let account = (self.dialect.account)(&told);
        self.same_account(account.as_deref())?;
        Ok(told.into_grant(account, http.now()))
    }

    /// A token of another account would read and write that one.
    fn same_account(&self, told: Option<&str>) -> Result<(), CrmError> {
        let Dialect { organisation, setting, .. } = self.dialect;
        match (told, &self.account) {
            (Some(told), Some(configured)) if told != configured => Err(self.sign_in(&format!(
                "the sign-in was for {organisation} {told}, and `{setting}` says {configured}: nothing was kept. Sign \
                 in to the right one, or correct `{setting}`"
            ))),
            _ => Ok(()),
        }
    }

    pub fn sign_in(&self, message: &str) -> CrmError {
        CrmError::SignIn { message: format!("{}: {message}", self.dialect.crm) }
    }

    fn refused(&self, answer: &Answer, grant_type: &str, ahead: Option<Elapsed>) -> NoToken {
        let status = answer.status;
        let denied: Denied = serde_json::from_slice(&answer.body).unwrap_or_default();
        if matches!(status, 408 | 429 | 500..) || PASSING.contains(&denied.error.as_str()) {
            let message = format!("{} answered the sign-in with status {status}", self.dialect.crm);
            let after = Some(answer.retry_after().unwrap_or(REST).min(LONGEST_REST));
            return NoToken { error: CrmError::Later { message, after }, is_over: false, ahead };
        }
        let is_over = denied.error == "invalid_grant" && PERSONS.contains(&grant_type);
        let advice = (self.dialect.advice)(&denied, grant_type);
        let advice = match (advice, is_over) {
            (Some(advice), false) => advice.to_owned(),
            (Some(advice), true) => format!("{advice}. Sign in again: leadpact connect {}", self.connection),
            (None, true) => format!("sign in again: leadpact connect {}", self.connection),
            (None, false) => "check how the connection is set up to sign in".to_owned(),
        };
        NoToken { error: self.sign_in(&format!("{} ({advice})", denied.words(status))), is_over, ahead }
    }
}

impl Told {
    fn into_grant(self, account: Option<String>, now: Timestamp) -> Grant {
        let listed = self.scope.iter().flat_map(|scope| scope.split_whitespace()).map(str::to_owned);
        let scopes = if self.scopes.is_empty() { listed.collect() } else { self.scopes };
        Grant {
            access_token: SecretString::from(self.access_token),
            refresh_token: self.refresh_token.map(SecretString::from),
            expires: self.expires_in.map(|seconds| now + Elapsed::from_secs(i64::from(seconds))),
            granted: now,
            account,
            scopes,
        }
    }
}

impl Denied {
    /// The CRM's own words, for people.
    fn words(&self, status: u16) -> String {
        let words = match (self.error.as_str(), self.error_description.as_str()) {
            ("", _) => format!("refused the sign-in with status {status}"),
            (error, "") => format!("refused the sign-in: {error}"),
            (error, description) => format!("refused the sign-in: {error}, {description}"),
        };
        words.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
    }
}

fn later(error: CrmError) -> CrmError {
    match error {
        CrmError::Doubt { message } => CrmError::Later { message: format!("no token: {message}"), after: None },
        other => other,
    }
}
