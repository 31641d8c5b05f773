//! What a write or a task call came to: an answer for each item, or one failure for all of them.

use super::desk::{Desk, distinct, only_store};
use super::intent::Intent;
use super::refusals;
use super::rest::Call;
use super::{ATTEMPTS, Deliver, Sliced, backoff};
use crate::agreement::Input;
use crate::crm::{CrmError, ItemResult};
use crate::engine::signed_out;
use crate::record::{Effect, Outcome};
use crate::store::StoreError;
use crate::store::outbox::OutboxRow;

/// One item of a call.
pub(super) struct Sent<'a> {
    /// As it was before this try.
    pub row: &'a OutboxRow,
    /// What a field write leaves on the record; a task leaves nothing there.
    pub intent: Option<&'a Intent>,
}

impl Sent<'_> {
    fn is_last_try(&self) -> bool {
        self.row.attempts + 1 >= ATTEMPTS
    }

    fn done(&self, result: &ItemResult) -> Option<Outcome> {
        let ItemResult::Done { modified, note } = result else { return None };
        let values = self.intent.map(|i| i.values.clone()).unwrap_or_default();
        let since = self.intent.map_or(*modified, |i| i.since);
        Some(Outcome::Done { at: *modified, since, values, note: note.clone() })
    }
}

impl Deliver {
    /// Settles each item of an answered call; a failed one is tried again, in doubt, or parked.
    pub(super) async fn settle_call(
        &mut self,
        desk: Desk<'_>,
        call: Call,
        sent: Vec<Sent<'_>>,
        answer: Result<Vec<ItemResult>, CrmError>,
    ) -> Result<Sliced, StoreError> {
        let count = sent.len();
        self.note(desk, call, count, answer.as_ref().err()).await;
        match answer {
            Ok(results) => {
                let ends = refusals::ends(&sent, &results);
                settle_items(desk, sent.into_iter().zip(results).collect()).await?;
                self.count_refusals(desk, ends).await?;
                Ok(self.grow(count))
            }
            Err(CrmError::Doubt { .. }) => {
                self.halve(count);
                self.doubt(sent.iter().map(|s| s.row.effect.key.clone()), desk.patience.doubt);
                Ok(Sliced::Over(0))
            }
            Err(CrmError::Never { message }) if count > 1 => {
                self.halve(count);
                Ok(Sliced::Over(desk.untried(sent.iter().map(|s| s.row), &message).await?))
            }
            Err(CrmError::Never { message }) => {
                let effects: Vec<&Effect> = sent.iter().map(|s| &s.row.effect).collect();
                let parked = desk.park(&effects, &message).await?;
                self.count_refusals(desk, refusals::refused(&sent, &message)).await?;
                Ok(Sliced::Over(parked))
            }
            Err(error @ (CrmError::Later { .. } | CrmError::SignIn { .. })) => {
                desk.untried(sent.iter().map(|s| s.row), &error.to_string()).await?;
                Ok(Sliced::Over(0))
            }
        }
    }

    /// Counts a call, and begins the CRM's rest when it failed.
    pub(super) async fn note(&self, desk: Desk<'_>, call: Call, sent: usize, failure: Option<&CrmError>) {
        let result = if failure.is_some() { "failed" } else { "ok" };
        desk.engine.metrics.call(desk.site.name(), call.as_str(), result);
        match failure {
            None => self.rest.worked(call),
            Some(error) => {
                tracing::warn!(call = call.as_str(), records = sent, "a call failed: {error}");
                self.rest.failed(call, error);
                signed_out::note(desk.engine, desk.site, desk.lease, error).await;
            }
        }
    }
}

/// One transaction settles each item for itself.
pub(super) async fn settle_items(desk: Desk<'_>, items: Vec<(Sent<'_>, ItemResult)>) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    let keys = distinct(items.iter().map(|(sent, _)| sent.row.effect.record.clone()));
    let mut tx = desk.begin().await?;
    let mut batch = desk.load(&mut tx, &keys).await?;
    let mut settled: Vec<(&Effect, Outcome)> = Vec::new();
    for (sent, result) in &items {
        let effect = &sent.row.effect;
        settled.extend(sent.done(result).map(|done| (effect, done)));
        match result {
            ItemResult::Done { .. } => {}
            ItemResult::Refused { message } => settled.push((effect, Outcome::Parked { error: message.clone() })),
            ItemResult::Gone { message } => {
                only_store(batch.decide(&mut tx, &effect.record, Input::Noticed).await)?;
                settled.push((effect, Outcome::Dropped { reason: message.clone() }));
            }
            ItemResult::Later { message, .. } if sent.is_last_try() => {
                let error = format!("given up after {ATTEMPTS} tries: {message}");
                settled.push((effect, Outcome::Parked { error }));
            }
            ItemResult::Later { message, after } => {
                let wait = after.unwrap_or_else(|| backoff(sent.row.attempts));
                let at = batch.now() + desk.engine.clock.to_engine(wait);
                desk.wait(&mut tx, &batch, sent.row, at, message).await?;
            }
        }
    }
    desk.finish(tx, batch, settled).await
}
