//! A body as a person may see it: laid out, cut to a size that a page can bear, and without what lets
//! somebody in. Whatever it holds is text; templates escape it.

use serde_json::Value;

/// What is shown of a body at the most, in bytes.
pub const MOST: usize = 64 * 1024;
const HIDDEN: &str = "(hidden)";

/// A body laid out for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    pub text: String,
    /// The body's whole size in bytes, where not all of it is shown.
    pub cut_from: Option<usize>,
}

/// JSON and XML are laid out, everything else is shown as it came.
pub fn laid(body: &str) -> Laid {
    let text = match serde_json::from_str::<Value>(body) {
        Ok(mut json) => {
            hide(&mut json);
            serde_json::to_string_pretty(&json).unwrap_or_default()
        }
        Err(_) if body.trim_start().starts_with('<') => broken(&without_sessions(body)),
        Err(_) => without_sessions(body),
    };
    if text.len() <= MOST {
        return Laid { text, cut_from: None };
    }
    let end = (0..=MOST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Laid { text: text[..end].to_owned(), cut_from: Some(body.len()) }
}

/// Takes out the values of names that are secrets wherever they stand.
fn hide(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if is_secret(name) { *value = Value::from(HIDDEN) } else { hide(value) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    const ENDS: [&str; 9] =
        ["token", "secret", "password", "passwd", "apikey", "sessionid", "authorization", "signature", "privatekey"];
    ENDS.iter().any(|end| plain.ends_with(end))
}

/// Salesforce can put a session's id into an outbound message, by which its reader is signed in.
fn without_sessions(body: &str) -> String {
    const OPEN: &str = "SessionId>";
    let mut shown = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find(OPEN) {
        let (before, after) = rest.split_at(at + OPEN.len());
        shown.push_str(before);
        let end = after.find('<').unwrap_or(after.len());
        if end > 0 && !is_close(before) {
            shown.push_str(HIDDEN);
            rest = &after[end..];
        } else {
            rest = after;
        }
    }
    shown.push_str(rest);
    shown
}

/// Whether the tag that ends here closes an element.
fn is_close(text: &str) -> bool {
    text.rfind('<').is_some_and(|at| text[at..].starts_with("</"))
}

/// A line for each element.
fn broken(xml: &str) -> String {
    xml.replace("><", ">\n<")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_hidden_at_any_depth() {
        let shown = laid(r#"[{"a": {"access_token": "t0p", "Client-Secret": "x9", "token_type": "bearer"}}]"#).text;
        assert!(!shown.contains("t0p") && !shown.contains("x9"), "{shown}");
        assert!(shown.contains("bearer"));
    }

    #[test]
    fn a_session_of_salesforce_is_hidden_and_the_rest_stays() {
        let shown = laid("<x:SessionId>00D!abc</x:SessionId><Id>7</Id><SessionId xsi:nil=\"true\"/>").text;
        assert_eq!(shown, "<x:SessionId>(hidden)</x:SessionId>\n<Id>7</Id>\n<SessionId xsi:nil=\"true\"/>");
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let laid = laid(&"ä".repeat(MOST));
        assert!(laid.text.len() <= MOST && laid.text.ends_with('ä'));
        assert_eq!(laid.cut_from, Some(2 * MOST));
    }
}
