//! Which Salesforce fields fill the logical ones, unless the connection says otherwise. Only fields
//! that every organisation has stand here: one that does not exist fails the whole query.

use crate::agreement::model::Dictionary;
use crate::crm::Connection;
use crate::crm::fields::{FieldMap, MappedField};
use crate::record::{FieldName, FieldType, Object};
use std::collections::BTreeMap;

const LEAD: [(&str, &str); 9] = [
    ("name", "Name"),
    ("email", "Email"),
    ("company", "Company"),
    ("owner", "OwnerId"),
    ("status", "Status"),
    ("source", "LeadSource"),
    ("created", "CreatedDate"),
    ("modified", "LastModifiedDate"),
    ("converted", "IsConverted"),
];

/// `status` is derived from `IsClosed` and `IsWon`; `currency` exists only in organisations with
/// several currencies.
const OPPORTUNITY: [(&str, &str); 9] = [
    ("name", "Name"),
    ("owner", "OwnerId"),
    ("stage_name", "StageName"),
    ("amount", "Amount"),
    ("close_date", "CloseDate"),
    ("source", "LeadSource"),
    ("campaign", "CampaignId"),
    ("created", "CreatedDate"),
    ("modified", "LastModifiedDate"),
];

/// What leadpact itself keeps on a record, where the connection maps it.
const OURS: [(&str, FieldType); 5] = [
    ("flag", FieldType::Bool),
    ("violation", FieldType::Text),
    ("due", FieldType::Time),
    ("clock", FieldType::Text),
    ("last_action", FieldType::Text),
];

fn defaults(object: Object) -> &'static [(&'static str, &'static str)] {
    match object {
        Object::Lead => &LEAD,
        Object::Opportunity => &OPPORTUNITY,
    }
}

/// The connection's fields over the defaults, with the agreement's types. A field that the agreement
/// does not declare is text, but for those that leadpact itself keeps.
pub fn field_map(connection: &Connection, dictionary: &Dictionary) -> FieldMap {
    let objects = [Object::Lead, Object::Opportunity];
    FieldMap::new(objects.into_iter().flat_map(|object| {
        names(connection, object).into_iter().map(move |(name, crm_name)| {
            let values = connection.values.get(&(object, name)).map_or(&[][..], Vec::as_slice);
            (object, MappedField::new(name, &crm_name, kind(dictionary, object, name), values))
        })
    }))
}

fn names(connection: &Connection, object: Object) -> BTreeMap<FieldName, String> {
    let shipped = defaults(object).iter().map(|(name, theirs)| (FieldName::new(name), (*theirs).to_owned()));
    let configured = connection.fields.iter().filter(|((of, _), _)| *of == object);
    shipped.chain(configured.map(|((_, name), theirs)| (*name, theirs.clone()))).collect()
}

fn kind(dictionary: &Dictionary, object: Object, name: FieldName) -> FieldType {
    let ours = || OURS.iter().find(|(known, _)| *known == name.as_str()).map(|(_, kind)| *kind);
    let usual = || match name.as_str() {
        "converted" => Some(FieldType::Bool),
        "touches" => Some(FieldType::Number),
        "created" | "modified" | "last_touch" => Some(FieldType::Time),
        _ => None,
    };
    dictionary.type_of(object, name).or_else(ours).or_else(usual).unwrap_or(FieldType::Text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::connection;
    use super::*;
    use crate::record::Value;
    use crate::record::field::well_known;

    #[test]
    fn a_connection_overrides_a_default_and_adds_its_own() {
        let mut connection = connection();
        connection.fields.insert((Object::Lead, well_known().status), "Stage__c".to_owned());
        connection.fields.insert((Object::Lead, well_known().flag), "Flag__c".to_owned());
        let map = field_map(&connection, &Dictionary::default());
        assert_eq!(map.by_name(Object::Lead, well_known().status).unwrap().crm_name, "Stage__c");
        assert_eq!(map.by_name(Object::Lead, well_known().company).unwrap().crm_name, "Company");
        let flag = map.by_name(Object::Lead, well_known().flag).unwrap();
        assert_eq!(flag.read("true").unwrap(), Value::Bool(true));
    }

    #[test]
    fn what_a_connection_does_not_map_cannot_be_written() {
        let map = field_map(&connection(), &Dictionary::default());
        assert!(map.by_name(Object::Lead, well_known().flag).is_none());
        assert!(map.by_name(Object::Opportunity, well_known().status).is_none());
    }
}
