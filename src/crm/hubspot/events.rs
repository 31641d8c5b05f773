//! What a HubSpot webhook says, as events about leads and opportunities. A delivery of ours with
//! anything else in it is still accepted: HubSpot would send a refused one ten more times.

use super::api::ObjectType;
use super::payload::{Incoming, Scalar, text};
use super::people::Users;
use super::pipelines::Pipelines;
use super::{names_person, read};
use crate::crm::fields::FieldMap;
use crate::crm::{Event, Events, Malformed, Says};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Actor, FieldName, Object, OwnerId, RecordId, Timestamp, Value};

/// HubSpot's limit of one request.
const MOST_EVENTS: usize = 100;
/// What stands in place of a value that the app may not see.
const REDACTED: &str = "REDACTED";
/// What HubSpot calls changes that its own workflows made.
pub(super) const WORKFLOWS: [&str; 2] = ["AUTOMATION_PLATFORM", "WORKFLOWS"];

/// What is needed to read events of one connection.
pub(super) struct Scope<'a> {
    pub portal_id: Option<u64>,
    pub lead_object: ObjectType,
    pub map: &'a FieldMap,
    pub automation_users: &'a [OwnerId],
    pub pipelines: &'a Pipelines,
    pub users: &'a Users,
    /// The deal status comes from the pipelines, not from a property.
    pub derives_status: bool,
    /// The name is put together from first and last name.
    pub composes_name: bool,
}

type Dropped = &'static str;

/// Reads a body.
///
/// # Errors
/// [`Malformed`] when it is no JSON list of at most 100 events.
pub(super) fn parse(body: &[u8], scope: &Scope<'_>) -> Result<Events, Malformed> {
    let incoming: Vec<Incoming<'_>> = serde_json::from_slice(body)
        .map_err(|e| Malformed(format!("not a JSON list of events: line {}, column {}", e.line(), e.column())))?;
    if incoming.len() > MOST_EVENTS {
        return Err(Malformed(format!("{} events, at most {MOST_EVENTS} are allowed", incoming.len())));
    }
    let mut read = Events::default();
    for one in &incoming {
        match scope.read(one) {
            Ok(events) => read.events.extend(events),
            Err(reason) => read.dropped.push(reason),
        }
    }
    Ok(read)
}

impl Scope<'_> {
    fn read(&self, incoming: &Incoming<'_>) -> Result<Vec<Event>, Dropped> {
        if self.portal_id.is_some_and(|ours| text(&incoming.portal_id) != Some(ours.to_string().as_str())) {
            return Err("other portal");
        }
        let (kind, what) = incoming.type_parts().ok_or("no event type")?;
        if what == "associationChange" {
            return self.association(incoming, kind);
        }
        let object = self.object(kind, text(&incoming.object_type_id)).ok_or("object not tracked")?;
        if what == "merge" {
            return merge(self.stamp(incoming, object)?, incoming);
        }
        let id = incoming.object_id.as_ref().and_then(Scalar::id).ok_or("no object id")?;
        let stamp = self.stamp(incoming, object)?;
        match what {
            // The first sight of a record causes a read, which tells the rest.
            "creation" => Ok(vec![stamp.event(id, Says::Changed(Vec::new()))]),
            "deletion" => Ok(vec![stamp.event(id, Says::Deleted)]),
            // An ordinary deletion comes with it, before or after.
            "privacyDeletion" => Ok(vec![stamp.event(id, Says::Erased)]),
            "restore" => Ok(vec![stamp.event(id, Says::Restored)]),
            "propertyChange" => self.property(&stamp, id, incoming),
            _ => Err("event type not handled"),
        }
    }

    fn object(&self, kind: &str, type_id: Option<&str>) -> Option<Object> {
        let type_id = match kind {
            "contact" => "0-1",
            "deal" => "0-3",
            "object" => type_id?,
            _ => return None,
        };
        self.object_of_type(type_id)
    }

    fn object_of_type(&self, type_id: &str) -> Option<Object> {
        if type_id == ObjectType::Deal.type_id() {
            Some(Object::Opportunity)
        } else {
            (type_id == self.lead_object.type_id()).then_some(Object::Lead)
        }
    }

    fn stamp(&self, incoming: &Incoming<'_>, object: Object) -> Result<Stamp, Dropped> {
        let at = incoming.at().ok_or("no time")?;
        Ok(Stamp { object, at, by: self.actor(incoming) })
    }

    /// A person only where HubSpot names the user; an automation only where it is certain, since a
    /// person's change spares a lead and a wrong "automation" would not.
    fn actor(&self, incoming: &Incoming<'_>) -> Actor {
        let source = text(&incoming.source_id);
        if let Some(user) = source.and_then(names_person) {
            let owner = self.users.owner(user);
            let automation = self.users.is_listed(user, &owner, self.automation_users);
            return if automation { Actor::Automation } else { Actor::Person(owner) };
        }
        let change = text(&incoming.change_source).unwrap_or_default();
        let own_app = matches!(change, "INTEGRATION" | "API") && source.is_some() && source == text(&incoming.app_id);
        if own_app || WORKFLOWS.contains(&change) { Actor::Automation } else { Actor::Unknown }
    }

    fn property(&self, stamp: &Stamp, id: RecordId, incoming: &Incoming<'_>) -> Result<Vec<Event>, Dropped> {
        let property = text(&incoming.property_name).ok_or("no property name")?;
        let composes = self.composes_name && stamp.object == Object::Lead && read::NAME_PARTS.contains(&property);
        let derives = self.derives_status && stamp.object == Object::Opportunity && property == read::DEAL_STAGE;
        let mut fields = self.map.by_crm_name(stamp.object, property).peekable();
        if fields.peek().is_none() && !composes && !derives {
            return Err("unmapped property");
        }
        let hidden = incoming.is_sensitive == Some(true);
        let Some(value) = text(&incoming.property_value).filter(|v| !hidden && *v != REDACTED) else {
            return Ok(vec![stamp.event(id, Says::ReadIt)]);
        };
        let mut values: FieldValues = fields.map(|f| (f.name, f.read(value).unwrap_or_default())).collect();
        let mut read_it = composes;
        if derives {
            match self.pipelines.status_of(value) {
                Some(status) => values.push((well_known().status, Value::text(status))),
                None => read_it = true,
            }
        }
        let changed = (!values.is_empty()).then(|| stamp.event(id.clone(), Says::Changed(values)));
        let read = read_it.then(|| stamp.event(id, Says::ReadIt));
        Ok(changed.into_iter().chain(read).collect())
    }

    /// A lead and a deal that now belong together: each side learns of the other. HubSpot sends an
    /// event for either side where both are subscribed; then the second one says nothing new.
    fn association(&self, incoming: &Incoming<'_>, kind: &str) -> Result<Vec<Event>, Dropped> {
        let (from, to) = self.ends(incoming, kind).ok_or("association not tracked")?;
        let from_id = incoming.from_object_id.as_ref().and_then(Scalar::id).ok_or("no object id")?;
        let to_id = incoming.to_object_id.as_ref().and_then(Scalar::id).ok_or("no object id")?;
        let (lead, deal) = match (from, to) {
            (Object::Lead, Object::Opportunity) => (from_id, to_id),
            (Object::Opportunity, Object::Lead) => (to_id, from_id),
            _ => return Err("association not tracked"),
        };
        if incoming.association_removed == Some(true) {
            // What is left, and whether it was the one that counted, only a read tells.
            let read = |object, id| Ok::<_, Dropped>(self.stamp(incoming, object)?.event(id, Says::ReadIt));
            return Ok(vec![read(Object::Lead, lead)?, read(Object::Opportunity, deal)?]);
        }
        let link = |object, id: &RecordId, field: FieldName, other: &RecordId| {
            let says = Says::Changed(vec![(field, Value::text(other.as_str()))]);
            Ok::<_, Dropped>(self.stamp(incoming, object)?.event(id.clone(), says))
        };
        Ok(vec![
            link(Object::Lead, &lead, well_known().opportunity, &deal)?,
            link(Object::Opportunity, &deal, well_known().lead, &lead)?,
        ])
    }

    fn ends(&self, incoming: &Incoming<'_>, kind: &str) -> Option<(Object, Object)> {
        if kind == "object" {
            let from = self.object_of_type(text(&incoming.from_object_type_id)?)?;
            return Some((from, self.object_of_type(text(&incoming.to_object_type_id)?)?));
        }
        let (from, to) = text(&incoming.association_type)?.split_once("_TO_")?;
        Some((self.object_named(from)?, self.object_named(to)?))
    }

    fn object_named(&self, name: &str) -> Option<Object> {
        match name {
            "CONTACT" => self.object_of_type(ObjectType::Contact.type_id()),
            "LEAD" => self.object_of_type(ObjectType::Lead.type_id()),
            "DEAL" => Some(Object::Opportunity),
            _ => None,
        }
    }
}

/// All losers point to the survivor, which may be a new record, then losing the primary too.
fn merge(stamp: Stamp, incoming: &Incoming<'_>) -> Result<Vec<Event>, Dropped> {
    let primary = incoming.primary_object_id.as_ref().or(incoming.object_id.as_ref()).and_then(Scalar::id);
    let survivor = incoming.new_object_id.as_ref().and_then(Scalar::id).or_else(|| primary.clone());
    let survivor = survivor.ok_or("no surviving record")?;
    let merged = incoming.merged_object_ids.iter().flatten().filter_map(Scalar::id);
    let losers = merged.chain(primary).filter(|id| *id != survivor);
    let mut events: Vec<Event> = losers.map(|id| stamp.event(id, Says::Merged { into: survivor.clone() })).collect();
    events.push(stamp.event(survivor, Says::ReadIt));
    Ok(events)
}

/// What all events of one incoming event share.
struct Stamp {
    object: Object,
    at: Timestamp,
    by: Actor,
}

impl Stamp {
    fn event(&self, id: RecordId, says: Says) -> Event {
        Event { object: self.object, id, at: self.at, by: self.by.clone(), says }
    }
}
