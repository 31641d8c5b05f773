//! Which fields a pretend organisation has, of which type, and what its app may do. It begins with
//! the fields of `vocabulary.rs` and what every organisation has; a test takes fields away, makes
//! them read-only or leaves out scopes. Records keep whatever is written to them all the same.

use super::event::CrmKind;
use super::vocabulary;
use super::world::World;
use crate::agreement::dictionary;
use crate::record::FieldType::{self, Bool, Date, Number, Text, Time};
use crate::record::{FieldName, Object};
use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

/// One field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The CRM's own word for its type: `datetime`, `textarea`.
    pub kind: String,
    pub read_only: bool,
    /// The only values that it takes; any where there are none.
    pub options: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Schema {
    columns: BTreeMap<String, Vec<Column>>,
    /// Groups of HubSpot's properties, by object.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Fields of Salesforce, by object, that only permission sets show.
    pub hidden: BTreeMap<String, Vec<String>>,
    /// HubSpot's scopes.
    pub scopes: Vec<String>,
    /// What Salesforce's user is not allowed: `Lead: Edit`, `Customize Application`, `View Setup`.
    pub denied: Vec<String>,
    /// Salesforce's outbound messages.
    pub senders: Vec<Sender>,
    /// Objects that no queue may own.
    pub unqueued: Vec<String>,
}

/// An outbound message with the flow of the same name that sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    pub object: String,
    pub endpoint: String,
    /// The fields whose changes start the flow.
    pub starts_at: Vec<String>,
    pub active: bool,
}

const SCOPES: [&str; 10] = [
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.leads.read",
    "crm.objects.leads.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.owners.read",
    "crm.schemas.contacts.write",
    "crm.schemas.deals.write",
];

/// What every organisation has beside the fields of the vocabulary; `false`: kept by the CRM itself.
const CONTACTS: &[(&str, FieldType, bool)] = &[
    ("firstname", Text, true),
    ("lastname", Text, true),
    ("createdate", Time, false),
    ("lastmodifieddate", Time, false),
];
const LEADS: &[(&str, FieldType, bool)] = &[
    ("hs_lead_name", Text, true),
    ("hubspot_owner_id", Text, true),
    ("hs_pipeline_stage", Text, true),
    ("hs_createdate", Time, false),
    ("hs_lastmodifieddate", Time, false),
];
const DEALS: &[(&str, FieldType, bool)] = &[
    ("createdate", Time, false),
    ("hs_lastmodifieddate", Time, false),
    ("num_contacted_notes", Number, false),
    ("notes_last_contacted", Time, false),
];
const SALESFORCE: &[(&str, FieldType, bool)] = &[
    ("Id", Text, false),
    ("CreatedDate", Time, false),
    ("LastModifiedDate", Time, false),
    ("SystemModstamp", Time, false),
];
const SALESFORCE_LEAD: &[(&str, FieldType, bool)] = &[("IsConverted", Bool, false), ("ConvertedDate", Date, false)];
const SALESFORCE_OPPORTUNITY: &[(&str, FieldType, bool)] = &[("IsClosed", Bool, false), ("IsWon", Bool, false)];

/// What a lead's name is made of.
const NAMES: [&str; 2] = ["FirstName", "LastName"];

/// Kept by the CRM, though the vocabulary has them.
const KEPT: [&str; 3] = ["num_contacted_notes", "notes_last_contacted", "Name"];

impl Schema {
    pub fn new(crm: CrmKind) -> Self {
        let (lead, deal) = (vocabulary::lead_object(crm), vocabulary::opportunity_object(crm));
        let mut columns = BTreeMap::new();
        match crm {
            CrmKind::HubSpot => {
                columns.insert("contacts".to_owned(), columns_of(crm, lead, Object::Lead, &[CONTACTS]));
                columns.insert("0-136".to_owned(), columns_of(crm, "0-136", Object::Lead, &[LEADS]));
                columns.insert("deals".to_owned(), columns_of(crm, deal, Object::Opportunity, &[DEALS]));
            }
            CrmKind::Salesforce => {
                let lead_columns = columns_of(crm, lead, Object::Lead, &[SALESFORCE, SALESFORCE_LEAD]);
                let deal_columns = columns_of(crm, deal, Object::Opportunity, &[SALESFORCE, SALESFORCE_OPPORTUNITY]);
                columns.insert(lead.to_owned(), lead_columns);
                columns.insert(deal.to_owned(), deal_columns);
                columns.insert("Task".to_owned(), Vec::new());
            }
        }
        let scopes = if crm == CrmKind::HubSpot { SCOPES.map(str::to_owned).to_vec() } else { Vec::new() };
        Self {
            columns,
            groups: BTreeMap::new(),
            hidden: BTreeMap::new(),
            scopes,
            denied: Vec::new(),
            senders: Vec::new(),
            unqueued: Vec::new(),
        }
    }

    /// Installs an outbound message to this address for leads and for opportunities, sent when
    /// anything changes that leadpact does not write itself.
    pub fn install_senders(&mut self, endpoint: &str) {
        let sender = |object: &str| {
            let names = self.columns(object).iter().map(|column| column.name.clone());
            Sender {
                object: object.to_owned(),
                endpoint: endpoint.to_owned(),
                starts_at: names
                    .filter(|name| !name.starts_with("Leadpact_"))
                    .chain(NAMES.map(str::to_owned))
                    .collect(),
                active: true,
            }
        };
        self.senders = ["Lead", "Opportunity"].map(sender).to_vec();
    }

    pub fn columns(&self, object: &str) -> &[Column] {
        self.columns.get(object).map_or(&[], Vec::as_slice)
    }

    pub fn has(&self, object: &str, name: &str) -> bool {
        self.columns(object).iter().any(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Puts a column in, instead of the one of that name.
    pub fn put(&mut self, object: &str, column: Column) {
        self.drop_column(object, &column.name);
        self.columns.entry(object.to_owned()).or_default().push(column);
    }

    pub fn drop_column(&mut self, object: &str, name: &str) {
        self.columns.entry(object.to_owned()).or_default().retain(|column| !column.name.eq_ignore_ascii_case(name));
    }
}

fn columns_of(crm: CrmKind, theirs: &str, object: Object, more: &[&[(&'static str, FieldType, bool)]]) -> Vec<Column> {
    let of_vocabulary = vocabulary::fields(crm, theirs).iter().map(|(logical, name)| {
        let kind = kind_of(object, logical);
        // A lead's name is put together in Salesforce, an opportunity's is not.
        let kept = KEPT.contains(name) && !(*name == "Name" && object == Object::Opportunity);
        column(crm, name, kind, !kept, if *logical == "violation" { "textarea" } else { "" })
    });
    let own = more.iter().flat_map(|table| table.iter()).map(|(name, kind, free)| column(crm, name, *kind, *free, ""));
    of_vocabulary.chain(own).collect()
}

fn kind_of(object: Object, logical: &str) -> FieldType {
    match logical {
        "flag" => Bool,
        "due" => Time,
        _ => dictionary::standard().type_of(object, FieldName::new(logical)).unwrap_or(Text),
    }
}

fn column(crm: CrmKind, name: &str, kind: FieldType, free: bool, long: &str) -> Column {
    let word = match (crm, kind) {
        (CrmKind::Salesforce, _) if !long.is_empty() => long,
        (CrmKind::HubSpot, Text) => "string",
        (CrmKind::HubSpot, Number) => "number",
        (CrmKind::HubSpot, Bool) => "bool",
        (CrmKind::Salesforce, Text) if name == "Id" => "id",
        (CrmKind::Salesforce, Text) => "string",
        (CrmKind::Salesforce, Number) => "double",
        (CrmKind::Salesforce, Bool) => "boolean",
        (_, Date) => "date",
        (_, Time) => "datetime",
    };
    Column { name: name.to_owned(), kind: word.to_owned(), read_only: !free, options: Vec::new() }
}

impl World {
    /// What the organisation is set up with; changed by whoever holds it.
    pub fn schema(&self) -> MutexGuard<'_, Schema> {
        self.schema.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
