//! A generic sender speaks logical names, unless the connection maps them to its own.

use crate::agreement::model::Dictionary;
use crate::crm::Connection;
use crate::crm::fields::{FieldMap, MappedField};
use crate::record::field::well_known;
use crate::record::{FieldName, FieldType, Object};
use std::collections::BTreeMap;

/// Every declared field under its own name, overlaid with the connection's mapping; besides, the
/// links `opportunity` of a lead and `lead` of an opportunity.
pub fn field_map(connection: &Connection, dictionary: &Dictionary) -> FieldMap {
    let one = |object: Object| {
        let mut fields: BTreeMap<FieldName, FieldType> =
            dictionary.of(object).iter().map(|(name, kind)| (FieldName::new(name), *kind)).collect();
        let link = match object {
            Object::Lead => well_known().opportunity,
            Object::Opportunity => well_known().lead,
        };
        fields.entry(link).or_insert(FieldType::Text);
        fields.into_iter().map(move |(name, kind)| (object, mapped(connection, object, name, kind)))
    };
    FieldMap::new([Object::Lead, Object::Opportunity].into_iter().flat_map(one))
}

fn mapped(connection: &Connection, object: Object, name: FieldName, kind: FieldType) -> MappedField {
    let theirs = connection.fields.get(&(object, name)).map_or(name.as_str(), String::as_str);
    let values = connection.values.get(&(object, name)).map_or(&[][..], Vec::as_slice);
    MappedField::new(name, theirs, kind, values)
}
