//! The standard fields that queries name, by object, after Salesforce's Object Reference ("Lead",
//! "Opportunity", "Task", "Event", "User", "Group", "LeadHistory", "OpportunityFieldHistory",
//! "PermissionSet", "QueueSobject", "GroupMember", "OpportunityStage"), and those of them that a condition
//! must not use.

use leadpact::sandbox::soql::{Condition, Query};

const EVERYWHERE: [&str; 8] = [
    "Id",
    "CreatedById",
    "CreatedDate",
    "IsDeleted",
    "LastModifiedById",
    "LastModifiedDate",
    "OwnerId",
    "SystemModstamp",
];

/// Fields of one object, and of these such as no condition may name.
struct Table {
    object: &'static str,
    fields: &'static [&'static str],
    /// Long texts and the values of a history.
    only_read: &'static [&'static str],
}

const TABLES: [Table; 14] = [
    Table {
        object: "Lead",
        fields: &[
            "Name",
            "FirstName",
            "LastName",
            "Company",
            "Email",
            "Status",
            "LeadSource",
            "Rating",
            "IsConverted",
            "ConvertedDate",
            "ConvertedOpportunityId",
            "MasterRecordId",
        ],
        only_read: &[],
    },
    Table {
        object: "Opportunity",
        fields: &["Name", "StageName", "Amount", "CloseDate", "LeadSource", "CampaignId", "IsClosed", "IsWon"],
        only_read: &[],
    },
    Table {
        object: "Task",
        fields: &[
            "WhoId",
            "WhatId",
            "Subject",
            "Description",
            "CompletedDateTime",
            "IsClosed",
            "TaskSubtype",
            "Status",
        ],
        only_read: &["Description"],
    },
    Table { object: "Event", fields: &["WhoId", "WhatId", "EndDateTime"], only_read: &[] },
    Table { object: "User", fields: &["Name", "Email", "IsActive", "ManagerId"], only_read: &[] },
    Table { object: "Group", fields: &["Name", "DeveloperName", "Type"], only_read: &[] },
    Table { object: "LeadHistory", fields: HISTORY, only_read: VALUES },
    Table { object: "OpportunityFieldHistory", fields: HISTORY, only_read: VALUES },
    Table { object: "PermissionSet", fields: &["Name"], only_read: &[] },
    Table { object: "FieldPermissions", fields: &["ParentId", "SobjectType", "Field"], only_read: &[] },
    Table {
        object: "PermissionSetAssignment",
        fields: &[
            "PermissionSetId",
            "AssigneeId",
            "PermissionSet.Label",
            "PermissionSet.Profile.Name",
            "PermissionSet.PermissionsSendsMessages",
        ],
        only_read: &[],
    },
    Table { object: "QueueSobject", fields: &["QueueId", "SobjectType"], only_read: &[] },
    Table { object: "GroupMember", fields: &["GroupId", "UserOrGroupId"], only_read: &[] },
    Table { object: "OpportunityStage", fields: &["MasterLabel", "ApiName", "IsClosed", "IsWon"], only_read: &[] },
];

const HISTORY: &[&str] = &["LeadId", "OpportunityId", "Field", "OldValue", "NewValue"];
const VALUES: &[&str] = &["OldValue", "NewValue"];

/// What is wrong with the names in a query: unknown ones, those named twice, and conditions on what
/// cannot be filtered.
pub fn unknown_columns(query: &Query) -> Vec<String> {
    let Some(table) = TABLES.iter().find(|table| table.object == query.object) else {
        return vec![format!("the object {} is unknown", query.object)];
    };
    let is_known = |name: &str| {
        name.ends_with("__c") || name == "COUNT()" || EVERYWHERE.contains(&name) || table.fields.contains(&name)
    };
    let conditions = query.condition.as_ref().map(names).unwrap_or_default();
    let order = query.order.iter().map(|(name, _)| name.as_str());
    let all = query.fields.iter().map(String::as_str).chain(conditions.iter().copied()).chain(order);
    let mut problems: Vec<String> =
        all.filter(|name| !is_known(name)).map(|name| format!("{} has no {name}", query.object)).collect();
    let filtered = conditions.iter().filter(|name| table.only_read.contains(name));
    problems.extend(filtered.map(|name| format!("{name} of {} cannot be filtered by", query.object)));
    for (n, name) in query.fields.iter().enumerate() {
        if query.fields[..n].iter().any(|before| before.eq_ignore_ascii_case(name)) {
            problems.push(format!("{name} is asked for twice"));
        }
    }
    problems
}

fn names(condition: &Condition) -> Vec<&str> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().flat_map(names).collect(),
        Condition::Not(part) => names(part),
        Condition::Compare { field, .. } | Condition::In { field, .. } => vec![field],
    }
}

#[test]
fn a_query_for_what_is_not_there_is_seen() {
    let wrong = |soql: &str| unknown_columns(&leadpact::sandbox::soql::parse(soql).unwrap());
    assert_eq!(
        wrong("SELECT Id,Status,Score__c FROM Lead WHERE IsConverted = false ORDER BY Id"),
        Vec::<String>::new()
    );
    assert_eq!(wrong("SELECT Id,Stage FROM Opportunity"), ["Opportunity has no Stage"]);
    assert_eq!(
        wrong("SELECT Id FROM Task WHERE Description LIKE '%x%'"),
        ["Description of Task cannot be filtered by"]
    );
    assert_eq!(wrong("SELECT Id,id FROM Lead").len(), 2);
    assert_eq!(wrong("SELECT Id FROM Dragon"), ["the object Dragon is unknown"]);
}
