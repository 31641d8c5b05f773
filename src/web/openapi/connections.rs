//! What is said of `connections.rs`, `api_control.rs`, `api_people.rs` and `api_attest.rs`.

use super::schema::{Schema, count, flag, list, may, must, named, object, text, time, word, written};
use super::{Operation, Room};

fn since() -> Schema {
    object([must("since", time()), must("why", text())]).or_null()
}

fn connection() -> Schema {
    let paused = object([
        must("since", time()),
        must("until", time().or_null()),
        must("everywhere", flag().says("The pause of every connection.")),
        must("by", text()),
        must("why", text()),
    ]);
    let refused = object([must("policy", text()), must("since", time()), must("why", text())]);
    object([
        must("connection", text()),
        must("acts", flag().says("Whether it writes to its CRM, but for pauses.")),
        must("armed", flag()),
        must("paused", paused.or_null()),
        must("breaker", since().says("Since when the breaker holds recycles.")),
        must("signed_out", since().says("Since when the CRM refuses the credentials.")),
        must("clocks_apart", since().says("Since when the CRM's clock is more than five minutes from ours.")),
        must("refused", list(refused).says("What the CRM refuses for one record after the other.")),
    ])
}

fn waiting() -> Schema {
    object([
        must("record", named("Record")),
        must("action", text()),
        must("clock", text()),
        must("party", text().or_null()),
        must("owner", text().or_null()),
        must("since", time()),
    ])
}

fn absence() -> Schema {
    object([must("until", time().says("Back from this moment on.")), must("by", text()), must("at", time())])
}

fn person() -> Schema {
    object([
        must("owner", text()),
        must("name", text()),
        must("email", text().or_null()),
        must("manager", text().or_null()),
        must("active", flag()),
        must("queue", flag()),
        must("absence", named("Absence").or_null()),
    ])
}

fn attestation() -> [super::schema::Field; 6] {
    [
        must("commitment", text()),
        must("period", text()),
        must("answer", flag()),
        must("by", text()),
        must("note", text().or_null()),
        must("at", time()),
    ]
}

fn why() -> Schema {
    written().says("For the journal.")
}

fn stand() -> Schema {
    object([must("connections", list(named("Connection")))])
}

const FIXED: &str = "The configuration names a mode for the connection, and the file goes before arming.";

const OVER: &str = "`until` is over already.";

pub(super) fn room() -> Room {
    let operations = [switches(), held(), people()].into_iter().flatten().collect();
    let schemas = vec![
        ("Connection", connection()),
        ("WaitingMove", waiting()),
        ("Absence", absence()),
        ("Person", person()),
        ("Attestation", object(attestation())),
    ];
    Room { name: "Connections and people", operations, schemas }
}

fn switches() -> Vec<Operation> {
    let until = time().says("It ends by itself then.");
    let pause = object([may("until", until.or_null()), may("why", why())]);
    let resume = object([may("why", why())]);
    let arm = object([may("include_overdue", flag()), may("why", why())]);
    let armed = object([
        must("connections", list(named("Connection"))),
        must("moves", count().says("Missed moves that are made after all.")),
    ]);
    vec![
        Operation::get("/api/v1/connections", "How the connections stand").answers(200, "All of them.", stand()),
        Operation::post("/api/v1/connections/{connection}/pause", "Pause a connection")
            .says("Nothing leaves: no writes, tasks or notices. What is received is taken in and clocks count on.")
            .takes(pause.clone())
            .answers(200, "How it stands now.", stand())
            .refuses(409, OVER),
        Operation::post("/api/v1/connections/{connection}/resume", "End a connection's pause")
            .says("What fell due meanwhile leaves once it was confirmed again. The pause of every connection stays.")
            .takes(resume.clone())
            .answers(200, "How it stands now.", stand()),
        Operation::post("/api/v1/pause", "Pause every connection: the kill switch")
            .takes(pause)
            .answers(200, "How they stand now.", stand())
            .refuses(409, OVER),
        Operation::post("/api/v1/resume", "End the pause of every connection")
            .says("Those with a pause of their own stay paused.")
            .takes(resume.clone())
            .answers(200, "How they stand now.", stand()),
        Operation::post("/api/v1/connections/{connection}/arm", "Let a connection act")
            .says("With `include_overdue` also on what it missed while it observed, through breaker and pace.")
            .takes(arm)
            .answers(200, "How it stands now.", armed.clone())
            .refuses(409, FIXED),
        Operation::post("/api/v1/connections/{connection}/disarm", "Let a connection observe")
            .takes(resume)
            .answers(200, "How it stands now.", armed)
            .refuses(409, FIXED),
    ]
}

fn held() -> Vec<Operation> {
    let moves = || list(named("WaitingMove"));
    let record = object([must("object", word(&["lead", "opportunity"])), must("id", written())]);
    let release = object([
        may("discard", flag().says("Given up instead: the records stay where they are.")),
        may("only", list(record).says("Only what is held of these records.")),
        may("why", why()),
    ]);
    let released = object([must("moves", count()), must("breaker_counts_afresh", flag())]);
    vec![
        Operation::get("/api/v1/connections/{connection}/held", "What the breaker holds").answers(
            200,
            "Every held move, the longest held first.",
            object([must("breaker", since()), must("moves", moves())]),
        ),
        Operation::post("/api/v1/connections/{connection}/release", "Let go what is held, or give it up")
            .takes(release)
            .answers(200, "How many moves were let go or given up.", released),
        Operation::get("/api/v1/connections/{connection}/overdue", "What arming with `include_overdue` would move")
            .says("`limit` is of what would have been moved; what nobody wants moved any more is left out of that.")
            .pages(200, 200)
            .answers(
                200,
                "A part of the list, the longest due first.",
                object([must("moves", moves()), must("next", text().or_null())]),
            ),
    ]
}

fn people() -> Vec<Operation> {
    let away = object([must("until", time()), may("why", why())]);
    let is_away = object([must("owner", text()), must("absence", named("Absence"))]);
    let is_back =
        object([must("owner", text()), must("absence", named("Absence").or_null()), must("was_away", flag())]);
    let attest = object([
        may("connection", written().or_null().says("Where it has an agreement of its own.")),
        must("commitment", written()),
        may(
            "period",
            written().or_null().says("`2027-03`, `2027-W09` or `2027-Q1`; without it the one that runs now."),
        ),
        must("answer", flag().says("Whether it was kept.")),
        may("note", written().or_null()),
    ]);
    let attested = attestation().into_iter().chain([must("replaces", named("Attestation").or_null())]);
    vec![
        Operation::get("/api/v1/people/{connection}", "Owners as last read from the CRM, by id")
            .pages(100, 500)
            .answers(
                200,
                "A part of the list.",
                object([must("people", list(named("Person"))), must("next", text().or_null())]),
            ),
        Operation::put("/api/v1/people/{connection}/{owner}/absence", "Somebody takes no records for a while")
            .takes(away)
            .answers(200, "Who is away, until when.", is_away)
            .refuses(409, OVER),
        Operation::delete("/api/v1/people/{connection}/{owner}/absence", "Somebody takes records again").answers(
            200,
            "Whether they were away.",
            is_back,
        ),
        Operation::post("/api/v1/attestations", "Whether a promise that no CRM records was kept in a period")
            .says("An earlier answer for the period is replaced; both stay in the journal. A signer answers for their own party only; a token signs for none.")
            .takes(attest)
            .answers(200, "What was said.", object(attested))
            .refuses(404, "No connection is called so.")
            .refuses(409, "Nobody attests this commitment, or not for this period; the message says why."),
    ]
}
