//! What people do about a fact that they think wrong: dispute it, decide, withdraw. They need no
//! lease: the journal's head and the dispute's state keep two of them apart.

use super::{calendar, entry, fact, is_taken_back};
use crate::agreement::{Agreement, span};
use crate::record::{Fact, FactKind, RecordKey, Timestamp};
use crate::report::story::{Told, withdrawn};
use crate::store::dispute::{self, DisputeRow, DisputeState};
use crate::store::journal::{self, JournalRow};
use crate::store::{Db, Priority, StoreError};

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum DisputeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sentence for whoever asked.
    #[error("{0}")]
    Refused(String),
}

fn refused<T>(why: impl Into<String>) -> Result<T, DisputeError> {
    Err(DisputeError::Refused(why.into()))
}

/// How a dispute ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The fact does not count.
    Upheld,
    /// It stands.
    Dismissed,
    /// Whoever opened it gives it up.
    Withdrawn,
}

impl Ruling {
    fn state(self) -> (DisputeState, FactKind) {
        match self {
            Ruling::Upheld => (DisputeState::Upheld, FactKind::Upheld),
            Ruling::Dismissed => (DisputeState::Dismissed, FactKind::Dismissed),
            Ruling::Withdrawn => (DisputeState::Withdrawn, FactKind::DisputeWithdrawn),
        }
    }
}

/// The facts of a record that can be disputed, in the order in which they were journalled: breaches,
/// rejections and violations that were not taken back.
pub fn disputable(rows: &[JournalRow]) -> Vec<&Fact> {
    let told: Vec<Told<'_>> = rows.iter().map(|r| Told { fact: &r.entry.fact, seen_at: r.entry.seen_at }).collect();
    let struck = withdrawn(&told);
    let kinds = [FactKind::Breached, FactKind::Rejected, FactKind::DefinitionFailed, FactKind::ViolationOpened];
    told.iter().zip(struck).filter(|(t, struck)| !struck && kinds.contains(&t.fact.kind)).map(|(t, _)| t.fact).collect()
}

/// Opens a dispute about a fact of this record. The daemon tells the people of the first step.
///
/// # Errors
/// `Refused` where the agreement has no conflict-resolution steps, or the fact was disputed before.
pub async fn open(
    db: &Db,
    agreement: &Agreement,
    record: &RecordKey,
    disputed: &Fact,
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<DisputeRow, DisputeError> {
    let Some(first) = agreement.resolutions.first() else {
        return refused(
            "the agreement has no conflict-resolution steps: add [[resolution]] with `within` and `who`, \
             so that somebody decides",
        );
    };
    if by.trim().is_empty() || why.trim().is_empty() {
        return refused("a dispute needs a name and a reason");
    }
    let row = DisputeRow {
        id: uuid::Uuid::now_v7().to_string(),
        record: record.clone(),
        fact_key: disputed.key(),
        fact_at: disputed.at,
        kind: disputed.kind,
        source: disputed.source.to_string(),
        party: disputed.party.clone(),
        owner: disputed.owner.clone(),
        opened_at: now,
        by: by.trim().to_owned(),
        why: why.trim().to_owned(),
        step: 1,
        told_step: 0,
        step_due: Some(span::after(calendar(agreement, disputed.party.as_ref()), now, first.within)),
        state: DisputeState::Open,
        decided_at: None,
        decided_by: None,
        verdict: None,
    };
    let same = |d: &&DisputeRow| d.fact_at == row.fact_at && d.fact_key == row.fact_key;
    let before = dispute::of_record(db, record).await?;
    if let Some(earlier) = before.iter().filter(same).find(|d| d.state != DisputeState::Withdrawn) {
        return refused(already(earlier));
    }
    let entry = entry(agreement, &row, fact(&row, FactKind::Disputed, now, &row.by, &row.why), now);
    let mut tx = db.begin(Priority::Work).await?;
    if !dispute::open(&mut tx, &row).await? {
        return refused("somebody disputes this fact at this moment");
    }
    journal::append(&mut tx, &record.connection, &[entry]).await?;
    tx.commit().await?;
    Ok(row)
}

fn already(earlier: &DisputeRow) -> String {
    let by = earlier.decided_by.as_deref().unwrap_or("somebody");
    match earlier.state {
        DisputeState::Upheld => format!("this was upheld already, by {by}: it does not count"),
        DisputeState::Dismissed => format!("this was dismissed already, by {by}: it stands"),
        _ => format!("this is disputed already: {}", earlier.id),
    }
}

/// Ends a dispute.
///
/// # Errors
/// `Refused` where it is over already, or the disputed fact was taken back meanwhile.
pub async fn decide(
    db: &Db,
    agreement: &Agreement,
    row: &DisputeRow,
    ruling: Ruling,
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<DisputeRow, DisputeError> {
    if by.trim().is_empty() || (why.trim().is_empty() && ruling != Ruling::Withdrawn) {
        return refused("a decision needs a name and a reason");
    }
    if !row.state.is_open() {
        return refused(format!("this dispute is over: {}", row.state.as_str()));
    }
    if ruling != Ruling::Withdrawn && is_taken_back(&journal::of_record(db, &row.record).await?, row) {
        return refused("a later change took back what was disputed: there is nothing to decide");
    }
    let (state, kind) = ruling.state();
    let is = DisputeRow {
        state,
        step_due: None,
        decided_at: Some(now),
        decided_by: Some(by.trim().to_owned()),
        verdict: Some(why.trim().to_owned()).filter(|why| !why.is_empty()),
        ..row.clone()
    };
    let entry = entry(agreement, row, fact(row, kind, now, by.trim(), why.trim()), now);
    let mut tx = db.begin(Priority::Work).await?;
    if !dispute::advance(&mut tx, row, &is).await? {
        return refused("this dispute moved on at this moment: look again");
    }
    journal::append(&mut tx, &row.record.connection, &[entry]).await?;
    tx.commit().await?;
    Ok(is)
}
