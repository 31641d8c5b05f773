//! The schema for editors: it accepts what the parser accepts, refuses typing mistakes as the parser
//! does, and knows exactly the parser's keys.

use crate::difference::full;
use crate::{EXAMPLE, example_with, read};
use leadpact::agreement::schema::schema;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const DEMO: &str = include_str!("../../config/demo-agreement.toml");
/// No key of any table, and like none of them, so that the parser lists all that are possible.
const STRANGER: &str = "qqqqqqqqqqqqqqqqqq";

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.clone()),
        toml::Value::Integer(n) => Value::from(*n),
        toml::Value::Float(n) => Value::from(*n),
        toml::Value::Boolean(b) => Value::from(*b),
        toml::Value::Datetime(at) => Value::from(at.to_string()),
        toml::Value::Array(list) => list.iter().map(json).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.clone(), json(value))).collect::<Map<_, _>>())
        }
    }
}

fn table(text: &str) -> toml::Value {
    toml::Value::Table(text.parse().unwrap_or_else(|e| panic!("{e}")))
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&schema()).expect("a schema")
}

fn complaints(validator: &jsonschema::Validator, text: &str) -> Vec<String> {
    validator.iter_errors(&json(&table(text))).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn the_shipped_agreements_fit_it_and_it_is_a_schema() {
    jsonschema::meta::validate(&schema()).unwrap_or_else(|e| panic!("{e}"));
    let validator = validator();
    for text in [EXAMPLE, DEMO, &full()] {
        assert!(read(text).is_ok());
        assert_eq!(complaints(&validator, text), Vec::<String>::new());
    }
}

/// Puts the stranger into the table at each path, and calls `look` with the path and the changed file.
fn with_stranger(value: &toml::Value, path: &mut Vec<String>, look: &mut dyn FnMut(&[String], &toml::Table)) {
    match value {
        toml::Value::Table(table) => {
            look(path, table);
            for (key, inner) in table {
                path.push(key.clone());
                with_stranger(inner, path, look);
                path.pop();
            }
        }
        toml::Value::Array(list) => {
            for (i, inner) in list.iter().enumerate() {
                path.push(i.to_string());
                with_stranger(inner, path, look);
                path.pop();
            }
        }
        _ => {}
    }
}

fn at<'v>(value: &'v mut toml::Value, path: &[String]) -> &'v mut toml::Value {
    path.iter().fold(value, |value, step| match value {
        toml::Value::Array(list) => &mut list[step.parse::<usize>().expect("an index")],
        table => table.get_mut(step).expect("a key"),
    })
}

/// The schema of the table at a path.
fn schema_at<'s>(schema: &'s Value, path: &[String]) -> &'s Value {
    path.iter().fold(schema, |schema, step| match &schema["properties"][step] {
        Value::Null if schema["items"].is_object() => &schema["items"],
        Value::Null => &schema["additionalProperties"],
        inner => inner,
    })
}

/// The keys that the parser would take in that table beside those that are there.
fn parser_keys(text: &str) -> BTreeSet<String> {
    let report = read(text).expect_err("a stranger");
    let problem = report.problems.iter().find(|p| p.message.starts_with(&format!("unknown key `{STRANGER}`")));
    let help = problem.unwrap_or_else(|| panic!("{report}")).help.clone().unwrap_or_default();
    help.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn it_knows_exactly_the_keys_that_the_parser_knows() {
    let document = table(&full());
    let (schema, validator) = (schema(), validator());
    let mut seen = 0;
    with_stranger(&document, &mut vec![], &mut |path, table| {
        let of = schema_at(&schema, path);
        if of["additionalProperties"] != Value::Bool(false) {
            return; // The author names these keys.
        }
        let mut changed = document.clone();
        let strange = at(&mut changed, path).as_table_mut().expect("a table");
        strange.insert(STRANGER.to_owned(), toml::Value::Integer(1));
        assert!(!validator.is_valid(&json(&changed)), "{path:?}");
        let mut known = parser_keys(&toml::to_string(&changed).expect("TOML"));
        known.extend(table.keys().cloned());
        if of["dependentRequired"].is_object() {
            known.insert("stage".to_owned()); // Asked for beside `complete` only.
        }
        let keys: BTreeSet<String> = of["properties"].as_object().expect("keys").keys().cloned().collect();
        assert_eq!(keys, known, "{path:?}");
        seen += 1;
    });
    assert!(seen > 60, "only {seen} tables");
}

#[test]
fn every_key_is_described() {
    fn look(schema: &Value, path: &str) {
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            assert!(inner["description"].as_str().is_some_and(|d| d.len() > 5), "{path}");
            look(inner, &path);
            look(&inner["items"], &path);
            look(&inner["additionalProperties"], &path);
        }
    }
    look(&schema(), "");
}

#[test]
fn what_is_typed_wrongly_is_refused_by_both() {
    let validator = validator();
    for (passage, by) in [
        ("version   = \"2027 first half\"\n", ""),
        ("title     = \"Acme", "titel     = \"Acme"),
        ("\"15s\"", "\"15 sconds\""),
        ("\"15s\"", "\"15bh\""),
        ("within = \"10 business days\"", "within = \"0bd\""),
        ("within = \"10 business days\"", "within = \"10 busy days\""),
        ("within = \"10 business days\"", "within = 10"),
        ("\"-30bm\"", "\"30bm\""),
        ("\"50%\"", "\"150%\""),
        ("notify = [\"owner\", \"party\"] }", "notify = [\"boss\"] }"),
        ("at = \"50%\",  notify = [\"owner\"]", "at = \"50%\""),
        ("at = \"50%\",  notify = [\"owner\"]", "at = \"50%\", recycle = false"),
        ("restarts_on = [\"owner\"]", "restarts_on = [\"ownr\"]"),
        ("on         = \"tql\"\n", ""),
        ("on         = \"tql\"", "on = \"tql\"\nat = \"tql\""),
        ("\">= 400\"", "\"> 400\""),
        ("\">= 400\"", "\">= 4bh\""),
        ("{ count = \"mql\" }", "{ count = \"mql\", median = \"First follow-up\" }"),
        ("{ count = \"mql\" }", "{}"),
        ("complete = \"reject_reason\", stage = \"rejected\"", "complete = \"reject_reason\""),
        ("{ conversion = [\"mql\", \"tal\"] }", "{ conversion = [\"mql\"] }"),
        ("{ attested = \"monthly\" }", "{ attested = \"yearly\" }"),
        ("every    = \"quarter\"", "every    = \"year\""),
        ("[\"slack:#sales-marketing\"]", "[\"#sales-marketing\"]"),
        ("email = \"dana@acme.example\" }", "email = \"dana\" }"),
        ("mon-thu =", "mon-thx ="),
        ("\"09:00-12:30\"", "\"9-12\""),
        ("holidays  = [2027-01-01,", "holidays  = [\"New Year\","),
        ("region = \"text\"", "region = \"string\""),
        ("region = \"text\"", "flag = \"text\""),
        ("ends  = \"won\"", "ends  = \"closed\""),
        ("times = 2,", "times = 0,"),
        ("share_of_open = 0.05", "share_of_open = 5"),
        ("then = \"nurture\"", "then = \"discard\""),
        ("[nurture]\nset = {", "[nurture]\nset = { owner = \"x\","),
        ("base  = \"USD\"", "base  = \"dollar\""),
        ("EUR = 1.08", "EUR = 0"),
        ("why   = \"Quarter end\"", "because = \"Quarter end\""),
        ("quiet      = false", "quiet      = \"no\""),
    ] {
        let text = example_with(passage, by);
        assert!(read(&text).is_err(), "the parser takes {by}");
        assert!(!complaints(&validator, &text).is_empty(), "the schema takes {by}");
    }
}

#[test]
fn whatever_way_of_writing_the_parser_takes_it_takes_too() {
    let validator = validator();
    for (passage, by) in [
        ("within = \"10 business days\"", "within = \" 010  Business  DAYS \""),
        ("within = \"10 business days\"", "within = \"10BD\""),
        ("\"15s\"", "\"15 Seconds\""),
        ("\"15s\"", "\"0s\""),
        ("\"50%\"", "\" 12.5 % \""),
        ("\"-30bm\"", "\"- 30 business minutes\""),
        ("\">= 400\"", "\"400\""),
        ("\">= 400\"", "\" >=400.5 \""),
        ("\"100%\"", "\"<= 5 %\""),
        ("mon-thu =", "\"Mon-thursday\" ="),
        ("mon-thu =", "\"mon, tue-wed,thu\" ="),
        ("\"09:00-12:30\"", "\"09:00 - 12:30\""),
        ("time     = \"10:00\"", "time     = 10:00:00"),
        ("on       = \"Mon\"", "on       = \"monday\""),
        ("# extra_days   =", "extra_days   ="),
        ("times = 2,", "times = 0x2,"),
        ("EUR = 1.08", "EUR = 2"),
    ] {
        let text = example_with(passage, by);
        assert!(read(&text).is_ok(), "the parser refuses {by}");
        assert_eq!(complaints(&validator, &text), Vec::<String>::new(), "{by}");
    }
}
