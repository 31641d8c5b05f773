//! The shape of what is sent and answered, as JSON Schema (2020-12), put together from few parts. What
//! each address takes and answers is said in the files beside this one.

use serde_json::{Map, Value as Json, json};

/// Texts that somebody sends are no longer than this, unless said otherwise.
pub const LONGEST: u32 = 1000;
/// Texts after the `?` are names and ids. All that an operation takes there fits into an address, of
/// which the server's parser takes 64 KiB, though each character be written as twelve.
pub const LONGEST_SOUGHT: u32 = 200;
/// A place in a list as a word: the longest that `cursor` reads.
const LONGEST_PLACE: u32 = 5462;

/// No text of ours holds that character, and PostgreSQL takes none that does.
const ANY_TEXT: &str = "^[^\\u0000]*$";

/// A shape.
#[derive(Clone, Debug)]
pub struct Schema(Json);

/// A field of an object.
pub struct Field {
    name: &'static str,
    schema: Schema,
    required: bool,
}

/// A field that is always there.
pub fn must(name: &'static str, schema: Schema) -> Field {
    Field { name, schema, required: true }
}

/// A field that may be left out.
pub fn may(name: &'static str, schema: Schema) -> Field {
    Field { name, schema, required: false }
}

pub fn text() -> Schema {
    Schema(json!({ "type": "string" }))
}

/// A text that somebody sends.
pub fn written() -> Schema {
    written_up_to(LONGEST)
}

/// A text that somebody sends, of so many characters at most.
pub fn written_up_to(longest: u32) -> Schema {
    like(ANY_TEXT, longest)
}

/// A text that is looked for, after the `?`.
pub fn sought() -> Schema {
    written_up_to(LONGEST_SOUGHT)
}

/// A text that somebody sends, of this grammar; whoever reads it refuses what is not.
pub fn like(pattern: &str, longest: u32) -> Schema {
    Schema(json!({ "type": "string", "pattern": pattern, "maxLength": longest }))
}

/// Where a list goes on, as an answer said it.
pub fn place() -> Schema {
    like("^[A-Za-z0-9_-]*$", LONGEST_PLACE)
}

/// A day after the `?`; empty for none.
pub fn some_day() -> Schema {
    // Only the 29th of February is left to whoever knows the year.
    const DAY: &str = "(0[1-9]|[12][0-9])|(0[13-9]|1[0-2])-30|(0[13578]|1[02])-31";
    like(&format!("^([0-9]{{4}}-((0[1-9]|1[0-2])-{DAY}))?$"), 10)
}

/// One of these words.
pub fn word(words: &[&str]) -> Schema {
    Schema(json!({ "type": "string", "enum": words }))
}

/// A moment, RFC 3339; answers are in UTC with milliseconds.
pub fn time() -> Schema {
    Schema(json!({ "type": "string", "format": "date-time", "examples": ["2027-01-05T14:00:00.000Z"] }))
}

pub fn day() -> Schema {
    Schema(json!({ "type": "string", "format": "date", "examples": ["2027-01-05"] }))
}

pub fn integer() -> Schema {
    Schema(json!({ "type": "integer" }))
}

/// A number of things.
pub fn count() -> Schema {
    Schema(json!({ "type": "integer", "minimum": 0 }))
}

pub fn between(least: i64, most: i64) -> Schema {
    Schema(json!({ "type": "integer", "minimum": least, "maximum": most }))
}

pub fn number() -> Schema {
    Schema(json!({ "type": "number" }))
}

pub fn flag() -> Schema {
    Schema(json!({ "type": "boolean" }))
}

/// Anything that JSON can hold.
pub fn anything() -> Schema {
    Schema(json!({}))
}

pub fn list(of: Schema) -> Schema {
    Schema(json!({ "type": "array", "items": of.0 }))
}

/// An object whose fields' names are not known here.
pub fn map(of: Schema) -> Schema {
    Schema(json!({ "type": "object", "additionalProperties": of.0 }))
}

/// An object. Further fields may be added to answers in later versions.
pub fn object(fields: impl IntoIterator<Item = Field>) -> Schema {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for Field { name, schema, required: is_required } in fields {
        properties.insert(name.to_owned(), schema.0);
        required.extend(is_required.then_some(name));
    }
    Schema(json!({ "type": "object", "properties": properties, "required": required }))
}

/// One of these shapes.
pub fn one_of(shapes: impl IntoIterator<Item = Schema>) -> Schema {
    Schema(json!({ "anyOf": shapes.into_iter().map(|shape| shape.0).collect::<Vec<_>>() }))
}

/// A shape of the document's own list, by its name.
pub fn named(name: &str) -> Schema {
    Schema(json!({ "$ref": format!("#/components/schemas/{name}") }))
}

impl Schema {
    /// The same, or null.
    #[must_use]
    pub fn or_null(mut self) -> Self {
        match (self.0.get("type").cloned(), self.0.get_mut("enum")) {
            (Some(Json::String(kind)), words) => {
                if let Some(Json::Array(words)) = words {
                    words.push(Json::Null);
                }
                self.0["type"] = json!([kind, "null"]);
                self
            }
            _ => Schema(json!({ "anyOf": [self.0, { "type": "null" }] })),
        }
    }

    /// The same without further fields in any of its objects: what is sent is what is known.
    #[must_use]
    pub(super) fn closed(mut self) -> Self {
        close(&mut self.0);
        self
    }

    /// What it is, for people.
    #[must_use]
    pub fn says(mut self, description: &str) -> Self {
        if let Some(shape) = self.0.as_object_mut() {
            shape.insert("description".to_owned(), Json::from(description));
        }
        self
    }

    /// What is meant where nothing is said.
    #[must_use]
    pub fn usually(mut self, value: impl Into<Json>) -> Self {
        if let Some(shape) = self.0.as_object_mut() {
            shape.insert("default".to_owned(), value.into());
        }
        self
    }

    /// A shape as it is written.
    pub(super) fn of(shape: &Json) -> Self {
        Schema(shape.clone())
    }

    pub fn as_json(&self) -> &Json {
        &self.0
    }

    /// What is wrong with a parameter's text, said after its name; `None` where it fits.
    pub fn refuses(&self, text: &str) -> Option<String> {
        let number = |key: &str| self.0.get(key).and_then(Json::as_i64);
        if text.contains('\0') {
            return Some("holds a character that no text has".to_owned());
        }
        let kind = match self.0.get("type") {
            Some(Json::Array(kinds)) => kinds.first().and_then(Json::as_str),
            kind => kind.and_then(Json::as_str),
        };
        match kind {
            Some("integer") => match (text.parse::<i64>(), number("minimum"), number("maximum")) {
                (Err(_), ..) => Some("is a whole number".to_owned()),
                (Ok(n), Some(least), _) if n < least => Some(format!("is at least {least}")),
                (Ok(n), _, Some(most)) if n > most => Some(format!("is at most {most}")),
                _ => None,
            },
            Some("boolean") if !["true", "false"].contains(&text) => Some("is true or false".to_owned()),
            Some("string") => self.refuses_text(text),
            _ => None,
        }
    }

    fn refuses_text(&self, text: &str) -> Option<String> {
        if let Some(words) = self.0.get("enum").and_then(Json::as_array) {
            let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
            return (!words.contains(&text)).then(|| format!("is one of {}", words.join(", ")));
        }
        let most = self.0.get("maxLength").and_then(Json::as_u64);
        let too_long = most.is_some_and(|most| text.chars().count() as u64 > most);
        too_long.then(|| format!("has at most {} characters", most.unwrap_or_default()))
    }
}

fn close(shape: &mut Json) {
    match shape {
        Json::Object(parts) => {
            if parts.get("properties").is_some_and(Json::is_object) {
                parts.entry("additionalProperties").or_insert(Json::Bool(false));
            }
            parts.values_mut().for_each(close);
        }
        Json::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// As the page shows it.
impl Schema {
    /// Name, shape and whether it must be there, of each field.
    pub(super) fn fields(&self) -> Vec<(String, Schema, bool)> {
        let required: Vec<&str> =
            self.0["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let fields = self.0["properties"].as_object().into_iter().flatten();
        fields.map(|(name, shape)| (name.clone(), Schema(shape.clone()), required.contains(&name.as_str()))).collect()
    }

    fn kind(&self) -> &str {
        match &self.0["type"] {
            Json::Array(kinds) => kinds.first().and_then(Json::as_str).unwrap_or_default(),
            kind => kind.as_str().unwrap_or_default(),
        }
    }

    /// What it is, in few words.
    pub(super) fn in_words(&self) -> String {
        let limits = (self.0["minimum"].as_i64(), self.0["maximum"].as_i64());
        if let Some(words) = self.0["enum"].as_array() {
            return words.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ");
        }
        match (self.kind(), self.0["format"].as_str(), limits) {
            ("string", Some("date-time"), _) => "moment".to_owned(),
            ("string", Some("date"), _) => "day".to_owned(),
            ("string", ..) => "text".to_owned(),
            ("boolean", ..) => "true or false".to_owned(),
            ("integer", _, (Some(least), Some(most))) => format!("{least} to {most}"),
            ("integer", ..) => "whole number".to_owned(),
            ("number", ..) => "number".to_owned(),
            ("array", ..) => "list".to_owned(),
            ("object", ..) => "object".to_owned(),
            _ => self.0["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or("anything").to_owned(),
        }
    }

    /// A value of this shape, to show what is meant.
    pub(super) fn example(&self) -> Json {
        if let Some(first) = self.0["enum"].as_array().and_then(|words| words.first()) {
            return first.clone();
        }
        match (self.kind(), self.0["format"].as_str()) {
            ("string", Some("date-time")) => json!("2027-01-05T14:00:00Z"),
            ("string", Some("date")) => json!("2027-01-05"),
            ("string", _) => json!("…"),
            ("boolean", _) => json!(true),
            ("integer" | "number", _) => json!(self.0["minimum"].as_i64().unwrap_or(1)),
            ("array", _) => json!([Schema(self.0["items"].clone()).example()]),
            ("object", _) => {
                let fields = self.fields().into_iter().map(|(name, shape, _)| (name, shape.example()));
                Json::Object(fields.collect())
            }
            _ => Json::Null,
        }
    }
}
