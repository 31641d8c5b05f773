//! An agreement that was to be reviewed goes on, and those who signed it are reminded every week.

use super::context::{Engine, Site};
use super::inform::{about, in_working_hours, may_tell, signed};
use crate::agreement::Agreement;
use crate::agreement::model::Signatory;
use crate::notify::letter::Letter;
use crate::notify::version::Version;
use crate::notify::{Destination, NotifyError};
use crate::record::{Elapsed, Timestamp};
use crate::store::lease::Lease;
use crate::store::signature::Signature;
use crate::store::{Priority, StoreError, cursor};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const WEEK: Elapsed = Elapsed::from_secs(7 * 86_400);

/// Reminds whom it is time to remind.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease, over: &CancellationToken) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let is_late = over_since(&site.agreement).is_some_and(|since| now >= since);
    if !is_late
        || in_working_hours(&site.agreement, now) > now
        || !may_tell(engine, site).await?
        || !speaks(engine, site).await?
    {
        return Ok(());
    }
    let Some(signatures) = signed(engine, site).await? else { return Ok(()) };
    for signatory in site.agreement.parties.iter().filter_map(|party| party.signs.as_ref()) {
        let name = format!("review_by/{}", signatory.email);
        let last = cursor::get(&engine.db, site.name(), &name).await?;
        if !over.is_cancelled() && is_time(&site.agreement, last.as_deref(), now) {
            remind(engine, site, lease, signatory, &signatures).await?;
        }
    }
    Ok(())
}

/// The first moment after the day by which it was to be reviewed.
fn over_since(agreement: &Agreement) -> Option<Timestamp> {
    let next = agreement.review_by?.tomorrow().ok()?;
    next.to_zoned(agreement.zone()).ok().map(|midnight| Timestamp::from_jiff(midnight.timestamp()))
}

/// Where several connections are under one agreement, the first of them speaks for all.
async fn speaks(engine: &Engine, site: &Site) -> Result<bool, StoreError> {
    let earlier = |other: &&Arc<Site>| other.agreement.hash == site.agreement.hash && other.name() < site.name();
    for other in engine.sites().iter().filter(earlier) {
        if may_tell(engine, other).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Cursors hold the version's hash and the moment of the last reminder.
fn is_time(agreement: &Agreement, last: Option<&str>, now: Timestamp) -> bool {
    let of_this = last.and_then(|last| last.strip_prefix(&*agreement.hash));
    let at = of_this.and_then(|at| at.trim().parse().ok()).map(Timestamp::from_millis);
    at.is_none_or(|at| now >= at + WEEK)
}

async fn remind(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    signatory: &Signatory,
    signatures: &[Signature],
) -> Result<(), StoreError> {
    let Signatory { name, email, .. } = signatory;
    let to = Destination::Email { address: email.clone(), name: Some(name.clone()) };
    if !engine.notifiers.reaches(&to) {
        return Ok(());
    }
    let (now, hash) = (engine.clock.now(), &site.agreement.hash);
    let key = format!("{}/renewal/{hash}/{email}/{}", site.name(), now.as_millis() / WEEK.as_millis());
    let about = about(engine, &site.agreement, signatures);
    let letter = Letter::Renewal(Version { name: Some(name.clone()), about });
    match engine.notifiers.send_letter(&to, &key, &letter).await {
        Ok(_) => {
            tracing::info!(connection = %site.name(), "a signatory was reminded that the agreement is to be reviewed")
        }
        Err(error @ NotifyError::Later { .. }) => {
            tracing::warn!(connection = %site.name(), "a signatory could not be reminded of the review: {error}");
            return Ok(());
        }
        Err(error) => {
            tracing::warn!(connection = %site.name(), "a signatory cannot be reminded of the review: {error}")
        }
    }
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    cursor::set(&mut tx, site.name(), &format!("review_by/{email}"), &format!("{hash} {}", now.as_millis())).await?;
    tx.commit().await
}
