//! `[store] credential_key`: what seals the tokens of those who signed in with a browser, and that it
//! is there where somebody does.

use super::sign_in::NOT_SET;
use crate::agreement::document::{Reader, Sink};
use crate::crm::Connection;
use crate::crm::oauth::BrowserSignIn;
use crate::store::seal::{KEY_BYTES, Keys, new_key};
use secrecy::SecretString;
use std::ops::Range;

const KEY: &str = "credential_key";
const MAKE: &str = "`leadpact credentials key` prints a new one";

/// The keys; `None`: one of them is none, which was noted.
pub(super) fn keys(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<Keys> {
    if !reader.has(KEY) {
        return Some(Keys::default());
    }
    let words = reader.need_texts(KEY);
    // `leadpact init` reads files whose variables nobody has set yet; nothing is sealed then.
    let text = |text: &str| if text == NOT_SET { new_key() } else { text.to_owned() };
    let texts: Vec<SecretString> = words.iter().map(|word| SecretString::from(text(word.text))).collect();
    match Keys::read(&texts) {
        Ok(keys) => Some(keys),
        Err((at, why)) => {
            let message = format!("an entry of `{KEY}` {why}: it must be {KEY_BYTES} random bytes in base64");
            sink.error_with(words[at].span.clone(), message, MAKE);
            None
        }
    }
}

/// Notes every connection that somebody signs in to with a browser, where there is no key.
pub(super) fn needed(root: &Reader<'_>, keys: Option<&Keys>, connections: &[Connection], sink: &Sink<'_>) {
    // A key that is there and wrong was told.
    if keys.is_none_or(|keys| !keys.is_empty()) {
        return;
    }
    for connection in connections.iter().filter(|c| BrowserSignIn::of(c).is_some()) {
        let message = "somebody signs in here with a browser, and there is no key to keep the tokens safe with";
        let help = format!("set [store] {KEY} = [\"${{LEADPACT_CREDENTIAL_KEY}}\"]; {MAKE}");
        let place = place(root, connection.name.as_str()).unwrap_or_else(|| root.span_of("connection"));
        sink.error_with(place, message, help);
    }
}

/// Where a connection says that somebody signs in.
fn place(root: &Reader<'_>, name: &str) -> Option<Range<usize>> {
    let entries = root.entries();
    let (_, connections) = entries.iter().find(|(word, _)| word.text == "connection")?;
    let mut tables = connections.get_ref().as_array()?.iter().filter_map(|one| one.get_ref().as_table());
    let table = tables.find(|table| table.get("name").is_some_and(|word| word.get_ref().as_str() == Some(name)))?;
    table.get("sign_in").map(toml::Spanned::span)
}
