//! Setting fields of a described CRM: one request a record, four at a time, each settled for itself.
//! A logical field without a place is left out; a write of nothing else is refused unsent.

use super::DescribedCrm;
use super::api::in_fours;
use super::defaults::Placed;
use super::description::Update;
use super::error::Failure;
use super::path::find;
use super::template::Placeholder;
use super::times::Times;
use crate::crm::{CrmError, ItemResult, Write};
use crate::record::{Object, Value};
use serde_json::{Map, Number, Value as Json};
use std::collections::HashSet;

pub(super) async fn write(crm: &DescribedCrm, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
    let record = crm.record(object)?;
    let update = record.update.as_ref().ok_or_else(|| crm.not_described(object, "update"))?;
    let mut seen = HashSet::new();
    let prepared: Vec<Result<Json, ItemResult>> =
        writes.iter().map(|write| once(&mut seen, write).and_then(|()| changes(crm, object, write))).collect();
    let to_send: Vec<(&Write, &Json)> =
        writes.iter().zip(&prepared).filter_map(|(write, changes)| Some((write, changes.as_ref().ok()?))).collect();
    let sent = send(crm, object, update, &to_send).await?;
    let mut sent = sent.into_iter();
    let one = |prepared: Result<Json, ItemResult>| prepared.err().or_else(|| sent.next());
    Ok(prepared.into_iter().filter_map(one).collect())
}

fn once<'a>(seen: &mut HashSet<&'a str>, write: &'a Write) -> Result<(), ItemResult> {
    match seen.insert(write.id.as_str()) {
        true => Ok(()),
        false => Err(ItemResult::Later { message: "written already in the same call".to_owned(), after: None }),
    }
}

async fn send(
    crm: &DescribedCrm,
    object: Object,
    update: &Update,
    writes: &[(&Write, &Json)],
) -> Result<Vec<ItemResult>, CrmError> {
    let call = |index: usize| {
        let (write, changes) = writes[index];
        let given = crm.given(object).with(Placeholder::Id, crm.id(object, &write.id));
        let given = given.with(Placeholder::Changes, changes.clone());
        async move {
            let told = crm.api.send(&update.request, &given).await?;
            let record = crm.record(object)?;
            let item = find(update.item.as_ref(), &told.json);
            let modified = item.and_then(|item| crm.api.description().times.read(record.modified.find(item)?));
            Ok::<_, Failure>(ItemResult::Done { modified: modified.unwrap_or(told.at), note: None })
        }
    };
    settle(writes.len(), in_fours(writes.len(), call, |outcome| outcome.as_ref().is_err_and(Failure::stops)).await)
}

/// One result for each item. Where it is unknown of any whether it was done, all of them are to be read
/// back; where nothing at all was done, the whole call failed.
pub(super) fn settle(count: usize, outcomes: Vec<Result<ItemResult, Failure>>) -> Result<Vec<ItemResult>, CrmError> {
    let failures: Vec<Failure> = outcomes.iter().filter_map(|outcome| outcome.clone().err()).collect();
    if let Some(doubt) = failures.iter().find(|failure| failure.is_doubt()) {
        return Err(doubt.clone().into());
    }
    let nothing_done = outcomes.iter().all(|outcome| outcome.as_ref().is_err_and(Failure::stops));
    if nothing_done && let Some(worst) = Failure::worst(failures) {
        return Err(worst.into());
    }
    let unsent = || ItemResult::Later { message: "not sent after another failed".to_owned(), after: None };
    let mut results: Vec<ItemResult> = outcomes.into_iter().map(|o| o.unwrap_or_else(Failure::item)).collect();
    results.resize_with(count, unsent);
    Ok(results)
}

fn changes(crm: &DescribedCrm, object: Object, write: &Write) -> Result<Json, ItemResult> {
    let mut table = Map::new();
    for (name, value) in &write.values {
        if let Some(placed) = crm.fields(object).iter().find(|placed| placed.field.name == *name) {
            placed.path.put(&mut table, json(placed, value, &crm.api.description().times));
        }
    }
    match table.is_empty() {
        true => Err(ItemResult::Refused { message: "none of these fields is mapped".to_owned() }),
        false => Ok(Json::Object(table)),
    }
}

/// The value as the CRM takes it: typed JSON, null to clear.
fn json(placed: &Placed, value: &Value, times: &Times) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Text(text) => text_or_number(placed.field.to_crm(text), placed.number),
        // Whole numbers without a fraction, so that they also fit into integer fields.
        Value::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => (*n as i64).into(),
        Value::Number(n) => (*n).into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Date(date) => date.to_string().into(),
        Value::Time(at) => times.write(*at),
    }
}

/// Digits as a number where the CRM wants one; what would not come back as the same text, as 007, and
/// anything else stays text.
pub(super) fn text_or_number(text: &str, number: bool) -> Json {
    match text.parse::<u64>() {
        Ok(whole) if number && whole.to_string() == text => Json::Number(Number::from(whole)),
        _ => text.into(),
    }
}
