//! The other end of an association: where a read of a deal lists a lead that does not know it yet, the
//! lead is read, so that it is promoted although nobody told us of the association.

use super::batch::{Batch, BatchError};
use super::context::Site;
use crate::agreement::Input;
use crate::agreement::link::{ids_of, link_of};
use crate::record::{Change, Object, RecordId, RecordKey, What};
use crate::store::{StoreError, Tx};
use std::collections::BTreeSet;

/// The leads that this read of a deal lists for the first time.
pub(super) fn news(batch: &Batch<'_>, key: &RecordKey, change: &Change) -> Vec<RecordKey> {
    let (Object::Opportunity, What::Read(reading)) = (key.object, &change.what) else { return Vec::new() };
    let (_, list) = link_of(key.object);
    let Some((_, now)) = reading.values.iter().find(|(name, _)| *name == list) else { return Vec::new() };
    let known = batch.standing(key).and_then(|standing| ids_of(standing.fields.get(list))).unwrap_or_default();
    let fresh = ids_of(now).unwrap_or_default().into_iter().filter(|id| !known.contains(id));
    fresh.map(|id| RecordKey { object: Object::Lead, id: RecordId::new(id), ..key.clone() }).collect()
}

/// Asks for a read of those leads that we know and that do not know the deal.
///
/// # Errors
/// When the database is unavailable.
pub(super) async fn notice(
    batch: &mut Batch<'_>,
    tx: &mut Tx,
    site: &Site,
    news: Vec<(RecordKey, RecordId)>,
) -> Result<(), StoreError> {
    let leads: BTreeSet<RecordKey> = news.iter().map(|(lead, _)| lead.clone()).collect();
    batch.load_more(tx, &leads.into_iter().collect::<Vec<_>>()).await?;
    for (lead, deal) in news {
        if !misses(batch, &lead, &deal) {
            continue;
        }
        match batch.decide(tx, &lead, Input::Noticed).await {
            Err(BatchError::Store(error)) => return Err(error),
            Err(BatchError::Record(error)) => tracing::error!(connection = %site.name(), "{error}"),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn misses(batch: &Batch<'_>, lead: &RecordKey, deal: &RecordId) -> bool {
    let (link, list) = link_of(Object::Lead);
    batch.standing(lead).is_some_and(|standing| {
        let listed = ids_of(standing.fields.get(list)).is_some_and(|ids| ids.contains(&deal.as_str()));
        let is_known = standing.last_read.is_some() && standing.gone.is_none();
        is_known && !listed && standing.fields.get(link).as_text() != Some(deal.as_str())
    })
}
