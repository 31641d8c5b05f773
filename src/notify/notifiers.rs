//! All configured channels as one: renders a message and sends it by the first that reaches its
//! destination. When to try again is decided elsewhere.

use super::email::Email;
use super::settings::{EmailSettings, SetupError, SlackSettings};
use super::slack::Slack;
use super::{
    Destination, Letter, Look, Message, Notifier, NotifyError, Rendered, TemplateError, Templates, letter, render,
};
use std::path::Path;

pub struct Notifiers {
    templates: Templates,
    list: Vec<Box<dyn Notifier>>,
}

impl std::fmt::Debug for Notifiers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifiers").field("channels", &self.list.len()).finish_non_exhaustive()
    }
}

impl Notifiers {
    /// What the configuration names; none at all is allowed and reaches nobody.
    pub fn new(
        templates: Templates,
        slack: Option<&SlackSettings>,
        email: Option<&EmailSettings>,
    ) -> Result<Self, SetupError> {
        let mut list: Vec<Box<dyn Notifier>> = Vec::new();
        if let Some(settings) = slack {
            list.push(Box::new(Slack::new(settings)?));
        }
        if let Some(settings) = email {
            list.push(Box::new(Email::new(settings)?));
        }
        Ok(Self::of(templates, list))
    }

    /// Any channels, asked in this order.
    pub fn of(templates: Templates, list: Vec<Box<dyn Notifier>>) -> Self {
        Self { templates, list }
    }

    /// Whether anything would be tried for that destination.
    pub fn reaches(&self, to: &Destination) -> bool {
        routes(to).iter().any(|route| self.list.iter().any(|channel| channel.reaches(route)))
    }

    /// Asks every channel whether it would work, sending nothing.
    pub async fn examine(&self, channels: &[&str]) -> Vec<Look> {
        let mut looks = Vec::new();
        for channel in &self.list {
            looks.extend(channel.examine(channels).await);
        }
        looks
    }

    /// A letter in every form, under this key.
    ///
    /// # Errors
    /// `Never` when not even the shipped template can say it.
    pub fn letter(&self, key: &str, letter: &Letter) -> Result<Rendered, NotifyError> {
        letter
            .render(&self.templates, key)
            .or_else(|error| {
                tracing::warn!(%error, "a template failed, the shipped one is used");
                letter.render(Templates::shipped(), key)
            })
            .map_err(|error| NotifyError::Never { message: error.to_string() })
    }

    /// What a message would look like; where an operator's template fails on it, that error beside
    /// what the shipped one says in its place.
    ///
    /// # Errors
    /// `Never` when not even the shipped template can say it.
    pub fn preview(&self, message: &Message) -> Result<(Rendered, Option<TemplateError>), NotifyError> {
        let error = render(&self.templates, message).err();
        Ok((self.rendered(message)?, error))
    }

    /// The same of a letter that tells of made-up things; `None`: no letter has this template.
    ///
    /// # Errors
    /// As [`Notifiers::preview`].
    pub fn preview_letter(&self, template: &str) -> Option<Result<(Rendered, Option<TemplateError>), NotifyError>> {
        let letter = letter::samples().into_iter().find(|letter| letter.template() == template)?;
        let error = letter.render(&self.templates, template).err();
        Some(self.letter(template, &letter).map(|rendered| (rendered, error)))
    }

    /// The operator's file in the place of a shipped template.
    pub fn overridden(&self, name: &str) -> Option<&Path> {
        self.templates.overridden(name)
    }

    /// Sends one message once and answers what names it. A person whom Slack does not know, or to
    /// whom Slack refuses to speak, gets an e-mail to the same address.
    pub async fn send(&self, message: &Message) -> Result<String, NotifyError> {
        self.post(&message.to, &self.rendered(message)?).await
    }

    /// Sends a letter once, under this key.
    ///
    /// # Errors
    /// As [`Notifiers::send`].
    pub async fn send_letter(&self, to: &Destination, key: &str, letter: &Letter) -> Result<String, NotifyError> {
        self.post(to, &self.letter(key, letter)?).await
    }

    /// Sends what is rendered already, in the same way.
    pub async fn post(&self, to: &Destination, rendered: &Rendered) -> Result<String, NotifyError> {
        let mut refusal = None;
        for route in routes(to) {
            for channel in self.list.iter().filter(|channel| channel.reaches(&route)) {
                match channel.send(&route, rendered).await {
                    Err(NotifyError::Never { message }) => {
                        refusal.get_or_insert(NotifyError::Never { message });
                    }
                    // Nobody counts for more than a refusal: it lets the party's channel be told.
                    Err(NotifyError::Nobody { message }) => refusal = Some(NotifyError::Nobody { message }),
                    sent_or_later => return sent_or_later,
                }
            }
        }
        Err(refusal.unwrap_or_else(unreached))
    }

    /// An operator's template that fails on real data must not silence a notice: the shipped one
    /// speaks instead.
    fn rendered(&self, message: &Message) -> Result<Rendered, NotifyError> {
        render(&self.templates, message)
            .or_else(|error| {
                tracing::warn!(%error, "a template failed, the shipped one is used");
                render(Templates::shipped(), message)
            })
            .map_err(|error| NotifyError::Never { message: error.to_string() })
    }
}

fn unreached() -> NotifyError {
    NotifyError::Nobody { message: "no channel is configured for this destination".to_owned() }
}

/// A destination, and what stands in for it.
fn routes(to: &Destination) -> Vec<Destination> {
    let mut routes = vec![to.clone()];
    if let Destination::SlackMember { email } = to {
        routes.push(Destination::Email { address: email.clone(), name: None });
    }
    routes
}
