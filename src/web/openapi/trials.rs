//! What is said of `api_simulate.rs` and `api_templates.rs`: what would be, and how messages look.

use super::super::pages::simulate::LONGEST;
use super::deliveries::about;
use super::schema::{
    Field, Schema, anything, count, day, flag, list, may, must, named, object, sought, text, time, word, written,
    written_up_to,
};
use super::{Operation, Room};

fn simulation() -> Vec<Field> {
    vec![
        must("id", text()),
        must("what", text()),
        must("by", text()),
        must("state", word(&["running", "done", "failed", "cancelled"])),
        must("replayed", count().says("Changes that were replayed so far.")),
        must("of", count().says("Of so many, as they were counted at its beginning.")),
    ]
}

/// As `leadpact simulate --json` prints it.
fn answer() -> Schema {
    let terms = || object([must("title", text()), must("version", text()), must("hash", text()), must("from", text())]);
    let lead = object([
        must("object", word(&["lead", "opportunity"])),
        must("id", text()),
        must("name", text()),
        must("change", word(&["only_old", "only_new", "moved"])),
        must("old_at", time().or_null()),
        must("new_at", time().or_null()),
        must("guess", flag().says("After the record's story took another turn than the recorded one.")),
    ]);
    let line = object([
        must("party", text().says("Empty where nobody is named.")),
        must("clock", text()),
        must("kind", text()),
        must("old", count()),
        must("new", count()),
        must("differences", count()),
        must("leads", list(lead).says("At most 20 of those for which it differs.")),
    ]);
    object([
        must("connection", text()),
        must("from", day().or_null()),
        must("to", day().or_null()),
        must("time_zone", text().or_null()),
        must("old", terms()),
        must("new", terms()),
        must("records", count()),
        must("changes", count()),
        must("diverged", object([must("old", count()), must("new", count())])),
        must("lines", list(line)),
    ])
}

fn simulations() -> Vec<Operation> {
    let other = "A version that is kept here, by its hash; without it the text.";
    let ask = object([
        must("connection", written()),
        may("version", written().says(other)),
        may("text", written_up_to(LONGEST as u32).says("The text of an agreement. It is read and forgotten.")),
        may("from", written().says("The first day that counts, such as 2027-01-31; empty: all that was recorded.")),
        may("to", written().says("The last day that counts.")),
    ]);
    let ended = [
        must("error", text().or_null().says("Why it failed.")),
        must("answer", answer().or_null().says("As `leadpact simulate --json` prints it.")),
    ];
    let whole = object(simulation().into_iter().chain(ended));
    vec![
        Operation::post("/api/v1/simulations", "Replay the recorded changes under other terms")
            .says("Against the terms in force. It runs in the background, one at a time; nothing is stored.")
            .takes(ask)
            .answers(202, "It runs; ask for it by its id.", named("Simulation"))
            .refuses(404, "No connection is called so.")
            .refuses(409, "Another one runs, or it cannot be asked so; the message says why, for a text line by line."),
        Operation::get("/api/v1/simulations", "The last simulations, the newest first").answers(
            200,
            "Those of the last hour, without their answers.",
            object([must("simulations", list(named("Simulation")))]),
        ),
        Operation::get("/api/v1/simulations/{id}", "A simulation, and its answer once it is done").answers(
            200,
            "How far it is.",
            whole,
        ),
        Operation::post("/api/v1/simulations/{id}/cancel", "Stop a simulation").takes(object([])).answers(
            200,
            "It ends; one that had ended stays as it was.",
            named("Simulation"),
        ),
    ]
}

fn templates() -> Vec<Operation> {
    let template = object([
        must("template", text()),
        must("of_record", flag().says("Whether it speaks of a record; the others are letters.")),
        must("own", list(text()).says("The operator's files in the place of those that come along.")),
    ]);
    let place = object([must("to", text()), must("label", text())]);
    let all = object([must("templates", list(template)), must("places", list(place).says("Where a test may go."))]);
    let preview = object([
        must("template", text()),
        must("record", about().says("The record that it speaks of; null for letters, and where none is known yet.")),
        must("subject", text()),
        must("text", text()),
        must("html", text().says("The mail.")),
        must("blocks", anything().says("Slack's blocks.")),
        must("error", text().or_null().says("Why an operator's file was not used.")),
    ]);
    let test = object([
        must("to", written().says("One of `places`.")),
        may("template", written().says("Without it `reminder`.")),
        may("connection", written()),
        may("object", word(&["", "lead", "opportunity"])),
        may("id", written().says("Without it the record whose deadline is the soonest.")),
    ]);
    const UNKNOWN: &str = "No message has this template, or nothing is known of the record.";
    vec![
        Operation::get("/api/v1/templates", "The messages that there are, and where tests of them may go").answers(
            200,
            "All of them.",
            all,
        ),
        Operation::get("/api/v1/templates/{template}", "A message as it would be sent now")
            .asks("connection", sought(), "Of the record that it speaks of.")
            .asks("object", word(&["", "lead", "opportunity"]), "Of the record.")
            .asks("id", sought(), "The record's id; without it the one whose deadline is the soonest.")
            .answers(200, "The message.", preview)
            .refuses(404, UNKNOWN),
        Operation::post("/api/v1/templates/test", "Send a message as a test")
            .says("To an address that an agreement at work names. The message says that it is a test, and who sent it.")
            .takes(test)
            .answers(200, "It was sent.", object([must("to", text()), must("id", text())]))
            .refuses(404, UNKNOWN)
            .refuses(409, "No agreement names this address.")
            .refuses(429, "Too many tests were sent within ten minutes.")
            .refuses(502, "The address did not take it; the message says why."),
    ]
}

pub(super) fn room() -> Room {
    let operations = simulations().into_iter().chain(templates()).collect();
    Room { name: "Trials", operations, schemas: vec![("Simulation", object(simulation()))] }
}
