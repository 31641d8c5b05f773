//! The loops of one connection: whoever holds its lease takes turns (apply what was received, then
//! wake what is due), and beside them delivers. Replicas without the lease wait for it. Here is who holds it
//! and for how long; what goes round under it is in `loops` and, at longer intervals, in `seldom`; what comes
//! first after a down time in `alive`; whether the CRM may be worked with at all in `engine/watch.rs`.

mod alive;
mod loops;
mod seldom;

pub(super) use alive::{DOWN, catch_up, last_alive, was_alive};

use super::clock::real_now;
use super::context::{Engine, Site};
use super::deliver::Deliver;
use super::schedule::Schedule;
use super::watch::Watch;
use super::{apply, reconcile, tidy, wake};
use crate::record::Elapsed;
use crate::store::lease::{self, Lease};
use crate::store::{StoreError, inbox};
use loops::Told;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
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
/// After a take-over the CRM's calls wait so long for the first round of notices.
const WARN_FIRST: Duration = Duration::from_secs(3);

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
    // A turn is one's alone: the watch takes one too, before it lets calls be made again.
    let turning = Arc::new(Mutex::new(()));
    let mut watch = Watch::beside(turning.clone());
    let was_down = alive::was_down(engine, site).await;
    let work = async {
        // Histories tell who did what by ids of which the database knows whose they are.
        if let Err(error) = site.directory.recall(&engine.db, site.name(), &site.crm).await {
            failed(site, &over, &error, "recalling who people are").await;
        }
        if was_down {
            tracing::info!(connection = %site.name(), "nobody was at work for long: what was missed comes before any call");
            watch.owes(!alive::catch_up_at_first(engine, site, &lease, &over).await);
        }
        if let Err(error) = reconcile::begin(engine, site, &lease).await {
            failed(site, &over, &error, "beginning to watch").await;
        }
        tokio::join!(
            loops::turns(engine, site, &lease, (&times.wake, &turned, &turning), &over),
            async {
                // Who was to be warned before a crash is warned before the lead moves.
                let _ = tokio::time::timeout(WARN_FIRST, told.notified()).await;
                if was_down {
                    tokio::select! {
                        () = turned.notified() => {}
                        () = over.cancelled() => {}
                    }
                }
                loops::deliveries(engine, site, &lease, crm, &issued, &over).await;
            },
            loops::notifications(engine, site, &lease, notices, Told { issued: &issued, told: &told }, &over),
            loops::meetings(engine, site, &lease, &over),
            loops::watching(engine, site, &lease, watch, &over),
            seldom::sweeps(engine, site, &lease, &times.reconcile, &over),
            seldom::tidying(engine, site, &lease, keep, &over),
            seldom::telling(engine, site, &lease, &over),
        )
    };
    tokio::select! {
        _ = work => {}
        () = renewals(engine, site, lease.clone(), &over) => {}
    }
    // Whoever works it from now on tells how it stands.
    engine.metrics.forget(site.name());
    if stop.daemon.is_cancelled() {
        tidy::log_head(engine, site).await;
        if let Err(error) = lease.release(&engine.db).await {
            tracing::warn!(connection = %site.name(), "the lease will run out by itself: {error}");
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
    let recalled_then_done = async {
        site.directory.recall(&engine.db, site.name(), &site.crm).await?;
        work(&lease).await
    };
    let done = tokio::select! {
        done = recalled_then_done => done,
        () = renewals(engine, site, lease.clone(), &over) => Err(StoreError::LostLease(site.name().to_string())),
        () = over.cancelled() => Err(StoreError::LostLease(site.name().to_string())),
    };
    let _ = lease.release(&engine.db).await;
    done.map(Some)
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
