//! Who somebody is by their address, and whether the answer is theirs to give: the record's owner, a
//! member of the party that owes the clock, or their manager. A click is a request, not an authority.

use super::{About, Open, Refused, same};
use crate::agreement::Standing;
use crate::agreement::model::Address;
use crate::crm::connection::Roster;
use crate::engine::context::Site;
use crate::record::{OwnerId, PartyName};
use crate::store::person::PersonRow;

/// Somebody who may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub name: String,
    pub person: Option<OwnerId>,
    /// The record is nobody's yet, and this person's to take.
    pub takes: bool,
}

/// Whether whoever has this address may answer.
///
/// # Errors
/// `NotYours`, in words.
pub fn who_may(site: &Site, people: &[PersonRow], open: &Open, email: &str) -> Result<Who, Refused> {
    let party = site.agreement.clock_named(&open.about.clock).map(|clock| clock.party.clone());
    let of_email =
        |p: &&PersonRow| p.active && !p.queue && p.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(email));
    let known: Vec<&PersonRow> = people.iter().filter(of_email).collect();
    let owner = open.standing.owner();
    let nobodys = owner.as_ref().is_none_or(|id| people.iter().any(|p| p.id == *id && p.queue));
    let manages = |p: &PersonRow| {
        let of = owner.as_ref().and_then(|id| people.iter().find(|row| row.id == *id));
        of.and_then(|row| row.manager.as_ref()) == Some(&p.id)
    };
    for person in &known {
        let is_member = party.as_ref().is_some_and(|party| is_member(site, party, person));
        if owner.as_ref() == Some(&person.id) || is_member || manages(person) {
            let takes = nobodys && is_member;
            return Ok(Who { name: person.name.clone(), person: Some(person.id.clone()), takes });
        }
    }
    if party.as_ref().is_some_and(|party| is_agreed_manager(site, party, email)) {
        let name = known.first().map_or_else(|| email.to_owned(), |p| p.name.clone());
        return Ok(Who { name, person: known.first().map(|p| p.id.clone()), takes: false });
    }
    let called = owner.map(|id| people.iter().find(|p| p.id == id).map_or_else(|| id.to_string(), |p| p.name.clone()));
    let whose = called.map_or_else(|| "nobody's yet".to_owned(), |name| format!("{name}'s"));
    let text = format!(
        "{} is {whose}. Only its owner, the party that owes this promise, and their manager can answer.",
        open.standing.name()
    );
    Err(Refused::NotYours(text))
}

fn is_member(site: &Site, party: &PartyName, person: &PersonRow) -> bool {
    match site.connection.parties.get(party) {
        Some(Roster::Members(members)) => members.iter().any(|m| same(&person.id, m, person.email.as_deref())),
        Some(Roster::Queue(_) | Roster::Unassigned) | None => false,
    }
}

fn is_agreed_manager(site: &Site, party: &PartyName, email: &str) -> bool {
    let manager = site.agreement.party(party).and_then(|p| p.manager.as_ref());
    matches!(manager, Some(Address::Email(address)) if address.eq_ignore_ascii_case(email))
}

/// Why an old message's button does nothing, in a sentence.
pub fn what_happened(site: &Site, standing: &Standing, about: &About) -> String {
    let name = standing.name();
    let party = site.agreement.clock_named(&about.clock).map(|clock| &clock.party);
    let zone = site.agreement.zone_of(party);
    let when = |at: crate::record::Timestamp| at.to_jiff().to_zoned(zone.clone()).strftime("%A, %-d %B %Y").to_string();
    if standing.gone.is_some() {
        return format!("{name} is not in the CRM any more.");
    }
    if standing.pass != about.pass {
        let moved = standing.moves.last().filter(|moved| moved.is_recycle);
        return match moved {
            Some(moved) => format!("{name} went back on {}. This message is about the time before.", when(moved.at)),
            None => {
                format!("{name} began anew on {}. This message is about the time before.", when(standing.pass_began))
            }
        };
    }
    match standing.run(&about.clock, about.run).and_then(|run| run.ended) {
        Some(ended) => format!("“{}” of {name} ended on {}. Nothing is left to answer.", about.clock, when(ended)),
        None => format!("“{}” does not run for {name} any more.", about.clock),
    }
}
