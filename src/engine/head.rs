//! The newest hash of a connection's journal, logged and mailed once a day: kept outside, it shows a
//! journal whose end was cut off.

use super::context::{Engine, Site};
use super::letters;
use crate::notify::Destination;
use crate::notify::letter::{Journal, Letter};
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError, cursor, journal};

const CURSOR: &str = "journal/head";

/// Mails the hash when a new day of the agreement's zone has begun. Answers how many mails were issued.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
    let (now, zone) = (engine.clock.now(), site.agreement.zone());
    let day = zone.to_datetime(now.to_jiff()).date().to_string();
    if cursor::get(&engine.db, site.name(), CURSOR).await?.as_deref() == Some(&day) {
        return Ok(0);
    }
    let Some(head) = journal::head(&engine.db, site.name()).await? else { return Ok(0) };
    tracing::info!(connection = %site.name(), "the journal's newest hash is {}:{}", head.seq, head.hash);
    let letter = Letter::Journal(Journal {
        connection: site.name().to_string(),
        seq: head.seq,
        hash: head.hash,
        at: now.in_zone(&zone),
    });
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    if let Some(address) = &engine.mail_head_to {
        let to = Destination::Email { address: address.clone(), name: None };
        match engine.notifiers.letter(&format!("journal/{day}"), &letter) {
            Ok(says) => letters::issue(&mut tx, site.name(), &vec![to], &says, true, now).await?,
            Err(error) => tracing::error!("the journal's hash cannot be mailed: {error}"),
        }
    }
    cursor::set(&mut tx, site.name(), CURSOR, &day).await?;
    tx.commit().await?;
    Ok(usize::from(engine.mail_head_to.is_some()))
}
