//! What a connection has to tell us of, and what we write: an agreement's logical fields as the
//! CRM's own. One answer for the generated packages and for whoever compares them with the CRM.

use super::uses::{Uses, uses};
use crate::agreement::{Agreement, dictionary};
use crate::crm::Connection;
use crate::crm::connection::Platform;
use crate::crm::fields::{FieldMap, MappedField};
use crate::crm::{hubspot, salesforce};
use crate::record::field::well_known;
use crate::record::{FieldName, FieldType, Object};
use std::collections::{BTreeMap, BTreeSet};

/// A field of the CRM whose changes we have to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The CRM's own name.
    pub crm_name: String,
    /// Why, each in a few words.
    pub why: Vec<String>,
}

/// A field that leadpact itself keeps on a record: flag, violation, due, clock, last action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    pub name: FieldName,
    pub crm_name: String,
    pub kind: FieldType,
}

/// One object of the CRM that the agreement speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wired {
    pub object: Object,
    /// By the CRM's name.
    pub watched: Vec<Watched>,
    pub own: Vec<Own>,
    /// The CRM's names of all fields that a read asks for.
    pub read: BTreeSet<String>,
    /// The CRM's names of all fields that may be written, our own included.
    pub written: BTreeSet<String>,
    /// Whether tasks about such records are made.
    pub tasks: bool,
    /// Whether the link between leads and opportunities has to be told by the CRM.
    pub linked: bool,
}

/// All that a connection needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    pub objects: Vec<Wired>,
    /// What stays unwatched, and why, each in a sentence.
    pub notes: Vec<String>,
}

impl Wiring {
    pub fn of(&self, object: Object) -> Option<&Wired> {
        self.objects.iter().find(|wired| wired.object == object)
    }
}

/// What this connection needs under this agreement. A generic connection maps only what its
/// settings name.
pub fn wiring(agreement: &Agreement, connection: &Connection) -> Wiring {
    let map = match &connection.platform {
        Platform::Salesforce(_) => salesforce::defaults::field_map(connection, &agreement.dictionary),
        Platform::HubSpot(_) | Platform::Generic(_) => hubspot::field_map(connection, &agreement.dictionary),
    };
    let uses = uses(agreement);
    let mut notes = Vec::new();
    let wire = Wire { connection, map: &map, uses: &uses };
    let objects = uses.objects.iter().map(|object| wire.object(*object, &mut notes)).collect();
    Wiring { objects, notes }
}

struct Wire<'a> {
    connection: &'a Connection,
    map: &'a FieldMap,
    uses: &'a Uses,
}

/// HubSpot's names for the last change and for a counter that it lets nobody subscribe to.
const NEVER_TOLD: [&str; 3] = ["hs_lastmodifieddate", "lastmodifieddate", "num_unique_conversion_events"];

impl Wire<'_> {
    fn object(&self, object: Object, notes: &mut Vec<String>) -> Wired {
        let own = self.own(object);
        let mut watched: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, why) in self.uses.looked_at(object) {
            let theirs = self.names(object, name);
            if theirs.is_empty() && self.is_missed(object, name) {
                notes.push(format!(
                    "{object}.{name} is used ({}), but the connection maps nothing to it: it counts as empty.",
                    why.join("; ")
                ));
            }
            for crm_name in theirs {
                if own.iter().any(|field| same(&field.crm_name, &crm_name)) {
                    notes.push(format!(
                        "{object}.{name} is mapped to {crm_name}, which leadpact itself writes: it is not watched, \
                         since every write would come back as news."
                    ));
                } else {
                    let reasons = watched.entry(crm_name).or_default();
                    let new: Vec<String> = why.iter().filter(|w| !reasons.contains(w)).cloned().collect();
                    reasons.extend(new);
                }
            }
        }
        Wired {
            object,
            watched: watched.into_iter().map(|(crm_name, why)| Watched { crm_name, why }).collect(),
            read: self.read(object),
            written: self.written(object, &own),
            own,
            tasks: self.uses.tasks.contains(&object),
            linked: self.is_hubspot() && self.uses.objects.len() == 2,
        }
    }

    fn is_hubspot(&self) -> bool {
        matches!(self.connection.platform, Platform::HubSpot(_))
    }

    fn is_contact(&self, object: Object) -> bool {
        object == Object::Lead
            && matches!(&self.connection.platform, Platform::HubSpot(settings) if settings.lead_object != "leads")
    }

    /// What of the CRM tells of a change of this field. A time of creation never changes, and the
    /// time of the last change would tell us of our own writes.
    fn names(&self, object: Object, name: FieldName) -> Vec<String> {
        let known = well_known();
        if name == known.created || name == known.modified {
            return Vec::new();
        }
        match self.map.by_name(object, name).map(|field: &MappedField| field.crm_name.as_str()) {
            Some(crm_name) if self.is_hubspot() && NEVER_TOLD.contains(&crm_name) => Vec::new(),
            // A compound field: what it is made of is what changes.
            Some("Name") if !self.is_hubspot() && object == Object::Lead => texts(&["FirstName", "LastName"]),
            Some(crm_name) => vec![crm_name.to_owned()],
            None => texts(self.instead(object, name)),
        }
    }

    /// What stands in for a field that is derived unless the connection maps it.
    fn instead(&self, object: Object, name: FieldName) -> &'static [&'static str] {
        match (object, name.as_str()) {
            (Object::Lead, "name") if self.is_contact(object) => &["firstname", "lastname"],
            (Object::Opportunity, "status") if self.is_hubspot() => &["dealstage"],
            (Object::Opportunity, "status") => &["StageName"],
            (Object::Lead, "opportunity") if !self.is_hubspot() => &["IsConverted"],
            _ => &[],
        }
    }

    /// Whether nothing at all would tell of this field. Links are told by associations or by the
    /// conversion, Salesforce's touches by the activities that a read looks at.
    fn is_missed(&self, object: Object, name: FieldName) -> bool {
        let told_otherwise = match name.as_str() {
            "created" | "modified" | "opportunity" | "lead" | "converted" | "currency" => true,
            "touches" | "last_touch" => !self.is_hubspot(),
            _ => false,
        };
        !told_otherwise && self.map.by_name(object, name).is_none() && self.instead(object, name).is_empty()
    }

    fn own(&self, object: Object) -> Vec<Own> {
        let reserved = dictionary::RESERVED.iter().map(|name| FieldName::new(name));
        let mapped = reserved.filter_map(|name| self.map.by_name(object, name));
        mapped.map(|field| Own { name: field.name, crm_name: field.crm_name.clone(), kind: field.kind }).collect()
    }

    /// Every read asks for every mapped field, and for what others are derived from.
    fn read(&self, object: Object) -> BTreeSet<String> {
        let derived: &[&str] = match (self.is_hubspot(), object) {
            (false, Object::Lead) => &["IsConverted", "ConvertedOpportunityId"],
            (false, Object::Opportunity) => &["IsClosed", "IsWon"],
            (true, Object::Opportunity) => &["dealstage"],
            (true, Object::Lead) if self.is_contact(object) => &["firstname", "lastname", "email"],
            (true, Object::Lead) => &[],
        };
        self.map.of(object).iter().map(|field| field.crm_name.clone()).chain(texts(derived)).collect()
    }

    fn written(&self, object: Object, own: &[Own]) -> BTreeSet<String> {
        let moved = self.uses.moved.contains(&object).then_some(well_known().owner);
        let set = self.uses.set(object).chain(moved).filter_map(|name| self.map.by_name(object, name));
        set.map(|field| field.crm_name.clone()).chain(own.iter().map(|field| field.crm_name.clone())).collect()
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// CRMs take no account of case in names.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
