//! Calls whose end is unknown, this process's or another's before it: the record is read back, and
//! what stands there as intended was done; everything else is due again.

use super::Deliver;
use super::desk::Desk;
use super::intent::Intent;
use super::reads::Seen;
use crate::crm::ReadRecord;
use crate::record::{Effect, EffectKey, Object, Outcome, RecordId, Value};
use crate::store::StoreError;
use crate::store::outbox::{self, Lane, OutboxRow};

impl Deliver {
    /// Looks into writes and tasks in doubt.
    pub(super) async fn resolve_doubts(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        let (writes, tasks) = self.ripe(desk).await?;
        if !self.may_call(desk) {
            return Ok(0);
        }
        Ok(self.read_back(desk, writes).await? + self.find_tasks(desk, tasks).await?)
    }

    /// Nobody can tell whether a message arrived before the crash: it is sent once more at the most,
    /// and at once, since waiting would tell nothing and what it warns of comes nearer.
    pub(super) async fn left_over_notices(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        let mut sending = outbox::sending(&desk.engine.db, desk.site.name()).await?;
        sending.retain(|row| Lane::of(&row.effect.action) == Lane::Notify);
        desk.untried(sending.iter(), "sent again after a crash").await
    }

    /// Writes and tasks in doubt that have waited long enough.
    async fn ripe(&mut self, desk: Desk<'_>) -> Result<(Vec<OutboxRow>, Vec<OutboxRow>), StoreError> {
        let mut sending = outbox::sending(&desk.engine.db, desk.site.name()).await?;
        sending.retain(|row| Lane::of(&row.effect.action) != Lane::Notify);
        self.doubts.retain(|key, _| sending.iter().any(|row| &row.effect.key == key));
        sending.retain(|row| self.is_ripe(&row.effect.key));
        Ok(sending.into_iter().partition(|row| Lane::of(&row.effect.action) == Lane::Write))
    }

    async fn read_back(&mut self, desk: Desk<'_>, rows: Vec<OutboxRow>) -> Result<usize, StoreError> {
        let mut moved = 0;
        for object in [Object::Lead, Object::Opportunity] {
            let of: Vec<OutboxRow> = rows.iter().filter(|r| r.effect.record.object == object).cloned().collect();
            for slice in of.chunks(desk.site.crm.limits().read) {
                if !self.may_call(desk) {
                    return Ok(moved);
                }
                let ids: Vec<RecordId> = slice.iter().map(|r| r.effect.record.id.clone()).collect();
                let Ok(seen) = self.ask(desk, object, &ids).await else { return Ok(moved) };
                moved += self.settle_doubts(desk, object, slice, &seen).await?;
            }
        }
        Ok(moved)
    }

    async fn settle_doubts(
        &mut self,
        desk: Desk<'_>,
        object: Object,
        rows: &[OutboxRow],
        seen: &Seen,
    ) -> Result<usize, StoreError> {
        let mut settled: Vec<(&Effect, Outcome)> = Vec::new();
        let (mut untold, mut undone) = (Vec::new(), Vec::new());
        for row in rows {
            let id = &row.effect.record.id;
            match (seen.record(id), seen.refusal(id)) {
                (None, Some(error)) => settled.push((&row.effect, unknown(error))),
                (None, None) => untold.push(row.effect.key.clone()),
                (Some(_), _) => match landed(row, seen) {
                    Some(done) => settled.push((&row.effect, done)),
                    None => undone.push(row),
                },
            }
        }
        // It stays in doubt what the CRM did not speak of.
        self.doubt(untold.into_iter(), desk.patience.untold);
        let moved = settled.len();
        let keys = desk.keys(object, rows.iter().map(|r| &r.effect.record.id));
        let mut tx = desk.begin().await?;
        let batch = desk.load(&mut tx, &keys).await?;
        let undone: Vec<EffectKey> = undone.iter().map(|r| r.effect.key.clone()).collect();
        let why = "not done, by the record itself";
        outbox::untried(&mut tx, desk.site.name(), &undone, batch.now(), why, batch.now()).await?;
        desk.finish(tx, batch, settled).await?;
        Ok(moved + undone.len())
    }
}

fn unknown(why: &str) -> Outcome {
    Outcome::Parked { error: format!("whether it was done is unknown, since the record cannot be read: {why}") }
}

/// Whether the record shows what an earlier try was to leave.
pub(super) fn landed(row: &OutboxRow, seen: &Seen) -> Option<Outcome> {
    let intent = Intent::stored(row)?;
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
