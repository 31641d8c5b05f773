//! Taking in a page of a search: each record is read, what its history tells is put before the read,
//! and all of it is one change of what we know. Deletions and merges follow.

use super::super::batch::{Batch, BatchError};
use super::super::context::{Engine, Site};
use super::super::deliver::reads::shown;
use super::super::links;
use super::Failed;
use crate::agreement::decide::FUTURE_TOLERANCE;
use crate::agreement::{Input, Standing};
use crate::crm::{CrmError, Event, Page, ReadRecord, Reads, Says};
use crate::record::change::FieldValues;
use crate::record::{Change, FieldName, Object, RecordId, RecordKey, Timestamp, What};
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError, standing};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most records that one transaction takes in.
const RECORDS: usize = 256;
/// The fields whose true times are asked for where a read shows another value than we know.
const DATED: [&str; 6] = ["owner", "status", "stage_name", "reject_reason", "touches", "opportunity[]"];

/// How what was found is looked at.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct How {
    /// A sweep that looks back to here. `None`: a first import, and all history counts.
    pub since: Option<Timestamp>,
    /// The first import's clocks start with it.
    pub from_now: bool,
}

/// What an import found, by the standings after it.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Taken {
    /// Records that we did not know.
    pub imported: Vec<Standing>,
    pub known: u64,
    pub gone: u64,
}

/// Reads what a page found and applies it.
///
/// # Errors
/// [`Failed::Crm`] when a call failed: what was taken in before stays, and the page may be taken in
/// again.
pub(in crate::engine) async fn take_in(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    object: Object,
    page: &Page,
    how: How,
) -> Result<Taken, Failed> {
    let ids: BTreeSet<&RecordId> = page.found.iter().collect();
    let ids: Vec<RecordId> = ids.into_iter().cloned().collect();
    let mut taken = Taken::default();
    for slice in ids.chunks(site.crm.limits().read.min(RECORDS)) {
        let reads = read(engine, site, object, slice).await?;
        let known = known(engine, site, object, slice).await?;
        let told = histories(engine, site, object, &reads, &known, how).await?;
        apply(engine, site, lease, object, Shown { reads, told }, how, &mut taken).await?;
    }
    for some in page.ended.chunks(RECORDS) {
        end(engine, site, lease, some).await?;
    }
    Ok(taken)
}

/// Reads these; a call that is refused is cut in halves down to the record that is to blame.
async fn read(engine: &Engine, site: &Site, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
    let mut all = Reads { at: Timestamp::MAX, records: Vec::with_capacity(ids.len()) };
    let mut open = vec![ids];
    while let Some(ids) = open.pop() {
        let answer = site.crm.read(object, ids).await;
        engine.metrics.call(site.name(), "read", if answer.is_ok() { "ok" } else { "failed" });
        match answer {
            Ok(reads) => {
                all.at = all.at.min(reads.at);
                all.records.extend(reads.records);
            }
            Err(CrmError::Never { .. }) if ids.len() > 1 => {
                let (first, second) = ids.split_at(ids.len() / 2);
                open.extend([second, first]);
            }
            Err(CrmError::Never { message }) if !all.records.is_empty() || !open.is_empty() => {
                tracing::error!(%object, record = %ids[0], "it was modified and cannot be read: {message}");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

type Known = HashMap<RecordKey, Standing>;

/// The standings as they are; only to see what is news.
async fn known(engine: &Engine, site: &Site, object: Object, ids: &[RecordId]) -> Result<Known, StoreError> {
    let keys: Vec<RecordKey> = ids.iter().map(|id| key(site, object, id)).collect();
    let mut tx = engine.db.begin(Priority::Work).await?;
    let states = standing::load(&mut tx, &keys).await?;
    tx.commit().await?;
    // One that cannot be read is told of where it is to be changed.
    let parsed = states.into_iter().filter_map(|(key, json)| Some((key, serde_json::from_str(&json).ok()?)));
    Ok(parsed.collect())
}

fn key(site: &Site, object: Object, id: &RecordId) -> RecordKey {
    RecordKey { connection: site.name().clone(), object, id: id.clone() }
}

/// What the CRM's own history tells of records that are not as we know them.
async fn histories(
    engine: &Engine,
    site: &Site,
    object: Object,
    reads: &Reads,
    known: &Known,
    how: How,
) -> Result<BTreeMap<RecordId, Vec<Change>>, CrmError> {
    let since = how.since.unwrap_or(Timestamp::MIN);
    let asked = reads.records.iter().filter_map(|(id, record)| {
        let ReadRecord::Found { values, .. } = record else { return None };
        let is_news = known.get(&key(site, object, id)).is_none_or(|standing| differs(standing, values));
        is_news.then(|| (id.clone(), since))
    });
    let asked: Vec<(RecordId, Timestamp)> = asked.collect();
    if asked.is_empty() || how.from_now {
        return Ok(BTreeMap::new());
    }
    let events = match site.crm.histories(object, &asked).await {
        Ok(events) => events,
        // Better without true times than not at all.
        Err(CrmError::Never { message }) => {
            tracing::warn!(%object, "no history is shown to us, so that times are those of the last modification: {message}");
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let latest = engine.clock.now() + FUTURE_TOLERANCE;
    let mut told: BTreeMap<RecordId, Vec<Change>> = BTreeMap::new();
    for event in events.into_iter().filter(|event| event.at <= latest) {
        if let Says::Changed(values) = event.says {
            let change = Change { at: event.at, what: What::Fields(values), by: event.by };
            told.entry(event.id).or_default().push(change);
        }
    }
    Ok(told)
}

fn differs(standing: &Standing, values: &FieldValues) -> bool {
    let dated = |name: &FieldName| DATED.contains(&name.as_str());
    values.iter().any(|(name, value)| dated(name) && standing.fields.get(*name) != value)
}

/// What the CRM showed of some records, and what its history tells of them.
struct Shown {
    reads: Reads,
    told: BTreeMap<RecordId, Vec<Change>>,
}

async fn apply(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    object: Object,
    mut seen: Shown,
    how: How,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    let keys: Vec<RecordKey> = seen.reads.records.iter().map(|(id, _)| key(site, object, id)).collect();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    let (mut imported, mut linked) = (Vec::new(), Vec::new());
    for (key, (id, record)) in keys.iter().zip(&seen.reads.records) {
        let standing = batch.standing(key);
        let is_new = standing.is_none_or(|s| s.folded_to == Timestamp::MIN);
        if *record == ReadRecord::Gone && is_new {
            taken.gone += 1;
            continue;
        }
        let mut changes = seen.told.remove(id).unwrap_or_default();
        let mut read = shown(standing, key, seen.reads.at, record);
        if how.since.is_none() && is_new {
            as_import(&mut read, how.from_now);
            imported.push(key.clone());
        } else {
            taken.known += 1;
        }
        linked.extend(links::news(&batch, key, &read).into_iter().map(|lead| (lead, id.clone())));
        changes.push(read);
        tell(batch.changes(&mut tx, key, changes).await)?;
    }
    links::notice(&mut batch, &mut tx, site, linked).await?;
    taken.imported.extend(imported.iter().filter_map(|key| batch.standing(key).cloned()));
    let written = batch.save(&mut tx).await?;
    tx.commit().await?;
    written.tell(engine, site);
    Ok(())
}

fn as_import(read: &mut Change, from_now: bool) {
    if let What::Read(reading) = &mut read.what {
        reading.import = true;
        reading.from_now = from_now;
        if from_now {
            reading.modified = read.at;
        }
    }
}

/// Deletions and merges of records that we know; the survivor of a merge is read.
async fn end(engine: &Engine, site: &Site, lease: &Lease, events: &[Event]) -> Result<(), StoreError> {
    let survivor = |event: &Event| match &event.says {
        Says::Merged { into } => Some(key(site, event.object, into)),
        _ => None,
    };
    let keys: BTreeSet<RecordKey> =
        events.iter().flat_map(|e| [Some(key(site, e.object, &e.id)), survivor(e)]).flatten().collect();
    let keys: Vec<RecordKey> = keys.into_iter().collect();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    for event in events {
        let key = key(site, event.object, &event.id);
        if batch.standing(&key).is_none_or(|s| s.folded_to == Timestamp::MIN || s.gone.is_some()) {
            continue;
        }
        let what = match &event.says {
            Says::Deleted => What::Deleted,
            Says::Merged { into } => What::Merged { into: into.clone() },
            _ => continue,
        };
        tell(batch.change(&mut tx, &key, Change { at: event.at, what, by: event.by.clone() }).await)?;
        if let Some(survivor) = survivor(event) {
            tell(batch.decide(&mut tx, &survivor, Input::Noticed).await)?;
        }
    }
    let written = batch.save(&mut tx).await?;
    tx.commit().await?;
    written.tell(engine, site);
    Ok(())
}

/// A decision that failed is that record's alone.
fn tell(result: Result<(), BatchError>) -> Result<(), StoreError> {
    match result {
        Ok(()) => Ok(()),
        Err(BatchError::Store(error)) => Err(error),
        Err(BatchError::Record(error)) => {
            tracing::error!("{error}");
            Ok(())
        }
    }
}
