//! Floor 2: telling people. Slack and e-mail behind one trait; what a notice says is made by
//! templates here, whether it is sent is decided elsewhere.

mod answers;
mod blocks;
pub mod email;
mod email_examine;
pub mod examine;
mod http;
pub mod letter;
mod letter_blocks;
mod notifiers;
pub mod render;
mod sample;
pub mod settings;
pub mod slack;
mod slack_examine;
mod slack_people;
pub mod templates;
mod text;
pub mod version;
mod words;

pub use answers::{Answers, BLOCK as ACTIONS_BLOCK, Link, REJECT, Reason};
pub use examine::{Look, Seen};
pub use letter::Letter;
pub use notifiers::Notifiers;
pub use render::{check_title, render, task_title};
pub use sample::item as sample_item;
pub use settings::{EmailSettings, SetupError, SlackSettings};
pub use slack_people::{Home, SlackPeople};
pub use templates::{NOTICES, SHIPPED, TemplateError, Templates};

use crate::record::effect::Notice;
use async_trait::async_trait;
use std::time::Duration;

/// Where a message goes, with people already looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// With its `#`, or a channel id.
    SlackChannel(String),
    /// A person, found in Slack by e-mail address; direct message.
    SlackMember {
        email: String,
    },
    Email {
        address: String,
        name: Option<String>,
    },
}

/// One message; several notices for the same person are bundled into one.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The effect's key, of a bundle that of its first: the same message has the same key.
    pub key: String,
    pub to: Destination,
    /// Never empty.
    pub items: Vec<Item>,
}

/// What templates can say about one notice. Times are texts already, in the reader's zone.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Item {
    #[serde(skip)]
    pub notice: Notice,
    pub record: RecordItem,
    /// Clock or requirement.
    pub clock: String,
    pub handoff: Option<String>,
    pub party: String,
    pub owner: Option<String>,
    /// `2027-01-05 09:00 EST`
    pub deadline: Option<String>,
    /// `in 30 minutes`, `2h 5m ago`
    pub relative: Option<String>,
    /// What is missing, for violations.
    pub missing: Vec<String>,
    /// What happens if nothing is done: `it goes back to teleprospecting on 2027-01-06 09:00 EST.`
    pub next: Option<String>,
    /// Who has it now, after a move.
    pub receiver: Option<String>,
    /// What can be answered to it.
    pub answers: Answers,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct RecordItem {
    pub name: String,
    pub url: Option<String>,
    pub object: String,
    pub company: Option<String>,
    pub stage: Option<String>,
}

/// A message in every form that a channel may want.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rendered {
    /// The message's key; a mail's Message-ID is made from it.
    pub key: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Slack's Block Kit blocks, escaped.
    pub blocks: serde_json::Value,
}

#[async_trait]
pub trait Notifier: Send + Sync {
    /// Whether this channel can reach that destination as it is configured.
    fn reaches(&self, to: &Destination) -> bool;

    /// Sends one message once. The answer names it (Slack's channel and ts, the mail's id).
    async fn send(&self, to: &Destination, message: &Rendered) -> Result<String, NotifyError>;

    /// Asks whether it would work, sending nothing. `channels` are those that the agreement names.
    async fn examine(&self, _channels: &[&str]) -> Vec<Look> {
        Vec::new()
    }
}

/// Why a message was not sent, as what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    #[error("try again later: {message}")]
    Later { message: String, after: Option<Duration> },
    /// This destination does not exist; tell the party's channel instead.
    #[error("nobody there: {message}")]
    Nobody { message: String },
    #[error("refused: {message}")]
    Never { message: String },
}
