//! Texts and JSON with placeholders, as a description writes them: `{id}`, `{since}`. What stands alone
//! in a JSON value keeps its type; what has no value leaves its entry out. There are no expressions.

use serde_json::{Map, Value as Json};

macro_rules! placeholders {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// What a description may leave to be filled in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Placeholder { $($variant),+ }

        impl Placeholder {
            pub fn as_str(self) -> &'static str {
                match self { $(Placeholder::$variant => $name),+ }
            }
        }
    };
}

placeholders! {
    Id = "id", Ids = "ids", Type = "type", Fields = "fields", Changes = "changes",
    Since = "since", Cursor = "cursor", Offset = "offset", Number = "number", Page = "page",
    Title = "title", Text = "text", Key = "key", Owner = "owner",
    Due = "due", DueDate = "due_date", DueTime = "due_time",
    AccessToken = "access_token", RefreshToken = "refresh_token", ClientId = "client_id", ClientSecret = "client_secret",
    BaseUrl = "base_url",
}

/// The values of one call.
#[derive(Clone, Debug, Default)]
pub struct Given(Vec<(Placeholder, Json)>);

impl Given {
    /// The same with one value more; null is none.
    #[must_use]
    pub fn with(mut self, placeholder: Placeholder, value: impl Into<Json>) -> Self {
        let value = value.into();
        self.0.retain(|(known, _)| *known != placeholder);
        if !value.is_null() {
            self.0.push((placeholder, value));
        }
        self
    }

    fn get(&self, placeholder: Placeholder) -> Option<&Json> {
        self.0.iter().find(|(known, _)| *known == placeholder).map(|(_, value)| value)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Filled(Placeholder),
}

/// A text with placeholders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// Why a text is no template, and the bytes of it that are to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bad {
    /// `{` without a name and `}`, or a `}` by itself.
    Brace(std::ops::Range<usize>),
    /// Not among those that make sense here.
    Unknown(String, std::ops::Range<usize>),
}

impl Template {
    /// Takes a text apart; `{{` and `}}` stand for the braces themselves.
    ///
    /// # Errors
    /// The first [`Bad`] place.
    pub fn parse(text: &str, allowed: &[Placeholder]) -> Result<Self, Bad> {
        let (mut parts, mut literal, mut at) = (Vec::new(), String::new(), 0);
        while let Some(found) = text[at..].find(['{', '}']).map(|i| at + i) {
            literal.push_str(&text[at..found]);
            let rest = &text[found..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push_str(&rest[..1]);
                at = found + 2;
                continue;
            }
            let end = rest.find('}').filter(|end| rest.starts_with('{') && *end > 1);
            let end = found + end.ok_or(Bad::Brace(found..found + 1))?;
            let name = &text[found + 1..end];
            let known = allowed.iter().find(|p| p.as_str() == name);
            let placeholder = *known.ok_or_else(|| Bad::Unknown(name.to_owned(), found..end + 1))?;
            parts.extend((!literal.is_empty()).then(|| Part::Literal(std::mem::take(&mut literal))));
            parts.push(Part::Filled(placeholder));
            at = end + 1;
        }
        literal.push_str(&text[at..]);
        parts.extend((!literal.is_empty()).then_some(Part::Literal(literal)));
        Ok(Self(parts))
    }

    /// One placeholder by itself.
    pub fn of(placeholder: Placeholder) -> Self {
        Self(vec![Part::Filled(placeholder)])
    }

    pub fn uses(&self, placeholder: Placeholder) -> bool {
        self.0.contains(&Part::Filled(placeholder))
    }

    /// The text; `None` where a value is missing. Each value passes through `encode`, and so does
    /// what stands between.
    pub fn fill(&self, given: &Given, encode: impl Fn(&str, bool) -> String) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => filled.push_str(&encode(text, false)),
                Part::Filled(placeholder) => filled.push_str(&encode(&as_text(given.get(*placeholder)?), true)),
            }
        }
        Some(filled)
    }

    /// The text as it is.
    pub fn plain(&self, given: &Given) -> Option<String> {
        self.fill(given, |text, _| text.to_owned())
    }

    /// One placeholder and nothing else.
    fn alone(&self) -> Option<Placeholder> {
        match self.0.as_slice() {
            [Part::Filled(placeholder)] => Some(*placeholder),
            _ => None,
        }
    }
}

/// A value inside a text: lists are joined with commas.
fn as_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(list) => list.iter().map(as_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// JSON with placeholders in its texts and keys.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonTemplate {
    Text(Template),
    List(Vec<JsonTemplate>),
    Table(Vec<(Template, JsonTemplate)>),
    Plain(Json),
}

impl JsonTemplate {
    /// The JSON; `None` where a value is missing. Entries and items without a value are left out.
    pub fn fill(&self, given: &Given) -> Option<Json> {
        match self {
            JsonTemplate::Text(text) => match text.alone() {
                Some(placeholder) => given.get(placeholder).cloned(),
                None => text.plain(given).map(Json::String),
            },
            JsonTemplate::List(list) => Some(list.iter().filter_map(|item| item.fill(given)).collect()),
            JsonTemplate::Table(entries) => {
                let one = |(key, value): &(Template, JsonTemplate)| Some((key.plain(given)?, value.fill(given)?));
                Some(Json::Object(entries.iter().filter_map(one).collect::<Map<_, _>>()))
            }
            JsonTemplate::Plain(json) => Some(json.clone()),
        }
    }

    /// As a value of a query: a list or table is written as JSON, and `{ json = … }` whatever it holds.
    pub fn query(&self, given: &Given) -> Option<String> {
        match self {
            JsonTemplate::Text(text) => text.plain(given),
            JsonTemplate::Plain(json) => Some(as_text(json)),
            JsonTemplate::Table(entries) => match entries.as_slice() {
                [(key, value)] if key.plain(given).as_deref() == Some("json") => Some(value.fill(given)?.to_string()),
                _ => Some(self.fill(given)?.to_string()),
            },
            JsonTemplate::List(_) => Some(self.fill(given)?.to_string()),
        }
    }

    pub fn uses(&self, placeholder: Placeholder) -> bool {
        match self {
            JsonTemplate::Text(text) => text.uses(placeholder),
            JsonTemplate::List(list) => list.iter().any(|item| item.uses(placeholder)),
            JsonTemplate::Table(entries) => entries.iter().any(|(k, v)| k.uses(placeholder) || v.uses(placeholder)),
            JsonTemplate::Plain(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ALL: &[Placeholder] = &[Placeholder::Id, Placeholder::Ids, Placeholder::Owner, Placeholder::Type];

    fn template(text: &str) -> Template {
        Template::parse(text, ALL).unwrap()
    }

    #[test]
    fn placeholders_are_filled_in_and_doubled_braces_are_braces() {
        let given = Given::default().with(Placeholder::Id, 7).with(Placeholder::Ids, json!(["a", 2]));
        assert_eq!(template("x{id}y{ids}").plain(&given).as_deref(), Some("x7ya,2"));
        assert_eq!(template("{{id}}").plain(&given).as_deref(), Some("{id}"));
        assert_eq!(template("{owner}").plain(&given), None);
    }

    #[test]
    fn what_is_no_placeholder_is_refused_with_its_place() {
        assert_eq!(Template::parse("a{idd}", ALL), Err(Bad::Unknown("idd".to_owned(), 1..6)));
        for (text, place) in [("a{id", 1..2), ("a}", 1..2), ("{}", 0..1)] {
            assert_eq!(Template::parse(text, ALL), Err(Bad::Brace(place)), "{text}");
        }
    }

    #[test]
    fn a_value_alone_keeps_its_type_and_a_missing_one_leaves_its_entry_out() {
        let text = |t: &str| JsonTemplate::Text(template(t));
        let body = JsonTemplate::Table(vec![
            (template("{type}_id"), text("{id}")),
            (template("named"), text("n{id}")),
            (template("owner"), text("{owner}")),
            (template("list"), JsonTemplate::List(vec![text("{ids}"), text("{owner}")])),
        ]);
        let given = Given::default()
            .with(Placeholder::Id, 7)
            .with(Placeholder::Ids, json!(["a"]))
            .with(Placeholder::Type, "deal")
            .with(Placeholder::Owner, Json::Null);
        assert_eq!(body.fill(&given), Some(json!({"deal_id": 7, "named": "n7", "list": [["a"]]})));
    }

    #[test]
    fn lists_in_a_query_are_json_and_a_list_behind_json_too() {
        let given = Given::default().with(Placeholder::Ids, json!(["a\"b", "c"]));
        let ids = || JsonTemplate::Text(template("{ids}"));
        let list = JsonTemplate::List(vec![JsonTemplate::Plain(json!("in")), ids()]);
        assert_eq!(list.query(&given).as_deref(), Some(r#"["in",["a\"b","c"]]"#));
        let json = JsonTemplate::Table(vec![(template("json"), ids())]);
        assert_eq!(json.query(&given).as_deref(), Some(r#"["a\"b","c"]"#));
        assert_eq!(ids().query(&given).as_deref(), Some("a\"b,c"));
    }
}
