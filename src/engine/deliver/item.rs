//! What a notice or a task says about a record: names, links and times in the reader's zone, and
//! what happens next if nobody does anything.

use crate::agreement::model::{ClockOf, Move};
use crate::agreement::standing::{Run, StepState, ViolationKind};
use crate::agreement::{Agreement, Standing};
use crate::engine::context::Site;
use crate::engine::directory::Snapshot;
use crate::engine::reach::{self, Answerable};
use crate::notify::{Destination, Item, RecordItem};
use crate::record::effect::Notice;
use crate::record::field::well_known;
use crate::record::{Action, Effect, OwnerId, PartyName, Recipient, Timestamp};

/// What is needed to speak about a record.
pub(in crate::engine) struct Teller<'a> {
    pub site: &'a Site,
    pub people: &'a Snapshot,
    pub now: Timestamp,
}

impl Teller<'_> {
    fn agreement(&self) -> &Agreement {
        &self.site.agreement
    }

    /// What a notice about this effect says.
    pub fn item(&self, standing: &Standing, effect: &Effect) -> Item {
        let party = self.party(standing, effect);
        let zone = self.agreement().zone_of(party.as_ref());
        let run = standing.run(&effect.source, effect.run).filter(|_| standing.pass == effect.pass);
        Item {
            notice: notice(effect),
            record: self.record(standing),
            clock: effect.source.to_string(),
            handoff: self.handoff(&effect.source),
            party: party.as_ref().map(words).unwrap_or_default(),
            owner: standing.owner().map(|id| self.owner_name(&id)),
            deadline: effect.deadline.map(|d| d.in_zone(&zone)),
            relative: effect.deadline.map(|d| relative(d, self.now)),
            missing: missing(standing, &effect.source),
            next: run.and_then(|run| self.next(run, &zone)),
            receiver: self.receiver(standing, effect),
        }
    }

    fn record(&self, standing: &Standing) -> RecordItem {
        let w = well_known();
        let text = |name| standing.fields.get(name).as_text().map(str::to_owned);
        let stage = standing.stage.as_ref().and_then(|s| self.agreement().stage_index(s.as_str()));
        RecordItem {
            name: standing.name().to_owned(),
            url: self.site.crm.record_url(standing.key.object, &standing.key.id),
            object: standing.key.object.to_string(),
            company: text(w.company),
            stage: stage.map(|i| self.agreement().stages[i].term.clone()),
        }
    }

    /// Who owes the clock that speaks.
    fn party(&self, standing: &Standing, effect: &Effect) -> Option<PartyName> {
        let owes = self.agreement().clock_named(&effect.source).map(|c| c.party.clone());
        owes.or_else(|| standing.party.clone())
    }

    fn handoff(&self, source: &str) -> Option<String> {
        match self.agreement().clock_named(source)?.of {
            ClockOf::Handoff(h) => Some(self.agreement().handoffs[h].name.to_string()),
            ClockOf::Requirement(_) => None,
        }
    }

    pub fn owner_name(&self, id: &OwnerId) -> String {
        self.people.get(id).map_or_else(|| id.to_string(), |p| p.name.clone())
    }

    fn receiver(&self, standing: &Standing, effect: &Effect) -> Option<String> {
        let party = match &effect.action {
            Action::Notify { notice: Notice::Recycled, .. } => {
                self.agreement().recycling.as_ref().map(|r| words(&r.to))
            }
            Action::Notify { notice: Notice::Reassigned | Notice::Undone, .. } => None,
            _ => return None,
        };
        standing.owner().map(|id| self.owner_name(&id)).or(party)
    }

    /// The next step that takes the record away, in words.
    fn next(&self, run: &Run, zone: &jiff::tz::TimeZone) -> Option<String> {
        let clock = self.agreement().clock_named(&run.clock)?;
        let pending = run.steps.iter().filter(|s| s.state == StepState::Pending);
        let (step, at) = pending
            .filter_map(|s| Some((clock.steps.iter().find(|c| c.name == s.name)?, s.at)))
            .find(|(c, _)| c.moves.is_some())?;
        let what = match step.moves.as_ref()? {
            Move::Reassign(to) => format!("goes to somebody else in {}", words(to)),
            Move::Recycle => {
                let to = self.agreement().recycling.as_ref().map(|r| words(&r.to)).unwrap_or_default();
                format!("goes back to {to}")
            }
            Move::Nurture => "goes to nurture".to_owned(),
        };
        Some(format!("it {what} on {}.", at.in_zone(zone)))
    }

    /// Where a notice goes. A person who cannot be found is replaced by the party's channels.
    pub fn destinations(&self, to: &Recipient, standing: &Standing, effect: &Effect) -> Vec<Destination> {
        let found = match to {
            Recipient::Slack(channel) => Some(Destination::SlackChannel(channel.to_string())),
            Recipient::Email(address) => Some(Destination::Email { address: address.to_string(), name: None }),
            Recipient::Owner => standing.owner().and_then(|id| reach::person(self.people, &id)),
            Recipient::Person(id) => reach::person(self.people, id),
            Recipient::Manager => {
                let (party, owner) = (self.party(standing, effect), standing.owner());
                let of = Answerable { party: party.as_ref(), owner: owner.as_ref() };
                reach::manager(self.agreement(), self.people, of)
            }
        };
        found.map_or_else(|| self.channels(standing, effect), |d| vec![d])
    }

    /// The channels of the party that owes the clock.
    pub fn channels(&self, standing: &Standing, effect: &Effect) -> Vec<Destination> {
        reach::channels(self.agreement(), self.party(standing, effect).as_ref())
    }
}

fn notice(effect: &Effect) -> Notice {
    match effect.action {
        Action::Notify { notice, .. } => notice,
        _ => Notice::Breach,
    }
}

fn missing(standing: &Standing, source: &str) -> Vec<String> {
    let of = standing.violations.iter().filter(|v| v.kind == ViolationKind::Missing && &*v.source == source);
    of.flat_map(|v| v.what.iter().map(|w| w.replace('_', " "))).collect()
}

/// `field_sales` as people say it.
fn words(party: &PartyName) -> String {
    party.as_str().replace('_', " ")
}

fn relative(deadline: Timestamp, now: Timestamp) -> String {
    if deadline > now { format!("in {}", deadline - now) } else { format!("{} ago", now - deadline) }
}
