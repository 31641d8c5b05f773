//! Slack and mail in memory: what was sent where, and answers in a given order.

use async_trait::async_trait;
use leadpact::notify::{Destination, Notifier, NotifyError, Rendered};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub struct Channels(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    sent: Vec<(String, Rendered)>,
    tried: usize,
    answers: HashMap<String, VecDeque<NotifyError>>,
}

/// `#channel`, `@person@example.com` for a direct message, or an address.
pub fn place(to: &Destination) -> String {
    match to {
        Destination::SlackChannel(channel) => channel.clone(),
        Destination::SlackMember { email } => format!("@{email}"),
        Destination::Email { address, .. } => address.clone(),
    }
}

impl Channels {
    /// How the next messages to that place fare; then all arrive.
    pub fn answer(&self, place: &str, error: NotifyError) {
        self.0.lock().unwrap().answers.entry(place.to_owned()).or_default().push_back(error);
    }

    /// Where messages arrived, in order.
    pub fn places(&self) -> Vec<String> {
        self.0.lock().unwrap().sent.iter().map(|(place, _)| place.clone()).collect()
    }

    pub fn sent(&self) -> Vec<(String, Rendered)> {
        self.0.lock().unwrap().sent.clone()
    }

    pub fn tried(&self) -> usize {
        self.0.lock().unwrap().tried
    }
}

#[async_trait]
impl Notifier for Channels {
    fn reaches(&self, _: &Destination) -> bool {
        true
    }

    async fn send(&self, to: &Destination, message: &Rendered) -> Result<String, NotifyError> {
        let mut state = self.0.lock().unwrap();
        state.tried += 1;
        let place = place(to);
        if let Some(error) = state.answers.get_mut(&place).and_then(VecDeque::pop_front) {
            return Err(error);
        }
        state.sent.push((place.clone(), message.clone()));
        Ok(format!("{place}/{}", state.sent.len()))
    }
}
