//! The loops of one connection: whoever holds its lease takes turns (apply what was received, then
//! wake what is due), and beside them delivers. Replicas without the lease wait for it.

use super::backfill::{self, Stepped};
use super::clock::{monotonic_now, real_now};
use super::context::{Engine, Site};
use super::deliver::Deliver;
use super::meetings::Meetings;
use super::reconcile::{self, Swept};
use super::schedule::Schedule;
use super::{apply, inform, renewal, tidy, wake};
use crate::record::{ConnectionName, Elapsed, Timestamp};
use crate::store::lease::{self, Lease};
use crate::store::{Db, Priority, StoreError, cursor, inbox, outbox, standing};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A killed replica's connections are taken over after so long.
const LEASE: Elapsed = Elapsed::from_secs(6);
const RENEW: Duration = Duration::from_secs(2);
/// How often a replica without the lease asks for it.
const ASK: Duration = Duration::from_secs(1);
/// How long the loops wait when the database is unavailable.
const UNAVAILABLE: Duration = Duration::from_millis(500);
/// Deliver looks at least so often, whatever it was told.
const LOOK: Duration = Duration::from_secs(1);
/// And not oftener than this when nothing moved.
const SHORTEST: Duration = Duration::from_millis(10);
/// After a take-over the CRM's calls wait so long for the first round of notices.
const WARN_FIRST: Duration = Duration::from_secs(3);
const TIDY: Duration = Duration::from_secs(3600);
/// Of so many rounds of tidying one notes where the journal stands: the first, and then one a day.
const ROUNDS_A_DAY: u32 = 24;
/// How often it is looked whom to tell of the agreement.
const TELL: Duration = Duration::from_secs(30);
/// How often it is noted that somebody works the connection.
const NOTE: Duration = Duration::from_secs(60);
/// After so long without anybody, all that was missed is looked at before anything is sent.
const DOWN: Elapsed = Elapsed::from_secs(15 * 60);
/// The name under which that is kept, in milliseconds of real time.
const ALIVE: &str = "alive";

/// After a down time the sweep is tried so often before anything else goes on without it.
const CATCH_UP: u32 = 3;
/// And so long at most it waits between two tries.
const CATCH_UP_PAUSE: Duration = Duration::from_secs(5);

/// When what comes by the clock is looked at, in UTC.
#[derive(Clone, Debug)]
pub struct Times {
    /// The check for due clocks that always comes.
    pub wake: Schedule,
    /// The sweep over what was modified in the CRM.
    pub reconcile: Schedule,
}

/// How long received deliveries and applied changes are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub inbox: Elapsed,
    pub history: Elapsed,
}

/// What ends a connection's work.
#[derive(Clone)]
pub struct Stop {
    /// The daemon stops: the lease is given back.
    pub daemon: CancellationToken,
    /// A child of it. Cancelled alone, another site takes this one's place in this process, and the
    /// lease stays with it.
    pub site: CancellationToken,
}

/// Works a connection until it is stopped, whenever its lease can be had.
pub async fn work(engine: Arc<Engine>, site: Arc<Site>, times: Times, keep: Retention, stop: Stop) {
    while !stop.site.is_cancelled() {
        match lease::take(&engine.db, site.name(), &engine.holder, real_now(), LEASE).await {
            Ok(Some(lease)) => {
                tracing::info!(connection = %site.name(), fence = lease.fence, "working this connection");
                let held = hold(engine.clone(), site.clone(), lease, times.clone(), keep, stop.clone());
                // A task of its own: a fault in one loop must not leave the connection unserved.
                if let Err(fault) = tokio::spawn(held).await {
                    tracing::error!(connection = %site.name(), "the loops broke and begin anew: {fault}");
                    pause(&stop.site, ASK).await;
                }
            }
            Ok(None) => pause(&stop.site, ASK).await,
            Err(error) => {
                tracing::warn!(connection = %site.name(), "the lease could not be asked for: {error}");
                pause(&stop.site, UNAVAILABLE).await;
            }
        }
    }
}

/// Runs all loops until the lease is lost or the daemon stops; what is in hand is finished first,
/// still under the lease.
async fn hold(engine: Arc<Engine>, site: Arc<Site>, lease: Lease, times: Times, keep: Retention, stop: Stop) {
    let (engine, site) = (&*engine, &*site);
    let over = stop.site.child_token();
    let crm = Deliver::default().until(over.clone());
    let notices = crm.beside();
    let (issued, told, turned) = (Notify::new(), Notify::new(), Notify::new());
    let was_down = was_down(engine, site).await;
    let work = async {
        if was_down {
            tracing::info!(connection = %site.name(), "nobody was at work for long: what was missed comes before any call");
            catch_up(engine, site, &lease, &over).await;
        }
        tokio::join!(
            turns(engine, site, &lease, &times.wake, &turned, &over),
            async {
                // Who was to be warned before a crash is warned before the lead moves.
                let _ = tokio::time::timeout(WARN_FIRST, told.notified()).await;
                if was_down {
                    tokio::select! {
                        () = turned.notified() => {}
                        () = over.cancelled() => {}
                    }
                }
                deliveries(engine, site, &lease, crm, &issued, &over).await;
            },
            notifications(engine, site, &lease, notices, Told { issued: &issued, told: &told }, &over),
            meetings(engine, site, &lease, &over),
            sweeps(engine, site, &lease, &times.reconcile, &over),
            tidying(engine, site, &lease, keep, &over),
            telling(engine, site, &lease, &over),
        )
    };
    tokio::select! {
        _ = work => {}
        () = renewals(engine, site, lease.clone(), &over) => {}
    }
    if stop.daemon.is_cancelled() {
        tidy::log_head(engine, site).await;
        if let Err(error) = lease.release(&engine.db).await {
            tracing::warn!(connection = %site.name(), "the lease will run out by itself: {error}");
        }
    }
}

/// Apply until nothing received before the turn is left, then wake: a clock never breaches while
/// the answer lies in our own inbox.
async fn turns(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    wakes: &Schedule,
    turned: &Notify,
    over: &CancellationToken,
) {
    while !over.is_cancelled() {
        match turn(engine, site, lease, over).await {
            Ok(()) => {
                turned.notify_one();
                let wait = until_next_turn(engine, site, wakes).await;
                tokio::select! {
                    () = over.cancelled() => {}
                    () = site.stirred.notified() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Err(error) => failed(site, over, &error, "a turn").await,
        }
    }
}

/// One turn.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn turn(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) -> Result<(), StoreError> {
    if let Some(mark) = inbox::mark(&engine.db, site.name()).await? {
        while !over.is_cancelled() && apply::step(engine, site, lease, &mark).await? > 0 {}
    }
    while !over.is_cancelled() && wake::step(engine, site, lease).await? > 0 {}
    Ok(())
}

/// After a down time the CRM is asked for all that was missed before what was received is applied and
/// clocks are looked at: an event is judged as of now, and without what came after it a clock would
/// breach. A CRM that cannot be asked keeps nobody waiting for long: every write reads its record first.
async fn catch_up(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) {
    for _ in 0..CATCH_UP {
        match reconcile::sweep(engine, site, lease, over).await {
            Ok(Swept::Through) => return,
            Ok(Swept::PutOff { after, why }) => {
                tracing::warn!(connection = %site.name(), "what was missed could not be asked for: {why}");
                pause(over, after.min(CATCH_UP_PAUSE)).await;
            }
            Err(error) => failed(site, over, &error, "catching up").await,
        }
        if over.is_cancelled() {
            return;
        }
    }
}

/// The sweep at its times, and an import when one is asked for.
async fn sweeps(engine: &Engine, site: &Site, lease: &Lease, times: &Schedule, over: &CancellationToken) {
    // The first one soon: it notes from when on this connection is watched.
    let (mut sweep_at, mut import_at) = (monotonic_now(), monotonic_now());
    while !over.is_cancelled() {
        let is_asked = reconcile::asked::stands(&engine.db, site.name()).await.unwrap_or(false);
        if sweep_at <= monotonic_now() || is_asked && site.crm.searches() {
            let wait = match reconcile::sweep(engine, site, lease, over).await {
                Ok(Swept::Through) => until_next(times),
                Ok(Swept::PutOff { after, why }) => {
                    tracing::warn!(connection = %site.name(), "the sweep waits: {why}");
                    after
                }
                Err(error) => {
                    failed(site, over, &error, "a sweep").await;
                    Duration::ZERO
                }
            };
            sweep_at = monotonic_now() + wait;
        }
        if import_at <= monotonic_now() {
            match backfill::step(engine, site, lease).await {
                Ok(Stepped::Went | Stepped::Ended) => continue,
                Ok(Stepped::Nothing) => {}
                Ok(Stepped::PutOff { after }) => import_at = monotonic_now() + after,
                Err(error) => failed(site, over, &error, "an import").await,
            }
        }
        pause(over, LOOK).await;
    }
}

fn until_next(times: &Schedule) -> Duration {
    let real = real_now();
    times.next_after(real, None).map_or(Duration::from_secs(3600), |next| (next - real).to_std())
}

/// Works under a connection's lease, if it can be had, which is given back afterwards. `None`: another
/// works the connection.
///
/// # Errors
/// When the database is unavailable.
pub async fn under_lease<T>(
    engine: &Engine,
    site: &Site,
    work: impl AsyncFnOnce(&Lease) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let Some(lease) = lease::take(&engine.db, site.name(), &engine.holder, real_now(), LEASE).await? else {
        return Ok(None);
    };
    let over = CancellationToken::new();
    let done = tokio::select! {
        done = work(&lease) => done,
        () = renewals(engine, site, lease.clone(), &over) => Err(StoreError::LostLease(site.name().to_string())),
        () = over.cancelled() => Err(StoreError::LostLease(site.name().to_string())),
    };
    let _ = lease.release(&engine.db).await;
    done.map(Some)
}

/// Until the earliest deadline, and at the latest until the cron tick, the check that always comes.
async fn until_next_turn(engine: &Engine, site: &Site, wakes: &Schedule) -> Duration {
    let real = real_now();
    let tick = wakes.next_after(real, None).map_or(LOOK, |next| (next - real).to_std());
    let earliest = standing::earliest_wake(&engine.db, site.name()).await.ok().flatten();
    earliest.map_or(tick, |at| tick.min(engine.clock.to_real(at - engine.clock.now())))
}

/// `notices` is woken whenever this loop is: effects of both kinds are issued together.
async fn deliveries(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    mut deliver: Deliver,
    notices: &Notify,
    over: &CancellationToken,
) {
    while !over.is_cancelled() {
        notices.notify_one();
        match deliver.step_crm(engine, site, lease).await {
            Ok(0) => {
                let wait = until_next_look(engine, site, &deliver).await;
                tokio::select! {
                    () = over.cancelled() => {}
                    () = site.issued.notified() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Ok(_) => {}
            Err(error) => failed(site, over, &error, "a delivery").await,
        }
    }
}

/// How the loop of notices and that of the CRM's calls hear of each other.
struct Told<'a> {
    issued: &'a Notify,
    /// The first round of notices is over.
    told: &'a Notify,
}

/// Beside the CRM's calls, so that a slow mail server keeps no lead waiting.
async fn notifications(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    mut deliver: Deliver,
    Told { issued, told }: Told<'_>,
    over: &CancellationToken,
) {
    while !over.is_cancelled() {
        let step = deliver.step_notices(engine, site, lease).await;
        told.notify_one();
        match step {
            Ok(0) => {
                let wait = until_next_look(engine, site, &deliver).await;
                tokio::select! {
                    () = over.cancelled() => {}
                    () = issued.notified() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Ok(_) => {}
            Err(error) => failed(site, over, &error, "notifying").await,
        }
    }
}

/// Disputes, attestations and reviews, and the letters about them.
async fn meetings(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) {
    let mut meetings = Meetings::default();
    while !over.is_cancelled() {
        match meetings.step(engine, site, lease).await {
            Ok(0) => pause(over, LOOK).await,
            Ok(_) => {}
            Err(error) => failed(site, over, &error, "a meeting").await,
        }
    }
}

async fn until_next_look(engine: &Engine, site: &Site, deliver: &Deliver) -> Duration {
    let now = engine.clock.now();
    let due: Option<Timestamp> = outbox::earliest(&engine.db, site.name()).await.ok().flatten();
    let due = due.filter(|at| *at > now).map(|at| engine.clock.to_real(at - now));
    let look = deliver.next_look();
    [due, look].into_iter().flatten().fold(LOOK, Duration::min).max(SHORTEST)
}

/// Until the work is over. A lost lease ends the work; what is in hand then fails by itself.
async fn renewals(engine: &Engine, site: &Site, mut lease: Lease, over: &CancellationToken) {
    loop {
        tokio::time::sleep(RENEW).await;
        if let Err(error) = lease.renew(&engine.db, real_now(), LEASE).await {
            failed(site, over, &error, "renewing the lease").await;
            if let StoreError::LostLease(_) = error {
                return std::future::pending().await;
            }
        }
    }
}

async fn tidying(engine: &Engine, site: &Site, lease: &Lease, keep: Retention, over: &CancellationToken) {
    let (mut next, mut round) = (monotonic_now(), 0);
    while !over.is_cancelled() {
        if next <= monotonic_now() {
            next = monotonic_now() + TIDY;
            if round == 0 {
                tidy::log_head(engine, site).await;
            }
            round = (round + 1) % ROUNDS_A_DAY;
            if let Err(error) = tidy::step(engine, site, lease, keep).await {
                failed(site, over, &error, "tidying").await;
            }
        }
        if let Err(error) = note_alive(engine, site, lease).await {
            failed(site, over, &error, "noting that somebody works").await;
        }
        pause(over, NOTE).await;
    }
}

/// Members of the teams and signatories, about the agreement itself.
async fn telling(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) {
    while !over.is_cancelled() {
        let told = async {
            inform::step(engine, site, lease, over).await?;
            renewal::step(engine, site, lease, over).await
        };
        if let Err(error) = told.await {
            failed(site, over, &error, "telling people of the agreement").await;
        }
        pause(over, TELL).await;
    }
}

/// Whether nobody worked this connection for so long that much may be due at once: the breaker is to
/// count it all before the first of it leaves. A connection that is new was not down.
async fn was_down(engine: &Engine, site: &Site) -> bool {
    let alive = last_alive(engine, site).await.ok().flatten();
    alive.is_some_and(|at| real_now() - at > DOWN)
}

/// When somebody was last at work here, in real time.
pub(super) async fn last_alive(engine: &Engine, site: &Site) -> Result<Option<Timestamp>, StoreError> {
    was_alive(&engine.db, site.name()).await
}

/// When somebody last worked on this connection.
pub(super) async fn was_alive(db: &Db, connection: &ConnectionName) -> Result<Option<Timestamp>, StoreError> {
    let alive = cursor::get(db, connection, ALIVE).await?;
    Ok(alive.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
}

async fn note_alive(engine: &Engine, site: &Site, lease: &Lease) -> Result<(), StoreError> {
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    cursor::set(&mut tx, site.name(), ALIVE, &real_now().as_millis().to_string()).await?;
    tx.commit().await
}

/// A lost lease ends the hold; an unavailable database is tried again.
async fn failed(site: &Site, over: &CancellationToken, error: &StoreError, what: &str) {
    if let StoreError::LostLease(_) = error {
        tracing::warn!(connection = %site.name(), "another replica took over this connection");
        over.cancel();
        return;
    }
    tracing::error!(connection = %site.name(), "{what} failed and will be tried again: {error}");
    pause(over, UNAVAILABLE).await;
}

async fn pause(stop: &CancellationToken, wait: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(wait) => {}
    }
}
