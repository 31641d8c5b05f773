//! The pace of recycling: so many a minute, so many of one owner and day. What is beyond it waits, the
//! oldest first. Days are days of the agreement's zone.

use super::breaker::is_recycle;
use super::desk::Desk;
use crate::agreement::model::Pace;
use crate::record::{EffectKey, Elapsed, OwnerId, RecordKey, Timestamp};
use crate::store::outbox::{self, OutboxRow};
use crate::store::{StoreError, standing};
use jiff::tz::TimeZone;
use std::collections::HashMap;

const MINUTE: Elapsed = Elapsed::from_secs(60);

/// Puts off what is beyond the pace and takes it out of these rows. Answers how many were put off.
pub(super) async fn keep(desk: Desk<'_>, rows: &mut Vec<OutboxRow>) -> Result<usize, StoreError> {
    let agreement = &desk.site.agreement;
    let now = desk.engine.clock.now();
    let Some(pace) = agreement.recycling.as_ref().and_then(|r| r.pace) else { return Ok(0) };
    if !desk.acts || now < agreement.effective_at || !rows.iter().any(|row| is_recycle(&row.effect.action)) {
        return Ok(0);
    }
    let mut queue: Vec<&OutboxRow> = rows.iter().filter(|row| is_recycle(&row.effect.action)).collect();
    queue.sort_by(|a, b| (a.effect.at, &a.effect.key).cmp(&(b.effect.at, &b.effect.key)));
    let room = Room::found(desk, &pace, &agreement.zone(), &queue, now).await?;
    let late = room.late(&queue);
    let mut tx = desk.begin().await?;
    outbox::put_off(&mut tx, desk.site.name(), &late, "waits for the pace of recycling", now).await?;
    tx.commit().await?;
    let late: HashMap<EffectKey, Timestamp> = late.into_iter().collect();
    rows.retain(|row| !late.contains_key(&row.effect.key));
    Ok(late.len())
}

/// What may leave yet, of this minute and of each owner's day.
struct Room {
    now: Timestamp,
    minute: Option<Minute>,
    day: Option<Day>,
}

struct Minute {
    most: usize,
    /// When those of the last minute were made, the oldest first.
    made: Vec<Timestamp>,
}

struct Day {
    most: u64,
    /// Made today, by owner.
    made: HashMap<OwnerId, u64>,
    owners: HashMap<RecordKey, OwnerId>,
    tomorrow: Timestamp,
}

impl Room {
    async fn found(
        desk: Desk<'_>,
        pace: &Pace,
        zone: &TimeZone,
        queue: &[&OutboxRow],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (db, name) = (&desk.engine.db, desk.site.name());
        let minute = match pace.per_minute {
            None => None,
            Some(most) => {
                Some(Minute { most: most as usize, made: outbox::recycle_moments(db, name, now - MINUTE, now).await? })
            }
        };
        let day = match pace.per_owner_and_day {
            None => None,
            Some(most) => {
                let (today, tomorrow) = day_of(now, zone);
                let just_before = Timestamp::from_millis(today.as_millis() - 1);
                let made = outbox::recycles_made(db, name, just_before, true).await?;
                let made = made.into_iter().filter_map(|(owner, n)| Some((owner?, n))).collect();
                let keys: Vec<RecordKey> = queue.iter().map(|row| row.effect.record.clone()).collect();
                let owners = standing::owners(db, &keys).await?;
                Some(Day { most: u64::from(most), made, owners, tomorrow })
            }
        };
        Ok(Self { now, minute, day })
    }

    /// Who has to wait, and until when.
    fn late(mut self, queue: &[&OutboxRow]) -> Vec<(EffectKey, Timestamp)> {
        let mut late = Vec::new();
        let mut waiting = 0;
        for row in queue {
            let key = &row.effect.key;
            if let Some(until) = self.day.as_mut().and_then(|day| day.full(&row.effect.record)) {
                late.push((key.clone(), until));
            } else if let Some(until) = self.minute.as_mut().and_then(|minute| minute.full(self.now, waiting)) {
                waiting += 1;
                late.push((key.clone(), until));
            } else if let Some(day) = self.day.as_mut() {
                day.take(&row.effect.record);
            }
        }
        late
    }
}

impl Minute {
    /// `None`: there is room, and it is taken.
    fn full(&mut self, now: Timestamp, waiting: usize) -> Option<Timestamp> {
        if self.made.len() < self.most {
            self.made.push(now);
            return None;
        }
        // Each place is free again a minute after it was taken; pace 0 lets nothing go.
        let rounds = waiting.checked_div(self.most).unwrap_or(0);
        let freed = self.made.get(self.made.len() - self.most + waiting.checked_rem(self.most).unwrap_or(0));
        let later =
            Elapsed::from_millis(MINUTE.as_millis() * (1 + i64::try_from(rounds).unwrap_or(i64::from(u32::MAX))));
        Some((freed.copied().unwrap_or(now) + later).max(Timestamp::from_millis(now.as_millis() + 1)))
    }
}

impl Day {
    fn full(&self, record: &RecordKey) -> Option<Timestamp> {
        let owner = self.owners.get(record)?;
        (self.made.get(owner).copied().unwrap_or(0) >= self.most).then_some(self.tomorrow)
    }

    fn take(&mut self, record: &RecordKey) {
        if let Some(owner) = self.owners.get(record) {
            *self.made.entry(owner.clone()).or_default() += 1;
        }
    }
}

/// When the day of this moment began, and when the next one does.
fn day_of(now: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let zoned = now.to_jiff().to_zoned(zone.clone());
    let begins = |zoned: &jiff::Zoned| zoned.start_of_day().map(|z| Timestamp::from_jiff(z.timestamp()));
    let today = begins(&zoned).unwrap_or(now);
    let tomorrow = zoned.tomorrow().and_then(|z| begins(&z)).unwrap_or(now + Elapsed::from_secs(86_400));
    (today, tomorrow)
}
