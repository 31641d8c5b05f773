//! Letters on their way: what disputes, attestations and reviews have to say is stored in their own
//! transaction and sent here, under the lease. A letter is sent once; after a crash at most once more.

use super::context::{Engine, Site};
use super::switches::Switches;
use crate::notify::{Destination, NotifyError, Rendered};
use crate::record::{ConnectionName, Timestamp};
use crate::store::journal::JournalEntry;
use crate::store::lease::Lease;
use crate::store::letter::{self, LetterRow, LetterState, Outcome};
use crate::store::{Priority, StoreError, Tx};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Most letters that one step sends.
const LETTERS: u32 = 20;
/// A channel that is down is asked again after so long at first, and after so long at most.
const AGAIN: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);

/// Where a letter goes, and where instead when nobody is there.
pub type Route = Vec<Destination>;

/// Whether this connection tells anybody anything: one that only observes does not, unless notices
/// of observing connections are wanted.
///
/// # Errors
/// When the database is unavailable.
pub async fn tells(engine: &Engine, site: &Site, now: Timestamp) -> Result<bool, StoreError> {
    let acts = Switches::read(&engine.db, site.name()).await?.acts(site);
    Ok((acts && now >= site.agreement.effective_at) || engine.notify_in_observe)
}

/// Stores a letter, to leave after the transaction; one of the same key that is there stays.
///
/// # Errors
/// When the database is unavailable.
pub async fn issue(
    tx: &mut Tx,
    connection: &ConnectionName,
    route: &Route,
    says: &Rendered,
    tells: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let json = |e: serde_json::Error| StoreError::Refused(format!("a letter cannot be written: {e}"));
    let row = LetterRow {
        key: says.key.clone(),
        destinations: serde_json::to_string(route).map_err(json)?,
        body: serde_json::to_string(says).map_err(json)?,
        state: if tells { LetterState::Due } else { LetterState::WouldHave },
        attempts: 0,
    };
    letter::add(tx, connection, &row, now, now).await.map(|_| ())
}

/// After the commit: live pages and counters hear of these facts.
pub fn tell(engine: &Engine, site: &Site, entries: Vec<JournalEntry>) {
    for entry in entries {
        engine.metrics.fact(site.name(), entry.fact.kind);
        // Nobody listening is no fault.
        let _ = engine.told.send(Arc::new(entry));
    }
}

/// Sends what is due. Answers how many letters moved; 0: nothing is due.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
    let due = letter::due(&engine.db, site.name(), engine.clock.now(), LETTERS).await?;
    if due.is_empty() || Switches::read(&engine.db, site.name()).await?.pause(engine.clock.now()).is_some() {
        return Ok(0);
    }
    let mut down = BTreeSet::new();
    for row in &due {
        one(engine, site, lease, row, &mut down).await?;
    }
    Ok(due.len())
}

async fn one(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    row: &LetterRow,
    down: &mut BTreeSet<&'static str>,
) -> Result<(), StoreError> {
    let desk = Desk { engine, site, lease, row };
    let read = |e: serde_json::Error| StoreError::Corrupt(format!("the letter `{}` cannot be read: {e}", row.key));
    let route: Route = serde_json::from_str(&row.destinations).map_err(read)?;
    let says: Rendered = serde_json::from_str(&row.body).map_err(read)?;
    let sending = match row.state {
        LetterState::Due if route.first().is_some_and(|to| down.contains(channel(to))) => {
            return desk.later(row.state, "its channel is down", None).await;
        }
        LetterState::Due => LetterState::Sending,
        LetterState::Sending => LetterState::Again,
        // It was sent again and that may have arrived: a third time would be one too many.
        _ => return desk.settle(row.state, LetterState::Sent, Some("unknown whether it arrived")).await,
    };
    if !desk.take(sending).await? {
        return Ok(());
    }
    match post(engine, &route, &says).await {
        Ok(note) => desk.settle(sending, LetterState::Sent, Some(&note)).await,
        Err((to, NotifyError::Later { message, after })) => {
            down.extend(to.map(channel));
            desk.later(sending, &message, after).await
        }
        Err((_, NotifyError::Nobody { message } | NotifyError::Never { message })) => {
            tracing::error!(connection = %site.name(), letter = %row.key, "could not be sent: {message}");
            desk.settle(sending, LetterState::Failed, Some(&message)).await
        }
    }
}

/// By the first destination where somebody is.
async fn post<'r>(
    engine: &Engine,
    route: &'r Route,
    says: &Rendered,
) -> Result<String, (Option<&'r Destination>, NotifyError)> {
    let mut refusal = NotifyError::Nobody { message: "nobody is named, or no channel is configured".to_owned() };
    for to in route {
        match engine.notifiers.post(to, says).await {
            Ok(note) => return Ok(note),
            Err(later @ NotifyError::Later { .. }) => return Err((Some(to), later)),
            Err(other) => refusal = other,
        }
    }
    Err((None, refusal))
}

/// What fails together.
fn channel(to: &Destination) -> &'static str {
    match to {
        Destination::SlackChannel(_) | Destination::SlackMember { .. } => "slack",
        Destination::Email { .. } => "email",
    }
}

/// One letter under the lease.
struct Desk<'a> {
    engine: &'a Engine,
    site: &'a Site,
    lease: &'a Lease,
    row: &'a LetterRow,
}

impl Desk<'_> {
    async fn write(&self, was: LetterState, outcome: Outcome<'_>) -> Result<bool, StoreError> {
        let mut tx = self.engine.db.begin(Priority::Work).await?;
        self.lease.check(&mut tx).await?;
        let moved = letter::settle(&mut tx, self.site.name(), &self.row.key, was, &outcome).await?;
        tx.commit().await?;
        Ok(moved)
    }

    /// Marks it as on its way. `false`: another replica did.
    async fn take(&self, state: LetterState) -> Result<bool, StoreError> {
        let now = self.engine.clock.now();
        self.write(self.row.state, Outcome { state, attempts: self.row.attempts, not_before: now, note: None }).await
    }

    async fn settle(&self, was: LetterState, state: LetterState, note: Option<&str>) -> Result<(), StoreError> {
        let now = self.engine.clock.now();
        let outcome = Outcome { state, attempts: self.row.attempts + 1, not_before: now, note };
        self.write(was, outcome).await.map(|_| ())
    }

    /// Its channel is down: tried again, and never given up for that.
    async fn later(&self, was: LetterState, why: &str, after: Option<Duration>) -> Result<(), StoreError> {
        let attempts = self.row.attempts.saturating_add(1);
        let wait = after.unwrap_or_else(|| LONGEST.min(AGAIN * 2_u32.pow(attempts.min(8) - 1)));
        let not_before = self.engine.clock.now() + self.engine.clock.to_engine(wait);
        let outcome = Outcome { state: LetterState::Due, attempts, not_before, note: Some(why) };
        self.write(was, outcome).await.map(|_| ())
    }
}
