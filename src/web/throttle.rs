//! How long somebody waits who gave wrong passwords: the more, the longer, by account and by address.
//! An attempt counts as failed from its beginning, so that many at once gain nothing, and is taken
//! back when it succeeds. The counts are in the store, so that replicas share them.

use crate::record::{Elapsed, Timestamp};
use crate::store::attempt::{self, Attempts};
use crate::store::{Db, Priority, StoreError, Tx, account};
use sha2::{Digest, Sha256};

/// After so long without a failure everything is forgotten.
const FORGOTTEN: Elapsed = Elapsed::from_secs(86_400);
/// Nobody waits longer at once: whoever is kept out by somebody else's guesses gets in again.
const LONGEST: Elapsed = Elapsed::from_secs(900);
/// Failures without a wait: people mistype, and a house shares its address.
const FREE_OF_ACCOUNT: u32 = 5;
const FREE_OF_ADDRESS: u32 = 20;

/// An attempt that may be made.
#[derive(Debug)]
pub struct Attempt {
    account: String,
    address: String,
}

/// The wait that follows on this many failures: 2, 4, 8 … seconds.
fn wait(failures: u32, free: u32) -> Elapsed {
    match failures.checked_sub(free) {
        None | Some(0) => Elapsed::ZERO,
        Some(n) => Elapsed::from_secs(2_i64.pow(n.min(10))).min(LONGEST),
    }
}

impl Attempt {
    /// Begins an attempt, or says how long to wait before the next one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn begin(
        db: &Db,
        login: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<Result<Attempt, Elapsed>, StoreError> {
        let hash = hex::encode(Sha256::digest(account::login(login).as_bytes()));
        let this = Attempt { account: format!("account {hash}"), address: format!("address {address}") };
        let mut tx = db.begin(Priority::Work).await?;
        // Always in this order, so that no two wait for each other.
        let before = [attempt::lock(&mut tx, &this.account).await?, attempt::lock(&mut tx, &this.address).await?];
        let blocked = before.iter().map(|known| Timestamp::from_millis(known.blocked_until) - now).max();
        if let Some(wait) = blocked.filter(|wait| *wait > Elapsed::ZERO) {
            tx.rollback().await?;
            return Ok(Err(wait));
        }
        let [of_account, of_address] = before;
        attempt::set(&mut tx, &this.account, failed(of_account, FREE_OF_ACCOUNT, now)).await?;
        attempt::set(&mut tx, &this.address, failed(of_address, FREE_OF_ADDRESS, now)).await?;
        attempt::forget_before(&mut tx, now - FORGOTTEN).await?;
        tx.commit().await?;
        Ok(Ok(this))
    }

    /// The password was right: the account starts afresh, the address is given this one back. What
    /// else was guessed from there stays counted.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn succeeded(self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        attempt::lock(tx, &self.account).await?;
        attempt::set(tx, &self.account, Attempts { last_at: now.as_millis(), ..Attempts::default() }).await?;
        let known = attempt::lock(tx, &self.address).await?;
        let failures = known.failures.saturating_sub(1);
        attempt::set(tx, &self.address, Attempts { failures, blocked_until: 0, ..known }).await
    }
}

fn failed(known: Attempts, free: u32, now: Timestamp) -> Attempts {
    let is_old = now - Timestamp::from_millis(known.last_at) > FORGOTTEN;
    let failures = if is_old { 1 } else { known.failures.saturating_add(1) };
    Attempts { failures, last_at: now.as_millis(), blocked_until: (now + wait(failures, free)).as_millis() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let waits = [1, 5, 6, 7, 14, 15, 900].map(|n| wait(n, 5).as_millis() / 1000);
        assert_eq!(waits, [0, 0, 2, 4, 512, 900, 900]);
    }
}
