//! A described CRM's webhooks as events. What is signed and tells values with their time is believed;
//! anything else only says which record to read.

use super::description::{Action, Webhook};
use super::path;
use super::read::value_of;
use super::{DescribedCrm, described};
use crate::crm::{Event, Events, Malformed, Says};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Actor, Object, OwnerId, RecordId, Timestamp, Value};
use serde_json::Value as Json;

const MOST_EVENTS: usize = 1000;

/// Why an event does not concern us.
type Dropped = &'static str;

/// Reads a body.
///
/// # Errors
/// [`Malformed`] when it is no JSON, or an event that concerns us lacks its id or time.
pub(super) fn parse(body: &[u8], crm: &DescribedCrm, signed: bool) -> Result<Events, Malformed> {
    let body: Json = serde_json::from_slice(body).map_err(|_| Malformed("the body is not JSON".to_owned()))?;
    let webhook = &crm.api.description().webhook;
    let list = match path::find(webhook.events.as_ref(), &body) {
        Some(Json::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => return Err(Malformed("no events where the description says".to_owned())),
    };
    if list.len() > MOST_EVENTS {
        return Err(Malformed(format!("{} events, at most {MOST_EVENTS} are allowed", list.len())));
    }
    let mut read = Events::default();
    for (index, one) in list.iter().enumerate() {
        match event(one, crm, webhook, signed).map_err(|why| Malformed(format!("event {index}: {why}")))? {
            Ok(event) => read.events.push(event),
            Err(reason) => read.dropped.push(reason),
        }
    }
    Ok(read)
}

/// The outer error is the sender's mistake (or the description's), the inner one our lack of interest.
fn event(
    json: &Json,
    crm: &DescribedCrm,
    webhook: &Webhook,
    signed: bool,
) -> Result<Result<Event, Dropped>, &'static str> {
    let Some(object) = object(json, crm, webhook) else { return Ok(Err("object not tracked")) };
    let Some(action) = action(json, webhook) else { return Ok(Err("event type not handled")) };
    let id = webhook.id.id(json).ok_or("no id where the description says")?;
    let id = RecordId::new(id);
    let read_it = |id: RecordId| Event { object, id, at: Timestamp::MIN, by: Actor::Unknown, says: Says::ReadIt };
    let Some(time) = webhook.time.as_ref().filter(|_| signed) else { return Ok(Ok(read_it(id))) };
    let at = time.find(json).and_then(|json| webhook.times.read(json));
    let at = at.ok_or("no time where the description says, or not in its format")?;
    let says = match action {
        Action::Deleted => Says::Deleted,
        Action::Restored => Says::Restored,
        Action::Merged => match webhook.into.as_ref().and_then(|path| path.id(json)) {
            Some(into) => Says::Merged { into: RecordId::new(into) },
            None => Says::ReadIt,
        },
        Action::Changed => match webhook.fields.as_ref().and_then(|path| path.find(json)) {
            Some(fields) => match values(fields, crm, object) {
                values if values.is_empty() => return Ok(Err("unmapped field")),
                values => Says::Changed(values),
            },
            None => Says::ReadIt,
        },
    };
    Ok(Ok(Event { object, id, at, by: actor(json, crm, webhook), says }))
}

fn object(json: &Json, crm: &DescribedCrm, webhook: &Webhook) -> Option<Object> {
    match &webhook.object {
        Some(path) => webhook.objects.get(&path.text(json)?).copied(),
        None => [Object::Lead, Object::Opportunity].into_iter().find(|o| crm.api.description().record(*o).is_some()),
    }
}

fn action(json: &Json, webhook: &Webhook) -> Option<Action> {
    match &webhook.action {
        Some(path) => webhook.actions.get(&path.text(json)?).copied(),
        None => Some(Action::Changed),
    }
}

/// The mapped fields that are told of; what cannot be read as its type is null.
fn values(fields: &Json, crm: &DescribedCrm, object: Object) -> FieldValues {
    let times = &crm.api.description().webhook.times;
    let told = |placed: &described::Placed| {
        let json = placed.path.find(fields)?;
        Some((placed.field.name, value_of(&placed.field, json, times).unwrap_or_default()))
    };
    let mut values: FieldValues = crm.fields(object).iter().filter_map(told).collect();
    if let Some(rule) = crm.status_rule(object)
        && let Some(value) = rule.from.text(fields)
    {
        values.push((well_known().status, Value::text(rule.of(&value))));
    }
    values
}

fn actor(json: &Json, crm: &DescribedCrm, webhook: &Webhook) -> Actor {
    match webhook.by.as_ref().and_then(|path| path.id(json)).map(OwnerId::new) {
        Some(user) if crm.automation_users.contains(&user) => Actor::Automation,
        Some(user) => Actor::Person(user),
        None => Actor::Unknown,
    }
}
