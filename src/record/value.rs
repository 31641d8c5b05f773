//! What a field can hold, and how a CRM's text or JSON is read as the declared type.

use super::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The declared type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    Text,
    Number,
    Bool,
    Date,
    Time,
}

/// A field's value; an unset field is `Null`.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Text(Arc<str>),
    Number(f64),
    Bool(bool),
    Date(Date),
    Time(Timestamp),
}

/// The CRM's value could not be read as the declared type; it is then taken as null and noted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {expected}")]
pub struct Unreadable {
    pub text: String,
    pub expected: &'static str,
}

impl FieldType {
    pub fn as_str(self) -> &'static str {
        match self {
            FieldType::Text => "text",
            FieldType::Number => "number",
            FieldType::Bool => "bool",
            FieldType::Date => "date",
            FieldType::Time => "time",
        }
    }

    /// Reads a CRM's text. `""` is null. A date may also come as RFC 3339 or milliseconds at midnight UTC.
    ///
    /// # Errors
    /// [`Unreadable`] when the text is not of this type.
    pub fn read(self, text: &str) -> Result<Value, Unreadable> {
        let unreadable = || Unreadable { text: text.chars().take(80).collect(), expected: self.as_str() };
        if text.is_empty() {
            return Ok(Value::Null);
        }
        match self {
            FieldType::Text => Ok(Value::text(text)),
            FieldType::Number => {
                text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::Number).ok_or_else(unreadable)
            }
            FieldType::Bool => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(Value::Bool(true)),
                "false" | "no" | "0" => Ok(Value::Bool(false)),
                _ => Err(unreadable()),
            },
            FieldType::Date => text
                .parse::<Date>()
                .ok()
                .or_else(|| Timestamp::parse(text).map(|t| t.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date()))
                .map(Value::Date)
                .ok_or_else(unreadable),
            FieldType::Time => Timestamp::parse(text)
                .or_else(|| {
                    let date = text.parse::<Date>().ok()?;
                    Some(Timestamp::from_jiff(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()))
                })
                .map(Value::Time)
                .ok_or_else(unreadable),
        }
    }

    /// Reads a typed JSON value (Salesforce) as this type; text goes through [`FieldType::read`].
    ///
    /// # Errors
    /// [`Unreadable`] when it is not of this type.
    pub fn read_json(self, json: &serde_json::Value) -> Result<Value, Unreadable> {
        match json {
            serde_json::Value::Null => Ok(Value::Null),
            serde_json::Value::String(text) => self.read(text),
            serde_json::Value::Bool(b) if self == FieldType::Bool => Ok(Value::Bool(*b)),
            other => self.read(&other.to_string()),
        }
    }
}

impl Value {
    /// The null that a look-up of an unset field answers with.
    pub const NULL: &'static Value = &Value::Null;

    pub fn text(text: impl AsRef<str>) -> Self {
        Value::Text(Arc::from(text.as_ref()))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    pub fn as_time(&self) -> Option<Timestamp> {
        match self {
            Value::Time(t) => Some(*t),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Text(_) => 1,
            Value::Number(_) => 2,
            Value::Bool(_) => 3,
            Value::Date(_) => 4,
            Value::Time(_) => 5,
        }
    }
}

impl Ord for Value {
    /// A total order, so that ties are settled the same way whatever arrives first.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl fmt::Display for Value {
    /// As a person reads it; null is `nothing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("nothing"),
            Value::Text(text) => f.write_str(text),
            Value::Number(n) => write!(f, "{n}"),
            Value::Bool(b) => f.write_str(if *b { "yes" } else { "no" }),
            Value::Date(d) => write!(f, "{d}"),
            Value::Time(t) => write!(f, "{t}"),
        }
    }
}

impl Serialize for Value {
    /// Plain JSON where it is unambiguous; `{"date": "2027-01-04"}` and `{"time": 1799000000000}` otherwise.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let tagged = |s: S, tag: &str, value: &dyn erased::Json| {
            let mut map = s.serialize_map(Some(1))?;
            map.serialize_entry(tag, &value.json())?;
            map.end()
        };
        match self {
            Value::Null => s.serialize_unit(),
            Value::Text(text) => s.serialize_str(text),
            Value::Number(n) => s.serialize_f64(*n),
            Value::Bool(b) => s.serialize_bool(*b),
            Value::Date(d) => tagged(s, "date", d),
            Value::Time(t) => tagged(s, "time", t),
        }
    }
}

mod erased {
    /// The two tagged values as JSON, so that one closure serves both.
    pub trait Json {
        fn json(&self) -> serde_json::Value;
    }
    impl Json for jiff::civil::Date {
        fn json(&self) -> serde_json::Value {
            self.to_string().into()
        }
    }
    impl Json for super::Timestamp {
        fn json(&self) -> serde_json::Value {
            self.as_millis().into()
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let json = serde_json::Value::deserialize(d)?;
        match json {
            serde_json::Value::Null => Ok(Value::Null),
            serde_json::Value::String(text) => Ok(Value::text(text)),
            serde_json::Value::Bool(b) => Ok(Value::Bool(b)),
            serde_json::Value::Number(n) => Ok(Value::Number(n.as_f64().unwrap_or_default())),
            serde_json::Value::Object(map) => match (map.get("date"), map.get("time")) {
                (Some(date), _) => {
                    let text = date.as_str().ok_or_else(|| D::Error::custom("a date is text"))?;
                    text.parse().map(Value::Date).map_err(D::Error::custom)
                }
                (_, Some(time)) => time
                    .as_i64()
                    .map(|ms| Value::Time(Timestamp::from_millis(ms)))
                    .ok_or_else(|| D::Error::custom("a time is milliseconds")),
                _ => Err(D::Error::custom("neither a date nor a time")),
            },
            serde_json::Value::Array(_) => Err(D::Error::custom("a list is no field value")),
        }
    }
}
