//! Tasks for owners in the CRM: read, confirm, intent, create; a task carries its key in its text,
//! so that after a doubt it is looked for before it is made again.

use super::call::{Sent, settle_items};
use super::desk::{Desk, distinct};
use super::intent::{Judged, judge};
use super::item::Teller;
use super::reads::{Seen, apply};
use super::rest::Call;
use super::{Deliver, GATHER, Sliced};
use crate::crm::{CrmError, ItemResult, NewTask};
use crate::engine::batch::Batch;
use crate::record::{Action, Effect, Object, Outcome, RecordId};
use crate::store::StoreError;
use crate::store::outbox::{self, Lane, OutboxRow};

/// A task that is about to be made.
struct Ready {
    row: OutboxRow,
    task: NewTask,
}

impl Deliver {
    pub(super) async fn tasks(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        if !self.may_call(desk) || desk.is_paused().await? {
            return Ok(0);
        }
        let (engine, site) = (desk.engine, desk.site);
        let mut rows = outbox::due(&engine.db, site.name(), Lane::Task, engine.clock.now(), GATHER).await?;
        let mut moved = self.hold_refused(desk, &mut rows).await?;
        for object in [Object::Lead, Object::Opportunity] {
            let of: Vec<OutboxRow> = rows.iter().filter(|r| r.effect.record.object == object).cloned().collect();
            let limits = site.crm.limits();
            let most = limits.tasks.min(limits.read).min(self.smaller.unwrap_or(usize::MAX));
            for slice in of.chunks(most.max(1)) {
                if !self.may_call(desk) || desk.is_paused().await? {
                    return Ok(moved);
                }
                match self.task_slice(desk, object, slice).await? {
                    Sliced::On(more) => moved += more,
                    Sliced::Over(more) => return Ok(moved + more),
                }
            }
        }
        Ok(moved)
    }

    async fn task_slice(&mut self, desk: Desk<'_>, object: Object, rows: &[OutboxRow]) -> Result<Sliced, StoreError> {
        let ids: Vec<RecordId> = distinct(rows.iter().map(|r| r.effect.record.id.clone()));
        let Ok(seen) = self.ask(desk, object, &ids).await else { return Ok(Sliced::Over(0)) };
        if desk.is_paused().await? {
            return Ok(Sliced::Over(0));
        }
        let ready = prepare(desk, object, rows, &ids, &seen).await?;
        if ready.is_empty() {
            return Ok(Sliced::On(rows.len()));
        }
        if seen.age() > desk.patience.read_age {
            desk.untried(ready.iter().map(|r| &r.row), "the read before it grew too old").await?;
            return Ok(Sliced::Over(0));
        }
        for Ready { row, .. } in &ready {
            tracing::debug!(record = %row.effect.record, action = "task", effect = %row.effect.key, "sending");
        }
        let tasks: Vec<NewTask> = ready.iter().map(|r| r.task.clone()).collect();
        let answer = desk.site.crm.create_tasks(&tasks).await;
        let sent = ready.iter().map(|r| Sent { row: &r.row, intent: None }).collect();
        self.settle_call(desk, Call::Task, sent, answer).await
    }

    /// After a doubt: tasks that exist are done, the others are due again.
    pub(super) async fn find_tasks(&mut self, desk: Desk<'_>, rows: Vec<OutboxRow>) -> Result<usize, StoreError> {
        let mut moved = 0;
        for slice in rows.chunks(desk.site.crm.limits().tasks) {
            if !self.may_call(desk) {
                return Ok(moved);
            }
            let (known, wanted): (Vec<&OutboxRow>, Vec<NewTask>) =
                slice.iter().filter_map(|row| Some((row, stored(row)?))).unzip();
            let found = desk.site.crm.find_tasks(&wanted).await;
            self.note(desk, Call::Task, wanted.len(), found.as_ref().err()).await;
            let found = match found {
                Ok(found) => found,
                Err(CrmError::Never { message }) => {
                    let effects: Vec<&Effect> = slice.iter().map(|row| &row.effect).collect();
                    let error = format!("whether it was made is unknown, since it cannot be looked for: {message}");
                    moved += desk.park(&effects, &error).await?;
                    continue;
                }
                Err(_) => return Ok(moved),
            };
            let now = desk.engine.clock.now();
            let (mut made, mut lost) = (Vec::new(), Vec::new());
            for (row, id) in known.into_iter().zip(found) {
                match id {
                    Some(_) => made.push((Sent { row, intent: None }, ItemResult::Done { modified: now, note: id })),
                    None => lost.push(row),
                }
            }
            // What cannot be looked for was stored by no version of this daemon: made anew.
            lost.extend(slice.iter().filter(|row| stored(row).is_none()));
            desk.untried(lost.into_iter(), "not found in the CRM").await?;
            settle_items(desk, made).await?;
            moved += slice.len();
        }
        Ok(moved)
    }
}

/// The task as it was stored before it was sent.
fn stored(row: &OutboxRow) -> Option<NewTask> {
    serde_json::from_str(row.payload.as_deref()?).ok()
}

async fn prepare(
    desk: Desk<'_>,
    object: Object,
    rows: &[OutboxRow],
    ids: &[RecordId],
    seen: &Seen,
) -> Result<Vec<Ready>, StoreError> {
    let site = desk.site;
    let people = site.directory.people(&desk.engine.db, site.name(), &site.crm, &[]).await?;
    let keys = desk.keys(object, ids.iter());
    let mut tx = desk.begin().await?;
    let mut batch = desk.load(&mut tx, &keys).await?;
    apply(desk, &mut batch, &mut tx, &keys, seen).await?;
    let teller = Teller { site, people: &people, now: batch.now() };
    let (mut ready, mut settled) = (Vec::new(), Vec::new());
    for row in rows {
        let id = &row.effect.record.id;
        if let Some(error) = seen.refusal(id) {
            settled.push((&row.effect, Outcome::Parked { error: error.to_owned() }));
            continue;
        }
        if seen.record(id).is_none() {
            desk.untold(&mut tx, &batch, row).await?;
            continue;
        }
        if matches!(row.effect.action, Action::Note { .. }) && !site.crm.keeps_notes() {
            settled.push((
                &row.effect,
                Outcome::Dropped { reason: "this CRM takes no activities that are done".to_owned() },
            ));
            continue;
        }
        match judge(desk, &batch, &row.effect) {
            Judged::Send(()) => match task(desk, &batch, &teller, &row.effect) {
                Ok(task) => ready.push(Ready { row: row.clone(), task }),
                Err(error) => settled.push((&row.effect, Outcome::Parked { error })),
            },
            Judged::End(outcome) | Judged::Nothing(outcome) => settled.push((&row.effect, outcome)),
            Judged::Wait(until, why) => desk.wait(&mut tx, &batch, row, until, why).await?,
        }
    }
    let mut intents = Vec::with_capacity(ready.len());
    for r in &ready {
        let json = serde_json::to_string(&r.task).map_err(|e| StoreError::Refused(e.to_string()))?;
        intents.push((r.row.effect.key.clone(), json));
    }
    let taken = outbox::mark_sending(&mut tx, site.name(), &intents, batch.now()).await?;
    ready.retain(|r| taken.contains(&r.row.effect.key));
    desk.finish(tx, batch, settled).await?;
    Ok(ready)
}

fn task(desk: Desk<'_>, batch: &Batch<'_>, teller: &Teller<'_>, effect: &Effect) -> Result<NewTask, String> {
    let standing = batch.standing(&effect.record).ok_or("the record is not known")?;
    let item = teller.item(standing, effect);
    let (title, done) = match &effect.action {
        Action::Task { title } => (crate::notify::task_title(title, &item).map_err(|e| e.to_string())?, false),
        Action::Note { text } => (text.to_string(), true),
        _ => return Err("not a task".to_owned()),
    };
    let deadline = item.deadline.map(|d| format!(", due {d}")).unwrap_or_default();
    Ok(NewTask {
        object: effect.record.object,
        record: effect.record.id.clone(),
        owner: standing.owner(),
        title,
        body: format!("{}{deadline}. Agreed in: {}.", effect.source, desk.site.agreement.title),
        due: effect.deadline.unwrap_or(effect.at),
        done,
        key: effect.key.to_string(),
    })
}
