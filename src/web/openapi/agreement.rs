//! What is said of `api_agreement.rs`, `api_versions.rs` and `api_disputes.rs`: the agreement with its
//! versions and signatures, and disputes.

use super::super::pages::agreement::slides::PPTX;
use super::schema::{
    Field, Schema, anything, count, day, flag, list, map, may, must, named, object, sought, text, time, word, written,
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
        must("connections", list(text()).says("Those that it governs.")),
        must("names", names().says("What filters and orders call by name.")),
        must("freezes", list(freeze()).says("Days on which nothing is taken from anybody.")),
        must("versions", list(named("Version"))),
    ])
}

fn names() -> Schema {
    let lead = || word(&["lead", "opportunity"]);
    let signs = object([must("name", text()), must("title", text())]);
    let party = object([must("name", text()), must("signs", signs.or_null())]);
    let stage = object([must("name", text()), must("term", text()), must("object", lead())]);
    let handoff = object([must("name", text()), must("from", text()), must("to", text()), must("stage", text())]);
    let clock = object([must("name", text()), must("party", text()), must("object", lead())]);
    let attested = flag().says("By people; the others are measured.");
    let commitment = object([must("name", text()), must("by", text()), must("to", text()), must("attested", attested)]);
    object([
        must("parties", list(party)),
        must("stages", list(stage)),
        must("handoffs", list(handoff)),
        must("clocks", list(clock)),
        must("commitments", list(commitment)),
    ])
}

fn freeze() -> Schema {
    object([must("first", day()), must("last", day()), must("why", text())])
}

fn version() -> Vec<Field> {
    vec![
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
    ]
}

/// A version with its text.
fn version_told() -> Schema {
    let more = [
        must("effective_at", time().or_null().says("The first moment of its effective day; null: at once.")),
        must("standing", text().says("How it stands, in words.")),
        must("connections", list(text()).says("Those that it governs, or would.")),
        must("text", text().says("The TOML file as it was offered.")),
        must("files", map(text()).says("The files that it names, by that name.")),
        must("canonical", anything().says("Its meaning, of which the hash is taken: `sha256` of this JSON, compact.")),
    ];
    object(version().into_iter().chain(more))
}

/// Who was told of a version.
fn receipts() -> Schema {
    let receipt = object([
        must("connection", text()),
        must("owner", text().says("The person's id in the CRM.")),
        must("name", text()),
        must("email", text()),
        must("told_at", time().or_null()),
        must("confirmed_at", time().or_null().says("When it was confirmed that they have read it.")),
        must("next_try", time().or_null().says("When they are told, or told again.")),
        must("attempts", count().says("How often it was tried in vain.")),
        must("how", text().or_null().says("By what they were told, or why they were not.")),
    ]);
    object([
        must("version", text().says("Its hash.")),
        must("people", count()),
        must("told", count().says("Of these people.")),
        must("confirmed", count()),
        must("receipts", list(receipt)),
        must("next", text().or_null()),
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
    operations.extend(versions());
    operations.extend(disputes());
    let schemas = vec![
        ("Agreement", agreement()),
        ("Version", object(version())),
        ("VersionTold", version_told()),
        ("Signature", signature()),
        ("Dispute", object(dispute())),
        ("DisputeTold", told()),
    ];
    Room { name: "The agreement and disputes", operations, schemas }
}

fn versions() -> Vec<Operation> {
    const OWN: &str = "Where connections have agreements of their own.";
    const UNKNOWN: &str = "No such connection is at work, or no version of this hash is kept.";
    const TOO_MUCH: &str = "It does not fit on its slides; the message says what.";
    let which = |operation: Operation| {
        let operation = operation.asks("connection", sought(), OWN).refuses(404, UNKNOWN);
        operation.asks("version", sought(), "The version's hash; without it the one in force.")
    };
    vec![
        Operation::get("/api/v1/agreement/versions/{hash}", "One version with its text, and how it stands")
            .says("To hold the file that somebody keeps against the one that is enforced.")
            .asks("connection", sought(), OWN)
            .answers(200, "The version.", named("VersionTold"))
            .refuses(404, UNKNOWN),
        which(Operation::get("/api/v1/agreement/slides.html", "The slides of a version, to print"))
            .serves_text("text/html", "At most five slides and a page of signatures, complete in one file.")
            .refuses(409, TOO_MUCH),
        which(Operation::get("/api/v1/agreement/slides.pptx", "The slides of a version, as a presentation"))
            .serves_bytes(PPTX, "The same for PowerPoint and its like.")
            .refuses(409, TOO_MUCH),
        which(Operation::get("/api/v1/agreement/receipts", "Who was told of a version, and who confirmed it"))
            .says("People confirm on the page of the agreement, each for themselves; a token stands for nobody who could.")
            .pages(100, 500)
            .answers(200, "A part of the list, with how many there are in all.", receipts()),
    ]
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
