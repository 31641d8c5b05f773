//! What comes round seldom under a connection's lease: sweeps and imports, tidying, telling people of
//! the agreement.

use super::{LOOK, Retention, alive, failed, pause};
use crate::engine::backfill::{self, Stepped};
use crate::engine::clock::{monotonic_now, real_now};
use crate::engine::context::{Engine, Site};
use crate::engine::reconcile::{self, Swept};
use crate::engine::schedule::Schedule;
use crate::engine::{inform, renewal, signed_out, tidy};
use crate::store::lease::Lease;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const TIDY: Duration = Duration::from_secs(3600);
/// Of so many rounds of tidying one notes where the journal stands: the first, and then one a day.
const ROUNDS_A_DAY: u32 = 24;
/// How often it is looked whom to tell of the agreement.
const TELL: Duration = Duration::from_secs(30);
/// How often it is noted that somebody works the connection.
const NOTE: Duration = Duration::from_secs(60);

/// The sweep at its times, and an import when one is asked for.
pub(super) async fn sweeps(engine: &Engine, site: &Site, lease: &Lease, times: &Schedule, over: &CancellationToken) {
    // The first one soon: it notes from when on this connection is watched.
    let (mut sweep_at, mut import_at) = (monotonic_now(), monotonic_now());
    while !over.is_cancelled() {
        // The watch alone tries then, and sweeps before it lets anything else go on.
        if signed_out::is_out(engine, site).await {
            pause(over, LOOK).await;
            continue;
        }
        let is_asked = reconcile::asked::stands(&engine.db, site.name()).await.unwrap_or(false);
        if sweep_at <= monotonic_now() || is_asked && site.crm.searches() {
            let wait = match reconcile::sweep(engine, site, lease, over).await {
                Ok(Swept::Through) => until_next(times),
                Ok(Swept::PutOff { after, why, .. }) => {
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

pub(super) async fn tidying(engine: &Engine, site: &Site, lease: &Lease, keep: Retention, over: &CancellationToken) {
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
        if let Err(error) = alive::note_alive(engine, site, lease).await {
            failed(site, over, &error, "noting that somebody works").await;
        }
        pause(over, NOTE).await;
    }
}

/// Members of the teams and signatories, about the agreement itself.
pub(super) async fn telling(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) {
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
