//! Signing requests in to a described CRM: a token, HTTP Basic, a header, a part of the address, or an
//! access token that is asked for first and kept in memory. No secret stands in any message.

use super::api::Api;
use super::description::{Authentication, Grant, OAuth2};
use super::template::{Given, Placeholder, Template};
use crate::crm::CrmError;
use crate::crm::connection::Described;
use crate::crm::http::Answer;
use crate::record::{Elapsed, Timestamp};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

/// A token is asked for anew so long before it ends.
const EARLY: Elapsed = Elapsed::from_secs(60);
/// Where the CRM does not say when it ends.
const USUAL: u64 = 3600;

/// The access token that was given out last. One request at a time asks for it.
#[derive(Default)]
pub(super) struct Session(Mutex<Option<Granted>>);

#[derive(Clone)]
struct Granted {
    token: SecretString,
    /// In real time.
    ends: Timestamp,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Api {
    /// Sends a request with the credentials. A token that is not taken any more is asked for anew, once:
    /// what was refused with 401 was not done.
    ///
    /// # Errors
    /// As every call; an answer of any status is none.
    pub(super) async fn signed(&self, build: impl Fn() -> RequestBuilder) -> Result<Answer, CrmError> {
        self.meter.admit(self.http.now()).await?;
        let Authentication::OAuth2(oauth) = &self.description().authentication else {
            let answer = self.http.send(self.with_credentials(build())?).await?;
            self.note(&answer);
            return Ok(answer);
        };
        let granted = self.granted(oauth).await?;
        let mut answer = self.http.send(bearing(build(), oauth, &granted)?).await?;
        if answer.status == 401 {
            self.forget(&granted).await;
            let granted = self.granted(oauth).await?;
            answer = self.http.send(bearing(build(), oauth, &granted)?).await?;
        }
        self.note(&answer);
        Ok(answer)
    }

    fn with_credentials(&self, builder: RequestBuilder) -> Result<RequestBuilder, CrmError> {
        let described = &self.described;
        let filled = |value: &Template| value.plain(&credentials(described)).unwrap_or_default();
        Ok(match &self.description().authentication {
            Authentication::Bearer => builder.bearer_auth(exposed(&described.access_token)),
            Authentication::Basic => {
                builder.basic_auth(exposed(&described.client_id), Some(exposed(&described.client_secret)))
            }
            Authentication::Header { name, value } => builder.header(name, header(&filled(value))?),
            Authentication::Query { name, value } => builder.query(&[(name.as_str(), filled(value))]),
            Authentication::OAuth2(_) => builder,
        })
    }

    async fn granted(&self, oauth: &OAuth2) -> Result<SecretString, CrmError> {
        let mut kept = self.session.0.lock().await;
        let now = self.http.now();
        if let Some(granted) = kept.as_ref().filter(|granted| now + EARLY < granted.ends) {
            return Ok(granted.token.clone());
        }
        let granted = self.ask(oauth, now).await?;
        Ok(kept.insert(granted).token.clone())
    }

    /// Unless another call has renewed it meanwhile.
    async fn forget(&self, token: &SecretString) {
        let mut kept = self.session.0.lock().await;
        if kept.as_ref().is_some_and(|granted| granted.token.expose_secret() == token.expose_secret()) {
            *kept = None;
        }
    }

    async fn ask(&self, oauth: &OAuth2, now: Timestamp) -> Result<Granted, CrmError> {
        let address = match oauth.token.starts_with('/') {
            true => format!("{}{}", self.base_url, oauth.token),
            false => oauth.token.clone(),
        };
        let url = Url::parse(&address).map_err(|_| never("the address of `token` makes no address"))?;
        let request = self.http.post(url.as_str()).header(ACCEPT, "application/json");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(self.form(oauth));
        let answer = self.http.send(request).await.map_err(nothing_done)?;
        let name = &self.description().name;
        match answer.status {
            200..300 => {}
            429 | 500.. => {
                let message = format!("{name} gave out no access token: status {}", answer.status);
                return Err(CrmError::Later { message, after: answer.retry_after() });
            }
            status => {
                let message = format!("{name} gave out no access token: status {status}");
                return Err(CrmError::SignIn { message });
            }
        }
        // Some answer a refusal with 200; what they say could repeat what was sent.
        let told: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|_| CrmError::SignIn {
            message: format!("{name} gave out no access token: none stands in its answer"),
        })?;
        let seconds = i64::try_from(told.expires_in.unwrap_or(USUAL)).unwrap_or(USUAL as i64);
        Ok(Granted { token: told.access_token.into(), ends: now + Elapsed::from_secs(seconds.min(86_400)) })
    }

    fn form(&self, oauth: &OAuth2) -> String {
        let described = &self.described;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", exposed(&described.client_id));
        form.append_pair("client_secret", exposed(&described.client_secret));
        match oauth.grant {
            Grant::ClientCredentials => form.append_pair("grant_type", "client_credentials"),
            Grant::RefreshToken => form
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", exposed(&described.refresh_token)),
        };
        if let Some(scope) = &oauth.scope {
            form.append_pair("scope", scope);
        }
        form.finish()
    }
}

/// Without a token nothing was asked of the CRM yet.
fn nothing_done(error: CrmError) -> CrmError {
    match error {
        CrmError::Doubt { message } => CrmError::Later { message, after: None },
        other => other,
    }
}

fn bearing(builder: RequestBuilder, oauth: &OAuth2, token: &SecretString) -> Result<RequestBuilder, CrmError> {
    let given = Given::default().with(Placeholder::AccessToken, token.expose_secret());
    Ok(builder.header(AUTHORIZATION, header(&oauth.value.plain(&given).unwrap_or_default())?))
}

fn header(text: &str) -> Result<HeaderValue, CrmError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| never("the credentials do not fit into a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn credentials(described: &Described) -> Given {
    Given::default()
        .with(Placeholder::AccessToken, exposed(&described.access_token))
        .with(Placeholder::ClientId, exposed(&described.client_id))
        .with(Placeholder::ClientSecret, exposed(&described.client_secret))
}

fn exposed(secret: &Option<SecretString>) -> &str {
    secret.as_ref().map_or("", |secret| secret.expose_secret())
}

fn never(message: &str) -> CrmError {
    CrmError::Never { message: message.to_owned() }
}
