//! Salesforce: outbound messages in, the REST API out. This file is the map; each call has its own.
//! The sandbox and the settings know the same shapes, but nothing here knows them.

mod api;
mod around;
pub(in crate::crm) mod auth;
pub mod defaults;
mod error;
mod events;
mod examine;
mod history;
pub mod id;
pub mod jwt;
mod people;
mod provide;
mod read;
mod search;
mod soap;
mod task;
mod touches;
mod verify;
mod write;

use super::connection::{Connection, Platform, Salesforce as Settings};
use super::fields::FieldMap;
use super::http::Http;
use super::{
    Acknowledgement, Around, Crm, CrmError, Event, Events, Examined, Expected, ItemResult, Limits, Made, Malformed,
    NewTask, OwnField, Page, Person, Position, RawDelivery, Reads, Refusal, SharedKeeper, Sought, Usage,
    VerifiedDelivery, Wanted, Write,
};
use crate::agreement::model::Dictionary;
use crate::record::{Elapsed, FieldName, Object, OwnerId, RecordId, Timestamp};
use api::Api;
use async_trait::async_trait;
use auth::Auth;
use touches::Policy;

/// One Salesforce organisation.
pub struct Salesforce {
    settings: Settings,
    base_url: String,
    map: FieldMap,
    policy: Policy,
    automation_users: Vec<OwnerId>,
    api: Api,
}

impl Salesforce {
    /// # Errors
    /// [`CrmError::Never`] when the connection is one to another CRM.
    pub fn new(connection: &Connection, dictionary: &Dictionary, http: Http) -> Result<Self, CrmError> {
        let Platform::Salesforce(settings) = &connection.platform else {
            return Err(CrmError::Never { message: format!("{} is no Salesforce connection", connection.name) });
        };
        let base_url = connection.base_url.trim_end_matches('/');
        let auth = Auth::new(connection, settings);
        Ok(Self {
            settings: settings.clone(),
            base_url: base_url.to_owned(),
            map: defaults::field_map(connection, dictionary),
            policy: Policy::new(connection),
            automation_users: connection.touches.automation_users.clone(),
            api: Api::new(http, auth, base_url, &connection.api_version),
        })
    }

    /// With somebody who keeps what a person granted by signing in; the other ways need nobody.
    pub fn keeping(self, keeper: SharedKeeper) -> Self {
        Self { api: self.api.keeping(keeper), ..self }
    }
}

#[async_trait]
impl Crm for Salesforce {
    fn verify(&self, raw: RawDelivery, _now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
        verify::verify(&self.settings, raw)
    }

    fn events(&self, delivery: &VerifiedDelivery) -> Result<Events, Malformed> {
        events::events(delivery)
    }

    fn acknowledgement(&self) -> Acknowledgement {
        events::acknowledgement()
    }

    fn limits(&self) -> Limits {
        Limits { read: 200, write: 200, tasks: 200 }
    }

    async fn read(&self, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
        if self.policy.needs_directory() {
            self.people().await?;
        }
        read::read(&self.api, &self.map, &self.policy, object, ids).await
    }

    fn searches(&self) -> bool {
        true
    }

    async fn search(&self, object: Object, sought: Sought, from: Option<&Position>) -> Result<Page, CrmError> {
        search::search(&self.api, &self.map, &self.policy, object, sought, from).await
    }

    async fn histories(&self, object: Object, asked: &[(RecordId, Timestamp)]) -> Result<Vec<Event>, CrmError> {
        history::histories(&self.api, &self.map, &self.automation_users, object, asked).await
    }

    fn usage(&self) -> Option<Usage> {
        self.api.meter.usage()
    }

    fn ahead(&self) -> Option<Elapsed> {
        self.api.meter.ahead()
    }

    async fn write(&self, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
        write::write(&self.api, &self.map, object, writes).await
    }

    async fn create_tasks(&self, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
        task::create(&self.api, tasks).await
    }

    async fn find_tasks(&self, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
        task::find(&self.api, tasks).await
    }

    async fn people(&self) -> Result<Vec<Person>, CrmError> {
        let people = people::people(&self.api).await?;
        self.policy.learn(&people);
        Ok(people)
    }

    fn record_url(&self, object: Object, id: &RecordId) -> Option<String> {
        Some(format!("{}/lightning/r/{}/{id}/view", self.base_url, read::type_name(object)))
    }

    fn maps(&self, object: Object, field: FieldName) -> bool {
        self.map.by_name(object, field).is_some()
    }

    async fn keep_signed_in(&self) -> Result<(), CrmError> {
        self.api.keep_signed_in().await
    }

    async fn examine(&self, wanted: &Wanted) -> Option<Examined> {
        let [leads, opportunities] =
            [Object::Lead, Object::Opportunity].map(|object| self.policy.looks_at(&self.map, object));
        let counted = (leads.0 || opportunities.0, leads.1 || opportunities.1);
        Some(examine::examine(&self.api, &self.map, counted, &self.settings.organization_id, wanted).await)
    }

    async fn look_around(&self, expected: &Expected) -> Around {
        around::around(&self.api, expected).await
    }

    async fn create_fields(&self, fields: &[OwnField]) -> Vec<Made> {
        provide::create(&self.api, fields).await
    }
}

#[cfg(test)]
mod tests;
