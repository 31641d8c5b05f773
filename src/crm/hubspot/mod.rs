//! HubSpot: contacts or leads, and deals. This file holds the connector and which file answers what;
//! shapes and rules of each kind of call live in the file of its name.

mod api;
mod associations;
pub(in crate::crm) mod auth;
mod defaults;
mod error;
mod events;
mod examine;
mod history;
mod payload;
mod people;
mod pipelines;
mod provide;
mod read;
mod search;
mod task;
mod verify;
mod write;

pub use auth::scopes;
pub use defaults::field_map;

use super::connection::{self, Platform};
use super::fields::FieldMap;
use super::http::Http;
use super::usage::Meter;
use super::{
    Acknowledgement, Connection, Crm, CrmError, Event, Events, Examined, ItemResult, Limits, Made, Malformed, NewTask,
    OwnField, Page, Person, Position, RawDelivery, Reads, Refusal, SharedKeeper, Sought, Usage, VerifiedDelivery,
    Wanted, Write,
};
use crate::agreement::model::Dictionary;
use crate::record::field::well_known;
use crate::record::{Elapsed, FieldName, Object, OwnerId, RecordId, Timestamp};
use api::{Api, BATCH, ObjectType};
use async_trait::async_trait;
use auth::Auth;
use people::Users;
use pipelines::Pipelines;

/// One HubSpot account.
pub struct HubSpot {
    api: Api,
    settings: connection::HubSpot,
    automation_users: Vec<OwnerId>,
    fields: FieldMap,
    pipelines: Pipelines,
    users: Users,
    /// When the archived records were last looked through, of each object.
    archives: search::Archives,
    /// No property is mapped to a deal's status: it follows from its stage.
    derives_status: bool,
    /// No property is mapped to a contact's name: it is put together.
    composes_name: bool,
    /// Reads tell what is associated.
    follows_links: bool,
}

impl HubSpot {
    /// # Panics
    /// When the connection is to another CRM: the caller chooses the connector by its platform.
    pub fn new(connection: Connection, dictionary: &Dictionary, http: Http) -> Self {
        let fields = field_map(&connection, dictionary);
        let Platform::HubSpot(settings) = &connection.platform else {
            panic!("connection `{}` is not to HubSpot", connection.name);
        };
        let (auth, settings) = (Auth::new(&connection, settings), settings.clone());
        let lead = ObjectType::of(Object::Lead, &settings.lead_object);
        Self {
            derives_status: fields.by_name(Object::Opportunity, well_known().status).is_none(),
            composes_name: lead == ObjectType::Contact && fields.by_name(Object::Lead, well_known().name).is_none(),
            api: Api {
                http,
                base_url: connection.base_url,
                version: connection.api_version,
                auth,
                meter: Meter::default(),
            },
            automation_users: connection.touches.automation_users,
            pipelines: Pipelines::default(),
            users: Users::default(),
            archives: search::Archives::default(),
            settings,
            fields,
            follows_links: false,
        }
    }

    /// With somebody who keeps what a person granted by signing in; a fixed token needs nobody.
    pub fn keeping(self, keeper: SharedKeeper) -> Self {
        let Api { http, base_url, version, auth, meter } = self.api;
        Self { api: Api { http, base_url, version, auth: auth.keeping(keeper), meter }, ..self }
    }

    /// Whether reads tell which deals belong to a lead and which leads to a deal, at one call more each:
    /// wanted where the agreement has stages of both.
    #[must_use]
    pub fn following_links(mut self, follows: bool) -> Self {
        self.follows_links = follows;
        self
    }

    fn object_type(&self, object: Object) -> ObjectType {
        ObjectType::of(object, &self.settings.lead_object)
    }
}

/// The user that a webhook's or a history's source names: `userId:9912`.
fn names_person(source: &str) -> Option<&str> {
    source.strip_prefix("userId:").map(str::trim).filter(|id| !id.is_empty())
}

#[async_trait]
impl Crm for HubSpot {
    fn verify(&self, raw: RawDelivery, now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
        verify::verify(raw, &self.settings.webhook_secret, now)
    }

    fn events(&self, delivery: &VerifiedDelivery) -> Result<Events, Malformed> {
        let scope = events::Scope {
            portal_id: self.settings.portal_id,
            lead_object: self.object_type(Object::Lead),
            map: &self.fields,
            automation_users: &self.automation_users,
            pipelines: &self.pipelines,
            users: &self.users,
            derives_status: self.derives_status,
            composes_name: self.composes_name,
        };
        events::parse(delivery.body(), &scope)
    }

    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
    }

    fn limits(&self) -> Limits {
        Limits { read: BATCH, write: BATCH, tasks: BATCH }
    }

    async fn read(&self, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
        read::read(self, object, ids).await
    }

    fn searches(&self) -> bool {
        true
    }

    async fn search(&self, object: Object, sought: Sought, from: Option<&Position>) -> Result<Page, CrmError> {
        search::search(self, object, sought, from).await
    }

    async fn histories(&self, object: Object, asked: &[(RecordId, Timestamp)]) -> Result<Vec<Event>, CrmError> {
        history::histories(self, object, asked).await
    }

    fn usage(&self) -> Option<Usage> {
        self.api.meter.usage()
    }

    fn ahead(&self) -> Option<Elapsed> {
        self.api.meter.ahead()
    }

    async fn write(&self, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
        write::write(self, object, writes).await
    }

    async fn create_tasks(&self, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
        task::create(self, tasks).await
    }

    async fn find_tasks(&self, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
        task::find(self, tasks).await
    }

    async fn people(&self) -> Result<Vec<Person>, CrmError> {
        people::people(self).await
    }

    fn recall(&self, people: &[Person]) {
        self.users.recall(people);
    }

    fn record_url(&self, object: Object, id: &RecordId) -> Option<String> {
        let portal = self.settings.portal_id?;
        let type_id = self.object_type(object).type_id();
        Some(format!("https://app.hubspot.com/contacts/{portal}/record/{type_id}/{id}"))
    }

    fn maps(&self, object: Object, field: FieldName) -> bool {
        self.fields.by_name(object, field).is_some()
    }

    async fn keep_signed_in(&self) -> Result<(), CrmError> {
        self.api.auth.keep_signed_in(&self.api.http).await
    }

    async fn examine(&self, wanted: &Wanted) -> Option<Examined> {
        Some(examine::examine(self, wanted).await)
    }

    async fn create_fields(&self, fields: &[OwnField]) -> Vec<Made> {
        provide::create(self, fields).await
    }
}
