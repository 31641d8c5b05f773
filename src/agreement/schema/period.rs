//! `[[commitment]]` and `[currency]` in the schema.

use super::shapes::{Table, choice, condition, entries_named, line, target, text};
use serde_json::{Value, json};

const CODE: &str = "^[A-Z]{3}$";

pub(super) fn commitment() -> Value {
    Table::new("What one side promises the other, measured over a period.")
        .need("name", line("What it is called."))
        .need("by", line("The party that promises."))
        .need("to", line("The party that it is promised to."))
        .need("measure", measure())
        .need("target", target())
        .need("period", choice(&["week", "month", "quarter"], "How often it is measured."))
        .key("credit", text("What becomes of it when it is missed, in words."))
        .into_value()
}

/// Exactly one kind; `complete` has its stage beside it.
fn measure() -> Value {
    let kinds = [
        "count",
        "defined",
        "conversion",
        "on_time",
        "median",
        "p90",
        "close_ratio",
        "revenue_share",
        "complete",
        "attested",
    ];
    let one: Vec<Value> = kinds.iter().map(|kind| json!({ "required": [kind] })).collect();
    Table::new("What is measured: one of these.")
        .key("count", text("How many records reach this stage."))
        .key("defined", text("The share of records that met the definition of this handoff."))
        .key("conversion", json!({ "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2, "description": "The share of records at the first stage that reach the second: [\"mql\", \"tal\"]." }))
        .key("on_time", text("The share of runs of this clock that are met in time."))
        .key("median", text("The median time of this clock."))
        .key("p90", text("The 90th percentile of the time of this clock."))
        .key("close_ratio", condition("The share of decided opportunities that were won, of those that this takes."))
        .key("revenue_share", condition("The share of won revenue whose opportunities this takes."))
        .key("complete", text("The share of records at `stage` whose field is filled in."))
        .key("stage", text("The stage that `complete` looks at."))
        .key("attested", choice(&["weekly", "monthly", "quarterly"], "What no CRM records: a person says so, as often as this."))
        .with("oneOf", json!(one))
        .with("dependentRequired", json!({ "complete": ["stage"], "stage": ["complete"] }))
        .into_value()
}

pub(super) fn currency() -> Value {
    let code = json!({ "pattern": CODE });
    let rate = json!({ "type": "number", "exclusiveMinimum": 0, "description": "What one unit is worth in the base currency." });
    let base = json!({ "type": "string", "pattern": CODE, "description": "The currency that amounts are compared and summed in: three letters of ISO 4217." });
    Table::new("How amounts of several currencies are compared.")
        .need("base", base)
        .key("rates", entries_named(code, rate, "One unit of each currency in the base currency: { EUR = 1.08 }."))
        .into_value()
}
