//! The canonical form of an agreement, and its fingerprint: what it says, without how it is laid out.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// The whole agreement as JSON (keys sorted, dates as text): the document, then each included file's name
/// and contents.
pub(super) fn canonical(document: &DeTable<'_>, included: &[(String, String)]) -> Value {
    let included: Vec<Value> =
        included.iter().map(|(name, text)| Value::from(vec![name.clone(), unix(text)])).collect();
    Value::from(vec![table(document), Value::from(included)])
}

/// SHA-256 in hex over the canonical form without spaces.
pub(super) fn hash(canonical: &Value) -> Arc<str> {
    // serde_json's own map is sorted: its `preserve_order` is off, and a test would notice.
    Arc::from(hex::encode(Sha256::digest(canonical.to_string())))
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
