//! Single values of the configuration: choices, addresses, URLs, secrets. Messages here never quote
//! a value, since any text may have been filled in with a secret; the file is shown as written.

use crate::agreement::document::{Reader, Sink, Word};
use crate::agreement::problem::{Problem, did_you_mean};
use secrecy::SecretString;
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// One of several words.
pub(super) fn choice<T: Copy>(
    reader: &mut Reader<'_>,
    sink: &Sink<'_>,
    key: &'static str,
    possible: &[(&str, T)],
) -> Option<T> {
    let word = reader.text(key)?;
    let found = possible.iter().find(|(name, _)| *name == word.text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = possible.iter().map(|(name, _)| *name).collect();
        not_possible(sink, &word, key, &names);
    }
    found
}

/// Notes a word that is none of those possible.
pub(super) fn not_possible(sink: &Sink<'_>, word: &Word<'_>, key: &str, possible: &[&str]) {
    let mut problem = Problem::error(word.span.clone(), format!("`{key}` cannot be this"));
    problem.help = did_you_mean(word.text, possible);
    sink.note(problem);
}

/// Text that is not empty, if it is there.
pub(super) fn filled<'a>(reader: &mut Reader<'a>, sink: &Sink<'_>, key: &'static str) -> Option<Word<'a>> {
    let word = reader.text(key)?;
    if word.text.trim().is_empty() {
        sink.error(word.span, format!("`{key}` is empty"));
        return None;
    }
    Some(word)
}

pub(super) fn secret(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str) -> Option<SecretString> {
    filled(reader, sink, key).map(|word| SecretString::from(word.text))
}

pub(super) fn need_secret(reader: &mut Reader<'_>, key: &'static str) -> Option<SecretString> {
    reader.need_text(key).map(|word| SecretString::from(word.text))
}

/// One secret, or two while rotating.
pub(super) fn secrets(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str) -> Vec<SecretString> {
    let words = reader.need_texts(key);
    if words.len() > 2 {
        sink.error_with(words[2].span.clone(), format!("`{key}` has more than two entries"), "two are for rotating");
    }
    for word in words.iter().filter(|w| w.text.trim().is_empty()) {
        sink.error(word.span.clone(), format!("an entry of `{key}` is empty"));
    }
    words.into_iter().map(|word| SecretString::from(word.text)).collect()
}

/// An IP address with a port.
pub(super) fn address(reader: &mut Reader<'_>, sink: &Sink<'_>, key: &'static str) -> Option<SocketAddr> {
    let word = reader.text(key)?;
    let parsed = word.text.parse().ok();
    if parsed.is_none() {
        sink.error_with(
            word.span,
            format!("`{key}` must be an IP address with a port"),
            "for example 127.0.0.1:8080, or 0.0.0.0:8080 for every network of the machine",
        );
    }
    parsed
}

/// An http or https address without query, fragment, user or password.
pub(super) fn http_url(sink: &Sink<'_>, word: &Word<'_>, key: &str) -> Option<Url> {
    let refuse = |why: &str, help: &str| {
        sink.error_with(word.span.clone(), format!("`{key}` {why}"), help);
        None
    };
    let Ok(url) = Url::parse(word.text) else {
        return refuse("must be a URL", "for example https://leadpact.acme.example");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return refuse("must begin with https:// or http://", "for example https://leadpact.acme.example");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("ends with a query or a fragment", "paths are put behind it: leave out what follows ? or #");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("holds a user or a password", "addresses appear in logs: secrets have settings of their own");
    }
    Some(url)
}

/// A CRM's or Slack's address, without a slash at its end.
pub(super) fn base_url(reader: &mut Reader<'_>, sink: &Sink<'_>, default: Option<&str>) -> Option<String> {
    match default {
        None => reader.need("base_url"),
        Some(default) if !reader.has("base_url") => return Some(default.to_owned()),
        Some(_) => {}
    }
    let word = reader.text("base_url")?;
    let url = http_url(sink, &word, "base_url")?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// The address stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
