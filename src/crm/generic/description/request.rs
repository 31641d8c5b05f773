//! Reading requests from a description: method and path, query, body, paging; and the templates in
//! them, with the placeholders that make sense there.

use super::super::path::Path;
use super::super::template::{Bad, JsonTemplate, Placeholder, Template};
use super::{Listing, Paging, Request};
use crate::agreement::document::{Reader, Sink, Word, kind};
use crate::agreement::problem::did_you_mean;
use reqwest::Method;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::DeValue;

const METHODS: [&str; 4] = ["get", "post", "put", "patch"];

/// The request of a table: exactly one method with its path, a query, a body.
pub(super) fn request(
    reader: &mut Reader<'_>,
    sink: &Sink<'_>,
    methods: &[&'static str],
    allowed: &[Placeholder],
) -> Option<Request> {
    let given: Vec<&'static str> = METHODS.into_iter().filter(|m| methods.contains(m) && reader.has(m)).collect();
    let query = reader.table("query").map_or(Some(Vec::new()), |query| entries(&query, sink, allowed));
    let takes_body = methods.iter().any(|method| *method != "get") && reader.has("body");
    let body = raw(reader, "body").filter(|_| takes_body).map(|value| json(sink, value, allowed));
    let [method] = given.as_slice() else {
        let help = format!("for example {} = \"/path\"", methods[0]);
        sink.error_with(reader.span(), format!("a request has exactly one of {}", listed(methods)), help);
        return None;
    };
    let path = reader.text(method).and_then(|word| path_template(sink, &word, allowed))?;
    let method = match *method {
        "get" => Method::GET,
        "post" => Method::POST,
        "put" => Method::PUT,
        _ => Method::PATCH,
    };
    let body = match body {
        Some(body) => Some(body?),
        None => None,
    };
    Some(Request { method, path, query: query?, body })
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A request that answers in pages, with where its items stand.
pub(super) fn listing(reader: &mut Reader<'_>, sink: &Sink<'_>, allowed: &[Placeholder]) -> Option<Listing> {
    let mut with_paging = allowed.to_vec();
    with_paging.extend([Placeholder::Cursor, Placeholder::Offset, Placeholder::Number, Placeholder::Page]);
    let request = request(reader, sink, &["get", "post"], &with_paging);
    let items = path(reader, sink, "items");
    let paging = paging(reader, sink);
    let request = request?;
    check_paging(reader, sink, &request, &paging);
    Some(Listing { request, items, paging })
}

fn paging(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Paging {
    let cursor = path(reader, sink, "next").map(Paging::Cursor);
    let link = path(reader, sink, "next_link").map(Paging::Link);
    let header = reader.flag("link_header").filter(|flag| flag.value).map(|_| Paging::LinkHeader);
    let offset = reader.count("page").map(|page| Paging::Offset(page.value));
    let mut ways = [cursor, link, header, offset].into_iter().flatten();
    let way = ways.next().unwrap_or(Paging::Single);
    if ways.next().is_some() {
        sink.error(reader.span(), "only one of `next`, `next_link`, `link_header` and `page` says how the pages go on");
    }
    way
}

/// Pages that would all be the first one.
fn check_paging(reader: &Reader<'_>, sink: &Sink<'_>, request: &Request, paging: &Paging) {
    let (key, needed) = match paging {
        Paging::Cursor(_) => ("next", &[Placeholder::Cursor][..]),
        Paging::Offset(_) => ("page", &[Placeholder::Offset, Placeholder::Number][..]),
        Paging::Single | Paging::Link(_) | Paging::LinkHeader => return,
    };
    if !needed.iter().any(|placeholder| request.uses(*placeholder)) {
        let names: Vec<String> = needed.iter().map(|p| format!("`{{{}}}`", p.as_str())).collect();
        let message = format!("`{key}` is named and no {} stands in the request", names.join(" or "));
        sink.error(reader.span_of(key), message);
    }
}

impl Request {
    pub fn uses(&self, placeholder: Placeholder) -> bool {
        self.path.uses(placeholder)
            || self.query.iter().any(|(key, value)| key.uses(placeholder) || value.uses(placeholder))
            || self.body.as_ref().is_some_and(|body| body.uses(placeholder))
    }
}

/// Notes a request that would be the same for every record.
pub(super) fn needs(reader: &Reader<'_>, sink: &Sink<'_>, request: &Request, placeholder: Placeholder) {
    if !request.uses(placeholder) {
        let message = format!("no `{{{}}}` stands in this request", placeholder.as_str());
        sink.error_with(reader.span(), message, "without it every record's request would be the same");
    }
}

/// A place in JSON.
pub(super) fn path(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str) -> Option<Path> {
    let word = reader.text(key)?;
    let path = Path::parse(word.text);
    if path.is_none() {
        let help = "keys with dots between them, for example data.id";
        sink.error_with(word.span, format!("`{key}` is no path"), help);
    }
    path
}

pub(super) fn need_path(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str) -> Option<Path> {
    reader.need(key);
    path(reader, sink, key)
}

fn path_template(sink: &Sink<'_>, word: &Word<'_>, allowed: &[Placeholder]) -> Option<Template> {
    let refuse = |why: &str, help: &str| {
        sink.error_with(word.span.clone(), why.to_owned(), help);
        None
    };
    if !word.text.starts_with('/') || word.text.starts_with("//") {
        return refuse("a path begins with one slash", "it is put behind the connection's `base_url`");
    }
    if word.text.contains(['?', '#', '\\']) {
        return refuse("a path has no `?`, `#` or `\\`", "put what follows `?` into `query = { … }`");
    }
    if word.text.split('/').any(|part| part == "." || part == "..") {
        return refuse("a path has no `.` and `..`", "write the path as it is meant");
    }
    template(sink, word, allowed)
}

/// A text with placeholders.
pub(super) fn template(sink: &Sink<'_>, word: &Word<'_>, allowed: &[Placeholder]) -> Option<Template> {
    match Template::parse(word.text, allowed) {
        Ok(template) => Some(template),
        Err(Bad::Brace(place)) => {
            let help = "write {name}, or {{ and }} for the characters themselves";
            sink.error_with(sink.inside(word, place), "a brace without a name and its other half", help);
            None
        }
        Err(Bad::Unknown(name, place)) => {
            let possible: Vec<&str> = allowed.iter().map(|p| p.as_str()).collect();
            let place = sink.inside(word, place);
            let mut problem =
                crate::agreement::problem::Problem::error(place, format!("`{{{name}}}` cannot be filled in here"));
            problem.help = did_you_mean(&name, &possible);
            sink.note(problem);
            None
        }
    }
}

/// A key's value as it stands in the file.
pub(super) fn raw<'a>(reader: &Reader<'a>, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    reader.entries().into_iter().find(|(word, _)| word.text == key).map(|(_, value)| value)
}

/// `None`: one of them is wrong, which was noted.
fn entries(reader: &Reader<'_>, sink: &Sink<'_>, allowed: &[Placeholder]) -> Option<Vec<(Template, JsonTemplate)>> {
    let one = |(key, value): (Word<'_>, &Spanned<DeValue<'_>>)| {
        let (key, value) = (template(sink, &key, allowed), json(sink, value, allowed));
        Some((key?, value?))
    };
    let all: Vec<Option<(Template, JsonTemplate)>> = reader.entries().into_iter().map(one).collect();
    all.into_iter().collect()
}

/// TOML as JSON, with placeholders in its texts and keys.
fn json(sink: &Sink<'_>, value: &Spanned<DeValue<'_>>, allowed: &[Placeholder]) -> Option<JsonTemplate> {
    let number = |text: &str| serde_json::from_str::<Json>(text).ok().filter(Json::is_number);
    let plain = match value.get_ref() {
        DeValue::String(text) => {
            return template(sink, &Word { text, span: value.span() }, allowed).map(JsonTemplate::Text);
        }
        DeValue::Array(list) => {
            let items: Vec<Option<JsonTemplate>> = list.iter().map(|item| json(sink, item, allowed)).collect();
            return items.into_iter().collect::<Option<Vec<_>>>().map(JsonTemplate::List);
        }
        DeValue::Table(table) => {
            let mut all: Vec<_> = table.iter().collect();
            all.sort_by_key(|(key, _)| key.span().start);
            let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                let key = template(sink, &Word { text: key.get_ref(), span: key.span() }, allowed);
                let value = json(sink, value, allowed);
                Some((key?, value?))
            };
            let entries: Vec<Option<(Template, JsonTemplate)>> = all.into_iter().map(entry).collect();
            return entries.into_iter().collect::<Option<Vec<_>>>().map(JsonTemplate::Table);
        }
        DeValue::Boolean(flag) => Some(Json::Bool(*flag)),
        DeValue::Integer(i) if i.radix() == 10 => number(i.as_str()),
        DeValue::Float(f) => number(f.as_str()),
        DeValue::Integer(_) | DeValue::Datetime(_) => None,
    };
    if plain.is_none() {
        let found = kind(value.get_ref());
        sink.error(value.span(), format!("{found} like this cannot be sent as JSON: write it as text"));
    }
    plain.map(JsonTemplate::Plain)
}
