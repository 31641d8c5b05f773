//! `[[stage]]` and `[data.*]` in the schema.

use super::shapes::{Table, choice, condition, entries_named, line, text};
use crate::agreement::dictionary::{RESERVED, TYPES, WORDS};
use serde_json::{Value, json};

pub(super) fn stage() -> Value {
    Table::new("A term of the agreement, and the rule that recognises it.")
        .need("name", line("How the rest of the agreement calls it: `mql`."))
        .need("term", line("The term, in words: `Marketing qualified lead`."))
        .key("means", text("What both sides mean by it."))
        .need(
            "of",
            choice(&["lead", "opportunity"], "What kind of record it is a stage of. Stages of leads come first."),
        )
        .need("when", condition("A record is at the last listed stage whose condition holds."))
        .key(
            "ends",
            choice(
                &["won", "lost", "rejected", "nurture"],
                "How a record ends here. Stages without it, and `won`, are the waterfall.",
            ),
        )
        .into_value()
}

pub(super) fn data() -> Value {
    Table::new("Fields beyond the dictionary; each connection maps them to the CRM's own.")
        .key("lead", fields("Further fields of leads, each with its type: region = \"text\"."))
        .key("opportunity", fields("Further fields of opportunities, each with its type."))
        .into_value()
}

fn fields(description: &str) -> Value {
    let taken: Vec<&&str> = RESERVED.iter().chain(WORDS).collect();
    let names = json!({ "pattern": "^[a-z][a-z0-9_]*$", "not": { "enum": taken } });
    entries_named(names, choice(TYPES, "The type of its values."), description)
}
