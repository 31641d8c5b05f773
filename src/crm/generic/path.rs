//! Where something stands in JSON: `meta.entity_id`, `data.0.id`. Only where, never what it means.

use serde_json::{Map, Value as Json};

/// The longest id that is believed to be one.
const LONGEST_ID: usize = 200;

/// Keys with dots between them; a whole number is a place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// `None`: a part between the dots is empty.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        parts.iter().all(|part| !part.trim().is_empty()).then_some(Self(parts))
    }

    /// As [`Path::parse`]; a text that is no path is one key.
    pub fn or_key(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|| Self(vec![text.to_owned()]))
    }

    /// The value there, null included; `None` where nothing is.
    pub fn find<'a>(&self, json: &'a Json) -> Option<&'a Json> {
        self.0.iter().try_fold(json, |at, part| match at {
            Json::Object(map) => map.get(part),
            Json::Array(list) => list.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Text or number there, as text that is not empty.
    pub fn text(&self, json: &Json) -> Option<String> {
        scalar(self.find(json)?).filter(|text| !text.is_empty())
    }

    /// `true`, `1`, `"true"`, `"yes"` and `"1"`.
    pub fn is_set(&self, json: &Json) -> bool {
        self.text(json).is_some_and(|text| ["true", "yes", "1"].contains(&text.to_ascii_lowercase().as_str()))
    }

    /// The id of a record there: text, or a whole number.
    pub fn id(&self, json: &Json) -> Option<String> {
        id(self.find(json)?)
    }

    /// The key at the top.
    pub fn first(&self) -> &str {
        &self.0[0]
    }

    /// Puts a value there, with tables around it where they are missing.
    pub fn put(&self, table: &mut Map<String, Json>, value: Json) {
        let (last, outer) = self.0.split_last().expect("a path has a part");
        let mut at = table;
        for part in outer {
            let inner = at.entry(part.clone()).or_insert_with(|| Json::Object(Map::new()));
            if !inner.is_object() {
                *inner = Json::Object(Map::new());
            }
            at = inner.as_object_mut().expect("it was made one");
        }
        at.insert(last.clone(), value);
    }
}

/// What stands at the path; all of it without one.
pub fn find<'a>(path: Option<&Path>, json: &'a Json) -> Option<&'a Json> {
    match path {
        Some(path) => path.find(json),
        None => Some(json),
    }
}

/// Text, numbers, and true and false as text; `None` for null, lists and tables.
pub fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Text that is not empty, or a whole number.
fn id(json: &Json) -> Option<String> {
    let text = match json {
        Json::String(text) => text.clone(),
        Json::Number(number) if !number.is_f64() => number.to_string(),
        _ => return None,
    };
    let fits = !text.trim().is_empty() && text.len() <= LONGEST_ID && !text.chars().any(char::is_control);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn a_path_goes_through_tables_and_lists_and_ends_quietly() {
        let json = json!({"a": {"b": [{"c": 7}]}, "n": null});
        assert_eq!(path("a.b.0.c").text(&json).as_deref(), Some("7"));
        assert_eq!(path("n").find(&json), Some(&Json::Null));
        for nowhere in ["a.b.1.c", "a.b.c", "a.b.0.c.d", "x"] {
            assert_eq!(path(nowhere).find(&json), None, "{nowhere}");
        }
        assert_eq!(Path::parse("a..b"), None);
        assert_eq!(Path::parse(""), None);
    }

    #[test]
    fn an_id_is_text_or_a_whole_number_of_reasonable_length() {
        let of = |json: Json| path("id").id(&json!({ "id": json }));
        assert_eq!(of(json!("../x")).as_deref(), Some("../x"));
        assert_eq!(of(json!(874716779721u64)).as_deref(), Some("874716779721"));
        for bad in [json!(1.5), json!(""), json!(" "), json!(null), json!(["1"]), json!({"a": 1}), json!(true)] {
            assert_eq!(of(bad.clone()), None, "{bad}");
        }
        assert_eq!(of(json!("x".repeat(201))), None);
        assert_eq!(of(json!("a\nb")), None);
    }

    #[test]
    fn a_value_is_put_where_its_path_says() {
        let mut table = Map::new();
        path("custom.a").put(&mut table, json!(1));
        path("custom.b").put(&mut table, json!(2));
        path("plain").put(&mut table, json!("x"));
        assert_eq!(Json::Object(table), json!({"custom": {"a": 1, "b": 2}, "plain": "x"}));
    }
}
