//! The recorded changes of a connection replayed under two versions of its agreement, records side
//! by side on several threads while the database is read. What a replay comes to is the core's,
//! what differs is `report`'s.

mod jobs;
mod json;
mod question;

pub use jobs::{Busy, Job, Jobs, State};
pub use json::json;
pub use question::{Answer, BadDays, Question, Terms};

use crate::agreement::{Agreement, replay};
use crate::record::{ConnectionName, Timestamp};
use crate::report::difference::{Compared, Difference, Side, Window};
use crate::store::history::{self, Stored};
use crate::store::{Db, StoreError};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Changes that are read and replayed at once.
const PAGE: u32 = 4_000;

/// What is asked.
pub struct Simulation {
    pub connection: ConnectionName,
    pub old: Agreement,
    pub new: Agreement,
    /// What happened outside of it is replayed and not counted.
    pub window: Window,
    /// The end of all replays: clocks that run then are left open.
    pub until: Timestamp,
    /// At most so many leads are named a line.
    pub keep: usize,
    /// Threads that replay: the runtime's blocking ones, which it should have no more of.
    pub threads: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a record could not be replayed: {0}")]
    Failed(#[from] tokio::task::JoinError),
}

type Page = JoinHandle<Result<Difference, StoreError>>;

/// Replays every record. Both versions judge from the first recorded change on, so that only their
/// terms differ. `progress` is told how many changes were replayed.
///
/// # Errors
/// When the database cannot be read, or a record cannot be replayed.
pub async fn simulate(db: &Db, asked: Simulation, progress: impl Fn(u64)) -> Result<Difference, SimulateError> {
    let (old, new) = (asked.old.judging_from(Timestamp::MIN), asked.new.judging_from(Timestamp::MIN));
    let asked = Arc::new(Simulation { old, new, ..asked });
    let mut answer = Difference::new(asked.keep);
    let mut running: VecDeque<Page> = VecDeque::new();
    let mut last = None;
    loop {
        let page = history::page(db, &asked.connection, last.as_ref(), PAGE).await?;
        let Some(record) = page.last() else { break };
        last = Some(record.key.clone());
        let asked = asked.clone();
        // One page waits beside those that are worked on; more would only fill the memory.
        while running.len() > asked.threads {
            take_first(&mut running, &mut answer, &progress).await?;
        }
        running.push_back(spawn_blocking(move || compare(&asked, &page)));
    }
    while !running.is_empty() {
        take_first(&mut running, &mut answer, &progress).await?;
    }
    Ok(answer)
}

/// In the order in which they were read, so that the answer is always the same.
async fn take_first(
    running: &mut VecDeque<Page>,
    answer: &mut Difference,
    progress: &impl Fn(u64),
) -> Result<(), SimulateError> {
    if let Some(page) = running.pop_front() {
        answer.add(page.await??);
        progress(answer.changes);
    }
    Ok(())
}

fn compare(asked: &Simulation, page: &[Stored]) -> Result<Difference, StoreError> {
    let mut found = Difference::new(asked.keep);
    for record in page {
        let changes = record.changes()?;
        let old = replay(&asked.old, record.key.clone(), changes.clone(), asked.until);
        let new = replay(&asked.new, record.key.clone(), changes, asked.until);
        let compared = Compared {
            key: &record.key,
            name: new.standing.name(),
            old: Side { agreement: &asked.old, facts: &old.facts, diverged: old.diverged },
            new: Side { agreement: &asked.new, facts: &new.facts, diverged: new.diverged },
        };
        found.compare(asked.window, &compared);
        found.changes += record.len() as u64;
    }
    Ok(found)
}
