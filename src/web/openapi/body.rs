//! Whether a body has the shape that the document says, named field by field. A field that is not known
//! is refused: it may be one that is known, mistyped.

use super::check::{Refusal, wrong};
use super::schema::Schema;
use crate::agreement::problem::did_you_mean;
use actix_web::http::StatusCode;
use serde_json::{Map, Value as Json};

/// What is wrong with a body; `None` where nothing is.
pub fn refused_body(schema: &Schema, body: &[u8]) -> Option<Refusal> {
    let refused = |text: String| Refusal { status: StatusCode::BAD_REQUEST, text, parameter: None };
    match serde_json::from_slice::<Json>(body) {
        Err(error) => Some(refused(format!("the body is no JSON: {error}"))),
        Ok(body) if !body.is_object() => Some(refused("the body is a JSON object".to_owned())),
        Ok(body) => object(schema.as_json(), &body, ""),
    }
}

fn object(shape: &Json, value: &Json, within: &str) -> Option<Refusal> {
    let (Some(known), Some(given)) = (shape["properties"].as_object(), value.as_object()) else { return None };
    let required = shape["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
    if let Some(name) = required.into_iter().find(|name| !given.contains_key(*name)) {
        let name = format!("{within}{name}");
        return Some(wrong(&name, format!("`{name}` is missing")));
    }
    given.iter().find_map(|(name, value)| match known.get(name) {
        None => Some(unknown(name, known, within)),
        Some(shape) => field(shape, value, &format!("{within}{name}")),
    })
}

fn unknown(name: &str, known: &Map<String, Json>, within: &str) -> Refusal {
    const SHOWN: usize = 60;
    let name: String = name.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let help = did_you_mean(&name, &names).unwrap_or_else(|| "none is taken here".to_owned());
    let name = format!("{within}{name}");
    wrong(&name, format!("`{name}` is no field of this body: {help}"))
}

fn field(shape: &Json, value: &Json, name: &str) -> Option<Refusal> {
    let kinds: Vec<&str> = match &shape["type"] {
        Json::String(kind) => vec![kind],
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => return None,
    };
    if value.is_null() && kinds.contains(&"null") {
        return None;
    }
    let (kind, called) = match kinds.first() {
        Some(&"string") => (value.is_string(), "a text"),
        Some(&"boolean") => (value.is_boolean(), "true or false"),
        Some(&"integer") => (value.is_i64(), "a whole number"),
        Some(&"number") => (value.is_number(), "a number"),
        Some(&"array") => (value.is_array(), "a list"),
        Some(&"object") => (value.is_object(), "an object"),
        _ => return None,
    };
    if !kind {
        return Some(wrong(name, format!("`{name}` is {called}")));
    }
    inside(shape, value, name)
}

fn inside(shape: &Json, value: &Json, name: &str) -> Option<Refusal> {
    match value {
        Json::Array(items) => items.iter().enumerate().find_map(|(i, item)| {
            let name = format!("{name}[{i}]");
            field(&shape["items"], item, &name).or_else(|| object(&shape["items"], item, &format!("{name}.")))
        }),
        Json::Object(_) => object(shape, value, &format!("{name}.")),
        Json::String(text) => refused(shape, text, name),
        Json::Number(number) => refused(shape, &number.to_string(), name),
        _ => None,
    }
}

fn refused(shape: &Json, text: &str, name: &str) -> Option<Refusal> {
    Schema::of(shape).refuses(text).map(|why| wrong(name, format!("`{name}` {why}")))
}

#[cfg(test)]
mod tests {
    use super::super::schema::{flag, integer, list, may, must, object, written};
    use super::*;

    #[test]
    fn what_is_wrong_in_a_body_is_named() {
        let record = object([must("id", written())]);
        let shape = object([
            must("until", written()),
            may("why", written().or_null()),
            may("all", flag()),
            may("n", integer()),
            may("only", list(record)),
        ]);
        let check = |body: &str| refused_body(&shape, body.as_bytes()).map(|refusal| refusal.text);
        assert_eq!(check(r#"{"until":"x","why":null,"all":true,"n":1,"only":[{"id":"7"}]}"#), None);
        for (body, says) in [
            ("[]", "the body is a JSON object"),
            ("{}", "`until` is missing"),
            (r#"{"until":1}"#, "`until` is a text"),
            (r#"{"until":null}"#, "`until` is a text"),
            (r#"{"until":"x","al":true}"#, "`al` is no field of this body: did you mean `all`?"),
            (r#"{"until":"x","n":1.5}"#, "`n` is a whole number"),
            (r#"{"until":"x","only":{}}"#, "`only` is a list"),
            (r#"{"until":"x","only":[{}]}"#, "`only[0].id` is missing"),
            (r#"{"until":"x","only":[{"id":7}]}"#, "`only[0].id` is a text"),
            ("{\"until\":\"\\u0000\"}", "`until` holds a character that no text has"),
        ] {
            assert_eq!(check(body).as_deref(), Some(says), "{body}");
        }
        assert!(check("{\"until\":").unwrap().starts_with("the body is no JSON: "));
    }
}
