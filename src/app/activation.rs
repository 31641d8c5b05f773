//! Versions on their way: files are offered to the database, and what is signed and in effect becomes
//! active there, once for all replicas. Which version that is, is decided in `versions`; connections
//! are switched to it in `supervisor`.

use super::agreements::{AgreementFile, Agreements};
use crate::agreement::Agreement;
use crate::engine::Clock;
use crate::engine::signing::{journal_version, offer};
use crate::engine::versions::{Known, Scope, Terms, choose, draft, known, missing, read_stored, together};
use crate::record::{ConnectionName, FactKind};
use crate::store::agreement::{self, Version};
use crate::store::{Db, Priority, StoreError, cursor, signature};
use anyhow::{Context, Result, bail};
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
        offer(&mut tx, scope, &file.row(self.clock.now())).await?;
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
