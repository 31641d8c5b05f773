//! Requests made from the API's document: such as it describes, and such as nobody should send.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reqwest::RequestBuilder;
use serde_json::{Map, Value as Json, json};
use std::fmt;

/// A request but for its method and its sender.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    body: Option<(Vec<u8>, &'static str)>,
    /// The document does not allow it.
    pub is_broken: bool,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: String = self.path.chars().take(300).collect();
        let body = self.body.as_ref().map(|(body, kind)| (String::from_utf8_lossy(body).into_owned(), kind));
        let body = body.map(|(body, kind)| format!(" {} as {kind}", body.chars().take(300).collect::<String>()));
        write!(f, "{path}{}", body.unwrap_or_default())
    }
}

impl Asked {
    pub fn on(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.body {
            None => request,
            Some((body, kind)) => request.header("content-type", *kind).body(body.clone()),
        }
    }
}

/// The part of a path that names something which is there, as far as that is known.
fn known(part: &str) -> &'static str {
    match part {
        "connection" | "name" => "acme-hubspot",
        "object" => "lead",
        "id" => "7001",
        "owner" => "7020",
        _ => "x",
    }
}

/// What is between the braces of a path.
fn parts(path: &str) -> impl Iterator<Item = Option<&str>> {
    path.split('/').map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// A request with nothing but what must be in it.
pub fn good(path: &str, operation: &Json) -> Asked {
    let filled = path.split('/').zip(parts(path)).map(|(word, part)| match part {
        None => word,
        Some(part) => known(part),
    });
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = schema.is_object().then(|| {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let fields = required.iter().map(|name| {
            let name = name.as_str().unwrap();
            (name.to_owned(), example(&schema["properties"][name]))
        });
        (serde_json::to_vec(&Json::Object(fields.collect())).unwrap(), "application/json")
    });
    Asked { path: filled.collect::<Vec<_>>().join("/"), body, is_broken: false }
}

fn example(shape: &Json) -> Json {
    if let Some(first) = shape["enum"].as_array().and_then(|words| words.first()) {
        return first.clone();
    }
    match kind(shape) {
        "integer" | "number" => json!(shape["minimum"].as_i64().unwrap_or(1)),
        "boolean" => json!(true),
        "array" => json!([example(&shape["items"])]),
        "object" => {
            let fields = shape["properties"].as_object().into_iter().flatten();
            Json::Object(fields.map(|(name, shape)| (name.clone(), example(shape))).collect())
        }
        _ if shape["format"] == "date-time" => json!("2999-01-01T00:00:00Z"),
        _ if shape["format"] == "date" => json!("2999-01-01"),
        _ => json!("x"),
    }
}

fn kind(shape: &Json) -> &str {
    let first = shape["type"].as_array().and_then(|kinds| kinds.first()).unwrap_or(&shape["type"]);
    first.as_str().unwrap_or_default()
}

fn draw<S: Strategy>(runner: &mut TestRunner, strategy: S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// A text that somebody might send who means no good, or whose program is wrong.
fn odd_text() -> impl Strategy<Value = String> {
    let favourites = [
        "",
        " ",
        "\0",
        "a\0b",
        "0",
        "-1",
        "1e9",
        "99999999999999999999999",
        "-9223372036854775809",
        "NaN",
        "null",
        "true",
        "undefined",
        "[]",
        "{}",
        "%",
        "%00",
        "%zz",
        "'; DROP TABLE standing; --",
        "\" OR \"\"=\"",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "../../etc/passwd",
        "\u{202e}txt",
        "é",
        "e\u{301}",
        "\u{1f600}",
        "\u{feff}",
        "\r\nX-Evil: 1",
        "\u{7f}",
        "2027-02-30",
        "2027-01-05T25:00:00Z",
        "-262144-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "0000-00-00",
        "eyJhIjoxfQ",
        "bnVsbA",
        "W10",
        "WzEsMl0",
        "lead",
        "opportunity",
        "acme-hubspot",
        "acme-other",
        "7001",
        "week",
        "2027-W53",
    ];
    prop_oneof![
        4 => proptest::sample::select(favourites.map(str::to_owned).to_vec()),
        2 => vec(any::<char>(), 0..30).prop_map(|chars| chars.into_iter().collect::<String>()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => (1000_usize..2000).prop_map(|n| "ä".repeat(n)),
    ]
}

fn odd_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        Just(json!(u64::MAX)),
        odd_text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            vec((odd_text(), inner), 0..4).prop_map(|fields| Json::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Everything but letters and digits as `%XX`; dots too, and no whole part of them, which clients resolve.
fn encoded(text: &str) -> String {
    let text = if text.chars().all(|c| c == '.') { "dots" } else { text };
    let byte = |b: u8| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(byte).collect()
}

/// A request to an operation: each part of it as the document says, or odd.
pub fn request(runner: &mut TestRunner, path: &str, operation: &Json) -> Asked {
    let words: Vec<String> = path
        .split('/')
        .zip(parts(path))
        .map(|(word, part)| match part {
            None => word.to_owned(),
            Some(part) if draw(runner, proptest::bool::weighted(0.7)) => known(part).to_owned(),
            Some(_) => encoded(&draw(runner, odd_text())),
        })
        .collect();
    let (query, broken_query) = query(runner, operation);
    let (body, broken_body) = body(runner, &operation["requestBody"]["content"]["application/json"]["schema"]);
    let path = words.join("/") + &query;
    Asked { path, body, is_broken: broken_query || broken_body }
}

fn query(runner: &mut TestRunner, operation: &Json) -> (String, bool) {
    let (mut pairs, mut is_broken) = (Vec::new(), false);
    for parameter in operation["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "query") {
        let (name, shape) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
        match draw(runner, 0..10) {
            0..=4 => {}
            5..=6 if name != "after" => pairs.push((name.to_owned(), plain(&example(shape)))),
            _ => pairs.push((name.to_owned(), draw(runner, odd_text()))),
        }
    }
    match draw(runner, 0..20) {
        0 => {
            pairs.push((format!("no{}", draw(runner, odd_text())), "1".to_owned()));
            is_broken = true;
        }
        1 if !pairs.is_empty() => {
            pairs.push(pairs[0].clone());
            is_broken = true;
        }
        _ => {}
    }
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
    (query.replace("dots=", "x="), is_broken)
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

type Body = Option<(Vec<u8>, &'static str)>;

fn body(runner: &mut TestRunner, schema: &Json) -> (Body, bool) {
    const KIND: &str = "application/json";
    if !schema.is_object() {
        return (None, false);
    }
    let whole = fields(runner, schema);
    let bytes = serde_json::to_vec(&whole).unwrap();
    match draw(runner, 0..12) {
        0 => (None, schema["required"].as_array().is_some_and(|r| !r.is_empty())),
        1 => (Some((bytes, "application/x-www-form-urlencoded")), true),
        2 => (Some((bytes[..bytes.len() - 1].to_vec(), KIND)), true),
        3 => (Some((vec![0xff, 0xfe, 0, b'{'], KIND)), true),
        4 => (Some((b"[".repeat(20_000), KIND)), true),
        5 => {
            let odd = draw(runner, odd_json());
            let is_broken = !odd.is_object();
            (Some((serde_json::to_vec(&odd).unwrap(), KIND)), is_broken)
        }
        6 => {
            let mut whole = whole;
            whole["no such field"] = draw(runner, odd_json());
            (Some((serde_json::to_vec(&whole).unwrap(), KIND)), true)
        }
        _ => (Some((bytes, KIND)), false),
    }
}

fn fields(runner: &mut TestRunner, schema: &Json) -> Json {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut whole = Map::new();
    for (name, shape) in schema["properties"].as_object().into_iter().flatten() {
        let is_there = required.contains(&name.as_str()) || draw(runner, any::<bool>());
        let value = match draw(runner, 0..10) {
            0 => draw(runner, odd_json()),
            1..=3 if kind(shape) == "string" => Json::from(draw(runner, odd_text())),
            _ => example(shape),
        };
        if is_there {
            whole.insert(name.clone(), value);
        }
    }
    Json::Object(whole)
}
