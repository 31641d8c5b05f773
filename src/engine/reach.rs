//! Whom the agreement means, as addresses: a step of a conflict or a notice, a party's channels, those who
//! answer for the agreement itself.

use super::directory::Snapshot;
use super::letters::Route;
use crate::agreement::Agreement;
use crate::agreement::model::{Address, Audience};
use crate::notify::Destination;
use crate::record::{OwnerId, PartyName};
use std::collections::HashSet;

/// Who answers for what is spoken of.
#[derive(Clone, Copy, Debug)]
pub struct Answerable<'a> {
    pub party: Option<&'a PartyName>,
    pub owner: Option<&'a OwnerId>,
}

/// Where the agreement's own address leads.
pub fn destination(address: &Address) -> Destination {
    match address {
        Address::Slack(channel) => Destination::SlackChannel(channel.to_string()),
        Address::Email(address) => Destination::Email { address: address.to_string(), name: None },
    }
}

/// The channels of a party.
pub fn channels(agreement: &Agreement, party: Option<&PartyName>) -> Vec<Destination> {
    let party = party.and_then(|name| agreement.party(name));
    party.map(|p| p.notify.iter().map(destination).collect()).unwrap_or_default()
}

/// Those who are told when a connection cannot go on as agreed, nobody twice: the channels of the party that
/// receives what goes back, and all who sign; where neither is named, the channels of every party.
pub fn answerable(agreement: &Agreement) -> Vec<Destination> {
    let mut to: Vec<Destination> =
        agreement.recycling.iter().flat_map(|recycling| channels(agreement, Some(&recycling.to))).collect();
    let signatories = agreement.parties.iter().filter_map(|party| party.signs.as_ref());
    to.extend(signatories.map(|s| Destination::Email { address: s.email.clone(), name: Some(s.name.clone()) }));
    if to.is_empty() {
        to.extend(agreement.parties.iter().flat_map(|party| channels(agreement, Some(&party.name))));
    }
    let mut seen = HashSet::new();
    to.retain(|one| seen.insert(called(one)));
    to
}

/// A destination by its address alone: `slack:#channel`, `email:ann@acme.example`.
pub fn called(to: &Destination) -> String {
    match to {
        Destination::SlackChannel(channel) => format!("slack:{channel}"),
        Destination::SlackMember { email } => format!("slack:@{email}"),
        Destination::Email { address, .. } => format!("email:{address}"),
    }
}

/// One route for everybody that these name, nobody twice. Whoever cannot be found is replaced by
/// the party's channels.
pub fn routes(agreement: &Agreement, people: &Snapshot, who: &[Audience], of: Answerable<'_>) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for route in who.iter().flat_map(|audience| of_one(agreement, people, audience, of)) {
        if !route.is_empty() && routes.iter().all(|known| known[0] != route[0]) {
            routes.push(route);
        }
    }
    routes
}

fn of_one(agreement: &Agreement, people: &Snapshot, audience: &Audience, of: Answerable<'_>) -> Vec<Route> {
    let each = |to: Vec<Destination>| to.into_iter().map(|to| vec![to]).collect();
    let or_channels = |to: Option<Destination>| {
        let instead = channels(agreement, of.party);
        vec![to.into_iter().chain(instead).collect()]
    };
    match audience {
        Audience::Owner => or_channels(of.owner.and_then(|id| person(people, id))),
        Audience::Manager => or_channels(manager(agreement, people, of)),
        Audience::Party => each(channels(agreement, of.party)),
        Audience::PartyNamed(party) => each(channels(agreement, Some(party))),
        Audience::Address(address) => vec![vec![destination(address)]],
    }
}

/// A person who can be told; a queue or who left cannot.
pub fn person(people: &Snapshot, id: &OwnerId) -> Option<Destination> {
    let person = people.get(id).filter(|p| p.active && !p.queue)?;
    person.email.clone().map(|email| Destination::SlackMember { email })
}

/// The CRM's manager goes before the party's.
pub fn manager(agreement: &Agreement, people: &Snapshot, of: Answerable<'_>) -> Option<Destination> {
    let theirs = of.owner.and_then(|id| people.get(id)).and_then(|p| p.manager.as_ref());
    theirs.and_then(|id| person(people, id)).or_else(|| {
        let party = agreement.party(of.party?)?;
        party.manager.as_ref().map(destination)
    })
}

/// `owner and field sales`, as people say it.
pub fn in_words(who: &[Audience], party: Option<&PartyName>) -> String {
    let words = |party: &PartyName| party.as_str().replace('_', " ");
    let names: Vec<String> = who
        .iter()
        .map(|audience| match audience {
            Audience::Owner => "the owner".to_owned(),
            Audience::Manager => "the manager".to_owned(),
            Audience::Party => party.map_or_else(|| "the party".to_owned(), words),
            Audience::PartyNamed(party) => words(party),
            Audience::Address(Address::Slack(to) | Address::Email(to)) => to.to_string(),
        })
        .collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => "nobody".to_owned(),
    }
}
