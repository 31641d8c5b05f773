//! What is said of `api.rs`, `api_find.rs` and `api_records.rs`: records and their clocks.

use super::figures::counted;
use super::schema::{
    Field, Schema, anything, count, flag, integer, like, list, map, may, must, named, number, object, one_of, sought,
    text, time, word, written,
};
use super::{Operation, Room};

/// The record that something is about.
fn record() -> Schema {
    object([
        must("connection", text()),
        must("object", word(&["lead", "opportunity"])),
        must("id", text().says("As its CRM writes it.")),
        must("name", text()),
    ])
}

fn state() -> Schema {
    word(&["open", "paused", "breached"])
}

fn story_shape() -> Schema {
    object([
        must(
            "record",
            object([
                must("connection", text()),
                must("object", word(&["lead", "opportunity"])),
                must("id", text()),
                must("name", text()),
                must("url", text().or_null().says("Where a person opens it in the CRM.")),
            ]),
        ),
        must("stage", text().or_null()),
        must("owner", text().or_null()),
        must("owner_name", text().or_null()),
        must("party", text().or_null()),
        must("pass", count().says("How often it has come this way.")),
        must("pass_kind", word(&["first", "recycled", "revived", "returned"])),
        must("handoff", text().or_null()),
        must("gone", one_of([text(), map(text())]).or_null().says("`deleted`, `erased`, or what it was merged into.")),
        must("related", list(related()).says("A lead's opportunities, an opportunity's leads; at most five.")),
        must("fields", map(anything()).says("The latest known values.")),
        must("clocks", list(run())),
        must("violations", list(violation())),
        must("recycles", list(time())),
        must("earlier_owners", list(text())),
        must("excluded", excluded().or_null().says("By whose order it is left alone.")),
        must("contested", flag().says("Something else keeps changing back what leadpact does, so it is let be.")),
        must("orders", list(waiting()).says("Those that wait for their turn.")),
        must("disputes", list(named("Dispute"))),
        must("timeline", list(named("Fact"))),
    ])
}

fn related() -> Schema {
    let known = flag().says("Whether leadpact has heard anything of it.");
    object([must("record", named("Record")), must("known", known)])
}

fn excluded() -> Schema {
    let until = time().or_null().says("Null: for good.");
    object([must("until", until), must("by", text()), must("why", text())])
}

fn waiting() -> Schema {
    const ORDERS: [&str; 8] = ["exclude", "include", "undo", "erase", "accept", "reject", "on_it", "snooze"];
    object([must("order", word(&ORDERS)), must("by", text()), must("until", time().or_null()), must("why", text())])
}

/// What a clock says for people.
fn outlook() -> [Field; 3] {
    [
        must("left", text().says("What is left of its time, in words.")),
        must("used", number().says("The share of the agreed time that is used, from 0 to 1.")),
        must("next", text().says("What happens next, in words.")),
    ]
}

fn run() -> Schema {
    let run = [
        must("clock", text()),
        must("run", count()),
        must("party", text().or_null()),
        must("state", state()),
        must("started", time()),
        must("deadline", time()),
        must("breached", time().or_null()),
        must("paused", time().or_null()),
        must("silent", flag().says("Measured, but nobody is reminded.")),
    ];
    object(run.into_iter().chain(outlook()))
}

fn violation() -> Schema {
    object([
        must("kind", word(&["definition", "missing", "rejection", "conversion"])),
        must("source", text()),
        must("since", time()),
        must("party", text().or_null()),
        must("what", list(text())),
        must("flagged", flag()),
    ])
}

/// An entry of the journal.
fn fact() -> Schema {
    object([
        must("kind", text().says("What happened: `clock_started`, `met`, `breached`, `recycled` and so on.")),
        must("what", text().says("In words.")),
        must("at", time()),
        must("seen_at", time().says("When leadpact knew.")),
        must("pass", count()),
        must("clock", text().says("The clock, handoff or requirement; empty where it is none.")),
        must("run", count()),
        must("item", text()),
        must("party", text().or_null()),
        must("owner", text().or_null()),
        must("stage", text().or_null()),
        must("by", text().says("`person:` and an owner's id, `automation`, `leadpact` or `unknown`.")),
        must("detail", map(anything()).says("Moments in it are milliseconds since 1970.")),
        must("erased", flag()),
        must("withdrawn", flag().says("It turned out not to have happened.")),
        must("agreement", text().says("The hash of the version in force.")),
        must("seq", integer().says("Its place in the journal.")),
    ])
}

fn clock() -> Schema {
    let clock = [
        must("record", named("Record")),
        must("clock", text()),
        must("pass", count()),
        must("run", count()),
        must("party", text().or_null()),
        must("owner", text().or_null()),
        must("state", state()),
        must("started", time()),
        must("deadline", time().or_null()),
        must("owner_name", text().or_null()),
        must("url", text().or_null().says("Where a person opens the record in the CRM.")),
        must("held", flag().says("A move of the record waits for a person.")),
    ];
    object(clock.into_iter().chain(outlook()))
}

fn counts() -> Operation {
    let clock = object([
        must("clock", text()),
        must("party", text().or_null()),
        must("open", count()),
        must("paused", count()),
        must("breached", count()),
    ]);
    let owner = object([
        must("connection", text()),
        must("owner", text()),
        must("owner_name", text().or_null()),
        must("clocks", count()),
    ]);
    let counts = object([
        must("clocks", list(clock)),
        must("owners", list(owner).says("Those with the most first, at most 200.")),
        must("held", count().says("Moves that the breaker holds.")),
    ]);
    let operation = Operation::get("/api/v1/clocks/counts", "How many clocks are open, and whose the most are")
        .says("Of all connections together, as the top of the list of open clocks; counted at most a little while ago.")
        .answers(200, "The numbers.", counts);
    counted(operation)
}

fn find() -> Operation {
    let found = object([
        must("record", named("Record")),
        must("stage", text().or_null()),
        must("owner", text().or_null()),
        must("owner_name", text().or_null()),
    ]);
    Operation::get("/api/v1/find", "Records by the beginning of their name, or by their id in the CRM")
        .says("Values of other fields, such as e-mail addresses, are not looked through.")
        .needs("q", sought(), "The beginning of a name, or an id.")
        .answers(
            200,
            "Those found, at most 50.",
            object([
                must("records", list(found)),
                must("more", flag().says("There are further ones: say more of it.")),
            ]),
        )
}

fn clocks() -> Operation {
    let state = word(&["", "open", "paused", "breached", "held"]);
    let length = like("^([0-9]{1,4} ?(s|m|h|d|bm|bh|bd))?$", 200);
    Operation::get("/api/v1/clocks", "Open clocks, the soonest deadline first")
        .of_connection("Only of this one.")
        .asks("party", sought(), "Only of this party.")
        .asks("owner", sought(), "Only of this owner, by id.")
        .asks("clock", sought(), "Only this clock, by name.")
        .asks("state", state, "Only in this state; `held`: with a move that waits for a person.")
        .asks("due", length, "Only those due within this length of time: `1bd`, `4bh`, `2d`.")
        .pages(100, 250)
        .answers(
            200,
            "A part of the list.",
            object([must("clocks", list(named("Clock"))), must("next", text().or_null())]),
        )
}

/// What there is to be done about one record.
fn offers() -> Operation {
    let fact = object([
        must("fact", text().says("To be said when it is disputed.")),
        must("kind", text()),
        must("at", time()),
        must("what", text().says("In words.")),
    ]);
    let undo = object([
        must("effect", text().says("To be said when it is undone, so that no later move is meant.")),
        must("kind", word(&["recycled", "reassigned", "nurtured"])),
        must("at", time()),
        must("clock", text()),
        must("from", text().or_null().says("The owner before, by id.")),
        must("to", text().or_null().says("The owner after.")),
    ]);
    let offers = object([
        must("dispute", list(fact).says("What can be disputed and was not.")),
        must("undo", undo.or_null().says("The last move, where it can be taken back.")),
        must("include", flag().says("It is left alone, so that going on with it changes something.")),
    ]);
    Operation::get("/api/v1/records/{connection}/{object}/{id}/offers", "What may be done about a record now")
        .says("What its page offers. A record can always be left alone. Doing it needs a token of scope `operate`.")
        .answers(200, "What `dispute`, `undo` and `include` would take.", offers)
}

/// What people can do about one record.
fn orders() -> Vec<Operation> {
    const REFUSED: &str = "There is nothing like this to be done; the message says why.";
    let why = || may("why", written().says("For the journal."));
    let ordered = || object([must("ordered", word(&["undo", "exclude", "include"]))]);
    let order = |path, summary, body| {
        let taken = "It is done in its turn by whoever works the connection.";
        Operation::post(path, summary).takes(body).answers(202, taken, ordered()).refuses(409, REFUSED)
    };
    let fact =
        written().says("The fact's key; with `@` and its moment in milliseconds since 1970 where several have it.");
    let dispute = object([must("fact", fact), must("why", written())]);
    let disputed = object([
        must("dispute", text().says("The dispute's id.")),
        must("fact", text()),
        must("at", time()),
        must("decided_by", time().or_null().says("When the first step ends.")),
    ]);
    let undo = object([may("effect", written().says("The move's key; without it the last one.")), why()]);
    let until = written().says("A moment, a day, or a length such as `3d`; without it for good.");
    vec![
        Operation::post(
            "/api/v1/records/{connection}/{object}/{id}/dispute",
            "Dispute a breach, rejection or violation",
        )
        .takes(dispute)
        .answers(201, "The dispute.", disputed)
        .refuses(409, REFUSED),
        order("/api/v1/records/{connection}/{object}/{id}/undo", "Take the last move back", undo),
        order(
            "/api/v1/records/{connection}/{object}/{id}/exclude",
            "Leave a record alone",
            object([may("until", until), why()]),
        ),
        order("/api/v1/records/{connection}/{object}/{id}/include", "Go on with a record", object([why()])),
    ]
}

pub(super) fn room() -> Room {
    let story =
        Operation::get("/api/v1/records/{connection}/{object}/{id}", "Where a record stands, and what happened to it")
            .answers(200, "The record.", named("Story"));
    let operations = [story, find(), clocks(), counts(), offers()].into_iter().chain(orders()).collect();
    let schemas = vec![("Record", record()), ("Story", story_shape()), ("Fact", fact()), ("Clock", clock())];
    Room { name: "Records", operations, schemas }
}
