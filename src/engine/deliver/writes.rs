//! Field writes: one batch read, one transaction that confirms, chooses and stores the intent, one
//! call, one transaction that settles each item. Doubt is read back before anything is sent again.

use super::reads::{Seen, UNTOLD, apply, keys};
use super::{ATTEMPTS, Deliver, GATHER, Intent, READ_AGE, backoff, only_store, receiver};
use crate::agreement::{Input, Verdict, annotation, confirm};
use crate::crm::{CrmError, ItemResult, ReadRecord, Write};
use crate::engine::batch::Batch;
use crate::engine::clock::monotonic_now;
use crate::engine::context::{Engine, Site};
use crate::engine::directory::Snapshot;
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Action, Effect, EffectKey, Object, Outcome, RecordId, Timestamp, Value};
use crate::store::lease::Lease;
use crate::store::outbox::{self, Lane, OutboxRow};
use crate::store::{Priority, StoreError, Tx};
use std::collections::{BTreeMap, HashSet};

/// A write that is about to leave.
struct Ready {
    row: OutboxRow,
    intent: Intent,
}

impl Deliver {
    /// Sends what is due, at most one write a record and round, in as few calls as the CRM allows.
    pub(super) async fn writes(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let rows = outbox::due(&engine.db, site.name(), Lane::Write, engine.clock.now(), GATHER).await?;
        let mut seen = HashSet::new();
        let mut by_object: BTreeMap<Object, Vec<OutboxRow>> = BTreeMap::new();
        for row in rows {
            if seen.insert(row.effect.record.clone()) {
                by_object.entry(row.effect.record.object).or_default().push(row);
            }
        }
        let mut moved = 0;
        for (object, rows) in by_object {
            let limits = site.crm.limits();
            let most = limits.write.min(limits.read).min(self.smaller.unwrap_or(usize::MAX));
            for slice in rows.chunks(most) {
                match self.write_slice(engine, site, lease, object, slice).await? {
                    Some(more) => moved += more,
                    None => return Ok(moved),
                }
            }
        }
        Ok(moved)
    }

    /// `None`: the CRM needs a rest.
    async fn write_slice(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        object: Object,
        rows: &[OutboxRow],
    ) -> Result<Option<usize>, StoreError> {
        let ids: Vec<RecordId> = rows.iter().map(|r| r.effect.record.id.clone()).collect();
        let Ok(seen) = self.ask(engine, site, object, &ids).await else { return Ok(None) };
        let ready = prepare(engine, site, lease, rows, &seen).await?;
        if ready.is_empty() {
            return Ok(Some(rows.len()));
        }
        if monotonic_now().duration_since(seen.at) > READ_AGE {
            put_back(engine, site, lease, &ready, "the read before it grew too old").await?;
            return Ok(Some(0));
        }
        let writes: Vec<Write> = ready
            .iter()
            .map(|r| Write { id: r.row.effect.record.id.clone(), values: r.intent.values.clone() })
            .collect();
        let answer = site.crm.write(object, &writes).await;
        self.settle_call(engine, site, lease, ready, answer).await
    }

    async fn settle_call(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        ready: Vec<Ready>,
        answer: Result<Vec<ItemResult>, CrmError>,
    ) -> Result<Option<usize>, StoreError> {
        let sent = ready.len();
        match answer {
            Ok(results) => {
                self.rest.worked();
                self.smaller = None;
                engine.metrics.call(site.name(), "write", "ok");
                settle_items(engine, site, lease, ready.into_iter().zip(results).collect()).await?;
                Ok(Some(sent))
            }
            Err(error) => {
                tracing::warn!(connection = %site.name(), records = sent, "a write failed: {error}");
                engine.metrics.call(site.name(), "write", "failed");
                self.rest.failed(&error);
                match error {
                    CrmError::Doubt { .. } => self.doubt(ready.iter().map(|r| r.row.effect.key.clone())),
                    // One bad record must not take the others with it: halves are tried, down to
                    // the single one that is to blame.
                    CrmError::Never { message } if sent > 1 => {
                        self.rest.worked();
                        self.smaller = Some((sent / 2).max(1));
                        put_back(engine, site, lease, &ready, &message).await?;
                    }
                    CrmError::Never { message } => {
                        self.rest.worked();
                        refuse_all(engine, site, lease, ready, &message).await?;
                    }
                    CrmError::Later { .. } | CrmError::SignIn { .. } => {
                        put_back(engine, site, lease, &ready, &error.to_string()).await?;
                    }
                }
                Ok(None)
            }
        }
    }

    /// Looks into calls whose end is unknown, this process's or another's before it.
    pub(super) async fn resolve_doubts(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
    ) -> Result<usize, StoreError> {
        let sending = outbox::sending(&engine.db, site.name()).await?;
        self.doubts.retain(|key, _| sending.iter().any(|row| &row.effect.key == key));
        let ripe: Vec<OutboxRow> = sending.into_iter().filter(|row| self.is_ripe(&row.effect.key)).collect();
        let mut moved = 0;
        for lane in [Lane::Write, Lane::Task, Lane::Notify] {
            let rows: Vec<OutboxRow> = ripe.iter().filter(|r| Lane::of(&r.effect.action) == lane).cloned().collect();
            if rows.is_empty() {
                continue;
            }
            moved += match lane {
                Lane::Task => self.find_tasks(engine, site, lease, rows).await?,
                Lane::Write => self.read_back(engine, site, lease, rows).await?,
                // Nobody can tell whether a message arrived: it is sent once more at the most.
                Lane::Read | Lane::Notify => again_all(engine, site, lease, &rows, "sent again after a crash").await?,
            };
        }
        Ok(moved)
    }

    async fn read_back(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        rows: Vec<OutboxRow>,
    ) -> Result<usize, StoreError> {
        let mut moved = 0;
        for object in [Object::Lead, Object::Opportunity] {
            let of: Vec<OutboxRow> = rows.iter().filter(|r| r.effect.record.object == object).cloned().collect();
            for slice in of.chunks(site.crm.limits().read) {
                let ids: Vec<RecordId> = slice.iter().map(|r| r.effect.record.id.clone()).collect();
                let Ok(seen) = self.ask(engine, site, object, &ids).await else { return Ok(moved) };
                moved += settle_doubts(engine, site, lease, slice, &seen).await?;
            }
        }
        Ok(moved)
    }
}

/// One transaction: the read is applied, each effect confirmed, its values chosen, the intent stored.
async fn prepare(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    rows: &[OutboxRow],
    seen: &Seen,
) -> Result<Vec<Ready>, StoreError> {
    let people = site.directory.people(&engine.db, site.name(), &site.crm, &[]).await?;
    let keys = keys(site, rows[0].effect.record.object, rows.iter().map(|r| &r.effect.record.id));
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    apply(&mut batch, &mut tx, &keys, seen).await?;
    let mut ready = Vec::new();
    let mut settled = Vec::new();
    for row in rows {
        if seen.record(&row.effect.record.id).is_none() {
            let later = batch.now() + UNTOLD;
            outbox::again(&mut tx, site.name(), &row.effect.key, later, "the CRM did not tell", batch.now()).await?;
            continue;
        }
        match judge(engine, site, &batch, &row.effect) {
            Judged::Send => match intent(site, &mut tx, &batch, &people, row, seen.reads.at).await? {
                Ok(intent) => ready.push(Ready { row: row.clone(), intent }),
                Err(outcome) => settled.push((row, outcome)),
            },
            Judged::End(outcome) => settled.push((row, outcome)),
            Judged::Wait(until) => {
                outbox::again(&mut tx, site.name(), &row.effect.key, until, "waiting", batch.now()).await?;
            }
        }
    }
    let taken = mark(site, &mut tx, &mut batch, &ready).await?;
    ready.retain(|r| taken.contains(&r.row.effect.key));
    finish(engine, site, tx, batch, settled).await?;
    Ok(ready)
}

pub(super) enum Judged {
    Send,
    Wait(Timestamp),
    End(Outcome),
}

/// The last check, with the connection's mode.
pub(super) fn judge(engine: &Engine, site: &Site, batch: &Batch<'_>, effect: &Effect) -> Judged {
    let Some(standing) = batch.standing(&effect.record) else {
        return Judged::End(Outcome::Dropped { reason: "the record is not known".to_owned() });
    };
    let now = engine.clock.now();
    match confirm(&site.agreement, standing, effect, now) {
        Verdict::Drop(reason) => Judged::End(Outcome::Dropped { reason }),
        Verdict::Wait(until) => Judged::Wait(until),
        Verdict::Send if !site.acts || now < site.agreement.effective_at => Judged::End(Outcome::WouldHave),
        Verdict::Send => Judged::Send,
    }
}

/// What the write will leave on the record. A replay keeps the owner that was chosen first.
async fn intent(
    site: &Site,
    tx: &mut Tx,
    batch: &Batch<'_>,
    people: &Snapshot,
    row: &OutboxRow,
    since: Timestamp,
) -> Result<Result<Intent, Outcome>, StoreError> {
    if let Some(stored) = row.payload.as_deref().filter(|_| row.effect.action.moves()) {
        let kept = serde_json::from_str::<Intent>(stored);
        return kept
            .map(|kept| Ok(Intent { values: kept.values, since }))
            .map_err(|e| StoreError::Corrupt(format!("a stored intent cannot be read: {e}")));
    }
    let Some(standing) = batch.standing(&row.effect.record) else {
        return Ok(Err(Outcome::Dropped { reason: "the record is not known".to_owned() }));
    };
    let owner = well_known().owner;
    let mut values = match &row.effect.action {
        Action::Recycle { set, .. } | Action::Nurture { set } | Action::Set { set } => set.clone(),
        Action::Annotate => annotation_values(site, batch, &row.effect),
        Action::Reassign { .. } | Action::Read | Action::Notify { .. } | Action::Task { .. } => FieldValues::new(),
    };
    if let Action::Recycle { to, .. } | Action::Reassign { to } = &row.effect.action {
        let mut avoid = standing.earlier_owners.clone();
        avoid.extend(standing.owner());
        match receiver::choose(site, tx, people, to, &avoid).await? {
            Ok(chosen) => values.push((owner, chosen)),
            Err(error) => return Ok(Err(Outcome::Parked { error })),
        }
    }
    if values.is_empty() {
        let reason = "this connection maps no field for it".to_owned();
        return Ok(Err(Outcome::Dropped { reason }));
    }
    Ok(Ok(Intent { values, since }))
}

/// Our own fields, as far as the connection maps them.
fn annotation_values(site: &Site, batch: &Batch<'_>, effect: &Effect) -> FieldValues {
    let Some(standing) = batch.standing(&effect.record) else { return FieldValues::new() };
    let w = well_known();
    let said = annotation(&site.agreement, standing);
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::text(text) };
    let all = [
        (w.flag, Value::Bool(!said.violation.is_empty())),
        (w.violation, text(&said.violation)),
        (w.due, said.due.map_or(Value::Null, Value::Time)),
        (w.clock, text(said.clock.as_deref().unwrap_or_default())),
        (w.last_action, text(said.last_action.as_deref().unwrap_or_default())),
    ];
    all.into_iter().filter(|(name, _)| site.crm.maps(effect.record.object, *name)).collect()
}

async fn mark(
    site: &Site,
    tx: &mut Tx,
    batch: &mut Batch<'_>,
    ready: &[Ready],
) -> Result<HashSet<EffectKey>, StoreError> {
    let mut intents = Vec::with_capacity(ready.len());
    for r in ready {
        let json = serde_json::to_string(&r.intent).map_err(|e| StoreError::Refused(e.to_string()))?;
        intents.push((r.row.effect.key.clone(), json));
        if let Some(standing) = batch.standing_mut(&r.row.effect.record) {
            crate::agreement::intend(standing, &r.row.effect.key, r.intent.values.clone(), r.intent.since);
        }
    }
    outbox::mark_sending(tx, site.name(), &intents, batch.now()).await
}

/// Tells the core how these ended, writes everything and commits.
pub(super) async fn finish(
    engine: &Engine,
    site: &Site,
    mut tx: Tx,
    mut batch: Batch<'_>,
    settled: Vec<(&OutboxRow, Outcome)>,
) -> Result<(), StoreError> {
    let mut ends = Vec::with_capacity(settled.len());
    for (row, outcome) in settled {
        log_end(&row.effect, &outcome);
        only_store(batch.settle(&row.effect, outcome.clone()))?;
        ends.push((row.effect.key.clone(), outcome));
    }
    let now = batch.now();
    let written = batch.save(&mut tx).await?;
    outbox::settle(&mut tx, site.name(), &ends, now).await?;
    tx.commit().await?;
    written.tell(engine, site);
    Ok(())
}

fn log_end(effect: &Effect, outcome: &Outcome) {
    let (record, action) = (&effect.record, effect.action.as_str());
    match outcome {
        Outcome::Parked { error } => tracing::error!(%record, action, effect = %effect.key, "parked: {error}"),
        Outcome::Dropped { reason } => tracing::info!(%record, action, effect = %effect.key, "not done: {reason}"),
        Outcome::WouldHave => tracing::info!(%record, action, effect = %effect.key, "would have been done"),
        Outcome::Done { .. } => tracing::info!(%record, action, effect = %effect.key, "done"),
    }
}

async fn settle_items(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    items: Vec<(Ready, ItemResult)>,
) -> Result<(), StoreError> {
    let Some((first, _)) = items.first() else { return Ok(()) };
    let keys = keys(site, first.row.effect.record.object, items.iter().map(|(r, _)| &r.row.effect.record.id));
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
    let mut settled = Vec::new();
    for (ready, result) in &items {
        let row = &ready.row;
        match result {
            ItemResult::Done { modified, note } => {
                let values = ready.intent.values.clone();
                let done = Outcome::Done { at: *modified, since: ready.intent.since, values, note: note.clone() };
                settled.push((row, done));
            }
            ItemResult::Refused { message } => settled.push((row, Outcome::Parked { error: message.clone() })),
            ItemResult::Gone { message } => {
                only_store(batch.decide(&row.effect.record, Input::Noticed))?;
                settled.push((row, Outcome::Dropped { reason: message.clone() }));
            }
            ItemResult::Later { message, .. } if row.attempts >= ATTEMPTS => {
                settled.push((row, Outcome::Parked { error: format!("given up after {ATTEMPTS} tries: {message}") }));
            }
            ItemResult::Later { message, after } => {
                let wait = after.unwrap_or_else(|| backoff(row.attempts));
                let at = batch.now() + engine.clock.to_engine(wait);
                outbox::again(&mut tx, site.name(), &row.effect.key, at, message, batch.now()).await?;
            }
        }
    }
    finish(engine, site, tx, batch, settled).await
}

/// The whole call was refused.
async fn refuse_all(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    ready: Vec<Ready>,
    message: &str,
) -> Result<(), StoreError> {
    let refused = ready.into_iter().map(|r| (r, ItemResult::Refused { message: message.to_owned() })).collect();
    settle_items(engine, site, lease, refused).await
}

async fn put_back(engine: &Engine, site: &Site, lease: &Lease, ready: &[Ready], why: &str) -> Result<(), StoreError> {
    let rows: Vec<OutboxRow> = ready.iter().map(|r| r.row.clone()).collect();
    again_all(engine, site, lease, &rows, why).await.map(|_| ())
}

/// Back to due, at once: the rest of the connection, not the item's own delay, holds it.
pub(super) async fn again_all(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    rows: &[OutboxRow],
    why: &str,
) -> Result<usize, StoreError> {
    let now = engine.clock.now();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    for row in rows {
        outbox::again(&mut tx, site.name(), &row.effect.key, now, why, now).await?;
    }
    tx.commit().await?;
    Ok(rows.len())
}

/// Read back: what stands there as intended was done; everything else is due again.
async fn settle_doubts(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    rows: &[OutboxRow],
    seen: &Seen,
) -> Result<usize, StoreError> {
    let keys = keys(site, rows[0].effect.record.object, rows.iter().map(|r| &r.effect.record.id));
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let batch = Batch::load(engine, site, &mut tx, &keys).await?;
    let mut settled = Vec::new();
    for row in rows {
        let now = batch.now();
        match landed(row, seen) {
            Some(outcome) => settled.push((row, outcome)),
            None => {
                outbox::again(&mut tx, site.name(), &row.effect.key, now, "not done by the record itself", now).await?;
            }
        }
    }
    let moved = rows.len();
    finish(engine, site, tx, batch, settled).await?;
    Ok(moved)
}

/// Whether the record shows what the write was to leave.
fn landed(row: &OutboxRow, seen: &Seen) -> Option<Outcome> {
    let intent: Intent = serde_json::from_str(row.payload.as_deref()?).ok()?;
    let ReadRecord::Found { modified, values, .. } = seen.record(&row.effect.record.id)? else { return None };
    let shows = |(name, wanted): &(_, Value)| values.iter().find(|(n, _)| n == name).is_none_or(|(_, v)| v == wanted);
    let told = intent.values.iter().any(|(name, _)| values.iter().any(|(n, _)| n == name));
    (told && intent.values.iter().all(shows)).then(|| Outcome::Done {
        at: *modified,
        since: intent.since,
        values: intent.values.clone(),
        note: Some("found done when read back".to_owned()),
    })
}
