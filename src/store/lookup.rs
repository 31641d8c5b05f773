//! Records by their id or name, for lists that are filtered by a record. What records are called is told
//! by `standing`.

use super::{Db, Result, clean, object};
use crate::record::{ConnectionName, Object, RecordId, RecordKey};

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
