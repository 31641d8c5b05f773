//! One address with one method: what it is for, what it takes, what it answers. What somebody needs for
//! it stands in the table of routes and is taken from there.

use super::super::routes::{Entry, Needs, Verb};
use super::schema::{Schema, named};
use crate::store::role::{Permission, Role};
use serde_json::{Map, Value as Json, json};

/// What is said of one address and method.
pub struct Operation {
    pub verb: Verb,
    pub path: &'static str,
    pub tag: &'static str,
    /// A line.
    pub summary: &'static str,
    /// More about it; may be empty.
    pub text: &'static str,
    pub query: Vec<Parameter>,
    pub body: Option<Schema>,
    answers: Vec<Answer>,
}

/// A parameter after the `?`.
pub struct Parameter {
    pub name: &'static str,
    pub schema: Schema,
    pub text: &'static str,
    pub is_required: bool,
}

struct Answer {
    status: u16,
    text: &'static str,
    holds: Holds,
}

/// What an answer holds.
enum Holds {
    Json(Schema),
    /// A text that is no JSON, of this media type.
    Text(&'static str),
    /// Bytes of this media type.
    Bytes(&'static str),
}

impl Holds {
    /// As OpenAPI's `content`. Of bytes it says the kind alone.
    fn as_json(&self) -> Json {
        let mut content = Map::new();
        let (kind, told) = match self {
            Holds::Json(schema) => (JSON, json!({ "schema": schema.as_json() })),
            Holds::Text(kind) => (*kind, json!({ "schema": { "type": "string" } })),
            Holds::Bytes(kind) => (*kind, json!({})),
        };
        content.insert(kind.to_owned(), told);
        Json::Object(content)
    }
}

const JSON: &str = "application/json";

/// What the parts of paths are.
const PARTS: [(&str, &str); 10] = [
    ("connection", "The connection's name in the configuration."),
    ("name", "The connection's name in the configuration."),
    ("object", "`lead` or `opportunity`."),
    ("id", "The id: of a record as its CRM writes it, else as an answer gave it."),
    ("owner", "The owner's id in the CRM, or e-mail address."),
    ("version", "The version's hash, as an answer gave it."),
    ("hash", "The version's hash, as an answer gave it."),
    ("key", "The key, as an answer gave it."),
    ("kind", "What it is, as an answer gave it."),
    ("template", "The message's name, as the list of templates gives it."),
];

impl Operation {
    fn new(verb: Verb, path: &'static str, summary: &'static str) -> Self {
        let (query, body, answers) = (Vec::new(), None, Vec::new());
        Self { verb, path, tag: "", summary, text: "", query, body, answers }
    }

    pub fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Get, path, summary)
    }

    pub fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Post, path, summary)
    }

    pub fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Put, path, summary)
    }

    pub fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new(Verb::Delete, path, summary)
    }

    #[must_use]
    pub fn says(mut self, text: &'static str) -> Self {
        self.text = text;
        self
    }

    /// Takes a parameter after the `?`.
    #[must_use]
    pub fn asks(mut self, name: &'static str, schema: Schema, text: &'static str) -> Self {
        self.query.push(Parameter { name, schema, text, is_required: false });
        self
    }

    /// Takes a parameter after the `?` that must be given.
    #[must_use]
    pub fn needs(mut self, name: &'static str, schema: Schema, text: &'static str) -> Self {
        self.query.push(Parameter { name, schema, text, is_required: true });
        self
    }

    /// Takes `connection`, which has to be at work.
    #[must_use]
    pub fn of_connection(self, text: &'static str) -> Self {
        self.asks("connection", super::schema::sought(), text).refuses(404, "No connection is called so.")
    }

    /// Takes `after` and, up to `most`, `limit`, as every list does.
    #[must_use]
    pub fn pages(self, usual: i64, most: i64) -> Self {
        self.goes_on().asks("limit", super::schema::between(1, most).usually(usual), "How many at most.")
    }

    /// Takes `after`.
    #[must_use]
    pub fn goes_on(self) -> Self {
        self.asks(
            "after",
            super::schema::place(),
            "`next` of the answer before, and no other word; without it the list begins.",
        )
    }

    /// Takes a body, with nothing in it that is not said here.
    #[must_use]
    pub fn takes(mut self, schema: Schema) -> Self {
        self.body = Some(schema.closed());
        self
    }

    #[must_use]
    pub fn answers(self, status: u16, text: &'static str, schema: Schema) -> Self {
        self.holds(status, text, Holds::Json(schema))
    }

    /// Answers with a text that is no JSON.
    #[must_use]
    pub fn serves_text(self, kind: &'static str, text: &'static str) -> Self {
        self.holds(200, text, Holds::Text(kind))
    }

    /// Answers with bytes.
    #[must_use]
    pub fn serves_bytes(self, kind: &'static str, text: &'static str) -> Self {
        self.holds(200, text, Holds::Bytes(kind))
    }

    fn holds(mut self, status: u16, text: &'static str, holds: Holds) -> Self {
        self.answers.push(Answer { status, text, holds });
        self
    }

    /// Refuses by this status for a reason of its own.
    #[must_use]
    pub fn refuses(self, status: u16, text: &'static str) -> Self {
        self.answers(status, text, named("Error"))
    }

    #[must_use]
    pub(super) fn of(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    pub fn is(&self, entry: &Entry) -> bool {
        self.verb == entry.verb && self.path == entry.path
    }

    /// The names between braces.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// What every address may answer, after its own answers.
    fn common(&self) -> Vec<(u16, &'static str)> {
        let (has_body, has_path) = (self.body.is_some(), self.parts().next().is_some());
        let all = [
            (true, 400, "A parameter or the body is not as it should be; the message names it."),
            (true, 401, "No token, or one that does not hold."),
            (true, 403, "The token's scope does not suffice."),
            (has_path, 404, "Nothing is known by that name."),
            (has_body, 413, "The body is too large."),
            (has_body, 415, "The body is not JSON."),
            (true, 503, "The database does not answer now. Ask again."),
        ];
        let said = |status: u16| self.answers.iter().any(|answer| answer.status == status);
        all.into_iter().filter(|(is_so, status, _)| *is_so && !said(*status)).map(|(_, s, t)| (s, t)).collect()
    }

    /// The operation as OpenAPI writes it.
    pub(super) fn as_json(&self, needs: Needs) -> Json {
        let mut told = json!({
            "operationId": self.id(),
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": self.parameters(),
            "responses": self.responses(),
            "security": security(needs),
        });
        if !self.text.is_empty() {
            told["description"] = self.text.into();
        }
        if let Some(body) = &self.body {
            let is_needed = body.as_json()["required"].as_array().is_some_and(|fields| !fields.is_empty());
            told["requestBody"] = json!({ "required": is_needed, "content": { JSON: { "schema": body.as_json() } } });
        }
        told
    }

    /// The media type of what is answered when all is well, where that is no JSON.
    pub(super) fn file(&self) -> Option<&'static str> {
        self.answers.iter().find_map(|answer| match answer.holds {
            Holds::Text(kind) | Holds::Bytes(kind) => Some(kind),
            Holds::Json(_) => None,
        })
    }

    /// What is answered when all is well, on one line.
    pub(super) fn example(&self) -> Option<String> {
        match &self.answers.iter().find(|answer| answer.status < 300)?.holds {
            Holds::Text(kind) | Holds::Bytes(kind) => Some(format!("a file of the kind {kind}")),
            Holds::Json(schema) => {
                let names: Vec<String> = schema.fields().into_iter().map(|(name, ..)| name).collect();
                (!names.is_empty()).then(|| names.join(", "))
            }
        }
    }

    pub(super) fn id(&self) -> String {
        let words = self.path.trim_start_matches("/api/v1/").split(['/', '.', '-']);
        let words = words.map(|word| word.trim_matches(['{', '}']));
        let verb = self.verb.method().as_str().to_lowercase();
        std::iter::once(verb.as_str()).chain(words).collect::<Vec<_>>().join("_")
    }

    fn parameters(&self) -> Vec<Json> {
        let path = self.parts().map(|name| {
            let text = part(name);
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" }, "description": text })
        });
        let query = self.query.iter().map(|parameter| {
            let Parameter { name, schema, text, is_required } = parameter;
            let mut told = json!({ "name": name, "in": "query", "schema": schema.as_json(), "description": text });
            if *is_required {
                told["required"] = true.into();
            }
            told
        });
        path.chain(query).collect()
    }

    fn responses(&self) -> Map<String, Json> {
        let shaped = |text: &str, holds: &Holds| json!({ "description": text, "content": holds.as_json() });
        let own = self.answers.iter().map(|answer| (answer.status.to_string(), shaped(answer.text, &answer.holds)));
        let error = Holds::Json(named("Error"));
        let common = self.common().into_iter().map(|(status, text)| (status.to_string(), shaped(text, &error)));
        own.chain(common).collect()
    }
}

/// What a part of a path is.
pub(super) fn part(name: &str) -> &'static str {
    PARTS.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
}

/// The least scope that suffices, as a role of the token.
fn security(needs: Needs) -> Json {
    match needs {
        Needs::Nothing => json!([]),
        Needs::ToBeNear => json!([{ "token": [scope(Permission::Look)] }]),
        Needs::Permission(permission) => json!([{ "token": [scope(permission)] }]),
    }
}

/// The least scope that has a permission.
pub fn scope(permission: Permission) -> &'static str {
    Role::ALL.into_iter().find(|role| role.may(permission)).map_or("admin", Role::as_scope)
}
