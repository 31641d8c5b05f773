//! Notices: confirmed like writes, on a record seen within a minute; several for one destination
//! become one message. A message is sent once; after a crash at most once more.

use super::desk::{Desk, distinct};
use super::intent::Judged;
use super::item::Teller;
use super::reads::{Seen, apply};
use super::{ATTEMPTS, Deliver, GATHER, backoff};
use crate::agreement::answer::offered;
use crate::agreement::{Standing, Verdict, confirm};
use crate::engine::answers::issue::{Addressee, Issuer};
use crate::engine::answers::preferences;
use crate::engine::batch::Batch;
use crate::engine::directory::Snapshot;
use crate::notify::{Destination, Item, Message, NotifyError};
use crate::record::effect::Notice;
use crate::record::{Action, Effect, Object, Outcome, OwnerId, Recipient, RecordId, RecordKey, Timestamp};
use crate::store::outbox::{self, Lane, OutboxRow};
use crate::store::preference::{self, Gathering, Preference};
use crate::store::{StoreError, Tx, standing};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

/// A record seen so recently need not be read before somebody is told about it.
const SEEN_LATELY: Duration = Duration::from_secs(60);
/// From so many notices for one destination on, they are one message.
const BUNDLE: usize = 4;

/// One notice on its way.
struct Ready {
    row: OutboxRow,
    to: Destination,
    /// Where to say it too.
    also: Option<Destination>,
    /// Gathered with whatever else is due for its reader.
    gathers: bool,
    /// Whose it is, where that is one person.
    addressee: Option<Addressee>,
    /// Where to say it instead when nobody is there.
    instead: Vec<Destination>,
    item: Item,
}

impl Deliver {
    pub(super) async fn notices(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        let (engine, name) = (desk.engine, desk.site.name());
        let rows = outbox::due(&engine.db, name, Lane::Notify, engine.clock.now(), GATHER).await?;
        if rows.is_empty() || desk.is_paused().await? {
            return Ok(0);
        }
        let (unseen, mut moved) = self.see(desk, &rows).await?;
        let rows: Vec<OutboxRow> = rows.into_iter().filter(|r| !unseen.contains(&r.effect.record)).collect();
        moved += rows.len();
        let mut down = BTreeSet::new();
        let (mut late, mut held): (Vec<Parcel>, Vec<Parcel>) = (Vec::new(), Vec::new());
        for parcel in parcels(prepare(desk, &rows).await?) {
            if self.stop.is_cancelled() || down.contains(&channel(&parcel.to)) {
                late.push(parcel);
            } else if desk.is_paused().await? {
                held.push(parcel);
            } else if let Some(channel) = send(desk, parcel).await? {
                down.insert(channel);
            }
        }
        // A channel that is down would keep everybody waiting at each of its messages.
        desk.untried(rows_of(&held), "paused").await?;
        put_off(desk, &rows_of(&late).collect::<Vec<_>>(), "its channel is down", None).await?;
        Ok(moved)
    }

    /// Reads the records that were not seen lately. Answers those that could not be read and wait,
    /// and how many notices were given up since the CRM refuses to read their records.
    async fn see(&mut self, desk: Desk<'_>, rows: &[OutboxRow]) -> Result<(HashSet<RecordKey>, usize), StoreError> {
        let mut waiting = stale(desk, rows).await?;
        let mut parked = 0;
        for object in [Object::Lead, Object::Opportunity] {
            let ids = distinct(waiting.iter().filter(|k| k.object == object).map(|k| k.id.clone()));
            for slice in ids.chunks(desk.site.crm.limits().read) {
                if !self.may_call(desk) {
                    return Ok((waiting, parked));
                }
                let Ok(seen) = self.ask(desk, object, slice).await else { return Ok((waiting, parked)) };
                look(desk, object, slice, &seen, rows).await?;
                waiting.retain(|key| key.object != object || seen.record(&key.id).is_none());
                for (id, why) in slice.iter().filter_map(|id| Some((id, seen.refusal(id)?))) {
                    let of = rows.iter().filter(|r| r.effect.record.object == object && &r.effect.record.id == id);
                    parked += desk.park(&of.map(|r| &r.effect).collect::<Vec<_>>(), why).await?;
                }
            }
        }
        Ok((waiting, parked))
    }
}

/// The records of these notices that were not read lately.
async fn stale(desk: Desk<'_>, rows: &[OutboxRow]) -> Result<HashSet<RecordKey>, StoreError> {
    let all = distinct(rows.iter().map(|r| r.effect.record.clone()));
    let mut tx = desk.begin().await?;
    let batch = desk.load(&mut tx, &all).await?;
    let lately = batch.now() - desk.engine.clock.to_engine(SEEN_LATELY);
    let stale = |key: &RecordKey| {
        batch.standing(key).is_none_or(|s| s.gone.is_none() && s.last_read.is_none_or(|r| r.at < lately))
    };
    let stale = all.into_iter().filter(stale).collect();
    tx.rollback().await?;
    Ok(stale)
}

/// Tells the core what was read; notices about records that the CRM did not speak of wait a little.
async fn look(
    desk: Desk<'_>,
    object: Object,
    ids: &[RecordId],
    seen: &Seen,
    rows: &[OutboxRow],
) -> Result<(), StoreError> {
    let keys = desk.keys(object, ids.iter());
    let mut tx = desk.begin().await?;
    let mut batch = desk.load(&mut tx, &keys).await?;
    apply(desk, &mut batch, &mut tx, &keys, seen).await?;
    for row in rows.iter().filter(|r| r.effect.record.object == object && ids.contains(&r.effect.record.id)) {
        let id = &row.effect.record.id;
        if seen.record(id).is_none() && seen.refusal(id).is_none() {
            desk.untold(&mut tx, &batch, row).await?;
        }
    }
    desk.finish(tx, batch, Vec::new()).await
}

/// Sends one message and settles it. Answers its channel when that is down.
async fn send(desk: Desk<'_>, parcel: Parcel) -> Result<Option<&'static str>, StoreError> {
    let key = parcel.ready.first().map(|r| r.row.effect.key.to_string()).unwrap_or_default();
    let items = parcel.ready.iter().map(|r| r.item.clone()).collect();
    let message = Message { key, to: parcel.to.clone(), items };
    let answer = match desk.engine.notifiers.send(&message).await {
        Err(NotifyError::Nobody { message: why }) => send_instead(desk, &parcel, &message, why).await,
        other => other,
    };
    desk.engine.metrics.call(desk.site.name(), "notify", if answer.is_ok() { "ok" } else { "failed" });
    if let (Ok(_), Some(also)) = (&answer, parcel.ready.first().and_then(|r| r.also.clone())) {
        // Said once already: a second channel that fails is no reason to say it again.
        if let Err(error) = desk.engine.notifiers.send(&Message { to: also, ..message.clone() }).await {
            tracing::warn!("a notice went by one channel only: {error}");
        }
    }
    let down = matches!(answer, Err(NotifyError::Later { .. })).then(|| channel(&parcel.to));
    settle(desk, parcel, answer).await?;
    Ok(down)
}

/// Nobody is there: the first of the party's channels that can be reached is told.
async fn send_instead(desk: Desk<'_>, parcel: &Parcel, message: &Message, why: String) -> Result<String, NotifyError> {
    let message = &for_anybody(message);
    let mut tried = BTreeSet::from([&parcel.to]);
    for to in parcel.ready.iter().flat_map(|r| &r.instead) {
        if !tried.insert(to) {
            continue;
        }
        match desk.engine.notifiers.send(&Message { to: to.clone(), ..message.clone() }).await {
            Err(NotifyError::Nobody { .. } | NotifyError::Never { .. }) => {}
            sent_or_later => return sent_or_later,
        }
    }
    Err(NotifyError::Never { message: why })
}

/// The message without what speaks for the one person to whom it was to go. Buttons stay: Slack says who
/// presses them.
fn for_anybody(message: &Message) -> Message {
    let mut message = message.clone();
    for item in &mut message.items {
        item.answers.links.clear();
        item.answers.preferences = None;
    }
    message
}

/// What one destination gets in one message.
struct Parcel {
    to: Destination,
    ready: Vec<Ready>,
}

fn rows_of(parcels: &[Parcel]) -> impl Iterator<Item = &OutboxRow> {
    parcels.iter().flat_map(|parcel| parcel.ready.iter().map(|r| &r.row))
}

/// What fails together.
fn channel(to: &Destination) -> &'static str {
    match to {
        Destination::SlackChannel(_) | Destination::SlackMember { .. } => "slack",
        Destination::Email { .. } => "email",
    }
}

/// Few notices go one by one, many in one message for each destination.
fn parcels(ready: Vec<Ready>) -> Vec<Parcel> {
    let mut by_destination: BTreeMap<Destination, Vec<Ready>> = BTreeMap::new();
    for one in ready {
        by_destination.entry(one.to.clone()).or_default().push(one);
    }
    let mut parcels = Vec::new();
    for (to, ready) in by_destination {
        let gathers = ready.len() > 1 && ready.iter().any(|r| r.gathers);
        if ready.len() >= BUNDLE || gathers {
            parcels.push(Parcel { to, ready });
        } else {
            parcels.extend(ready.into_iter().map(|one| Parcel { to: to.clone(), ready: vec![one] }));
        }
    }
    parcels
}

async fn prepare(desk: Desk<'_>, rows: &[OutboxRow]) -> Result<Vec<Ready>, StoreError> {
    let keys = distinct(rows.iter().map(|r| r.effect.record.clone()));
    let people = people_of(desk, rows, &keys).await?;
    let preferences = preference::load_all(&desk.engine.db, desk.site.name()).await?;
    let mut tx = desk.begin().await?;
    let batch = desk.load(&mut tx, &keys).await?;
    let teller = Teller { site: desk.site, people: &people, now: batch.now() };
    let (mut ready, mut settled) = (Vec::new(), Vec::new());
    for row in rows {
        let Some(standing) = batch.standing(&row.effect.record) else { continue };
        match judge(desk, standing, &row.effect) {
            Judged::Send(()) => match address(desk, &teller, standing, row, &preferences) {
                Ok(Addressed::Now(one)) => ready.push(*one),
                Ok(Addressed::At(until)) => desk.wait(&mut tx, &batch, row, until, "as its reader prefers").await?,
                Err(outcome) => settled.push((&row.effect, outcome)),
            },
            Judged::End(outcome) | Judged::Nothing(outcome) => settled.push((&row.effect, outcome)),
            Judged::Wait(until, why) => desk.wait(&mut tx, &batch, row, until, why).await?,
        }
    }
    let intents: Vec<_> = ready.iter().map(|r| (r.row.effect.key.clone(), "null".to_owned())).collect();
    let taken = outbox::mark_sending(&mut tx, desk.site.name(), &intents, batch.now()).await?;
    ready.retain(|r| taken.contains(&r.row.effect.key));
    offer(desk, &mut tx, &batch, &mut ready).await?;
    desk.finish(tx, batch, settled).await?;
    Ok(ready)
}

/// Buttons and links for what can be answered, in connections that act: elsewhere nothing would be
/// written.
async fn offer(desk: Desk<'_>, tx: &mut Tx, batch: &Batch<'_>, ready: &mut [Ready]) -> Result<(), StoreError> {
    let Some(answering) = desk.engine.answering.as_ref().filter(|_| desk.acts) else { return Ok(()) };
    let mut issuer = Issuer::new(answering, desk.site.name(), batch.now());
    for one in ready {
        let effect = &one.row.effect;
        let asks = matches!(one.item.notice, Notice::Reminder | Notice::Breach);
        let run = batch.standing(&effect.record).and_then(|s| Some((s, s.run(&effect.source, effect.run)?)));
        let offered = run.filter(|_| asks).map(|(s, run)| offered(&desk.site.agreement, s, run)).unwrap_or_default();
        let in_slack = channel(&one.to) == "slack";
        one.item.answers = issuer.answers(effect, &offered, one.addressee.as_ref(), in_slack);
    }
    issuer.store(tx).await
}

/// Everybody who is spoken of or to, looked up once.
async fn people_of(desk: Desk<'_>, rows: &[OutboxRow], keys: &[RecordKey]) -> Result<Snapshot, StoreError> {
    let (db, site) = (&desk.engine.db, desk.site);
    let mut wanted: Vec<OwnerId> = Vec::new();
    for row in rows {
        if let Action::Notify { to: Recipient::Person(id), .. } = &row.effect.action {
            wanted.push(id.clone());
        }
    }
    for key in keys {
        if let Some(json) = standing::load_one(db, key).await?
            && let Ok(standing) = serde_json::from_str::<Standing>(&json)
        {
            wanted.extend(standing.owner());
        }
    }
    site.directory.people(db, site.name(), &site.crm, &wanted).await
}

fn judge(desk: Desk<'_>, standing: &Standing, effect: &Effect) -> Judged<()> {
    let (site, now) = (desk.site, desk.engine.clock.now());
    let tells = (desk.acts && now >= site.agreement.effective_at) || desk.engine.notify_in_observe;
    match confirm(&site.agreement, standing, effect, now) {
        Verdict::Drop(reason) => Judged::End(Outcome::Dropped { reason }),
        Verdict::Wait(until) => Judged::Wait(until, "waiting"),
        Verdict::Send if !tells => Judged::End(Outcome::WouldHave),
        Verdict::Send => Judged::Send(()),
    }
}

/// When a notice goes.
enum Addressed {
    Now(Box<Ready>),
    At(Timestamp),
}

fn address(
    desk: Desk<'_>,
    teller: &Teller<'_>,
    standing: &Standing,
    row: &OutboxRow,
    preferences: &[Preference],
) -> Result<Addressed, Outcome> {
    let Action::Notify { to, notice } = &row.effect.action else {
        return Err(Outcome::Dropped { reason: "not a notice".to_owned() });
    };
    let person = teller.addressee(to, standing);
    let preference = person.as_ref().and_then(|id| preferences.iter().find(|p| p.owner == *id));
    let wanted = teller.destinations(to, standing, &row.effect);
    let instead = teller.channels(standing, &row.effect);
    let reachable = wanted.iter().chain(&instead).find(|d| desk.engine.notifiers.reaches(d)).cloned();
    let Some(reachable) = reachable else {
        let error = format!("nobody can be reached: {to} is not known, or no Slack or e-mail is configured for it");
        return Err(Outcome::Parked { error });
    };
    let prefers = preference.filter(|_| wanted.contains(&reachable));
    if let Some(preference) = prefers.filter(|_| *to != Recipient::Manager)
        && let Some(until) = waits_until(desk, preference, &row.effect, *notice, teller.now)
    {
        return Ok(Addressed::At(until));
    }
    let addressee = addressee(to, person, &reachable).filter(|_| wanted.contains(&reachable));
    let (to, also) = prefers.map_or((reachable.clone(), None), |p| preferences::route(p, reachable.clone()));
    let to = if desk.engine.notifiers.reaches(&to) { to } else { reachable };
    let gathers = prefers.is_some_and(|p| p.gathering != Gathering::Single);
    let item = teller.item(standing, &row.effect);
    let ready = Ready { row: row.clone(), to, also, gathers, addressee, instead, item };
    Ok(Addressed::Now(Box::new(ready)))
}

fn waits_until(
    desk: Desk<'_>,
    preference: &Preference,
    effect: &Effect,
    notice: Notice,
    now: Timestamp,
) -> Option<Timestamp> {
    let agreement = &desk.site.agreement;
    let clock = agreement.clock_named(&effect.source);
    let zone = agreement.zone_of(clock.map(|c| &c.party));
    let calendar = clock.and_then(|c| agreement.calendar_of(c));
    preferences::wait(preference, effect, notice, now, preferences::Hours { zone: &zone, calendar })
}

/// Whose a notice is, when it goes to one person: links in it are theirs alone.
fn addressee(to: &Recipient, person: Option<OwnerId>, goes_to: &Destination) -> Option<Addressee> {
    let email = match goes_to {
        Destination::SlackMember { email } => email.clone(),
        Destination::Email { address, .. } if matches!(to, Recipient::Manager) => address.clone(),
        Destination::Email { .. } | Destination::SlackChannel(_) => return None,
    };
    Some(Addressee { person, email })
}

async fn settle(desk: Desk<'_>, parcel: Parcel, answer: Result<String, NotifyError>) -> Result<(), StoreError> {
    let outcome = match answer {
        Ok(note) => {
            let now = desk.engine.clock.now();
            Outcome::Done { at: now, since: now, values: Vec::new(), note: Some(note) }
        }
        Err(NotifyError::Later { message, after }) => {
            let rows: Vec<&OutboxRow> = parcel.ready.iter().map(|r| &r.row).collect();
            return put_off(desk, &rows, &message, after).await;
        }
        Err(NotifyError::Nobody { message } | NotifyError::Never { message }) => Outcome::Parked { error: message },
    };
    let keys = distinct(parcel.ready.iter().map(|r| r.row.effect.record.clone()));
    let mut tx = desk.begin().await?;
    let batch = desk.load(&mut tx, &keys).await?;
    let settled = parcel.ready.iter().map(|r| (&r.row.effect, outcome.clone()));
    desk.finish(tx, batch, settled.collect()).await
}

/// The channel is down: tried again, and never parked for that, since a digest is owed afterwards.
async fn put_off(desk: Desk<'_>, rows: &[&OutboxRow], why: &str, after: Option<Duration>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let wait = after.unwrap_or_else(|| backoff(rows.iter().map(|r| r.attempts).max().unwrap_or(0).min(ATTEMPTS)));
    let now = desk.engine.clock.now();
    let at = now + desk.engine.clock.to_engine(wait);
    let mut tx = desk.begin().await?;
    for row in rows {
        outbox::again(&mut tx, desk.site.name(), &row.effect.key, at, why, now).await?;
    }
    tx.commit().await
}
