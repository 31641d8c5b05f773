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
pub(super) struct Users(RwLock<HashMap<String, OwnerId>>);

impl Users {
    fn learn(&self, user: Option<u64>, owner: &str) {
        if let Some(user) = user {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(user.to_string(), OwnerId::new(owner));
        }
    }

    /// The owner that this user is; until the owners were read, and for a user who owns nothing,
    /// the user's own id.
    pub fn owner(&self, user: &str) -> OwnerId {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(user).cloned().unwrap_or_else(|| OwnerId::new(user))
    }
}

pub(super) async fn people(crm: &HubSpot) -> Result<Vec<Person>, CrmError> {
    let mut by_id: BTreeMap<String, Person> = BTreeMap::new();
    for archived in [false, true] {
        for owner in owners(crm, archived).await? {
            crm.users.learn(owner.user_id.or(owner.user_id_including_inactive), &owner.id);
            let person = person(owner);
            // Who is listed in both is active.
            let known = by_id.entry(person.id.as_str().to_owned()).or_insert_with(|| person.clone());
            known.active |= person.active;
        }
    }
    Ok(by_id.into_values().collect())
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
        name,
        email: owner.email.filter(|e| !e.is_empty()),
        active: !owner.archived,
        manager: None,
        queue: owner.kind.as_deref() == Some("QUEUE"),
    }
}
