//! What leadpact tells by itself when a connection cannot go on as it should: one letter to each who
//! answers for the agreement, stored with the switch and its line in the journal, so that replicas and
//! restarts tell it once. What the switches mean is decided where they are turned.

use super::context::{Engine, Site};
use super::letters::{issue, tells};
use super::reach;
use super::switches::turn;
use crate::notify::letter::Paper;
use crate::record::Timestamp;
use crate::store::lease::Lease;
use crate::store::switch::{self, Switch, SwitchRow};
use crate::store::{Priority, StoreError, Tx};

/// Who turns these switches.
const LEADPACT: &str = "leadpact";

/// A letter.
pub(super) struct Said {
    pub subject: String,
    pub heading: String,
    pub paragraphs: Vec<String>,
}

/// A switch that is turned, and why in words.
pub(super) struct Turned<'a> {
    pub switch: Switch,
    pub on: bool,
    pub why: &'a str,
    pub said: Said,
}

/// Turns the switch, journals and tells it, unless it stands so already: somebody else was quicker.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub(super) async fn raise(engine: &Engine, site: &Site, lease: &Lease, turned: Turned<'_>) -> Result<bool, StoreError> {
    let (name, now) = (site.name(), engine.clock.now());
    let tells = tells(engine, site, now).await?;
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    if switch::lock(&mut tx, name, turned.switch).await? == turned.on {
        tx.rollback().await?;
        return Ok(false);
    }
    let row = SwitchRow {
        connection: Some(name.clone()),
        switch: turned.switch,
        on: turned.on,
        until: None,
        by: LEADPACT.to_owned(),
        why: turned.why.to_owned(),
        at: now,
    };
    let to = if turned.on { "on" } else { "off" };
    turn(&mut tx, &row, &[(name.clone(), site.agreement.hash.to_string())], to).await?;
    write(&mut tx, site, &format!("{}/{to}", turned.switch.as_str()), turned.said, tells, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Stores a letter to each who answers for the agreement, to leave after the transaction.
///
/// # Errors
/// When the database is unavailable.
pub(super) async fn write(
    tx: &mut Tx,
    site: &Site,
    about: &str,
    said: Said,
    tells: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let paper = Paper::plain(said.subject, said.heading, said.paragraphs);
    for to in reach::answerable(&site.agreement) {
        let key = format!("{}/{about}/{}/{}", site.name(), now.as_millis(), reach::called(&to));
        issue(tx, site.name(), &vec![to], &paper.clone().rendered(&key), tells, now).await?;
    }
    Ok(())
}
