//! An outbound message as events. The message is unsigned, so it only says which records to read;
//! none of its field values is believed.

use super::{id, soap};
use crate::crm::{Acknowledgement, Event, Events, Malformed, Says, VerifiedDelivery};
use crate::record::{Actor, Object, RecordId, Timestamp};

/// The only answer that Salesforce takes for a success; it covers all notifications of the message.
const ACK: &str = concat!(
    r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>"#,
    r#"<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>"#,
    r#"</notificationsResponse></soapenv:Body></soapenv:Envelope>"#
);

pub fn acknowledgement() -> Acknowledgement {
    Acknowledgement { status: 200, content_type: Some("text/xml; charset=utf-8"), body: ACK }
}

/// One event for each record that the message names, at the latest time it gives for it:
/// [`Timestamp::MIN`] where it gives none, which is before all we know and so decides nothing.
///
/// # Errors
/// [`Malformed`] when it is no outbound message, or a record's id is none.
pub fn events(delivery: &VerifiedDelivery) -> Result<Events, Malformed> {
    let message = soap::parse(delivery.body())?;
    let mut found = Events::default();
    for notification in message.notifications {
        match concerned(&notification)? {
            Ok((object, record)) => add(&mut found.events, object, record, notification.modified),
            Err(reason) => found.dropped.push(reason),
        }
    }
    Ok(found)
}

/// The record, or why the notification does not concern us.
fn concerned(notification: &soap::Notification) -> Result<Result<(Object, RecordId), &'static str>, Malformed> {
    let object = match notification.object.as_deref() {
        Some("Lead") => Object::Lead,
        Some("Opportunity") => Object::Opportunity,
        Some(_) => return Ok(Err("another object")),
        None => return Ok(Err("a notification without data")),
    };
    let Some(text) = notification.id.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(Err("a notification without a record id"));
    };
    let id = id::normalise(text).ok_or_else(|| Malformed("a record id is not a Salesforce id".to_owned()))?;
    match id.starts_with(id::prefix(object)) {
        true => Ok(Ok((object, RecordId::new(id)))),
        false => Ok(Err("the id belongs to another object")),
    }
}

fn add(events: &mut Vec<Event>, object: Object, id: RecordId, modified: Option<Timestamp>) {
    let at = modified.unwrap_or(Timestamp::MIN);
    match events.iter_mut().find(|e| e.object == object && e.id == id) {
        Some(known) => known.at = known.at.max(at),
        None => events.push(Event { object, id, at, by: Actor::Unknown, says: Says::ReadIt }),
    }
}
