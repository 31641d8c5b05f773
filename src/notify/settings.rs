//! The settings of the channels, as the configuration gives them to this room.

use secrecy::SecretString;

#[derive(Clone, Debug)]
pub struct SlackSettings {
    /// A bot's token; it goes before `webhook_url`. At least one of both is there.
    pub token: Option<SecretString>,
    /// An incoming webhook: one channel, whatever a message names.
    pub webhook_url: Option<SecretString>,
    /// Without a slash at its end.
    pub base_url: String,
    /// For what Slack sends to us.
    pub signing_secret: Option<SecretString>,
}

#[derive(Clone, Debug)]
pub struct EmailSettings {
    /// `smtp://` or `smtps://`, with user and password if the server wants them.
    pub smtp_url: SecretString,
    /// `leadpact <sla@acme.example>`
    pub from: String,
}
