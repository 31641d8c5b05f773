//! What is said of `api_agreement.rs` and `api_disputes.rs`: the agreement with its versions and
//! signatures, and disputes.

use super::schema::{
    Field, Schema, count, day, flag, list, may, must, named, object, sought, text, time, word, written,
};
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

fn dispute() -> Vec<Field> {
    let record =
        object([must("connection", text()), must("object", word(&["lead", "opportunity"])), must("id", text())]);
    let fact = object([must("kind", text()), must("at", time()), must("source", text()), must("key", text())]);
    vec![
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
        must("state", word(&["open", "exhausted", "upheld", "dismissed", "withdrawn"])),
        must("decided_at", time().or_null()),
        must("decided_by", text().or_null()),
        must("verdict", text().or_null()),
    ]
}

/// A dispute with the way it went.
fn told() -> Schema {
    let way = object([must("at", time()), must("what", text())]);
    let more = [
        must("name", text().says("What the record is called; its id where it has no name.")),
        must("url", text().or_null().says("Where a person opens the record in the CRM.")),
        must("what", text().says("The disputed fact in a sentence.")),
        must("owner_name", text().or_null()),
        must("steps", count().says("How many steps the agreement has.")),
        must("turn", text().says("Whose turn it is, or who decided.")),
        must("way", list(way).says("What became of it so far, by the journal.")),
    ];
    object(dispute().into_iter().chain(more))
}

fn difference() -> Schema {
    let verdict = object([must("way", word(&["stricter", "looser", "mixed"])), must("party", text())]);
    let line = object([must("text", text()), must("verdict", verdict.or_null().says("For whom it is stricter."))]);
    let group = object([must("part", text()), must("lines", list(line))]);
    object([must("from", text()), must("to", text()), must("groups", list(group).says("None: both say the same."))])
}

fn signing() -> Operation {
    let body = object([
        may("connection", written().or_null().says("Where connections have agreements of their own.")),
        must("hash", written().says("The version that is signed, by its hash.")),
        must("party", written().says("The party that is signed for, as the agreement calls it.")),
        may("name", written().or_null().says("Who signs; without it, whom the agreement names.")),
        may("title", written().or_null().says("As what; without it, as the agreement says.")),
        may("on_behalf", flag().says("Somebody else than the agreement names may sign, on that person's behalf.")),
    ]);
    let signed = object([
        must("signed", flag().says("Whether it is new: a party signs a version once.")),
        must("version", named("Version")),
        must("outlook", text().says("What follows from it, in a sentence.")),
    ]);
    Operation::post("/api/v1/agreement/sign", "Put a party's signature under one exact version")
        .says(
            "A token stands for no person: it is said who signs, and the signature names the token as the hands that \
             entered it. People who are signed in do this on the page of the version.",
        )
        .takes(body)
        .answers(200, "The version with its signatures.", signed)
        .refuses(403, "The token's scope does not suffice, or it is a person's session.")
        .refuses(404, "No such connection is at work, or no version of this hash is kept.")
        .refuses(409, "It cannot be signed so; the message says why.")
}

pub(super) fn room() -> Room {
    let mut operations = vec![
        Operation::get("/api/v1/agreement", "The agreement in force, its versions and who signed them")
            .asks("connection", sought(), "Where connections have agreements of their own.")
            .answers(200, "The agreement.", named("Agreement"))
            .refuses(404, "No such connection is at work."),
        Operation::get("/api/v1/agreement/difference", "What differs between two versions, in words")
            .needs("from", sought(), "The version's hash, as an answer gave it.")
            .needs("to", sought(), "The other version's.")
            .asks("connection", sought(), "Where connections have agreements of their own.")
            .answers(200, "The changes, part by part.", difference())
            .refuses(404, "No such connection is at work, or no version of this hash is kept."),
        signing(),
    ];
    operations.extend(disputes());
    let schemas = vec![
        ("Agreement", agreement()),
        ("Version", version()),
        ("Signature", signature()),
        ("Dispute", object(dispute())),
        ("DisputeTold", told()),
    ];
    Room { name: "The agreement and disputes", operations, schemas }
}

fn disputes() -> Vec<Operation> {
    let states = ["", "waiting", "over", "open", "exhausted", "upheld", "dismissed", "withdrawn"];
    let decision = object([must("verdict", word(&["upheld", "dismissed"])), must("why", written())]);
    let list = object([must("disputes", list(named("Dispute"))), must("next", text().or_null())]);
    vec![
        Operation::get("/api/v1/disputes", "Disputes: those that wait, the soonest step first; or those that are over")
            .asks("state", word(&states).usually("waiting"), "Those that wait, those that are over, or of one state.")
            .asks("party", sought(), "Only disputes about this party's facts.")
            .of_connection("Only of this one.")
            .goes_on()
            .answers(200, "A part of the list.", list),
        Operation::get("/api/v1/disputes/{id}", "One dispute, and the way it went").answers(
            200,
            "The dispute.",
            named("DisputeTold"),
        ),
        Operation::post("/api/v1/disputes/{id}/decide", "Decide a dispute")
            .says("The decision is that of the token's name.")
            .takes(decision)
            .answers(200, "The dispute as it is now.", named("Dispute"))
            .refuses(409, "It cannot be decided; the message says why."),
        Operation::post("/api/v1/disputes/{id}/withdraw", "Give a dispute up")
            .says("Whoever opened it does that, or an administrator.")
            .takes(object([may("why", written().says("For the journal."))]))
            .answers(200, "The dispute as it is now.", named("Dispute"))
            .refuses(403, "The token's scope does not suffice, or somebody else opened it.")
            .refuses(409, "It is over, or cannot be withdrawn now; the message says why."),
    ]
}
