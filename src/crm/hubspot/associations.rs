//! Which records belong to which: one batch call for up to a thousand, followed through the pages of
//! each record that has more. HubSpot tells no times of associations; what they mean is the core's.

use super::HubSpot;
use super::api::ObjectType;
use super::read::{Batch, Row};
use super::task::Paging;
use crate::agreement::link::{link_of, listed};
use crate::crm::{CrmError, Event, ReadRecord, Says};
use crate::record::{Actor, FieldName, Object, RecordId, Timestamp, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Pages that are followed; a record with more associations than that is beyond us.
const MOST_PAGES: usize = 20;
/// Most inputs of a batch read of records.
const BATCH: usize = 100;
/// How HubSpot says that a record has none; it is told as an error.
const NONE: &str = "crm.associations.NO_ASSOCIATIONS_FOUND";
const MADE: &str = "createdate";

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    results: Vec<FromRecord>,
    #[serde(default)]
    errors: Vec<Failure>,
}

#[derive(Deserialize)]
struct FromRecord {
    from: Reference,
    #[serde(default)]
    to: Vec<Associated>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Reference {
    id: String,
}

/// The id is text in HubSpot's clients and a number in its documentation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Associated {
    to_object_id: Json,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Failure {
    category: Option<String>,
    sub_category: Option<Json>,
    context: Json,
}

impl Failure {
    fn is_none(&self) -> bool {
        let named = self.sub_category.as_ref().and_then(Json::as_str) == Some(NONE);
        named || self.category.as_deref() == Some("OBJECT_NOT_FOUND")
    }

    /// HubSpot's clients know `ids`, its answers `fromObjectId`.
    fn concerns(&self) -> impl Iterator<Item = &str> {
        let lists = ["ids", "fromObjectId"].into_iter().filter_map(|name| self.context[name].as_array());
        lists.flatten().filter_map(Json::as_str)
    }
}

/// What belongs to whom.
#[derive(Default)]
pub(super) struct Found {
    of: HashMap<String, BTreeSet<String>>,
    /// Nobody knows what belongs to these.
    unknown: HashSet<String>,
    /// Somebody failed, and the answer does not say who.
    any_unknown: bool,
}

impl Found {
    /// The ids that belong to this record; `None` where that was not told.
    fn told(&self, id: &str) -> Option<BTreeSet<&str>> {
        match self.of.get(id) {
            _ if self.unknown.contains(id) => None,
            Some(ids) => Some(ids.iter().map(String::as_str).collect()),
            None => (!self.any_unknown).then(BTreeSet::new),
        }
    }

    /// All that belongs to any of them.
    pub fn all(self) -> Vec<String> {
        let all: BTreeSet<String> = self.of.into_values().flatten().collect();
        all.into_iter().collect()
    }

    fn take(&mut self, page: Answered) -> Vec<Json> {
        for failure in page.errors.iter().filter(|failure| !failure.is_none()) {
            self.unknown.extend(failure.concerns().map(str::to_owned));
            self.any_unknown |= failure.concerns().next().is_none();
        }
        let next = page.results.iter().filter_map(next_input).collect();
        for one in page.results {
            let ids = one
                .to
                .into_iter()
                .map(|to| to.to_object_id.as_str().map_or_else(|| to.to_object_id.to_string(), str::to_owned));
            self.of.entry(one.from.id).or_default().extend(ids);
        }
        next
    }
}

fn next_input(result: &FromRecord) -> Option<Json> {
    let after = &result.paging.as_ref()?.next.as_ref()?.after;
    Some(json!({ "id": result.from.id, "after": after }))
}

/// What of the type `to` (as in a path) belongs to these records.
pub(super) async fn of(
    crm: &HubSpot,
    from: ObjectType,
    to: &str,
    ids: impl IntoIterator<Item = &str>,
) -> Result<Found, CrmError> {
    let url = crm.api.associations(from, to);
    let mut found = Found::default();
    let mut inputs: Vec<Json> = ids.into_iter().map(|id| json!({ "id": id })).collect();
    for _ in 0..MOST_PAGES {
        if inputs.is_empty() {
            return Ok(found);
        }
        inputs = found.take(crm.api.post(&url, &json!({ "inputs": inputs })).await?.json()?);
    }
    // What was not read to its end is not known.
    found.unknown.extend(inputs.iter().filter_map(|input| input["id"].as_str().map(str::to_owned)));
    Ok(found)
}

/// The list of the records at the other end of this object's link, where it is followed.
fn followed(crm: &HubSpot, object: Object) -> Option<(FieldName, ObjectType)> {
    let (link, list) = link_of(object);
    let other = match object {
        Object::Lead => Object::Opportunity,
        Object::Opportunity => Object::Lead,
    };
    // A property that names the link stands above the associations.
    (crm.follows_links && crm.fields.by_name(object, link).is_none()).then(|| (list, crm.object_type(other)))
}

/// Puts among the values of each record that was found what it is associated with: one call more for
/// a read. An account that does not show associations is read without them.
pub(super) async fn add_links(
    crm: &HubSpot,
    object: Object,
    records: &mut [(RecordId, ReadRecord)],
) -> Result<(), CrmError> {
    let Some((list, other)) = followed(crm, object) else { return Ok(()) };
    let there = |(id, record): &(RecordId, ReadRecord)| {
        matches!(record, ReadRecord::Found { .. }).then(|| id.as_str().to_owned())
    };
    let ids: Vec<String> = records.iter().filter_map(there).collect();
    let found = match of(crm, crm.object_type(object), other.path(), ids.iter().map(String::as_str)).await {
        Ok(found) => found,
        Err(CrmError::Never { message }) => {
            tracing::warn!(%object, "its associations are not shown to us: {message}");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for (id, record) in records {
        if let (ReadRecord::Found { values, .. }, Some(ids)) = (record, found.told(id.as_str())) {
            values.push((list, listed(ids)));
        }
    }
    Ok(())
}

/// When the deals of these leads were made, as if webhooks had told: what was associated later is
/// seen by the read alone.
pub(super) async fn histories(
    crm: &HubSpot,
    object: Object,
    asked: &[(RecordId, Timestamp)],
) -> Result<Vec<Event>, CrmError> {
    let Some((_, other)) = followed(crm, object).filter(|_| object == Object::Lead) else { return Ok(Vec::new()) };
    let found = of(crm, crm.object_type(object), other.path(), asked.iter().map(|(id, _)| id.as_str())).await?;
    let deals: BTreeSet<&String> = found.of.values().flatten().collect();
    let made = made(crm, &deals.into_iter().collect::<Vec<_>>()).await?;
    let mut events = Vec::new();
    for (id, since) in asked {
        let ids = found.told(id.as_str()).unwrap_or_default();
        let of_lead = ids.into_iter().filter_map(|deal| Some((deal, *made.get(deal).filter(|at| *at >= since)?)));
        events.extend(of_lead.map(|(deal, at)| {
            let says = Says::Changed(vec![(link_of(object).0, Value::text(deal))]);
            Event { object, id: id.clone(), at, by: Actor::Unknown, says }
        }));
    }
    Ok(events)
}

async fn made(crm: &HubSpot, deals: &[&String]) -> Result<BTreeMap<String, Timestamp>, CrmError> {
    let mut made = BTreeMap::new();
    for some in deals.chunks(BATCH) {
        let inputs: Vec<Json> = some.iter().map(|id| json!({ "id": id })).collect();
        let body = json!({ "inputs": inputs, "properties": [MADE], "propertiesWithHistory": [] });
        let batch: Batch = crm.api.post(&crm.api.objects("deals/batch/read"), &body).await?.json()?;
        made.extend(batch.results.into_iter().filter_map(|row: Row| Some((row.id.clone(), row.time(MADE)?))));
    }
    Ok(made)
}
