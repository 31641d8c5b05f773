//! Keeps a grant in memory as the database does for all replicas, and fails on order.

use async_trait::async_trait;
use leadpact::crm::CrmError;
use leadpact::crm::token::{Claim, Grant, Kept, TokenKeeper};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Default)]
pub struct Keeper {
    kept: Mutex<Option<Kept>>,
    claim: Mutex<Option<Claim>>,
    claims: AtomicU32,
    /// So many attempts to store fail.
    pub failures: AtomicU32,
    /// Attempts to store that were made.
    pub attempts: AtomicU32,
    /// Whoever stores is stopped before it is done: the process was killed.
    pub killed: std::sync::atomic::AtomicBool,
}

impl Keeper {
    /// Somebody signed in.
    pub fn signed_in(&self, grant: Grant) {
        let mut kept = self.kept.lock().unwrap();
        let version = kept.as_ref().map_or(1, |kept| kept.version + 1);
        *kept = Some(Kept { version, grant });
    }

    pub fn now_kept(&self) -> Kept {
        self.kept.lock().unwrap().clone().expect("somebody signed in")
    }

    /// The time of a claim is over.
    pub fn end_claim(&self) {
        *self.claim.lock().unwrap() = None;
    }

    pub fn is_claimed(&self) -> bool {
        self.claim.lock().unwrap().is_some()
    }
}

#[async_trait]
impl TokenKeeper for Keeper {
    async fn kept(&self) -> Result<Option<Kept>, CrmError> {
        Ok(self.kept.lock().unwrap().clone())
    }

    async fn claim(&self, version: i64) -> Result<Option<Claim>, CrmError> {
        let mut held = self.claim.lock().unwrap();
        if held.is_some() || self.now_kept().version != version {
            return Ok(None);
        }
        let token = format!("claim-{}", self.claims.fetch_add(1, Ordering::SeqCst));
        let claim = Claim { version, token };
        *held = Some(claim.clone());
        Ok(Some(claim))
    }

    async fn keep(&self, claim: &Claim, grant: &Grant) -> Result<bool, CrmError> {
        if self.killed.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let failing = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if failing.is_ok() {
            return Err(CrmError::Later { message: "the database is away".to_owned(), after: None });
        }
        let mut kept = self.kept.lock().unwrap();
        if kept.as_ref().is_some_and(|kept| kept.version != claim.version) {
            return Ok(false);
        }
        *kept = Some(Kept { version: claim.version + 1, grant: grant.clone() });
        *self.claim.lock().unwrap() = None;
        Ok(true)
    }

    async fn release(&self, claim: &Claim) -> Result<(), CrmError> {
        let mut held = self.claim.lock().unwrap();
        if held.as_ref() == Some(claim) {
            *held = None;
        }
        Ok(())
    }
}
