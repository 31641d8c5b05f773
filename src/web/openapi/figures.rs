//! What is said of `api_figures.rs`: scorecard, waterfall and campaigns.

use super::schema::{
    Field, Schema, anything, count, flag, integer, list, map, may, must, named, object, text, word, written,
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
    const PERIOD: &str = "`week`, `month`, `quarter`, `last-week`, `last-month`, `last-quarter`, or a name such as \
        `2027-W05`, `2027-03`, `2027-Q1`.";
    operation
        .says(
            "One report for each connection. Figures are kept for a while; times in them are milliseconds since 1970.",
        )
        .asks("connection", written(), "Only this one.")
        .asks("period", written().usually("month"), PERIOD)
        .answers(202, "They are being counted. `Retry-After` says in how many seconds to ask again.", named("Counting"))
        .refuses(404, "No connection is called so.")
}

pub(super) fn room() -> Room {
    let lines = || list(map(anything()));
    let by = word(&["", "source", "campaign", "party", "owner"]);
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
        asks(Operation::get("/api/v1/campaigns", "What campaigns and sources brought"))
            .asks("by", by, "Splits the waterfall alone; changes nothing here.")
            .answers(
                200,
                "By campaign and by source.",
                report([must("by_campaign", lines()), must("by_source", lines()), may("recycles", count())]),
            ),
    ];
    Room { name: "Figures", operations, schemas: vec![("Counting", counting())] }
}
