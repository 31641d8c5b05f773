//! HubSpot's owners, active and archived. A record is assigned by the owner's `id`, never by the
//! `userId` that webhooks name. HubSpot tells nobody's manager; teams are not read.

use super::HubSpot;
use super::task::Paging;
use crate::crm::{CrmError, Person};
use crate::record::OwnerId;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

/// HubSpot's page; the guard against a cursor that never ends is far above any directory.
const PAGE: usize = 100;
const MOST_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    results: Vec<Owner>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    id: String,
    email: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    user_id_including_inactive: Option<u64>,
    user_id: Option<u64>,
    #[serde(default)]
    archived: bool,
}

/// Which owner a user is: webhooks name the user, records the owner.
#[derive(Default)]
pub(super) struct Users(RwLock<Known>);

#[derive(Default)]
struct Known {
    /// By the user's own id.
    owners: HashMap<String, OwnerId>,
    /// In lower case.
    emails: HashMap<OwnerId, String>,
}

impl Users {
    /// Active owners first: who came back is known as the owner that they are now.
    fn learn(&self, people: &[Person]) {
        let mut known = Known::default();
        let (active, archived): (Vec<_>, Vec<_>) = people.iter().partition(|p| p.active);
        for person in active.into_iter().chain(archived) {
            if let Some(user) = &person.user {
                known.owners.entry(user.as_str().to_owned()).or_insert_with(|| person.id.clone());
            }
            let email = person.email.as_deref().map(|e| e.trim().to_lowercase()).filter(|e| !e.is_empty());
            known.emails.extend(email.map(|email| (person.id.clone(), email)));
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// As it was when it was last read, unless it was read since.
    pub fn recall(&self, people: &[Person]) {
        let nobody = self.0.read().unwrap_or_else(PoisonError::into_inner).emails.is_empty();
        if nobody {
            self.learn(people);
        }
    }

    /// Whether this user is listed among them: by the owner's id, the user's own, or the e-mail address.
    pub fn is_listed(&self, user: &str, owner: &OwnerId, listed: &[OwnerId]) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let email = known.emails.get(owner).map(String::as_str);
        listed.iter().any(|one| {
            one == owner || one.as_str() == user || email.is_some_and(|email| one.as_str().eq_ignore_ascii_case(email))
        })
    }

    /// The owner that this user is; until the owners were read, and for a user who owns nothing,
    /// the user's own id.
    pub fn owner(&self, user: &str) -> OwnerId {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.owners.get(user).cloned().unwrap_or_else(|| OwnerId::new(user))
    }
}

pub(super) async fn people(crm: &HubSpot) -> Result<Vec<Person>, CrmError> {
    let mut directory = owners(crm, false).await?;
    directory.extend(owners(crm, true).await?);
    let mut by_id: BTreeMap<String, Person> = BTreeMap::new();
    for person in directory.into_iter().map(person) {
        // Who is listed in both is active.
        let known = by_id.entry(person.id.as_str().to_owned()).or_insert_with(|| person.clone());
        known.active |= person.active;
        known.user = known.user.take().or(person.user);
    }
    let people: Vec<Person> = by_id.into_values().collect();
    crm.users.learn(&people);
    Ok(people)
}

async fn owners(crm: &HubSpot, archived: bool) -> Result<Vec<Owner>, CrmError> {
    let first = format!("{}?limit={PAGE}&archived={archived}", crm.api.owners());
    let mut owners = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let url = after.as_ref().map_or_else(|| first.clone(), |a| format!("{first}&after={}", in_query(a)));
        let page: Page = crm.api.get(&url).await?.json()?;
        owners.extend(page.results);
        let next = page.paging.and_then(|p| p.next).map(|n| n.after);
        if next.is_none() || next == after {
            break;
        }
        after = next;
    }
    Ok(owners)
}

/// HubSpot hands out cursors that are escaped already; escaping them again would name another page.
fn in_query(after: &str) -> String {
    let plain = after.bytes().all(|b| b.is_ascii_alphanumeric() || b"%-._~".contains(&b));
    match plain {
        true => after.to_owned(),
        false => url::form_urlencoded::byte_serialize(after.as_bytes()).collect(),
    }
}

fn person(owner: Owner) -> Person {
    let names: Vec<&str> = [&owner.first_name, &owner.last_name].into_iter().flatten().map(|n| n.trim()).collect();
    let name = names.join(" ").trim().to_owned();
    let name = if name.is_empty() { owner.email.clone().unwrap_or_else(|| owner.id.clone()) } else { name };
    Person {
        id: OwnerId::new(&owner.id),
        user: owner.user_id.or(owner.user_id_including_inactive).map(|user| OwnerId::new(user.to_string())),
        name,
        email: owner.email.filter(|e| !e.is_empty()),
        active: !owner.archived,
        manager: None,
        queue: owner.kind.as_deref() == Some("QUEUE"),
    }
}
