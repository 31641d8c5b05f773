//! The one JSON that a generic sender sends, alone or up to a hundred under `events`:
//!
//! ```json
//! {
//!   "id": "evt_1",
//!   "type": "lead.changed",
//!   "timestamp": "2027-01-05T09:00:00Z",
//!   "data": {
//!     "id": "8842",
//!     "fields": { "status": "MQL", "owner": null, "score": 62 },
//!     "changed_at": "2027-01-05T08:59:58Z",
//!     "by": "7020"
//!   }
//! }
//! ```
//!
//! `type` is `lead` or `opportunity` and `created`, `changed`, `deleted`, `restored` or `merged`
//! (then `data.into` names the survivor). `changed_at` goes before `timestamp`; `by` is the owner id
//! of the person who did it. Sender and format are ours to agree upon, so what is incomplete is
//! malformed and said; types that we don't know are dropped.

use crate::crm::fields::FieldMap;
use crate::crm::{Event, Events, Malformed, Says};
use crate::record::change::FieldValues;
use crate::record::{Actor, Object, OwnerId, RecordId, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

const MOST_EVENTS: usize = 100;

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Many { events: Vec<Incoming> },
    One(Box<Incoming>),
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Option<String>,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    object: Option<String>,
    id: Option<Json>,
    fields: Map<String, Json>,
    changed_at: Option<String>,
    into: Option<Json>,
    by: Option<Json>,
}

/// Reads a body.
///
/// # Errors
/// [`Malformed`] with the place, when it is not of the shape above.
pub(super) fn parse(body: &[u8], map: &FieldMap, automation_users: &[OwnerId]) -> Result<Events, Malformed> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|_| Malformed("neither an event with a `type` nor a list of them under `events`".to_owned()))?;
    let incoming = match body {
        Body::Many { events } => events,
        Body::One(event) => vec![*event],
    };
    if incoming.len() > MOST_EVENTS {
        return Err(Malformed(format!("{} events, at most {MOST_EVENTS} are allowed", incoming.len())));
    }
    let mut read = Events::default();
    for (index, one) in incoming.iter().enumerate() {
        match event(one, map, automation_users).map_err(|why| Malformed(format!("event {index}: {why}")))? {
            Ok(event) => read.events.push(event),
            Err(reason) => read.dropped.push(reason),
        }
    }
    Ok(read)
}

/// The outer error is the sender's mistake, the inner one our lack of interest.
fn event(
    incoming: &Incoming,
    map: &FieldMap,
    automation_users: &[OwnerId],
) -> Result<Result<Event, &'static str>, &'static str> {
    let data = &incoming.data;
    let Some((object, what)) = incoming.kind.split_once('.').and_then(|(o, w)| Some((Object::parse(o)?, w))) else {
        return Ok(Err("object not tracked"));
    };
    if data.object.as_deref().is_some_and(|named| named != object.as_str()) {
        return Err("`data.object` contradicts `type`");
    }
    let says = match what {
        "created" | "changed" | "updated" => match values(object, &data.fields, map) {
            values if values.is_empty() && !data.fields.is_empty() => return Ok(Err("unmapped field")),
            values => Says::Changed(values),
        },
        "deleted" => Says::Deleted,
        "restored" => Says::Restored,
        "merged" => Says::Merged { into: RecordId::new(id(&data.into).ok_or("no `data.into`")?) },
        _ => return Ok(Err("event type not handled")),
    };
    let at = data.changed_at.as_ref().or(incoming.timestamp.as_ref()).ok_or("no `timestamp`")?;
    Ok(Ok(Event {
        object,
        id: RecordId::new(id(&data.id).ok_or("no `data.id`")?),
        at: Timestamp::parse(at).ok_or("the time is not RFC 3339")?,
        by: actor(data, automation_users),
        says,
    }))
}

/// Text that is not empty, or a whole number.
fn id(json: &Option<Json>) -> Option<String> {
    match json.as_ref()? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// Names that we don't know are left out; what cannot be read as its type is null.
fn values(object: Object, fields: &Map<String, Json>, map: &FieldMap) -> FieldValues {
    let known = fields.iter().flat_map(|(name, json)| map.by_crm_name(object, name).map(move |field| (field, json)));
    known.map(|(field, json)| (field.name, field.read_json(json).unwrap_or_default())).collect()
}

fn actor(data: &Data, automation_users: &[OwnerId]) -> Actor {
    match id(&data.by).map(OwnerId::new) {
        Some(user) if automation_users.contains(&user) => Actor::Automation,
        Some(user) => Actor::Person(user),
        None => Actor::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::fields::MappedField;
    use crate::record::{FieldName, FieldType, Value};

    fn read(body: serde_json::Value) -> Result<Events, Malformed> {
        let field =
            |name: &str, theirs: &str, kind| (Object::Lead, MappedField::new(FieldName::new(name), theirs, kind, &[]));
        let map = FieldMap::new([
            field("status", "status", FieldType::Text),
            field("owner", "owner", FieldType::Text),
            field("score", "points", FieldType::Number),
        ]);
        parse(body.to_string().as_bytes(), &map, &[OwnerId::new("7099")])
    }

    fn lead(kind: &str, data: serde_json::Value) -> serde_json::Value {
        serde_json::json!({"id": "e", "type": kind, "timestamp": "2027-01-05T09:00:00Z", "data": data})
    }

    #[test]
    fn a_change_carries_its_own_time_its_person_and_the_known_fields() {
        let data = serde_json::json!({"id": 8842, "by": "7020", "changed_at": "2027-01-05T08:00:00Z",
            "fields": {"status": "MQL", "owner": null, "points": 62, "unheard_of": 1}});
        let events = read(lead("lead.changed", data)).unwrap().events;
        let named = |name| FieldName::new(name);
        let values = vec![
            (named("owner"), Value::Null),
            (named("score"), Value::Number(62.0)),
            (named("status"), Value::text("MQL")),
        ];
        assert_eq!(events.len(), 1);
        let Says::Changed(mut said) = events[0].says.clone() else { panic!("changed") };
        said.sort_by_key(|(name, _)| name.as_str());
        assert_eq!(said, values);
        assert_eq!((events[0].id.as_str(), events[0].by.clone()), ("8842", Actor::Person(OwnerId::new("7020"))));
        assert_eq!(events[0].at, Timestamp::parse("2027-01-05T08:00:00Z").unwrap());
    }

    #[test]
    fn several_events_come_in_one_body_and_unknown_ones_are_dropped() {
        let id = || serde_json::json!({"id": "1"});
        let merged = serde_json::json!({"id": "1", "into": "2"});
        let unmapped = serde_json::json!({"id": "1", "fields": {"x": 1}});
        let events = [
            lead("lead.deleted", id()),
            lead("lead.merged", merged),
            lead("opportunity.restored", id()),
            lead("ticket.changed", id()),
            lead("lead.sneezed", id()),
            lead("lead.changed", unmapped),
        ];
        let read = read(serde_json::json!({ "events": events })).unwrap();
        let said: Vec<Says> = read.events.into_iter().map(|e| e.says).collect();
        assert_eq!(said, [Says::Deleted, Says::Merged { into: RecordId::new("2") }, Says::Restored]);
        assert_eq!(read.dropped, ["object not tracked", "event type not handled", "unmapped field"]);
    }

    #[test]
    fn what_is_incomplete_is_refused_with_the_place() {
        let why = |body| read(body).unwrap_err().0;
        assert_eq!(
            why(serde_json::json!({"events": [lead("lead.deleted", serde_json::json!({}))]})),
            "event 0: no `data.id`"
        );
        assert_eq!(why(lead("lead.merged", serde_json::json!({"id": "1"}))), "event 0: no `data.into`");
        let contradicting = serde_json::json!({"id": "1", "object": "opportunity"});
        assert_eq!(why(lead("lead.deleted", contradicting)), "event 0: `data.object` contradicts `type`");
        assert!(why(serde_json::json!([])).starts_with("neither"));
        let many = vec![lead("lead.deleted", serde_json::json!({"id": "1"})); 101];
        assert!(why(serde_json::json!({ "events": many })).starts_with("101 events"));
    }
}
