//! Reading records: one query for the fields and, at the same time, those for what people did
//! (`touches.rs`). A record that the answer leaves out is gone, or not visible, which is the same to us.

use super::api::{self, Api, Rows, id_list};
use super::id;
use super::touches::{Policy, Touched};
use crate::crm::fields::{FieldMap, MappedField};
use crate::crm::{CrmError, ReadRecord, Reads};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Object, RecordId, Timestamp, Value};
use serde_json::Value as Json;
use std::collections::HashMap;

/// What every query asks for besides the mapped fields.
const ALWAYS: [&str; 4] = ["Id", "SystemModstamp", "LastModifiedDate", "OwnerId"];

/// The CRM's name of an object.
pub fn type_name(object: Object) -> &'static str {
    match object {
        Object::Lead => "Lead",
        Object::Opportunity => "Opportunity",
    }
}

/// Reads these records with their touches.
///
/// # Errors
/// When any of the queries fails: fields without touches could take a lead from somebody who just called.
pub async fn read(
    api: &Api,
    map: &FieldMap,
    policy: &Policy,
    object: Object,
    ids: &[RecordId],
) -> Result<Reads, CrmError> {
    if ids.is_empty() {
        // Nothing asked, nothing read: there is no answer whose clock could be told.
        return Ok(Reads { at: Timestamp::MIN, records: Vec::new() });
    }
    let records = records_query(map, object, ids);
    let (rows, touched) = tokio::try_join!(api.query(&records), policy.activities(api, map, object, ids))?;
    let touched = policy.count(&touched, &owners(&rows), rows.at);
    Ok(Reads { at: rows.at, records: found(map, object, ids, &rows, &touched) })
}

fn records_query(map: &FieldMap, object: Object, ids: &[RecordId]) -> String {
    let fields = columns(map, object).join(",");
    let ids = id_list(ids.iter().map(RecordId::as_str));
    format!("SELECT {fields} FROM {} WHERE Id IN {ids}", type_name(object))
}

/// Each column once: Salesforce refuses a query that names one twice, in whatever case.
fn columns(map: &FieldMap, object: Object) -> Vec<&str> {
    let derived: &[&str] = match object {
        Object::Lead => &["IsConverted", "ConvertedOpportunityId"],
        Object::Opportunity => &["IsClosed", "IsWon"],
    };
    let mapped = map.of(object).iter().map(|f| f.crm_name.as_str());
    let mut columns: Vec<&str> = Vec::new();
    for column in ALWAYS.into_iter().chain(derived.iter().copied()).chain(mapped) {
        if !columns.iter().any(|known| known.eq_ignore_ascii_case(column)) {
            columns.push(column);
        }
    }
    columns
}

/// The owner of each record.
fn owners(rows: &Rows) -> HashMap<String, String> {
    let pair = |row| Some((id::or_as_is(api::text(row, "Id")?), id::or_as_is(api::text(row, "OwnerId")?)));
    rows.rows.iter().filter_map(pair).collect()
}

fn found(
    map: &FieldMap,
    object: Object,
    ids: &[RecordId],
    rows: &Rows,
    touched: &HashMap<String, Touched>,
) -> Vec<(RecordId, ReadRecord)> {
    let by_id: HashMap<String, &Json> =
        rows.rows.iter().filter_map(|row| Some((id::or_as_is(api::text(row, "Id")?), row))).collect();
    let none = Touched::default();
    ids.iter()
        .map(|asked| {
            let key = id::or_as_is(asked.as_str());
            let record = by_id
                .get(&key)
                .map_or(ReadRecord::Gone, |row| record(map, object, row, touched.get(&key).unwrap_or(&none), rows.at));
            (asked.clone(), record)
        })
        .collect()
}

fn record(map: &FieldMap, object: Object, row: &Json, touched: &Touched, at: Timestamp) -> ReadRecord {
    let mut unreadable = Vec::new();
    let mut values: FieldValues = map.of(object).iter().map(|f| (f.name, mapped(f, row, &mut unreadable))).collect();
    for (name, value) in derived(object, row, touched) {
        // What the connection maps stands above what we derive.
        if map.by_name(object, name).is_none() {
            values.push((name, value));
        }
    }
    let modified = api::time(row, "SystemModstamp").or_else(|| api::time(row, "LastModifiedDate"));
    ReadRecord::Found { modified: modified.unwrap_or(at), values, unreadable }
}

fn mapped(field: &MappedField, row: &Json, unreadable: &mut Vec<String>) -> Value {
    match field.read_json(api::field(row, &field.crm_name)) {
        Ok(Value::Text(text)) if field.name == well_known().owner => Value::text(id::or_as_is(&text)),
        Ok(value) => value,
        Err(problem) => {
            unreadable.push(format!("{}: {problem}", field.name));
            Value::Null
        }
    }
}

/// What no field of the record holds as such.
fn derived(object: Object, row: &Json, touched: &Touched) -> Vec<(crate::record::FieldName, Value)> {
    let names = well_known();
    let mut values = vec![
        (names.touches, Value::Number(f64::from(touched.count))),
        (names.last_touch, touched.last.map_or(Value::Null, Value::Time)),
    ];
    match object {
        Object::Lead => values.push((names.opportunity, converted_into(row))),
        Object::Opportunity => values.push((names.status, Value::text(status(row)))),
    }
    values
}

/// The opportunity that a conversion made of the lead, if it made one.
fn converted_into(row: &Json) -> Value {
    match api::text(row, "ConvertedOpportunityId") {
        Some(made) if is_true(row, "IsConverted") => Value::text(id::or_as_is(made)),
        _ => Value::Null,
    }
}

fn status(row: &Json) -> &'static str {
    match (is_true(row, "IsClosed"), is_true(row, "IsWon")) {
        (_, true) => "won",
        (true, false) => "lost",
        (false, false) => "open",
    }
}

fn is_true(row: &Json, name: &str) -> bool {
    api::field(row, name).as_bool() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::super::defaults::field_map;
    use super::super::tests::{connection, dictionary};
    use super::*;
    use serde_json::json;

    const LEAD: &str = "00Q5g00000LeAd1EAF";

    fn values_of(record: &ReadRecord) -> HashMap<&'static str, Value> {
        let ReadRecord::Found { values, .. } = record else { panic!("{record:?}") };
        values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
    }

    fn one(object: Object, row: Json) -> ReadRecord {
        let map = field_map(&connection(), &dictionary());
        record(&map, object, &row, &Touched::default(), Timestamp::from_millis(5))
    }

    #[test]
    fn a_query_names_each_column_once() {
        let mut connection = connection();
        connection.fields.insert((Object::Lead, well_known().campaign), "leadsource".to_owned());
        let map = field_map(&connection, &dictionary());
        let query = records_query(&map, Object::Lead, &[RecordId::new(LEAD)]);
        assert_eq!(query.to_lowercase().matches("leadsource").count(), 1, "{query}");
        assert_eq!(query.matches("OwnerId").count(), 1, "{query}");
        assert!(query.ends_with("FROM Lead WHERE Id IN ('00Q5g00000LeAd1EAF')"), "{query}");
    }

    #[test]
    fn a_full_read_fits_into_an_address() {
        let map = field_map(&connection(), &dictionary());
        let ids: Vec<RecordId> = (0..200).map(|n| RecordId::new(format!("00Q5g000000{n:04}EAF"))).collect();
        let query = records_query(&map, Object::Lead, &ids);
        let length: usize = url::form_urlencoded::byte_serialize(query.as_bytes()).map(str::len).sum();
        assert!(length < 12_000, "{length}");
    }

    #[test]
    fn a_converted_lead_names_its_opportunity_in_eighteen_characters() {
        let values = values_of(&one(
            Object::Lead,
            json!({ "Id": LEAD, "IsConverted": true, "ConvertedOpportunityId": "0065g00000OpP01" }),
        ));
        assert_eq!(values["opportunity"], Value::text("0065g00000OpP01AAF"));
        assert_eq!(values["converted"], Value::Bool(true));
    }

    #[test]
    fn an_opportunitys_status_follows_from_closed_and_won() {
        for (closed, won, expected) in [(false, false, "open"), (true, true, "won"), (true, false, "lost")] {
            let values = values_of(&one(Object::Opportunity, json!({ "IsClosed": closed, "IsWon": won })));
            assert_eq!(values["status"], Value::text(expected));
        }
    }

    #[test]
    fn a_mapped_status_of_an_opportunity_is_not_derived() {
        let mut connection = connection();
        connection.fields.insert((Object::Opportunity, well_known().status), "Phase__c".to_owned());
        let map = field_map(&connection, &dictionary());
        let row = json!({ "IsClosed": true, "IsWon": true, "Phase__c": "open" });
        let values =
            values_of(&record(&map, Object::Opportunity, &row, &Touched::default(), Timestamp::from_millis(5)));
        assert_eq!(values["status"], Value::text("open"));
    }

    #[test]
    fn what_cannot_be_read_is_null_and_noted() {
        let ReadRecord::Found { values, unreadable, modified } =
            one(Object::Lead, json!({ "CreatedDate": "soon", "LastModifiedDate": "2026-01-05T09:00:10.000+0000" }))
        else {
            panic!()
        };
        assert!(unreadable[0].starts_with("created"), "{unreadable:?}");
        assert!(values.contains(&(well_known().created, Value::Null)));
        assert_eq!(modified.to_string(), "2026-01-05T09:00:10.000Z");
    }

    #[test]
    fn the_system_time_of_a_change_goes_before_the_last_edit() {
        let ReadRecord::Found { modified, .. } = one(
            Object::Lead,
            json!({ "SystemModstamp": "2026-01-05T10:00:00.000+0000", "LastModifiedDate": "2026-01-05T09:00:00.000+0000" }),
        ) else {
            panic!()
        };
        assert_eq!(modified.to_string(), "2026-01-05T10:00:00.000Z");
    }
}
