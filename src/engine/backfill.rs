//! The first import: every open record is read with its history, clocks start at their true times, and
//! nothing fires that is overdue already. It is asked for by a row that whoever holds the lease finds,
//! and its progress is kept there after every page.

use super::context::{Engine, Site};
use super::reconcile::{self, Failed, How, OBJECTS, Swept, take_in};
use crate::agreement::Standing;
use crate::crm::connection::Backfill;
use crate::crm::{CrmError, Position, Sought};
use crate::record::{ConnectionName, Object, Timestamp};
use crate::store::lease::Lease;
use crate::store::{Db, Priority, StoreError, Tx, cursor};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The cursor's name.
const NAME: &str = "backfill";
/// Overdue records that are named; the others are counted.
const NAMED: usize = 20;

/// An import that was asked for, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub asked: Timestamp,
    pub by: String,
    /// What is being imported; both objects are done when it ended.
    pub object: Object,
    next: Option<Position>,
    /// This object was begun anew, since the CRM knew its own place no more.
    #[serde(default)]
    anew: bool,
    /// How many open records the CRM told of, of the objects that were begun.
    pub total: u64,
    /// Records that we did not know.
    pub imported: u64,
    /// Records that we knew: read, and nothing else.
    pub known: u64,
    /// Imported with a deadline that was over.
    pub overdue: u64,
    /// Imported in a stage whose beginning nobody knows.
    pub undated: u64,
    pub named: Vec<Overdue>,
    /// Objects that the CRM does not speak of, and why.
    pub refused: Vec<String>,
    /// What it waits for.
    pub waits: Option<String>,
    pub ended: Option<Timestamp>,
}

/// What was overdue when it was imported. Nothing is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    pub object: Object,
    pub id: String,
    pub name: String,
    pub clock: String,
    pub deadline: Timestamp,
}

/// What asking for an import came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is to begin, or goes on.
    Stands,
    /// It ended before, and was not asked for again.
    Ended(Import),
}

/// How far a step brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// None is asked for.
    Nothing,
    /// A page was taken in.
    Went,
    PutOff {
        after: Duration,
    },
    Ended,
}

impl Import {
    fn new(by: &str, now: Timestamp) -> Self {
        Self {
            asked: now,
            by: by.to_owned(),
            object: OBJECTS[0],
            next: None,
            anew: false,
            total: 0,
            imported: 0,
            known: 0,
            overdue: 0,
            undated: 0,
            named: Vec::new(),
            refused: Vec::new(),
            waits: None,
            ended: None,
        }
    }

    fn note(&mut self, standing: &Standing, now: Timestamp) {
        let open = || standing.open_runs();
        self.imported += 1;
        self.undated += u64::from(open().any(|run| run.silent));
        let overdue: Vec<_> = open().filter(|run| !run.silent && run.paused.is_none() && run.deadline <= now).collect();
        self.overdue += u64::from(!overdue.is_empty());
        let room = NAMED.saturating_sub(self.named.len());
        self.named.extend(overdue.into_iter().take(room).map(|run| Overdue {
            object: standing.key.object,
            id: standing.key.id.to_string(),
            name: standing.name().to_owned(),
            clock: run.clock.to_string(),
            deadline: run.deadline,
        }));
    }
}

/// The import of a connection, if one was ever asked for.
///
/// # Errors
/// When the database is unavailable or the row cannot be read.
pub async fn state(db: &Db, connection: &ConnectionName) -> Result<Option<Import>, StoreError> {
    let text = cursor::get(db, connection, NAME).await?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| StoreError::Corrupt(format!("the import of {connection} cannot be read: {e}")))
}

/// Asks for an import. One that has not ended goes on; one that has begins anew only `again`.
///
/// # Errors
/// As [`state`].
pub async fn ask(
    db: &Db,
    connection: &ConnectionName,
    by: &str,
    again: bool,
    now: Timestamp,
) -> Result<Asked, StoreError> {
    match state(db, connection).await? {
        Some(import) if import.ended.is_none() => return Ok(Asked::Stands),
        Some(import) if !again => return Ok(Asked::Ended(import)),
        _ => {}
    }
    let mut tx = db.begin(Priority::Work).await?;
    set(&mut tx, connection, &Import::new(by, now)).await?;
    tx.commit().await?;
    Ok(Asked::Stands)
}

/// Takes in the next page of an import that was asked for.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease) -> Result<Stepped, StoreError> {
    let Some(import) = state(&engine.db, site.name()).await?.filter(|import| import.ended.is_none()) else {
        return Ok(Stepped::Nothing);
    };
    if let Some(put_off) = reconcile::beyond_share(engine, site) {
        return wait(engine, site, lease, import, put_off).await;
    }
    match page(engine, site, lease, import.clone()).await {
        Ok(import) => {
            let ended = import.ended.is_some();
            if ended {
                tracing::info!(connection = %site.name(), imported = import.imported, overdue = import.overdue, "imported");
            }
            Ok(if ended { Stepped::Ended } else { Stepped::Went })
        }
        Err(Failed::Store(error)) => Err(error),
        Err(Failed::Crm(CrmError::Never { message })) => refused(engine, site, lease, import, message).await,
        Err(Failed::Crm(error)) => {
            let put_off = reconcile::put_off(engine, site, lease, &error).await;
            wait(engine, site, lease, import, put_off).await
        }
    }
}

async fn page(engine: &Engine, site: &Site, lease: &Lease, mut import: Import) -> Result<Import, Failed> {
    let object = import.object;
    let page = reconcile::search(engine, site, object, Sought::Open, import.next.as_ref()).await?;
    let how = How { since: None, from_now: site.connection.backfill == Backfill::FromImport };
    let taken = take_in(engine, site, lease, object, &page, how).await?;
    let now = engine.clock.now();
    if import.next.is_none() && !import.anew {
        import.total += page.total.unwrap_or_default();
    }
    taken.imported.iter().for_each(|standing| import.note(standing, now));
    import.known += taken.known;
    let is_first = import.next.is_none();
    import.next = page.next.clone();
    import.waits = None;
    if import.next.is_none() {
        advance(&mut import, now);
    }
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    if is_first {
        reconcile::begin_at(engine, site, &mut tx, object, page.at).await?;
    }
    set(&mut tx, site.name(), &import).await?;
    tx.commit().await.map_err(Failed::Store)?;
    Ok(import)
}

/// The next object, or the end.
fn advance(import: &mut Import, now: Timestamp) {
    let behind = OBJECTS.iter().skip_while(|object| **object != import.object).nth(1);
    match behind {
        Some(object) => (import.object, import.next, import.anew) = (*object, None, false),
        None => import.ended = Some(now),
    }
}

/// The CRM will never tell this object's records as things are: the other one may be shown to us.
async fn refused(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    mut import: Import,
    message: String,
) -> Result<Stepped, StoreError> {
    if import.next.take().is_some() && !import.anew {
        tracing::warn!(connection = %site.name(), object = %import.object, "the import of it begins anew: {message}");
        import.anew = true;
        save(engine, site, lease, &import).await?;
        return Ok(Stepped::Went);
    }
    tracing::error!(connection = %site.name(), object = %import.object, "not imported: {message}");
    import.refused.push(format!("{}: {message}", import.object));
    advance(&mut import, engine.clock.now());
    save(engine, site, lease, &import).await?;
    Ok(if import.ended.is_some() { Stepped::Ended } else { Stepped::Went })
}

async fn wait(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    mut import: Import,
    put_off: Swept,
) -> Result<Stepped, StoreError> {
    let Swept::PutOff { after, why, .. } = put_off else { return Ok(Stepped::Went) };
    tracing::warn!(connection = %site.name(), "the import waits: {why}");
    import.waits = Some(why);
    save(engine, site, lease, &import).await?;
    Ok(Stepped::PutOff { after })
}

async fn save(engine: &Engine, site: &Site, lease: &Lease, import: &Import) -> Result<(), StoreError> {
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    set(&mut tx, site.name(), import).await?;
    tx.commit().await
}

async fn set(tx: &mut Tx, connection: &ConnectionName, import: &Import) -> Result<(), StoreError> {
    let text = serde_json::to_string(import).map_err(|e| StoreError::Refused(e.to_string()))?;
    cursor::set(tx, connection, NAME, &text).await
}
