//! What is said of `api_journal.rs`, `api_health.rs` and `api_needs.rs`.

use super::deliveries::about;
use super::figures::counted;
use super::schema::{
    Schema, anything, between, count, flag, integer, like, list, map, may, must, named, object, some_day, sought, text,
    time, word, written,
};
use super::{Operation, Room};
use crate::record::FactKind;

fn entry() -> Schema {
    object([
        must("seq", integer().says("Its place in the connection's journal.")),
        must("kind", text()),
        must("at", time()),
        must("seen_at", time()),
        must("record", about()),
        must("what", text().says("In words.")),
        must("who", text().or_null()),
        must("clock", text()),
        must("run", count()),
        must("pass", count()),
        must("party", text().or_null()),
        must("owner", text().or_null()),
        must("stage", text().or_null()),
        must("detail", map(anything()).says("Moments in it are milliseconds since 1970.")),
        must("erased", flag()),
        must("agreement", text()),
        must("hash", text().says("Ties it to all before it.")),
    ])
}

/// What is known of a journal's chain.
fn chain() -> Schema {
    let last = object([
        must("at", time()),
        may("error", text().says("Why it could not be verified.")),
        may("holds", flag()),
        may("entries", count().says("Those that hold, up to the first that does not.")),
        may("erased", count().says("Those of them whose values were deleted.")),
        may("head", text().or_null().says("Of the last entry that holds; note it, and hold it against a later one.")),
        may("first_bad", integer().or_null()),
        may("fault", text().or_null()),
    ]);
    object([
        must("connection", text()),
        must("walking", object([must("walked", count()), must("of", count())]).or_null()),
        must("last", last.or_null()),
    ])
}

fn health() -> Schema {
    let check = object([
        must("verdict", text()),
        must("about", text()),
        must("what", text()),
        must("found", text()),
        may("fix", text()),
    ]);
    let checked = object([
        must("at", time()),
        may("verdict", text()),
        may("checks", list(check)),
        may("error", text().says("Why nothing could be checked.")),
    ]);
    object([
        must("connections", list(fares())),
        must("checking_since", time().or_null()),
        must("checked", checked.or_null().says("What was last found; `POST /api/v1/health/check` checks anew.")),
    ])
}

fn fares() -> Schema {
    let calls = object([must("used", count()), must("allowed", count())]);
    let signed_in =
        object([must("by", text()), must("at", time()), must("granted", time()), must("expires", time().or_null())]);
    object([
        must("name", text()),
        must("state", text()),
        must("mode", word(&["enforces", "armed", "observes"])),
        must("crm", text().says("What it is called.")),
        must("switchable", flag().says("Whether it can be armed and disarmed: the configuration names no mode.")),
        must("paused_until", time().or_null()),
        must("worked_by", text().or_null()),
        must("last_event", time().or_null()),
        must("last_write", time().or_null()),
        must("oldest_waiting", time().or_null()),
        must("deliveries", object([must("waiting", count()), must("parked", count())])),
        must(
            "effects",
            object([must("due", count()), must("sending", count()), must("held", count()), must("parked", count())]),
        ),
        must("calls_of_the_day", calls.or_null()),
        must("signed_in", signed_in.or_null()),
    ])
}

/// What waits for somebody.
fn needs() -> Operation {
    const KINDS: [&str; 6] = ["paused", "held", "parked", "dispute", "attest", "unsigned"];
    let attest = object([
        must("commitment", text()),
        must("period", text()),
        must("may_attest", flag().says("Whether whoever asks may answer.")),
    ]);
    let need = object([
        must("kind", word(&KINDS)),
        must("what", text().says("In words.")),
        must("why", text()),
        must("page", text().or_null().says("The path of the page where a person sees to it.")),
        must("attest", attest.or_null().says("What `POST /api/v1/attestations` would be told.")),
    ]);
    let operation = Operation::get("/api/v1/needs", "What waits for somebody, what keeps others from working first")
        .asks("connection", sought(), "In this one; without it the first.")
        .refuses(404, "No connection is called so, or none is configured.")
        .answers(200, "All of it, but for deadlines.", object([must("connection", text()), must("needs", list(need))]));
    counted(operation)
}

fn before() -> Schema {
    like("^[0-9]{0,18}$", 18)
}

/// What the journal can be narrowed by.
fn filtered(operation: Operation) -> Operation {
    let kinds: Vec<&str> = std::iter::once("").chain(FactKind::ALL.iter().map(|kind| kind.as_str())).collect();
    operation
        .asks("connection", sought(), "Whose; each connection has a journal of its own. Without it the first one's.")
        .asks("kind", word(&kinds), "Only facts of this kind.")
        .asks("record", sought(), "A record by its id in the CRM, or its name.")
        .asks("who", sought(), "An owner by name or id, `leadpact` or `automation`.")
        .asks("clock", sought(), "A clock, requirement or handoff.")
        .asks("from", some_day(), "A day in the agreement's zone, included.")
        .asks("until", some_day(), "A day in the agreement's zone, included.")
}

pub(super) fn room() -> Room {
    let checking = object([
        must("began", flag().says("False where one went on already.")),
        must("checking_since", time().or_null()),
    ]);
    let operations = vec![
        filtered(Operation::get("/api/v1/journal", "A connection's journal, the newest entry first"))
            .refuses(404, "No connection is called so.")
            .asks("before", before(), "`next` of the answer before; without it the newest are told.")
            .asks("limit", between(1, 100).usually(100), "How many at most.")
            .answers(
                200,
                "A part of the journal.",
                object([
                    may("connection", text()),
                    must("entries", list(named("Entry"))),
                    must("next", integer().or_null()),
                ]),
            ),
        filtered(Operation::get("/api/v1/journal.csv", "The same as CSV, all of it in one file"))
            .says(
                "It comes piece by piece, however long it is. If it breaks off, the connection ends without its end: \
                 what is whole ends as HTTP says. Texts that a spreadsheet would take for formulas are made harmless.",
            )
            .serves_text("text/csv", "A line an entry, the newest first, under a line of names. UTF-8 with its mark.")
            .refuses(404, "No connection is called so, or none is configured."),
        needs(),
        Operation::get("/api/v1/health", "How the connections fare, and what was last found when all was checked")
            .answers(200, "By what is stored; nothing is checked for it.", named("Health")),
        Operation::post("/api/v1/health/check", "Have everything checked anew, as `leadpact doctor` does")
            .takes(object([]))
            .answers(202, "It goes on; `GET /api/v1/health` tells what was found.", checking)
            .refuses(409, "Nobody checks from here."),
        Operation::get("/api/v1/journal/verify", "What is known of a journal's hash chain")
            .needs("connection", sought(), "Whose journal.")
            .answers(200, "A walk along it that goes on, and how the last one ended.", named("Chain"))
            .refuses(404, "No connection is called so."),
        Operation::post("/api/v1/journal/verify", "Walk along a journal's hash chain")
            .says("In the background, one at a time.")
            .takes(object([must("connection", written().says("Whose journal."))]))
            .answers(202, "It goes on; `GET` tells how it ended.", named("Chain"))
            .refuses(404, "No connection is called so.")
            .refuses(409, "Another connection's journal is being verified."),
    ];
    let schemas = vec![("Entry", entry()), ("Health", health()), ("Chain", chain())];
    Room { name: "Journal and health", operations, schemas }
}
