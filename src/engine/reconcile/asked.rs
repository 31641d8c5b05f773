//! A sweep that somebody asked for: a row that whoever holds the lease finds, and what came of it, for
//! whoever asked to read. The sweep itself is that of `mod.rs`.

use super::Swept;
use crate::engine::context::{Engine, Site};
use crate::record::{ConnectionName, Timestamp};
use crate::store::lease::Lease;
use crate::store::{Db, Priority, StoreError, Tx, cursor};
use serde::{Deserialize, Serialize};

/// The cursor's name.
const NAME: &str = "reconcile/asked";

/// A sweep that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub asked: Timestamp,
    pub by: String,
    /// What it waits for.
    pub waits: Option<String>,
    pub ended: Option<Timestamp>,
    pub found: Counted,
}

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Records that were modified, each read.
    pub modified: u64,
    /// Deletions and merges that the CRM told of.
    pub ended: u64,
    /// Objects that were never swept: they are watched from now on.
    pub begun: u64,
    /// Objects that the CRM does not speak of, and why.
    pub refused: Vec<String>,
}

/// The last sweep that was asked for, if one ever was.
///
/// # Errors
/// When the database is unavailable or the row cannot be read.
pub async fn state(db: &Db, connection: &ConnectionName) -> Result<Option<Asked>, StoreError> {
    let text = cursor::get(db, connection, NAME).await?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| StoreError::Corrupt(format!("the sweep that was asked for of {connection} cannot be read: {e}")))
}

/// Asks for a sweep; one that was asked for and has not ended is the one.
///
/// # Errors
/// As [`state`].
pub async fn ask(db: &Db, connection: &ConnectionName, by: &str, now: Timestamp) -> Result<(), StoreError> {
    if state(db, connection).await?.is_some_and(|asked| asked.ended.is_none()) {
        return Ok(());
    }
    let asked = Asked { asked: now, by: by.to_owned(), waits: None, ended: None, found: Counted::default() };
    let mut tx = db.begin(Priority::Work).await?;
    set(&mut tx, connection, &asked).await?;
    tx.commit().await
}

/// Whether one is to be made at once. One that the CRM put off comes when the sweep is tried again.
///
/// # Errors
/// As [`state`].
pub async fn stands(db: &Db, connection: &ConnectionName) -> Result<bool, StoreError> {
    Ok(state(db, connection).await?.is_some_and(|asked| asked.ended.is_none() && asked.waits.is_none()))
}

/// Notes how a sweep ended for whoever asked for one before it.
pub(super) async fn tell(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    before: Option<Asked>,
    swept: &Swept,
    found: Counted,
) -> Result<(), StoreError> {
    let Some(mut asked) = before.filter(|asked| asked.ended.is_none()) else { return Ok(()) };
    asked.found.modified += found.modified;
    asked.found.ended += found.ended;
    asked.found.begun += found.begun;
    asked.found.refused = found.refused;
    match swept {
        Swept::Through => (asked.waits, asked.ended) = (None, Some(engine.clock.now())),
        Swept::PutOff { why, .. } => asked.waits = Some(why.clone()),
    }
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    set(&mut tx, site.name(), &asked).await?;
    tx.commit().await
}

async fn set(tx: &mut Tx, connection: &ConnectionName, asked: &Asked) -> Result<(), StoreError> {
    let text = serde_json::to_string(asked).map_err(|e| StoreError::Refused(e.to_string()))?;
    cursor::set(tx, connection, NAME, &text).await
}
