//! Tasks for owners in the CRM: read, confirm, intent, create; a task carries its key in its text,
//! so that after a doubt it is looked for before it is made again.

use super::item::Teller;
use super::reads::{Seen, UNTOLD, apply, keys};
use super::writes::{Judged, again_all, finish, judge};
use super::{ATTEMPTS, Deliver, GATHER, READ_AGE, backoff};
use crate::crm::{CrmError, ItemResult, NewTask};
use crate::engine::batch::Batch;
use crate::engine::clock::monotonic_now;
use crate::engine::context::{Engine, Site};
use crate::record::{Action, Object, Outcome, RecordId};
use crate::store::lease::Lease;
use crate::store::outbox::{self, Lane, OutboxRow};
use crate::store::{Priority, StoreError};
use std::collections::{BTreeMap, HashSet};

/// A task that is about to be made.
struct Ready {
    row: OutboxRow,
    task: NewTask,
}

impl Deliver {
    pub(super) async fn tasks(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let rows = outbox::due(&engine.db, site.name(), Lane::Task, engine.clock.now(), GATHER).await?;
        let mut by_object: BTreeMap<Object, Vec<OutboxRow>> = BTreeMap::new();
        for row in rows {
            by_object.entry(row.effect.record.object).or_default().push(row);
        }
        let mut moved = 0;
        for (object, rows) in by_object {
            let limits = site.crm.limits();
            for slice in rows.chunks(limits.tasks.min(limits.read)) {
                match self.task_slice(engine, site, lease, object, slice).await? {
                    Some(more) => moved += more,
                    None => return Ok(moved),
                }
            }
        }
        Ok(moved)
    }

    /// `None`: the CRM needs a rest.
    async fn task_slice(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        object: Object,
        rows: &[OutboxRow],
    ) -> Result<Option<usize>, StoreError> {
        let ids: HashSet<RecordId> = rows.iter().map(|r| r.effect.record.id.clone()).collect();
        let ids: Vec<RecordId> = ids.into_iter().collect();
        let Ok(seen) = self.ask(engine, site, object, &ids).await else { return Ok(None) };
        let ready = prepare(engine, site, lease, rows, &ids, &seen).await?;
        if ready.is_empty() {
            return Ok(Some(rows.len()));
        }
        let sent: Vec<OutboxRow> = ready.iter().map(|r| r.row.clone()).collect();
        if monotonic_now().duration_since(seen.at) > READ_AGE {
            again_all(engine, site, lease, &sent, "the read before it grew too old").await?;
            return Ok(Some(0));
        }
        let tasks: Vec<NewTask> = ready.iter().map(|r| r.task.clone()).collect();
        match site.crm.create_tasks(&tasks).await {
            Ok(results) => {
                self.rest.worked();
                engine.metrics.call(site.name(), "task", "ok");
                settle(engine, site, lease, ready.iter().map(|r| &r.row).zip(results).collect()).await?;
                Ok(Some(sent.len()))
            }
            Err(error) => {
                tracing::warn!(connection = %site.name(), tasks = sent.len(), "tasks could not be made: {error}");
                engine.metrics.call(site.name(), "task", "failed");
                self.rest.failed(&error);
                match error {
                    CrmError::Doubt { .. } => self.doubt(sent.iter().map(|r| r.effect.key.clone())),
                    CrmError::Never { message } => {
                        let refused = |row| (row, ItemResult::Refused { message: message.clone() });
                        settle(engine, site, lease, sent.iter().map(refused).collect()).await?;
                    }
                    CrmError::Later { .. } | CrmError::SignIn { .. } => {
                        again_all(engine, site, lease, &sent, &error.to_string()).await?;
                    }
                }
                Ok(None)
            }
        }
    }

    /// After a doubt: tasks that exist are done, the others are due again.
    pub(super) async fn find_tasks(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        rows: Vec<OutboxRow>,
    ) -> Result<usize, StoreError> {
        let mut moved = 0;
        for slice in rows.chunks(site.crm.limits().tasks) {
            let wanted: Vec<NewTask> = slice.iter().filter_map(stored_task).collect();
            let found = match site.crm.find_tasks(&wanted).await {
                Ok(found) => found,
                Err(error) => {
                    self.rest.failed(&error);
                    return Ok(moved);
                }
            };
            let id_of = |row: &OutboxRow| {
                let at = wanted.iter().position(|t| t.key == row.effect.key.as_str())?;
                found.get(at).cloned().flatten()
            };
            let (done, lost): (Vec<&OutboxRow>, Vec<&OutboxRow>) = slice.iter().partition(|row| id_of(row).is_some());
            let lost: Vec<OutboxRow> = lost.into_iter().cloned().collect();
            again_all(engine, site, lease, &lost, "not found in the CRM").await?;
            let now = engine.clock.now();
            let results = done.into_iter().map(|row| (row, ItemResult::Done { modified: now, note: id_of(row) }));
            settle(engine, site, lease, results.collect()).await?;
            moved += slice.len();
        }
        Ok(moved)
    }
}

/// The task as it was stored before it was sent.
fn stored_task(row: &OutboxRow) -> Option<NewTask> {
    serde_json::from_str(row.payload.as_deref()?).ok()
}

async fn prepare(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    rows: &[OutboxRow],
    ids: &[RecordId],
    seen: &Seen,
) -> Result<Vec<Ready>, StoreError> {
    let people = site.directory.people(&engine.db, site.name(), &site.crm, &[]).await?;
    let keys = keys(site, rows[0].effect.record.object, ids.iter());
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
            Judged::Send => match task(site, &batch, &Teller { site, people: &people, now: batch.now() }, row) {
                Ok(task) => ready.push(Ready { row: row.clone(), task }),
                Err(error) => settled.push((row, Outcome::Parked { error })),
            },
            Judged::End(outcome) => settled.push((row, outcome)),
            Judged::Wait(until) => {
                outbox::again(&mut tx, site.name(), &row.effect.key, until, "waiting", batch.now()).await?;
            }
        }
    }
    let mut intents = Vec::with_capacity(ready.len());
    for r in &ready {
        let json = serde_json::to_string(&r.task).map_err(|e| StoreError::Refused(e.to_string()))?;
        intents.push((r.row.effect.key.clone(), json));
    }
    let taken = outbox::mark_sending(&mut tx, site.name(), &intents, batch.now()).await?;
    ready.retain(|r| taken.contains(&r.row.effect.key));
    finish(engine, site, tx, batch, settled).await?;
    Ok(ready)
}

fn task(site: &Site, batch: &Batch<'_>, teller: &Teller<'_>, row: &OutboxRow) -> Result<NewTask, String> {
    let effect = &row.effect;
    let standing = batch.standing(&effect.record).ok_or("the record is not known")?;
    let Action::Task { title } = &effect.action else { return Err("not a task".to_owned()) };
    let item = teller.item(standing, effect);
    let title = crate::notify::task_title(title, &item).map_err(|e| e.to_string())?;
    let deadline = item.deadline.map(|d| format!(", due {d}")).unwrap_or_default();
    Ok(NewTask {
        object: effect.record.object,
        record: effect.record.id.clone(),
        owner: standing.owner(),
        title,
        body: format!("{}{deadline}. Agreed in: {}.", effect.source, site.agreement.title),
        due: effect.deadline.unwrap_or(effect.at),
        key: effect.key.to_string(),
    })
}

async fn settle(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    items: Vec<(&OutboxRow, ItemResult)>,
) -> Result<(), StoreError> {
    let Some((first, _)) = items.first() else { return Ok(()) };
    let ids: HashSet<RecordId> = items.iter().map(|(r, _)| r.effect.record.id.clone()).collect();
    let keys = keys(site, first.effect.record.object, ids.iter());
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let batch = Batch::load(engine, site, &mut tx, &keys).await?;
    let mut settled = Vec::new();
    for (row, result) in items {
        match result {
            ItemResult::Done { modified, note } => {
                settled.push((row, Outcome::Done { at: modified, since: modified, values: Vec::new(), note }));
            }
            ItemResult::Refused { message } => settled.push((row, Outcome::Parked { error: message })),
            ItemResult::Gone { message } => settled.push((row, Outcome::Dropped { reason: message })),
            ItemResult::Later { message, .. } if row.attempts >= ATTEMPTS => {
                settled.push((row, Outcome::Parked { error: format!("given up after {ATTEMPTS} tries: {message}") }));
            }
            ItemResult::Later { message, after } => {
                let at = batch.now() + engine.clock.to_engine(after.unwrap_or_else(|| backoff(row.attempts)));
                outbox::again(&mut tx, site.name(), &row.effect.key, at, &message, batch.now()).await?;
            }
        }
    }
    finish(engine, site, tx, batch, settled).await
}
