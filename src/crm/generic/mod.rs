//! Any other CRM. Where a description says how, it is read and written like the others
//! (`description/`); without one it tells of leads and opportunities in our own JSON (`events.rs`) and
//! is only listened to.

mod api;
mod defaults;
mod described;
mod description;
mod error;
mod events;
mod examine;
mod path;
mod payload;
mod people;
mod read;
mod search;
mod session;
mod task;
mod template;
mod times;
mod verify;
mod write;

pub use defaults::field_map;
pub use description::{Authentication, Description, SHIPPED, Scheme, parse, shipped};
pub use template::Placeholder;

use super::connection::{GenericVerify, Platform};
use super::examine::Lack;
use super::fields::FieldMap;
use super::http::Http;
use super::usage::Meter;
use super::{
    Acknowledgement, Connection, Crm, CrmError, Events, Examined, ItemResult, Limits, Malformed, NewTask, Page, Person,
    Position, RawDelivery, Reads, Refusal, Sought, Usage, VerifiedDelivery, Wanted, Write,
};
use crate::agreement::model::Dictionary;
use crate::record::{Elapsed, FieldName, Object, OwnerId, RecordId, Timestamp};
use api::Api;
use async_trait::async_trait;
use described::DescribedCrm;
use session::Session;

/// Requests that one call makes at most, where each is about one record.
const SINGLY: usize = read::SINGLY;

/// One CRM of another kind.
pub struct Generic {
    scheme: GenericVerify,
    fields: FieldMap,
    automation_users: Vec<OwnerId>,
    described: Option<DescribedCrm>,
}

impl Generic {
    /// # Panics
    /// When the connection is to another CRM: the caller chooses the connector by its platform.
    pub fn new(connection: Connection, dictionary: &Dictionary, http: Http) -> Self {
        let fields = field_map(&connection, dictionary);
        let Platform::Generic(settings) = connection.platform else {
            panic!("connection `{}` is not generic", connection.name);
        };
        let automation_users = connection.touches.automation_users;
        let described = settings.described.map(|described| DescribedCrm {
            placed: defaults::placed(&fields, &described.description),
            automation_users: automation_users.clone(),
            api: Api {
                http,
                base_url: connection.base_url,
                described,
                meter: Meter::default(),
                session: Session::default(),
            },
        });
        Self { scheme: settings.verify, fields, automation_users, described }
    }

    fn described(&self) -> Result<&DescribedCrm, CrmError> {
        self.described.as_ref().ok_or_else(|| CrmError::Never {
            message: "without a `connector` this connection is only listened to".to_owned(),
        })
    }
}

#[async_trait]
impl Crm for Generic {
    fn verify(&self, raw: RawDelivery, now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
        verify::verify(raw, &self.scheme, now)
    }

    fn events(&self, delivery: &VerifiedDelivery) -> Result<Events, Malformed> {
        match &self.described {
            Some(crm) => payload::parse(delivery.body(), crm, self.scheme.is_signed()),
            None => events::parse(delivery.body(), &self.fields, &self.automation_users),
        }
    }

    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
    }

    fn limits(&self) -> Limits {
        let Some(crm) = &self.described else { return Limits { read: 100, write: 100, tasks: 100 } };
        let batch = |object| {
            let record = crm.api.description().record(object)?;
            Some(record.read_many.as_ref().map_or(SINGLY, |many| many.batch))
        };
        let read = [Object::Lead, Object::Opportunity].into_iter().filter_map(batch).min();
        Limits { read: read.unwrap_or(SINGLY), write: SINGLY, tasks: SINGLY }
    }

    async fn read(&self, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
        read::read(self.described()?, object, ids).await
    }

    fn searches(&self) -> bool {
        let Some(crm) = &self.described else { return false };
        let has_search = |object| crm.api.description().record(object).is_some_and(|record| !record.search.is_empty());
        [Object::Lead, Object::Opportunity].into_iter().any(has_search)
    }

    async fn search(&self, object: Object, sought: Sought, from: Option<&Position>) -> Result<Page, CrmError> {
        search::search(self.described()?, object, sought, from).await
    }

    fn usage(&self) -> Option<Usage> {
        self.described.as_ref()?.api.meter.usage()
    }

    fn ahead(&self) -> Option<Elapsed> {
        self.described.as_ref()?.api.meter.ahead()
    }

    async fn write(&self, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
        write::write(self.described()?, object, writes).await
    }

    async fn create_tasks(&self, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
        task::create(self.described()?, tasks).await
    }

    async fn find_tasks(&self, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
        task::find(self.described()?, tasks).await
    }

    async fn people(&self) -> Result<Vec<Person>, CrmError> {
        people::people(self.described()?).await
    }

    fn record_url(&self, object: Object, id: &RecordId) -> Option<String> {
        let crm = self.described.as_ref()?;
        let record = crm.api.description().record(object)?;
        crm.api.record_url(record.web.as_ref()?, &record.type_name, id.as_str())
    }

    async fn examine(&self, wanted: &Wanted) -> Option<Examined> {
        Some(examine::examine(self.described.as_ref()?, wanted).await)
    }

    async fn lacks(&self, wanted: &Wanted) -> Vec<Lack> {
        match &self.described {
            Some(crm) => examine::lacks(crm, wanted).await,
            None => Vec::new(),
        }
    }

    /// What the description has no request for cannot be written.
    /// Descriptions say how a task to do is made, and nothing of one that is done.
    fn keeps_notes(&self) -> bool {
        false
    }

    fn maps(&self, object: Object, field: FieldName) -> bool {
        let record = self.described.as_ref().and_then(|crm| crm.api.description().record(object));
        record.is_some_and(|record| record.update.is_some()) && self.fields.by_name(object, field).is_some()
    }
}
