//! Decisions gathered into one transaction: standings are loaded once, decided on as often as
//! needed, and written together with history, journal, outbox and clock rows. Nothing is decided
//! here; the core does that.

use super::context::{Engine, Site};
use crate::agreement::{Agreement, Decision, Input, Standing, decide, is_late, refold};
use crate::record::field::well_known;
use crate::record::{Actor, Change, Effect, EffectKey, Elapsed, Fact, FactKind, Outcome, RecordKey, Timestamp, What};
use crate::store::clock::{ClockRow, ClockState};
use crate::store::journal::JournalEntry;
use crate::store::standing::StandingRow;
use crate::store::{StoreError, Tx, clock, history, journal, outbox, standing};
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// One transaction's worth of decisions about records of one connection.
pub struct Batch<'a> {
    site: &'a Site,
    now: Timestamp,
    standings: HashMap<RecordKey, Standing>,
    /// The rows of open runs as they were, so that only what changed is written.
    shown: HashMap<RecordKey, Vec<ClockRow>>,
    changed: BTreeSet<RecordKey>,
    history: Vec<(RecordKey, Change)>,
    journal: Vec<JournalEntry>,
    effects: Vec<Effect>,
    withdrawn: Vec<EffectKey>,
}

/// Why one record's decision could not be made; the others go on.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The decision failed for this record alone.
    #[error("{0}")]
    Record(String),
}

impl<'a> Batch<'a> {
    /// Loads the standings of these records; unknown ones begin empty.
    ///
    /// # Errors
    /// When the database cannot be read, or a stored standing cannot.
    pub async fn load(engine: &Engine, site: &'a Site, tx: &mut Tx, keys: &[RecordKey]) -> Result<Self, StoreError> {
        let mut batch = Self {
            site,
            now: engine.clock.now(),
            standings: HashMap::with_capacity(keys.len()),
            shown: HashMap::new(),
            changed: BTreeSet::new(),
            history: Vec::new(),
            journal: Vec::new(),
            effects: Vec::new(),
            withdrawn: Vec::new(),
        };
        batch.load_more(tx, keys).await?;
        Ok(batch)
    }

    /// Loads the standings of these records as well; what is loaded already stays as it is.
    ///
    /// # Errors
    /// As [`Batch::load`].
    pub async fn load_more(&mut self, tx: &mut Tx, keys: &[RecordKey]) -> Result<(), StoreError> {
        let missing: Vec<RecordKey> = keys.iter().filter(|k| !self.standings.contains_key(*k)).cloned().collect();
        let states = standing::load(tx, &missing).await?;
        let (site, w) = (self.site, well_known());
        let shows_due = |key: &RecordKey| [w.due, w.clock, w.last_action].iter().any(|f| site.crm.maps(key.object, *f));
        for key in missing {
            let mut standing = match states.get(&key) {
                Some(json) => parse_standing(&key, json)?,
                None => Standing::new(key.clone()),
            };
            self.shown.insert(key.clone(), clock_rows(&site.agreement, &standing));
            standing.shows_due = shows_due(&key);
            self.standings.insert(key, standing);
        }
        Ok(())
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The standing as this transaction has it so far.
    pub fn standing(&self, key: &RecordKey) -> Option<&Standing> {
        self.standings.get(key)
    }

    /// For what is kept in a standing beside the core's decisions: writes about to leave.
    pub fn standing_mut(&mut self, key: &RecordKey) -> Option<&mut Standing> {
        self.changed.insert(key.clone());
        self.standings.get_mut(key)
    }

    fn agreement(&self) -> &'a Agreement {
        &self.site.agreement
    }

    /// Applies a change; a late one folds the record's history anew.
    ///
    /// # Errors
    /// [`BatchError::Record`] when the decision failed for this record alone: nothing of it is kept.
    pub async fn change(&mut self, tx: &mut Tx, key: &RecordKey, change: Change) -> Result<(), BatchError> {
        if self.is_erased(key) {
            return Ok(());
        }
        // Another version of the agreement decided last: it ends before the change is looked at,
        // since what is late is told from where this version begins.
        if self.standings.get(key).is_some_and(|s| !s.agreement.is_empty() && s.agreement != self.agreement().hash) {
            self.decide(tx, key, Input::Woke).await?;
        }
        let standing = self.loaded(key)?;
        if !is_late(&standing, &change) {
            return self.decide(tx, key, Input::Changed(change)).await;
        }
        let refolded = self.refolded(tx, key, standing, std::slice::from_ref(&change), &[]).await?;
        self.history.push((key.clone(), change));
        self.take(key, refolded);
        Ok(())
    }

    /// Applies several changes of one record, of any times, as one: its history is folded once with all
    /// of them in their places, so that nothing is told or done about what only the later ones mend.
    ///
    /// # Errors
    /// As [`Batch::change`].
    pub async fn changes(&mut self, tx: &mut Tx, key: &RecordKey, mut news: Vec<Change>) -> Result<(), BatchError> {
        if self.is_erased(key) {
            return Ok(());
        }
        if news.len() < 2 {
            return match news.pop() {
                Some(change) => self.change(tx, key, change).await,
                None => Ok(()),
            };
        }
        if self.standings.get(key).is_some_and(|s| !s.agreement.is_empty() && s.agreement != self.agreement().hash) {
            self.decide(tx, key, Input::Woke).await?;
        }
        let standing = self.loaded(key)?;
        let refolded = self.refolded(tx, key, standing, &news, &[]).await?;
        self.history.extend(news.into_iter().map(|change| (key.clone(), change)));
        self.take(key, refolded);
        Ok(())
    }

    /// Decides on any input that is not a late change. What turns out to belong before what was
    /// folded already is folded in its place.
    ///
    /// # Errors
    /// [`BatchError::Record`] when the decision failed: nothing of it is kept.
    pub async fn decide(&mut self, tx: &mut Tx, key: &RecordKey, input: Input) -> Result<(), BatchError> {
        if self.is_erased(key) {
            return Ok(());
        }
        let (agreement, now, standing) = (self.agreement(), self.now, self.loaded(key)?);
        let decided = guarded(key, || decide(agreement, standing, input, now))?;
        if !decided.refold {
            self.take(key, decided);
            return Ok(());
        }
        let standing = decided.standing.clone();
        let refolded = self.refolded(tx, key, standing, &decided.history, &decided.facts).await?;
        self.take(key, decided);
        self.take(key, refolded);
        Ok(())
    }

    /// What was kept of the person was erased: nothing about the record is learnt any more.
    pub fn is_erased(&self, key: &RecordKey) -> bool {
        self.standings.get(key).is_some_and(Standing::is_erased)
    }

    /// Ends whatever runs for a record, as its deletion does, and forgets it. What the tables keep of it
    /// is `privacy`'s to erase once this is saved.
    ///
    /// # Errors
    /// [`BatchError::Record`] when the decision failed: the record is forgotten all the same.
    pub async fn erase(&mut self, tx: &mut Tx, key: &RecordKey, at: Timestamp) -> Result<(), BatchError> {
        let known = self.loaded(key)?;
        let mut ended = Ok(());
        if known.gone.is_none() && known.folded_to > Timestamp::MIN {
            let at = at.max(known.folded_to + Elapsed::from_millis(1));
            let deleted = Change { at, what: What::Deleted, by: Actor::Unknown };
            ended = self.decide(tx, key, Input::Changed(deleted)).await;
        }
        let blank = self.loaded(key)?.erased();
        self.standings.insert(key.clone(), blank);
        self.changed.insert(key.clone());
        self.history.retain(|(of, _)| of != key);
        self.effects.retain(|effect| effect.record != *key);
        ended
    }

    /// Tells the core how an effect ended.
    ///
    /// # Errors
    /// [`BatchError::Record`] when the decision failed.
    pub async fn settle(&mut self, tx: &mut Tx, effect: &Effect, outcome: Outcome) -> Result<(), BatchError> {
        self.decide(tx, &effect.record, Input::Settled(effect.clone(), outcome)).await
    }

    /// The record's whole history folded anew, with what this transaction adds to it.
    async fn refolded(
        &self,
        tx: &mut Tx,
        key: &RecordKey,
        standing: Standing,
        news: &[Change],
        told: &[Fact],
    ) -> Result<Decision, BatchError> {
        let mut past = history::load(tx, key).await?;
        past.extend(self.history.iter().filter(|(k, _)| k == key).map(|(_, c)| c.clone()));
        past.extend(news.iter().cloned());
        let mut facts = journal::facts(tx, key).await?;
        facts.extend(self.journal.iter().filter(|e| e.record.as_ref() == Some(key)).map(|e| e.fact.clone()));
        facts.extend(told.iter().cloned());
        let (agreement, now) = (self.agreement(), self.now);
        guarded(key, || refold(agreement, standing, past, &facts, now))
    }

    fn loaded(&self, key: &RecordKey) -> Result<Standing, BatchError> {
        let standing = self.standings.get(key).cloned();
        standing.ok_or_else(|| BatchError::Record(format!("{key} was not loaded")))
    }

    fn take(&mut self, key: &RecordKey, decision: Decision) {
        let agreement = self.agreement().hash.to_string();
        for fact in decision.facts {
            let entry =
                JournalEntry { record: Some(key.clone()), fact, seen_at: self.now, agreement: agreement.clone() };
            self.journal.push(entry);
        }
        self.history.extend(decision.history.into_iter().map(|c| (key.clone(), c)));
        // Decisions follow each other: what a later one takes back is not issued, and what it issues
        // again is not taken back (withdrawals are written first).
        self.effects.retain(|e| !decision.withdraw.contains(&e.key));
        self.withdrawn.extend(decision.withdraw);
        self.effects.extend(decision.effects);
        self.standings.insert(key.clone(), decision.standing);
        self.changed.insert(key.clone());
    }

    /// Writes everything. The caller commits, and then calls [`Written::tell`].
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn save(self, tx: &mut Tx) -> Result<Written, StoreError> {
        let changed: Vec<&Standing> = self.changed.iter().filter_map(|k| self.standings.get(k)).collect();
        let rows = changed.iter().map(|s| self.row(s)).collect::<Result<Vec<_>, _>>()?;
        standing::save(tx, &rows).await?;
        for standing in &changed {
            let rows = clock_rows(self.agreement(), standing);
            if self.shown.get(&standing.key).is_none_or(|shown| *shown != rows) {
                clock::replace(tx, &standing.key, &rows).await?;
            }
        }
        history::add(tx, &self.history).await?;
        journal::append(tx, self.site.name(), &self.journal).await?;
        outbox::withdraw(tx, self.site.name(), &self.withdrawn, self.now).await?;
        outbox::add(tx, &self.effects, self.now).await?;
        Ok(Written { facts: self.journal, issued: self.effects })
    }

    fn row(&self, standing: &Standing) -> Result<StandingRow, StoreError> {
        let state = serde_json::to_string(standing)
            .map_err(|e| StoreError::Refused(format!("a standing cannot be written: {e}")))?;
        Ok(StandingRow {
            key: standing.key.clone(),
            stage: standing.stage.clone(),
            owner: standing.owner(),
            party: standing.party.clone(),
            name: standing.name().to_owned(),
            wake_at: standing.wake_at,
            state,
            updated: self.now,
        })
    }
}

/// A fault in a decision must not stop the other records: it is caught here, and nowhere else.
fn guarded(key: &RecordKey, decision: impl FnOnce() -> Decision) -> Result<Decision, BatchError> {
    catch_unwind(AssertUnwindSafe(decision)).map_err(|_| BatchError::Record(format!("deciding on {key} failed")))
}

/// What a committed batch has to tell.
pub struct Written {
    facts: Vec<JournalEntry>,
    issued: Vec<Effect>,
}

impl Written {
    /// After the commit: counts, logs, wakes deliver.
    pub fn tell(self, engine: &Engine, site: &Site) {
        if !self.issued.is_empty() {
            site.issued.notify_one();
        }
        tell(engine, site, self.facts);
        for effect in self.issued {
            let (record, action) = (&effect.record, effect.action.as_str());
            tracing::debug!(%record, effect = %effect.key, action, not_before = %effect.not_before, "issued");
        }
    }
}

/// Logs and counts what was journalled and committed, and tells whoever listens.
pub fn tell(engine: &Engine, site: &Site, facts: Vec<JournalEntry>) {
    for entry in facts {
        log_fact(&entry);
        engine.metrics.fact(site.name(), entry.fact.kind);
        // Nobody listening is no fault.
        let _ = engine.told.send(Arc::new(entry));
    }
}

fn log_fact(entry: &JournalEntry) {
    let fact = &entry.fact;
    let record = entry.record.as_ref().map(tracing::field::display);
    let (kind, source, run) = (fact.kind.as_str(), &fact.source, fact.run);
    match fact.kind {
        FactKind::Breached | FactKind::Recycled | FactKind::Reassigned | FactKind::Nurtured | FactKind::Parked => {
            tracing::info!(record, fact = kind, clock = %source, run, at = %fact.at, "journalled");
        }
        _ => tracing::debug!(record, fact = kind, clock = %source, run, at = %fact.at, "journalled"),
    }
}

fn parse_standing(key: &RecordKey, json: &str) -> Result<Standing, StoreError> {
    serde_json::from_str(json).map_err(|e| StoreError::Corrupt(format!("the standing of {key} cannot be read: {e}")))
}

/// Open runs as lists show them.
fn clock_rows(agreement: &Agreement, standing: &Standing) -> Vec<ClockRow> {
    let shown = standing.open_runs().filter(|r| !r.silent);
    let rows = shown.map(|run| ClockRow {
        record: standing.key.clone(),
        source: run.clock.to_string(),
        pass: standing.pass,
        run: run.number,
        party: agreement.clock_named(&run.clock).map(|c| c.party.clone()),
        owner: standing.owner(),
        started: run.started,
        deadline: Some(run.deadline),
        state: match (run.paused, run.breached) {
            (Some(_), _) => ClockState::Paused,
            (None, Some(_)) => ClockState::Breached,
            (None, None) => ClockState::Open,
        },
        name: standing.name().to_owned(),
    });
    rows.collect()
}
