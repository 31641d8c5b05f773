//! Who takes no records for a while. Each setting is one transaction with its line in the journal;
//! commands and the API set it here alike. What the rotation makes of it is not decided here.

use super::switches::{Setting, Told, tell};
use crate::record::{ConnectionName, OwnerId, Timestamp};
use crate::store::absence::{self, AbsenceRow};
use crate::store::person::{self, PersonRow};
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
