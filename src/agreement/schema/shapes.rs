//! The shapes that schemas are made of: tables whose keys are all known, and texts with a pattern.
//! Patterns are those that JSON Schema and JavaScript share.

use serde_json::{Map, Value, json};

/// A table that refuses every key it was not told of.
pub(super) struct Table {
    description: &'static str,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    further: Map<String, Value>,
}

impl Table {
    pub fn new(description: &'static str) -> Self {
        Self { description, properties: Map::new(), required: vec![], further: Map::new() }
    }

    /// A key that may be there.
    pub fn key(mut self, name: &'static str, schema: Value) -> Self {
        self.properties.insert(name.to_owned(), schema);
        self
    }

    /// A key that must be there.
    pub fn need(mut self, name: &'static str, schema: Value) -> Self {
        self.required.push(name);
        self.key(name, schema)
    }

    /// Another keyword of JSON Schema for the whole table.
    pub fn with(mut self, keyword: &str, value: Value) -> Self {
        self.further.insert(keyword.to_owned(), value);
        self
    }

    pub fn into_value(self) -> Value {
        let mut all = self.further;
        all.insert("type".into(), json!("object"));
        all.insert("description".into(), json!(self.description));
        all.insert("properties".into(), Value::Object(self.properties));
        all.insert("required".into(), json!(self.required));
        all.insert("additionalProperties".into(), json!(false));
        Value::Object(all)
    }
}

/// A table whose keys the author chooses, each of this schema.
pub(super) fn entries(of: Value, description: &str) -> Value {
    json!({ "type": "object", "description": description, "additionalProperties": of })
}

/// The same, with what its keys must be.
pub(super) fn entries_named(names: Value, of: Value, description: &str) -> Value {
    json!({ "type": "object", "description": description, "propertyNames": names, "additionalProperties": of })
}

pub(super) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

/// Text that says something.
pub(super) fn line(description: &str) -> Value {
    pattern(r"\S", description)
}

pub(super) fn pattern(pattern: &str, description: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "description": description })
}

/// A condition; whether its fields exist is for `leadpact check`.
pub(super) fn condition(description: &str) -> Value {
    let description = format!(
        "{description} A condition in CEL: comparisons of fields joined by `&&`, `||` and `!`, such as \
         'score >= 60 && email != null'."
    );
    pattern(r"\S", &description)
}

pub(super) fn choice(words: &[&str], description: &str) -> Value {
    json!({ "type": "string", "enum": words, "description": description })
}

pub(super) fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

/// A date without a time; TOML writes it without quotes.
pub(super) fn date(description: &str) -> Value {
    pattern(DATE, description)
}

pub(super) const DATE: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// A whole number from 1.
pub(super) fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX, "description": description })
}

/// From 0 to 1.
pub(super) fn share(description: &str) -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": 1, "description": description })
}

pub(super) fn list(of: Value, at_least: u32, description: &str) -> Value {
    json!({ "type": "array", "items": of, "minItems": at_least, "description": description })
}

/// Every unit of time.
pub(super) const UNITS: [&str; 7] = ["s", "m", "h", "d", "bm", "bh", "bd"];

/// A length of time in one of these units: the whole text.
pub(super) fn span(units: &[&str]) -> String {
    format!(r"^\s*{}\s*$", length("[0-9]+", units))
}

/// The same without zero.
pub(super) fn some_span() -> String {
    format!(r"^\s*{}\s*$", length("0*[1-9][0-9]*", &UNITS))
}

/// A number and a unit, short or in words, in either case.
fn length(number: &str, units: &[&str]) -> String {
    let units: Vec<String> = units.iter().map(|unit| unit_in_either_case(unit)).collect();
    format!(r"{number}\s*({})", units.join("|"))
}

fn unit_in_either_case(unit: &str) -> String {
    let (business, of) = match unit.strip_prefix('b') {
        Some(of) => (true, of),
        None => (false, unit),
    };
    let word = match of {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        _ => "day",
    };
    let business = if business { format!(r"{}\s+", either_case("business")) } else { String::new() };
    format!("{}|{business}{}[sS]?", either_case(unit), either_case(word))
}

fn either_case(word: &str) -> String {
    word.chars().map(|c| format!("[{c}{}]", c.to_ascii_uppercase())).collect()
}

/// Where a step stands: `50%`, `-30bm`, `due`, `+2bh`.
pub(super) fn step_at() -> Value {
    let pattern_text = format!(
        r"^\s*(due|\+?0*(100(\.0*)?|[0-9]{{1,2}}(\.[0-9]*)?|\.[0-9]+)\s*%|[+-]+\s*{})\s*$",
        length("[0-9]+", &UNITS)
    );
    pattern(
        &pattern_text,
        "When: a share of the time (`50%`), before the deadline (`-30bm`), at it (`due`), after it (`+2bh`).",
    )
}

/// `>= 400`, `>= 95%`, `<= 4bh`, `100%`, `yes`.
pub(super) fn target() -> Value {
    let number = r"\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?";
    let pattern_text = format!(r"^\s*(yes|(>=|<=)?\s*{number}\s*%?|(<=)?\s*{})\s*$", length("[0-9]+", &UNITS));
    pattern(&pattern_text, "What must be reached: `>= 400`, `>= 95%`, `<= 4bh`, `100%`, or `yes` for somebody's word.")
}

const SLACK: &str = r"slack:#\S+";
const EMAIL: &str = r"[^\s@<,]+@[^\s@<,]+";

/// `slack:#channel` or `email:name@host`.
pub(super) fn address(description: &str) -> Value {
    pattern(&format!("^({SLACK}|email:{EMAIL})$"), description)
}

pub(super) fn email(description: &str) -> Value {
    pattern(&format!("^{EMAIL}$"), description)
}

/// Whom a step or a resolution names.
pub(super) fn audience() -> Value {
    json!({
        "description": "`owner`, `party`, `manager`, `party:NAME`, `slack:#channel` or `email:name@host`.",
        "anyOf": [
            { "type": "string", "enum": ["owner", "party", "manager"] },
            { "type": "string", "pattern": format!("^(party:.+|{SLACK}|email:{EMAIL})$") },
        ],
    })
}

/// Fields that leadpact sets, with their values.
pub(super) fn values(description: &str) -> Value {
    use crate::agreement::dictionary::{KEPT, RESERVED};
    let kept: Vec<&&str> = KEPT.iter().chain(RESERVED).collect();
    entries_named(json!({ "not": { "enum": kept } }), json!({ "type": ["string", "number", "boolean"] }), description)
}
