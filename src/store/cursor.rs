//! How far something has come, and other small settings that must survive: text by connection and
//! name.

use super::{Db, Result, Tx};
use crate::record::ConnectionName;

/// The text last set; `None` before the first.
///
/// # Errors
/// `Unavailable`.
pub async fn get(db: &Db, connection: &ConnectionName, name: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT position FROM cursor WHERE connection = $1 AND name = $2";
    let row: Option<(String,)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).bind(name).fetch_optional(c).await)?;
    Ok(row.map(|(position,)| position))
}

/// Sets it.
///
/// # Errors
/// `Unavailable`.
pub async fn set(tx: &mut Tx, connection: &ConnectionName, name: &str, position: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO cursor (connection, name, position) VALUES ($1, $2, $3) \
         ON CONFLICT (connection, name) DO UPDATE SET position = excluded.position";
    on_tx!(tx, |c| {
        sqlx::query(SQL).bind(connection.as_str()).bind(name).bind(position).execute(c).await.map(|_| ())
    })?;
    Ok(())
}

/// Sets it, and answers whether it was something else before.
///
/// # Errors
/// `Unavailable`.
pub async fn replace(tx: &mut Tx, connection: &ConnectionName, name: &str, position: &str) -> Result<bool> {
    const SQL: &str = "INSERT INTO cursor (connection, name, position) VALUES ($1, $2, $3) \
         ON CONFLICT (connection, name) DO UPDATE SET position = excluded.position \
         WHERE cursor.position <> excluded.position";
    let changed = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(name)
            .bind(position)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed == 1)
}

/// Forgets it.
///
/// # Errors
/// `Unavailable`.
pub async fn remove(tx: &mut Tx, connection: &ConnectionName, name: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM cursor WHERE connection = $1 AND name = $2";
    on_tx!(tx, |c| sqlx::query(SQL).bind(connection.as_str()).bind(name).execute(c).await.map(|_| ()))?;
    Ok(())
}
