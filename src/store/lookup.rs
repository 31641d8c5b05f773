//! Records by name and names by record, for lists that speak of many records.

use super::batch::{slices, values};
use super::{Db, Result, clean, object};
use crate::record::{ConnectionName, Object, RecordId, RecordKey};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// What these records are called; those that are not known are left out.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn names(db: &Db, keys: &[RecordKey]) -> Result<HashMap<RecordKey, String>> {
    let mut found = HashMap::with_capacity(keys.len());
    for slice in slices(keys, 3) {
        let sql = format!(
            "SELECT s.connection, s.object, s.id, s.name FROM (VALUES {}) AS v JOIN standing AS s \
             ON s.connection = v.column1 AND s.object = v.column2 AND s.id = v.column3",
            values(0, slice.len(), 3)
        );
        let rows: Vec<(String, String, String, String)> = on_db!(db, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for key in slice {
                query = query.bind(key.connection.as_str()).bind(key.object.as_str()).bind(key.id.as_str());
            }
            query.fetch_all(c).await
        })?;
        for (connection, kind, id, name) in rows {
            let key = RecordKey {
                connection: ConnectionName::new(connection),
                object: object(&kind)?,
                id: RecordId::new(id),
            };
            found.insert(key, name);
        }
    }
    Ok(found)
}

/// The records that may be meant by this text: those of that id in their CRM, known or not, and those
/// that are called so, whatever the case of its letters; of the latter at most `limit` of a connection.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn records(db: &Db, connections: &[ConnectionName], text: &str, limit: u32) -> Result<Vec<RecordKey>> {
    const SQL: &str = "SELECT object, id FROM standing WHERE connection = $1 AND lower(name) = lower($2) \
         AND id <> $2 LIMIT $3";
    let text = clean(text.trim());
    let mut keys = Vec::new();
    for connection in connections {
        let key = |object, id: &str| RecordKey { connection: connection.clone(), object, id: RecordId::new(id) };
        keys.extend([Object::Lead, Object::Opportunity].map(|object| key(object, &text)));
        let rows: Vec<(String, String)> = on_db!(db, |c| {
            sqlx::query_as(SQL).bind(connection.as_str()).bind(&*text).bind(i64::from(limit)).fetch_all(c).await
        })?;
        for (kind, id) in rows {
            keys.push(key(object(&kind)?, &id));
        }
    }
    Ok(keys)
}
