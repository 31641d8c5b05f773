//! Creates leadpact's own fields through the Tooling API, and lets the user that we are see them by
//! a permission set of their own. What exists is never altered.

use super::api::{Api, quoted, text};
use super::{examine, read};
use crate::crm::CrmError;
use crate::crm::examine::{Made, OwnField, label};
use crate::record::FieldType;
use serde_json::{Value as Json, json};

const SET: &str = "Leadpact_Fields";

pub(super) async fn create(api: &Api, fields: &[OwnField]) -> Vec<Made> {
    let mut made = Vec::new();
    for field in fields {
        made.push(Made::by(format!("field {}", full_name(field)), custom_field(api, field).await));
    }
    let stand = fields.iter().zip(&made).filter(|(_, made)| made.new.is_ok()).map(|(field, _)| field);
    let stand: Vec<&OwnField> = stand.collect();
    if stand.is_empty() {
        return made;
    }
    match permission_set(api).await {
        Err(error) => made.push(Made::by(format!("permission set {SET}"), Err(error))),
        Ok((set, new)) => {
            made.push(Made::by(format!("permission set {SET}"), Ok(new)));
            for field in stand {
                let what = format!("access to {} by {SET}", full_name(field));
                made.push(Made::by(what, permission(api, &set, field).await));
            }
            made.push(Made::by(format!("{SET} for leadpact's user"), assignment(api, &set).await));
        }
    }
    made
}

/// `Lead.Leadpact_Violation__c`
fn full_name(field: &OwnField) -> String {
    format!("{}.{}", read::type_name(field.object), field.crm_name)
}

/// A field that is hidden from us looks like none until it is created.
async fn custom_field(api: &Api, field: &OwnField) -> Result<bool, CrmError> {
    if !field.crm_name.ends_with("__c") {
        return Err(CrmError::Never { message: "the name of a field of one's own ends in __c".to_owned() });
    }
    let body = json!({ "FullName": full_name(field), "Metadata": metadata(field) });
    match api.post("/tooling/sobjects/CustomField", &body).await {
        Ok(_) => Ok(true),
        Err(CrmError::Never { message }) if message.starts_with("DUPLICATE_DEVELOPER_NAME") => Ok(false),
        Err(error) => Err(error),
    }
}

fn metadata(field: &OwnField) -> Json {
    let (label, purpose, kind, long) = label(field.name);
    let mut metadata = match (kind, long) {
        (FieldType::Bool, _) => json!({ "type": "Checkbox", "defaultValue": "false" }),
        (FieldType::Time, _) => json!({ "type": "DateTime" }),
        (_, true) => json!({ "type": "LongTextArea", "length": 32_768, "visibleLines": 5 }),
        (_, false) => json!({ "type": "Text", "length": 255 }),
    };
    metadata["label"] = json!(label);
    metadata["description"] = json!(purpose);
    metadata
}

/// The set's id, and whether it is new.
async fn permission_set(api: &Api) -> Result<(String, bool), CrmError> {
    let found = api.query(&format!("SELECT Id FROM PermissionSet WHERE Name = {}", quoted(SET))).await?;
    if let Some(id) = found.rows.first().and_then(|row| text(row, "Id")) {
        return Ok((id.to_owned(), false));
    }
    let body = json!({ "Name": SET, "Label": "leadpact fields", "Description": "The fields that leadpact writes." });
    let made: Json = api.post("/sobjects/PermissionSet", &body).await?.json()?;
    let id = text(&made, "id").ok_or_else(|| CrmError::Doubt { message: "the answer names no id".to_owned() })?;
    Ok((id.to_owned(), true))
}

async fn permission(api: &Api, set: &str, field: &OwnField) -> Result<bool, CrmError> {
    let (object, name) = (read::type_name(field.object), full_name(field));
    let soql = format!(
        "SELECT Id FROM FieldPermissions WHERE ParentId = {} AND SobjectType = {} AND Field = {}",
        quoted(set),
        quoted(object),
        quoted(&name)
    );
    if !api.query(&soql).await?.rows.is_empty() {
        return Ok(false);
    }
    let body = json!({
        "ParentId": set, "SobjectType": object, "Field": name, "PermissionsRead": true, "PermissionsEdit": true,
    });
    api.post("/sobjects/FieldPermissions", &body).await.map(|_| true)
}

async fn assignment(api: &Api, set: &str) -> Result<bool, CrmError> {
    let user = examine::user(api).await?;
    let soql = format!(
        "SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = {} AND AssigneeId = {}",
        quoted(set),
        quoted(&user)
    );
    if !api.query(&soql).await?.rows.is_empty() {
        return Ok(false);
    }
    let body = json!({ "PermissionSetId": set, "AssigneeId": user });
    api.post("/sobjects/PermissionSetAssignment", &body).await.map(|_| true)
}
