//! The directory: users, active or not, and queues.

use super::api::{self, Api};
use super::id;
use crate::crm::{CrmError, Person};
use serde_json::Value as Json;

const USERS: &str = "SELECT Id,Name,Email,IsActive,ManagerId FROM User";
const QUEUES: &str = "SELECT Id,Name,DeveloperName FROM Group WHERE Type = 'Queue'";

/// Everybody who can own a record.
///
/// # Errors
/// When one of the two queries fails.
pub async fn people(api: &Api) -> Result<Vec<Person>, CrmError> {
    let (users, queues) = tokio::try_join!(api.query(USERS), api.query(QUEUES))?;
    Ok(users.rows.iter().filter_map(user).chain(queues.rows.iter().filter_map(queue)).collect())
}

fn user(row: &Json) -> Option<Person> {
    let id = id::owner(api::text(row, "Id")?);
    Some(Person {
        name: api::text(row, "Name").unwrap_or(id.as_str()).to_owned(),
        id,
        user: None,
        email: api::text(row, "Email").map(str::to_owned),
        active: api::field(row, "IsActive").as_bool().unwrap_or(true),
        manager: api::text(row, "ManagerId").map(id::owner),
        queue: false,
    })
}

fn queue(row: &Json) -> Option<Person> {
    let id = id::owner(api::text(row, "Id")?);
    let name = api::text(row, "Name").or_else(|| api::text(row, "DeveloperName")).unwrap_or(id.as_str()).to_owned();
    Some(Person { id, user: None, name, email: None, active: true, manager: None, queue: true })
}
