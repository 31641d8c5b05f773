//! Reads an outbound message: streaming, by namespace and local name, with caps on depth, attributes
//! and notifications. No document types, no processing instructions, no entities but the five of
//! XML. What the message is worth is not decided here (`verify.rs`, `events.rs`).

use crate::crm::Malformed;
use crate::record::Timestamp;
use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, QName, ResolveResult};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const OUTBOUND: &str = "http://soap.sforce.com/2005/09/outbound";
const SOBJECT: &str = "urn:sobject.enterprise.soap.sforce.com";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

const MOST_DEEP: usize = 32;
const MOST_ATTRIBUTES: usize = 32;
const MOST_BINDINGS: usize = 64;
/// Salesforce sends at most so many.
const MOST_NOTIFICATIONS: usize = 100;

/// What an outbound message says, as far as it concerns us.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub organization_id: Option<String>,
    pub notifications: Vec<Notification>,
}

/// One `Notification`; all is `None` where it came without data.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// The local part of `xsi:type`: `Lead`.
    pub object: Option<String>,
    pub id: Option<String>,
    /// `SystemModstamp`, else `LastModifiedDate`, if the message carries them.
    pub modified: Option<Timestamp>,
}

/// Where in the message an element stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Envelope,
    Body,
    Notifications,
    OrganizationId,
    Notification,
    SObject,
    RecordId,
    SystemModstamp,
    LastModifiedDate,
    /// Of no concern, with all inside it.
    Elsewhere,
}

/// The element of that name inside its parent (`None`: the document).
fn place(parent: Option<Place>, namespace: Option<&str>, local: &str) -> Place {
    match (parent, namespace, local) {
        (None, Some(SOAP), "Envelope") => Place::Envelope,
        (Some(Place::Envelope), Some(SOAP), "Body") => Place::Body,
        (Some(Place::Body), Some(OUTBOUND), "notifications") => Place::Notifications,
        (Some(Place::Notifications), Some(OUTBOUND), "OrganizationId") => Place::OrganizationId,
        (Some(Place::Notifications), Some(OUTBOUND), "Notification") => Place::Notification,
        (Some(Place::Notification), Some(OUTBOUND), "sObject") => Place::SObject,
        (Some(Place::SObject), Some(SOBJECT), "Id") => Place::RecordId,
        (Some(Place::SObject), Some(SOBJECT), "SystemModstamp") => Place::SystemModstamp,
        (Some(Place::SObject), Some(SOBJECT), "LastModifiedDate") => Place::LastModifiedDate,
        _ => Place::Elsewhere,
    }
}

fn malformed<T>(reason: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed(reason.into()))
}

/// Reads a whole message.
///
/// # Errors
/// [`Malformed`] when it is not well-formed, is beyond a cap, carries a document type, or is no
/// outbound message.
pub fn parse(body: &[u8]) -> Result<Message, Malformed> {
    let Ok(text) = std::str::from_utf8(body) else { return malformed("the body is not UTF-8") };
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().enable_all_checks(true);
    reader.resolver_mut().set_max_namespace_bindings(MOST_BINDINGS);
    let mut builder = Builder::default();
    loop {
        let event = reader.read_event().map_err(|e| Malformed(format!("not well-formed XML: {e}")))?;
        match event {
            Event::Start(start) => builder.open(&reader, &start)?,
            Event::Empty(start) => {
                builder.open(&reader, &start)?;
                builder.close()?;
            }
            Event::End(_) => builder.close()?,
            Event::Text(text) => builder.text(&text.xml10_content())?,
            Event::CData(text) => builder.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => builder.text(&resolved(&reference)?)?,
            Event::DocType(_) => return malformed("a document type is not accepted"),
            Event::PI(_) => return malformed("a processing instruction is not accepted"),
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => return builder.finish(),
        }
    }
}

/// The text of `&amp;` or `&#228;`; other entities would need a document type.
fn resolved(reference: &BytesRef<'_>) -> Result<String, Malformed> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Ok(character.to_string());
    }
    match quick_xml::escape::resolve_predefined_entity(reference) {
        Some(text) => Ok(text.to_owned()),
        None => malformed("an unknown entity"),
    }
}

#[derive(Default)]
struct Builder {
    message: Message,
    places: Vec<Place>,
    text: String,
    seen_root: bool,
    seen_notifications: bool,
}

impl Builder {
    fn open(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<(), Malformed> {
        if self.places.len() >= MOST_DEEP {
            return malformed("too deeply nested");
        }
        if start.attributes().with_checks(false).take(MOST_ATTRIBUTES + 1).count() > MOST_ATTRIBUTES {
            return malformed("too many attributes");
        }
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let place = place(self.places.last().copied(), bound(&namespace), local.into_inner());
        let object = typed(reader, start)?;
        self.enter(place, object)
    }

    fn enter(&mut self, place: Place, object: Option<String>) -> Result<(), Malformed> {
        if self.places.is_empty() {
            if self.seen_root || place != Place::Envelope {
                return malformed("not a SOAP envelope");
            }
            self.seen_root = true;
        }
        match place {
            Place::Notifications if self.seen_notifications => return malformed("several messages in one"),
            Place::Notifications => self.seen_notifications = true,
            Place::Notification => self.message.notifications.push(Notification::default()),
            Place::SObject => self.notification()?.object = object,
            _ => {}
        }
        if self.message.notifications.len() > MOST_NOTIFICATIONS {
            return malformed("more than 100 notifications");
        }
        self.text.clear();
        self.places.push(place);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.places.last() {
            Some(Place::OrganizationId | Place::RecordId | Place::SystemModstamp | Place::LastModifiedDate) => {
                self.text.push_str(text);
            }
            None if !text.trim().is_empty() => return malformed("text outside of the envelope"),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed> {
        let Some(place) = self.places.pop() else { return malformed("an end without a start") };
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        match place {
            Place::OrganizationId => once(&mut self.message.organization_id, text),
            Place::RecordId => once(&mut self.notification()?.id, text),
            Place::SystemModstamp => {
                let at = time(text)?;
                self.notification()?.modified = Some(at);
                Ok(())
            }
            Place::LastModifiedDate => {
                let at = time(text)?;
                self.notification()?.modified.get_or_insert(at);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The one that is being read.
    fn notification(&mut self) -> Result<&mut Notification, Malformed> {
        self.message.notifications.last_mut().ok_or_else(|| Malformed("a record outside of a notification".to_owned()))
    }

    fn finish(self) -> Result<Message, Malformed> {
        if !self.places.is_empty() || !self.seen_root {
            return malformed("the document ends early");
        }
        if self.message.notifications.is_empty() {
            return malformed("no notifications");
        }
        Ok(self.message)
    }
}

fn bound<'a>(namespace: &'a ResolveResult<'_>) -> Option<&'a str> {
    match namespace {
        ResolveResult::Bound(Namespace(name)) => Some(name),
        _ => None,
    }
}

/// The local part of the element's `xsi:type`, if that names a Salesforce object.
fn typed(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Option<String>, Malformed> {
    let mut found = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| Malformed(format!("not well-formed XML: {e}")))?;
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        if bound(&namespace) == Some(INSTANCE) && local.into_inner() == "type" {
            let (namespace, local) = reader.resolver().resolve_element(QName(attribute.value.trim()));
            found = (bound(&namespace) == Some(SOBJECT)).then(|| local.into_inner().to_owned());
        }
    }
    Ok(found)
}

fn once(slot: &mut Option<String>, text: &str) -> Result<(), Malformed> {
    match slot.replace(text.to_owned()) {
        None => Ok(()),
        Some(_) => malformed("an id is given twice"),
    }
}

fn time(text: &str) -> Result<Timestamp, Malformed> {
    Timestamp::parse(text).ok_or_else(|| Malformed("a modification time cannot be read".to_owned()))
}
