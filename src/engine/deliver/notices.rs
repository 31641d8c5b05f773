//! Notices: confirmed like writes, on a record seen within a minute; several for one destination
//! become one message. A message is sent once; after a crash at most once more.

use super::item::Teller;
use super::reads::{apply, keys};
use super::writes::{Judged, finish};
use super::{ATTEMPTS, Deliver, GATHER, backoff};
use crate::agreement::{Standing, Verdict, confirm};
use crate::engine::batch::Batch;
use crate::engine::context::{Engine, Site};
use crate::notify::{Destination, Item, Message, NotifyError};
use crate::record::{Action, Effect, Object, Outcome, OwnerId, Recipient, RecordId, RecordKey};
use crate::store::lease::Lease;
use crate::store::outbox::{self, Lane, OutboxRow};
use crate::store::{Priority, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

/// A record seen so recently need not be read before somebody is told about it.
const SEEN_LATELY: Duration = Duration::from_secs(60);
/// From so many notices for one destination on, they are one message.
const BUNDLE: usize = 4;

/// One notice on its way.
struct Ready {
    row: OutboxRow,
    to: Vec<Destination>,
    /// Where to say it instead when nobody is there.
    instead: Vec<Destination>,
    item: Item,
}

impl Deliver {
    pub(super) async fn notices(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let rows = outbox::due(&engine.db, site.name(), Lane::Notify, engine.clock.now(), GATHER).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let unseen = self.see(engine, site, lease, &rows).await?;
        let rows: Vec<OutboxRow> = rows.into_iter().filter(|r| !unseen.contains(&r.effect.record)).collect();
        let ready = prepare(engine, site, lease, &rows).await?;
        let moved = rows.len();
        for message in messages(ready) {
            self.send(engine, site, lease, message).await?;
        }
        Ok(moved)
    }

    /// Reads the records that were not seen lately; answers those that could not be read and wait.
    async fn see(
        &mut self,
        engine: &Engine,
        site: &Site,
        lease: &Lease,
        rows: &[OutboxRow],
    ) -> Result<HashSet<RecordKey>, StoreError> {
        let all: BTreeSet<RecordKey> = rows.iter().map(|r| r.effect.record.clone()).collect();
        let all: Vec<RecordKey> = all.into_iter().collect();
        let mut tx = engine.db.begin(Priority::Work).await?;
        lease.check(&mut tx).await?;
        let batch = Batch::load(engine, site, &mut tx, &all).await?;
        let lately = batch.now() - engine.clock.to_engine(SEEN_LATELY);
        let stale = |key: &&RecordKey| {
            batch.standing(key).is_none_or(|s| s.gone.is_none() && s.last_read.is_none_or(|r| r.at < lately))
        };
        let mut waiting: HashSet<RecordKey> = all.iter().filter(stale).cloned().collect();
        tx.rollback().await?;
        if !self.rest.is_over() {
            return Ok(waiting);
        }
        for object in [Object::Lead, Object::Opportunity] {
            let ids: Vec<RecordId> = waiting.iter().filter(|k| k.object == object).map(|k| k.id.clone()).collect();
            for slice in ids.chunks(site.crm.limits().read) {
                let Ok(seen) = self.ask(engine, site, object, slice).await else { return Ok(waiting) };
                let keys = keys(site, object, slice.iter());
                let mut tx = engine.db.begin(Priority::Work).await?;
                lease.check(&mut tx).await?;
                let mut batch = Batch::load(engine, site, &mut tx, &keys).await?;
                apply(&mut batch, &mut tx, &keys, &seen).await?;
                let written = batch.save(&mut tx).await?;
                tx.commit().await?;
                written.tell(engine, site);
                for key in keys.iter().filter(|k| seen.record(&k.id).is_some()) {
                    waiting.remove(key);
                }
            }
        }
        Ok(waiting)
    }

    async fn send(&mut self, engine: &Engine, site: &Site, lease: &Lease, parcel: Parcel) -> Result<(), StoreError> {
        let first = parcel.ready.first().map(|r| r.row.effect.key.to_string()).unwrap_or_default();
        let items = parcel.ready.iter().map(|r| r.item.clone()).collect();
        let message = Message { key: first, to: parcel.to.clone(), items };
        let answer = engine.notifiers.send(&message).await;
        let answer = match answer {
            Err(NotifyError::Nobody { message: why }) => send_instead(engine, &parcel, &message, why).await,
            other => other,
        };
        engine.metrics.call(site.name(), "notify", if answer.is_ok() { "ok" } else { "failed" });
        settle(engine, site, lease, parcel, answer).await
    }
}

/// Nobody is there: the party's channels are told.
async fn send_instead(engine: &Engine, parcel: &Parcel, message: &Message, why: String) -> Result<String, NotifyError> {
    let mut answer = Err(NotifyError::Never { message: why });
    for to in parcel.ready.iter().flat_map(|r| r.instead.iter()).filter(|d| **d != parcel.to).collect::<BTreeSet<_>>() {
        answer = engine.notifiers.send(&Message { to: to.clone(), ..message.clone() }).await;
    }
    answer
}

/// What one destination gets in one message.
struct Parcel {
    to: Destination,
    ready: Vec<Ready>,
}

/// Few notices go one by one, many in one message for each destination. A notice with several
/// destinations settles with its first.
fn messages(ready: Vec<Ready>) -> Vec<Parcel> {
    let mut by_destination: BTreeMap<Destination, Vec<Ready>> = BTreeMap::new();
    for one in ready {
        if let Some(to) = one.to.first().cloned() {
            by_destination.entry(to).or_default().push(one);
        }
    }
    let mut parcels = Vec::new();
    for (to, ready) in by_destination {
        if ready.len() >= BUNDLE {
            parcels.push(Parcel { to, ready });
        } else {
            parcels.extend(ready.into_iter().map(|one| Parcel { to: to.clone(), ready: vec![one] }));
        }
    }
    parcels
}

async fn prepare(engine: &Engine, site: &Site, lease: &Lease, rows: &[OutboxRow]) -> Result<Vec<Ready>, StoreError> {
    let keys: BTreeSet<RecordKey> = rows.iter().map(|r| r.effect.record.clone()).collect();
    let keys: Vec<RecordKey> = keys.into_iter().collect();
    let people = people_of(engine, site, rows, &keys).await?;
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let batch = Batch::load(engine, site, &mut tx, &keys).await?;
    let teller = Teller { site, people: &people, now: batch.now() };
    let mut ready = Vec::new();
    let mut settled = Vec::new();
    for row in rows {
        let Some(standing) = batch.standing(&row.effect.record) else { continue };
        match judge(engine, site, standing, &row.effect) {
            Judged::Send => match address(engine, &teller, standing, row) {
                Ok(one) => ready.push(one),
                Err(outcome) => settled.push((row, outcome)),
            },
            Judged::End(outcome) => settled.push((row, outcome)),
            Judged::Wait(until) => {
                outbox::again(&mut tx, site.name(), &row.effect.key, until, "waiting", batch.now()).await?;
            }
        }
    }
    let intents: Vec<_> = ready.iter().map(|r| (r.row.effect.key.clone(), "null".to_owned())).collect();
    let taken = outbox::mark_sending(&mut tx, site.name(), &intents, batch.now()).await?;
    ready.retain(|r| taken.contains(&r.row.effect.key));
    finish(engine, site, tx, batch, settled).await?;
    Ok(ready)
}

/// Everybody who is spoken of or to, looked up once.
async fn people_of(
    engine: &Engine,
    site: &Site,
    rows: &[OutboxRow],
    keys: &[RecordKey],
) -> Result<crate::engine::directory::Snapshot, StoreError> {
    let mut wanted: Vec<OwnerId> = Vec::new();
    for row in rows {
        if let Action::Notify { to: Recipient::Person(id), .. } = &row.effect.action {
            wanted.push(id.clone());
        }
    }
    for key in keys {
        if let Some(json) = crate::store::standing::load_one(&engine.db, key).await?
            && let Ok(standing) = serde_json::from_str::<Standing>(&json)
        {
            wanted.extend(standing.owner());
        }
    }
    site.directory.people(&engine.db, site.name(), &site.crm, &wanted).await
}

fn judge(engine: &Engine, site: &Site, standing: &Standing, effect: &Effect) -> Judged {
    let now = engine.clock.now();
    let tells = (site.acts && now >= site.agreement.effective_at) || engine.notify_in_observe;
    match confirm(&site.agreement, standing, effect, now) {
        Verdict::Drop(reason) => Judged::End(Outcome::Dropped { reason }),
        Verdict::Wait(until) => Judged::Wait(until),
        Verdict::Send if !tells => Judged::End(Outcome::WouldHave),
        Verdict::Send => Judged::Send,
    }
}

fn address(engine: &Engine, teller: &Teller<'_>, standing: &Standing, row: &OutboxRow) -> Result<Ready, Outcome> {
    let Action::Notify { to, .. } = &row.effect.action else {
        return Err(Outcome::Dropped { reason: "not a notice".to_owned() });
    };
    let wanted = teller.destinations(to, standing, &row.effect);
    let instead = teller.channels(standing, &row.effect);
    let reachable: Vec<Destination> =
        wanted.iter().chain(&instead).filter(|d| engine.notifiers.reaches(d)).take(1).cloned().collect();
    if reachable.is_empty() {
        let error = format!("nobody can be reached: {to} is not known, or no Slack or e-mail is configured for it");
        return Err(Outcome::Parked { error });
    }
    Ok(Ready { row: row.clone(), to: reachable, instead, item: teller.item(standing, &row.effect) })
}

async fn settle(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    parcel: Parcel,
    answer: Result<String, NotifyError>,
) -> Result<(), StoreError> {
    let keys: BTreeSet<RecordKey> = parcel.ready.iter().map(|r| r.row.effect.record.clone()).collect();
    let keys: Vec<RecordKey> = keys.into_iter().collect();
    let rows: Vec<&OutboxRow> = parcel.ready.iter().map(|r| &r.row).collect();
    let outcome = match answer {
        Ok(note) => {
            let now = engine.clock.now();
            Outcome::Done { at: now, since: now, values: Vec::new(), note: Some(note) }
        }
        Err(NotifyError::Later { message, after }) => {
            return put_off(engine, site, lease, &rows, &message, after).await;
        }
        Err(NotifyError::Nobody { message } | NotifyError::Never { message }) => Outcome::Parked { error: message },
    };
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    let batch = Batch::load(engine, site, &mut tx, &keys).await?;
    finish(engine, site, tx, batch, rows.into_iter().map(|r| (r, outcome.clone())).collect()).await
}

/// The channel is down: tried again, and never parked for that, since a digest is owed afterwards.
async fn put_off(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    rows: &[&OutboxRow],
    why: &str,
    after: Option<Duration>,
) -> Result<(), StoreError> {
    let wait = after.unwrap_or_else(|| backoff(rows.iter().map(|r| r.attempts).max().unwrap_or(0).min(ATTEMPTS)));
    let now = engine.clock.now();
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    for row in rows {
        let at = now + engine.clock.to_engine(wait);
        outbox::again(&mut tx, site.name(), &row.effect.key, at, why, now).await?;
    }
    tx.commit().await
}
