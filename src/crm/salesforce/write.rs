//! Setting fields: one collection call for up to 200 records, each settled for itself.

use super::api::Api;
use super::error::{self, SaveResult};
use super::id;
use super::read::type_name;
use crate::crm::fields::{FieldMap, MappedField};
use crate::crm::{CrmError, ItemResult, Write};
use crate::record::field::well_known;
use crate::record::{Object, Timestamp, Value};
use reqwest::Method;
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;
use std::time::Duration;

/// Writes these records. What Salesforce would refuse for certain is not sent.
///
/// # Errors
/// When the call as a whole failed.
pub async fn write(api: &Api, map: &FieldMap, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
    let mut seen = HashSet::new();
    let bodies: Vec<Result<Json, ItemResult>> =
        writes.iter().map(|write| once(&mut seen, write).and_then(|()| body(map, object, write))).collect();
    send(api, Method::PATCH, bodies).await
}

/// Sends what may be sent and puts the results back into order.
pub async fn send(
    api: &Api,
    method: Method,
    bodies: Vec<Result<Json, ItemResult>>,
) -> Result<Vec<ItemResult>, CrmError> {
    let records: Vec<Json> = bodies.iter().filter_map(|body| body.as_ref().ok().cloned()).collect();
    if records.is_empty() {
        return Ok(bodies.into_iter().filter_map(Result::err).collect());
    }
    let (at, results) = api.save(method, &records).await?;
    let mut results = results.into_iter();
    let next = |body: Result<Json, ItemResult>| match body {
        Err(refused) => Some(refused),
        Ok(_) => results.next().map(|result| settled(&result, at)),
    };
    Ok(bodies.into_iter().filter_map(next).collect())
}

/// A result carries no modification time; the answer's `Date` is the CRM's clock just after it.
fn settled(result: &SaveResult, at: Timestamp) -> ItemResult {
    match result.success {
        true => ItemResult::Done { modified: at, note: result.id.as_deref().map(id::or_as_is) },
        false => error::of_item(&result.errors),
    }
}

/// Salesforce refuses a call that names a record twice.
fn once<'a>(seen: &mut HashSet<&'a str>, write: &'a Write) -> Result<(), ItemResult> {
    match seen.insert(write.id.as_str()) {
        true => Ok(()),
        false => Err(ItemResult::Later {
            message: "another write of the same record goes first".to_owned(),
            after: Some(Duration::from_secs(1)),
        }),
    }
}

fn body(map: &FieldMap, object: Object, write: &Write) -> Result<Json, ItemResult> {
    let mut record = Map::new();
    record.insert("attributes".to_owned(), json!({ "type": type_name(object) }));
    record.insert("id".to_owned(), id::or_as_is(write.id.as_str()).into());
    for (name, value) in &write.values {
        let field = map.by_name(object, *name).ok_or_else(|| refused(format!("`{name}` is not mapped")))?;
        let value = if *name == well_known().owner { owner(object, value)? } else { json(field, value) };
        record.insert(field.crm_name.clone(), value);
    }
    Ok(Json::Object(record))
}

fn owner(object: Object, value: &Value) -> Result<Json, ItemResult> {
    match (value.as_text(), object) {
        (Some(owner), _) => Ok(id::or_as_is(owner).into()),
        (None, Object::Lead) => Err(refused("Salesforce leads cannot be without an owner".to_owned())),
        (None, Object::Opportunity) => Err(refused("Salesforce opportunities cannot be without an owner".to_owned())),
    }
}

fn refused(message: String) -> ItemResult {
    ItemResult::Refused { message }
}

/// The value as Salesforce takes it: typed JSON, times with `Z`, null to clear.
fn json(field: &MappedField, value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Text(text) => field.to_crm(text).into(),
        // Whole numbers without a fraction, so that they also fit into integer fields.
        Value::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => (*n as i64).into(),
        Value::Number(n) => (*n).into(),
        Value::Bool(b) => (*b).into(),
        Value::Date(date) => date.to_string().into(),
        Value::Time(at) => at.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::defaults::field_map;
    use super::super::tests::{connection, dictionary};
    use super::*;
    use crate::record::{FieldName, RecordId};

    fn lead(values: Vec<(&str, Value)>) -> Result<Json, ItemResult> {
        let mut connection = connection();
        for (name, theirs) in [("flag", "Flag__c"), ("due", "Due__c"), ("score", "Score__c")] {
            connection.fields.insert((Object::Lead, FieldName::new(name)), theirs.to_owned());
        }
        let ours = ("Working".to_owned(), vec!["Working - Contacted".to_owned(), "Working".to_owned()]);
        connection.values.insert((Object::Lead, well_known().status), vec![ours]);
        let map = field_map(&connection, &dictionary());
        let values = values.into_iter().map(|(name, value)| (FieldName::new(name), value)).collect();
        body(&map, Object::Lead, &Write { id: RecordId::new("00Q5g00000LeAd1"), values })
    }

    #[test]
    fn values_go_out_typed_with_the_crms_own_names_and_words() {
        let body = lead(vec![
            ("owner", Value::text("00G5g000001QueA")),
            ("status", Value::text("working")),
            ("flag", Value::Bool(true)),
            ("score", Value::Number(60.0)),
            ("due", Value::Time(Timestamp::parse("2026-01-05T09:00:00Z").unwrap())),
            ("company", Value::Null),
        ]);
        let expected = json!({
            "attributes": { "type": "Lead" }, "id": "00Q5g00000LeAd1EAF", "OwnerId": "00G5g000001QueAEAS",
            "Status": "Working - Contacted", "Flag__c": true, "Score__c": 60, "Due__c": "2026-01-05T09:00:00.000Z",
            "Company": null,
        });
        assert_eq!(body, Ok(expected));
    }

    #[test]
    fn a_lead_without_an_owner_and_an_unmapped_field_are_refused_unsent() {
        let Err(ItemResult::Refused { message }) = lead(vec![("owner", Value::Null)]) else { panic!() };
        assert_eq!(message, "Salesforce leads cannot be without an owner");
        assert!(matches!(lead(vec![("violation", Value::text("x"))]), Err(ItemResult::Refused { .. })));
    }
}
