//! What is said of `api_deliveries.rs`.

use super::super::deliveries::Tab;
use super::schema::{
    Field, Schema, count, flag, integer, list, may, must, named, object, sought, text, time, word, written,
};
use super::{Operation, Room};

fn delivery() -> Vec<Field> {
    vec![
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
    ]
}

/// The record that something is about, if it is about one.
pub(super) fn about() -> Schema {
    object([
        must("connection", text()),
        must("object", word(&["lead", "opportunity"])),
        must("id", text()),
        must("name", text().or_null()),
    ])
    .or_null()
}

/// One of them with its body.
fn told() -> Schema {
    let line = || object([must("at", time()), must("record", about()), must("what", text())]);
    let body = object([
        must("title", text()),
        must("text", text().says("Laid out, without what lets somebody in.")),
        must("cut_from", integer().or_null().says("The whole size in bytes, where not all of it is here.")),
    ]);
    let more = [
        must("says", list(line()).says("What a delivery says, by record.")),
        must("says_more", count().says("Of that, what is not listed.")),
        must("unread", text().or_null().says("Why a delivery cannot be read.")),
        must("bodies", list(body)),
        must("course", list(line()).says("What became of it, by the journal.")),
    ];
    object(delivery().into_iter().chain(more))
}

/// Nothing, and the words of all three lists, each once.
fn words(of: fn(Tab) -> &'static [&'static str]) -> Schema {
    let mut all = vec![""];
    for one in Tab::ALL.into_iter().flat_map(of) {
        if !all.contains(one) {
            all.push(one);
        }
    }
    word(&all)
}

fn list_of_them() -> Operation {
    let part =
        object([must("tab", text()), must("deliveries", list(named("Delivery"))), must("next", text().or_null())]);
    let sorts = "Of the outbox `read`, `write`, `notify`, `task`; of the inbox `delivery`, `order`, `event`.";
    Operation::get("/api/v1/deliveries", "What goes out, what comes in, and letters")
        .asks("tab", word(&["outbox", "inbox", "letters"]).usually("outbox"), "Which of the three.")
        .of_connection("Only of this one.")
        .asks("state", words(Tab::states), "Only in this state; each of the three has states of its own.")
        .asks("sort", words(Tab::sorts), sorts)
        .asks("record", sought(), "Of the outbox: a record by its id in the CRM, or its name.")
        .pages(100, 100)
        .answers(200, "A part of the list, the newest first.", part)
}

pub(super) fn room() -> Room {
    let why = || written().says("For the journal.");
    let window = object([
        must("connection", written()),
        must("from", time().says("Included: when effects were given up, and deliveries received.")),
        must("until", time().says("Not included.")),
        may("dry_run", flag().says("Only counts.")),
        may("why", why()),
    ]);
    let replayed = object([
        must("replayed", flag().says("False where it was only counted.")),
        must("effects", count()),
        must("received", count().says("Deliveries, orders and events.")),
    ]);
    let operations = vec![
        list_of_them(),
        Operation::get("/api/v1/deliveries/{id}", "One of them with its body, and what became of it").answers(
            200,
            "All that is known of it.",
            named("DeliveryTold"),
        ),
        Operation::post("/api/v1/deliveries/{id}/replay", "Try again what was given up")
            .takes(object([may("why", why())]))
            .answers(200, "Whether there was something to try again.", object([must("replayed", flag())])),
        Operation::post("/api/v1/deliveries/{id}/drop", "Give up for good what waits for a person")
            .says("Letters are not waited for, and nothing becomes of it.")
            .takes(object([must("why", why())]))
            .answers(200, "Whether it waited for somebody.", object([must("dropped", flag())]))
            .refuses(409, "No reason is given."),
        Operation::post("/api/v1/deliveries/replay", "Try again all that was given up in a stretch of time")
            .says("With `dry_run` first: it says how much that is.")
            .takes(window)
            .answers(200, "How much it is.", replayed)
            .refuses(404, "No connection is called so.")
            .refuses(409, "The stretch of time ends before it begins."),
    ];
    let schemas = vec![("Delivery", object(delivery())), ("DeliveryTold", told())];
    Room { name: "Deliveries", operations, schemas }
}
