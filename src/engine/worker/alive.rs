//! Whether anybody was at work lately, and what comes first when nobody was, or nobody could ask the CRM.

use super::{failed, pause};
use crate::engine::clock::real_now;
use crate::engine::context::{Engine, Site};
use crate::engine::reconcile::{self, Swept};
use crate::engine::signed_out;
use crate::record::{ConnectionName, Elapsed, Timestamp};
use crate::store::lease::Lease;
use crate::store::{Db, Priority, StoreError, cursor};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// After so long without anybody, all that was missed is looked at before anything is sent.
pub(in crate::engine) const DOWN: Elapsed = Elapsed::from_secs(15 * 60);
/// The name under which it is kept when somebody was, in milliseconds of real time.
const ALIVE: &str = "alive";
/// After a down time the sweep is tried so often before anything else goes on without it.
const CATCH_UP: u32 = 3;
/// And so long at most it waits between two tries.
const CATCH_UP_PAUSE: Duration = Duration::from_secs(5);

/// Whether nobody worked this connection for so long that much may be due at once: the breaker is to
/// count it all before the first of it leaves. A connection that is new was not down.
pub(super) async fn was_down(engine: &Engine, site: &Site) -> bool {
    let alive = last_alive(engine, site).await.ok().flatten();
    alive.is_some_and(|at| real_now() - at > DOWN)
}

/// When somebody was last at work here, in real time.
pub(in crate::engine) async fn last_alive(engine: &Engine, site: &Site) -> Result<Option<Timestamp>, StoreError> {
    was_alive(&engine.db, site.name()).await
}

/// When somebody last worked on this connection.
pub(in crate::engine) async fn was_alive(
    db: &Db,
    connection: &ConnectionName,
) -> Result<Option<Timestamp>, StoreError> {
    let alive = cursor::get(db, connection, ALIVE).await?;
    Ok(alive.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
}

pub(super) async fn note_alive(engine: &Engine, site: &Site, lease: &Lease) -> Result<(), StoreError> {
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    cursor::set(&mut tx, site.name(), ALIVE, &real_now().as_millis().to_string()).await?;
    tx.commit().await
}

/// As this process begins. `false`: the CRM takes no credentials of ours, so that it is left to the watch.
pub(super) async fn catch_up_at_first(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) -> bool {
    !signed_out::is_out(engine, site).await && catch_up(engine, site, lease, over).await
}

/// After a down time the CRM is asked for all that was missed before what was received is applied and
/// clocks are looked at: an event is judged as of now, and without what came after it a clock would
/// breach. A CRM that cannot be asked keeps nobody waiting for long: every write reads its record first.
/// `false`: it refuses our credentials.
pub(in crate::engine) async fn catch_up(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) -> bool {
    for _ in 0..CATCH_UP {
        match reconcile::sweep(engine, site, lease, over).await {
            Ok(Swept::Through) => return true,
            Ok(Swept::PutOff { signed_out: true, .. }) => return false,
            Ok(Swept::PutOff { after, why, .. }) => {
                tracing::warn!(connection = %site.name(), "what was missed could not be asked for: {why}");
                pause(over, after.min(CATCH_UP_PAUSE)).await;
            }
            Err(error) => failed(site, over, &error, "catching up").await,
        }
        if over.is_cancelled() {
            break;
        }
    }
    true
}
