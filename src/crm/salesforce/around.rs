//! What a Salesforce organisation tells of its outbound messages, of the flows that send them, of its
//! queues and of our own user's permission to send messages. Shapes: Tooling API
//! (`WorkflowOutboundMessage`, `Flow`), `FlowDefinitionView`, `QueueSobject`, `GroupMember`,
//! `PermissionSetAssignment`. At most 16 calls, none of which changes anything.

use super::api::{Api, field, id_list, quoted, text};
use super::{examine, id, read};
use crate::crm::CrmError;
use crate::crm::around::{Around, Echoes, Expected, Flow, QueueTold, Sender};
use crate::crm::http::encoded;
use crate::record::{Object, OwnerId};
use serde::Deserialize;
use serde_json::Value as Json;

/// Definitions are told one a query; an organisation with more messages about leads shows its first.
const MOST_MESSAGES: usize = 6;
/// What the permission is called in Setup. Its API name is documented nowhere, so the field is found
/// by its label.
const SEND: &str = "Send Outbound Messages";

#[derive(Deserialize)]
struct Page {
    records: Vec<Json>,
}

#[derive(Deserialize)]
struct Description {
    fields: Vec<Labelled>,
}

#[derive(Deserialize)]
struct Labelled {
    name: String,
    #[serde(default)]
    label: String,
}

pub(super) async fn around(api: &Api, expected: &Expected) -> Around {
    let objects: Vec<Object> = expected.watched.iter().map(|(object, _)| *object).collect();
    let senders = async {
        match objects.is_empty() {
            true => None,
            false => Some(senders(api, &objects).await),
        }
    };
    let queues = async {
        match expected.queues.is_empty() {
            true => None,
            false => Some(queues(api, &expected.queues).await),
        }
    };
    let (senders, queues, echoes) = tokio::join!(senders, queues, echoes(api));
    Around { senders, queues, echoes: Some(echoes) }
}

/// A query of the Tooling API, which answers setup and not records.
async fn tooling(api: &Api, soql: &str) -> Result<Vec<Json>, CrmError> {
    let page: Page = api.get(&format!("/tooling/query?q={}", encoded(soql))).await?.json()?;
    Ok(page.records)
}

async fn senders(api: &Api, objects: &[Object]) -> Result<Vec<Sender>, CrmError> {
    let names = id_list(objects.iter().map(|object| read::type_name(*object)));
    let soql = format!(
        "SELECT Id,Name,EntityDefinitionId,IntegrationUserId FROM WorkflowOutboundMessage \
         WHERE EntityDefinitionId IN {names} ORDER BY Name LIMIT {MOST_MESSAGES}"
    );
    let messages = tooling(api, &soql).await?;
    let flows = flows(api, objects).await?;
    let mut all = Vec::new();
    for message in &messages {
        let Some(object) = objects.iter().find(|o| text(message, "EntityDefinitionId") == Some(read::type_name(**o)))
        else {
            continue;
        };
        let definition = definition(api, "WorkflowOutboundMessage", text(message, "Id").unwrap_or_default()).await?;
        all.push(Sender {
            object: *object,
            name: text(message, "Name").unwrap_or("without a name").to_owned(),
            target: text(&definition, "endpointUrl").unwrap_or_default().to_owned(),
            user: text(message, "IntegrationUserId").and_then(id::normalise),
            with_session: field(&definition, "includeSessionId").as_bool().unwrap_or(false),
            flow: flows.iter().find(|(of, _)| of == object).map(|(_, flow)| flow.clone()),
        });
    }
    Ok(all)
}

/// The `Metadata` of one thing, which a query tells of one row only.
async fn definition(api: &Api, object: &str, id: &str) -> Result<Json, CrmError> {
    let rows = tooling(api, &format!("SELECT Metadata FROM {object} WHERE Id = {}", quoted(id))).await?;
    Ok(rows.into_iter().next().map(|mut row| row["Metadata"].take()).unwrap_or_default())
}

/// The flows of the generated package, by its names.
async fn flows(api: &Api, objects: &[Object]) -> Result<Vec<(Object, Flow)>, CrmError> {
    let flow_name = |object: &Object| format!("Leadpact_{}", read::type_name(*object));
    let names: Vec<String> = objects.iter().map(flow_name).collect();
    let soql = format!(
        "SELECT ApiName,ActiveVersionId FROM FlowDefinitionView WHERE ApiName IN {}",
        id_list(names.iter().map(String::as_str))
    );
    // Hidden: then nothing is said of flows, and the messages are looked at all the same.
    let Some(rows) = api.query_if_visible(&soql).await? else { return Ok(Vec::new()) };
    let mut flows = Vec::new();
    for row in &rows.rows {
        let Some(object) = objects.iter().find(|o| text(row, "ApiName") == Some(flow_name(o).as_str())) else {
            continue;
        };
        let version = text(row, "ActiveVersionId");
        let starts_at = match version {
            None => None,
            Some(version) => definition(api, "Flow", version).await.ok().as_ref().and_then(starts_at),
        };
        flows.push((*object, Flow { name: flow_name(object), active: version.is_some(), starts_at }));
    }
    Ok(flows)
}

/// The fields in `ISCHANGED({!$Record.Status})` of a flow's entry condition.
fn starts_at(definition: &Json) -> Option<Vec<String>> {
    let formula = text(definition, "start.filterFormula")?;
    let named = formula.split("$Record.").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    Some(named.collect())
}

async fn queues(api: &Api, queues: &[OwnerId]) -> Result<Vec<QueueTold>, CrmError> {
    let ids = id_list(queues.iter().map(OwnerId::as_str));
    let takes = format!("SELECT QueueId,SobjectType FROM QueueSobject WHERE QueueId IN {ids}");
    let members = format!("SELECT GroupId,UserOrGroupId FROM GroupMember WHERE GroupId IN {ids} LIMIT 2000");
    let (takes, members) = tokio::try_join!(api.query(&takes), api.query(&members))?;
    let of = |rows: &[Json], key: &str, queue: &OwnerId, name: &str| -> Vec<String> {
        let its = rows.iter().filter(|row| text(row, key).map(id::owner).as_ref() == Some(queue));
        its.filter_map(|row| text(row, name).map(str::to_owned)).collect()
    };
    let told = |queue: &OwnerId| QueueTold {
        id: queue.clone(),
        takes: of(&takes.rows, "QueueId", queue, "SobjectType"),
        members: of(&members.rows, "GroupId", queue, "UserOrGroupId").iter().map(|member| id::owner(member)).collect(),
    };
    Ok(queues.iter().map(told).collect())
}

async fn echoes(api: &Api) -> Result<Echoes, CrmError> {
    let described: Description = api.get("/sobjects/PermissionSet/describe").await?.json()?;
    let Some(permission) = described.fields.iter().find(|field| field.label.eq_ignore_ascii_case(SEND)) else {
        return Ok(Echoes::Untold);
    };
    let user = examine::user(api).await?;
    let soql = format!(
        "SELECT PermissionSet.Label,PermissionSet.Profile.Name FROM PermissionSetAssignment \
         WHERE AssigneeId = {} AND PermissionSet.{} = true LIMIT 5",
        quoted(&user),
        permission.name
    );
    let rows = api.query(&soql).await?.rows;
    let by = |row: &Json| match text(row, "PermissionSet.Profile.Name") {
        Some(profile) => format!("profile {profile}"),
        None => format!("permission set {}", text(row, "PermissionSet.Label").unwrap_or("without a name")),
    };
    let by: Vec<String> = rows.iter().map(by).collect();
    Ok(if by.is_empty() { Echoes::Silent } else { Echoes::Sent(by) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_fields_that_start_a_flow_are_read_from_its_entry_condition() {
        let formula = "OR(ISNEW(), ISCHANGED({!$Record.OwnerId}), ISCHANGED({!$Record.Budget__c}))";
        let definition = json!({ "start": { "filterFormula": formula } });
        assert_eq!(starts_at(&definition), Some(vec!["OwnerId".to_owned(), "Budget__c".to_owned()]));
        assert_eq!(starts_at(&json!({ "start": {} })), None, "one that starts at any change has no formula");
    }
}
