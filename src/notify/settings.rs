//! What notifiers are told by the configuration, parsed already, and what may be wrong with it.

use super::templates::TemplateError;
use secrecy::SecretString;

/// `[notify.slack]`: a bot token reaches channels and people, an incoming webhook one channel.
#[derive(Clone, Debug)]
pub struct SlackSettings {
    /// `xoxb-…`; goes before the webhook where both are given.
    pub token: Option<SecretString>,
    /// `https://hooks.slack.com/services/…`: whoever knows it can post.
    pub webhook_url: Option<SecretString>,
    /// `https://slack.com/api`
    pub base_url: String,
}

impl SlackSettings {
    /// Where Slack's Web API lives, unless a test or a proxy stands in.
    pub const BASE_URL: &'static str = "https://slack.com/api";
}

/// `[notify.email]`
#[derive(Clone, Debug)]
pub struct EmailSettings {
    /// `smtps://user:password@host`, or `smtp://host:port` with `?tls=required` or
    /// `?tls=opportunistic`; the path is the name to greet with.
    pub smtp_url: SecretString,
    /// `leadpact <sla@acme.example>`
    pub from: String,
}

/// Why a notifier cannot be built. Never says the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error("notify.slack: {0}")]
    Slack(String),
    #[error("notify.email: {0}")]
    Email(String),
    #[error(transparent)]
    Template(#[from] TemplateError),
}
