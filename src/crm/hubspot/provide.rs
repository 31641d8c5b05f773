//! Creates leadpact's own properties, in a group of their own. What exists is never altered.

use super::HubSpot;
use super::api::ObjectType;
use super::examine::properties;
use crate::crm::CrmError;
use crate::crm::examine::{Made, OwnField, label};
use crate::record::FieldType;
use serde::Deserialize;
use serde_json::{Value as Json, json};

const GROUP: &str = "leadpact";

#[derive(Deserialize)]
struct Groups {
    results: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
}

pub(super) async fn create(crm: &HubSpot, fields: &[OwnField]) -> Vec<Made> {
    let mut made = Vec::new();
    let mut types: Vec<ObjectType> = Vec::new();
    for field in fields {
        let of = crm.object_type(field.object);
        if !types.contains(&of) {
            types.push(of);
        }
    }
    for of in types {
        let group = group(crm, of).await;
        let stands = group.is_ok();
        made.push(Made::by(format!("property group {GROUP} of {}", of.plural()), group));
        if stands {
            let own = fields.iter().filter(|field| crm.object_type(field.object) == of);
            made.extend(own_properties(crm, of, own.collect()).await);
        }
    }
    made
}

async fn group(crm: &HubSpot, of: ObjectType) -> Result<bool, CrmError> {
    let url = crm.api.properties(of, "/groups");
    let groups: Groups = crm.api.get(&url).await?.json()?;
    if groups.results.iter().any(|group| group.name == GROUP) {
        return Ok(false);
    }
    crm.api.post(&url, &json!({ "name": GROUP, "label": "leadpact", "displayOrder": -1 })).await?;
    Ok(true)
}

/// Read before they are created: what an existing name is answered with is not documented.
async fn own_properties(crm: &HubSpot, of: ObjectType, fields: Vec<&OwnField>) -> Vec<Made> {
    let known = match properties(crm, of).await {
        Ok(known) => known,
        Err(error) => return vec![Made::by(format!("properties of {}", of.plural()), Err(error))],
    };
    let mut made = Vec::new();
    for field in fields {
        let done = match known.contains_key(&field.crm_name) {
            true => Ok(false),
            false => crm.api.post(&crm.api.properties(of, ""), &body(field)).await.map(|_| true),
        };
        made.push(Made::by(format!("property {} of {}", field.crm_name, of.plural()), done));
    }
    made
}

fn body(field: &OwnField) -> Json {
    let (label, purpose, kind, long) = label(field.name);
    let (kind, shown_as) = match (kind, long) {
        (FieldType::Bool, _) => ("bool", "booleancheckbox"),
        (FieldType::Time, _) => ("datetime", "date"),
        (_, true) => ("string", "textarea"),
        (_, false) => ("string", "text"),
    };
    let mut body = json!({
        "groupName": GROUP, "name": field.crm_name, "label": label, "description": purpose,
        "type": kind, "fieldType": shown_as,
    });
    if kind == "bool" {
        let option = |order: u8, label: &str, value: &str| json!({ "label": label, "value": value, "displayOrder": order, "hidden": false });
        body["options"] = json!([option(0, "Yes", "true"), option(1, "No", "false")]);
    }
    body
}
