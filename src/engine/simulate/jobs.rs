//! Simulations that people asked for on a page: one at a time in this process, in the background, with
//! how far it is; the last few answers are kept in memory for a while. Nothing is stored.

use super::question::{Answer, Question};
use crate::engine::clock::monotonic_now;
use crate::record::Timestamp;
use crate::report::difference::Window;
use crate::store::Db;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// So many answers are kept.
const KEPT: usize = 8;
/// For so long.
const LONGEST: Duration = Duration::from_secs(3600);

/// How far a simulation is.
#[derive(Clone)]
pub enum State {
    Running,
    Done(Arc<Answer>),
    Failed(String),
    Cancelled,
}

/// One simulation.
pub struct Job {
    pub id: String,
    /// Who asked.
    pub by: String,
    /// In a few words, for the list.
    pub what: String,
    /// Changes that are to be replayed, as they were counted at its beginning.
    pub total: u64,
    replayed: AtomicU64,
    state: Mutex<State>,
    began: Instant,
    cancel: CancellationToken,
}

impl Job {
    pub fn replayed(&self) -> u64 {
        self.replayed.load(Ordering::Relaxed)
    }

    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops it; what was replayed is thrown away.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    fn is_running(&self) -> bool {
        matches!(self.state(), State::Running)
    }

    fn end(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// Another one is at work.
#[derive(Debug, PartialEq, Eq)]
pub struct Busy;

/// The simulations of this process.
#[derive(Default)]
pub struct Jobs(Mutex<VecDeque<Arc<Job>>>);

impl Jobs {
    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = monotonic_now();
        jobs.retain(|job| job.is_running() || now.duration_since(job.began) < LONGEST);
        jobs
    }

    /// Those that are known, the newest first.
    pub fn list(&self) -> Vec<Arc<Job>> {
        self.kept().iter().cloned().collect()
    }

    pub fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.kept().iter().find(|job| job.id == id).cloned()
    }

    /// Begins one; it runs until it is done or cancelled, whoever looks.
    ///
    /// # Errors
    /// `Busy` while another one runs.
    pub fn begin(
        &self,
        db: &Db,
        question: Question,
        within: (Window, Timestamp),
        (by, what, total): (&str, String, u64),
    ) -> Result<Arc<Job>, Busy> {
        let mut jobs = self.kept();
        if jobs.iter().any(|job| job.is_running()) {
            return Err(Busy);
        }
        let job = Arc::new(Job {
            id: uuid::Uuid::new_v4().to_string(),
            by: by.to_owned(),
            what,
            total,
            replayed: AtomicU64::new(0),
            state: Mutex::new(State::Running),
            began: monotonic_now(),
            cancel: CancellationToken::new(),
        });
        jobs.push_front(job.clone());
        jobs.truncate(KEPT);
        tokio::spawn(run(db.clone(), job.clone(), question, within));
        Ok(job)
    }
}

/// In a task of its own, so that a replay that panics ends this job as failed and nothing else.
async fn run(db: Db, job: Arc<Job>, question: Question, within: (Window, Timestamp)) {
    let progress = |changes| job.replayed.store(changes, Ordering::Relaxed);
    let ended = tokio::select! {
        () = job.cancel.cancelled() => State::Cancelled,
        answer = question.answer(&db, within, progress) => match answer {
            Ok(answer) => State::Done(Arc::new(answer)),
            Err(error) => {
                tracing::error!("a simulation failed: {error}");
                State::Failed(error.to_string())
            }
        },
    };
    job.end(ended);
}
