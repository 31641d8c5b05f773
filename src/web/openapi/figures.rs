//! What is said of `api_figures.rs`: scorecard, waterfall with what is behind its bars, and campaigns.

use super::schema::{
    Field, Schema, anything, count, flag, integer, like, list, map, may, must, named, object, sought, text, time, word,
};
use super::{Operation, Room};

/// What every report says of itself; its parts come after.
fn report(parts: impl IntoIterator<Item = Field>) -> Schema {
    let head = [
        must("connection", text()),
        must("period", anything().says("The period, by name or in its parts.")),
        must("from", integer().says("Milliseconds since 1970, as all times in a report.")),
        must("until", integer().says("Exclusive.")),
        must("now", integer().says("The moment up to which everything is known.")),
        must("is_open", flag().says("Whether the period still runs.")),
        must("title", text()),
        must("version", text()),
        must("agreement", text().says("The hash of the version that measures the period.")),
        must("currency", text().or_null()),
        must("notes", list(text()).says("What had to be left out, each in a sentence.")),
    ];
    list(object(head.into_iter().chain(parts)))
}

fn counting() -> Schema {
    object([must("counting", flag()), must("hint", text())])
}

fn asks(operation: Operation) -> Operation {
    let operation = operation.says(
        "One report for each connection. Figures are kept for a while; times in them are milliseconds since 1970.",
    );
    counted(operation.of_connection("Only this one.").asks("period", period(), PERIOD))
}

/// May have to be counted first.
pub(super) fn counted(operation: Operation) -> Operation {
    const AGAIN: &str = "They are being counted. `Retry-After` says in how many seconds to ask again.";
    operation.answers(202, AGAIN, named("Counting"))
}

fn campaigns_csv() -> Operation {
    let table = Operation::get("/api/v1/campaigns.csv", "What campaigns, or sources, brought, as CSV")
        .asks("connection", sought(), "Of this one; without it the first.")
        .asks("period", period(), PERIOD)
        .asks("by", word(&["", "campaign", "source"]), "A line for each campaign, or for each source.")
        .serves_text("text/csv", "A line for each, under a line of names.")
        .refuses(404, "No connection is called so, or none is configured.");
    counted(table)
}

/// The records behind a bar.
fn stage() -> Operation {
    let record = object([
        must("record", named("Record")),
        must("url", text().or_null().says("Where a person opens it in the CRM.")),
        must("at", time().says("When it came to the stage.")),
        must("pass_kind", word(&["first", "recycled", "revived", "returned"])),
        must("party", text().or_null()),
        must("owner", text().or_null()),
        must("owner_name", text().or_null()),
    ]);
    let part = object([
        must("connection", text()),
        must("period", text()),
        must("stage", text()),
        must("records", list(record)),
        must("note", text().or_null().says("Where the list counts otherwise than the chart.")),
        must("next", text().or_null()),
    ]);
    Operation::get("/api/v1/waterfall/stage", "The records behind a bar of the waterfall, the newest first")
        .needs("stage", sought(), "The stage, by its name in the agreement.")
        .asks("connection", sought(), "Of this one; without it the first.")
        .asks("period", period(), PERIOD)
        .asks(
            "passes",
            word(&["", "again", "all"]),
            "Deliveries, what came back, or both; deliveries where it is not said.",
        )
        .asks("by", word(&SPLITS), "What `value` is.")
        .asks("value", sought(), "Only those of this source, campaign, party or owner; empty: where it is not set.")
        .pages(100, 100)
        .answers(200, "A part of the list. It can be short of records and still go on.", part)
        .refuses(404, "There is no such connection, or the agreement of that period has no such stage.")
}

const SPLITS: [&str; 5] = ["", "source", "campaign", "party", "owner"];

const PERIOD: &str = "`week`, `month`, `quarter`, `last-week`, `last-month`, `last-quarter`, or a name such as \
    `2027-W05`, `2027-03`, `2027-Q1`; the years 1971 to 9000.";

/// The grammar of periods. A week 53 that its year does not have is refused nevertheless.
fn period() -> Schema {
    const YEAR: &str = "(19(7[1-9]|[89][0-9])|[2-8][0-9]{3}|9000)";
    const PART: &str = "(W(0[1-9]|[1-4][0-9]|5[0-3])|Q[1-4]|0[1-9]|1[0-2])";
    like(&format!("^((last-)?(week|month|quarter)|{YEAR}-{PART})?$"), 12).usually("month")
}

pub(super) fn room() -> Room {
    let lines = || list(map(anything()));
    let by = word(&SPLITS);
    let operations = vec![
        asks(Operation::get("/api/v1/scorecard", "Every commitment of both sides"))
            .asks("by", by.clone(), "Splits the waterfall alone; changes nothing here.")
            .answers(
                200,
                "Each commitment with target, attained, trend and forecast.",
                report([must("commitments", lines())]),
            ),
        asks(Operation::get("/api/v1/waterfall", "How leads go down the stages"))
            .asks("by", by.clone(), "Split by that.")
            .answers(200, "The whole, then its parts.", report([must("waterfall", anything())])),
        stage(),
        asks(Operation::get("/api/v1/campaigns", "What campaigns and sources brought"))
            .asks("by", by, "Splits the waterfall alone; changes nothing here.")
            .answers(
                200,
                "By campaign and by source.",
                report([must("by_campaign", lines()), must("by_source", lines()), may("recycles", count())]),
            ),
        campaigns_csv(),
    ];
    Room { name: "Figures", operations, schemas: vec![("Counting", counting())] }
}
