//! The words of a package: what our own fields are called and hold, why a field is watched.

use super::wiring::{Own, Watched};
use crate::record::FieldType;

impl Own {
    /// The field's label in the CRM.
    pub fn label(&self) -> &'static str {
        match self.name.as_str() {
            "flag" => "leadpact violation",
            "violation" => "leadpact violations",
            "due" => "leadpact due",
            "clock" => "leadpact clock",
            _ => "leadpact last action",
        }
    }

    /// What the field holds.
    pub fn meaning(&self) -> &'static str {
        match self.name.as_str() {
            "flag" => "Set while the record breaks the agreement. Kept by leadpact.",
            "violation" => "What the record breaks, and since when. Kept by leadpact.",
            "due" => "The next deadline. Kept by leadpact.",
            "clock" => "The promise that is due next. Kept by leadpact.",
            _ => "What leadpact did last. Kept by leadpact.",
        }
    }

    /// Several violations do not fit into one line.
    pub fn is_long(&self) -> bool {
        self.kind == FieldType::Text && self.name.as_str() == "violation"
    }

    /// What an administrator calls such a field.
    pub fn sort(&self) -> &'static str {
        match self.kind {
            FieldType::Bool => "checkbox",
            FieldType::Number => "number",
            FieldType::Date => "date",
            FieldType::Time => "date and time",
            FieldType::Text if self.is_long() => "long text",
            FieldType::Text => "text",
        }
    }
}

impl Watched {
    /// Why it is watched, as one cell of a table.
    pub fn reasons(&self) -> String {
        plain(&self.why.join("; "))
    }
}

/// A text of somebody's as one line of Markdown that is neither markup nor HTML.
pub(super) fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => plain.extend(['\\', c]),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}
