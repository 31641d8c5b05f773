//! What is said of `api_deliveries.rs`, `api_journal.rs` and `api_health.rs`.

use super::schema::{
    Schema, anything, between, count, flag, integer, list, map, may, must, named, object, text, time, word, written,
    written_up_to,
};
use super::{Operation, Room};

fn delivery() -> Schema {
    object([
        must("id", text()),
        must("connection", text()),
        must("state", text()),
        must("kind", text()),
        must("what", text()),
        must("to", text()),
        must("record", about()),
        must("at", time().says("When it was received, or came into its state.")),
        must("attempts", count()),
        must("next_try", time().or_null()),
        must("error", text().or_null().says("The last error, or how it ended.")),
        must("waits_for_a_person", flag()),
    ])
}

/// The record that something is about, if it is about one.
fn about() -> Schema {
    object([
        must("connection", text()),
        must("object", word(&["lead", "opportunity"])),
        must("id", text()),
        must("name", text().or_null()),
    ])
    .or_null()
}

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
        must("checked", checked.or_null().says("What was last found; `leadpact doctor` and the page check anew.")),
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

pub(super) fn room() -> Room {
    let operations = vec![
        Operation::get("/api/v1/deliveries", "What goes out, what comes in, and letters")
            .asks("tab", word(&["outbox", "inbox", "letters"]).usually("outbox"), "Which of the three.")
            .asks("connection", written(), "Only this one.")
            .asks("state", written(), "Only in this state.")
            .asks(
                "sort",
                written(),
                "Of the outbox `read`, `write`, `notify`, `task`; of the inbox `delivery`, `order`, `event`.",
            )
            .asks("record", written(), "A record by its id in the CRM, or its name.")
            .pages(100, 100)
            .answers(
                200,
                "A part of the list, the newest first.",
                object([
                    must("tab", text()),
                    must("deliveries", list(named("Delivery"))),
                    must("next", text().or_null()),
                ]),
            ),
        Operation::post("/api/v1/deliveries/{id}/replay", "Try again what was given up")
            .takes(object([may("why", written().says("For the journal."))]))
            .answers(200, "Whether there was something to try again.", object([must("replayed", flag())])),
        Operation::get("/api/v1/journal", "A connection's journal, the newest entry first")
            .asks(
                "connection",
                written(),
                "Whose; each connection has a journal of its own. Without it the first one's.",
            )
            .asks("kind", written(), "Only facts of this kind.")
            .asks("record", written(), "A record by its id in the CRM, or its name.")
            .asks("who", written(), "An owner by name or id, `leadpact` or `automation`.")
            .asks("clock", written(), "A clock, requirement or handoff.")
            .asks("from", written(), "A day in the agreement's zone, included.")
            .asks("until", written(), "A day in the agreement's zone, included.")
            .asks("before", written_up_to(40), "`next` of the answer before; without it the newest are told.")
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
        Operation::get("/api/v1/health", "How the connections fare, and what was last found when all was checked")
            .answers(200, "By what is stored; nothing is checked for it.", named("Health")),
    ];
    let schemas = vec![("Delivery", delivery()), ("Entry", entry()), ("Health", health())];
    Room { name: "Deliveries, journal and health", operations, schemas }
}
