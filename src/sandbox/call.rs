//! A call to a pretend CRM and its answer, free of the web server, so that an API is a plain
//! function from one to the other.

use crate::record::Timestamp;
use serde_json::Value as Json;
use std::borrow::Cow;

pub struct Call {
    pub method: String,
    /// Without the query, as sent.
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Records that a fault refuses, and those that it locks.
    pub refused: Vec<String>,
    pub locked: Vec<String>,
}

impl Call {
    pub fn segments(&self) -> Vec<Cow<'_, str>> {
        self.path.split('/').filter(|s| !s.is_empty()).map(decoded).collect()
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }

    /// All values of a query parameter.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.filter(|(n, _)| n == name).map(|(_, v)| v.into_owned()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The body as JSON; `None` where it is none.
    pub fn json(&self) -> Option<Json> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// A path segment with its escapes resolved.
fn decoded(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let plus = segment.replace('+', "%2B");
    let pair = url::form_urlencoded::parse(plus.as_bytes()).next().map(|(name, _)| name.into_owned());
    Cow::Owned(pair.unwrap_or_default())
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, body: &Json) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: "application/json;charset=utf-8",
            body: body.to_string().into_bytes(),
        }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content_type: "text/plain", body: Vec::new() }
    }

    /// What a proxy in front of a CRM says when it gets no answer from it.
    pub fn bad_gateway() -> Self {
        let body = b"<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>";
        Self { status: 502, headers: Vec::new(), content_type: "text/html", body: body.to_vec() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// `Mon, 05 Jan 2026 09:00:00 GMT`
pub fn http_date(at: Timestamp) -> String {
    at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
