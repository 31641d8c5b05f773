//! What a pretend Salesforce organisation tells of itself and its objects, and creating custom
//! fields as the Tooling API does. A new field is hidden until a permission set shows it.

use super::call::{Answer, Call};
use super::record::integration_user;
use super::salesforce_api::{error, object_named};
use super::salesforce_whole::identity_url;
use super::schema::Column;
use super::world::{World, text_of};
use serde_json::{Value as Json, json};

/// The resources of a version; with the link to who is asking.
pub fn resources(organization: &str, call: &Call) -> Answer {
    let root = call.path.trim_end_matches('/');
    let body = json!({
        "tooling": format!("{root}/tooling"),
        "sobjects": format!("{root}/sobjects"),
        "query": format!("{root}/query"),
        "limits": format!("{root}/limits"),
        "identity": identity_url(organization, call),
    });
    Answer::json(200, &body)
}

/// The permission of a permission set to send messages.
pub const SEND: &str = "PermissionsSendsMessages";

pub fn describe(world: &World, name: &str) -> Answer {
    let Some(object) = object_named(name) else {
        return error(404, "NOT_FOUND", "The requested resource does not exist");
    };
    let denied: Vec<String> = world.schema().denied.clone();
    let may = |what: &str| !denied.contains(&format!("{object}: {what}"));
    if !may("Read") {
        return error(404, "NOT_FOUND", "The requested resource does not exist");
    }
    if object == "PermissionSet" {
        let permission = json!({
            "name": SEND, "label": "Send Outbound Messages", "type": "boolean", "updateable": true, "picklistValues": [],
        });
        let body = json!({
            "name": object, "label": object, "queryable": true, "createable": true, "updateable": true,
            "fields": [permission],
        });
        return Answer::json(200, &body);
    }
    let columns: Vec<Column> = world.schema().columns(object).to_vec();
    let shown = columns.iter().filter(|column| is_shown(world, object, &column.name));
    let fields: Vec<Json> = shown.map(described).collect();
    let body = json!({
        "name": object, "label": object, "queryable": true, "createable": may("Create"), "updateable": may("Edit"),
        "deletable": true, "custom": false, "fields": fields,
    });
    Answer::json(200, &body)
}

/// A field that was created here is seen by those whose permission set has it.
fn is_shown(world: &World, object: &str, name: &str) -> bool {
    let hidden = world.schema().hidden.get(object).is_some_and(|hidden| hidden.iter().any(|field| field == name));
    let full = format!("{object}.{name}");
    let assigned = |set: &str| {
        let all = world.all("PermissionSetAssignment");
        all.iter().any(|a| a.text("PermissionSetId") == set && a.text("AssigneeId") == integration_user())
    };
    let granted = || {
        let all = world.all("FieldPermissions");
        all.iter().any(|p| p.text("Field") == full && assigned(&p.text("ParentId")))
    };
    !hidden || granted()
}

fn described(column: &Column) -> Json {
    let values = column.options.iter().map(|value| json!({ "value": value, "label": value, "active": true }));
    let relationship = column.name.strip_suffix("Id").filter(|name| !name.is_empty());
    json!({
        "name": column.name, "label": column.name, "type": column.kind, "updateable": !column.read_only,
        "createable": !column.read_only, "nillable": true, "custom": column.name.ends_with("__c"), "calculated": false,
        "relationshipName": relationship, "restrictedPicklist": !column.options.is_empty(),
        "picklistValues": values.collect::<Vec<_>>(),
    })
}

/// `POST …/tooling/sobjects/CustomField`
pub fn create_field(world: &World, call: &Call) -> Answer {
    if world.schema().denied.iter().any(|denied| denied == "Customize Application") {
        return error(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on entity: CustomField");
    }
    let body = call.json().unwrap_or_default();
    let full = text_of(&body["FullName"]);
    let (Some((object, name)), Some(metadata)) = (full.split_once('.'), body["Metadata"].as_object()) else {
        return error(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [FullName, Metadata]");
    };
    let Some(kind) = kind_of(metadata.get("type").and_then(Json::as_str).unwrap_or_default()) else {
        return error(400, "INVALID_FIELD", "bad value for restricted picklist field: type");
    };
    let mut schema = world.schema();
    if schema.has(object, name) {
        let message = format!("There is already a field named {name} on {object}.");
        return error(400, "DUPLICATE_DEVELOPER_NAME", &message);
    }
    let column = Column { name: name.to_owned(), kind: kind.to_owned(), read_only: false, options: Vec::new() };
    schema.put(object, column);
    schema.hidden.entry(object.to_owned()).or_default().push(name.to_owned());
    let id = super::id::salesforce("00N", schema.columns(object).len() as u64);
    Answer::json(201, &json!({ "id": id, "success": true, "errors": [], "warnings": [], "infos": [] }))
}

fn kind_of(metadata: &str) -> Option<&'static str> {
    match metadata {
        "Checkbox" => Some("boolean"),
        "LongTextArea" => Some("textarea"),
        "DateTime" => Some("datetime"),
        "Text" => Some("string"),
        _ => None,
    }
}

/// What only those see who may look into Setup; made up of the schema, not stored.
pub const SETUP: [&str; 5] = ["WorkflowOutboundMessage", "Flow", "FlowDefinitionView", "QueueSobject", "GroupMember"];

/// Whether this is hidden from our user.
pub fn is_hidden(world: &World, object: &str) -> bool {
    SETUP.contains(&object) && world.schema().denied.iter().any(|denied| denied == "View Setup")
}

/// The rows of an object of [`SETUP`].
pub fn rows(world: &World, object: &str) -> Vec<Json> {
    let senders = world.schema().senders.clone();
    let id = |prefix: &str, n: usize| super::id::salesforce(prefix, n as u64);
    let numbered = senders.iter().enumerate();
    match object {
        "WorkflowOutboundMessage" => numbered
            .map(|(n, sender)| {
                json!({
                    "Id": id("04k", n), "Name": format!("leadpact {}", sender.object),
                    "EntityDefinitionId": sender.object, "IntegrationUserId": integration_user(),
                    "Metadata": { "endpointUrl": sender.endpoint, "fields": ["Id"], "includeSessionId": false },
                })
            })
            .collect(),
        "FlowDefinitionView" => numbered
            .map(|(n, sender)| {
                let version = sender.active.then(|| id("301", n));
                json!({ "ApiName": format!("Leadpact_{}", sender.object), "ActiveVersionId": version })
            })
            .collect(),
        "Flow" => numbered
            .map(|(n, sender)| {
                let changed = sender.starts_at.iter().map(|name| format!("ISCHANGED({{!$Record.{name}}})"));
                let formula = format!("OR(ISNEW(), {})", changed.collect::<Vec<_>>().join(", "));
                json!({ "Id": id("301", n), "Metadata": { "start": { "filterFormula": formula } } })
            })
            .collect(),
        _ => queue_rows(world, object),
    }
}

/// Every queue has one member, and takes leads and tasks.
fn queue_rows(world: &World, object: &str) -> Vec<Json> {
    let unqueued = world.schema().unqueued.clone();
    let members = world.members();
    let member = members.iter().find(|member| !member.queue && member.active).map(|member| member.id.clone());
    let queues = members.iter().filter(|member| member.queue);
    let of = |queue: &str| -> Vec<Json> {
        match object {
            "GroupMember" => member.iter().map(|id| json!({ "GroupId": queue, "UserOrGroupId": id })).collect(),
            _ => {
                let taken = ["Lead", "Task"].into_iter().filter(|taken| !unqueued.iter().any(|u| u == taken));
                taken.map(|taken| json!({ "QueueId": queue, "SobjectType": taken })).collect()
            }
        }
    };
    queues.flat_map(|queue| of(&queue.id)).collect()
}

/// Objects of a permission set, which hold rows like any other.
pub const PERMISSIONS: [&str; 3] = ["PermissionSet", "FieldPermissions", "PermissionSetAssignment"];
