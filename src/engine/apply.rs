//! Takes what was received out of the inbox, splits it into changes and lets the core decide, many
//! in one transaction. An event that fails is set aside alone.

use super::batch::{Batch, BatchError};
use super::context::{Engine, Site};
use crate::agreement::Input;
use crate::agreement::decide::FUTURE_TOLERANCE;
use crate::crm::{Event, Says, VerifiedDelivery};
use crate::record::{Change, RecordKey, Timestamp, What};
use crate::store::inbox::{self, InboxRow, Kind, Mark, NewDelivery};
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError};
use std::collections::BTreeMap;

/// Most changes that one transaction applies.
const CHANGES: usize = 256;
/// Most rows that are looked at for it.
const ROWS: u32 = 128;
/// A row that failed so often, process deaths included, is parked.
const ATTEMPTS: u32 = 5;

/// Applies the next rows received before the mark. Answers how many there were; 0: none is left.
///
/// # Errors
/// When the database is unavailable or the lease is lost; nothing was applied then.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease, mark: &Mark) -> Result<usize, StoreError> {
    let rows = inbox::received(&engine.db, site.name(), mark, ROWS).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let (rows, worn_out): (Vec<_>, Vec<_>) = rows.into_iter().partition(|r| r.attempts < ATTEMPTS);
    let read = Reading::of(site, rows);
    count_attempts(engine, site, lease, &read, &worn_out).await?;
    apply(engine, site, lease, &read).await?;
    Ok(read.rows.len() + worn_out.len() + read.malformed.len())
}

/// Rows split into events, up to a transaction's worth.
struct Reading {
    rows: Vec<InboxRow>,
    events: Vec<Event>,
    malformed: Vec<(InboxRow, String)>,
}

impl Reading {
    fn of(site: &Site, rows: Vec<InboxRow>) -> Self {
        let mut read = Self { rows: Vec::new(), events: Vec::new(), malformed: Vec::new() };
        for row in rows {
            if !read.rows.is_empty() && read.events.len() >= CHANGES {
                break;
            }
            match events_of(site, &row) {
                Ok(events) => {
                    read.events.extend(events);
                    read.rows.push(row);
                }
                Err(error) => read.malformed.push((row, error)),
            }
        }
        read
    }
}

fn events_of(site: &Site, row: &InboxRow) -> Result<Vec<Event>, String> {
    match row.kind {
        Kind::Delivery => {
            let delivery = VerifiedDelivery::from_inbox(row.body.clone().into_bytes());
            site.crm.events(&delivery).map(|e| e.events).map_err(|e| e.to_string())
        }
        Kind::Event => serde_json::from_str(&row.body).map(|e| vec![e]).map_err(|e| e.to_string()),
        Kind::Order => Err("orders are not known to this version".to_owned()),
    }
}

/// Counted before the work, so that a row which kills the process is parked in the end.
async fn count_attempts(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    read: &Reading,
    worn_out: &[InboxRow],
) -> Result<(), StoreError> {
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let ids: Vec<&str> = read.rows.iter().map(|r| r.id.as_str()).collect();
    inbox::count_attempt(&mut tx, site.name(), &ids).await?;
    for row in worn_out {
        let why = row.error.as_deref().unwrap_or("its work was begun five times and never ended");
        inbox::park(&mut tx, site.name(), &row.id, why).await?;
        tracing::error!(connection = %site.name(), inbox.id = %row.id, "a delivery was parked: {why}");
    }
    for (row, error) in &read.malformed {
        inbox::park(&mut tx, site.name(), &row.id, error).await?;
        tracing::error!(connection = %site.name(), inbox.id = %row.id, "a delivery was parked: {error}");
    }
    tx.commit().await
}

async fn apply(engine: &Engine, site: &Site, lease: &Lease, read: &Reading) -> Result<(), StoreError> {
    if read.rows.is_empty() {
        return Ok(());
    }
    let told = by_record(site, &read.events);
    let keys: Vec<RecordKey> = told.keys().cloned().collect();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    let mut aside = Vec::new();
    for (key, events) in told {
        for event in events {
            match apply_event(&mut batch, &mut tx, &key, event).await {
                Ok(()) => {}
                Err(BatchError::Store(error)) => return Err(error),
                Err(BatchError::Record(error)) => aside.push((event.clone(), error)),
            }
        }
    }
    let now = batch.now();
    let written = batch.save(&mut tx).await?;
    for (event, error) in aside {
        put_aside(site, &mut tx, &event, &error, now).await?;
    }
    let ids: Vec<&str> = read.rows.iter().map(|r| r.id.as_str()).collect();
    inbox::applied(&mut tx, site.name(), &ids).await?;
    tx.commit().await?;
    written.tell(engine, site);
    Ok(())
}

/// Each record's events in the order of their times.
fn by_record<'e>(site: &Site, events: &'e [Event]) -> BTreeMap<RecordKey, Vec<&'e Event>> {
    let mut told: BTreeMap<RecordKey, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let key = RecordKey { connection: site.name().clone(), object: event.object, id: event.id.clone() };
        told.entry(key).or_default().push(event);
    }
    for events in told.values_mut() {
        events.sort_by_key(|e| e.at);
        events.dedup();
    }
    told
}

async fn apply_event(
    batch: &mut Batch<'_>,
    tx: &mut crate::store::Tx,
    key: &RecordKey,
    event: &Event,
) -> Result<(), BatchError> {
    let what = match &event.says {
        // A moment that has not come yet cannot be believed: the record itself is asked.
        _ if event.at > batch.now() + FUTURE_TOLERANCE => return batch.decide(key, Input::Noticed),
        Says::ReadIt => return batch.decide(key, Input::Noticed),
        Says::Changed(values) => What::Fields(values.clone()),
        Says::Deleted => What::Deleted,
        Says::Restored => What::Restored,
        Says::Merged { into } => What::Merged { into: into.clone() },
    };
    batch.change(tx, key, Change { at: event.at, what, by: event.by.clone() }).await
}

async fn put_aside(
    site: &Site,
    tx: &mut crate::store::Tx,
    event: &Event,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let body = serde_json::to_string(event).map_err(|e| StoreError::Refused(e.to_string()))?;
    let row =
        NewDelivery { connection: site.name().clone(), delivery_id: None, kind: Kind::Event, body, received_at: now };
    inbox::put_aside(tx, &row, error).await?;
    tracing::error!(connection = %site.name(), record.id = %event.id, "an event was set aside: {error}");
    Ok(())
}
