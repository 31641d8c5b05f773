//! `[parties.*]`, `[[review]]` and `[[resolution]]` in the schema.

use super::shapes::{Table, UNITS, address, audience, choice, email, entries, line, list, pattern, span, text};
use serde_json::Value;

pub(super) fn parties() -> Value {
    let signs = Table::new("Who signs for this party.")
        .need("name", line("The name of the person."))
        .need("title", line("Their title, as it stands on the signature page."))
        .need("email", email("Where they are reached: `name@host`."))
        .into_value();
    let party = Table::new("A function that promises or receives: marketing, teleprospecting, field sales.")
        .key("signs", signs)
        .key("calendar", text("When this party works: a name under [calendars]."))
        .key("manager", address("Whom to tell when the CRM names no manager for the owner."))
        .key(
            "notify",
            list(address("A channel."), 0, "The party's own channels: `slack:#channel` or `email:name@host`."),
        )
        .into_value();
    entries(party, "Who promises what to whom. Each party has a name of its own: [parties.marketing].")
}

pub(super) fn review() -> Value {
    Table::new("A meeting of both sides, and what is sent for it.")
        .need("name", line("What it is called."))
        .need(
            "every",
            choice(
                &["week", "month", "quarter"],
                "How often. A monthly or quarterly review is held on the first day of the period.",
            ),
        )
        .key("on", pattern(r"^\s*[A-Za-z]+\s*$", "The weekday of a weekly review: `Mon`."))
        .need("time", pattern(r"^\s*[0-9]{1,2}:[0-9]{1,2}(:[0-9]{2}(\.[0-9]+)?)?\s*$", "The time of day: `09:00`."))
        .key(
            "holiday",
            choice(
                &["next open day", "skip", "anyway"],
                "What becomes of it on a holiday. `next open day` when absent.",
            ),
        )
        .need("send_to", list(address("A channel."), 1, "Who gets it."))
        .key("topics", list(text("A topic."), 0, "What is spoken of."))
        .into_value()
}

pub(super) fn resolution() -> Value {
    Table::new("Who settles a dispute next, and by when.")
        .need("within", pattern(&span(&UNITS), "How long they have: `1 business day`, `48h`."))
        .need("who", list(audience(), 1, "Who settles it."))
        .into_value()
}
