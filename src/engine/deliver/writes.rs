//! Field writes: one batch read, one transaction that stores the intents (`intent`), one call, one
//! transaction that settles each item. What becomes of calls in doubt is in `doubt`.

use super::desk::{Desk, distinct, only_store};
use super::intent::{Ready, prepare};
use super::rest::Call;
use super::{ATTEMPTS, Deliver, GATHER, Sliced, backoff};
use crate::agreement::Input;
use crate::crm::{CrmError, ItemResult, Write};
use crate::record::{Effect, Object, Outcome, RecordId, RecordKey};
use crate::store::StoreError;
use crate::store::outbox::{self, Lane, OutboxRow};
use std::collections::HashSet;

impl Deliver {
    /// Sends what is due, at most one write a record and round, in as few calls as the CRM allows.
    pub(super) async fn writes(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        if !self.may_call() {
            return Ok(0);
        }
        let rows = next_of_each(desk).await?;
        let mut moved = 0;
        for object in [Object::Lead, Object::Opportunity] {
            let of: Vec<OutboxRow> = rows.iter().filter(|r| r.effect.record.object == object).cloned().collect();
            let limits = desk.site.crm.limits();
            let most = limits.write.min(limits.read).min(self.smaller.unwrap_or(usize::MAX));
            for slice in of.chunks(most.max(1)) {
                if !self.may_call() {
                    return Ok(moved);
                }
                match self.write_slice(desk, object, slice).await? {
                    Sliced::On(more) => moved += more,
                    Sliced::Over(more) => return Ok(moved + more),
                }
            }
        }
        Ok(moved)
    }

    async fn write_slice(&mut self, desk: Desk<'_>, object: Object, rows: &[OutboxRow]) -> Result<Sliced, StoreError> {
        let ids: Vec<RecordId> = rows.iter().map(|r| r.effect.record.id.clone()).collect();
        let Ok(seen) = self.ask(desk, object, &ids).await else { return Ok(Sliced::Over(0)) };
        let ready = prepare(desk, object, rows, &seen).await?;
        if ready.is_empty() {
            return Ok(Sliced::On(rows.len()));
        }
        if seen.age() > desk.patience.read_age {
            desk.untried(ready.iter().map(|r| &r.row), "the read before it grew too old").await?;
            return Ok(Sliced::Over(0));
        }
        for Ready { row, .. } in &ready {
            let (record, action) = (&row.effect.record, row.effect.action.as_str());
            tracing::debug!(%record, action, effect = %row.effect.key, "sending");
        }
        let write = |r: &Ready| Write { id: r.row.effect.record.id.clone(), values: r.intent.values.clone() };
        let writes: Vec<Write> = ready.iter().map(write).collect();
        let answer = desk.site.crm.write(object, &writes).await;
        self.settle_call(desk, ready, answer).await
    }

    async fn settle_call(
        &mut self,
        desk: Desk<'_>,
        ready: Vec<Ready>,
        answer: Result<Vec<ItemResult>, CrmError>,
    ) -> Result<Sliced, StoreError> {
        let sent = ready.len();
        self.note(desk, Call::Write, sent, answer.as_ref().err());
        match answer {
            Ok(results) => {
                self.smaller = None;
                settle_items(desk, ready.into_iter().zip(results).collect()).await?;
                Ok(Sliced::On(sent))
            }
            Err(CrmError::Doubt { .. }) => {
                self.halve(sent);
                self.doubt(ready.iter().map(|r| r.row.effect.key.clone()), desk.patience.doubt);
                Ok(Sliced::Over(0))
            }
            Err(CrmError::Never { message }) if sent > 1 => {
                self.halve(sent);
                Ok(Sliced::Over(desk.untried(ready.iter().map(|r| &r.row), &message).await?))
            }
            Err(CrmError::Never { message }) => {
                let effects: Vec<&Effect> = ready.iter().map(|r| &r.row.effect).collect();
                Ok(Sliced::On(desk.park(&effects, &message).await?))
            }
            Err(error @ (CrmError::Later { .. } | CrmError::SignIn { .. })) => {
                desk.untried(ready.iter().map(|r| &r.row), &error.to_string()).await?;
                Ok(Sliced::Over(0))
            }
        }
    }

    /// Counts a call, and begins the CRM's rest when it failed.
    pub(super) fn note(&self, desk: Desk<'_>, call: Call, sent: usize, failure: Option<&CrmError>) {
        let result = if failure.is_some() { "failed" } else { "ok" };
        desk.engine.metrics.call(desk.site.name(), call.as_str(), result);
        match failure {
            None => self.rest.worked(call),
            Some(error) => {
                tracing::warn!(call = call.as_str(), records = sent, "a call failed: {error}");
                self.rest.failed(call, error);
            }
        }
    }
}

/// The first due write of each record. A record with a write in doubt waits until that is known: what
/// is decided before would be decided on a record that may look different by now.
async fn next_of_each(desk: Desk<'_>) -> Result<Vec<OutboxRow>, StoreError> {
    let (engine, name) = (desk.engine, desk.site.name());
    let rows = outbox::due(&engine.db, name, Lane::Write, engine.clock.now(), GATHER).await?;
    if rows.is_empty() {
        return Ok(rows);
    }
    let sending = outbox::sending(&engine.db, name).await?;
    let in_doubt = sending.into_iter().filter(|r| Lane::of(&r.effect.action) == Lane::Write);
    let mut taken: HashSet<RecordKey> = in_doubt.map(|r| r.effect.record).collect();
    Ok(rows.into_iter().filter(|row| taken.insert(row.effect.record.clone())).collect())
}

async fn settle_items(desk: Desk<'_>, items: Vec<(Ready, ItemResult)>) -> Result<(), StoreError> {
    let keys = distinct(items.iter().map(|(r, _)| r.row.effect.record.clone()));
    let mut tx = desk.begin().await?;
    let mut batch = desk.load(&mut tx, &keys).await?;
    let mut settled: Vec<(&Effect, Outcome)> = Vec::new();
    for (Ready { row, intent }, result) in &items {
        let effect = &row.effect;
        match result {
            ItemResult::Done { modified, note } => {
                let values = intent.values.clone();
                settled
                    .push((effect, Outcome::Done { at: *modified, since: intent.since, values, note: note.clone() }));
            }
            ItemResult::Refused { message } => settled.push((effect, Outcome::Parked { error: message.clone() })),
            ItemResult::Gone { message } => {
                only_store(batch.decide(&mut tx, &effect.record, Input::Noticed).await)?;
                settled.push((effect, Outcome::Dropped { reason: message.clone() }));
            }
            ItemResult::Later { message, .. } if is_last_try(row) => settled.push((effect, given_up(message))),
            ItemResult::Later { message, after } => {
                let wait = after.unwrap_or_else(|| backoff(row.attempts));
                let at = batch.now() + desk.engine.clock.to_engine(wait);
                desk.wait(&mut tx, &batch, row, at, message).await?;
            }
        }
    }
    desk.finish(tx, batch, settled).await
}

/// `row` as it was before this try.
pub(super) fn is_last_try(row: &OutboxRow) -> bool {
    row.attempts + 1 >= ATTEMPTS
}

pub(super) fn given_up(why: &str) -> Outcome {
    Outcome::Parked { error: format!("given up after {ATTEMPTS} tries: {why}") }
}
