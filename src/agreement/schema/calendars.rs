//! `[calendars.*]` in the schema.

use super::shapes::{DATE, Table, date, entries, entries_named, line, list, pattern, text};
use serde_json::{Value, json};

const TIME: &str = r"\s*([01][0-9]|2[0-4]):[0-5][0-9]\s*";

pub(super) fn calendars() -> Value {
    entries(calendar(), "When business is open. Each calendar has a name of its own: [calendars.boston].")
}

fn calendar() -> Value {
    let days = json!({ "pattern": days() });
    let date_names = json!({ "pattern": DATE });
    Table::new("When business is open.")
        .need("time_zone", line("An IANA time zone, such as `America/New_York`. Daylight saving follows its wall time."))
        .key("hours", entries_named(days, ranges(), "Opening hours by weekday: { mon-thu = [\"09:00-12:30\", \"13:15-18:00\"], fri = [\"09:00-16:00\"] }. A day that is not named is closed."))
        .key("holidays", list(date("A day without business."), 0, "Days on which nothing is open: [2027-01-01, 2027-05-31]."))
        .key("holidays_ics", text("An iCalendar file with more holidays, seen from the agreement's own folder. It is part of what is signed."))
        .key("extra_days", entries_named(date_names, ranges(), "The hours of single days, in place of the weekday's and of a holiday: { 2027-01-09 = [\"10:00-14:00\"] }."))
        .into_value()
}

fn ranges() -> Value {
    let range =
        pattern(&format!("^{TIME}-{TIME}$"), "From when to when, such as `09:00-12:30`; the end may be `24:00`.");
    list(range, 0, "The ranges of the day, in order.")
}

/// `mon`, `mon-thu`, `sat,sun`, in either case, short or written out.
fn days() -> String {
    let names = ["mon|day", "tue|sday", "wed|nesday", "thu|rsday", "fri|day", "sat|urday", "sun|day"];
    let either = |word: &str| -> String { word.chars().map(|c| format!("[{c}{}]", c.to_ascii_uppercase())).collect() };
    let name = |both: &str| {
        let (short, rest) = both.split_once('|').unwrap_or((both, ""));
        format!("{}({})?", either(short), either(rest))
    };
    let day = format!("({})", names.map(name).join("|"));
    let part = format!(r"\s*{day}\s*(-\s*{day}\s*)?");
    format!("^{part}(,{part})*$")
}
