//! What programs sign in with: named tokens with a scope and an end.

use super::role::Role;
use super::secret::Secret;
use super::{Db, Result, StoreError, Tx, clean};
use crate::record::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub name: String,
    pub scope: Role,
    pub created_at: Timestamp,
    pub created_by: String,
    pub expires_at: Timestamp,
}

type Row = (String, String, i64, String, i64);

fn read((name, scope, created_at, created_by, expires_at): Row) -> Result<ApiToken> {
    let role = Role::parse_scope(&scope).ok_or_else(|| StoreError::Corrupt(format!("`{scope}` is no scope")))?;
    let (created_at, expires_at) = (Timestamp::from_millis(created_at), Timestamp::from_millis(expires_at));
    Ok(ApiToken { name, scope: role, created_at, created_by, expires_at })
}

/// Keeps a token. `false`: its name is taken.
///
/// # Errors
/// `Unavailable`.
pub async fn add(tx: &mut Tx, secret: &Secret, token: &ApiToken) -> Result<bool> {
    const SQL: &str = "INSERT INTO api_token (name, token, scope, created_at, created_by, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING";
    let added = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(clean(&token.name))
            .bind(secret.hash())
            .bind(token.scope.as_scope())
            .bind(token.created_at.as_millis())
            .bind(clean(&token.created_by))
            .bind(token.expires_at.as_millis())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(added == 1)
}

/// The token that this is, if it still holds at `now`.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn find(db: &Db, secret: &Secret, now: Timestamp) -> Result<Option<ApiToken>> {
    const SQL: &str = "SELECT name, scope, created_at, created_by, expires_at FROM api_token \
         WHERE token = $1 AND expires_at > $2";
    let row: Option<Row> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(secret.hash()).bind(now.as_millis()).fetch_optional(c).await)?;
    row.map(read).transpose()
}

/// All tokens, by name, those that have run out too.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn all(db: &Db) -> Result<Vec<ApiToken>> {
    const SQL: &str = "SELECT name, scope, created_at, created_by, expires_at FROM api_token ORDER BY name";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).fetch_all(c).await)?;
    rows.into_iter().map(read).collect()
}

/// Takes a token back. `false`: there is none of that name.
///
/// # Errors
/// `Unavailable`.
pub async fn revoke(tx: &mut Tx, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM api_token WHERE name = $1";
    let gone = on_tx!(tx, |c| sqlx::query(SQL).bind(name).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(gone == 1)
}
