//! HubSpot's official contract (`tests/fixtures/specs/`): which operation a call is, and whether what
//! was sent and answered fits its models. Dated paths (`/crm/objects/2026-03/…`) are those of the
//! contract in another order.

use serde_json::Value as Json;
use std::collections::BTreeMap;

const CONTRACT: &str = include_str!("../fixtures/specs/hubspot-client-contract.json");

/// The contract's Java-like word for a type, taken apart.
#[derive(Debug)]
enum Type {
    Text,
    Number,
    Bool,
    Moment,
    Anything,
    List(Box<Type>),
    Map(Box<Type>),
    OrNull(Box<Type>),
    Model(String),
}

struct Field {
    of: Type,
    required: bool,
    choices: Vec<String>,
}

pub struct Operation {
    /// `crm/contacts batch read`, for messages.
    pub name: String,
    method: String,
    path: Vec<String>,
    /// Name and type.
    query: BTreeMap<String, Type>,
    body: Option<Type>,
    answers: BTreeMap<String, Option<Type>>,
}

pub struct Contract {
    operations: Vec<Operation>,
    models: BTreeMap<String, BTreeMap<String, Field>>,
}

/// How exactly a value has to fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// What we send: nothing that the contract does not know, no nulls.
    Sent,
    /// What is answered: fields without a value may be null.
    Answered,
}

impl Type {
    fn parse(word: &str) -> Self {
        let within = |start: &str, end: &str| word.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        if let Some(inner) = within("Array<", ">") {
            return Type::List(Box::new(Type::parse(inner)));
        }
        if let Some(inner) = within("{ [key: string]: ", "; }") {
            return Type::Map(Box::new(Type::parse(inner)));
        }
        if let Some(inner) = word.strip_suffix(" | null") {
            return Type::OrNull(Box::new(Type::parse(inner)));
        }
        match word {
            "string" => Type::Text,
            "number" => Type::Number,
            "boolean" => Type::Bool,
            "Date" => Type::Moment,
            "any" => Type::Anything,
            model => Type::Model(model.to_owned()),
        }
    }
}

impl Contract {
    pub fn load() -> Self {
        let file: Json = serde_json::from_str(CONTRACT).unwrap();
        let areas = file["areas"].as_object().unwrap();
        let all =
            areas.iter().flat_map(|(area, told)| told["operations"].as_array().unwrap().iter().map(move |o| (area, o)));
        Self {
            operations: all.map(|(area, told)| operation(area, told)).collect(),
            models: file["models"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, told)| (name.clone(), model(told)))
                .collect(),
        }
    }

    /// The operation that a call is; the path without its query.
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let path = legacy(path);
        let fits = |o: &&Operation| o.method == method && same_path(&o.path, &path);
        // One that is named by its object comes before one that takes any.
        self.operations.iter().filter(fits).min_by_key(|o| o.path.iter().filter(|part| part.starts_with('{')).count())
    }

    /// What is wrong with a query string and a body that were sent.
    pub fn sent(&self, operation: &Operation, query: &str, body: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match operation.query.get(name.as_ref()) {
                None => problems.push(format!("the query parameter {name} is unknown")),
                Some(of) if !reads_as(of, &value) => problems.push(format!("{name}={value} is no {of:?}")),
                Some(_) => {}
            }
        }
        match (&operation.body, body.is_empty()) {
            (None, true) => {}
            (None, false) => problems.push("a body was sent, and none is known".to_owned()),
            (Some(_), true) => problems.push("the body is missing".to_owned()),
            (Some(of), false) => match serde_json::from_str(body) {
                Ok(body) => self.check(&body, of, Fit::Sent, "body", &mut problems),
                Err(error) => problems.push(format!("the body is no JSON: {error}")),
            },
        }
        problems
    }

    /// What is wrong with an answer; refusals are the business of other tests.
    pub fn answered(&self, operation: &Operation, status: u16, body: &str) -> Vec<String> {
        if status >= 400 {
            return Vec::new();
        }
        let mut problems = Vec::new();
        match operation.answers.get(&status.to_string()) {
            None => problems.push(format!("the status {status} is not among {:?}", operation.answers.keys())),
            Some(None) if body.is_empty() => {}
            Some(None) => problems.push("an answer without a body has one".to_owned()),
            Some(Some(of)) => match serde_json::from_str(body) {
                Ok(body) => self.check(&body, of, Fit::Answered, "answer", &mut problems),
                Err(error) => problems.push(format!("the answer is no JSON: {error}")),
            },
        }
        problems
    }

    fn check(&self, value: &Json, of: &Type, fit: Fit, place: &str, problems: &mut Vec<String>) {
        match (of, value) {
            (Type::Anything, _) | (Type::OrNull(_), Json::Null) => {}
            (Type::OrNull(inner), _) => self.check(value, inner, fit, place, problems),
            (Type::Text, Json::String(_)) | (Type::Number, Json::Number(_)) | (Type::Bool, Json::Bool(_)) => {}
            (Type::Moment, Json::String(text)) if text.parse::<jiff::Timestamp>().is_ok() => {}
            (Type::List(inner), Json::Array(items)) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(n, item)| self.check(item, inner, fit, &format!("{place}[{n}]"), problems));
            }
            (Type::Map(inner), Json::Object(fields)) => {
                fields
                    .iter()
                    .for_each(|(name, item)| self.check(item, inner, fit, &format!("{place}.{name}"), problems));
            }
            (Type::Model(name), Json::Object(_)) => self.check_model(value, name, fit, place, problems),
            _ => problems.push(format!("{place} is no {of:?}: {value}")),
        }
    }

    fn check_model(&self, value: &Json, name: &str, fit: Fit, place: &str, problems: &mut Vec<String>) {
        let Some(model) = self.models.get(name) else {
            return problems.push(format!("{place}: the contract has no model {name}"));
        };
        let fields = value.as_object().expect("an object, as the caller saw");
        for (field, known) in model {
            let place = format!("{place}.{field}");
            match fields.get(field) {
                None if known.required => problems.push(format!("{place} is missing")),
                None => {}
                Some(Json::Null) if !known.required && fit == Fit::Answered => {}
                Some(value) if is_sort(name, field, value) => {}
                Some(value) => {
                    self.check(value, &known.of, fit, &place, problems);
                    let is_choice =
                        value.as_str().is_none_or(|v| known.choices.is_empty() || known.choices.iter().any(|c| c == v));
                    if !is_choice {
                        problems.push(format!("{place} is none of {:?}: {value}", known.choices));
                    }
                }
            }
        }
        for field in fields.keys().filter(|field| !model.contains_key(*field)) {
            problems.push(format!("{place}.{field} is unknown to {name}"));
        }
    }
}

/// The generated type says text; the client's readme and HubSpot's page on searches show an object of a
/// property's name and a direction, and that is what its own JavaScript users send.
fn is_sort(model: &str, field: &str, value: &Json) -> bool {
    let one = |sort: &Json| {
        let direction = sort["direction"].as_str();
        sort["propertyName"].is_string() && matches!(direction, Some("ASCENDING" | "DESCENDING"))
    };
    (model, field) == ("PublicObjectSearchRequest", "sorts")
        && value.as_array().is_some_and(|sorts| sorts.iter().all(one))
}

fn operation(area: &str, told: &Json) -> Operation {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let parameter = |p: &Json| (p["name"].as_str().unwrap().to_owned(), Type::parse(p["type"].as_str().unwrap()));
    let answers = told["responses"].as_object().into_iter().flatten();
    Operation {
        name: format!("{area} {} {}", text("api"), text("operation")),
        method: text("method"),
        path: parts(&text("path")),
        query: told["query"].as_array().into_iter().flatten().map(parameter).collect(),
        body: told["body"].as_str().map(Type::parse),
        answers: answers.map(|(status, model)| (status.clone(), model.as_str().map(Type::parse))).collect(),
    }
}

fn model(told: &Json) -> BTreeMap<String, Field> {
    let field = |told: &Json| Field {
        of: Type::parse(told["type"].as_str().unwrap()),
        required: told["required"] == true,
        choices: told["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| c.as_str().unwrap_or_default().to_owned())
            .collect(),
    };
    told.as_object().unwrap().iter().map(|(name, told)| (name.clone(), field(told))).collect()
}

fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn same_path(known: &[String], path: &[String]) -> bool {
    let same = |(known, part): (&String, &String)| known.starts_with('{') || known == part;
    known.len() == path.len() && known.iter().zip(path).all(same)
}

/// `/crm/objects/2026-03/contacts` as `/crm/v3/objects/contacts`; associations have always been v4.
fn legacy(path: &str) -> Vec<String> {
    let mut parts = parts(path);
    let dated = |part: &String| part.len() == 7 && part.starts_with("20") && part.as_bytes()[4] == b'-';
    if parts.len() > 2 && parts[0] == "crm" && dated(&parts[2]) {
        let version = if parts[1] == "associations" { "v4" } else { "v3" };
        parts[2] = std::mem::replace(&mut parts[1], version.to_owned());
    }
    parts
}

/// A query's text as the type of its parameter; lists are repeated or joined by commas.
fn reads_as(of: &Type, text: &str) -> bool {
    match of {
        Type::Number => text.parse::<u64>().is_ok(),
        Type::Bool => matches!(text, "true" | "false"),
        _ => true,
    }
}

#[test]
fn the_contract_refuses_what_it_does_not_know() {
    let contract = Contract::load();
    assert!(contract.operation("POST", "/crm/objects/2026-03/contacts/batch/reed").is_none());
    assert!(contract.operation("PUT", "/crm/v3/objects/contacts/batch/read").is_none());
    let read = contract.operation("POST", "/crm/objects/2026-03/contacts/batch/read").unwrap();
    let sent = |body: &str| contract.sent(read, "", body);
    assert_eq!(sent(r#"{"inputs":[{"id":"1"}],"properties":[],"propertiesWithHistory":[]}"#), Vec::<String>::new());
    assert_eq!(
        sent(r#"{"inputs":[{"id":1}],"properties":[],"propertiesWithHistory":[]}"#),
        ["body.inputs[0].id is no Text: 1"]
    );
    assert_eq!(
        sent(r#"{"inputs":[{"id":"1"}],"props":[],"propertiesWithHistory":[]}"#),
        ["body.properties is missing", "body.props is unknown to BatchReadInputSimplePublicObjectId"]
    );
    let owners = contract.operation("GET", "/crm/owners/2026-03").unwrap();
    assert_eq!(contract.sent(owners, "limit=many&page=2", "").len(), 2);
    assert!(contract.answered(owners, 202, "{}")[0].contains("202"));
}
