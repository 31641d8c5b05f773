//! `POST /templates/test`: a message to try, to an address that the agreement itself names or to one's
//! own mailbox, a few an hour. What came of it is said at once.

use super::{Preview, Unseen, Which, page};
use crate::engine::clock::monotonic_now;
use crate::engine::reach;
use crate::notify::{Destination, Rendered};
use crate::web::Web;
use crate::web::pages::unavailable;
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many tests in so long, by everybody together: each one rings somewhere.
const MOST: usize = 10;
const WHILE: Duration = Duration::from_secs(600);

/// When tests were sent lately.
#[derive(Default)]
pub struct Pace(Mutex<VecDeque<Instant>>);

impl Pace {
    /// Whether another one may be sent; if so it counts.
    fn allows(&self) -> bool {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = monotonic_now();
        sent.retain(|at| now.duration_since(*at) < WHILE);
        let allows = sent.len() < MOST;
        if allows {
            sent.push_back(now);
        }
        allows
    }
}

/// Where a test may go.
pub struct Place {
    /// In the form.
    pub word: String,
    pub label: String,
    to: Destination,
}

/// What came of it.
pub struct Said {
    pub class: &'static str,
    pub text: String,
}

/// `Reminder`
pub fn sentence_case(word: &str) -> String {
    let mut letters = word.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

/// The visitor's own mailbox, and every address that an agreement at work names.
pub fn places(web: &Web, visitor: &Visitor) -> Vec<Place> {
    let own = visitor.account().map(|(_, login)| login).filter(|login| login.contains('@'));
    let own = own.map(|login| Destination::Email { address: login.to_owned(), name: None });
    let mut found: Vec<Destination> = own.into_iter().collect();
    for site in web.engine.sites() {
        for party in &site.agreement.parties {
            found.extend(party.notify.iter().chain(&party.manager).map(reach::destination));
        }
    }
    found.sort();
    found.dedup();
    found.into_iter().map(place).collect()
}

fn place(to: Destination) -> Place {
    let (word, label) = match &to {
        Destination::SlackChannel(channel) => (format!("slack:{channel}"), format!("Slack {channel}")),
        Destination::SlackMember { email } => (format!("member:{email}"), format!("{email} in Slack")),
        Destination::Email { address, .. } => (format!("email:{address}"), format!("mail to {address}")),
    };
    Place { word, label, to }
}

#[derive(Deserialize)]
pub struct Test {
    #[serde(flatten)]
    which: Which,
    #[serde(default)]
    to: String,
}

pub async fn send(web: Data<Web>, visitor: Visitor, form: Form<Test>) -> HttpResponse {
    let (status, said) = match try_send(&web, &visitor, &form.which, &form.to).await {
        Ok(sent) => (sent.status(), sent.said()),
        Err(Unseen::Why(text)) => (StatusCode::UNPROCESSABLE_ENTITY, Said { class: "bad", text }),
        Err(Unseen::Store(error)) => return unavailable(&error),
    };
    page(&web, &visitor, &form.which, (status, Some(said))).await
}

/// What came of a test.
pub enum Sent {
    /// To this address; it has this id there.
    Done {
        to: String,
        id: String,
    },
    /// The address took none.
    Failed {
        to: String,
        why: String,
    },
    /// No agreement names this address.
    Elsewhere,
    TooMany,
}

impl Sent {
    fn status(&self) -> StatusCode {
        match self {
            Sent::Done { .. } => StatusCode::OK,
            Sent::Failed { .. } => StatusCode::BAD_GATEWAY,
            Sent::Elsewhere => StatusCode::UNPROCESSABLE_ENTITY,
            Sent::TooMany => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// In a sentence.
    pub fn text(&self) -> String {
        match self {
            Sent::Done { to, id } => format!("Sent: {to} ({id})."),
            Sent::Failed { to, why } => format!("Not sent, {to}: {why}."),
            Sent::Elsewhere => "A test goes to your own mailbox, or to an address that the agreement names.".to_owned(),
            Sent::TooMany => {
                format!("{MOST} tests were sent within ten minutes. Wait a little before the next.")
            }
        }
    }

    fn said(&self) -> Said {
        Said { class: if matches!(self, Sent::Done { .. }) { "good" } else { "bad" }, text: self.text() }
    }
}

/// Sends a message as a test, to one of the [`places`] by its word.
///
/// # Errors
/// There is no such message, or the database cannot be read.
pub async fn try_send(web: &Web, visitor: &Visitor, which: &Which, to: &str) -> Result<Sent, Unseen> {
    let Some(place) = places(web, visitor).into_iter().find(|place| place.word == to) else {
        return Ok(Sent::Elsewhere);
    };
    let preview = which.preview(web).await?;
    if !web.tests.allows() {
        return Ok(Sent::TooMany);
    }
    let test = marked(preview, visitor.name());
    let to = place.label;
    Ok(match web.engine.notifiers.post(&place.to, &test).await {
        Ok(id) => Sent::Done { to, id },
        Err(error) => Sent::Failed { to, why: error.to_string() },
    })
}

/// Nobody is to take a test for a call to act.
fn marked(preview: Preview, by: &str) -> Rendered {
    let Rendered { subject, text, html, blocks, .. } = preview.rendered;
    let note = format!("This is a test of a message, sent by {by}. Nothing is asked of you.");
    let mut all =
        vec![json!({ "type": "context", "elements": [{ "type": "plain_text", "text": note, "emoji": false }] })];
    if let Value::Array(blocks) = blocks {
        all.extend(blocks);
    }
    let escaped = crate::chart::text::escape(&note);
    Rendered {
        key: format!("test/{}", uuid::Uuid::new_v4()),
        subject: format!("Test: {subject}"),
        text: format!("{note}\n\n{text}"),
        html: html.replacen("</body>", &format!("<p>{escaped}</p></body>"), 1),
        blocks: Value::Array(all),
    }
}
