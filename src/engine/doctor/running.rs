//! Checks of a connection that has been running: who works it, what came last, whether it may act,
//! and what waits. All of it is read from the database.

use super::{Check, heard};
use crate::crm::Crm;
use crate::crm::around::Expected;
use crate::crm::connection::{Connection, Mode};
use crate::engine::switches::Switches;
use crate::engine::{reconcile, worker};
use crate::record::{Elapsed, Object, Timestamp};
use crate::store::inbox::InboxCounts;
use crate::store::outbox::OutboxCounts;
use crate::store::vitals::Vitals;
use crate::store::{Db, StoreError, inbox, outbox, vitals};

/// What waits longer than this does not wait for its turn.
const LATE: Elapsed = Elapsed::from_secs(15 * 60);
/// A connection that was not swept for so long has a sweep that fails.
const UNSWEPT: Elapsed = Elapsed::from_secs(24 * 3600);

/// All that is stored about how a connection fares.
struct Seen {
    vitals: Vitals,
    alive: Option<Timestamp>,
    /// Since when it is watched, and when it was last swept through.
    watched: Option<(Timestamp, Timestamp)>,
    inbox: InboxCounts,
    outbox: OutboxCounts,
    earliest: Option<Timestamp>,
    switches: Switches,
}

/// How this connection fares at `now`, the real time.
pub async fn running(
    db: &Db,
    connection: &Connection,
    expected: &Expected,
    crm: &dyn Crm,
    now: Timestamp,
) -> Vec<Check> {
    match look(db, connection, expected, crm, now).await {
        Ok(checks) => checks,
        Err(error) => {
            let found = format!("cannot be read from the database: {error}");
            vec![Check::fail(connection.name.as_str(), "state", found, "run doctor again when the database answers")]
        }
    }
}

async fn look(
    db: &Db,
    connection: &Connection,
    expected: &Expected,
    crm: &dyn Crm,
    now: Timestamp,
) -> Result<Vec<Check>, StoreError> {
    let seen = seen(db, connection).await?;
    let mut checks = vec![seen.worker(connection, now), seen.acts(connection, now)];
    checks.extend(seen.events(connection, expected, now));
    checks.extend(seen.sweep(connection, now));
    checks.extend(seen.waiting(connection, now));
    if let Some((from, _)) = seen.watched {
        let since = from.max(now - heard::WINDOW);
        let deliveries = vitals::deliveries(db, &connection.name, since, heard::MOST).await?;
        // Of more deliveries than are looked at, the older ones may have told of older changes.
        let full = deliveries.len() >= heard::MOST as usize;
        let since = deliveries.last().filter(|_| full).map_or(since, |oldest| oldest.received_at);
        let changes = vitals::changes(db, &connection.name, since, heard::MOST).await?;
        checks.extend(heard::checks(connection, expected, &heard::heard(crm, &deliveries, &changes)));
    }
    Ok(checks)
}

async fn seen(db: &Db, connection: &Connection) -> Result<Seen, StoreError> {
    let name = &connection.name;
    let mut watched: Option<(Timestamp, Timestamp)> = None;
    for object in [Object::Lead, Object::Opportunity] {
        let one = reconcile::watched(db, name, object).await?;
        watched = match (watched, one) {
            (Some((from, since)), Some((f, s))) => Some((from.max(f), since.min(s))),
            (known, one) => known.or(one),
        };
    }
    Ok(Seen {
        vitals: vitals::vitals(db, name).await?,
        alive: worker::was_alive(db, name).await?,
        watched,
        inbox: inbox::counts(db, name).await?,
        outbox: outbox::counts(db, name).await?,
        earliest: outbox::earliest(db, name).await?,
        switches: Switches::read(db, name).await?,
    })
}

impl Seen {
    fn is_worked(&self, now: Timestamp) -> bool {
        self.vitals.leased_until.is_some_and(|until| until > now)
    }

    fn worker(&self, connection: &Connection, now: Timestamp) -> Check {
        let (name, what) = (connection.name.as_str(), "worker");
        let wrote =
            self.vitals.last_write.map(|at| format!("; last write to the CRM {}", ago(at, now))).unwrap_or_default();
        match self.alive {
            _ if self.is_worked(now) => Check::ok(name, what, format!("a daemon is at work{wrote}")),
            Some(at) => {
                let found = format!("no daemon has worked on this connection since {}{wrote}", ago(at, now));
                Check::warn(
                    name,
                    what,
                    found,
                    "start `leadpact serve`, or see in its log why it does not take the lease",
                )
            }
            None => Check::ok(name, what, "no daemon has worked on this connection yet"),
        }
    }

    fn acts(&self, connection: &Connection, now: Timestamp) -> Check {
        let (name, what) = (connection.name.as_str(), "mode");
        if let Some(row) = self.switches.pause(now) {
            let place = if row.connection.is_some() { "paused" } else { "everything is paused" };
            let until = row.until.map(|until| format!(" for another {}", until - now)).unwrap_or_default();
            let found = format!(
                "{place}{until} by {}: {}",
                row.by,
                if row.why.is_empty() { "no reason given" } else { &row.why }
            );
            return Check::warn(name, what, found, "`leadpact resume` when the reason is gone");
        }
        Check::ok(
            name,
            what,
            match (connection.mode, self.switches.is_armed()) {
                (Some(Mode::Enforce), _) => "enforces, by the configuration".to_owned(),
                (Some(Mode::Observe), _) => "observes, by the configuration: nothing is written to the CRM".to_owned(),
                (None, true) => "armed: it acts".to_owned(),
                (None, false) => format!("observes until somebody runs `leadpact arm {name}`"),
            },
        )
    }

    fn events(&self, connection: &Connection, expected: &Expected, now: Timestamp) -> Option<Check> {
        let (name, what) = (connection.name.as_str(), "events");
        match (self.vitals.last_delivery, self.alive) {
            (Some(at), _) => Some(Check::ok(name, what, format!("the CRM last sent some {}", ago(at, now)))),
            (None, Some(_)) => {
                let found = "the CRM has sent none that is kept: what changes is learnt by the sweep only";
                let fix = format!(
                    "see that the CRM sends to {} and that this address is reached from outside",
                    expected.target
                );
                Some(Check::warn(name, what, found, fix))
            }
            (None, None) => None,
        }
    }

    fn sweep(&self, connection: &Connection, now: Timestamp) -> Option<Check> {
        let (name, what) = (connection.name.as_str(), "sweep");
        let (_, since) = self.watched?;
        let found = format!("all that was modified before {} is known", ago(since, now));
        Some(match now - since > UNSWEPT && self.is_worked(now) {
            true => Check::warn(name, what, found, "see in the daemon's log why the sweep is put off (`reconcile`)"),
            false => Check::ok(name, what, found),
        })
    }

    fn waiting(&self, connection: &Connection, now: Timestamp) -> Vec<Check> {
        let name = connection.name.as_str();
        let mut checks = Vec::new();
        let mut add = |what: &str, found: String, fix: &str| checks.push(Check::warn(name, what, found, fix));
        if let Some(at) = self.vitals.oldest_waiting.filter(|at| now - *at > LATE) {
            let found = format!("{} deliveries are not applied, the oldest came {}", self.inbox.received, ago(at, now));
            add("inbox", found, "start `leadpact serve`, or see in its log what keeps it");
        }
        if self.inbox.parked > 0 {
            let found =
                format!("{} deliveries or events were set aside, since they cannot be applied", self.inbox.parked);
            add("inbox", found, "the daemon's log says why (`set aside`); a newer leadpact may read them");
        }
        if let Some(at) = self.earliest.filter(|at| now - *at > LATE) {
            let found = format!("{} effects are due, the oldest {}", self.outbox.due, ago(at, now));
            add("outbox", found, "start `leadpact serve`, or see in its log which call fails");
        }
        if self.outbox.parked > 0 {
            let found = format!("{} effects were given up", self.outbox.parked);
            add(
                "outbox",
                found,
                "the daemon's log and the records' pages say why; correct it, and what is due later goes on",
            );
        }
        if self.outbox.held > 0 {
            let found = format!("the breaker holds {} recycles for a person to decide", self.outbox.held);
            add("breaker", found, "look at them with `leadpact release`, which lets them go or discards them");
        }
        checks
    }
}

/// `3h 5m ago`; the CRM's clock may be a little ahead of ours.
fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", (now - at).max(Elapsed::from_secs(0)))
}
