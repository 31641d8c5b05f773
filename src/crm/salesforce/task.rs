//! Tasks: making them, and finding again those that a lost answer left in doubt. A task carries its
//! key on a line of its own in its description, which also tells our tasks from people's.

use super::api::{self, Api};
use super::{id, touches, write};
use crate::crm::{CrmError, ItemResult, NewTask};
use crate::record::{Object, RecordId};
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Map, Value as Json, json};

const MARK: &str = "leadpact:";
/// Most characters of a task's subject and description in Salesforce.
const LONGEST_SUBJECT: usize = 255;
const LONGEST_DESCRIPTION: usize = 32_000;

/// Makes tasks, up to 200 in one call.
///
/// # Errors
/// When the call as a whole failed.
pub async fn create(api: &Api, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
    write::send(api, Method::POST, tasks.iter().map(|task| Ok(body(task))).collect()).await
}

/// The ids of those tasks that exist, found by their keys: descriptions cannot be filtered by a
/// query, so all tasks of the records are looked through. One query for each object.
///
/// # Errors
/// When a query fails.
pub async fn find(api: &Api, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
    let (leads, opportunities) =
        tokio::try_join!(existing(api, Object::Lead, tasks), existing(api, Object::Opportunity, tasks))?;
    let rows: Vec<Json> = leads.into_iter().chain(opportunities).collect();
    Ok(tasks.iter().map(|task| rows.iter().find(|row| is(row, task)).and_then(id_of)).collect())
}

/// Whether leadpact made this task.
pub fn is_ours(row: &Json) -> bool {
    lines(row).any(|line| line.starts_with(MARK))
}

async fn existing(api: &Api, object: Object, tasks: &[NewTask]) -> Result<Vec<Json>, CrmError> {
    let mut ids: Vec<RecordId> = tasks.iter().filter(|t| t.object == object).map(|t| t.record.clone()).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let about = touches::about(object, &ids);
    Ok(api.query(&format!("SELECT Id,WhoId,WhatId,Description FROM Task WHERE {about}")).await?.rows)
}

fn is(row: &Json, task: &NewTask) -> bool {
    let record = api::text(row, relation(task.object)).map(id::or_as_is);
    record == Some(id::or_as_is(task.record.as_str())) && lines(row).any(|line| line == mark(task))
}

fn id_of(row: &Json) -> Option<String> {
    api::text(row, "Id").map(id::or_as_is)
}

fn lines(row: &Json) -> impl Iterator<Item = &str> {
    api::text(row, "Description").unwrap_or_default().lines().map(str::trim)
}

fn mark(task: &NewTask) -> String {
    format!("{MARK}{}", task.key)
}

/// `WhatId` must stay empty where `WhoId` is a lead.
fn relation(object: Object) -> &'static str {
    match object {
        Object::Lead => "WhoId",
        Object::Opportunity => "WhatId",
    }
}

fn body(task: &NewTask) -> Json {
    let mut record = Map::new();
    record.insert("attributes".to_owned(), json!({ "type": "Task" }));
    record.insert("Subject".to_owned(), cut(&task.title, LONGEST_SUBJECT).into());
    record.insert("Description".to_owned(), description(task).into());
    record.insert("ActivityDate".to_owned(), task.due.to_jiff().to_zoned(TimeZone::UTC).date().to_string().into());
    record.insert("Priority".to_owned(), if task.done { "Normal" } else { "High" }.into());
    record.insert("Status".to_owned(), if task.done { "Completed" } else { "Not Started" }.into());
    record.insert(relation(task.object).to_owned(), id::or_as_is(task.record.as_str()).into());
    // A queue owns tasks only where an administrator allowed it; without an owner the task is ours.
    if let Some(owner) = task.owner.as_ref().filter(|owner| !id::is_queue(owner.as_str())) {
        record.insert("OwnerId".to_owned(), id::or_as_is(owner.as_str()).into());
    }
    Json::Object(record)
}

/// The text, shortened where need be, then the key.
fn description(task: &NewTask) -> String {
    let mark = mark(task);
    let room = LONGEST_DESCRIPTION.saturating_sub(mark.chars().count() + 2);
    format!("{}\n\n{mark}", cut(&task.body, room))
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{OwnerId, Timestamp};

    fn task() -> NewTask {
        NewTask {
            object: Object::Lead,
            record: RecordId::new("00Q5g00000LeAd1EAF"),
            owner: Some(OwnerId::new("0055g00000AbCdE")),
            title: "Accept or reject Zoë Ünal".to_owned(),
            body: "Four hours have passed.".to_owned(),
            due: Timestamp::parse("2026-01-05T23:30:00Z").unwrap(),
            done: false,
            key: "acme/lead/00Q5g00000LeAd1EAF/1".to_owned(),
        }
    }

    #[test]
    fn a_task_of_a_lead_names_who_and_carries_its_key() {
        let expected = json!({
            "attributes": { "type": "Task" }, "Subject": "Accept or reject Zoë Ünal",
            "Description": "Four hours have passed.\n\nleadpact:acme/lead/00Q5g00000LeAd1EAF/1",
            "ActivityDate": "2026-01-05", "Priority": "High", "Status": "Not Started",
            "WhoId": "00Q5g00000LeAd1EAF", "OwnerId": "0055g00000AbCdEAAV",
        });
        assert_eq!(body(&task()), expected);
    }

    #[test]
    fn a_task_of_an_opportunity_names_what() {
        let body = body(&NewTask { object: Object::Opportunity, ..task() });
        assert!(body.get("WhatId").is_some() && body.get("WhoId").is_none(), "{body}");
    }

    #[test]
    fn a_queue_is_never_a_tasks_owner() {
        let body = body(&NewTask { owner: Some(OwnerId::new("00G5g000001QueAEAS")), ..task() });
        assert!(body.get("OwnerId").is_none(), "{body}");
    }

    #[test]
    fn a_long_text_is_shortened_but_never_its_key() {
        let long = NewTask { body: "ä".repeat(40_000), title: "t".repeat(300), ..task() };
        let body = body(&long);
        assert_eq!(body["Subject"].as_str().unwrap().chars().count(), 255);
        assert_eq!(body["Description"].as_str().unwrap().chars().count(), 32_000);
        assert!(is(&json!({ "WhoId": "00Q5g00000LeAd1", "Description": body["Description"] }), &long));
    }

    #[test]
    fn a_key_that_begins_like_ours_is_another_task() {
        let row = json!({ "WhoId": "00Q5g00000LeAd1EAF", "Description": format!("leadpact:{}2", task().key) });
        assert!(!is(&row, &task()) && is_ours(&row));
    }
}
