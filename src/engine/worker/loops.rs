//! What goes round all the time under a connection's lease: turns, the CRM's calls, notices, meetings,
//! and the watch over whether the CRM may be worked with.

use super::{LOOK, failed, pause, turn};
use crate::engine::clock::real_now;
use crate::engine::context::{Engine, Site};
use crate::engine::deliver::Deliver;
use crate::engine::meetings::Meetings;
use crate::engine::schedule::Schedule;
use crate::engine::watch::Watch;
use crate::record::Timestamp;
use crate::store::lease::Lease;
use crate::store::{outbox, standing};
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

/// Nothing is looked at oftener than this when nothing moved.
const SHORTEST: Duration = Duration::from_millis(10);
/// How often it is looked whether the CRM may be worked with.
const WATCH: Duration = Duration::from_secs(2);

/// Apply until nothing received before the turn is left, then wake: a clock never breaches while
/// the answer lies in our own inbox.
pub(super) async fn turns(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    (wakes, turned, turning): (&Schedule, &Notify, &Mutex<()>),
    over: &CancellationToken,
) {
    while !over.is_cancelled() {
        let taken = {
            let _mine = turning.lock().await;
            turn(engine, site, lease, over).await
        };
        match taken {
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

/// Until the earliest deadline, and at the latest until the cron tick, the check that always comes.
async fn until_next_turn(engine: &Engine, site: &Site, wakes: &Schedule) -> Duration {
    let real = real_now();
    let tick = wakes.next_after(real, None).map_or(LOOK, |next| (next - real).to_std());
    let earliest = standing::earliest_wake(&engine.db, site.name()).await.ok().flatten();
    earliest.map_or(tick, |at| tick.min(engine.clock.to_real(at - engine.clock.now())))
}

/// `notices` is woken whenever this loop is: effects of both kinds are issued together.
pub(super) async fn deliveries(
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

async fn until_next_look(engine: &Engine, site: &Site, deliver: &Deliver) -> Duration {
    let now = engine.clock.now();
    let due: Option<Timestamp> = outbox::earliest(&engine.db, site.name()).await.ok().flatten();
    let due = due.filter(|at| *at > now).map(|at| engine.clock.to_real(at - now));
    let look = deliver.next_look();
    [due, look].into_iter().flatten().fold(LOOK, Duration::min).max(SHORTEST)
}

/// How the loop of notices and that of the CRM's calls hear of each other.
pub(super) struct Told<'a> {
    pub issued: &'a Notify,
    /// The first round of notices is over.
    pub told: &'a Notify,
}

/// Beside the CRM's calls, so that a slow mail server keeps no lead waiting.
pub(super) async fn notifications(
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
pub(super) async fn meetings(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) {
    let mut meetings = Meetings::default();
    while !over.is_cancelled() {
        match meetings.step(engine, site, lease).await {
            Ok(0) => pause(over, LOOK).await,
            Ok(_) => {}
            Err(error) => failed(site, over, &error, "a meeting").await,
        }
    }
}

/// Whether the CRM takes our credentials, and whether its clock and ours agree.
pub(super) async fn watching(engine: &Engine, site: &Site, lease: &Lease, mut watch: Watch, over: &CancellationToken) {
    while !over.is_cancelled() {
        if let Err(error) = watch.step(engine, site, lease, over).await {
            failed(site, over, &error, "the watch over the CRM").await;
        }
        pause(over, WATCH).await;
    }
}
