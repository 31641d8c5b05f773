//! Checks of who takes records: parties that the agreement moves records to need members or a queue,
//! and these have to exist in the CRM and be active.

use super::account::cause;
use super::{Check, Needs, acts, advice};
use crate::agreement::Agreement;
use crate::agreement::model::{Audience, Clock};
use crate::crm::connection::{Connection, Roster};
use crate::crm::{Crm, CrmError, Person};
use crate::record::PartyName;

pub(super) async fn people(crm: &dyn Crm) -> Result<Vec<Person>, CrmError> {
    crm.people().await
}

pub(super) fn checks(
    connection: &Connection,
    agreement: Option<&Agreement>,
    people: &Result<Vec<Person>, CrmError>,
) -> Vec<Check> {
    let name = connection.name.as_str();
    match people {
        Ok(people) => {
            let rosters = connection.parties.iter().flat_map(|(party, roster)| roster_of(name, party, roster, people));
            rosters.chain(managers(name, agreement, people)).collect()
        }
        Err(error) => {
            let fix = match error {
                CrmError::Later { .. } | CrmError::Doubt { .. } => advice::unanswered(connection, cause(error)),
                _ => {
                    "let the credentials read users, owners and queues (HubSpot: crm.objects.owners.read; Salesforce: \
                      View Setup)"
                        .to_owned()
                }
            };
            let found = format!("the CRM does not tell who can own records: {}", cause(error));
            vec![Check::fail(name, "people", found, fix)]
        }
    }
}

/// Parties that take records, and nobody knows who they are.
pub(super) fn unnamed(connection: &Connection, needs: &Needs) -> Vec<Check> {
    needs.receivers.keys().filter_map(|party| unnamed_party(connection, party)).collect()
}

fn unnamed_party(connection: &Connection, party: &PartyName) -> Option<Check> {
    if connection.parties.contains_key(party) {
        return None;
    }
    let name = connection.name.as_str();
    let found = "the agreement moves records to it, and the configuration does not say who that is";
    let fix = format!("name its members or its queue under [connection.parties] {party} of {name}");
    Some(match acts(connection) {
        true => Check::fail(name, format!("party {party}"), found, fix),
        false => Check::warn(name, format!("party {party}"), found, fix),
    })
}

fn roster_of(name: &str, party: &PartyName, roster: &Roster, people: &[Person]) -> Vec<Check> {
    let what = format!("party {party}");
    match roster {
        Roster::Unassigned => vec![Check::ok(name, what, "records that it takes have no owner")],
        Roster::Queue(queue) => vec![queue_of(name, what, queue.as_str(), people)],
        Roster::Members(members) => members_of(name, party, members, people),
    }
}

fn queue_of(name: &str, what: String, queue: &str, people: &[Person]) -> Check {
    let fix = "create the queue in the CRM, or name the right one (Salesforce: Setup › Queues, its id begins with 00G)";
    match people.iter().find(|person| person.id.as_str() == queue) {
        Some(found) if found.queue => Check::ok(name, what, format!("queue {}", found.name)),
        Some(found) => Check::fail(name, what, format!("{queue} is {}, a person and no queue", found.name), fix),
        None => Check::fail(name, what, format!("the CRM has no queue {queue}, or hides it from leadpact"), fix),
    }
}

fn members_of(name: &str, party: &PartyName, members: &[String], people: &[Person]) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut active = 0;
    for member in members {
        let what = format!("member {member} of {party}");
        match find(people, member) {
            Some(person) if person.active => active += 1,
            Some(person) => {
                let found = format!("{} is inactive in the CRM and gets nothing", person.name);
                checks.push(Check::warn(
                    name,
                    what,
                    found,
                    "take the member out of the configuration, or name a successor",
                ));
            }
            None => {
                let found = "nobody in the CRM has this id or e-mail address";
                let fix = "correct it: an owner's id as the CRM has it, or the address of the person's CRM user";
                checks.push(Check::fail(name, what, found, fix));
            }
        }
    }
    let what = format!("party {party}");
    checks.push(match active {
        0 => Check::fail(
            name,
            what,
            "none of its members is active, so nobody can take a record",
            format!("name at least one active member of {party} under [connection.parties] of {name}"),
        ),
        1 => Check::ok(name, what, "1 active member"),
        n => Check::ok(name, what, format!("{n} active members")),
    });
    checks
}

fn find<'a>(people: &'a [Person], id_or_email: &str) -> Option<&'a Person> {
    let by_id = people.iter().find(|person| person.id.as_str() == id_or_email);
    let same = |person: &&Person| person.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(id_or_email));
    by_id.or_else(|| people.iter().find(same))
}

/// Managers are told of breaches: those of the CRM, else the party's own.
fn managers(name: &str, agreement: Option<&Agreement>, people: &[Person]) -> Option<Check> {
    let agreement = agreement?;
    let is_told = |clock: &Clock| clock.steps.iter().any(|step| step.notify.contains(&Audience::Manager));
    let has_told = |party: &PartyName| agreement.clocks.iter().any(|clock| clock.party == *party && is_told(clock));
    let without: Vec<&str> = agreement
        .parties
        .iter()
        .filter(|party| party.manager.is_none() && party.notify.is_empty() && has_told(&party.name))
        .map(|party| party.name.as_str())
        .collect();
    let told = people.iter().any(|person| person.manager.is_some());
    if without.is_empty() || told {
        return None;
    }
    Some(Check::warn(
        name,
        "managers",
        format!("the CRM names nobody's manager, and {} has neither `manager` nor `notify`", without.join(" and ")),
        "name a `manager` or `notify` for the party in the agreement",
    ))
}
