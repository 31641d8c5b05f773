//! Any other system that can sign a webhook: it tells of leads and opportunities in one documented
//! JSON (`events.rs`). It can be listened to, not yet read or written.

mod defaults;
mod events;
mod verify;

pub use defaults::field_map;

use super::connection::{GenericVerify, Platform};
use super::fields::FieldMap;
use super::{
    Acknowledgement, Connection, Crm, CrmError, Events, ItemResult, Limits, Malformed, NewTask, Person, RawDelivery,
    Reads, Refusal, VerifiedDelivery, Write,
};
use crate::agreement::model::Dictionary;
use crate::record::{FieldName, Object, OwnerId, RecordId, Timestamp};
use async_trait::async_trait;

/// One generic sender.
pub struct Generic {
    scheme: GenericVerify,
    fields: FieldMap,
    automation_users: Vec<OwnerId>,
}

impl Generic {
    /// # Panics
    /// When the connection is to another CRM: the caller chooses the connector by its platform.
    pub fn new(connection: Connection, dictionary: &Dictionary) -> Self {
        let fields = field_map(&connection, dictionary);
        let Platform::Generic(settings) = connection.platform else {
            panic!("connection `{}` is not generic", connection.name);
        };
        Self { scheme: settings.verify, fields, automation_users: connection.touches.automation_users }
    }
}

fn not_yet<T>() -> Result<T, CrmError> {
    Err(CrmError::Never { message: "a generic connection cannot be read or written yet".to_owned() })
}

#[async_trait]
impl Crm for Generic {
    fn verify(&self, raw: RawDelivery, now: Timestamp) -> Result<VerifiedDelivery, Refusal> {
        verify::verify(raw, &self.scheme, now)
    }

    fn events(&self, delivery: &VerifiedDelivery) -> Result<Events, Malformed> {
        events::parse(delivery.body(), &self.fields, &self.automation_users)
    }

    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
    }

    fn limits(&self) -> Limits {
        Limits { read: 100, write: 100, tasks: 100 }
    }

    async fn read(&self, _: Object, _: &[RecordId]) -> Result<Reads, CrmError> {
        not_yet()
    }

    async fn write(&self, _: Object, _: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
        not_yet()
    }

    async fn create_tasks(&self, _: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
        not_yet()
    }

    async fn find_tasks(&self, _: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
        not_yet()
    }

    async fn people(&self) -> Result<Vec<Person>, CrmError> {
        not_yet()
    }

    fn record_url(&self, _: Object, _: &RecordId) -> Option<String> {
        None
    }

    /// Nothing can be written.
    fn maps(&self, _: Object, _: FieldName) -> bool {
        false
    }
}
