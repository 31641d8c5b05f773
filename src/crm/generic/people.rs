//! Who can own a record in a described CRM: people, and queues where it has them.

use super::DescribedCrm;
use super::description::People;
use super::template::Given;
use crate::crm::{CrmError, Person};
use crate::record::OwnerId;
use serde_json::Value as Json;

/// The guard against pages that never end is far above any directory.
const MOST_PAGES: usize = 1000;

pub(super) async fn people(crm: &DescribedCrm) -> Result<Vec<Person>, CrmError> {
    let description = crm.api.description();
    let mut all = Vec::new();
    for (list, queue) in [(&description.people, false), (&description.queues, true)] {
        let Some(described) = list else { continue };
        let items = crm.api.pages(&described.list, &Given::default(), MOST_PAGES).await?;
        all.extend(items.iter().filter_map(|item| person(described, item, queue)));
    }
    Ok(all)
}

/// `None`: without an id nobody can be given anything.
fn person(described: &People, item: &Json, queue: bool) -> Option<Person> {
    let id = described.id.id(item)?;
    let text = |path: &Option<super::path::Path>| path.as_ref().and_then(|path| path.text(item));
    let email = text(&described.email);
    Some(Person {
        name: text(&described.name).or_else(|| email.clone()).unwrap_or_else(|| id.clone()),
        id: OwnerId::new(id),
        user: None,
        email,
        active: described.active.as_ref().is_none_or(|path| path.is_set(item)),
        manager: text(&described.manager).map(OwnerId::new),
        queue,
    })
}
