//! Holds every answer to a program to the API's own document. The house lets it look at each answer of
//! every test, so that none has to ask for it.

use jsonschema::Validator;
use leadpact::web::openapi;
use leadpact::web::programs::Answered;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

/// The document with objects that take no further fields, so that what is not described is found.
static DOCUMENT: LazyLock<Json> = LazyLock::new(|| {
    let mut document = openapi::document();
    close(&mut document["paths"]);
    close(&mut document["components"]);
    document
});

/// By method, address and status.
type Shapes = HashMap<(String, String, u16), Told>;

/// What the document says of an answer.
enum Told {
    Json(Validator),
    /// The media type of what is no JSON.
    Kind(String),
}

impl Told {
    fn of(answer: &Json) -> Self {
        let content = answer["content"].as_object().unwrap_or_else(|| panic!("no content: {answer}"));
        assert_eq!(content.len(), 1, "one kind each: {answer}");
        match content.iter().next().unwrap() {
            (kind, told) if kind == JSON => Told::Json(validator(&told["schema"])),
            (kind, _) => Told::Kind(kind.clone()),
        }
    }
}

const JSON: &str = "application/json";

/// A whole answer but for its address.
#[derive(Clone, Copy, Debug)]
pub struct Got<'a> {
    pub status: u16,
    /// Its `Content-Type`; empty where it has none.
    pub kind: &'a str,
    /// `None`: it came piece by piece.
    pub body: Option<&'a [u8]>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let mut shapes = Shapes::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let key = (method.to_uppercase(), path.clone(), status.parse().unwrap());
                shapes.insert(key, Told::of(answer));
            }
        }
    }
    shapes
});

pub fn document() -> &'static Json {
    &DOCUMENT
}

fn close(shape: &mut Json) {
    match shape {
        Json::Object(fields) => {
            if fields.get("type") == Some(&json!("object")) && fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Json::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn validator(shape: &Json) -> Validator {
    let mut whole: Map<String, Json> = shape.as_object().unwrap().clone();
    whole.insert("components".to_owned(), DOCUMENT["components"].clone());
    jsonschema::options().should_validate_formats(true).build(&Json::Object(whole)).unwrap()
}

/// What an answer says that the document does not, or does not say.
pub fn differs(method: &str, pattern: Option<&str>, got: Got<'_>) -> Option<String> {
    let status = got.status;
    let Some(pattern) = pattern else {
        return (![401, 404].contains(&status)).then(|| format!("{status} where there is no such address"));
    };
    let Some(operation) = openapi::operation(method, pattern) else {
        // A method that the address does not take.
        return (![401, 403, 404, 405].contains(&status)).then(|| format!("{status}, and no such operation"));
    };
    let key = (method.to_owned(), operation.path.to_owned(), status);
    let Some(told) = SHAPES.get(&key) else { return Some(format!("the status {status} is not in the document")) };
    let kind = got.kind.split(';').next().unwrap_or_default();
    match told {
        Told::Kind(known) => {
            let is_empty = got.body.is_some_and(<[u8]>::is_empty);
            (kind != known || is_empty).then(|| format!("{kind:?} in place of {known}, empty: {is_empty}"))
        }
        Told::Json(_) if kind != JSON => Some(format!("{kind:?} in place of JSON")),
        Told::Json(shape) => unlike(shape, got.body),
    }
}

/// What of a body its shape does not describe.
fn unlike(shape: &Validator, body: Option<&[u8]>) -> Option<String> {
    let Some(body) = body else { return Some("piece by piece, so that nobody can hold it to its shape".to_owned()) };
    let body: Json = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return Some(format!("no JSON: {error}")),
    };
    let errors: Vec<String> = shape.iter_errors(&body).map(|e| format!("{} {e}", e.instance_path())).collect();
    (!errors.is_empty()).then(|| format!("{} in {body}", errors.join("; ")))
}

/// What was found in a house.
#[derive(Clone, Default)]
pub struct Differences(Arc<Mutex<Vec<String>>>);

impl Differences {
    pub fn look(&self, answered: &Answered<'_>) {
        let method = answered.method.as_str();
        let kind = answered.headers.get("content-type").map(|kind| kind.to_str().unwrap());
        let got = Got { status: answered.status, kind: kind.unwrap_or_default(), body: answered.body };
        if let Some(what) = differs(method, answered.pattern, got) {
            self.0.lock().unwrap().push(format!("{method} {} answers {what}", answered.path));
        }
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}
