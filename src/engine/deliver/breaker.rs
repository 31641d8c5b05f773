//! The breaker: when more leads would go back at once than the agreement allows, all that are due are
//! held, and every later one too, until a person lets them go or gives them up. It counts; what a
//! person decides is in `engine/held.rs`, whom it alerts in `alert`.

use super::desk::{Desk, distinct};
use super::{Deliver, GATHER};
use crate::agreement::model::StopAbove;
use crate::engine::batch::tell;
use crate::engine::clock::monotonic_now;
use crate::engine::held::{fact, note};
use crate::engine::switches::{Switches, turn};
use crate::record::{Action, Effect, FactKind, Outcome, OwnerId, Timestamp};
use crate::store::journal::JournalEntry;
use crate::store::outbox::{self, OfOwner, OutboxRow, Ruling};
use crate::store::switch::{self, Switch, SwitchRow};
use crate::store::{StoreError, clock, journal};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// From so many on, shares count.
const SHARES_FROM: u64 = 20;
/// Most that one transaction holds.
const HOLD: u32 = 500;
/// Counting what is open takes at most one part in so many of the time.
const SELDOM: u32 = 20;
/// Who switches it on.
const LEADPACT: &str = "leadpact";

/// How many leads have an open clock, as last counted.
#[derive(Default)]
pub(super) struct Open(Option<Counted>);

struct Counted {
    leads: u64,
    at: Instant,
    keep: Duration,
}

impl Open {
    /// Counting walks what is open: the longer it took, the longer it is believed.
    async fn leads(&mut self, desk: Desk<'_>) -> Result<u64, StoreError> {
        let began = monotonic_now();
        if let Some(counted) = self.0.as_ref().filter(|c| began.duration_since(c.at) < c.keep) {
            return Ok(counted.leads);
        }
        let leads = clock::count_open(&desk.engine.db, desk.site.name(), None).await?.leads;
        let at = monotonic_now();
        self.0 = Some(Counted { leads, at, keep: at.duration_since(began) * SELDOM });
        Ok(leads)
    }
}

/// Whether it counts: a recycle, or the nurture that stands in for it at the cap.
pub(super) fn is_recycle(action: &Action) -> bool {
    matches!(action, Action::Recycle { .. } | Action::Nurture { .. })
}

fn is_counted(row: &OutboxRow) -> bool {
    is_recycle(&row.effect.action) && row.ruling.is_none()
}

impl Deliver {
    /// Takes out of these rows what the breaker holds. They were gathered before, so that nothing
    /// leaves that was not counted. Answers how many were held.
    pub(super) async fn guard(&mut self, desk: Desk<'_>, rows: &mut Vec<OutboxRow>) -> Result<usize, StoreError> {
        let agreement = &desk.site.agreement;
        let now = desk.engine.clock.now();
        let Some(recycling) = &agreement.recycling else { return Ok(0) };
        if !desk.acts || now < agreement.effective_at || !rows.iter().any(is_counted) {
            return Ok(0);
        }
        let switches = Switches::read(&desk.engine.db, desk.site.name()).await?;
        let breaker = switches.breaker();
        let why = match breaker.filter(|row| row.on) {
            Some(row) => row.why.clone(),
            None => {
                let afresh = breaker.map_or(Timestamp::MIN, |row| row.at);
                let Some(why) = self.too_many(desk, &recycling.stop_above, afresh, now).await? else { return Ok(0) };
                trip(desk, &why, now).await?;
                why
            }
        };
        rows.retain(|row| !is_counted(row));
        hold(desk, &why).await
    }

    /// Why more would go back than is allowed, in words.
    async fn too_many(
        &mut self,
        desk: Desk<'_>,
        limit: &StopAbove,
        afresh: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let (db, name) = (&desk.engine.db, desk.site.name());
        let since = afresh.max(now - limit.within);
        let made = outbox::recycles_made(db, name, since, false).await?;
        let due = outbox::recycles_due(db, name, now).await?;
        let crowd = Crowd::of(&made, &due);
        let too_many = crowd.beyond(u64::from(limit.count), limit);
        if too_many.is_some() || crowd.total < SHARES_FROM {
            return Ok(too_many);
        }
        // Those that were made are open no more, or somebody else's by now.
        let open = self.open.leads(desk).await? + crowd.made;
        if let Some(why) = share(crowd.total, open, limit.share_of_open, "open leads", limit) {
            return Ok(Some(why));
        }
        for (owner, of_owner) in crowd.by_owner.iter().filter(|(_, of)| of.total >= SHARES_FROM) {
            let open = clock::count_open(db, name, Some(owner)).await?.leads + of_owner.made;
            let people = desk.site.directory.people(db, name, &desk.site.crm, &[]).await?;
            let called = people.get(owner).map_or_else(|| owner.to_string(), |p| p.name.clone());
            let of = format!("open leads of {called}");
            if let Some(why) = share(of_owner.total, open, limit.share_of_owner, &of, limit) {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// What a person gave up is dropped, without asking the CRM.
    pub(super) async fn drop_discarded(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        let rows = outbox::discarded(&desk.engine.db, desk.site.name(), GATHER).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let keys = distinct(rows.iter().map(|row| row.effect.record.clone()));
        let mut tx = desk.begin().await?;
        let batch = desk.load(&mut tx, &keys).await?;
        let given_up = rows.iter().filter_map(|row| {
            let Some(Ruling::Discarded(reason)) = &row.ruling else { return None };
            Some((&row.effect, Outcome::Dropped { reason: reason.clone() }))
        });
        desk.finish(tx, batch, given_up.collect()).await?;
        Ok(rows.len())
    }
}

/// How many go back: made within the time, and due now.
#[derive(Debug, Default, PartialEq, Eq)]
struct Crowd {
    total: u64,
    made: u64,
    by_owner: BTreeMap<OwnerId, OfOne>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct OfOne {
    total: u64,
    made: u64,
}

impl Crowd {
    fn of(made: &[OfOwner], due: &[OfOwner]) -> Self {
        let mut crowd = Self::default();
        for (rows, is_made) in [(made, true), (due, false)] {
            for (owner, n) in rows {
                let done = if is_made { *n } else { 0 };
                crowd.total += n;
                crowd.made += done;
                if let Some(owner) = owner {
                    let of = crowd.by_owner.entry(owner.clone()).or_default();
                    of.total += n;
                    of.made += done;
                }
            }
        }
        crowd
    }

    fn beyond(&self, most: u64, limit: &StopAbove) -> Option<String> {
        let n = self.total;
        (n > most)
            .then(|| format!("{n} leads would go back within {}, and more than {most} are too many", limit.within))
    }
}

fn share(n: u64, open: u64, most: f64, of: &str, limit: &StopAbove) -> Option<String> {
    let percent = most * 100.0;
    (n as f64 > most * open as f64).then(|| {
        format!("{n} of {open} {of} would go back within {}, and more than {percent:.0}% are too many", limit.within)
    })
}

/// Switches it on. What follows can be begun anew: while it is on, everything due is held.
async fn trip(desk: Desk<'_>, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let name = desk.site.name();
    let row = SwitchRow {
        connection: Some(name.clone()),
        switch: Switch::Breaker,
        on: true,
        until: None,
        by: LEADPACT.to_owned(),
        why: why.to_owned(),
        at: now,
    };
    // Whoever decides wants to read names.
    desk.site.directory.people(&desk.engine.db, name, &desk.site.crm, &[]).await?;
    let mut tx = desk.begin().await?;
    turn(&mut tx, &row, &[(name.clone(), desk.site.agreement.hash.to_string())], "holding").await?;
    tx.commit().await?;
    tracing::error!("every recycle is held until a person decides (`leadpact release {name}`): {why}");
    Ok(())
}

/// Holds all that is due, some in each transaction.
async fn hold(desk: Desk<'_>, why: &str) -> Result<usize, StoreError> {
    let mut held = 0;
    loop {
        let some = hold_some(desk, why).await?;
        held += some;
        if some < HOLD as usize {
            return Ok(held);
        }
    }
}

async fn hold_some(desk: Desk<'_>, why: &str) -> Result<usize, StoreError> {
    let name = desk.site.name();
    let mut tx = desk.begin().await?;
    // Whoever releases takes the same lock: nothing is held that nobody would let go.
    if !switch::lock(&mut tx, name, Switch::Breaker).await? {
        return tx.rollback().await.map(|()| 0);
    }
    let now = desk.engine.clock.now();
    let effects = outbox::hold(&mut tx, name, now, HOLD).await?;
    let keys = distinct(effects.iter().map(|effect| effect.record.clone()));
    let batch = desk.load(&mut tx, &keys).await?;
    let entry = |effect: &Effect| {
        let detail = note([("action", effect.action.as_str()), ("why", why)]);
        JournalEntry {
            record: Some(effect.record.clone()),
            fact: fact(FactKind::Held, now, effect, batch.standing(&effect.record), detail),
            seen_at: now,
            agreement: desk.site.agreement.hash.to_string(),
        }
    };
    let entries: Vec<JournalEntry> = effects.iter().map(entry).collect();
    journal::append(&mut tx, name, &entries).await?;
    tx.commit().await?;
    tell(desk.engine, desk.site, entries);
    Ok(effects.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Elapsed;

    const LIMIT: StopAbove =
        StopAbove { count: 200, share_of_open: 0.05, share_of_owner: 0.2, within: Elapsed::from_secs(3600) };

    fn owner(id: &str, n: u64) -> OfOwner {
        (Some(OwnerId::new(id)), n)
    }

    #[test]
    fn what_was_made_and_what_is_due_are_counted_together_and_by_owner() {
        let crowd = Crowd::of(&[owner("7", 3), (None, 1)], &[owner("7", 4), owner("8", 2)]);
        assert_eq!((crowd.total, crowd.made), (10, 4));
        assert_eq!(crowd.by_owner[&OwnerId::new("7")], OfOne { total: 7, made: 3 });
        assert_eq!(crowd.by_owner.len(), 2);
    }

    #[test]
    fn as_many_as_are_allowed_are_not_too_many() {
        let of = |n| Crowd { total: n, ..Crowd::default() }.beyond(200, &LIMIT);
        assert_eq!(of(200), None);
        assert_eq!(of(201).unwrap(), "201 leads would go back within 1h, and more than 200 are too many");
        assert_eq!(share(20, 400, 0.05, "open leads", &LIMIT), None);
        assert_eq!(
            share(21, 400, 0.05, "open leads", &LIMIT).unwrap(),
            "21 of 400 open leads would go back within 1h, and more than 5% are too many"
        );
        assert_eq!(share(30, 30, 1.0, "open leads", &LIMIT), None);
    }
}
