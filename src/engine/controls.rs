//! What a person sets for a whole connection: paused, armed, who is away. Each is one transaction with
//! its line in the journal; commands, pages and the API set it here alike. Nothing asks back here.

use super::context::Site;
use super::switches::{Setting, Told, tell, turn};
use crate::crm::connection::Mode;
use crate::record::{ConnectionName, EffectKey, OwnerId, Timestamp};
use crate::store::absence::{self, AbsenceRow};
use crate::store::outbox;
use crate::store::person::{self, PersonRow};
use crate::store::switch::{Switch, SwitchRow};
use crate::store::{Db, Priority, StoreError};
use jiff::tz::TimeZone;

/// Who sets something, why and when.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    pub name: &'a str,
    /// For the journal; may be empty.
    pub why: &'a str,
    pub at: Timestamp,
}

impl By<'_> {
    fn row(&self, connection: Option<&ConnectionName>, switch: Switch, on: bool) -> SwitchRow {
        SwitchRow {
            connection: connection.cloned(),
            switch,
            on,
            until: None,
            by: self.name.to_owned(),
            why: self.why.to_owned(),
            at: self.at,
        }
    }
}

/// The journal of a connection that is told of a setting.
pub fn chain(site: &Site) -> Told {
    (site.name().clone(), site.agreement.hash.to_string())
}

async fn set(db: &Db, row: &SwitchRow, told: &[Told], to: &str) -> Result<(), StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    turn(&mut tx, row, told, to).await?;
    tx.commit().await
}

/// Nothing leaves from now on, for a connection or (`None`) everywhere; it ends by itself at `until`, which
/// the journal tells in this zone.
///
/// # Errors
/// When the database is unavailable.
pub async fn pause(
    db: &Db,
    connection: Option<&ConnectionName>,
    told: &[Told],
    until: Option<(Timestamp, &TimeZone)>,
    by: By<'_>,
) -> Result<(), StoreError> {
    let row = SwitchRow { until: until.map(|(until, _)| until), ..by.row(connection, Switch::Paused, true) };
    let to = until.map_or_else(|| "on".to_owned(), |(until, zone)| format!("on until {}", until.in_zone(zone)));
    set(db, &row, told, &to).await
}

/// Ends a pause: a connection's own, or (`None`) that of every connection.
///
/// # Errors
/// When the database is unavailable.
pub async fn resume(db: &Db, connection: Option<&ConnectionName>, told: &[Told], by: By<'_>) -> Result<(), StoreError> {
    set(db, &by.row(connection, Switch::Paused, false), told, "off").await
}

/// Why a connection cannot be armed or disarmed; a mode in the file goes before that.
pub fn fixed_mode(name: &ConnectionName, mode: Option<Mode>) -> Option<String> {
    let said = match mode? {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    };
    Some(format!(
        "the configuration says mode = \"{said}\" for {name}, and the file goes before arming: \
         change it there, or take the line out to arm and disarm from here"
    ))
}

/// Lets a connection act from now on, and makes these missed moves after all, through breaker and pace.
/// Answers how many of them were still to be made.
///
/// # Errors
/// When the database is unavailable.
pub async fn arm(db: &Db, chain: &Told, overdue: &[EffectKey], by: By<'_>) -> Result<usize, StoreError> {
    let row = by.row(Some(&chain.0), Switch::Armed, true);
    let mut tx = db.begin(Priority::Work).await?;
    let reissued = usize::try_from(outbox::reissue(&mut tx, &chain.0, overdue, by.at).await?).unwrap_or(usize::MAX);
    let to = match reissued {
        0 => "on".to_owned(),
        1 => "on, with 1 move overdue".to_owned(),
        n => format!("on, with {n} moves overdue"),
    };
    turn(&mut tx, &row, std::slice::from_ref(chain), &to).await?;
    tx.commit().await?;
    Ok(reissued)
}

/// The connection observes from now on.
///
/// # Errors
/// When the database is unavailable.
pub async fn disarm(db: &Db, chain: &Told, by: By<'_>) -> Result<(), StoreError> {
    set(db, &by.row(Some(&chain.0), Switch::Armed, false), std::slice::from_ref(chain), "off").await
}

/// An owner by id or e-mail address, as the directory of the CRM knows them. An id is believed even
/// where the directory was not read yet. `None`: nobody is known by it.
///
/// # Errors
/// When the database is unavailable.
pub async fn owner_named(db: &Db, name: &ConnectionName, typed: &OwnerId) -> Result<Option<OwnerId>, StoreError> {
    let people = person::load_all(db, name).await?;
    let typed = typed.as_str();
    let same = |row: &&PersonRow| {
        row.id.as_str() == typed || row.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(typed))
    };
    Ok(match people.iter().find(same) {
        Some(row) => Some(row.id.clone()),
        None if people.is_empty() && !typed.contains('@') => Some(OwnerId::new(typed)),
        None => None,
    })
}

/// Somebody takes no records until then. `called` and the zone are for the journal's words.
///
/// # Errors
/// When the database is unavailable.
pub async fn away(
    db: &Db,
    chain: &Told,
    owner: &OwnerId,
    until: Timestamp,
    (called, zone): (&str, &TimeZone),
    by: By<'_>,
) -> Result<(), StoreError> {
    let row = AbsenceRow { owner: owner.clone(), until, by: by.name.to_owned(), at: by.at };
    let to = format!("{called} is away until {}", until.in_zone(zone));
    let mut tx = db.begin(Priority::Work).await?;
    absence::set(&mut tx, &chain.0, &row).await?;
    tell(&mut tx, chain, &Setting { name: "absence", to: &to, by: by.name, why: by.why }, by.at).await?;
    tx.commit().await
}

/// Somebody takes records again. `false`: they were not away, and nothing was changed.
///
/// # Errors
/// When the database is unavailable.
pub async fn back(db: &Db, chain: &Told, owner: &OwnerId, called: &str, by: By<'_>) -> Result<bool, StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    if !absence::remove(&mut tx, &chain.0, owner).await? {
        return Ok(false);
    }
    let to = format!("{called} is back");
    tell(&mut tx, chain, &Setting { name: "absence", to: &to, by: by.name, why: by.why }, by.at).await?;
    tx.commit().await?;
    Ok(true)
}
