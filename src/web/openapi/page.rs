//! `/api`: the document as people read it.

use super::super::pages::{Nav, coded, html};
use super::super::routes::Needs;
use super::super::session::Visitor;
use super::operation::{Operation, scope};
use super::{ABOUT, method, operations, routes};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

#[derive(Template)]
#[template(path = "api.html")]
struct Page {
    nav: Nav,
    about: Vec<String>,
    rooms: Vec<Room>,
}

struct Room {
    name: &'static str,
    lines: Vec<Line>,
}

struct Line {
    id: String,
    method: String,
    path: &'static str,
    /// Both as HTML.
    summary: String,
    text: String,
    scope: &'static str,
    parameters: Vec<Parameter>,
    curl: String,
    answer: String,
}

struct Parameter {
    name: String,
    place: &'static str,
    kind: String,
    /// As HTML.
    text: String,
    is_required: bool,
}

pub async fn show(visitor: Visitor) -> HttpResponse {
    html(
        StatusCode::OK,
        &Page { nav: Nav::at("/api", &visitor), about: ABOUT.split("\n\n").map(coded).collect(), rooms: rooms() },
    )
}

fn rooms() -> Vec<Room> {
    let mut rooms: Vec<Room> = Vec::new();
    for operation in operations() {
        let Some(line) = line(operation) else { continue };
        match rooms.last_mut().filter(|room| room.name == operation.tag) {
            Some(room) => room.lines.push(line),
            None => rooms.push(Room { name: operation.tag, lines: vec![line] }),
        }
    }
    rooms
}

fn line(operation: &Operation) -> Option<Line> {
    let entry = routes::all().find(|entry| operation.is(entry))?;
    let scope = match entry.needs {
        Needs::Permission(permission) => scope(permission),
        Needs::Nothing | Needs::ToBeNear => "none",
    };
    Some(Line {
        id: operation.id(),
        method: method(operation.verb),
        path: operation.path,
        summary: coded(operation.summary),
        text: coded(operation.text),
        scope,
        parameters: operation.told(),
        curl: curl(operation),
        answer: operation.example().unwrap_or_default(),
    })
}

/// A command that can be copied, with the names of what it needs in capitals.
fn curl(operation: &Operation) -> String {
    let path: Vec<String> = operation
        .path
        .split('/')
        .map(|part| {
            part.strip_prefix('{').map_or_else(|| part.to_owned(), |name| name.trim_end_matches('}').to_uppercase())
        })
        .collect();
    let method = method(operation.verb);
    let verb = match (method.as_str(), operation.file()) {
        ("GET", None) => String::new(),
        // Under its name in the address: what is no text does not belong on a terminal.
        ("GET", Some(_)) => " -O".to_owned(),
        _ => format!(" -X {method}"),
    };
    let body = operation.sent().map(|sent| format!(" \\\n  -H 'Content-Type: application/json' -d '{sent}'"));
    let needed = operation.query.iter().filter(|parameter| parameter.is_required);
    let needed: Vec<String> = needed.map(|p| format!("{}={}", p.name, p.name.to_uppercase())).collect();
    let query = if needed.is_empty() { String::new() } else { format!("?{}", needed.join("&")) };
    format!(
        "curl{verb} -H \"Authorization: Bearer $TOKEN\" \\\n  \"$LEADPACT{}{query}\"{}",
        path.join("/"),
        body.unwrap_or_default()
    )
}

impl Operation {
    /// All that can be said in a request, for the table.
    fn told(&self) -> Vec<Parameter> {
        let path = self.parts().map(|name| Parameter {
            name: name.to_owned(),
            place: "path",
            kind: "text".to_owned(),
            text: coded(super::operation::part(name)),
            is_required: true,
        });
        let query = self.query.iter().map(|parameter| Parameter {
            name: parameter.name.to_owned(),
            place: "query",
            kind: parameter.schema.in_words(),
            text: coded(parameter.text),
            is_required: parameter.is_required,
        });
        let body = self.body.as_ref().map(|schema| schema.fields()).unwrap_or_default();
        let body = body.into_iter().map(|(name, schema, is_required)| Parameter {
            name,
            place: "body",
            kind: schema.in_words(),
            text: coded(schema.as_json()["description"].as_str().unwrap_or_default()),
            is_required,
        });
        path.chain(query).chain(body).collect()
    }

    /// A body with all that must be in it.
    fn sent(&self) -> Option<String> {
        let fields = self.body.as_ref()?.fields().into_iter().filter(|(.., is_required)| *is_required);
        let fields: serde_json::Map<_, _> = fields.map(|(name, schema, _)| (name, schema.example())).collect();
        Some(serde_json::Value::Object(fields).to_string())
    }
}
