//! Says in plain words what happens: what people do in the sandbox, what leadpact makes of it, and
//! what it tells them.

use super::summary::Summary;
use crate::engine::{Clock, Engine};
use crate::notify::{Destination, Notifier, NotifyError, Rendered};
use crate::record::{Fact, FactKind, OwnerId, Timestamp};
use crate::report::story::Reader;
use crate::report::words::sentence;
use crate::sandbox::{By, Happened, World, WorldEvent};
use crate::store::journal::JournalEntry;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

type Names = HashMap<String, String>;

pub struct Narrator {
    engine: Arc<Engine>,
    summary: Arc<Mutex<Summary>>,
    names: Names,
}

impl Narrator {
    /// `worlds`: whose people are called by their names, as owners and as users.
    pub fn new(engine: &Arc<Engine>, summary: &Arc<Mutex<Summary>>, worlds: &[&Arc<World>]) -> Self {
        let mut names = Names::new();
        for member in worlds.iter().flat_map(|w| w.members()) {
            names.insert(member.id.clone(), member.name());
            names.insert(member.user_id.to_string(), member.name());
        }
        Self { engine: engine.clone(), summary: summary.clone(), names }
    }

    /// Until `stop`; what has happened by then is told first.
    pub async fn tell(
        mut self,
        mut facts: Receiver<Arc<JournalEntry>>,
        mut events: Receiver<WorldEvent>,
        stop: CancellationToken,
    ) {
        loop {
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Ok(event) => self.event(&event),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                fact = facts.recv() => match fact {
                    Ok(entry) => self.fact(&entry),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                () = stop.cancelled() => return,
            }
        }
    }

    fn event(&mut self, event: &WorldEvent) {
        self.names.insert(event.id.clone(), event.record_name.clone());
        if matches!(event.by, By::Person(_)) && is_told(event) {
            line(event.at, "", &event.to_string());
        }
    }

    fn fact(&mut self, entry: &JournalEntry) {
        self.summary.lock().unwrap_or_else(|e| e.into_inner()).count(&entry.fact);
        let Some(mark) = mark(&entry.fact) else { return };
        let Some(record) = &entry.record else { return };
        let Some(site) = self.engine.site(record.connection.as_str()) else { return };
        let zone = site.agreement.zone();
        let name_of = |id: &OwnerId| self.names.get(id.as_str()).cloned();
        let reader = Reader { agreement: &site.agreement, zone: &zone, name_of: &name_of };
        let who = self.names.get(record.id.as_str()).map_or(record.id.as_str(), String::as_str);
        line(entry.fact.at, mark, &format!("{who}: {}", sentence(&reader, &entry.fact)));
    }
}

/// What people do that matters to the agreement.
fn is_told(event: &WorldEvent) -> bool {
    match event.what {
        Happened::Created => matches!(event.object.as_str(), "deals" | "Opportunity"),
        _ => matches!(event.field(), Some("status" | "touches" | "amount" | "close_date" | "reject_reason")),
    }
}

/// What is worth a line, and the sign before it.
fn mark(fact: &Fact) -> Option<&'static str> {
    use FactKind::*;
    Some(match fact.kind {
        ClockStarted => "clock",
        Met | MetLate => "met",
        Breached => "BREACH",
        // Others are corrections of whose it was: the corrected fact follows.
        Withdrawn if fact.takes_back() == Some(Breached) => "undone",
        Recycled | Reassigned | Nurtured => "MOVED",
        Spared => "spared",
        ViolationOpened | Flagged => "flag",
        ViolationClosed | Unflagged => "mended",
        TaskCreated => "task",
        Parked => "PARKED",
        _ => return None,
    })
}

/// One line of the story.
fn line(at: Timestamp, mark: &str, text: &str) {
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap_or(jiff::tz::TimeZone::UTC);
    println!("{}  {mark:<7} {text}", at.to_jiff().to_zoned(zone).strftime("%a %H:%M"));
}

/// Stands in for Slack and e-mail: what would be sent is said.
pub struct Printed {
    clock: Clock,
    summary: Arc<Mutex<Summary>>,
}

impl Printed {
    pub fn new(clock: &Clock, summary: &Arc<Mutex<Summary>>) -> Self {
        Self { clock: clock.clone(), summary: summary.clone() }
    }
}

#[async_trait]
impl Notifier for Printed {
    fn reaches(&self, _: &Destination) -> bool {
        true
    }

    async fn send(&self, to: &Destination, message: &Rendered) -> Result<String, NotifyError> {
        let to = match to {
            Destination::SlackChannel(channel) => channel.clone(),
            Destination::SlackMember { email } => format!("Slack to {email}"),
            Destination::Email { address, .. } => format!("mail to {address}"),
        };
        line(self.clock.now(), "notice", &format!("{to}: {}", message.subject));
        self.summary.lock().unwrap_or_else(|e| e.into_inner()).notices += 1;
        Ok("said".to_owned())
    }
}
