//! A connection whose credentials the CRM refuses is *signed out*: nothing is asked of the CRM and nothing
//! written, while clocks count on and what it sends is taken in. That is a switch in the database, so that
//! every replica and command sees it, and it is told once. When it is tried again is in `watch`.

use super::alarm::{Said, Turned, raise};
use super::context::{Engine, Site};
use super::switches::Switches;
use crate::crm::CrmError;
use crate::record::{ConnectionName, Elapsed, Timestamp};
use crate::store::lease::Lease;
use crate::store::switch::{Switch, SwitchRow};
use crate::store::{Db, OpenOptions, Priority, StoreError, Tx, cursor};

/// The cursor that changes when somebody has a reason to believe that the credentials work again.
const TRY_AGAIN: &str = "signed_out.try_again";
/// What a CRM says may be long.
const MESSAGE: usize = 300;

/// Whether it is signed out. A database that does not answer says no: whoever calls finds out by the call.
pub(super) async fn is_out(engine: &Engine, site: &Site) -> bool {
    Switches::read(&engine.db, site.name()).await.is_ok_and(|switches| switches.signed_out().is_some())
}

/// After a failed call: refused credentials sign the connection out. What the database refuses is only
/// logged, since the next call will be refused just so.
pub(super) async fn note(engine: &Engine, site: &Site, lease: &Lease, error: &CrmError) {
    if let CrmError::SignIn { message } = error
        && let Err(error) = refused(engine, site, lease, message).await
    {
        tracing::warn!(connection = %site.name(), "that it is signed out could not be stored: {error}");
    }
}

/// The CRM refuses our credentials. Answers whether that is news.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub(super) async fn refused(engine: &Engine, site: &Site, lease: &Lease, message: &str) -> Result<bool, StoreError> {
    let message: String = message.chars().take(MESSAGE).collect();
    let said = out(site, &message, engine.clock.now());
    let turned = Turned { switch: Switch::SignedOut, on: true, why: &message, said };
    let is_news = raise(engine, site, lease, turned).await?;
    engine.metrics.signed_out(site.name(), true);
    if is_news {
        let name = site.name();
        tracing::error!(connection = %name, "signed out, so that nothing is asked and nothing written (`leadpact doctor {name}`): {message}");
    }
    Ok(is_news)
}

/// It works again.
///
/// # Errors
/// As [`refused`].
pub(super) async fn works(engine: &Engine, site: &Site, lease: &Lease, was: &SwitchRow) -> Result<bool, StoreError> {
    let now = engine.clock.now();
    let why = format!("the credentials are accepted again, after {}", now - was.at);
    let said = back(site, was, now);
    let is_news = raise(engine, site, lease, Turned { switch: Switch::SignedOut, on: false, why: &why, said }).await?;
    engine.metrics.signed_out(site.name(), false);
    if is_news {
        tracing::info!(connection = %site.name(), "signed in again");
    }
    Ok(is_news)
}

fn out(site: &Site, message: &str, now: Timestamp) -> Said {
    let (name, since) = (site.name(), now.in_zone(&site.agreement.zone()));
    Said {
        subject: format!("{name} is signed out: nothing is written to the CRM"),
        heading: format!("The CRM of {name} refuses leadpact's credentials since {since}: {message}."),
        paragraphs: vec![
            "Until they are renewed nothing is read there and nothing written, and nobody is reminded. Clocks go on \
             counting, and what the CRM sends is taken in."
                .to_owned(),
            format!(
                "What to do: sign in again with `leadpact connect {name}`, or renew the token in the configuration and \
                 restart the daemon. `leadpact doctor {name}` shows what the CRM says. leadpact tries again every \
                 hour, and at once after any of these."
            ),
        ],
    }
}

fn back(site: &Site, was: &SwitchRow, now: Timestamp) -> Said {
    let (name, since) = (site.name(), was.at.in_zone(&site.agreement.zone()));
    Said {
        subject: format!("{name} is connected again"),
        heading: format!("The CRM of {name} accepts leadpact's credentials again, after {}.", now - was.at),
        paragraphs: vec![format!(
            "It was signed out since {since}. What fell due meanwhile is looked at again before anything is done: \
             whoever answered in time keeps the lead, and too many moves at once wait for a person."
        )],
    }
}

/// Somebody has a reason to believe that the credentials work again: a new one was stored, or a person looks
/// after them. Whoever works the connection tries within seconds, where it is signed out at all.
///
/// # Errors
/// When the database is unavailable.
pub async fn ask_to_try(db: &Db, connection: &ConnectionName, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    ask_to_try_within(&mut tx, connection, now).await?;
    tx.commit().await
}

/// The same within the transaction that stores a new credential.
///
/// # Errors
/// As [`ask_to_try`].
pub async fn ask_to_try_within(tx: &mut Tx, connection: &ConnectionName, now: Timestamp) -> Result<(), StoreError> {
    cursor::set(tx, connection, TRY_AGAIN, &now.as_millis().to_string()).await
}

/// For a command that looked after these connections: asks where they are signed out. Nothing is made or
/// changed else; a database that is not there has nobody to ask.
pub async fn ask_where_out(url: &str, connections: &[ConnectionName], now: Timestamp) {
    let Ok(db) = Db::open(url, &OpenOptions { only_look: true, ..OpenOptions::default() }).await else { return };
    for name in connections {
        let is_out = Switches::read(&db, name).await.is_ok_and(|switches| switches.signed_out().is_some());
        if is_out && let Err(error) = ask_to_try(&db, name, now).await {
            tracing::warn!(connection = %name, "the daemon could not be asked to try again: {error}");
        }
    }
}

/// How it was last asked for: another text, another request.
pub(super) async fn asked(db: &Db, connection: &ConnectionName) -> Result<Option<String>, StoreError> {
    cursor::get(db, connection, TRY_AGAIN).await
}

/// After a try that was refused, and after one that came to no answer.
pub(super) const HOUR: Elapsed = Elapsed::from_secs(3600);
pub(super) const MINUTE: Elapsed = Elapsed::from_secs(60);
