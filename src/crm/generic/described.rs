//! A described CRM at work: its description, its requests and the connection's fields, for the files
//! of each kind of call.

use super::api::Api;
pub(super) use super::defaults::Placed;
use super::description::{Record, StatusRule, Task};
use super::template::{Given, Placeholder};
use super::write::text_or_number;
use crate::crm::CrmError;
use crate::record::field::well_known;
use crate::record::{Object, OwnerId, RecordId};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct DescribedCrm {
    pub api: Api,
    pub placed: BTreeMap<Object, Vec<Placed>>,
    pub automation_users: Vec<OwnerId>,
}

impl DescribedCrm {
    /// The mapped fields of an object.
    pub fn fields(&self, object: Object) -> &[Placed] {
        self.placed.get(&object).map_or(&[], Vec::as_slice)
    }

    /// How the status follows, where no field is mapped to it.
    pub fn status_rule(&self, object: Object) -> Option<&StatusRule> {
        let mapped = self.fields(object).iter().any(|placed| placed.field.name == well_known().status);
        self.api.description().record(object)?.status.as_ref().filter(|_| !mapped)
    }

    /// # Errors
    /// [`CrmError::Never`] when the description has no such object.
    pub fn record(&self, object: Object) -> Result<&Record, CrmError> {
        let description = self.api.description();
        description.record(object).ok_or_else(|| CrmError::Never {
            message: format!("the description of {} has no [{object}]", description.name),
        })
    }

    /// # Errors
    /// [`CrmError::Never`] when the description has no tasks.
    pub fn task(&self) -> Result<&Task, CrmError> {
        let description = self.api.description();
        description.task.as_ref().ok_or_else(|| CrmError::Never {
            message: format!("the description of {} has no [task]", description.name),
        })
    }

    pub fn not_described(&self, object: Object, what: &str) -> CrmError {
        let name = &self.api.description().name;
        CrmError::Never { message: format!("the description of {name} has no [{object}.{what}]") }
    }

    /// A record's id as the CRM writes it.
    pub fn id(&self, object: Object, id: &RecordId) -> Json {
        let numbers = self.api.description().record(object).map(|record| &record.numbers);
        text_or_number(id.as_str(), numbers.is_some_and(|numbers| numbers.contains("id")))
    }

    /// What every request about an object may name: its type, and the fields that we read.
    pub fn given(&self, object: Object) -> Given {
        let Some(record) = self.api.description().record(object) else { return Given::default() };
        let paths = [Some(&record.id), Some(&record.modified), record.gone.as_ref()];
        let mut names: BTreeSet<&str> = paths.into_iter().flatten().map(|path| path.first()).collect();
        names.extend(self.fields(object).iter().map(|placed| placed.path.first()));
        names.extend(self.status_rule(object).map(|rule| rule.from.first()));
        let names: Vec<&str> = names.into_iter().collect();
        Given::default().with(Placeholder::Type, record.type_name.as_str()).with(Placeholder::Fields, names)
    }
}
