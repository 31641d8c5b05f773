//! Reading records of a described CRM: many at once where it can, else each by itself, four at a time.
//! A record that is missing among many is asked for by itself before it counts as gone.

use super::DescribedCrm;
use super::api::in_fours;
use super::description::{ReadMany, Record};
use super::error::Failure;
use super::path::{find, scalar};
use super::template::Placeholder;
use super::times::Times;
use crate::crm::fields::MappedField;
use crate::crm::{CrmError, ReadRecord, Reads};
use crate::record::field::well_known;
use crate::record::{FieldType, Object, RecordId, Timestamp, Value};
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use std::collections::HashMap;

/// Records that are read by themselves in one call; more would be old when the last is there.
pub(super) const SINGLY: usize = 12;

pub(super) async fn read(crm: &DescribedCrm, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
    let record = crm.record(object)?;
    let mut reads = Reads { at: Timestamp::MAX, records: Vec::new() };
    let mut singly: Vec<&RecordId> = Vec::new();
    match &record.read_many {
        None => singly.extend(ids),
        Some(many) => {
            // A comma would make two ids of one.
            let (plain, odd): (Vec<&RecordId>, Vec<&RecordId>) = ids.iter().partition(|id| !id.as_str().contains(','));
            singly.extend(odd);
            for some in plain.chunks(many.batch) {
                singly.extend(read_some(crm, object, many, some, &mut reads).await?);
            }
        }
    }
    // The others are asked for again.
    singly.truncate(SINGLY);
    read_singly(crm, object, record, &singly, &mut reads).await?;
    Ok(reads)
}

/// Reads some with one request; answers those that were not among the items.
async fn read_some<'a>(
    crm: &DescribedCrm,
    object: Object,
    many: &ReadMany,
    ids: &[&'a RecordId],
    reads: &mut Reads,
) -> Result<Vec<&'a RecordId>, CrmError> {
    let list: Vec<Json> = ids.iter().map(|id| crm.id(object, id)).collect();
    let given = crm.given(object).with(Placeholder::Ids, list);
    let told = crm.api.send(&many.request, &given).await?;
    reads.at = reads.at.min(told.at);
    let items = match find(many.items.as_ref(), &told.json) {
        Some(Json::Array(items)) => items.as_slice(),
        _ => &[],
    };
    let record = crm.record(object)?;
    let by_id: HashMap<String, &Json> = items.iter().filter_map(|item| Some((record.id.id(item)?, item))).collect();
    let mut missing = Vec::new();
    for id in ids {
        match by_id.get(id.as_str()) {
            Some(item) => reads.records.push(((*id).clone(), shown(crm, object, record, item, told.at))),
            None => missing.push(*id),
        }
    }
    Ok(missing)
}

async fn read_singly(
    crm: &DescribedCrm,
    object: Object,
    record: &Record,
    ids: &[&RecordId],
    reads: &mut Reads,
) -> Result<(), CrmError> {
    let call = |index: usize| {
        let given = crm.given(object).with(Placeholder::Id, crm.id(object, ids[index]));
        async move { crm.api.send(&record.read.request, &given).await }
    };
    let outcomes = in_fours(ids.len(), call, |outcome| outcome.as_ref().is_err_and(Failure::stops)).await;
    let mut failures = Vec::new();
    for (id, outcome) in ids.iter().zip(outcomes) {
        match outcome {
            Ok(told) => {
                reads.at = reads.at.min(told.at);
                let item = find(record.read.item.as_ref(), &told.json).unwrap_or(&Json::Null);
                // Another record is no answer: this one is asked for again.
                if record.id.id(item).as_deref() == Some(id.as_str()) {
                    reads.records.push(((*id).clone(), shown(crm, object, record, item, told.at)));
                }
            }
            Err(Failure::Gone { at, .. }) => {
                reads.at = reads.at.min(at);
                reads.records.push(((*id).clone(), ReadRecord::Gone));
            }
            Err(failure) => failures.push(failure),
        }
    }
    Failure::worst(failures).map_or(Ok(()), |failure| Err(failure.into()))
}

/// A record as an answer shows it.
pub(super) fn shown(crm: &DescribedCrm, object: Object, record: &Record, item: &Json, at: Timestamp) -> ReadRecord {
    if record.gone.as_ref().is_some_and(|flag| flag.is_set(item)) {
        return ReadRecord::Gone;
    }
    let times = &crm.api.description().times;
    let (mut values, mut unreadable) = (Vec::new(), Vec::new());
    for placed in crm.fields(object) {
        let json = placed.path.find(item).unwrap_or(&Json::Null);
        let value = value_of(&placed.field, json, times).unwrap_or_else(|why| {
            unreadable.push(format!("{}: {why}", placed.field.name));
            Value::Null
        });
        values.push((placed.field.name, value));
    }
    if let Some(rule) = crm.status_rule(object) {
        let status = rule.from.text(item).map(|value| Value::text(rule.of(&value)));
        values.push((well_known().status, status.unwrap_or_default()));
    }
    let modified = record.modified.find(item).and_then(|json| times.read(json));
    if modified.is_none() {
        unreadable.push("modified: no time where the description says, or not in its format".to_owned());
    }
    ReadRecord::Found { modified: modified.unwrap_or(at), values, unreadable }
}

/// The logical value of a CRM's JSON; a moment is read in the CRM's own format first.
pub(super) fn value_of(field: &MappedField, json: &Json, times: &Times) -> Result<Value, String> {
    let text = match json {
        Json::Null => return Ok(Value::Null),
        Json::Array(_) => return Err("this is a list".to_owned()),
        Json::Object(_) => return Err("this is a table".to_owned()),
        plain => scalar(plain).unwrap_or_default(),
    };
    if matches!(field.kind, FieldType::Time | FieldType::Date)
        && let Some(at) = times.read(json)
    {
        let day = |zone: &TimeZone| at.to_jiff().to_zoned(zone.clone()).date();
        return Ok(match field.kind {
            FieldType::Date => Value::Date(day(&times.zone)),
            _ => Value::Time(at),
        });
    }
    field.read(&text).map_err(|why| why.to_string())
}
