//! Which replica works a connection. Rows with fencing numbers, never session locks, which poolers
//! break. Moments come from the caller's wall clock: replicas whose clocks differ take over that
//! much sooner or later, and the fence keeps even then two from writing.

use super::{Db, Priority, Result, StoreError, Tx};
use crate::record::{ConnectionName, Elapsed, Timestamp};

/// The right to work a connection, until another takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub connection: ConnectionName,
    /// Grows whenever the lease is taken.
    pub fence: i64,
    pub until: Timestamp,
}

/// Takes the lease if it is free, expired, or already this holder's (whose older fence then ends).
/// A holder's name must be this process's alone. `None`: another works the connection.
///
/// # Errors
/// `Unavailable`.
pub async fn take(
    db: &Db,
    connection: &ConnectionName,
    holder: &str,
    now: Timestamp,
    ttl: Elapsed,
) -> Result<Option<Lease>> {
    const SQL: &str = "INSERT INTO lease (connection, holder, fence, expires_at) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (connection) DO UPDATE SET holder = excluded.holder, fence = lease.fence + 1, \
         expires_at = excluded.expires_at WHERE lease.expires_at <= $4 OR lease.holder = excluded.holder \
         RETURNING fence";
    let until = now + ttl;
    let mut tx = db.begin(Priority::Work).await?;
    let row: Option<(i64,)> = on_tx!(&mut tx, |c| {
        sqlx::query_as(SQL)
            .bind(connection.as_str())
            .bind(holder)
            .bind(until.as_millis())
            .bind(now.as_millis())
            .fetch_optional(c)
            .await
    })?;
    tx.commit().await?;
    Ok(row.map(|(fence,)| Lease { connection: connection.clone(), fence, until }))
}

impl Lease {
    /// First statement of every transaction of apply, wake and deliver. The row stays locked until
    /// the transaction ends, so nobody takes over in its midst.
    ///
    /// # Errors
    /// `LostLease` when another holds it now; `Unavailable`.
    pub async fn check(&self, tx: &mut Tx) -> Result<()> {
        const SQL: &str = "UPDATE lease SET fence = fence WHERE connection = $1 AND fence = $2";
        let held = on_tx!(tx, |c| {
            sqlx::query(SQL)
                .bind(self.connection.as_str())
                .bind(self.fence)
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        })?;
        if held == 1 { Ok(()) } else { Err(StoreError::LostLease(self.connection.to_string())) }
    }

    /// Holds on until `now + ttl`.
    ///
    /// # Errors
    /// `LostLease` when another holds it now; `Unavailable`.
    pub async fn renew(&mut self, db: &Db, now: Timestamp, ttl: Elapsed) -> Result<()> {
        let until = now + ttl;
        if !self.set_expiry(db, until).await? {
            return Err(StoreError::LostLease(self.connection.to_string()));
        }
        self.until = until;
        Ok(())
    }

    /// Gives it back, so that the next one need not wait.
    ///
    /// # Errors
    /// `Unavailable`: it then ends by itself.
    pub async fn release(self, db: &Db) -> Result<()> {
        self.set_expiry(db, Timestamp::MIN).await.map(|_| ())
    }

    async fn set_expiry(&self, db: &Db, at: Timestamp) -> Result<bool> {
        const SQL: &str = "UPDATE lease SET expires_at = $3 WHERE connection = $1 AND fence = $2";
        let mut tx = db.begin(Priority::Work).await?;
        let held = on_tx!(&mut tx, |c| {
            sqlx::query(SQL)
                .bind(self.connection.as_str())
                .bind(self.fence)
                .bind(at.as_millis())
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        })?;
        tx.commit().await?;
        Ok(held == 1)
    }
}
