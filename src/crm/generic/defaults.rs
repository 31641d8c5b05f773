//! Which field each logical one is. A sender of our own JSON speaks logical names; a described CRM has
//! its description's names; the connection's mapping goes before both.

use super::description::Description;
use super::path::Path;
use crate::agreement::model::Dictionary;
use crate::crm::Connection;
use crate::crm::connection::Platform;
use crate::crm::fields::{FieldMap, MappedField};
use crate::record::FieldType::{Bool, Text, Time};
use crate::record::field::well_known;
use crate::record::{FieldName, FieldType, Object};
use std::collections::BTreeMap;

const OBJECTS: [Object; 2] = [Object::Lead, Object::Opportunity];

/// What leadpact writes onto records, where the connection has a field for it.
const WRITTEN: &[(&str, FieldType)] =
    &[("flag", Bool), ("violation", Text), ("due", Time), ("clock", Text), ("last_action", Text)];

/// All fields that this connection maps.
pub fn field_map(connection: &Connection, dictionary: &Dictionary) -> FieldMap {
    let described = match &connection.platform {
        Platform::Generic(generic) => generic.described.as_ref().map(|d| d.description.as_ref()),
        Platform::HubSpot(_) | Platform::Salesforce(_) => None,
    };
    match described {
        Some(description) => described_map(connection, dictionary, description),
        None => own_map(connection, dictionary),
    }
}

/// Every declared field under its own name, overlaid with the connection's mapping; besides, the
/// links `opportunity` of a lead and `lead` of an opportunity.
fn own_map(connection: &Connection, dictionary: &Dictionary) -> FieldMap {
    let one = |object: Object| {
        let mut fields: BTreeMap<FieldName, FieldType> =
            dictionary.of(object).iter().map(|(name, kind)| (FieldName::new(name), *kind)).collect();
        fields.entry(link(object)).or_insert(FieldType::Text);
        fields.into_iter().map(move |(name, kind)| {
            let theirs = connection.fields.get(&(object, name)).map_or(name.as_str(), String::as_str);
            (object, mapped(connection, None, object, name, theirs, kind))
        })
    };
    FieldMap::new(OBJECTS.into_iter().flat_map(one))
}

fn link(object: Object) -> FieldName {
    match object {
        Object::Lead => well_known().opportunity,
        Object::Opportunity => well_known().lead,
    }
}

/// The description's fields, overlaid with the connection's. A field's type is the dictionary's; a
/// name that nothing declares is left out, as no condition can ask for it.
fn described_map(connection: &Connection, dictionary: &Dictionary, description: &Description) -> FieldMap {
    let one = |object: Object| {
        let mut names: BTreeMap<FieldName, &str> = BTreeMap::new();
        let record = description.record(object);
        names.extend(record.iter().flat_map(|r| &r.fields).map(|(name, theirs)| (*name, theirs.as_str())));
        let own = connection.fields.iter().filter(move |((of, _), _)| *of == object);
        names.extend(own.map(|((_, name), theirs)| (*name, theirs.as_str())));
        names.into_iter().filter_map(move |(name, theirs)| {
            let kind = kind(dictionary, object, name)?;
            Some((object, mapped(connection, Some(description), object, name, theirs, kind)))
        })
    };
    FieldMap::new(OBJECTS.into_iter().flat_map(one))
}

fn kind(dictionary: &Dictionary, object: Object, name: FieldName) -> Option<FieldType> {
    let written = WRITTEN.iter().find(|(known, _)| *known == name.as_str()).map(|(_, kind)| *kind);
    let is_link = (name == link(object)).then_some(FieldType::Text);
    written.or_else(|| dictionary.of(object).get(name.as_str()).copied()).or(is_link)
}

fn mapped(
    connection: &Connection,
    description: Option<&Description>,
    object: Object,
    name: FieldName,
    theirs: &str,
    kind: FieldType,
) -> MappedField {
    let default = || description.and_then(|d| d.record(object)?.values.get(&name));
    let values = connection.values.get(&(object, name)).or_else(default).map_or(&[][..], Vec::as_slice);
    MappedField::new(name, theirs, kind, values)
}

/// A mapped field with where it stands in this CRM's JSON.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub field: MappedField,
    pub path: Path,
    /// Travels as a number though it is text to us.
    pub number: bool,
}

/// The fields of each object with their places.
pub(super) fn placed(fields: &FieldMap, description: &Description) -> BTreeMap<Object, Vec<Placed>> {
    let one = |object: Object| {
        let numbers = description.record(object).map(|record| &record.numbers);
        let place = |field: &MappedField| Placed {
            path: Path::or_key(&field.crm_name),
            number: numbers.is_some_and(|numbers| numbers.contains(field.name.as_str())),
            field: field.clone(),
        };
        (object, fields.of(object).iter().map(place).collect())
    };
    OBJECTS.into_iter().map(one).collect()
}
