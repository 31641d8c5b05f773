//! Reads that the core asked for, and the reading that comes before every write.

use super::{Deliver, GATHER, only_store};
use crate::agreement::Standing;
use crate::crm::{CrmError, ReadRecord, Reads};
use crate::engine::batch::Batch;
use crate::engine::clock::monotonic_now;
use crate::engine::context::{Engine, Site};
use crate::record::change::{FieldValues, Reading};
use crate::record::{Actor, Change, Elapsed, FieldName, Object, Outcome, RecordId, RecordKey, Timestamp, Value, What};
use crate::store::lease::Lease;
use crate::store::outbox::{self, Lane, OutboxRow};
use crate::store::{Priority, StoreError, Tx};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// How long a record that the CRM did not speak of waits for the next read.
pub(super) const UNTOLD: Elapsed = Elapsed::from_secs(5);

/// By so much a read may have been made later than its `Date` header says.
const GRAIN: Elapsed = Elapsed::from_millis(999);

/// Records as the CRM showed them, and when that was, really.
pub(super) struct Seen {
    pub reads: Reads,
    pub at: Instant,
}

impl Seen {
    pub fn record(&self, id: &RecordId) -> Option<&ReadRecord> {
        self.reads.records.iter().find(|(found, _)| found == id).map(|(_, record)| record)
    }
}

impl Deliver {
    /// Reads what was asked for, each record once however often it was asked for.
    pub(super) async fn reads(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let rows = outbox::due(&engine.db, site.name(), Lane::Read, engine.clock.now(), GATHER).await?;
        let mut wanted: BTreeMap<Object, BTreeSet<RecordId>> = BTreeMap::new();
        for row in &rows {
            wanted.entry(row.effect.record.object).or_default().insert(row.effect.record.id.clone());
        }
        let mut moved = 0;
        for (object, ids) in wanted {
            let ids: Vec<RecordId> = ids.into_iter().collect();
            for slice in ids.chunks(site.crm.limits().read) {
                let asked: Vec<&OutboxRow> = rows
                    .iter()
                    .filter(|r| r.effect.record.object == object && slice.contains(&r.effect.record.id))
                    .collect();
                match self.ask(engine, site, object, slice).await {
                    Ok(seen) => moved += settle_reads(engine, site, lease, &asked, slice, &seen).await?,
                    Err(CrmError::Never { message }) => {
                        moved += park_reads(engine, site, lease, &asked, &message).await?
                    }
                    Err(_) => return Ok(moved),
                }
            }
        }
        Ok(moved)
    }

    /// One read call, counted, with the CRM's rest kept.
    pub(super) async fn ask(
        &mut self,
        engine: &Engine,
        site: &Site,
        object: Object,
        ids: &[RecordId],
    ) -> Result<Seen, CrmError> {
        let at = monotonic_now();
        match site.crm.read(object, ids).await {
            Ok(reads) => {
                self.rest.worked();
                engine.metrics.call(site.name(), "read", "ok");
                Ok(Seen { reads, at })
            }
            Err(error) => {
                tracing::warn!(connection = %site.name(), %object, records = ids.len(), "a read failed: {error}");
                engine.metrics.call(site.name(), "read", "failed");
                self.rest.failed(&error);
                Err(error)
            }
        }
    }
}

async fn settle_reads(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    asked: &[&OutboxRow],
    ids: &[RecordId],
    seen: &Seen,
) -> Result<usize, StoreError> {
    let Some(object) = asked.first().map(|row| row.effect.record.object) else { return Ok(0) };
    let keys = keys(site, object, ids.iter());
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    apply(&mut batch, &mut tx, &keys, seen).await?;
    let mut settled = Vec::new();
    for row in asked {
        if seen.record(&row.effect.record.id).is_none() {
            let later = batch.now() + UNTOLD;
            outbox::again(&mut tx, site.name(), &row.effect.key, later, "the CRM did not tell", batch.now()).await?;
            continue;
        }
        let outcome = Outcome::Done { at: seen.reads.at, since: seen.reads.at, values: Vec::new(), note: None };
        only_store(batch.settle(&row.effect, outcome.clone()))?;
        settled.push((row.effect.key.clone(), outcome));
    }
    let now = batch.now();
    let written = batch.save(&mut tx).await?;
    outbox::settle(&mut tx, site.name(), &settled, now).await?;
    tx.commit().await?;
    written.tell(engine, site);
    Ok(settled.len())
}

/// The CRM will not answer this until somebody changes something.
async fn park_reads(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    asked: &[&OutboxRow],
    error: &str,
) -> Result<usize, StoreError> {
    let keys: Vec<RecordKey> =
        asked.iter().map(|r| r.effect.record.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    let outcome = Outcome::Parked { error: error.to_owned() };
    for row in asked {
        only_store(batch.settle(&row.effect, outcome.clone()))?;
    }
    let now = batch.now();
    let written = batch.save(&mut tx).await?;
    let settled: Vec<_> = asked.iter().map(|r| (r.effect.key.clone(), outcome.clone())).collect();
    outbox::settle(&mut tx, site.name(), &settled, now).await?;
    tx.commit().await?;
    written.tell(engine, site);
    Ok(asked.len())
}

/// Tells the core what was read of these records.
pub(super) async fn apply(
    batch: &mut Batch<'_>,
    tx: &mut Tx,
    keys: &[RecordKey],
    seen: &Seen,
) -> Result<(), StoreError> {
    for key in keys {
        let Some(record) = seen.record(&key.id) else { continue };
        let change = match record {
            ReadRecord::Found { modified, values, unreadable } => {
                for what in unreadable {
                    tracing::warn!(record = %key, "taken as unset: {what}");
                }
                let shown = seen.reads.at.max((*modified).min(seen.reads.at + GRAIN));
                let at = batch.standing(key).map_or(shown, |s| read_at(s, shown, values));
                let reading = Reading { modified: (*modified).min(at), values: values.clone(), import: false };
                Change { at, what: What::Read(reading), by: Actor::Unknown }
            }
            ReadRecord::Gone => Change { at: gone_at(batch, key, seen), what: What::Deleted, by: Actor::Unknown },
        };
        only_store(batch.change(tx, key, change).await)?;
    }
    Ok(())
}

/// A `Date` header counts whole seconds, and a record that was modified later in that second was
/// shown as it was then: its events, which may come after the read, tell exactly what the read can
/// only guess. What we knew before, of that same second, came before the read, unless the read
/// contradicts it: then the header is taken at its word, and the event wins.
fn read_at(standing: &Standing, date: Timestamp, values: &FieldValues) -> Timestamp {
    let known = standing.folded_to;
    let same_second = date <= known && known < date + Elapsed::from_secs(1);
    let contradicts = |(name, value): &(FieldName, Value)| {
        standing.fields.field(*name).is_some_and(|f| f.value != *value && f.at > date)
    };
    if same_second && !values.iter().any(contradicts) { known + Elapsed::from_millis(1) } else { date }
}

/// A record that is no longer there went after everything that we know of it.
fn gone_at(batch: &Batch<'_>, key: &RecordKey, seen: &Seen) -> Timestamp {
    let known = batch.standing(key).map_or(Timestamp::MIN, |s| s.folded_to);
    seen.reads.at.max(known + Elapsed::from_millis(1))
}

pub(super) fn keys<'i>(site: &Site, object: Object, ids: impl Iterator<Item = &'i RecordId>) -> Vec<RecordKey> {
    ids.map(|id| RecordKey { connection: site.name().clone(), object, id: id.clone() }).collect()
}
