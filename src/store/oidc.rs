//! Single sign-on: sign-ins under way at the identity provider, and which person there an account is of.
//! Whoever comes back is not judged here.

use super::{Db, Result, Tx};
use crate::record::Timestamp;

/// Most sign-ins under way from one address: a house shares its address, and people leave pages open.
pub const MOST_OF_ADDRESS: i64 = 100;
/// Most of all; one more is refused until some have come back or expired.
pub const MOST: i64 = 5_000;

/// A sign-in that went on to the provider. Moments are in real time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// The state's digest.
    pub state: String,
    /// Of the cookie of the browser that it was begun in.
    pub browser: String,
    /// The page to go to afterwards: a path of ours.
    pub next: String,
    pub address: String,
    pub expires_at: Timestamp,
}

/// Which person at a provider an account is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    /// Who that is by the provider's own, lasting name; unlike an e-mail address it is never another's.
    pub subject: String,
    /// The account's id.
    pub account: String,
    /// The provider said the account's role the last time.
    pub mapped: bool,
    pub bound_at: Timestamp,
}

/// Adds a sign-in, and deletes what has expired. `false`: too many are under way.
///
/// # Errors
/// `Unavailable`.
pub async fn begin(tx: &mut Tx, sign_in: &UnderWay, now: Timestamp) -> Result<bool> {
    const EXPIRED: &str = "DELETE FROM oidc_sign_in WHERE expires_at <= $1";
    const ALL: &str = "SELECT COUNT(*) FROM oidc_sign_in";
    const OF_ADDRESS: &str = "SELECT COUNT(*) FROM oidc_sign_in WHERE address = $1";
    const SQL: &str =
        "INSERT INTO oidc_sign_in (state, browser, next, address, expires_at) VALUES ($1, $2, $3, $4, $5)";
    on_tx!(&mut *tx, |c| sqlx::query(EXPIRED).bind(now.as_millis()).execute(c).await.map(|_| ()))?;
    let (all,): (i64,) = on_tx!(&mut *tx, |c| sqlx::query_as(ALL).fetch_one(c).await)?;
    let (of_address,): (i64,) =
        on_tx!(&mut *tx, |c| sqlx::query_as(OF_ADDRESS).bind(&sign_in.address).fetch_one(c).await)?;
    if all >= MOST || of_address >= MOST_OF_ADDRESS {
        return Ok(false);
    }
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(&sign_in.state)
            .bind(&sign_in.browser)
            .bind(&sign_in.next)
            .bind(&sign_in.address)
            .bind(sign_in.expires_at.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(true)
}

type Columns = (String, String, String, String, i64);

fn under_way((state, browser, next, address, expires_at): Columns) -> UnderWay {
    UnderWay { state, browser, next, address, expires_at: Timestamp::from_millis(expires_at) }
}

/// Looks at a sign-in and leaves it as it is.
///
/// # Errors
/// `Unavailable`.
pub async fn look(db: &Db, state: &str) -> Result<Option<UnderWay>> {
    const SQL: &str = "SELECT state, browser, next, address, expires_at FROM oidc_sign_in WHERE state = $1";
    let found: Option<Columns> = on_db!(db, |c| sqlx::query_as(SQL).bind(state).fetch_optional(c).await)?;
    Ok(found.map(under_way))
}

/// Uses a sign-in up. `false`: somebody was first.
///
/// # Errors
/// `Unavailable`.
pub async fn take(tx: &mut Tx, state: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM oidc_sign_in WHERE state = $1";
    Ok(on_tx!(tx, |c| sqlx::query(SQL).bind(state).execute(c).await.map(|done| done.rows_affected()))? == 1)
}

type Bound = (String, String, String, bool, i64);

fn identity((issuer, subject, account, mapped, bound_at): Bound) -> Identity {
    Identity { issuer, subject, account, mapped, bound_at: Timestamp::from_millis(bound_at) }
}

/// Whose account a person at a provider has.
///
/// # Errors
/// `Unavailable`.
pub async fn of_person(db: &Db, issuer: &str, subject: &str) -> Result<Option<Identity>> {
    const SQL: &str = "SELECT issuer, subject, account, mapped, bound_at FROM oidc_identity \
         WHERE issuer = $1 AND subject = $2";
    let found: Option<Bound> = on_db!(db, |c| sqlx::query_as(SQL).bind(issuer).bind(subject).fetch_optional(c).await)?;
    Ok(found.map(identity))
}

/// Everybody who is bound to an account: at one provider at most one.
///
/// # Errors
/// `Unavailable`.
pub async fn of_account(db: &Db, account: &str) -> Result<Vec<Identity>> {
    const SQL: &str = "SELECT issuer, subject, account, mapped, bound_at FROM oidc_identity WHERE account = $1 \
         ORDER BY issuer";
    let found: Vec<Bound> = on_db!(db, |c| sqlx::query_as(SQL).bind(account).fetch_all(c).await)?;
    Ok(found.into_iter().map(identity).collect())
}

/// Binds a person to an account. `false`: one of them is bound already.
///
/// # Errors
/// `Unavailable`.
pub async fn bind(tx: &mut Tx, identity: &Identity) -> Result<bool> {
    const SQL: &str = "INSERT INTO oidc_identity (issuer, subject, account, mapped, bound_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let bound = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(&identity.issuer)
            .bind(&identity.subject)
            .bind(&identity.account)
            .bind(identity.mapped)
            .bind(identity.bound_at.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(bound == 1)
}

/// Notes whether the provider says the account's role.
///
/// # Errors
/// `Unavailable`.
pub async fn set_mapped(tx: &mut Tx, issuer: &str, subject: &str, mapped: bool) -> Result<()> {
    const SQL: &str = "UPDATE oidc_identity SET mapped = $3 WHERE issuer = $1 AND subject = $2";
    on_tx!(tx, |c| sqlx::query(SQL).bind(issuer).bind(subject).bind(mapped).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Forgets who at any provider the account is of; answers how many there were.
///
/// # Errors
/// `Unavailable`.
pub async fn unbind(tx: &mut Tx, account: &str) -> Result<u64> {
    const SQL: &str = "DELETE FROM oidc_identity WHERE account = $1";
    Ok(on_tx!(tx, |c| sqlx::query(SQL).bind(account).execute(c).await.map(|done| done.rows_affected()))?)
}
