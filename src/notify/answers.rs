//! What can be answered to a notice: Slack's buttons and menus, and links for e-mails. What an answer
//! does, and who may give it, is not known here.

use super::{blocks, text, words};
use serde_json::{Value, json};

/// The block that holds the buttons, by which an answered message is known again.
pub const BLOCK: &str = "leadpact";

/// What precedes a reason's mark in a menu of all answers.
pub const REJECT: &str = "reject-";

/// Slack's limits: elements of an actions block are few here; a select has 100 options, an option's text 75
/// characters.
const OPTIONS: usize = 100;
const OPTION: usize = 75;

/// What a notice offers. Empty: nothing, which is usual.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Answers {
    /// The value of the buttons; without it there are none.
    #[serde(skip)]
    pub button: Option<String>,
    pub accept: bool,
    pub reasons: Vec<Reason>,
    pub on_it: bool,
    /// By how much the next notice is put off, in words.
    pub snooze: Option<String>,
    /// For a person's e-mail: one for each answer.
    pub links: Vec<Link>,
    /// Where they say how they want to be told.
    pub preferences: Option<String>,
}

/// A link of an e-mail.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Link {
    pub label: String,
    pub url: String,
}

/// An agreed reason to reject.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// Names it in the button's value.
    pub mark: String,
    pub text: String,
}

impl Answers {
    /// Every text one line of a sane length.
    pub(super) fn cleaned(&self) -> Self {
        let reason = |r: &Reason| Reason { mark: r.mark.clone(), text: words::short(&r.text) };
        let link = |l: &Link| Link { label: words::short(&l.label), url: l.url.clone() };
        Self {
            reasons: self.reasons.iter().map(reason).filter(|r| !r.text.is_empty()).collect(),
            links: self.links.iter().map(link).collect(),
            ..self.clone()
        }
    }
}

/// The buttons below a single notice.
pub(super) fn buttons(answers: &Answers) -> Option<Value> {
    let value = answers.button.as_deref()?;
    let mut elements = Vec::new();
    if answers.accept {
        let mut accept = button("accept", "Accept", value);
        accept["style"] = json!("primary");
        elements.push(accept);
    }
    if !answers.reasons.is_empty() {
        elements.push(reasons(&answers.reasons, value));
    }
    if answers.on_it {
        elements.push(button("on_it", "I'm on it", value));
    }
    if let Some(span) = &answers.snooze {
        elements.push(button("snooze", &format!("Remind me {span} later"), value));
    }
    (!elements.is_empty()).then(|| json!({ "type": "actions", "block_id": BLOCK, "elements": elements }))
}

fn button(action: &str, label: &str, value: &str) -> Value {
    json!({ "type": "button", "action_id": action, "text": plain(label), "value": value })
}

fn reasons(reasons: &[Reason], value: &str) -> Value {
    let one = |r: &Reason| json!({ "text": plain(&r.text), "value": format!("{value}:{}", r.mark) });
    let options: Vec<Value> = reasons.iter().take(OPTIONS).map(one).collect();
    json!({ "type": "static_select", "action_id": "reject", "placeholder": plain("Reject…"), "options": options })
}

/// The menu beside one of several notices in a message, each agreed reason to reject among its answers.
pub(super) fn menu(answers: &Answers) -> Option<Value> {
    let value = answers.button.as_deref()?;
    let all = [
        answers.accept.then(|| ("accept".to_owned(), "Accept".to_owned())),
        answers.on_it.then(|| ("on_it".to_owned(), "I'm on it".to_owned())),
        answers.snooze.as_ref().map(|span| ("snooze".to_owned(), format!("Remind me {span} later"))),
    ];
    let reject = |r: &Reason| (format!("{REJECT}{}", r.mark), format!("Reject: {}", r.text));
    let all = all.into_iter().flatten().chain(answers.reasons.iter().map(reject)).take(OPTIONS);
    let one =
        |(answer, label): (String, String)| json!({ "text": plain(&label), "value": format!("{value}:{answer}") });
    let options: Vec<Value> = all.map(one).collect();
    let menu =
        json!({ "type": "static_select", "action_id": "menu", "placeholder": plain("Answer…"), "options": options });
    (!options.is_empty()).then_some(menu)
}

/// The line that leads to the page of preferences.
pub(super) fn preferences(url: &str) -> Value {
    let link = text::slack_link(url, "How you are told", OPTION);
    json!({ "type": "context", "elements": [blocks::mrkdwn(&link)] })
}

fn plain(label: &str) -> Value {
    json!({ "type": "plain_text", "text": text::cut(label, OPTION), "emoji": false })
}
