//! Whether a request asks for what the document says: its parameters and the kind of its body. What a
//! body holds is read by the handler.

use super::operation::{Operation, Parameter};
use crate::agreement::problem::did_you_mean;
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{StatusCode, Uri};
use std::collections::HashSet;

/// Why a request is not passed on to its handler.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub text: String,
    /// The parameter that is meant.
    pub parameter: Option<String>,
}

pub(super) fn wrong(parameter: &str, text: String) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, text, parameter: Some(parameter.to_owned()) }
}

/// What is wrong with a request, by its address and headers; `None` where nothing is.
pub fn refusal(operation: &Operation, uri: &Uri, headers: &HeaderMap) -> Option<Refusal> {
    // No name of ours holds it, and PostgreSQL refuses to compare with it.
    if uri.path().contains("%00") {
        let text = "nothing is known by that name".to_owned();
        return Some(Refusal { status: StatusCode::NOT_FOUND, text, parameter: None });
    }
    parameters(&operation.query, uri.query().unwrap_or_default()).or_else(|| kind(operation, headers))
}

fn parameters(known: &[Parameter], query: &str) -> Option<Refusal> {
    let mut seen = HashSet::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            return Some(unknown(&name, known));
        };
        if !seen.insert(parameter.name) {
            return Some(wrong(&name, format!("`{name}` is given twice")));
        }
        if let Some(why) = parameter.schema.refuses(&value) {
            return Some(wrong(&name, format!("`{name}` {why}")));
        }
    }
    let missing = known.iter().find(|parameter| parameter.is_required && !seen.contains(parameter.name))?;
    Some(wrong(missing.name, format!("`{}` is missing", missing.name)))
}

fn unknown(name: &str, known: &[Parameter]) -> Refusal {
    const SHOWN: usize = 60;
    let name: String = name.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
    let help = did_you_mean(&name, &names).unwrap_or_else(|| "none is taken here".to_owned());
    wrong(&name, format!("`{name}` is no parameter of this address: {help}"))
}

/// A body is JSON. Where nothing has to be said, the body may be missing, and then its kind too.
fn kind(operation: &Operation, headers: &HeaderMap) -> Option<Refusal> {
    operation.body.as_ref()?;
    let said = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim();
    let text = "the body is JSON: say `Content-Type: application/json`".to_owned();
    let is_json = kind.eq_ignore_ascii_case("application/json");
    (!is_json).then_some(Refusal { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, text, parameter: None })
}

#[cfg(test)]
mod tests {
    use super::super::schema::{between, flag, word, written};
    use super::*;

    fn check(query: &str) -> Option<String> {
        let operation = Operation::get("/api/v1/x", "")
            .asks("limit", between(1, 500), "")
            .asks("state", word(&["open", "paused"]), "")
            .asks("owner", written(), "")
            .asks("all", flag(), "");
        refusal(&operation, &format!("/api/v1/x?{query}").parse().unwrap(), &HeaderMap::new()).map(|r| r.text)
    }

    #[test]
    fn what_the_document_does_not_say_is_refused_by_name() {
        assert_eq!(check(""), None);
        assert_eq!(check("limit=500&state=open&owner=%20x&all=true"), None);
        for (query, says) in [
            ("limit=0", "`limit` is at least 1"),
            ("limit=501", "`limit` is at most 500"),
            ("limit=1e2", "`limit` is a whole number"),
            ("limit=", "`limit` is a whole number"),
            ("state=closed", "`state` is one of open, paused"),
            ("all=yes", "`all` is true or false"),
            ("owner=%00", "`owner` holds a character that no text has"),
            ("owner=a&owner=a", "`owner` is given twice"),
            ("ower=a", "`ower` is no parameter of this address: did you mean `owner`?"),
        ] {
            assert_eq!(check(query).as_deref(), Some(says), "{query}");
        }
        let needed = Operation::get("/api/v1/x", "").needs("q", written(), "");
        let refused = |query: &str| refusal(&needed, &query.parse().unwrap(), &HeaderMap::new()).map(|r| r.text);
        assert_eq!((refused("/x?q="), refused("/x").as_deref()), (None, Some("`q` is missing")));
        let long = format!("owner={}", "%C3%A4".repeat(1001));
        assert_eq!(check(&long).as_deref(), Some("`owner` has at most 1000 characters"));
    }
}
