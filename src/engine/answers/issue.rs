//! Tickets for notices that are about to leave: the word behind a message's buttons, and for a person
//! one link for each answer. Stored before they are sent.

use super::{About, Answering, LASTS, mark, written};
use crate::agreement::answer::Offered;
use crate::agreement::span::span_in_words;
use crate::notify::{Answers, Link, Reason};
use crate::record::{ConnectionName, Effect, Elapsed, OwnerId, Timestamp};
use crate::store::answer::{self, Purpose, Ticket};
use crate::store::secret::Secret;
use crate::store::{StoreError, Tx};

/// The page of preferences is reached by a notice for so long.
const PREFERENCES_LAST: Elapsed = Elapsed::from_secs(30 * 86_400);

/// Somebody to whom a notice goes, so that links in it are theirs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addressee {
    pub person: Option<OwnerId>,
    pub email: String,
}

/// Makes tickets and remembers them until they are stored.
pub struct Issuer<'a> {
    answering: &'a Answering,
    connection: &'a ConnectionName,
    now: Timestamp,
    made: Vec<(Secret, Ticket)>,
}

impl<'a> Issuer<'a> {
    pub fn new(answering: &'a Answering, connection: &'a ConnectionName, now: Timestamp) -> Self {
        Self { answering, connection, now, made: Vec::new() }
    }

    /// What a notice offers to whoever reads it. `slack`: it goes there first.
    pub fn answers(&mut self, effect: &Effect, offered: &Offered, to: Option<&Addressee>, slack: bool) -> Answers {
        let about = |answer: Option<&str>| About {
            object: effect.record.object,
            id: effect.record.id.clone(),
            clock: effect.source.clone(),
            pass: effect.pass,
            run: effect.run,
            effect: effect.key.to_string(),
            answer: answer.map(str::to_owned),
        };
        let mut answers = Answers::default();
        if !offered.is_nothing() {
            if slack && self.answering.in_slack {
                let button = self.ticket(Purpose::Button, &about(None), None, LASTS);
                answers.button = Some(button);
                answers.accept = offered.accept;
                let reason = |reason: &String| Reason { mark: mark(reason), text: reason.clone() };
                answers.reasons = offered.reasons.iter().map(reason).collect();
                answers.on_it = offered.on_it;
                answers.snooze = offered.snooze.map(span_in_words);
            }
            if let Some(to) = to {
                answers.links = self.links(offered, &about, to);
            }
        }
        if let Some(to) = to.filter(|to| to.person.is_some()) {
            let ticket = self.ticket(Purpose::Preferences, &about(None), Some(to), PREFERENCES_LAST);
            answers.preferences = Some(format!("{}/preferences/{ticket}", self.answering.public_base));
        }
        answers
    }

    fn links(&mut self, offered: &Offered, about: &dyn Fn(Option<&str>) -> About, to: &Addressee) -> Vec<Link> {
        let snooze = offered.snooze.map(|span| format!("Remind me {} later, once", span_in_words(span)));
        let all = [
            ("accept", offered.accept.then(|| "Accept".to_owned())),
            ("reject", (!offered.reasons.is_empty()).then(|| "Reject…".to_owned())),
            ("on_it", offered.on_it.then(|| "I'm on it".to_owned())),
            ("snooze", snooze),
        ];
        let mut links = Vec::new();
        for (answer, label) in all {
            let Some(label) = label else { continue };
            let ticket = self.ticket(Purpose::Link, &about(Some(answer)), Some(to), LASTS);
            links.push(Link { label, url: format!("{}/answer/{ticket}", self.answering.public_base) });
        }
        links
    }

    fn ticket(&mut self, purpose: Purpose, about: &About, to: Option<&Addressee>, lasts: Elapsed) -> String {
        let word = Secret::fresh("");
        let ticket = Ticket {
            purpose,
            about: serde_json::to_string(about).unwrap_or_default(),
            person: to.and_then(|to| to.person.clone()),
            email: to.map(|to| to.email.clone()).unwrap_or_default(),
            expires_at: self.now + lasts,
            used_at: None,
        };
        let text = written(self.connection, &word);
        self.made.push((word, ticket));
        text
    }

    /// Stores what was made.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn store(self, tx: &mut Tx) -> Result<(), StoreError> {
        answer::add(tx, self.connection, &self.made).await
    }
}
