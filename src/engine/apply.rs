//! Takes what was received out of the inbox, splits it into changes and lets the core decide, many
//! in one transaction. An event that fails is set aside alone; a row that fails is tried alone.

use super::batch::{Batch, BatchError};
use super::context::{Engine, Site};
use super::privacy::{self, Erasure};
use crate::agreement::Input;
use crate::agreement::decide::FUTURE_TOLERANCE;
use crate::crm::{Event, Says, VerifiedDelivery};
use crate::record::{Change, Object, Order, RecordId, RecordKey, Timestamp, What};
use crate::store::inbox::{self, InboxRow, Kind, Mark, NewDelivery};
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError, Tx};
use std::collections::BTreeMap;
use tracing::Instrument;

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
    site.directory.recall(&engine.db, site.name(), &site.crm).await?;
    let span = tracing::info_span!("apply", connection = %site.name());
    applied(engine, site, lease, rows).instrument(span).await
}

async fn applied(engine: &Engine, site: &Site, lease: &Lease, rows: Vec<InboxRow>) -> Result<usize, StoreError> {
    let (rows, worn_out): (Vec<_>, Vec<_>) = rows.into_iter().partition(|r| r.attempts < ATTEMPTS);
    let read = Reading::of(site, together(rows));
    count_attempts(engine, site, lease, &read, &worn_out).await?;
    if let Err(error) = apply(engine, site, lease, &read).await {
        // The database failed or another replica works: that is no fault of the rows.
        if let StoreError::Unavailable(_) = error {
            forgive(engine, site, lease, &read).await;
        }
        return Err(error);
    }
    Ok(read.rows.len() + worn_out.len() + read.malformed.len())
}

/// Rows that were begun and not ended before are tried one by one, so that the one that is to blame
/// takes no other with it.
fn together(rows: Vec<InboxRow>) -> Vec<InboxRow> {
    let alone = rows.first().is_some_and(|row| row.attempts > 0);
    let mut first = true;
    let fresh = |row: &InboxRow| std::mem::take(&mut first) || (!alone && row.attempts == 0);
    rows.into_iter().take_while(fresh).collect()
}

/// What a delivery tells of one record, and which delivery.
struct Told {
    said: Said,
    delivery: String,
}

#[derive(PartialEq)]
enum Said {
    Event(Event),
    /// A person's order, and when it was given.
    Order(Order, Timestamp),
}

impl Said {
    /// Whose it is, and its place among all that is said of that record.
    fn place(&self) -> (Object, &RecordId, Timestamp) {
        match self {
            Said::Event(event) => (event.object, &event.id, event.at),
            Said::Order(order, at) => (order.object, &order.id, *at),
        }
    }

    /// One save of a form comes as an event a field: of one person and one moment they are one change,
    /// so that nothing is told of the first before the last is known. Two values of one field are left
    /// for the core to doubt.
    fn joins(&self, earlier: &mut Said) -> bool {
        let at_once = self.place() == earlier.place();
        let (Said::Event(later), Said::Event(earlier)) = (self, earlier) else { return false };
        let alike = at_once && later.by == earlier.by;
        let (Says::Changed(more), Says::Changed(known)) = (&later.says, &mut earlier.says) else { return false };
        let joins = alike && !more.iter().any(|(name, _)| known.iter().any(|(k, _)| k == name));
        if joins {
            known.extend(more.iter().cloned());
        }
        joins
    }
}

/// Rows split into events, up to a transaction's worth; one row may be more.
#[derive(Default)]
struct Reading {
    rows: Vec<InboxRow>,
    told: Vec<Told>,
    malformed: Vec<(InboxRow, String)>,
}

impl Reading {
    fn of(site: &Site, rows: Vec<InboxRow>) -> Self {
        let mut read = Self::default();
        for row in rows {
            match said(site, &row) {
                Ok(said) if !read.rows.is_empty() && read.told.len() + said.len() > CHANGES => break,
                Ok(said) => {
                    read.told.extend(said.into_iter().map(|said| Told { said, delivery: row.id.clone() }));
                    read.rows.push(row);
                }
                Err(error) => read.malformed.push((row, error)),
            }
        }
        // Each record's events by their times; those of one record stay together.
        read.told.sort_by(|a, b| a.said.place().cmp(&b.said.place()));
        read.told.dedup_by(|later, earlier| later.said == earlier.said || later.said.joins(&mut earlier.said));
        read
    }

    fn ids(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.id.as_str()).collect()
    }
}

fn said(site: &Site, row: &InboxRow) -> Result<Vec<Said>, String> {
    match row.kind {
        Kind::Delivery => {
            let delivery = VerifiedDelivery::from_inbox(row.body.clone().into_bytes());
            let events = site.crm.events(&delivery).map_err(|e| e.to_string())?.events;
            Ok(events.into_iter().map(Said::Event).collect())
        }
        Kind::Event => serde_json::from_str(&row.body).map(|e| vec![Said::Event(e)]).map_err(|e| e.to_string()),
        Kind::Order => {
            let order = serde_json::from_str(&row.body).map_err(|e| format!("the order cannot be read: {e}"))?;
            Ok(vec![Said::Order(order, row.received_at)])
        }
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
    inbox::count_attempt(&mut tx, site.name(), &read.ids()).await?;
    for row in worn_out {
        let why = row.error.as_deref().unwrap_or("its work was begun five times and never ended");
        inbox::park(&mut tx, site.name(), &row.id, why).await?;
        tracing::error!(delivery = %row.id, "a delivery was parked: {why}");
    }
    for (row, error) in &read.malformed {
        inbox::park(&mut tx, site.name(), &row.id, error).await?;
        tracing::error!(delivery = %row.id, "a delivery was parked: {error}");
    }
    tx.commit().await
}

/// As far as the database lets us: what stays counted is tried alone the next time.
async fn forgive(engine: &Engine, site: &Site, lease: &Lease, read: &Reading) {
    let forgiven = async {
        let mut tx = engine.db.begin(Priority::Work).await?;
        lease.check(&mut tx).await?;
        inbox::forgive_attempt(&mut tx, site.name(), &read.ids()).await?;
        tx.commit().await
    };
    if let Err(error) = forgiven.await {
        tracing::debug!("attempts stay counted: {error}");
    }
}

/// The rows are done with the last transaction; one that is applied again changes nothing.
async fn apply(engine: &Engine, site: &Site, lease: &Lease, read: &Reading) -> Result<(), StoreError> {
    if read.rows.is_empty() {
        return Ok(());
    }
    let mut slices = read.told.chunks(CHANGES).peekable();
    loop {
        let slice = slices.next().unwrap_or_default();
        let done = if slices.peek().is_none() { read.ids() } else { Vec::new() };
        apply_slice(engine, site, lease, slice, &done).await?;
        if !done.is_empty() {
            return Ok(());
        }
    }
}

async fn apply_slice(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    told: &[Told],
    done: &[&str],
) -> Result<(), StoreError> {
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys(site, told)).await?;
    let (mut aside, mut erasure) = (Vec::new(), Erasure::default());
    for one in told {
        match apply_one(&mut batch, &mut tx, &mut erasure, site, one).await {
            Ok(()) => {}
            Err(BatchError::Store(error)) => return Err(error),
            Err(BatchError::Record(error)) => aside.push((one, error)),
        }
    }
    let now = batch.now();
    let written = batch.save(&mut tx).await?;
    for (one, error) in aside {
        put_aside(site, &mut tx, one, &error, now).await?;
    }
    inbox::applied(&mut tx, site.name(), done).await?;
    if !erasure.is_empty() {
        erasure.finish(&mut tx, site, now).await?;
    }
    tx.commit().await?;
    written.tell(engine, site);
    Ok(())
}

fn key(site: &Site, said: &Said) -> RecordKey {
    let (object, id, _) = said.place();
    RecordKey { connection: site.name().clone(), object, id: id.clone() }
}

/// The record into which this one was merged.
fn survivor(site: &Site, said: &Said) -> Option<RecordKey> {
    let Said::Event(Event { says: Says::Merged { into }, .. }) = said else { return None };
    Some(RecordKey { id: into.clone(), ..key(site, said) })
}

/// Each record that is spoken of, once.
fn keys(site: &Site, told: &[Told]) -> Vec<RecordKey> {
    let all = told.iter().flat_map(|one| [Some(key(site, &one.said)), survivor(site, &one.said)]);
    let all: BTreeMap<RecordKey, ()> = all.flatten().map(|key| (key, ())).collect();
    all.into_keys().collect()
}

async fn apply_one(
    batch: &mut Batch<'_>,
    tx: &mut Tx,
    erasure: &mut Erasure,
    site: &Site,
    told: &Told,
) -> Result<(), BatchError> {
    let key = &key(site, &told.said);
    if batch.is_erased(key) {
        erasure.spoken_of(key);
        return Ok(());
    }
    let event = match &told.said {
        Said::Event(event) => event,
        Said::Order(order, at) if privacy::is_erasure(order) => {
            return erasure.add(batch, tx, key, *at, Some(&order.by)).await;
        }
        Said::Order(order, _) => {
            tracing::info!(record = %key, order = %told.delivery, by = %order.by, "ordered");
            return batch.decide(tx, key, Input::Ordered(order.clone())).await;
        }
    };
    tracing::debug!(record = %key, delivery = %told.delivery, at = %event.at, says = event.says.as_str(), "applied");
    let what = match &event.says {
        Says::Erased => return erasure.add(batch, tx, key, event.at, None).await,
        // A moment that has not come yet cannot be believed: the record itself is asked.
        _ if event.at > batch.now() + FUTURE_TOLERANCE => return batch.decide(tx, key, Input::Noticed).await,
        Says::ReadIt => return batch.decide(tx, key, Input::Noticed).await,
        Says::Changed(values) => What::Fields(values.clone()),
        Says::Deleted => What::Deleted,
        Says::Restored => What::Restored,
        Says::Merged { into } => What::Merged { into: into.clone() },
    };
    batch.change(tx, key, Change { at: event.at, what, by: event.by.clone() }).await?;
    match survivor(site, &told.said) {
        Some(survivor) => batch.decide(tx, &survivor, Input::Noticed).await,
        None => Ok(()),
    }
}

async fn put_aside(site: &Site, tx: &mut Tx, told: &Told, error: &str, now: Timestamp) -> Result<(), StoreError> {
    let (kind, body) = match &told.said {
        Said::Event(event) => (Kind::Event, serde_json::to_string(event)),
        Said::Order(order, _) => (Kind::Order, serde_json::to_string(order)),
    };
    let body = body.map_err(|e| StoreError::Refused(e.to_string()))?;
    let row = NewDelivery { connection: site.name().clone(), delivery_id: None, kind, body, received_at: now };
    inbox::put_aside(tx, &row, error).await?;
    tracing::error!(record = %key(site, &told.said), delivery = %told.delivery, "an event was set aside: {error}");
    Ok(())
}
