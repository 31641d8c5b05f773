//! Names of owners as last read from the CRMs. The CRM is not asked: a page must not wait for it.

use crate::engine::Engine;
use crate::engine::directory::{Called, OwnerNames, stored_names};
use crate::record::{ConnectionName, OwnerId};
use crate::store::StoreError;
use std::collections::{BTreeSet, HashMap};

/// The names of all owners of some connections.
#[derive(Default)]
pub struct Names(HashMap<ConnectionName, OwnerNames>);

impl Names {
    /// # Errors
    /// When the database cannot be read.
    pub async fn load(engine: &Engine, connections: BTreeSet<ConnectionName>) -> Result<Self, StoreError> {
        let mut names = HashMap::new();
        for connection in connections {
            let of = match engine.site(connection.as_str()) {
                Some(site) => site.directory.names(&engine.db, &connection).await?,
                None => stored_names(&engine.db, &connection).await?,
            };
            names.insert(connection, of);
        }
        Ok(Self(names))
    }

    /// By the id of an owner, or of a user who is one. `None` where nobody of that id is known, or the name
    /// is empty.
    pub fn get(&self, connection: &ConnectionName, id: &OwnerId) -> Option<&str> {
        let name = self.0.get(connection)?.names.get(id)?.trim();
        (!name.is_empty()).then_some(name)
    }

    /// The owner or user of this id, or the owner of this name, whatever the case of its letters; of
    /// namesakes the one of the smallest id.
    pub fn find(&self, connection: &ConnectionName, text: &str) -> Option<OwnerId> {
        let Called { names, owners } = &**self.0.get(connection)?;
        let lower = text.to_lowercase();
        let named = owners.iter().filter(|id| names[*id].trim().to_lowercase() == lower);
        let by_id = names.keys().find(|id| id.as_str() == text);
        by_id.or_else(|| named.min()).cloned()
    }
}
