//! Versions on their way: files are offered to the database, and what is signed and in effect becomes
//! active there, once for all replicas. Which version that is, is decided in `versions`; connections
//! are switched to it in `supervisor`.

use super::agreements::{AgreementFile, Agreements, Scope, read_stored};
use super::versions::{Known, Terms, choose};
use crate::agreement::Agreement;
use crate::engine::Clock;
use crate::record::{ConnectionName, Fact, FactKind, Timestamp};
use crate::store::agreement::{self, Version};
use crate::store::journal::{self, JournalEntry};
use crate::store::signature::Signature;
use crate::store::{Db, Priority, StoreError, Tx, cursor, signature};
use anyhow::{Context, Result, bail};
use jiff::tz::TimeZone;
use serde_json::{Map, json};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The cursor that holds the hash of the version that is active for a connection.
pub use crate::engine::inform::ACTIVE;

/// What a scope's connections go by now.
#[derive(Clone)]
pub struct Enforced {
    pub agreement: Arc<Agreement>,
    /// Active, and signed unless that is lifted. Whether a connection acts is its mode's to say too.
    pub may_act: bool,
    /// What an operator should know about it.
    pub notes: Vec<String>,
}

/// One replica's part in it.
pub struct Activation {
    db: Db,
    clock: Clock,
    /// The files as they were last read.
    pub agreements: Agreements,
    /// `require_signatures = false`.
    lifted: bool,
    /// What was offered already, by scope and hash.
    offered: HashSet<(Option<ConnectionName>, String)>,
    /// What was seen through to its place in every journal, by scope.
    settled: HashMap<Option<ConnectionName>, String>,
    /// Versions that were read from the database, by hash.
    read: HashMap<String, Arc<Agreement>>,
}

impl Activation {
    pub fn new(db: Db, clock: Clock, agreements: Agreements, lifted: bool) -> Self {
        let (offered, settled, read) = Default::default();
        Self { db, clock, agreements, lifted, offered, settled, read }
    }

    /// What the scope is to be judged by now. Offers its file and activates what is ready.
    ///
    /// # Errors
    /// When the database is unavailable or the active version cannot be read.
    pub async fn enforced(&mut self, scope: &Scope) -> Result<Enforced> {
        self.offer(scope).await?;
        let known = known(&self.db, scope.own.as_ref()).await?;
        let file = self.agreements.of_scope(scope);
        let terms = Terms { file: &file.agreement.hash, lifted: self.lifted, now: self.clock.now() };
        let Some(chosen) = choose(&known, terms) else {
            let notes = notes(&known, None, file, terms);
            return Ok(Enforced { agreement: file.agreement.clone(), may_act: false, notes });
        };
        if self.settled.get(&scope.own) != Some(&chosen.version.hash) {
            let hash = settle(&self.db, scope, terms).await?;
            self.settled.insert(scope.own.clone(), hash.unwrap_or_default());
        }
        let notes = notes(&known, Some(chosen), file, terms);
        let agreement = self.agreement(scope, &chosen.version).await?;
        let needs_nobody = agreement.parties.iter().all(|p| p.signs.is_none());
        Ok(Enforced { agreement, may_act: self.lifted || needs_nobody || chosen.is_signed(), notes })
    }

    async fn offer(&mut self, scope: &Scope) -> Result<(), StoreError> {
        let file = self.agreements.of_scope(scope);
        let what = (scope.own.clone(), file.agreement.hash.to_string());
        if self.offered.contains(&what) {
            return Ok(());
        }
        let mut tx = self.db.begin(Priority::Work).await?;
        offer(&mut tx, scope, file, self.clock.now()).await?;
        tx.commit().await?;
        self.offered.insert(what);
        Ok(())
    }

    /// The version's agreement: the file's where that is it, else as the database keeps it.
    async fn agreement(&mut self, scope: &Scope, version: &Version) -> Result<Arc<Agreement>> {
        let file = &self.agreements.of_scope(scope).agreement;
        if *file.hash == version.hash {
            return Ok(file.clone());
        }
        if let Some(read) = self.read.get(&version.hash) {
            return Ok(read.clone());
        }
        let row = agreement::load(&self.db, scope.own.as_ref(), &version.hash).await?;
        let row = row.with_context(|| format!("version `{}` is gone from the database", version.version))?;
        let read = match read_stored(&row) {
            Ok(agreement) => Arc::new(agreement),
            Err(report) => bail!("the active agreement in the database cannot be read:\n{}", report.render(false)),
        };
        if *read.hash != version.hash {
            bail!("the active agreement in the database is not the text that was signed: {}", version.hash);
        }
        self.read.insert(version.hash.clone(), read.clone());
        Ok(read)
    }
}

/// All versions of a scope with the signatures under them, the newest offer first.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn known(db: &Db, own: Option<&ConnectionName>) -> Result<Vec<Known>, StoreError> {
    Ok(together(agreement::versions(db, own).await?, &signature::of_offered(db, own).await?))
}

fn together(versions: Vec<Version>, signatures: &[Signature]) -> Vec<Known> {
    let under = |version: &Version| signatures.iter().filter(|s| s.agreement == version.hash).cloned().collect();
    versions.into_iter().map(|version| Known { signatures: under(&version), version }).collect()
}

/// Offers a file to its scope; new ones are journalled for every connection.
///
/// # Errors
/// `Unavailable`.
pub async fn offer(tx: &mut Tx, scope: &Scope, file: &AgreementFile, now: Timestamp) -> Result<(), StoreError> {
    let row = file.row(now);
    if !agreement::offer(tx, scope.own.as_ref(), &row).await? {
        return Ok(());
    }
    for connection in &scope.connections {
        journal_version(tx, connection, FactKind::Offered, &row.version, now).await?;
    }
    Ok(())
}

/// Activates the version that is to be active, and journals it for each connection that it is new
/// to. Decided anew within the transaction, since another replica may have been first.
async fn settle(db: &Db, scope: &Scope, terms: Terms<'_>) -> Result<Option<String>, StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    agreement::lock(&mut tx, scope.own.as_ref()).await?;
    let versions = agreement::versions_in(&mut tx, scope.own.as_ref()).await?;
    let known = together(versions, &signature::of_offered_in(&mut tx, scope.own.as_ref()).await?);
    let Some(chosen) = choose(&known, terms) else { return Ok(None) };
    let hash = chosen.version.hash.clone();
    agreement::activate(&mut tx, scope.own.as_ref(), &hash, terms.now).await?;
    for connection in &scope.connections {
        if cursor::replace(&mut tx, connection, ACTIVE, &hash).await? {
            journal_version(&mut tx, connection, FactKind::Activated, &chosen.version, terms.now).await?;
        }
    }
    tx.commit().await?;
    Ok(Some(hash))
}

async fn journal_version(
    tx: &mut Tx,
    connection: &ConnectionName,
    kind: FactKind,
    version: &Version,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail =
        Map::from_iter([("title".to_owned(), json!(version.title)), ("version".to_owned(), json!(version.version))]);
    let fact = Fact::of_no_record(kind, now, &version.hash, detail);
    let entry = JournalEntry { record: None, fact, seen_at: now, agreement: version.hash.clone() };
    journal::append(tx, connection, &[entry]).await
}

/// What an operator should know, each in a sentence.
fn notes(known: &[Known], chosen: Option<&Known>, file: &AgreementFile, terms: Terms<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let active = chosen.filter(|k| !k.missing().is_empty());
    if let Some(active) = active {
        let (version, missing) = (&active.version.version, missing(active));
        notes.push(match terms.lifted {
            true => format!("require_signatures = false: version `{version}` acts without the signature of {missing}"),
            false => format!("version `{version}` is not signed by {missing}: observing only"),
        });
    }
    if chosen.is_some_and(|k| k.version.hash == terms.file) {
        return notes;
    }
    let Some(own) = known.iter().find(|k| k.version.hash == terms.file) else { return notes };
    let instead = match chosen {
        Some(chosen) => format!("version `{}` goes on", chosen.version.version),
        None => "observing only".to_owned(),
    };
    let why = draft(own, chosen, terms.now, &file.agreement.zone()).unwrap_or_else(|| "is a draft".to_owned());
    notes.push(format!("version `{}` of {} {why}: {instead}", own.version.version, file.path.display()));
    notes
}

/// Why a version is not active; `None` where nothing stands against it.
pub fn draft(known: &Known, active: Option<&Known>, now: Timestamp, zone: &TimeZone) -> Option<String> {
    let version = &known.version;
    if version.superseded_at.is_some() {
        return Some("was superseded; to go back to it, give it another `version` and have that signed".to_owned());
    }
    if !known.missing().is_empty() {
        return Some(format!("is not signed by {}", missing(known)));
    }
    if version.effective_at > now {
        return Some(format!("waits for its effective day, {}", version.effective_at.in_zone(zone)));
    }
    match active {
        Some(active) if active.version.effective_at > version.effective_at => {
            Some("is overtaken by a version with a later effective day".to_owned())
        }
        Some(_) if !known.is_signed() => {
            Some("names nobody who signs, and cannot take the place of a signed version".to_owned())
        }
        _ => None,
    }
}

fn missing(known: &Known) -> String {
    known.missing().iter().map(|party| party.as_str()).collect::<Vec<_>>().join(" and ")
}
