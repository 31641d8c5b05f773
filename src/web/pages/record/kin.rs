//! The other records of the same business: what opportunities a lead was made into, what leads an
//! opportunity was made of. Only what was told already: the CRM is not asked.

use super::path;
use crate::agreement::Standing;
use crate::agreement::link::{ids_of, link_of};
use crate::record::field::well_known;
use crate::record::{ConnectionName, Elapsed, Object, RecordId, RecordKey};
use crate::store::entries::{self, Before};
use crate::store::{Db, StoreError, standing};
use std::collections::BTreeSet;

/// So many are named.
const MOST: usize = 5;
/// An opportunity of which the CRM does not tell the lead was made as that lead was converted: among so
/// many conversions around that moment it is looked for.
const LOOKED_THROUGH: u32 = 200;
const EARLIER: Elapsed = Elapsed::from_secs(3_600);
const LATER: Elapsed = Elapsed::from_secs(86_400);

/// Another record. What leadpact has heard nothing of has no page.
pub struct Kin {
    pub key: RecordKey,
    pub name: String,
    pub page: Option<String>,
}

/// # Errors
/// When the database cannot be read.
pub async fn kin(db: &Db, record: &Standing) -> Result<Vec<Kin>, StoreError> {
    let mut keys = told(record);
    if keys.is_empty() && record.key.object == Object::Opportunity {
        keys.extend(converted_into(db, record).await?);
    }
    keys.truncate(MOST);
    let names = standing::names(db, &keys).await?;
    let shown = |key: &RecordKey| {
        let known = names.get(key);
        let name = known.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| key.id.to_string());
        Kin { key: key.clone(), name, page: known.map(|_| path(key)) }
    };
    Ok(keys.iter().map(shown).collect())
}

/// Those that the record itself names, the primary one first.
fn told(record: &Standing) -> Vec<RecordKey> {
    let (link, list) = link_of(record.key.object);
    let object = match record.key.object {
        Object::Lead => Object::Opportunity,
        Object::Opportunity => Object::Lead,
    };
    let all = ids_of(record.fields.get(list)).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let ids = record.fields.get(link).as_text().into_iter().chain(all).filter(|id| seen.insert(*id));
    ids.map(|id| RecordKey { connection: record.key.connection.clone(), object, id: RecordId::new(id) }).collect()
}

/// The lead that names this opportunity, where it was converted about when the opportunity was made.
async fn converted_into(db: &Db, record: &Standing) -> Result<Option<RecordKey>, StoreError> {
    let created = record.fields.get(well_known().created).as_time();
    let Some(created) = created else { return Ok(None) };
    let connection: &ConnectionName = &record.key.connection;
    let until = Before { at: created + LATER, id: String::new() };
    let span = (created - EARLIER, &until);
    let found = entries::newest(db, connection, Object::Lead, &[""], span, LOOKED_THROUGH).await?;
    let ids: BTreeSet<String> = found.into_iter().map(|row| row.id).collect();
    let key = |id| RecordKey { connection: connection.clone(), object: Object::Lead, id: RecordId::new(id) };
    let keys: Vec<RecordKey> = ids.into_iter().map(key).collect();
    let names_it = |state: &str| {
        let lead: Option<Standing> = serde_json::from_str(state).ok();
        lead.is_some_and(|lead| told(&lead).contains(&record.key))
    };
    let states = standing::load_many(db, &keys).await?;
    Ok(keys.into_iter().find(|key| states.get(key).is_some_and(|state| names_it(state))))
}
