//! Logical field names, interned once so that comparing them costs nothing, and a record's fields
//! with the moment at which each value was set.

use super::{Timestamp, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, RwLock};

/// A logical field name (`status`, `owner`), interned. Only names that an agreement, a
/// configuration or our own database declares may be interned: the table never shrinks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldName(u32);

#[derive(Default)]
struct Interner {
    ids: HashMap<&'static str, u32>,
    names: Vec<&'static str>,
}

static INTERNER: LazyLock<RwLock<Interner>> = LazyLock::new(RwLock::default);

impl FieldName {
    /// The one name for this text. Not for text that comes from a webhook.
    pub fn new(text: &str) -> Self {
        if let Some(known) = Self::known(text) {
            return known;
        }
        let mut table = INTERNER.write().unwrap_or_else(|e| e.into_inner());
        if let Some(id) = table.ids.get(text) {
            return Self(*id);
        }
        let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
        let id = table.names.len() as u32;
        table.names.push(leaked);
        table.ids.insert(leaked, id);
        Self(id)
    }

    /// The name for this text if it was interned before.
    pub fn known(text: &str) -> Option<Self> {
        let table = INTERNER.read().unwrap_or_else(|e| e.into_inner());
        table.ids.get(text).map(|id| Self(*id))
    }

    pub fn as_str(self) -> &'static str {
        let table = INTERNER.read().unwrap_or_else(|e| e.into_inner());
        table.names[self.0 as usize]
    }
}

macro_rules! well_known {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// Names that the core itself speaks of.
        #[derive(Clone, Copy)]
        pub struct WellKnown { $(pub $name: FieldName),+ }
        static WELL_KNOWN: LazyLock<WellKnown> = LazyLock::new(|| WellKnown { $($name: FieldName::new($text)),+ });
    };
}

well_known! {
    name = "name", email = "email", company = "company", owner = "owner", status = "status", source = "source",
    campaign = "campaign", touches = "touches", last_touch = "last_touch", created = "created",
    modified = "modified", converted = "converted", reject_reason = "reject_reason", amount = "amount",
    currency = "currency", close_date = "close_date",
    // What leadpact itself writes onto the record, where the connection maps it.
    flag = "flag", violation = "violation", due = "due", clock = "clock", last_action = "last_action",
    // The links between a lead and the opportunity made of it; ids of the same CRM.
    opportunity = "opportunity", lead = "lead",
    // All the records that are associated, as reads list them (`;5;7;`); no agreement can declare such
    // a name. Which of them is *the* link is the core's to say.
    opportunities = "opportunity[]", leads = "lead[]",
}

/// The names that the core itself speaks of, interned.
pub fn well_known() -> &'static WellKnown {
    &WELL_KNOWN
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Ok(Self::new(&text))
    }
}

/// One field of a record: its value and since when it has that value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    #[serde(rename = "n")]
    pub name: FieldName,
    #[serde(rename = "v")]
    pub value: Value,
    #[serde(rename = "t")]
    pub at: Timestamp,
}

/// A record's fields, looked up by name without allocating.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// The value of a field; null when it was never set.
    pub fn get(&self, name: FieldName) -> &Value {
        self.field(name).map_or(Value::NULL, |f| &f.value)
    }

    /// The field with its time, if it was ever set or cleared.
    pub fn field(&self, name: FieldName) -> Option<&Field> {
        self.0.iter().find(|f| f.name == name)
    }

    /// Sets a value; an unchanged value keeps its time. Answers whether anything changed.
    pub fn set(&mut self, name: FieldName, value: Value, at: Timestamp) -> bool {
        match self.0.iter_mut().find(|f| f.name == name) {
            Some(field) if field.value == value => false,
            Some(field) => {
                field.value = value;
                field.at = at;
                true
            }
            None if value.is_null() => false,
            None => {
                self.0.push(Field { name, value, at });
                true
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter()
    }
}
