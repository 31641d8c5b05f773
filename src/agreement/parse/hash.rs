//! The fingerprint of an agreement: what it says, without how it is laid out.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// SHA-256 in hex over canonical JSON (keys sorted, no spaces, dates as text), then over each included
/// file's name and contents.
pub(super) fn hash(document: &DeTable<'_>, included: &[(String, String)]) -> Arc<str> {
    let included: Vec<Value> =
        included.iter().map(|(name, text)| Value::from(vec![name.clone(), unix(text)])).collect();
    // serde_json's own map is sorted: its `preserve_order` is off, and a test would notice.
    let canonical = Value::from(vec![table(document), Value::from(included)]).to_string();
    Arc::from(hex::encode(Sha256::digest(canonical)))
}

fn table(table: &DeTable<'_>) -> Value {
    let entry = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        (key.get_ref().to_string(), json(value.get_ref()))
    };
    Value::Object(table.iter().map(entry).collect::<Map<_, _>>())
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(unix(text)),
        // A number keeps its value however it is written: `0x10`, `1_000`, `2.50`.
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(whole) => Value::from(whole),
            Err(_) => Value::from(n.to_string()),
        },
        DeValue::Float(n) => match n.as_str().parse::<f64>() {
            Ok(float) if float.is_finite() => Value::from(float),
            _ => Value::from(n.to_string()),
        },
        DeValue::Boolean(b) => Value::from(*b),
        DeValue::Datetime(at) => Value::from(at.to_string()),
        DeValue::Array(list) => Value::Array(list.iter().map(|v| json(v.get_ref())).collect()),
        DeValue::Table(inner) => table(inner),
    }
}

/// Line ends are layout: a checkout on another system must not void the signatures.
fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}
