//! `[[handoff]]`, its clocks with their steps, and `[[requirement]]` in the schema.

use super::shapes::{Table, audience, choice, condition, flag, line, list, pattern, some_span, step_at, text, values};
use serde_json::{Value, json};

const FIELD: &str = "A field, by its logical name: of the dictionary, or declared under [data].";

pub(super) fn handoff() -> Value {
    let stage = || line("The stage at which the record is handed over. `at` and `on` mean the same.");
    Table::new("A record passes from one party to the next by reaching a stage.")
        .need("name", line("What it is called: `Marketing to teleprospecting`."))
        .need("from", line("The party that hands over."))
        .need("to", line("The party that receives, and owes the clocks."))
        .key("at", stage())
        .key("on", stage())
        .key(
            "definition",
            condition("What a record must meet to be handed over; what does not opens a violation against the sender."),
        )
        .key("requires", list(text(FIELD), 0, "Fields that must be filled in at the handoff."))
        .key("reject", reject())
        .key("accept", accept())
        .key(
            "snooze",
            pattern(&some_span(), "How long the owner's next notice is put off on request, once a run: `1bh`."),
        )
        .key("clock", list(clock(), 0, "What the receiver promises to do, each by its deadline."))
        .with("oneOf", json!([{ "required": ["at"] }, { "required": ["on"] }]))
        .into_value()
}

fn accept() -> Value {
    Table::new("What accepting in Slack or an e-mail writes. Without it: what makes the next stage's condition true.")
        .need("set", values("The fields and their values; none: accepting is not offered there."))
        .into_value()
}

fn reject() -> Value {
    Table::new("How the receiver may reject a record. One without an agreed reason does not count as rejected.")
        .need("stage", line("The stage that means rejected."))
        .need("reason", line("The field that the reason stands in."))
        .need("allowed", list(text("A reason, as the CRM writes it; case does not matter."), 1, "The agreed reasons."))
        .key(
            "set",
            values("What rejecting in Slack or an e-mail writes. Without it: what the stage's condition asks for."),
        )
        .into_value()
}

fn clock() -> Value {
    let table = Table::new("A promise with a deadline. It starts when the handoff's stage is reached.")
        .need("name", line("What it is called; unique in the agreement."))
        .need(
            "until",
            condition(
                "What meets it. Beside the fields: `stage == \"…\"`, `reached(\"…\")`, and `touches` since it began.",
            ),
        )
        .key(
            "restarts_on",
            list(
                choice(&["owner", "touch"], "A new owner, or each touch."),
                0,
                "What starts it anew with the full time.",
            ),
        );
    common(table).into_value()
}

pub(super) fn requirement() -> Value {
    let table = Table::new("Fields that are mandatory from a stage on.")
        .need("name", line("What it is called; unique among the clocks too."))
        .need("by", line("The party that fills them in."))
        .need("since", line("The stage from which on they are mandatory."))
        .need("fields", list(text(FIELD), 1, "The fields."));
    common(table).into_value()
}

/// What clocks of handoffs and of requirements have in common.
fn common(table: Table) -> Table {
    table
        .need(
            "within",
            pattern(
                &some_span(),
                "How long: `4 business hours` (`4bh`), `15 business days` (`15bd`), or on the clock `90d`, `30m`.",
            ),
        )
        .key("calendar", text("The calendar that it is counted on, unless it is the owing party's."))
        .key("pauses", condition("While this holds, time stands still."))
        .key("cancels", condition("When this holds, the clock ends without a breach."))
        .key("steps", list(step(), 0, "What is done on the way, in the order of the moments."))
}

fn step() -> Value {
    let (does, is_true) = (
        |key: &str| json!({ "required": [key] }),
        |key: &str| json!({ "required": [key], "properties": { key: { "const": true } } }),
    );
    Table::new("Something that is done at a point of the clock.")
        .need("at", step_at())
        .key("name", text("Its own name, unless its `at` will do; unique in the clock."))
        .key("notify", list(audience(), 0, "Who is told."))
        .key("task", text("A task is made in the CRM with this title; `{{ record.name }}` is the record's name."))
        .key("flag", flag("Write onto the record what is missing."))
        .key("set", values("Fields that are set on the record."))
        .key("reassign", line("The party that gets the record. Not before the deadline."))
        .key("recycle", flag("The lead goes back as [recycling] says. Not before the deadline."))
        .key("nurture", flag("The lead goes to nurture as [nurture] says. Not before the deadline."))
        .with(
            "anyOf",
            json!([
                does("notify"),
                does("task"),
                does("set"),
                does("reassign"),
                is_true("flag"),
                is_true("recycle"),
                is_true("nurture"),
            ]),
        )
        .into_value()
}
