//! What notifiers are told by the configuration, parsed already.

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

/// `[notify.email]`
#[derive(Clone, Debug)]
pub struct EmailSettings {
    /// `smtps://user:password@host`, or `smtp://host:port`.
    pub smtp_url: SecretString,
    /// `leadpact <sla@acme.example>`
    pub from: String,
}
