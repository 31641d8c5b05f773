//! The sweep: asks the CRM what was modified since the last one, since webhooks get lost and deadlines
//! must not. What it finds is read and taken in by `found`; where it stands is kept after every page,
//! so that another process goes on with it.

pub mod asked;
mod found;

pub use asked::{Asked, Counted};
pub(super) use found::{How, take_in};

use super::clock::real_now;
use super::context::{Engine, Site};
use super::signed_out;
use crate::crm::{CrmError, Page, Position, Sought};
use crate::record::{ConnectionName, Elapsed, Object, Timestamp};
use crate::store::lease::Lease;
use crate::store::{Db, StoreError, Tx, cursor};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// A sweep begins so long before the last one did: the indexes of searches lag behind.
pub const OVERLAP: Elapsed = Elapsed::from_secs(600);
/// How long a sweep waits after a failed call that does not say how long, and after one for which the
/// day's share is used up.
const PAUSE: Duration = Duration::from_secs(30);
const SHARE_PAUSE: Duration = Duration::from_secs(300);
pub(super) const OBJECTS: [Object; 2] = [Object::Lead, Object::Opportunity];

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// All that the CRM tells of is known, but for objects that it refuses to speak of.
    Through,
    /// It goes on later where it stopped.
    PutOff {
        after: Duration,
        why: String,
        /// The CRM refuses our credentials.
        signed_out: bool,
    },
}

/// Why a page was not taken in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crm(#[from] CrmError),
}

/// Where the sweep of one object stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Standpoint {
    /// No sweep looks back beyond this: what was before is the first import's business.
    from: Timestamp,
    /// All that was modified before, by the CRM's clock, is known.
    since: Timestamp,
    under_way: Option<UnderWay>,
}

impl Standpoint {
    fn looks_back_to(&self) -> Timestamp {
        (self.since - OVERLAP).max(self.from)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UnderWay {
    /// The CRM's clock at its beginning.
    began: Timestamp,
    next: Position,
}

/// Sweeps every object to the end, or until the CRM or its allowance asks to wait. A sweep that was
/// interrupted goes on.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn sweep(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) -> Result<Swept, StoreError> {
    if !site.crm.searches() {
        return Ok(Swept::Through);
    }
    let span = tracing::info_span!("reconcile", connection = %site.name());
    async {
        let asked = asked::state(&engine.db, site.name()).await?;
        let mut found = Counted::default();
        let swept = every_object(engine, site, lease, over, &mut found).await?;
        asked::tell(engine, site, lease, asked, &swept, found).await?;
        Ok(swept)
    }
    .instrument(span)
    .await
}

async fn every_object(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    over: &CancellationToken,
    found: &mut Counted,
) -> Result<Swept, StoreError> {
    for object in OBJECTS {
        match of_object(engine, site, lease, object, over, found).await {
            Ok(Swept::Through) => {}
            Ok(put_off) => return Ok(put_off),
            Err(Failed::Store(error)) => return Err(error),
            // The other object may well be shown to us.
            Err(Failed::Crm(error @ CrmError::Never { .. })) => {
                tracing::error!(%object, "what was modified is not told to us: {error}");
                found.refused.push(format!("{object}: {error}"));
                abandon(engine, site, lease, object).await?;
            }
            Err(Failed::Crm(error)) => return Ok(put_off(engine, site, lease, &error).await),
        }
    }
    Ok(Swept::Through)
}

/// Takes a moment of the CRM's clock as that from which on sweeps look, unless there is one already:
/// a first import began then.
///
/// # Errors
/// When the database is unavailable.
pub(super) async fn begin_at(
    engine: &Engine,
    site: &Site,
    tx: &mut Tx,
    object: Object,
    at: Timestamp,
) -> Result<(), StoreError> {
    if standpoint(&engine.db, site.name(), object).await?.is_none() {
        // The index that the import searches lags behind, too.
        let stands = Standpoint { from: at - OVERLAP, since: at, under_way: None };
        set(tx, site.name(), object, &stands).await?;
    }
    Ok(())
}

async fn of_object(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    object: Object,
    over: &CancellationToken,
    found: &mut Counted,
) -> Result<Swept, Failed> {
    let Some(mut stands) = standpoint(&engine.db, site.name(), object).await? else {
        found.begun += 1;
        let alive = super::worker::last_alive(engine, site).await?;
        return begin_watching(engine, site, lease, object, alive).await;
    };
    let mut records = 0;
    loop {
        if over.is_cancelled() {
            return Ok(Swept::PutOff { after: PAUSE, why: "the work ends".to_owned(), signed_out: false });
        }
        if let Some(put_off) = beyond_share(engine, site) {
            return Ok(put_off);
        }
        let since = stands.looks_back_to();
        let sought = Sought::Since(since);
        let page = search(engine, site, object, sought, stands.under_way.as_ref().map(|u| &u.next)).await?;
        let began = stands.under_way.as_ref().map_or(page.at, |u| u.began);
        records += page.found.len() + page.ended.len();
        let how = How { since: Some(since), from_now: false };
        take_in(engine, site, lease, object, &page, how).await?;
        found.modified += page.found.len() as u64;
        found.ended += page.ended.len() as u64;
        stands = match page.next {
            Some(next) => Standpoint { under_way: Some(UnderWay { began, next }), ..stands },
            None => Standpoint { since: began, under_way: None, ..stands },
        };
        save(engine, site, lease, object, &stands).await?;
        if stands.under_way.is_none() {
            tracing::info!(%object, records, "swept");
            return Ok(Swept::Through);
        }
    }
}

/// One page of a search, counted.
pub(super) async fn search(
    engine: &Engine,
    site: &Site,
    object: Object,
    sought: Sought,
    from: Option<&Position>,
) -> Result<Page, CrmError> {
    let answer = site.crm.search(object, sought, from).await;
    let result = if answer.is_ok() { "ok" } else { "failed" };
    engine.metrics.call(site.name(), "search", result);
    show_usage(engine, site);
    answer
}

/// Whether so much of the day's calls is used, by anybody, that sweeps and imports leave the rest to
/// reads and writes.
pub(super) fn beyond_share(engine: &Engine, site: &Site) -> Option<Swept> {
    let used = site.crm.usage()?.share_of_day(engine.clock.now())?;
    let share = site.connection.api_share;
    (used > share).then(|| {
        let why = format!("{:.0} % of the CRM's calls of the day are used, and `api_share` is {share}", used * 100.0);
        Swept::PutOff { after: SHARE_PAUSE, why, signed_out: false }
    })
}

/// The allowance as the CRM's last answer told it, for the metrics.
pub(super) fn show_usage(engine: &Engine, site: &Site) {
    if let Some(day) = site.crm.usage().and_then(|usage| usage.day) {
        engine.metrics.allowance(site.name(), day.used, day.limit);
    }
}

/// A call failed, and all that is left to do waits.
pub(super) async fn put_off(engine: &Engine, site: &Site, lease: &Lease, error: &CrmError) -> Swept {
    let (after, signed_out) = match error {
        CrmError::Later { after, .. } => (after.unwrap_or(PAUSE), false),
        CrmError::SignIn { .. } => (PAUSE, true),
        _ => (PAUSE, false),
    };
    signed_out::note(engine, site, lease, error).await;
    Swept::PutOff { after, why: error.to_string(), signed_out }
}

/// Has a connection that was never swept watched from now on, before anybody notes that it is worked:
/// else its first sweep would take that note for an earlier version's and look back beyond its beginning.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub(super) async fn begin(engine: &Engine, site: &Site, lease: &Lease) -> Result<(), StoreError> {
    if !site.crm.searches() {
        return Ok(());
    }
    for object in OBJECTS {
        if standpoint(&engine.db, site.name(), object).await?.is_some() {
            continue;
        }
        let alive = super::worker::last_alive(engine, site).await?;
        if let Err(Failed::Store(error)) = begin_watching(engine, site, lease, object, alive).await {
            return Err(error);
        }
    }
    Ok(())
}

/// A connection that was never swept: what an earlier version watched counts from when it was last at
/// work; what is new is watched from now on, and its past is the first import's business.
async fn begin_watching(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    object: Object,
    alive: Option<Timestamp>,
) -> Result<Swept, Failed> {
    let now = engine.clock.now();
    let stands = match alive.map(|alive| now - (real_now() - alive).max(Elapsed::ZERO)) {
        Some(alive) => Standpoint { from: alive - OVERLAP, since: alive, under_way: None },
        None => Standpoint { from: now, since: now, under_way: None },
    };
    save(engine, site, lease, object, &stands).await?;
    Ok(Swept::Through)
}

/// The next sweep begins where this one did.
async fn abandon(engine: &Engine, site: &Site, lease: &Lease, object: Object) -> Result<(), StoreError> {
    match standpoint(&engine.db, site.name(), object).await? {
        Some(stands) if stands.under_way.is_some() => {
            save(engine, site, lease, object, &Standpoint { under_way: None, ..stands }).await
        }
        _ => Ok(()),
    }
}

fn name(object: Object) -> String {
    format!("reconcile/{object}")
}

async fn standpoint(db: &Db, connection: &ConnectionName, object: Object) -> Result<Option<Standpoint>, StoreError> {
    let text = cursor::get(db, connection, &name(object)).await?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| StoreError::Corrupt(format!("where the sweep of {connection} stands cannot be read: {e}")))
}

async fn set(tx: &mut Tx, connection: &ConnectionName, object: Object, stands: &Standpoint) -> Result<(), StoreError> {
    let text = serde_json::to_string(stands).map_err(|e| StoreError::Refused(e.to_string()))?;
    cursor::set(tx, connection, &name(object), &text).await
}

async fn save(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    object: Object,
    stands: &Standpoint,
) -> Result<(), StoreError> {
    let mut tx = engine.db.begin(crate::store::Priority::Work).await?;
    lease.check(&mut tx).await?;
    set(&mut tx, site.name(), object, stands).await?;
    tx.commit().await
}

/// Since when an object is watched, and up to when all that was modified is known, by the CRM's
/// clock; `None` before the first sweep.
///
/// # Errors
/// When the database is unavailable.
pub(super) async fn watched(
    db: &Db,
    connection: &ConnectionName,
    object: Object,
) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    Ok(standpoint(db, connection, object).await?.map(|stands| (stands.from, stands.since)))
}
