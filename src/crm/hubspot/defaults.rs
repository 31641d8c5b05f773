//! Which HubSpot property each logical field is, unless the connection says otherwise, and the
//! field map made of both. Fields without a default (such as `budget`) are read only where mapped.

use super::api::ObjectType;
use crate::agreement::model::Dictionary;
use crate::crm::Connection;
use crate::crm::connection::Platform;
use crate::crm::fields::{FieldMap, MappedField};
use crate::record::FieldType::{Bool, Date, Number, Text, Time};
use crate::record::{FieldName, FieldType, Object};
use std::collections::BTreeMap;

type Defaults = &'static [(&'static str, &'static str, FieldType)];

/// `name` is put together from first and last name (`read.rs`), so it is not mapped here.
const CONTACT: Defaults = &[
    ("email", "email", Text),
    ("company", "company", Text),
    ("owner", "hubspot_owner_id", Text),
    ("status", "hs_lead_status", Text),
    ("source", "hs_analytics_source", Text),
    ("campaign", "hs_analytics_first_touch_converting_campaign", Text),
    ("score", "hubspotscore", Number),
    ("touches", "num_contacted_notes", Number),
    ("last_touch", "notes_last_contacted", Time),
    ("created", "createdate", Time),
    ("modified", "lastmodifieddate", Time),
];

const LEAD: Defaults = &[
    ("name", "hs_lead_name", Text),
    ("owner", "hubspot_owner_id", Text),
    ("status", "hs_pipeline_stage", Text),
    ("created", "hs_createdate", Time),
    ("modified", "hs_lastmodifieddate", Time),
];

/// `status` is derived from the pipelines (`pipelines.rs`), so it is not mapped here.
const DEAL: Defaults = &[
    ("name", "dealname", Text),
    ("owner", "hubspot_owner_id", Text),
    ("stage_name", "dealstage", Text),
    ("amount", "amount", Number),
    ("currency", "deal_currency_code", Text),
    ("close_date", "closedate", Date),
    ("source", "hs_analytics_source", Text),
    ("loss_reason", "closed_lost_reason", Text),
    ("touches", "num_contacted_notes", Number),
    ("last_touch", "notes_last_contacted", Time),
    ("created", "createdate", Time),
    ("modified", "hs_lastmodifieddate", Time),
];

/// What leadpact writes onto records, where the connection has a property for it.
const WRITTEN: &[(&str, FieldType)] =
    &[("flag", Bool), ("violation", Text), ("due", Time), ("clock", Text), ("last_action", Text)];

/// The defaults, overlaid with the connection's own mapping. A field's type is the dictionary's;
/// a mapped name that nothing declares is left out, as no condition can ask for it.
pub fn field_map(connection: &Connection, dictionary: &Dictionary) -> FieldMap {
    let lead_object = match &connection.platform {
        Platform::HubSpot(hubspot) => hubspot.lead_object.as_str(),
        _ => "contacts",
    };
    let objects = [Object::Lead, Object::Opportunity];
    FieldMap::new(objects.into_iter().flat_map(|object| {
        let defaults = defaults_of(ObjectType::of(object, lead_object));
        fields_of(object, defaults, connection, dictionary).into_iter().map(move |field| (object, field))
    }))
}

fn defaults_of(object_type: ObjectType) -> Defaults {
    match object_type {
        ObjectType::Contact => CONTACT,
        ObjectType::Lead => LEAD,
        ObjectType::Deal => DEAL,
    }
}

fn fields_of(object: Object, defaults: Defaults, connection: &Connection, dictionary: &Dictionary) -> Vec<MappedField> {
    let own = connection.fields.iter().filter(|((o, _), _)| *o == object).map(|((_, n), c)| (*n, c.as_str()));
    let mut names: BTreeMap<FieldName, &str> =
        defaults.iter().map(|(name, property, _)| (FieldName::new(name), *property)).collect();
    names.extend(own);
    let field = |(name, property): (FieldName, &str)| {
        let kind = dictionary.type_of(object, name).or_else(|| built_in(defaults, name))?;
        let values = connection.values.get(&(object, name)).map_or(&[][..], Vec::as_slice);
        Some(MappedField::new(name, property, kind, values))
    };
    names.into_iter().filter_map(field).collect()
}

fn built_in(defaults: Defaults, name: FieldName) -> Option<FieldType> {
    let default = defaults.iter().find(|(n, ..)| *n == name.as_str()).map(|(.., kind)| *kind);
    default.or_else(|| WRITTEN.iter().find(|(n, _)| *n == name.as_str()).map(|(_, kind)| *kind)).or_else(|| {
        // Derived or put together by default, but a connection may map them.
        matches!(name.as_str(), "name" | "status").then_some(Text)
    })
}
