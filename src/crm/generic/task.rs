//! Tasks in a described CRM. A task carries its key in its text and is looked for by it among the
//! tasks of its record.

use super::DescribedCrm;
use super::api::in_fours;
use super::error::Failure;
use super::template::{Given, Placeholder};
use super::write::{settle, text_or_number};
use crate::crm::{CrmError, ItemResult, NewTask};
use serde_json::Value as Json;

/// Pages of tasks that are looked through; a record with more tasks than that is beyond us.
const MOST_PAGES: usize = 20;

pub(super) async fn create(crm: &DescribedCrm, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
    let described = crm.task()?;
    let call = |index: usize| {
        let given = given(crm, &tasks[index], described.html);
        async move {
            let told = crm.api.send(&described.create, &given).await?;
            let note = described.created_id.as_ref().and_then(|path| path.id(&told.json));
            Ok::<_, Failure>(ItemResult::Done { modified: told.at, note })
        }
    };
    settle(tasks.len(), in_fours(tasks.len(), call, |outcome| outcome.as_ref().is_err_and(Failure::stops)).await)
}

fn given(crm: &DescribedCrm, task: &NewTask, html: bool) -> Given {
    let times = &crm.api.description().times;
    let (date, time) = times.date_and_time(task.due);
    let numbers = crm.api.description().record(task.object).map(|record| &record.numbers);
    let owner_is_number = numbers.is_some_and(|numbers| numbers.contains("owner"));
    let owner = task.owner.as_ref().map(|owner| text_or_number(owner.as_str(), owner_is_number));
    of_record(crm, task)
        .with(Placeholder::Title, task.title.as_str())
        .with(Placeholder::Text, body(task, html))
        .with(Placeholder::Owner, owner.unwrap_or_default())
        .with(Placeholder::Due, times.write(task.due))
        .with(Placeholder::DueDate, date)
        .with(Placeholder::DueTime, time)
}

fn of_record(crm: &DescribedCrm, task: &NewTask) -> Given {
    let id = crm.id(task.object, &task.record);
    crm.given(task.object).with(Placeholder::Id, id).with(Placeholder::Key, task.key.as_str())
}

/// The key is added where the text lacks it.
fn body(task: &NewTask, html: bool) -> String {
    let text = match task.body.contains(&task.key) {
        true => task.body.clone(),
        false => format!("{}\n\n{}", task.body, task.key),
    };
    match html {
        true => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>"),
        false => text,
    }
}

pub(super) async fn find(crm: &DescribedCrm, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
    let described = crm.task()?;
    let call = |index: usize| {
        let given = of_record(crm, &tasks[index]);
        async move {
            match crm.api.pages(&described.find.list, &given, MOST_PAGES).await {
                // A record that is gone has no tasks.
                Err(Failure::Gone { .. }) => Ok(Vec::new()),
                outcome => outcome,
            }
        }
    };
    let outcomes = in_fours(tasks.len(), call, Result::is_err).await;
    let mut found = Vec::with_capacity(tasks.len());
    for (task, items) in tasks.iter().zip(outcomes) {
        let carries = |item: &&Json| described.find.text.text(item).is_some_and(|text| has_key(&text, &task.key));
        found.push(items?.iter().find(carries).map(|item| described.find.id.id(item).unwrap_or_default()));
    }
    Ok(found)
}

fn has_key(text: &str, key: &str) -> bool {
    let unescaped = || text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.contains(key) || unescaped().contains(key)
}
