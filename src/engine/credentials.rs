//! The grants of all connections that somebody signed in to with a browser: kept in the database,
//! sealed, for every replica. How one comes about is in `sign_in`, when it is renewed is each
//! connector's business.

use super::clock::real_now;
use super::signed_out::ask_to_try_within;
use super::switches::{Setting, Told, tell};
use crate::crm::token::{Claim, Grant, Kept, TokenKeeper};
use crate::crm::{CrmError, SharedKeeper};
use crate::record::{ConnectionName, Elapsed, Timestamp};
use crate::store::credential::{self, ClaimOf, CredentialRow, Renewed};
use crate::store::seal::{Keys, Place, SealError, Sealed};
use crate::store::{Db, Priority, StoreError, sign_in};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A claim ends by itself after this time: twice what a call to a CRM may take.
const CLAIM: Elapsed = Elapsed::from_secs(20);
/// What the journal calls a sign-in.
const SETTING: &str = "sign-in";

/// Why a grant could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database holds it, and no key of ours opens it there; or there is no key to seal with.
    #[error("the kept sign-in cannot be used: {0}")]
    Seal(#[from] SealError),
}

impl From<CredentialError> for CrmError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Store(store) => CrmError::Later { message: store.to_string(), after: None },
            seal @ CredentialError::Seal(_) => CrmError::SignIn { message: seal.to_string() },
        }
    }
}

/// The kept grants of a house; clones share them.
#[derive(Clone)]
pub struct Credentials {
    db: Db,
    keys: Keys,
}

/// What sealing anew came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Sealed with the first key from now on.
    pub resealed: Vec<ConnectionName>,
    /// It was so before.
    pub kept: Vec<ConnectionName>,
    /// None of the keys opens it, and why.
    pub closed: Vec<(ConnectionName, SealError)>,
}

impl Credentials {
    pub fn new(db: Db, keys: Keys) -> Self {
        Self { db, keys }
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Keeps the grant of one connection for its connector.
    pub fn keeper(&self, connection: &ConnectionName) -> SharedKeeper {
        Arc::new(Keeper { all: self.clone(), connection: connection.clone() })
    }

    /// Stores what somebody was granted in a browser, in the place of what was there, and journals who
    /// it was, in one transaction. `at` is the moment for the journal; the grant's own are real.
    ///
    /// # Errors
    /// When the database is unavailable or there is no key to seal with: nothing was stored.
    pub async fn store(&self, chain: &Told, grant: &Grant, by: &str, at: Timestamp) -> Result<(), CredentialError> {
        let (connection, now) = (&chain.0, real_now());
        let mut tx = self.db.begin(Priority::Work).await?;
        // A version never comes back, even where one was forgotten in between: who still holds an old
        // one must notice.
        let version = credential::lock(&mut tx, connection).await?.map_or(0, |old| old + 1).max(now.as_millis());
        let row = CredentialRow {
            connection: connection.clone(),
            version,
            sealed: self.seal(connection, version, grant)?,
            account: grant.account.clone(),
            granted_at: grant.granted,
            expires_at: grant.expires,
            signed_in_by: by.to_owned(),
            signed_in_at: now,
        };
        if !credential::put(&mut tx, &row).await? {
            let message = "somebody else has signed in at the same moment".to_owned();
            return Err(StoreError::Unavailable(message).into());
        }
        let to = grant.account.as_ref().map_or_else(|| "signed in".to_owned(), |id| format!("account {id}"));
        tell(&mut tx, chain, &Setting { name: SETTING, to: &to, by, why: "" }, at).await?;
        ask_to_try_within(&mut tx, connection, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Deletes a connection's grant and every sign-in under way, and journals who did it. `false` when
    /// there was none.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn forget(&self, chain: &Told, by: &str, why: &str, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.db.begin(Priority::Work).await?;
        sign_in::remove_all(&mut tx, &chain.0).await?;
        let was_there = credential::remove(&mut tx, &chain.0).await?;
        if was_there {
            tell(&mut tx, chain, &Setting { name: SETTING, to: "forgotten", by, why }, at).await?;
        }
        tx.commit().await?;
        Ok(was_there)
    }

    /// Seals everything with the first key that is sealed with another one.
    ///
    /// # Errors
    /// When the database is unavailable or there is no key: what was sealed anew until then stays so.
    pub async fn rotate(&self) -> Result<Rotated, CredentialError> {
        let first = self.keys.first_id().ok_or(SealError::NoKey)?;
        let mut rotated = Rotated::default();
        for row in credential::load_all(&self.db).await? {
            match self.keys.open(place(&row.connection, &row.version.to_string()), &row.sealed) {
                Err(why) => rotated.closed.push((row.connection, why)),
                Ok(_) if row.sealed.key_id == first => rotated.kept.push(row.connection),
                Ok(secret) => {
                    self.reseal(&row, &secret).await?;
                    rotated.resealed.push(row.connection);
                }
            }
        }
        Ok(rotated)
    }

    /// What changed meanwhile was sealed with the first key by whoever changed it.
    async fn reseal(&self, row: &CredentialRow, secret: &[u8]) -> Result<(), CredentialError> {
        let sealed = self.keys.seal(place(&row.connection, &row.version.to_string()), secret)?;
        let mut tx = self.db.begin(Priority::Work).await?;
        credential::reseal(&mut tx, row, &sealed).await?;
        tx.commit().await?;
        Ok(())
    }

    fn seal(&self, connection: &ConnectionName, version: i64, grant: &Grant) -> Result<Sealed, SealError> {
        let secret = Written::of(grant).to_bytes();
        self.keys.seal(place(connection, &version.to_string()), &secret)
    }

    fn open(&self, row: &CredentialRow) -> Result<Grant, CredentialError> {
        let secret = self.keys.open(place(&row.connection, &row.version.to_string()), &row.sealed)?;
        let written: Written = serde_json::from_slice(&secret)
            .map_err(|_| StoreError::Corrupt(format!("the sign-in of {} cannot be read", row.connection)))?;
        Ok(written.into_grant())
    }
}

fn place<'a>(connection: &'a ConnectionName, version: &'a str) -> Place<'a> {
    Place { table: "credential", connection, version }
}

/// A grant as it is sealed, everything in it: what stands in the columns beside it could be altered.
#[derive(Serialize, Deserialize)]
struct Written {
    access_token: String,
    refresh_token: Option<String>,
    expires: Option<Timestamp>,
    granted: Timestamp,
    account: Option<String>,
    scopes: Vec<String>,
}

impl Written {
    fn of(grant: &Grant) -> Self {
        Self {
            access_token: grant.access_token.expose_secret().to_owned(),
            refresh_token: grant.refresh_token.as_ref().map(|token| token.expose_secret().to_owned()),
            expires: grant.expires,
            granted: grant.granted,
            account: grant.account.clone(),
            scopes: grant.scopes.clone(),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are always JSON")
    }

    fn into_grant(self) -> Grant {
        Grant {
            access_token: SecretString::from(self.access_token),
            refresh_token: self.refresh_token.map(SecretString::from),
            expires: self.expires,
            granted: self.granted,
            account: self.account,
            scopes: self.scopes,
        }
    }
}

/// One connection's keeper.
struct Keeper {
    all: Credentials,
    connection: ConnectionName,
}

impl Keeper {
    fn of<'a>(&'a self, claim: &'a Claim) -> ClaimOf<'a> {
        ClaimOf { connection: &self.connection, version: claim.version, token: &claim.token }
    }

    async fn look(&self) -> Result<Option<Kept>, CredentialError> {
        let Some(row) = credential::load(&self.all.db, &self.connection).await? else { return Ok(None) };
        // The row of another connection, renamed: what is sealed would not open either.
        Ok(Some(Kept { version: row.version, grant: self.all.open(&row)? }))
    }

    async fn try_claim(&self, version: i64) -> Result<Option<Claim>, CredentialError> {
        let claim = Claim { version, token: uuid::Uuid::new_v4().to_string() };
        let now = real_now();
        let mut tx = self.all.db.begin(Priority::Work).await?;
        let is_ours = credential::claim(&mut tx, self.of(&claim), now, now + CLAIM).await?;
        tx.commit().await?;
        Ok(is_ours.then_some(claim))
    }

    async fn try_keep(&self, claim: &Claim, grant: &Grant) -> Result<bool, CredentialError> {
        let renewed = Renewed {
            sealed: self.all.seal(&self.connection, claim.version + 1, grant)?,
            account: grant.account.clone(),
            granted_at: grant.granted,
            expires_at: grant.expires,
        };
        let mut tx = self.all.db.begin(Priority::Work).await?;
        let kept = credential::keep(&mut tx, self.of(claim), &renewed).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn try_release(&self, claim: &Claim) -> Result<(), CredentialError> {
        let mut tx = self.all.db.begin(Priority::Work).await?;
        credential::release(&mut tx, self.of(claim)).await?;
        tx.commit().await?;
        Ok(())
    }
}

#[async_trait]
impl TokenKeeper for Keeper {
    async fn kept(&self) -> Result<Option<Kept>, CrmError> {
        let looked = self.look().await;
        if let Err(CredentialError::Seal(why)) = &looked {
            tracing::error!(connection = %self.connection, "the kept sign-in cannot be opened: {why}");
        }
        looked.map_err(CrmError::from)
    }

    async fn claim(&self, version: i64) -> Result<Option<Claim>, CrmError> {
        self.try_claim(version).await.map_err(CrmError::from)
    }

    async fn keep(&self, claim: &Claim, grant: &Grant) -> Result<bool, CrmError> {
        self.try_keep(claim, grant).await.map_err(CrmError::from)
    }

    async fn release(&self, claim: &Claim) -> Result<(), CrmError> {
        self.try_release(claim).await.map_err(CrmError::from)
    }
}
