//! A pretend organisation in memory: records, people, associations. Every change goes through
//! [`World::change`] and its like, which keep the history and tell the listeners. HTTP is elsewhere.

use super::event::{By, CrmKind, Happened, WorldEvent};
use super::id;
use super::record::{PropertyChange, StoredRecord, Values};
use super::schema::Schema;
use super::vocabulary;
use crate::record::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The CRM's own time, perhaps faster than the real one.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Somebody, or a queue, that can own records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    /// HubSpot's other number of a person, which webhooks name.
    pub user_id: u64,
    pub first: String,
    pub last: String,
    pub email: String,
    pub active: bool,
    pub manager: Option<String>,
    pub queue: bool,
}

impl Member {
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last).trim().to_owned()
    }
}

/// Two records belong together, seen from one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    pub from: (String, String),
    pub to: (String, String),
    /// HubSpot's number of this direction.
    pub type_id: u32,
}

/// Why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    #[error("no such record")]
    Unknown,
    #[error("the record is deleted")]
    Deleted,
}

pub struct World {
    pub crm: CrmKind,
    clock: Clock,
    inner: Mutex<Inner>,
    pub(super) schema: Mutex<Schema>,
}

#[derive(Default)]
struct Inner {
    records: BTreeMap<(String, String), StoredRecord>,
    members: Vec<Member>,
    associations: Vec<Association>,
    numbers: BTreeMap<String, u64>,
    listeners: Vec<UnboundedSender<WorldEvent>>,
}

impl World {
    pub fn new(crm: CrmKind, clock: Clock) -> Self {
        Self { crm, clock, inner: Mutex::default(), schema: Mutex::new(Schema::new(crm)) }
    }

    /// By the CRM's clock; whole seconds in Salesforce, which keeps no finer times.
    pub fn now(&self) -> Timestamp {
        let now = (self.clock)();
        match self.crm {
            CrmKind::HubSpot => now,
            CrmKind::Salesforce => Timestamp::from_millis(now.as_millis().div_euclid(1000) * 1000),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Everything that happens from now on.
    pub fn listen(&self) -> UnboundedReceiver<WorldEvent> {
        let (sender, receiver) = unbounded_channel();
        self.lock().listeners.push(sender);
        receiver
    }

    /// Adds a person or a queue and returns the id to own records with.
    pub fn add_member(&self, name: &str, email: &str, manager: Option<&str>, queue: bool) -> String {
        let mut inner = self.lock();
        let n = inner.members.len() as u64;
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        let id = match (self.crm, queue) {
            (CrmKind::HubSpot, _) => (55_001_234 + n).to_string(),
            (CrmKind::Salesforce, true) => id::salesforce("00G", 100 + n),
            (CrmKind::Salesforce, false) => id::salesforce("005", 100 + n),
        };
        inner.members.push(Member {
            id: id.clone(),
            user_id: 9912 + n,
            first: first.to_owned(),
            last: last.to_owned(),
            email: email.to_owned(),
            active: true,
            manager: manager.map(str::to_owned),
            queue,
        });
        id
    }

    pub fn members(&self) -> Vec<Member> {
        self.lock().members.clone()
    }

    pub fn member(&self, id: &str) -> Option<Member> {
        self.lock().member(id).cloned()
    }

    /// Somebody leaves, or comes back.
    pub fn set_active(&self, id: &str, active: bool) {
        self.lock().members.iter_mut().filter(|m| m.id == id).for_each(|m| m.active = active);
    }

    pub fn create(&self, object: &str, values: Values, by: By) -> String {
        let at = self.now();
        let mut inner = self.lock();
        let id = inner.next_id(self.crm, object);
        let record = StoredRecord {
            crm: self.crm,
            object: object.to_owned(),
            id: id.clone(),
            properties: Values::new(),
            created: at,
            created_by: by.clone(),
            modified: at,
            modified_by: by.clone(),
            archived: false,
            history: Vec::new(),
        };
        let key = (object.to_owned(), id.clone());
        inner.records.insert(key.clone(), record);
        let changes = inner.set(&key, values, at, &by);
        inner.tell(self.crm, at, &by, &key, Happened::Created);
        changes.into_iter().for_each(|change| inner.tell(self.crm, at, &by, &key, change));
        id
    }

    /// Sets fields and returns the modification time. Values that stand already are no change.
    ///
    /// # Errors
    /// [`NotChanged`] when there is no such record (any more).
    pub fn change(&self, object: &str, id: &str, values: Values, by: By) -> Result<Timestamp, NotChanged> {
        let at = self.now();
        let mut inner = self.lock();
        let key = (object.to_owned(), id.to_owned());
        let record = inner.records.get(&key).ok_or(NotChanged::Unknown)?;
        if record.archived {
            return Err(NotChanged::Deleted);
        }
        let changes = inner.set(&key, values, at, &by);
        let touched = !changes.is_empty() || self.crm == CrmKind::Salesforce;
        changes.into_iter().for_each(|change| inner.tell(self.crm, at, &by, &key, change));
        let record = inner.records.get_mut(&key).ok_or(NotChanged::Unknown)?;
        if touched {
            record.modified = at;
            record.modified_by = by;
        }
        Ok(record.modified)
    }

    /// # Errors
    /// [`NotChanged`] when there is no such record (any more).
    pub fn delete(&self, object: &str, id: &str, by: By) -> Result<(), NotChanged> {
        self.archive(object, id, by, Happened::Deleted)
    }

    /// The record becomes part of another one, which keeps its id.
    ///
    /// # Errors
    /// [`NotChanged`] when there is no such record (any more).
    pub fn merge(&self, object: &str, id: &str, into: &str, by: By) -> Result<(), NotChanged> {
        self.archive(object, id, by, Happened::Merged { into: into.to_owned() })
    }

    fn archive(&self, object: &str, id: &str, by: By, what: Happened) -> Result<(), NotChanged> {
        let at = self.now();
        let mut inner = self.lock();
        let key = (object.to_owned(), id.to_owned());
        let record = inner.records.get_mut(&key).ok_or(NotChanged::Unknown)?;
        if std::mem::replace(&mut record.archived, true) {
            return Err(NotChanged::Deleted);
        }
        record.modified = at;
        record.modified_by = by.clone();
        if let Happened::Merged { into } = &what {
            record.properties.insert("MasterRecordId".to_owned(), into.as_str().into());
            if let Some(survivor) = inner.records.get_mut(&(object.to_owned(), into.clone())) {
                let losers = format!("{};{id}", survivor.text("hs_merged_object_ids"));
                let losers = losers.trim_start_matches(';').to_owned();
                survivor.properties.insert("hs_merged_object_ids".to_owned(), losers.into());
                survivor.modified = at;
            }
        }
        inner.tell(self.crm, at, &by, &key, what);
        Ok(())
    }

    /// Both sides learn of it, each by an event of its own.
    pub fn associate(&self, from: (&str, &str), to: (&str, &str), type_id: u32, by: By) {
        let at = self.now();
        let mut inner = self.lock();
        let own = |(object, id): (&str, &str)| (object.to_owned(), id.to_owned());
        for (from, to, type_id) in [(own(from), own(to), type_id), (own(to), own(from), reverse(type_id))] {
            let association = Association { from: from.clone(), to: to.clone(), type_id };
            if inner.associations.contains(&association) {
                continue;
            }
            inner.associations.push(association);
            let what = Happened::Associated { to_object: to.0, to_id: to.1, type_id, removed: false };
            inner.tell(self.crm, at, &by, &from, what);
        }
    }

    /// The records of an object that belong to this one, oldest first.
    pub fn associated(&self, object: &str, id: &str, to_object: &str) -> Vec<Association> {
        let is_it = |a: &&Association| a.from.0 == object && a.from.1 == id && a.to.0 == to_object;
        self.lock().associations.iter().filter(is_it).cloned().collect()
    }

    /// Deleted ones included.
    pub fn get(&self, object: &str, id: &str) -> Option<StoredRecord> {
        self.lock().records.get(&(object.to_owned(), id.to_owned())).cloned()
    }

    /// All of an object by id; deleted ones included.
    pub fn all(&self, object: &str) -> Vec<StoredRecord> {
        self.lock().records.values().filter(|r| r.object == object).cloned().collect()
    }

    /// One field of a record by its logical name, for people and tests.
    pub fn field(&self, object: &str, id: &str, logical: &'static str) -> String {
        self.get(object, id).map(|r| r.text(vocabulary::property(self.crm, object, logical))).unwrap_or_default()
    }
}

impl Inner {
    fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.id == id)
    }

    fn next_id(&mut self, crm: CrmKind, object: &str) -> String {
        let number = self.numbers.entry(object.to_owned()).or_default();
        *number += 1;
        match crm {
            CrmKind::HubSpot => (id::first_hubspot_number(object) + *number).to_string(),
            CrmKind::Salesforce => id::salesforce(id::salesforce_prefix(object), 1000 + *number),
        }
    }

    /// Stores what differs and says what that was.
    fn set(&mut self, key: &(String, String), values: Values, at: Timestamp, by: &By) -> Vec<Happened> {
        let mut happened = Vec::new();
        for (property, value) in values {
            let Some(record) = self.records.get_mut(key) else { break };
            let value = normal(record.crm, value);
            let old = record.properties.get(&property).cloned().unwrap_or(Json::Null);
            if old == value {
                continue;
            }
            match value.is_null() {
                true => record.properties.remove(&property),
                false => record.properties.insert(property.clone(), value.clone()),
            };
            let change = PropertyChange {
                at,
                by: by.clone(),
                property: property.clone(),
                old: old.clone(),
                value: value.clone(),
            };
            record.history.push(change);
            let shown = self.shown(key, &property, &value);
            happened.push(Happened::Changed { property, old, value, shown });
        }
        happened
    }

    fn shown(&self, key: &(String, String), property: &str, value: &Json) -> String {
        let text = text_of(value);
        let Some(crm) = self.records.get(key).map(|r| r.crm) else { return text };
        match vocabulary::logical(crm, &key.0, property) {
            Some("owner") => self.member(&text).map_or(text, Member::name),
            Some("status") => vocabulary::logical_status(crm, &text).to_owned(),
            _ => text,
        }
    }

    fn tell(&mut self, crm: CrmKind, at: Timestamp, by: &By, key: &(String, String), what: Happened) {
        let by_name = match by {
            By::Person(id) => self.member(id).map_or_else(|| id.clone(), Member::name),
            By::App => "leadpact".to_owned(),
            By::Import => "an import".to_owned(),
            By::Form => "a form".to_owned(),
        };
        let record_name = self.records.get(key).map(StoredRecord::name).unwrap_or_default();
        let (object, id) = key.clone();
        let event = WorldEvent { crm, at, by: by.clone(), by_name, object, id, record_name, what };
        self.listeners.retain(|listener| listener.send(event.clone()).is_ok());
    }
}

/// HubSpot keeps text whatever it is sent; both read `""` as unset.
fn normal(crm: CrmKind, value: Json) -> Json {
    match (crm, value) {
        (_, Json::Null) => Json::Null,
        (_, Json::String(text)) if text.is_empty() => Json::Null,
        (CrmKind::HubSpot, value) => json!(text_of(&value)),
        (CrmKind::Salesforce, value) => value,
    }
}

/// A value as text; `""` for null.
pub fn text_of(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// HubSpot's number of the other direction.
fn reverse(type_id: u32) -> u32 {
    match type_id {
        3 => 4,
        4 => 3,
        204 => 203,
        203 => 204,
        216 => 215,
        215 => 216,
        647 => 646,
        646 => 647,
        other => other,
    }
}
