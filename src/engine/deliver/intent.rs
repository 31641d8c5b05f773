//! What a write is about to leave on a record: chosen and stored before it is sent, so that a replay
//! leaves the same. Sending is in `writes`.

use super::desk::Desk;
use super::doubt::landed;
use super::reads::{Seen, apply};
use super::receiver::{self, NoReceiver, Staff};
use crate::agreement::{Standing, Verdict, annotation, confirm, intend};
use crate::crm::connection::Roster;
use crate::engine::batch::Batch;
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Action, Effect, EffectKey, Elapsed, Object, Outcome, Timestamp, Value};
use crate::store::outbox::{self, OutboxRow};
use crate::store::{StoreError, Tx, absence};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How long a move waits for somebody to receive it: the CRM does not tell at the moment, or all are
/// away.
const NO_RECEIVER: Elapsed = Elapsed::from_secs(60);

/// What a write is about to leave on a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub values: FieldValues,
    /// The CRM's clock at the read before.
    pub since: Timestamp,
}

impl Intent {
    /// The intent that was stored when this was sent before.
    pub fn stored(row: &OutboxRow) -> Option<Self> {
        serde_json::from_str(row.payload.as_deref()?).ok()
    }
}

/// A write that is about to leave.
pub(super) struct Ready {
    pub row: OutboxRow,
    pub intent: Intent,
}

/// What becomes of an effect when it is looked at for the last time.
pub(super) enum Judged<T> {
    Send(T),
    Wait(Timestamp, &'static str),
    End(Outcome),
    /// Nothing to do and nothing to tell.
    Nothing(Outcome),
}

fn dropped(reason: &str) -> Outcome {
    Outcome::Dropped { reason: reason.to_owned() }
}

/// One transaction: the read is applied, each effect confirmed, its values chosen, the intent stored.
pub(super) async fn prepare(
    desk: Desk<'_>,
    object: Object,
    rows: &[OutboxRow],
    seen: &Seen,
) -> Result<Vec<Ready>, StoreError> {
    let site = desk.site;
    let queues = site.connection.parties.values().filter_map(|roster| match roster {
        Roster::Queue(queue) => Some(queue.clone()),
        Roster::Members(_) | Roster::Unassigned => None,
    });
    let queues: Vec<_> = queues.collect();
    let people = site.directory.people(&desk.engine.db, site.name(), &site.crm, &queues).await?;
    let absent = absence::at(&desk.engine.db, site.name(), desk.engine.clock.now()).await?;
    let people = Staff { known: &people, away: absent.into_iter().map(|row| row.owner).collect() };
    let keys = desk.keys(object, rows.iter().map(|r| &r.effect.record.id));
    let mut tx = desk.begin().await?;
    let mut batch = desk.load(&mut tx, &keys).await?;
    apply(desk, &mut batch, &mut tx, &keys, seen).await?;
    let (mut ready, mut settled, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match look(desk, &mut tx, &batch, &people, row, seen).await? {
            None => desk.untold(&mut tx, &batch, row).await?,
            Some(Judged::Send(intent)) => ready.push(Ready { row: row.clone(), intent }),
            Some(Judged::Wait(until, why)) => desk.wait(&mut tx, &batch, row, until, why).await?,
            Some(Judged::End(outcome)) => settled.push((&row.effect, outcome)),
            Some(Judged::Nothing(outcome)) => silent.push((row.effect.key.clone(), outcome)),
        }
    }
    outbox::settle(&mut tx, site.name(), &silent, batch.now()).await?;
    let taken = mark(desk, &mut tx, &mut batch, &ready).await?;
    ready.retain(|r| taken.contains(&r.row.effect.key));
    desk.finish(tx, batch, settled).await?;
    Ok(ready)
}

/// `None`: the CRM did not speak of the record.
async fn look(
    desk: Desk<'_>,
    tx: &mut Tx,
    batch: &Batch<'_>,
    people: &Staff<'_>,
    row: &OutboxRow,
    seen: &Seen,
) -> Result<Option<Judged<Intent>>, StoreError> {
    let id = &row.effect.record.id;
    if let Some(error) = seen.refusal(id) {
        return Ok(Some(Judged::End(Outcome::Parked { error: error.to_owned() })));
    }
    if seen.record(id).is_none() {
        return Ok(None);
    }
    // A try before this one may have landed after it was given up.
    let decides = row.effect.action.moves() || matches!(row.effect.action, Action::Answer { .. });
    if let Some(done) = decides.then(|| landed(row, seen)).flatten() {
        return Ok(Some(Judged::End(done)));
    }
    let judged = match judge(desk, batch, &row.effect) {
        Judged::Send(()) => intent(desk, tx, batch, people, row, seen.at).await?,
        Judged::Wait(until, why) => Judged::Wait(until, why),
        Judged::End(outcome) => Judged::End(outcome),
        Judged::Nothing(outcome) => Judged::Nothing(outcome),
    };
    Ok(Some(judged))
}

/// The last check, with the connection's mode.
pub(super) fn judge(desk: Desk<'_>, batch: &Batch<'_>, effect: &Effect) -> Judged<()> {
    let Some(standing) = batch.standing(&effect.record) else {
        return Judged::End(dropped("the record is not known"));
    };
    let (agreement, now) = (&desk.site.agreement, batch.now());
    match confirm(agreement, standing, effect, now) {
        Verdict::Drop(reason) => Judged::End(Outcome::Dropped { reason }),
        Verdict::Wait(until) => Judged::Wait(until, "waiting"),
        Verdict::Send if !desk.acts || now < agreement.effective_at => Judged::End(Outcome::WouldHave),
        Verdict::Send => Judged::Send(()),
    }
}

/// What the write will leave on the record. A replay keeps the owner that was chosen first.
async fn intent(
    desk: Desk<'_>,
    tx: &mut Tx,
    batch: &Batch<'_>,
    people: &Staff<'_>,
    row: &OutboxRow,
    since: Timestamp,
) -> Result<Judged<Intent>, StoreError> {
    if row.effect.action.moves() && row.payload.is_some() {
        let kept = Intent::stored(row).ok_or_else(|| StoreError::Corrupt("a stored intent cannot be read".into()))?;
        return Ok(Judged::Send(Intent { values: kept.values, since }));
    }
    let Some(standing) = batch.standing(&row.effect.record) else {
        return Ok(Judged::End(dropped("the record is not known")));
    };
    let mut values = match &row.effect.action {
        Action::Recycle { set, .. }
        | Action::Nurture { set }
        | Action::Set { set }
        | Action::Undo { set, .. }
        | Action::Answer { set, .. } => set.clone(),
        Action::Annotate => annotation_values(desk, batch, &row.effect),
        Action::Reassign { .. } | Action::Read | Action::Notify { .. } | Action::Task { .. } | Action::Note { .. } => {
            FieldValues::new()
        }
    };
    if let Action::Recycle { to, .. } | Action::Reassign { to } = &row.effect.action {
        let mut avoid = standing.earlier_owners.clone();
        avoid.extend(standing.owner());
        match receiver::choose(desk.site, tx, people, to, &avoid).await? {
            Ok(chosen) => values.push((well_known().owner, chosen)),
            Err(NoReceiver::Never(error)) => return Ok(Judged::End(Outcome::Parked { error })),
            Err(NoReceiver::Now(why)) => return Ok(Judged::Wait(batch.now() + NO_RECEIVER, why)),
        }
    }
    if values.is_empty() {
        return Ok(Judged::Nothing(dropped("this connection maps no field for it")));
    }
    Ok(Judged::Send(Intent { values, since }))
}

/// Our own fields, as far as the connection maps them.
fn annotation_values(desk: Desk<'_>, batch: &Batch<'_>, effect: &Effect) -> FieldValues {
    let Some(standing) = batch.standing(&effect.record) else { return FieldValues::new() };
    let w = well_known();
    let said = annotation(&desk.site.agreement, standing);
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::text(text) };
    let all = [
        (w.flag, Value::Bool(!said.violation.is_empty())),
        (w.violation, text(&said.violation)),
        (w.due, said.due.map_or(Value::Null, Value::Time)),
        (w.clock, text(said.clock.as_deref().unwrap_or_default())),
        (w.last_action, text(said.last_action.as_deref().unwrap_or_default())),
    ];
    all.into_iter().filter(|(name, _)| desk.site.crm.maps(effect.record.object, *name)).collect()
}

/// Stores the intents; the standing knows them too, so that their echoes are known whenever they come.
async fn mark(
    desk: Desk<'_>,
    tx: &mut Tx,
    batch: &mut Batch<'_>,
    ready: &[Ready],
) -> Result<HashSet<EffectKey>, StoreError> {
    let mut intents = Vec::with_capacity(ready.len());
    for r in ready {
        let json = serde_json::to_string(&r.intent).map_err(|e| StoreError::Refused(e.to_string()))?;
        intents.push((r.row.effect.key.clone(), json));
    }
    let taken = outbox::mark_sending(tx, desk.site.name(), &intents, batch.now()).await?;
    let moving = ready.iter().filter(|r| r.row.effect.action.moves());
    let owner = |effect: &Effect| batch.standing(&effect.record).and_then(Standing::owner);
    let owners: Vec<_> = moving.map(|r| (r.row.effect.key.clone(), owner(&r.row.effect))).collect();
    outbox::taken_from(tx, desk.site.name(), &owners).await?;
    for Ready { row: OutboxRow { effect, .. }, intent } in ready.iter().filter(|r| taken.contains(&r.row.effect.key)) {
        if let Some(standing) = batch.standing_mut(&effect.record) {
            intend(standing, &effect.key, intent.values.clone(), intent.since);
        }
    }
    Ok(taken)
}
