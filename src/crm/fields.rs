//! The map between logical and CRM field names and values, built from a connection's settings and
//! the agreement's dictionary.

use crate::record::value::Unreadable;
use crate::record::{FieldName, FieldType, Object, Value};
use std::collections::{BTreeMap, HashMap};

/// One mapped field.
#[derive(Clone, Debug)]
pub struct MappedField {
    pub name: FieldName,
    /// The CRM's own name.
    pub crm_name: String,
    pub kind: FieldType,
    /// The CRM's value (lower case, trimmed) to the logical one.
    to_logical: HashMap<String, String>,
    /// The logical value (lower case, trimmed) to the one that is written.
    to_crm: HashMap<String, String>,
}

/// All mapped fields of one connection.
#[derive(Clone, Debug, Default)]
pub struct FieldMap {
    by_object: BTreeMap<Object, Vec<MappedField>>,
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

impl MappedField {
    pub fn new(name: FieldName, crm_name: &str, kind: FieldType, values: &[(String, Vec<String>)]) -> Self {
        let mut to_logical = HashMap::new();
        let mut to_crm = HashMap::new();
        for (logical, theirs) in values {
            for value in theirs {
                to_logical.entry(folded(value)).or_insert_with(|| logical.clone());
            }
            if let Some(first) = theirs.first() {
                to_crm.insert(folded(logical), first.clone());
            }
        }
        Self { name, crm_name: crm_name.to_owned(), kind, to_logical, to_crm }
    }

    /// The logical value of the CRM's text.
    ///
    /// # Errors
    /// [`Unreadable`] when it is not of the declared type.
    pub fn read(&self, text: &str) -> Result<Value, Unreadable> {
        match self.to_logical.get(&folded(text)) {
            Some(logical) => self.kind.read(logical),
            None => self.kind.read(text),
        }
    }

    /// The logical value of the CRM's JSON.
    ///
    /// # Errors
    /// [`Unreadable`] when it is not of the declared type.
    pub fn read_json(&self, json: &serde_json::Value) -> Result<Value, Unreadable> {
        match json {
            serde_json::Value::String(text) => self.read(text),
            other => self.kind.read_json(other),
        }
    }

    /// The CRM's own text for a logical text value.
    pub fn to_crm<'a>(&'a self, text: &'a str) -> &'a str {
        self.to_crm.get(&folded(text)).map_or(text, String::as_str)
    }
}

impl FieldMap {
    pub fn new(fields: impl IntoIterator<Item = (Object, MappedField)>) -> Self {
        let mut by_object: BTreeMap<Object, Vec<MappedField>> = BTreeMap::new();
        for (object, field) in fields {
            by_object.entry(object).or_default().push(field);
        }
        Self { by_object }
    }

    pub fn of(&self, object: Object) -> &[MappedField] {
        self.by_object.get(&object).map_or(&[], Vec::as_slice)
    }

    pub fn by_name(&self, object: Object, name: FieldName) -> Option<&MappedField> {
        self.of(object).iter().find(|f| f.name == name)
    }

    /// All logical fields that the CRM's field fills; `Company` may be mapped twice.
    pub fn by_crm_name<'a>(&'a self, object: Object, crm_name: &'a str) -> impl Iterator<Item = &'a MappedField> {
        self.of(object).iter().filter(move |f| f.crm_name == crm_name)
    }
}
