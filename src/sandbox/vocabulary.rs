//! What the pretend organisations call things: statuses and fields of both CRMs beside the logical
//! names that an agreement uses. The demo builds its connections from these tables.

use super::event::CrmKind;

/// Logical lead status and HubSpot's `hs_lead_status`.
pub const HUBSPOT_STATUSES: &[(&str, &str)] = &[
    ("Open", "OPEN"),
    ("Qualified by marketing", "MARKETING_QUALIFIED"),
    ("Accepted", "ACCEPTED"),
    ("Qualified by teleprospecting", "TELE_QUALIFIED"),
    ("Working", "IN_PROGRESS"),
    ("Rejected", "UNQUALIFIED"),
    ("Nurture", "NURTURE"),
];

/// Logical field of a lead and the contact's property.
pub const HUBSPOT_LEAD_FIELDS: &[(&str, &str)] = &[
    ("email", "email"),
    ("company", "company"),
    ("owner", "hubspot_owner_id"),
    ("status", "hs_lead_status"),
    ("source", "hs_analytics_source"),
    ("campaign", "hs_analytics_first_touch_converting_campaign"),
    ("score", "hubspotscore"),
    ("budget", "budget"),
    ("authority", "authority"),
    ("need", "need"),
    ("timeframe", "timeframe"),
    ("reject_reason", "reject_reason"),
    ("customer", "customer"),
    ("on_hold", "on_hold"),
    ("region", "region"),
    ("touches", "num_contacted_notes"),
    ("last_touch", "notes_last_contacted"),
    ("flag", "leadpact_violation"),
    ("violation", "leadpact_violations"),
];

/// Logical field of an opportunity and the deal's property.
pub const HUBSPOT_OPPORTUNITY_FIELDS: &[(&str, &str)] = &[
    ("name", "dealname"),
    ("owner", "hubspot_owner_id"),
    ("stage_name", "dealstage"),
    ("amount", "amount"),
    ("currency", "deal_currency_code"),
    ("close_date", "closedate"),
    ("source", "hs_analytics_source"),
    ("campaign", "hs_campaign"),
    ("loss_reason", "closed_lost_reason"),
    ("loss_review", "loss_review"),
    ("flag", "leadpact_violation"),
    ("violation", "leadpact_violations"),
];

/// Logical field of a lead and the Salesforce field. Statuses are the logical ones, word for word.
pub const SALESFORCE_LEAD_FIELDS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("email", "Email"),
    ("company", "Company"),
    ("owner", "OwnerId"),
    ("status", "Status"),
    ("source", "LeadSource"),
    ("campaign", "Campaign__c"),
    ("score", "Score__c"),
    ("budget", "Budget__c"),
    ("authority", "Authority__c"),
    ("need", "Need__c"),
    ("timeframe", "Timeframe__c"),
    ("reject_reason", "Reject_Reason__c"),
    ("customer", "Customer__c"),
    ("on_hold", "On_Hold__c"),
    ("region", "Region__c"),
    ("flag", "Leadpact_Violation__c"),
    ("violation", "Leadpact_Violations__c"),
];

/// Logical field of an opportunity and the Salesforce field.
pub const SALESFORCE_OPPORTUNITY_FIELDS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("owner", "OwnerId"),
    ("stage_name", "StageName"),
    ("amount", "Amount"),
    ("close_date", "CloseDate"),
    ("source", "LeadSource"),
    ("campaign", "CampaignId"),
    ("loss_reason", "Loss_Reason__c"),
    ("loss_review", "Loss_Review__c"),
    ("flag", "Leadpact_Violation__c"),
    ("violation", "Leadpact_Violations__c"),
];

/// Id, label, closed and won of the deal stages.
pub const HUBSPOT_DEAL_STAGES: &[(&str, &str, bool, bool)] = &[
    ("appointmentscheduled", "Appointment scheduled", false, false),
    ("qualifiedtobuy", "Qualified to buy", false, false),
    ("contractsent", "Contract sent", false, false),
    ("closedwon", "Closed won", true, true),
    ("closedlost", "Closed lost", true, false),
];

/// The object that holds leads.
pub fn lead_object(crm: CrmKind) -> &'static str {
    match crm {
        CrmKind::HubSpot => "contacts",
        CrmKind::Salesforce => "Lead",
    }
}

/// The object that holds opportunities.
pub fn opportunity_object(crm: CrmKind) -> &'static str {
    match crm {
        CrmKind::HubSpot => "deals",
        CrmKind::Salesforce => "Opportunity",
    }
}

/// The field tables of an object; empty for those that hold no leads and no opportunities.
pub fn fields(crm: CrmKind, object: &str) -> &'static [(&'static str, &'static str)] {
    match (crm, object) {
        (CrmKind::HubSpot, "contacts") => HUBSPOT_LEAD_FIELDS,
        (CrmKind::HubSpot, "deals") => HUBSPOT_OPPORTUNITY_FIELDS,
        (CrmKind::Salesforce, "Lead") => SALESFORCE_LEAD_FIELDS,
        (CrmKind::Salesforce, "Opportunity") => SALESFORCE_OPPORTUNITY_FIELDS,
        _ => &[],
    }
}

/// The CRM's name of a logical field; the logical one where no table has it.
pub fn property(crm: CrmKind, object: &str, logical: &'static str) -> &'static str {
    fields(crm, object).iter().find(|(name, _)| *name == logical).map_or(logical, |(_, theirs)| theirs)
}

/// The logical name of a CRM's field.
pub fn logical(crm: CrmKind, object: &str, property: &str) -> Option<&'static str> {
    fields(crm, object).iter().find(|(_, theirs)| *theirs == property).map(|(name, _)| *name)
}

/// The CRM's value of a logical lead status.
pub fn status(crm: CrmKind, logical: &'static str) -> &'static str {
    match crm {
        CrmKind::Salesforce => logical,
        CrmKind::HubSpot => HUBSPOT_STATUSES.iter().find(|(name, _)| *name == logical).map_or(logical, |(_, v)| v),
    }
}

/// The logical lead status of a CRM's value; as it came where no table has it.
pub fn logical_status(crm: CrmKind, value: &str) -> &str {
    match crm {
        CrmKind::Salesforce => value,
        CrmKind::HubSpot => HUBSPOT_STATUSES.iter().find(|(_, v)| *v == value).map_or(value, |(name, _)| name),
    }
}
