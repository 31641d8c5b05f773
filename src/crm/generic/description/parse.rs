//! Reading a description from TOML: its head, authentication, webhook, tasks, people and errors. Every
//! problem is noted with its place and reading goes on.

use super::super::template::{Placeholder, Template};
use super::super::times::{TimeFormat, Times};
use super::objects::record;
use super::request::{listing, need_path, needs, path, request, template};
use super::{
    Action, Allowance, Authentication, CallsLeft, Description, Errors, FindTask, Grant, Meaning, OAuth2, People,
    Record, Scheme, Task, Webhook, Whoami,
};
use crate::agreement::document::{self, Reader, Sink, Word};
use crate::agreement::problem::{Problem, Report, did_you_mean};
use crate::crm::connection::SignatureEncoding;
use crate::record::Object;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

use Placeholder::{AccessToken, ClientId, ClientSecret, Due, DueDate, DueTime, Id, Key, Owner, Text, Title, Type};

/// The descriptions that come with the program, by the name that a connection calls them.
pub const SHIPPED: [(&str, &str); 2] = [
    ("frappe-crm", include_str!("../../../../config/connectors/frappe-crm.toml")),
    ("pipedrive", include_str!("../../../../config/connectors/pipedrive.toml")),
];

/// The text of a shipped description.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Reads a description; `file` is what it is called.
///
/// # Errors
/// A report with every problem of the file.
pub fn parse(file: &str, text: &str) -> Result<Description, Report> {
    let table = document::parse(file, text)?;
    let sink = Sink::new(text);
    let described = description(Reader::root(table.get_ref(), "the description", &sink), &sink);
    let report = sink.into_report(file);
    match described {
        Some(described) if !report.has_errors() => Ok(described),
        _ => Err(report),
    }
}

fn description(mut root: Reader<'_>, sink: &Sink<'_>) -> Option<Description> {
    let name = root.need_text("name").map(|word| word.text.to_owned());
    let base_url = root.text("base_url").and_then(|word| address(sink, &word));
    let zone = zone(&mut root, sink);
    let format = times(&mut root, sink).unwrap_or(TimeFormat::Rfc3339);
    let times = Times::new(format, zone);
    root.need("authentication");
    let authentication = root.table("authentication").and_then(|r| authentication(r, sink));
    let lead = root.table("lead").map(|r| record(r, sink, Object::Lead));
    let opportunity = root.table("opportunity").map(|r| record(r, sink, Object::Opportunity));
    if lead.is_none() && opportunity.is_none() {
        sink.error_with(root.span(), "neither [lead] nor [opportunity] is described", "describe at least one");
    }
    root.need("webhook");
    let types = [(&lead, Object::Lead), (&opportunity, Object::Opportunity)].map(|(read, object)| {
        let record: Option<&Record> = read.as_ref().and_then(Option::as_ref);
        (record.map(|r| r.type_name.clone()), read.is_some(), object)
    });
    let webhook = root.table("webhook").and_then(|r| webhook(r, sink, &types, &times));
    let task = root.table("task").map(|r| task(r, sink));
    let [persons, queues] = ["people", "queues"].map(|key| root.table(key).map(|r| people(r, sink)));
    let whoami = root.table("whoami").map(|r| whoami(r, sink));
    let errors = root.table("errors").map(|r| errors(r, sink)).unwrap_or_default();
    let allowance = root.table("allowance").map(|r| allowance(r, sink)).unwrap_or_default();
    root.finish();
    Some(Description {
        name: name?,
        base_url,
        times,
        authentication: authentication?,
        webhook: webhook?,
        lead: lead.flatten(),
        opportunity: opportunity.flatten(),
        task: task.flatten(),
        people: persons.flatten(),
        queues: queues.flatten(),
        whoami: whoami.flatten(),
        errors,
        allowance,
    })
}

fn address(sink: &Sink<'_>, word: &Word<'_>) -> Option<String> {
    let url = url::Url::parse(word.text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.query().is_none());
    if url.is_none() {
        sink.error_with(word.span.clone(), "`base_url` must be an address", "for example https://api.crm.example");
    }
    url.map(|url| url.as_str().trim_end_matches('/').to_owned())
}

fn zone(reader: &mut Reader<'_>, sink: &Sink<'_>) -> TimeZone {
    let Some(word) = reader.text("time_zone") else { return TimeZone::UTC };
    TimeZone::get(word.text).unwrap_or_else(|_| {
        sink.error_with(word.span, "`time_zone` is no time zone", "for example UTC, or Europe/Berlin");
        TimeZone::UTC
    })
}

fn times(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<TimeFormat> {
    let word = reader.text("times")?;
    let format = TimeFormat::parse(word.text);
    if format.is_none() {
        let mut problem = Problem::error(word.span.clone(), "`times` is no way to write a moment to the second");
        problem.help = did_you_mean(word.text, &TimeFormat::NAMES)
            .map(|names| format!("{names}; or a pattern such as %Y-%m-%d %H:%M:%S"));
        sink.note(problem);
    }
    format
}

fn choice<T: Copy>(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str, possible: &[(&str, T)]) -> Option<T> {
    reader.need(key);
    let word = reader.text(key)?;
    one_of(sink, key, &word, possible)
}

fn one_of<T: Copy>(sink: &Sink<'_>, what: &str, word: &Word<'_>, possible: &[(&str, T)]) -> Option<T> {
    let found = possible.iter().find(|(name, _)| *name == word.text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = possible.iter().map(|(name, _)| *name).collect();
        let mut problem = Problem::error(word.span.clone(), format!("`{what}` cannot be `{}`", word.text));
        problem.help = did_you_mean(word.text, &names);
        sink.note(problem);
    }
    found
}

fn header(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<String> {
    let word = reader.need_text("header")?;
    let fits = word.text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !fits {
        sink.error(word.span.clone(), "`header` must be the name of an HTTP header");
    }
    fits.then(|| word.text.to_ascii_lowercase())
}

fn authentication(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Authentication> {
    let schemes = [("bearer", 0), ("basic", 1), ("header", 2), ("query", 3), ("oauth2", 4)];
    let credentials = [AccessToken, ClientId, ClientSecret];
    let value =
        |reader: &mut Reader<'_>| reader.need_text("value").and_then(|word| template(sink, &word, &credentials));
    let authentication = match choice(&mut reader, sink, "scheme", &schemes)? {
        0 => Some(Authentication::Bearer),
        1 => Some(Authentication::Basic),
        2 => {
            let name = header(&mut reader, sink);
            name.zip(value(&mut reader)).map(|(name, value)| Authentication::Header { name, value })
        }
        3 => {
            let name = reader.need_text("name").map(|word| word.text.to_owned());
            name.zip(value(&mut reader)).map(|(name, value)| Authentication::Query { name, value })
        }
        _ => oauth2(&mut reader, sink).map(Authentication::OAuth2),
    };
    reader.finish();
    authentication
}

fn oauth2(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<OAuth2> {
    let grants = [("client_credentials", Grant::ClientCredentials), ("refresh_token", Grant::RefreshToken)];
    let grant = choice(reader, sink, "grant", &grants);
    let token = reader.need_text("token").and_then(|word| {
        let is_path = word.text.starts_with('/') && !word.text.starts_with("//");
        if is_path { Some(word.text.to_owned()) } else { address(sink, &word) }
    });
    let scope = reader.text("scope").map(|word| word.text.to_owned());
    let bearer = || Template::parse("Bearer {access_token}", &[AccessToken]).ok();
    let value = match reader.text("value") {
        Some(word) => template(sink, &word, &[AccessToken]),
        None => bearer(),
    };
    Some(OAuth2 { token: token?, grant: grant?, scope, value: value? })
}

/// `day = { limit = "a header", left = "a header" }`, and `window` with its `seconds`.
fn allowance(mut reader: Reader<'_>, sink: &Sink<'_>) -> Allowance {
    fn headers(reader: &mut Reader<'_>) -> Option<CallsLeft> {
        let [limit, left] = ["limit", "left"].map(|key| reader.need_text(key).map(|w| w.text.to_ascii_lowercase()));
        Some(CallsLeft { limit: limit?, left: left? })
    }
    let day = reader.table("day").and_then(|mut day| {
        let told = headers(&mut day);
        day.finish();
        told
    });
    let window = reader.table("window").and_then(|mut window| {
        let told = headers(&mut window);
        window.need("seconds");
        let seconds = window.count("seconds").map(|seconds| seconds.value);
        window.finish();
        told.zip(seconds)
    });
    if day.is_none() && window.is_none() {
        sink.error(reader.span(), "neither `day` nor `window` is named");
    }
    reader.finish();
    Allowance { day, window }
}

fn scheme(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Scheme> {
    let schemes = [("standard-webhooks", 0), ("hmac-sha256", 1), ("basic", 2), ("token", 3)];
    let scheme = match choice(&mut reader, sink, "scheme", &schemes)? {
        0 => Some(Scheme::StandardWebhooks),
        1 => {
            let header = header(&mut reader, sink);
            let encodings = [("hex", SignatureEncoding::Hex), ("base64", SignatureEncoding::Base64)];
            let encoding = choice(&mut reader, sink, "encoding", &encodings);
            let prefix = prefix(&mut reader);
            header.zip(encoding).map(|(header, encoding)| Scheme::HmacSha256 { header, encoding, prefix })
        }
        2 => Some(Scheme::Basic),
        _ => {
            let header = header(&mut reader, sink);
            let prefix = prefix(&mut reader);
            header.map(|header| Scheme::Token { header, prefix })
        }
    };
    reader.finish();
    scheme
}

fn prefix(reader: &mut Reader<'_>) -> String {
    reader.text("prefix").map_or("", |word| word.text).to_owned()
}

/// What each object is called (where it could be read), whether it is described, and which it is.
type Types = [(Option<String>, bool, Object); 2];

fn webhook(mut reader: Reader<'_>, sink: &Sink<'_>, types: &Types, times_of_api: &Times) -> Option<Webhook> {
    reader.need("verify");
    let scheme = reader.table("verify").and_then(|r| scheme(r, sink));
    let events = path(&mut reader, sink, "events");
    let id = need_path(&mut reader, sink, "id");
    let object = path(&mut reader, sink, "object");
    if object.is_none() && types.iter().all(|(_, described, _)| *described) {
        let message = "`webhook` has no `object`, and both [lead] and [opportunity] are described";
        sink.error_with(reader.span(), message, "name the path that tells a lead from an opportunity");
    }
    let objects = reader.table("objects").map(|r| objects(&r, sink));
    let by_type = || types.iter().filter_map(|(name, _, object)| Some((name.clone()?, *object))).collect();
    let action = path(&mut reader, sink, "action");
    let actions = reader.table("actions").map(|r| actions(&r, sink)).unwrap_or_default();
    if action.is_some() && actions.is_empty() {
        sink.error_with(reader.span(), "`action` without `actions`", "for example actions = { update = \"changed\" }");
    }
    let time = path(&mut reader, sink, "time");
    let format = times(&mut reader, sink).unwrap_or_else(|| times_of_api.format.clone());
    let by = path(&mut reader, sink, "by");
    let fields = path(&mut reader, sink, "fields");
    let into = path(&mut reader, sink, "into");
    reader.finish();
    Some(Webhook {
        scheme: scheme?,
        events,
        id: id?,
        object,
        objects: objects.unwrap_or_else(by_type),
        action,
        actions,
        time,
        times: Times::new(format, times_of_api.zone.clone()),
        by,
        fields,
        into,
    })
}

fn objects(reader: &Reader<'_>, sink: &Sink<'_>) -> BTreeMap<String, Object> {
    let possible = [("lead", Object::Lead), ("opportunity", Object::Opportunity)];
    named(reader, sink, "objects", &possible)
}

fn actions(reader: &Reader<'_>, sink: &Sink<'_>) -> BTreeMap<String, Action> {
    let possible = [
        ("changed", Action::Changed),
        ("deleted", Action::Deleted),
        ("restored", Action::Restored),
        ("merged", Action::Merged),
    ];
    named(reader, sink, "actions", &possible)
}

fn named<T: Copy>(reader: &Reader<'_>, sink: &Sink<'_>, what: &str, possible: &[(&str, T)]) -> BTreeMap<String, T> {
    let words = reader.entry_words().into_iter();
    words.filter_map(|(theirs, ours)| Some((theirs.text.to_owned(), one_of(sink, what, &ours, possible)?))).collect()
}

fn task(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Task> {
    let html = reader.flag("html").is_some_and(|flag| flag.value);
    reader.need("create");
    let create = reader.table("create").map(|mut r| {
        let allowed = [Id, Type, Title, Text, Key, Owner, Due, DueDate, DueTime];
        let request = request(&mut r, sink, &["post", "put"], &allowed);
        let id = path(&mut r, sink, "id");
        let request = request.inspect(|q| [Id, Text].into_iter().for_each(|p| needs(&r, sink, q, p)));
        r.finish();
        Some((request?, id))
    });
    let find = reader.table("find").map(|mut r| {
        let list = listing(&mut r, sink, &[Id, Type, Key]);
        let id = need_path(&mut r, sink, "id");
        let text = need_path(&mut r, sink, "text");
        r.finish();
        Some(FindTask { list: list?, id: id?, text: text? })
    });
    if create.is_some() && find.is_none() {
        let message = "[task] has no `find`: a task whose making is in doubt could be made twice";
        sink.error_with(reader.span(), message, "say how a record's tasks are listed, and where their text stands");
    }
    reader.finish();
    let (create, created_id) = create??;
    Some(Task { html, create, created_id, find: find?? })
}

fn people(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<People> {
    let list = listing(&mut reader, sink, &[]);
    let id = need_path(&mut reader, sink, "id");
    let [name, email, active, manager] = ["name", "email", "active", "manager"].map(|key| path(&mut reader, sink, key));
    reader.finish();
    Some(People { list: list?, id: id?, name, email, active, manager })
}

fn whoami(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<Whoami> {
    let request = request(&mut reader, sink, &["get", "post"], &[]);
    let id = need_path(&mut reader, sink, "id");
    let user = path(&mut reader, sink, "user");
    reader.finish();
    Some(Whoami { request: request?, id: id?, user })
}

fn errors(mut reader: Reader<'_>, sink: &Sink<'_>) -> Errors {
    let kinds = [
        ("later", Meaning::Later),
        ("doubt", Meaning::Doubt),
        ("never", Meaning::Never),
        ("gone", Meaning::Gone),
        ("sign_in", Meaning::SignIn),
    ];
    let mut meaning = BTreeMap::new();
    for (key, what) in kinds {
        for status in statuses(&mut reader, sink, key) {
            meaning.insert(status, what);
        }
    }
    let message = path(&mut reader, sink, "message");
    let success = path(&mut reader, sink, "success");
    let wait = reader.text("wait").map(|word| word.text.to_ascii_lowercase());
    reader.finish();
    Errors { meaning, message, success, wait }
}

/// Statuses that are no success, as numbers.
fn statuses(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str) -> Vec<u16> {
    if !reader.has(key) {
        return vec![];
    }
    let refuse = |span| sink.error_with(span, format!("`{key}` is a list of statuses"), "for example [429, 503]");
    let Some(value) = super::request::raw(reader, key) else { return vec![] };
    let Some(list) = value.get_ref().as_array() else {
        refuse(value.span());
        return vec![];
    };
    let mut found = vec![];
    for item in list.iter() {
        let number = item.get_ref().as_integer().and_then(|i| i.as_str().parse::<u16>().ok());
        match number.filter(|status| (300..600).contains(status)) {
            Some(status) => found.push(status),
            None => refuse(item.span()),
        }
    }
    found
}
