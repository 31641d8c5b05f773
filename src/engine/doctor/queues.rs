//! Checks of queues: that they may own what is moved to them, and that somebody looks into them. And
//! whether the CRM sends us our own writes as messages.

use super::account::cause;
use super::{Check, Needs, advice};
use crate::crm::around::{Answered, Echoes, QueueTold};
use crate::crm::connection::{Connection, Platform, Roster};
use crate::crm::{CrmError, Person};
use crate::record::{Object, OwnerId, PartyName};

/// The queues that take records for a party.
pub(super) fn of(connection: &Connection) -> Vec<OwnerId> {
    let queues = connection.parties.values().filter_map(|roster| match roster {
        Roster::Queue(queue) => Some(queue.clone()),
        _ => None,
    });
    queues.collect()
}

pub(super) fn checks(
    connection: &Connection,
    needs: &Needs,
    told: &Answered<Vec<QueueTold>>,
    people: &Result<Vec<Person>, CrmError>,
) -> Vec<Check> {
    let name = connection.name.as_str();
    let (Some(told), Ok(people)) = (told, people) else { return Vec::new() };
    let told = match told {
        Ok(told) => told,
        Err(error) => {
            let found = format!("what they may own cannot be looked at: {}", cause(error));
            let fix = "give leadpact's user View Setup and Configuration, and run doctor again";
            return vec![Check::warn(name, "queues", found, fix)];
        }
    };
    let queues = connection.parties.iter().filter_map(|(party, roster)| match roster {
        Roster::Queue(queue) => Some((party, told.iter().find(|told| told.id == *queue)?)),
        _ => None,
    });
    // A queue that does not exist is told of with the party.
    let there = queues.filter(|(_, queue)| people.iter().any(|person| person.id == queue.id && person.queue));
    there.flat_map(|(party, queue)| of_queue(name, needs, party, queue, people)).collect()
}

fn of_queue(name: &str, needs: &Needs, party: &PartyName, queue: &QueueTold, people: &[Person]) -> Vec<Check> {
    let what = format!("party {party}");
    let title = people.iter().find(|person| person.id == queue.id).map_or("the queue", |person| person.name.as_str());
    let mut checks = Vec::new();
    for object in needs.receivers.get(party).into_iter().flatten() {
        let theirs = theirs(*object);
        if !queue.takes.iter().any(|taken| taken == theirs) {
            let found = format!("queue {title} cannot own a {theirs}: the CRM refuses every move to it");
            let fix = match object {
                Object::Lead => format!("in Setup › Queues › {title} › Supported Objects, add Lead"),
                Object::Opportunity => format!("name members of {party}: opportunities are owned by users only"),
            };
            checks.push(Check::fail(name, what.clone(), found, fix));
        }
    }
    // A member that is no person we know is a role or a group, which may hold anybody.
    let idle = |member: &OwnerId| people.iter().any(|person| person.id == *member && !person.active);
    if queue.members.iter().all(idle) {
        let found = match queue.members.is_empty() {
            true => format!("queue {title} has no members: what is moved there is nobody's"),
            false => format!("all members of queue {title} are inactive: what is moved there is nobody's"),
        };
        let fix = format!("in Setup › Queues › {title} › Queue Members, add who works these records");
        checks.push(Check::warn(name, what, found, fix));
    }
    checks
}

fn theirs(object: Object) -> &'static str {
    match object {
        Object::Lead => "Lead",
        Object::Opportunity => "Opportunity",
    }
}

/// Our own writes come back as messages where our user may send them.
pub(super) fn echoes(connection: &Connection, echoes: &Answered<Echoes>) -> Option<Check> {
    const WHAT: &str = "own messages";
    let name = connection.name.as_str();
    let by_hand = "untick System Permissions › Send Outbound Messages in the profile of leadpact's user";
    Some(match echoes.as_ref()? {
        Ok(Echoes::Silent) => Check::ok(name, WHAT, "leadpact's user sends none (Send Outbound Messages is off)"),
        Ok(Echoes::Sent(by)) => {
            let found = format!("each write of leadpact comes back as a message: {} sends them", by.join(" and "));
            Check::warn(name, WHAT, found, by_hand)
        }
        Ok(Echoes::Untold) => Check::ok(
            name,
            WHAT,
            "whether Send Outbound Messages is off cannot be told here; look at the user's profile",
        ),
        Err(error) => {
            let found = format!("cannot be looked at: {}", cause(error));
            let fix = match error {
                CrmError::Later { .. } | CrmError::Doubt { .. } => advice::unanswered(connection, cause(error)),
                _ => format!("give leadpact's user View Setup and Configuration; and {by_hand}"),
            };
            Check::warn(name, WHAT, found, fix)
        }
    })
}

/// What leadpact's own user does must not count as a person's deed.
pub(super) fn automation(connection: &Connection, user: Option<&str>) -> Option<Check> {
    let (name, user) = (connection.name.as_str(), user?);
    if !matches!(connection.platform, Platform::Salesforce(_)) {
        return None;
    }
    let known = connection.touches.automation_users.iter().any(|known| known.as_str() == user);
    Some(match known {
        true => Check::ok(name, "automation", "leadpact's own user is among automation_users"),
        false => {
            let found =
                format!("leadpact's own user {user} is not among automation_users: its writes look like a person's");
            Check::warn(
                name,
                "automation",
                found,
                format!(
                    "add \"{user}\" to automation_users under [connection.touches] of {name}, and restart `leadpact serve`"
                ),
            )
        }
    })
}
