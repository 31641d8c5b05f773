//! Slack: messages by a bot's token or by an incoming webhook. What a message says comes ready;
//! whether it is sent, and when again, is decided elsewhere.

use super::http::{self, Answer};
use super::settings::{SetupError, SlackSettings};
use super::{Destination, Look, Notifier, NotifyError, Rendered, slack_examine, text};
use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The advised length of a message's fallback text.
const FALLBACK: usize = 4_000;

/// More people than this are looked up again.
const REMEMBERED: usize = 10_000;

/// How we may speak to Slack.
#[derive(Debug)]
pub(super) enum Access {
    /// May choose the channel and find people.
    Bot { token: SecretString, base_url: String },
    /// Its channel was chosen when the webhook was made.
    Webhook { url: SecretString },
}

#[derive(Debug)]
pub struct Slack {
    client: Client,
    access: Access,
    /// E-mail address to member id, for people who were found.
    members: Mutex<HashMap<String, String>>,
}

/// What the Web API answers to every method, with HTTP status 200 even for errors.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ApiStatus {
    ok: bool,
    error: Option<String>,
    /// The scope that a token lacks.
    needed: Option<String>,
}

/// What it answers besides to the methods that send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ApiAnswer {
    channel: Option<String>,
    ts: Option<String>,
    user: Option<User>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    id: String,
    deleted: bool,
}

impl Slack {
    pub fn new(settings: &SlackSettings) -> Result<Self, SetupError> {
        let access = match (&settings.token, &settings.webhook_url) {
            (Some(token), _) => Access::Bot { token: header_safe(token)?, base_url: base(&settings.base_url)? },
            (None, Some(url)) => Access::Webhook { url: address(url)? },
            (None, None) => return Err(setup("give a token or a webhook_url")),
        };
        let client = http::client().map_err(|error| setup(&error.without_url().to_string()))?;
        Ok(Self { client, access, members: Mutex::default() })
    }

    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    async fn post(&self, token: &SecretString, base: &str, body: &Value) -> Result<String, NotifyError> {
        let request = self
            .client
            .post(format!("{base}/chat.postMessage"))
            .bearer_auth(token.expose_secret())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body.to_string());
        let answer = api_answer(&http::send(request).await?)?;
        let id = (answer.channel.unwrap_or_default(), answer.ts.unwrap_or_default());
        Ok(format!("{}:{}", id.0, id.1))
    }

    /// The member's id, which is also the channel of direct messages to that person.
    async fn member(&self, token: &SecretString, base: &str, email: &str) -> Result<String, NotifyError> {
        if let Some(id) = self.lock().get(email) {
            return Ok(id.clone());
        }
        let request = self
            .client
            .get(format!("{base}/users.lookupByEmail"))
            .query(&[("email", email)])
            .bearer_auth(token.expose_secret());
        let answer = api_answer(&http::send(request).await?)?;
        let user = answer.user.filter(|user| !user.deleted && !user.id.is_empty());
        let id = user.ok_or_else(|| nobody("no active member has this address"))?.id;
        self.remember(email, &id);
        Ok(id)
    }

    fn remember(&self, email: &str, id: &str) {
        let mut members = self.lock();
        if members.len() >= REMEMBERED {
            members.clear();
        }
        members.insert(email.to_owned(), id.to_owned());
    }

    async fn direct(
        &self,
        token: &SecretString,
        base: &str,
        email: &str,
        message: &Rendered,
    ) -> Result<String, NotifyError> {
        let member = self.member(token, base, email).await?;
        let sent = self.post(token, base, &body(Some(&member), message)).await;
        if matches!(sent, Err(NotifyError::Nobody { .. })) {
            // The person left since we looked.
            self.lock().remove(email);
        }
        sent
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Notifier for Slack {
    fn reaches(&self, to: &Destination) -> bool {
        match to {
            Destination::SlackChannel(_) => true,
            Destination::SlackMember { .. } => matches!(self.access, Access::Bot { .. }),
            Destination::Email { .. } => false,
        }
    }

    async fn send(&self, to: &Destination, message: &Rendered) -> Result<String, NotifyError> {
        match (&self.access, to) {
            (Access::Bot { token, base_url }, Destination::SlackChannel(channel)) => {
                self.post(token, base_url, &body(Some(channel), message)).await
            }
            (Access::Bot { token, base_url }, Destination::SlackMember { email }) => {
                self.direct(token, base_url, email, message).await
            }
            (Access::Webhook { url }, Destination::SlackChannel(_)) => {
                let request = self.client.post(url.expose_secret()).json(&body(None, message));
                webhook_answer(&http::send(request).await?)
            }
            _ => Err(nobody("Slack cannot reach this destination")),
        }
    }

    async fn examine(&self, channels: &[&str]) -> Vec<Look> {
        slack_examine::examine(self, channels).await
    }
}

/// Markup in the fallback text is live too, so it is escaped; previews of links in it are off.
fn body(channel: Option<&str>, message: &Rendered) -> Value {
    let fallback = format!("{}\n\n{}", message.subject, message.text.trim_end());
    let mut body = json!({
        "text": text::slack(&fallback, FALLBACK),
        "blocks": message.blocks,
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    if let Some(channel) = channel {
        body["channel"] = json!(channel);
    }
    body
}

fn api_answer(answer: &Answer) -> Result<ApiAnswer, NotifyError> {
    accepted(answer)?;
    serde_json::from_slice(&answer.body).map_err(|_| not_slack(answer))
}

/// Whether the Web API did what it was asked. Methods call different things by one name, so that
/// nothing else of the answer is read here.
pub(super) fn accepted(answer: &Answer) -> Result<(), NotifyError> {
    let status: ApiStatus = serde_json::from_slice(&answer.body).map_err(|_| not_slack(answer))?;
    if status.ok && answer.status.is_success() {
        return Ok(());
    }
    let code = code(status.error.as_deref().unwrap_or_default());
    let message = match status.needed.as_deref() {
        Some(scope) => format!("{code}, the token lacks {}", code_of_scope(scope)),
        None => code.to_owned(),
    };
    Err(refused(code, message, answer))
}

fn not_slack(answer: &Answer) -> NotifyError {
    never(&format!("answered {} with something that is not Slack's", answer.status.as_u16()))
}

/// An incoming webhook answers in plain text, `ok` or a code.
fn webhook_answer(answer: &Answer) -> Result<String, NotifyError> {
    let says = String::from_utf8_lossy(&answer.body);
    if answer.status.is_success() && says.trim() == "ok" {
        return Ok("incoming webhook".to_owned());
    }
    let code = code(says.trim());
    Err(refused(code, format!("{} {code}", answer.status.as_u16()), answer))
}

/// What Slack's code means for us; an unknown one will not get better by asking again.
fn refused(code: &str, message: String, answer: &Answer) -> NotifyError {
    match code {
        "ratelimited"
        | "rate_limited"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org" => NotifyError::Later { message, after: answer.after },
        "channel_not_found"
        | "channel_is_archived"
        | "is_archived"
        | "not_in_channel"
        | "users_not_found"
        | "user_not_found"
        | "user_disabled"
        | "cannot_dm_bot"
        | "messages_tab_disabled" => NotifyError::Nobody { message },
        _ => NotifyError::Never { message },
    }
}

/// Slack's codes are short words; anything else is not repeated, it may be anybody's page.
fn code(text: &str) -> &str {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.is_empty() && text.len() <= 60 && text.chars().all(word) { text } else { "without a reason" }
}

fn code_of_scope(scope: &str) -> &str {
    let plain = |c: char| c.is_ascii_lowercase() || matches!(c, ':' | '.' | ',' | '_');
    if scope.len() <= 100 && scope.chars().all(plain) { scope } else { "a scope" }
}

fn header_safe(token: &SecretString) -> Result<SecretString, SetupError> {
    let text = token.expose_secret().trim();
    if text.is_empty() || HeaderValue::from_str(text).is_err() {
        return Err(setup("the token is empty or has characters that no token has"));
    }
    Ok(SecretString::from(text))
}

fn base(url: &str) -> Result<String, SetupError> {
    let url = url.trim().trim_end_matches('/');
    text::web_address(url).ok_or_else(|| setup("base_url must be an http or https address"))?;
    Ok(url.to_owned())
}

fn address(url: &SecretString) -> Result<SecretString, SetupError> {
    let url = text::web_address(url.expose_secret());
    url.map(SecretString::from).ok_or_else(|| setup("webhook_url must be an http or https address"))
}

fn setup(message: &str) -> SetupError {
    SetupError::Slack(message.to_owned())
}

fn nobody(message: &str) -> NotifyError {
    NotifyError::Nobody { message: message.to_owned() }
}

fn never(message: &str) -> NotifyError {
    NotifyError::Never { message: message.to_owned() }
}
