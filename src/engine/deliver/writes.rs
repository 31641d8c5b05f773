//! Field writes: breaker and pace, one batch read, one transaction that stores the intents (`intent`), one call. What
//! the call came to is in `call`, what becomes of one in doubt in `doubt`.

use super::call::Sent;
use super::desk::Desk;
use super::intent::{Ready, prepare};
use super::pace;
use super::rest::Call;
use super::{Deliver, GATHER, Sliced};
use crate::crm::Write;
use crate::record::{Action, Object, RecordId, RecordKey, Timestamp};
use crate::store::StoreError;
use crate::store::outbox::{self, Lane, OutboxRow};
use std::collections::{HashMap, HashSet};

impl Deliver {
    /// Sends what is due, at most one write a record and round, in as few calls as the CRM allows.
    pub(super) async fn writes(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        if !self.may_call(desk) || desk.is_paused().await? {
            return Ok(0);
        }
        let mut rows = next_of_each(desk).await?;
        let mut moved = self.hold_refused(desk, &mut rows).await? + self.guard(desk, &mut rows).await?;
        moved += pace::keep(desk, &mut rows).await?;
        for object in [Object::Lead, Object::Opportunity] {
            let of: Vec<OutboxRow> = rows.iter().filter(|r| r.effect.record.object == object).cloned().collect();
            let limits = desk.site.crm.limits();
            let most = limits.write.min(limits.read).min(self.smaller.unwrap_or(usize::MAX));
            for slice in of.chunks(most.max(1)) {
                if !self.may_call(desk) || desk.is_paused().await? {
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
        if desk.is_paused().await? {
            return Ok(Sliced::Over(0));
        }
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
        let sent = ready.iter().map(|r| Sent { row: &r.row, intent: Some(&r.intent) }).collect();
        self.settle_call(desk, Call::Write, sent, answer).await
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
    let in_doubt: HashSet<RecordKey> = in_doubt.map(|r| r.effect.record).collect();
    let mut place: HashMap<RecordKey, usize> = HashMap::new();
    let mut next: Vec<OutboxRow> = Vec::new();
    for row in rows.into_iter().filter(|row| !in_doubt.contains(&row.effect.record)) {
        match place.get(&row.effect.record) {
            Some(at) if turn(&row) < turn(&next[*at]) => next[*at] = row,
            Some(_) => {}
            None => {
                place.insert(row.effect.record.clone(), next.len());
                next.push(row);
            }
        }
    }
    Ok(next)
}

/// What a person answered goes before what would take the record from them. Else as the agreement
/// orders them; a move ends what else its step asks for, so it comes last.
fn turn(row: &OutboxRow) -> (bool, Timestamp, bool) {
    let answers = matches!(row.effect.action, Action::Answer { .. });
    (!answers, row.effect.at, row.effect.action.moves())
}
