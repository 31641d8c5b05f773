//! What is said of `api_agreement.rs`: the agreement with its versions and signatures, and disputes.

use super::schema::{Schema, count, day, flag, list, must, named, object, text, time, word, written, written_up_to};
use super::{Operation, Room};

fn agreement() -> Schema {
    object([
        must("title", text()),
        must("version", text()),
        must("hash", text()),
        must("active_since", time().or_null()),
        must("effective", day().or_null()),
        must("review_by", day().or_null()),
        must("connections", list(text())),
        must("versions", list(named("Version"))),
    ])
}

fn version() -> Schema {
    object([
        must("title", text()),
        must("version", text()),
        must("hash", text().says("What is signed: the SHA-256 of its meaning.")),
        must("offered_at", time()),
        must("activated_at", time().or_null()),
        must("superseded_at", time().or_null()),
        must("is_active", flag()),
        must("is_signed", flag()),
        must("missing", list(text()).says("The parties that have not signed.")),
        must("signatures", list(named("Signature"))),
    ])
}

fn signature() -> Schema {
    object([
        must("party", text()),
        must("name", text()),
        must("title", text()),
        must("on_behalf_of", text().or_null()),
        must("entered_by", text()),
        must("signed_at", time()),
    ])
}

fn dispute() -> Schema {
    let record =
        object([must("connection", text()), must("object", word(&["lead", "opportunity"])), must("id", text())]);
    let fact = object([must("kind", text()), must("at", time()), must("source", text()), must("key", text())]);
    object([
        must("id", text()),
        must("record", record),
        must("fact", fact.says("What is disputed.")),
        must("party", text().or_null()),
        must("owner", text().or_null()),
        must("opened_at", time()),
        must("by", text()),
        must("why", text()),
        must("step", count().says("How far it climbed.")),
        must("step_due", time().or_null()),
        must("state", text()),
        must("decided_at", time().or_null()),
        must("decided_by", text().or_null()),
        must("verdict", text().or_null()),
    ])
}

pub(super) fn room() -> Room {
    let decision = object([must("verdict", word(&["upheld", "dismissed"])), must("why", written())]);
    let operations = vec![
        Operation::get("/api/v1/agreement", "The agreement in force, its versions and who signed them")
            .asks("connection", written(), "Where connections have agreements of their own.")
            .answers(200, "The agreement.", named("Agreement"))
            .refuses(404, "No such connection is at work."),
        Operation::get("/api/v1/disputes", "Disputes: those that wait, the soonest step first; or those that are over")
            .asks("state", written(), "`waiting`, `over`, or one state.")
            .asks("party", written(), "Only disputes about this party's facts.")
            .asks("connection", written(), "Only this one.")
            .asks("after", written_up_to(6000), "`next` of the answer before; without it the list begins.")
            .answers(
                200,
                "A part of the list.",
                object([must("disputes", list(named("Dispute"))), must("next", text().or_null())]),
            ),
        Operation::post("/api/v1/disputes/{id}/decide", "Decide a dispute")
            .says("The decision is that of the token's name.")
            .takes(decision)
            .answers(200, "The dispute as it is now.", named("Dispute"))
            .refuses(409, "It cannot be decided; the message says why."),
    ];
    let schemas =
        vec![("Agreement", agreement()), ("Version", version()), ("Signature", signature()), ("Dispute", dispute())];
    Room { name: "The agreement and disputes", operations, schemas }
}
