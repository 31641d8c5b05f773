//! One record with everything that its page and the API show. How it is shown is theirs.

use super::Web;
use super::people::Names;
use crate::agreement::Standing;
use crate::agreement::standing::Run;
use crate::engine::Site;
use crate::record::{ConnectionName, Object, RecordKey};
use crate::report::story::Told;
use crate::store::clock::ClockState;
use crate::store::journal::{self, JournalRow};
use crate::store::{StoreError, standing};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The part of a path that names a record.
#[derive(Deserialize)]
pub struct Place {
    pub connection: String,
    pub object: String,
    pub id: String,
}

/// A known record.
pub struct Found {
    pub site: Arc<Site>,
    pub standing: Standing,
    /// In the order of the journal.
    pub rows: Vec<JournalRow>,
    pub names: Names,
}

impl Found {
    /// The facts as the story takes them.
    pub fn told(&self) -> Vec<Told<'_>> {
        self.rows.iter().map(|row| Told { fact: &row.entry.fact, seen_at: row.entry.seen_at }).collect()
    }
}

/// Looks a record up; `None` for a connection, an object or a record that is not known.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(web: &Web, place: &Place) -> Result<Option<Found>, StoreError> {
    let Some((site, key)) = named(web, place) else { return Ok(None) };
    let Some(state) = standing::load_one(&web.engine.db, &key).await? else { return Ok(None) };
    let standing = serde_json::from_str(&state)
        .map_err(|e| StoreError::Corrupt(format!("the standing of {key} cannot be read: {e}")))?;
    let rows = journal::of_record(&web.engine.db, &key).await?;
    let names = Names::load(&web.engine, BTreeSet::from([key.connection.clone()])).await?;
    Ok(Some(Found { site, standing, rows, names }))
}

fn named(web: &Web, place: &Place) -> Option<(Arc<Site>, RecordKey)> {
    let site = web.engine.site(&place.connection)?;
    let object = Object::parse(&place.object)?;
    // No row has it, and PostgreSQL refuses to compare with it.
    let id = Some(&place.id).filter(|id| !id.contains('\0')).map(|id| site.connection.record_id(id))?;
    let connection: ConnectionName = site.name().clone();
    Some((site, RecordKey { connection, object, id }))
}

/// Where a person opens the record in the CRM, if that is a web address: no other may be a link.
pub fn url(site: &Site, key: &RecordKey) -> Option<String> {
    let url = url::Url::parse(&site.crm.record_url(key.object, &key.id)?).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

/// How an open run stands, in the words of the lists.
pub fn state(run: &Run) -> ClockState {
    match (run.paused, run.breached) {
        (Some(_), _) => ClockState::Paused,
        (None, Some(_)) => ClockState::Breached,
        (None, None) => ClockState::Open,
    }
}
