//! Reads that the core asked for, and the reading that comes before every write.

use super::desk::{Desk, distinct, only_store};
use super::rest::Call;
use super::{Deliver, GATHER};
use crate::agreement::Standing;
use crate::crm::{CrmError, ReadRecord, Reads};
use crate::engine::batch::Batch;
use crate::engine::clock::monotonic_now;
use crate::engine::links;
use crate::engine::signed_out;
use crate::record::change::{FieldValues, Reading};
use crate::record::{
    Actor, Change, Effect, Elapsed, FieldName, Object, Outcome, RecordId, RecordKey, Timestamp, Value, What,
};
use crate::store::outbox::{self, Lane, OutboxRow};
use crate::store::{StoreError, Tx};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// By so much a read may have been made later than its `Date` header says.
const GRAIN: Elapsed = Elapsed::from_millis(999);

/// Records as the CRM showed them.
pub(super) struct Seen {
    /// The CRM's clock at the earliest of the calls.
    pub at: Timestamp,
    records: HashMap<RecordId, ReadRecord>,
    refused: HashMap<RecordId, String>,
    began: Instant,
}

impl Seen {
    /// `None`: the CRM did not speak of it, or refused to.
    pub fn record(&self, id: &RecordId) -> Option<&ReadRecord> {
        self.records.get(id)
    }

    /// Why the CRM will not read this record until somebody changes something.
    pub fn refusal(&self, id: &RecordId) -> Option<&str> {
        self.refused.get(id).map(String::as_str)
    }

    /// How old it is, really.
    pub fn age(&self) -> Duration {
        monotonic_now().duration_since(self.began)
    }

    fn add(&mut self, reads: Reads) {
        self.at = self.at.min(reads.at);
        self.records.extend(reads.records);
    }
}

impl Deliver {
    /// Reads what was asked for, each record once however often it was asked for.
    pub(super) async fn reads(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        if !self.may_call(desk) {
            return Ok(0);
        }
        let (engine, site) = (desk.engine, desk.site);
        let rows = outbox::due(&engine.db, site.name(), Lane::Read, engine.clock.now(), GATHER).await?;
        let mut moved = 0;
        for object in [Object::Lead, Object::Opportunity] {
            let of: Vec<&OutboxRow> = rows.iter().filter(|r| r.effect.record.object == object).collect();
            let ids = distinct(of.iter().map(|r| r.effect.record.id.clone()));
            for slice in ids.chunks(site.crm.limits().read) {
                if !self.may_call(desk) {
                    return Ok(moved);
                }
                let asked: Vec<&OutboxRow> =
                    of.iter().copied().filter(|r| slice.binary_search(&r.effect.record.id).is_ok()).collect();
                let Ok(seen) = self.ask(desk, object, slice).await else { return Ok(moved) };
                moved += settle_reads(desk, object, &asked, slice, &seen).await?;
            }
        }
        Ok(moved)
    }

    /// Reads these records. A call that is refused is cut in halves, down to the records that are to
    /// blame. Any other failure begins a rest.
    pub(super) async fn ask(&mut self, desk: Desk<'_>, object: Object, ids: &[RecordId]) -> Result<Seen, CrmError> {
        let began = monotonic_now();
        let mut seen = Seen { at: Timestamp::MAX, records: HashMap::new(), refused: HashMap::new(), began };
        let mut open = vec![ids];
        while let Some(ids) = open.pop() {
            match self.call(desk, object, ids).await {
                Ok(reads) => seen.add(reads),
                Err(CrmError::Never { .. }) if ids.len() > 1 => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    open.extend([second, first]);
                }
                Err(CrmError::Never { message }) => {
                    seen.refused.extend(ids.iter().map(|id| (id.clone(), message.clone())))
                }
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    async fn call(&self, desk: Desk<'_>, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
        let (name, metrics) = (desk.site.name(), &desk.engine.metrics);
        match desk.site.crm.read(object, ids).await {
            Ok(reads) => {
                self.rest.worked(Call::Read);
                metrics.call(name, Call::Read.as_str(), "ok");
                tracing::debug!(%object, records = ids.len(), "read");
                Ok(reads)
            }
            Err(error) => {
                tracing::warn!(%object, records = ids.len(), "a read failed: {error}");
                metrics.call(name, Call::Read.as_str(), "failed");
                self.rest.failed(Call::Read, &error);
                signed_out::note(desk.engine, desk.site, desk.lease, &error).await;
                Err(error)
            }
        }
    }
}

async fn settle_reads(
    desk: Desk<'_>,
    object: Object,
    asked: &[&OutboxRow],
    ids: &[RecordId],
    seen: &Seen,
) -> Result<usize, StoreError> {
    let keys = desk.keys(object, ids.iter());
    let mut tx = desk.begin().await?;
    let mut batch = desk.load(&mut tx, &keys).await?;
    apply(desk, &mut batch, &mut tx, &keys, seen).await?;
    let mut settled: Vec<(&Effect, Outcome)> = Vec::new();
    for row in asked {
        let id = &row.effect.record.id;
        if seen.record(id).is_some() {
            let done = Outcome::Done { at: seen.at, since: seen.at, values: Vec::new(), note: None };
            settled.push((&row.effect, done));
        } else if let Some(error) = seen.refusal(id) {
            settled.push((&row.effect, Outcome::Parked { error: error.to_owned() }));
        } else {
            desk.untold(&mut tx, &batch, row).await?;
        }
    }
    let moved = settled.len();
    desk.finish(tx, batch, settled).await?;
    Ok(moved)
}

/// Tells the core what was read of these records.
pub(super) async fn apply(
    desk: Desk<'_>,
    batch: &mut Batch<'_>,
    tx: &mut Tx,
    keys: &[RecordKey],
    seen: &Seen,
) -> Result<(), StoreError> {
    let mut linked = Vec::new();
    for key in keys {
        let Some(record) = seen.record(&key.id) else { continue };
        let change = shown(batch.standing(key), key, seen.at, record);
        linked.extend(links::news(batch, key, &change).into_iter().map(|lead| (lead, key.id.clone())));
        only_store(batch.change(tx, key, change).await)?;
    }
    links::notice(batch, tx, desk.site, linked).await
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
fn gone_at(standing: Option<&Standing>, date: Timestamp) -> Timestamp {
    let known = standing.map_or(Timestamp::MIN, |s| s.folded_to);
    date.max(known + Elapsed::from_millis(1))
}

/// A record as the CRM showed it, at the `Date` of its answer, as a change of what we know.
pub(in crate::engine) fn shown(
    standing: Option<&Standing>,
    key: &RecordKey,
    date: Timestamp,
    record: &ReadRecord,
) -> Change {
    let (at, what) = match record {
        ReadRecord::Found { modified, values, unreadable } => {
            for what in unreadable {
                tracing::warn!(record = %key, "taken as unset: {what}");
            }
            let shown = date.max((*modified).min(date + GRAIN));
            let at = standing.map_or(shown, |s| read_at(s, shown, values));
            let modified = (*modified).min(at);
            (at, What::Read(Reading { modified, values: values.clone(), import: false, from_now: false }))
        }
        ReadRecord::Gone => (gone_at(standing, date), What::Deleted),
    };
    Change { at, what, by: Actor::Unknown }
}
