//! A JSON Schema (draft 2020-12) of `agreement.toml`, so that editors complete the file and check it
//! while it is written. It knows keys, words and shapes; what hangs together (names that exist,
//! conditions, calendars) is `parse`'s and `lint`'s to judge. Whatever they accept, it accepts.

mod calendars;
mod handoffs;
mod people;
mod period;
mod recycling;
mod shapes;
mod stages;

use serde_json::{Value, json};
use shapes::{Table, date, flag, line, list, pattern, span, text};

/// The schema of the file.
pub fn schema() -> Value {
    let mut schema = head()
        .key("calendars", calendars::calendars())
        .key("parties", people::parties())
        .key("data", stages::data())
        .need(
            "stage",
            list(stages::stage(), 1, "Terminology, in waterfall order: each term is also the rule that recognises it."),
        )
        .key(
            "handoff",
            list(
                handoffs::handoff(),
                0,
                "Who passes records to whom, with the definition, the responsibilities and the clocks.",
            ),
        )
        .key("recycling", recycling::recycling())
        .key("nurture", recycling::nurture())
        .key("freeze", list(recycling::freeze(), 0, "Days without recycling; clocks go on."))
        .key("requirement", list(handoffs::requirement(), 0, "Data fields that are mandatory in the CRM."))
        .key("commitment", list(period::commitment(), 0, "What each side promises and is measured by every period."))
        .key("review", list(people::review(), 0, "The communication plan: who gets which report, and when they meet."))
        .key(
            "resolution",
            list(people::resolution(), 0, "Conflict-resolution steps of a disputed breach or rejection, in order."),
        )
        .key("currency", period::currency())
        .into_value();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!("https://github.com/leadpact/leadpact/agreement.schema.json");
    schema["title"] = json!("The agreement between marketing and sales");
    schema
}

fn head() -> Table {
    Table::new("The service-level agreement that leadpact enforces as it is signed.")
        .need("title", line("What the agreement is called."))
        .need("version", line("Which version this is, such as `2027 first half`."))
        .key("effective", date("The day from which it is in effect. Handoffs before it start no clock."))
        .key("review_by", date("When to look at it again. It goes on after that day, and both sides are reminded."))
        .key("calendar", text("The calendar used unless a party or a clock names another: a name under [calendars]."))
        .key("settle", pattern(&span(&["s", "m", "h", "d"]), "How long a form may be filled in before what it lacks is judged: time on the clock. 15s when absent."))
        .key("apply_to_open", flag("Whether this version recomputes the deadlines of clocks that run already. Otherwise these keep theirs."))
        .key("summary", text("The executive summary, for the first slide."))
}
