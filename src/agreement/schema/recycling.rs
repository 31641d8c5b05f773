//! `[recycling]`, `[nurture]` and `[[freeze]]` in the schema.

use super::shapes::{Table, choice, condition, count, date, flag, line, pattern, share, span, text, values};
use serde_json::Value;

fn elapsed(description: &str) -> Value {
    pattern(&span(&["s", "m", "h", "d"]), description)
}

pub(super) fn recycling() -> Value {
    let at_most = Table::new("How often one lead is recycled at most.")
        .need("times", count("So many times."))
        .need("within", elapsed("Counted over so long: `90d`."))
        .key(
            "then",
            choice(&["nurture", "stop"], "What becomes of it then. `nurture` where there is a [nurture] table."),
        )
        .into_value();
    let stop_above = Table::new("The breaker: above any of these, every recycle waits for a person.")
        .key("count", count("So many leads. 200 when absent."))
        .key("share_of_open", share("This share of the open leads. 0.05 when absent."))
        .key("share_of_owner", share("This share of one owner's leads. 0.2 when absent."))
        .key("within", elapsed("Counted over so long. `1h` when absent."))
        .into_value();
    let pace = Table::new("How fast leads are recycled at most.")
        .key("per_minute", count("So many a minute."))
        .key("per_owner_and_day", count("So many from one owner in a day."))
        .into_value();
    Table::new("Where a stale lead goes, with no human action.")
        .need("to", line("The party that gets it."))
        .key("quiet", flag("Whether the former owner and the receiver are not told."))
        .key("set", values("Fields that are set on the lead, such as the status at which it is handed over."))
        .key("at_most", at_most)
        .key("exclude", condition("Leads that are never recycled."))
        .key("spare", elapsed("So long a lead is left alone that a person touched after the breach. `1d` when absent."))
        .key("stop_above", stop_above)
        .key("pace", pace)
        .into_value()
}

pub(super) fn nurture() -> Value {
    Table::new("How a lead goes to nurture.")
        .key("set", values("Fields that are set on the lead, such as its status."))
        .key("to", line("The party that keeps it."))
        .into_value()
}

pub(super) fn freeze() -> Value {
    Table::new("Days without recycling, the first and the last included.")
        .need("first", date("The first day."))
        .need("last", date("The last day."))
        .key("why", text("Why, for those who wonder."))
        .into_value()
}
