//! The CRM's directory of owners, as last read. Who may be told what is not decided here.

use super::batch::{last_of_each, slices, values};
use super::{Db, Result, Tx, clean};
use crate::record::{ConnectionName, OwnerId};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// An owner in the CRM: a person or a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    pub id: OwnerId,
    /// By which the CRM's news name the same person, where it is another id.
    pub user: Option<OwnerId>,
    pub name: String,
    pub email: Option<String>,
    pub manager: Option<OwnerId>,
    pub active: bool,
    pub queue: bool,
}

/// Stores these owners in place of what was known of them; others stay.
///
/// # Errors
/// `Unavailable`.
pub async fn save_all(tx: &mut Tx, connection: &ConnectionName, people: &[PersonRow]) -> Result<()> {
    const COLUMNS: usize = 8;
    let people = last_of_each(people, |person| &person.id);
    for slice in slices(&people, COLUMNS) {
        let sql = format!(
            "INSERT INTO person (connection, id, user_id, name, email, manager, active, queue) VALUES {} \
             ON CONFLICT (connection, id) DO UPDATE SET user_id = excluded.user_id, name = excluded.name, \
             email = excluded.email, manager = excluded.manager, active = excluded.active, queue = excluded.queue",
            values(0, slice.len(), COLUMNS)
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for person in slice {
                query = query
                    .bind(connection.as_str())
                    .bind(person.id.as_str())
                    .bind(person.user.as_ref().map(OwnerId::as_str))
                    .bind(clean(&person.name))
                    .bind(person.email.as_deref().map(clean))
                    .bind(person.manager.as_ref().map(OwnerId::as_str))
                    .bind(person.active)
                    .bind(person.queue);
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

type Row = (String, Option<String>, String, Option<String>, Option<String>, bool, bool);

/// All owners known in a connection, by id.
///
/// # Errors
/// `Unavailable`.
pub async fn load_all(db: &Db, connection: &ConnectionName) -> Result<Vec<PersonRow>> {
    const SQL: &str =
        "SELECT id, user_id, name, email, manager, active, queue FROM person WHERE connection = $1 ORDER BY id";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(id, user, name, email, manager, active, queue)| PersonRow {
            id: OwnerId::new(id),
            user: user.map(OwnerId::new),
            name,
            email,
            manager: manager.map(OwnerId::new),
            active,
            queue,
        })
        .collect())
}

/// What people are called, by the owner's id and by the user's, which stands in what was told before
/// anybody knew whose it is. An id that is both is the owner's; who has no name is left out.
pub fn called(people: &[PersonRow]) -> HashMap<OwnerId, String> {
    let name = |p: &PersonRow| Some(p.name.trim().to_owned()).filter(|name| !name.is_empty());
    let users = people.iter().filter_map(|p| Some((p.user.clone()?, name(p)?)));
    users.chain(people.iter().filter_map(|p| Some((p.id.clone(), name(p)?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_go_by_their_names_as_pages_show_them() {
        let person = |id: &str, user: Option<&str>, name: &str| PersonRow {
            id: id.into(),
            user: user.map(OwnerId::new),
            name: name.to_owned(),
            email: None,
            manager: None,
            active: true,
            queue: false,
        };
        let called = called(&[person("1", Some("9"), " Amy "), person("2", None, " "), person("9", None, "Ben")]);
        let mut called: Vec<(&str, &str)> = called.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
        called.sort_unstable();
        assert_eq!(called, [("1", "Amy"), ("9", "Ben")]);
    }
}
