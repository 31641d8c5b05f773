//! The words that templates and Slack blocks share: how a record, a time and a bundle are named.
//! Whole sentences live in the templates.

use super::text;
use super::{Item, RecordItem};
use crate::record::effect::Notice;

/// How many items of a bundle are listed; the rest are counted.
pub const LISTED: usize = 20;

/// Names longer than this are cut everywhere.
const LONGEST: usize = 300;

/// What a message lists, cleaned and in reading order.
pub struct Listing {
    pub heading: String,
    pub items: Vec<Item>,
    /// How many are not listed.
    pub more: usize,
}

impl Listing {
    pub fn of(items: &[Item]) -> Self {
        let listed: Vec<Item> = ordered(items).into_iter().take(LISTED).map(cleaned).collect();
        Self { heading: heading(items), more: items.len() - listed.len(), items: listed }
    }
}

/// The item with every text made one line of a sane length, and its link a web address or none.
pub fn cleaned(item: &Item) -> Item {
    Item {
        notice: item.notice,
        record: cleaned_record(&item.record),
        clock: short(&item.clock),
        handoff: optional(&item.handoff),
        party: short(&item.party),
        owner: optional(&item.owner),
        deadline: optional(&item.deadline),
        relative: optional(&item.relative),
        missing: item.missing.iter().take(LISTED).map(|name| short(name)).collect(),
        next: optional(&item.next),
        receiver: optional(&item.receiver),
        answers: item.answers.cleaned(),
    }
}

pub fn cleaned_record(record: &RecordItem) -> RecordItem {
    let object = short(&record.object);
    let name = short(&record.name);
    RecordItem {
        name: if name.is_empty() { format!("Unnamed {object}") } else { name },
        url: record.url.as_deref().and_then(text::web_address),
        object,
        company: optional(&record.company),
        stage: optional(&record.stage),
    }
}

pub fn short(text: &str) -> String {
    // A megabyte of spaces need not be read to its end.
    let enough = text.char_indices().nth(4 * LONGEST).map_or(text, |(end, _)| &text[..end]);
    text::cut(&text::line(enough), LONGEST)
}

fn optional(text: &Option<String>) -> Option<String> {
    text.as_deref().map(short).filter(|text| !text.is_empty())
}

/// `Zoë Ünal (Blåbær)`
pub fn title(record: &RecordItem) -> String {
    match &record.company {
        Some(company) => format!("{} ({company})", record.name),
        None => record.name.clone(),
    }
}

/// `2027-01-05 09:00 EST, in 30 minutes`, or what of it is known.
pub fn when(item: &Item) -> Option<String> {
    match (&item.deadline, &item.relative) {
        (Some(deadline), Some(relative)) => Some(format!("{deadline}, {relative}")),
        (one, other) => one.clone().or_else(|| other.clone()),
    }
}

/// What a bundle says about one of its items.
pub fn summary(item: &Item) -> String {
    let clock = &item.clock;
    let due = when(item).unwrap_or_else(|| "soon".to_owned());
    let receiver = item.receiver.as_deref().unwrap_or("the queue");
    match item.notice {
        Notice::Reminder => format!("{clock}, due {due}"),
        Notice::Breach if when(item).is_none() => format!("{clock}, overdue"),
        Notice::Breach => format!("{clock}, was due {due}"),
        Notice::Violation if item.missing.is_empty() => format!("not as agreed: {clock}"),
        Notice::Violation => format!("{clock}, missing {}", item.missing.join(", ")),
        Notice::Recycled => format!("went back to {receiver}: {clock} was not done in time"),
        Notice::Reassigned => format!("now with {receiver}: {clock} was not done in time"),
        Notice::Nurtured => format!("moved to nurture: {clock} was not done in time"),
        Notice::Undone => format!("back where it was: the move for {clock} was undone"),
        Notice::Contested => format!("keeps being changed back after each move: {clock}"),
    }
}

/// Whether the notice tells of a move that is done, rather than asking for something.
pub fn moved(notice: Notice) -> bool {
    matches!(notice, Notice::Recycled | Notice::Reassigned | Notice::Nurtured | Notice::Undone)
}

/// `37 leads need you`, `12 leads need you, 25 leads moved`.
fn heading(items: &[Item]) -> String {
    let (gone, open): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| moved(item.notice));
    let need = if open.len() == 1 { "needs" } else { "need" };
    match (open.len(), gone.len()) {
        (_, 0) => format!("{} {need} you", counted(&open)),
        (0, _) => format!("{} moved", counted(&gone)),
        _ => format!("{} {need} you, {} moved", counted(&open), counted(&gone)),
    }
}

fn counted(items: &[&Item]) -> String {
    let opportunities = items.iter().filter(|item| item.record.object == "opportunity").count();
    let noun = match (items.len(), opportunities) {
        (1, 0) => "lead",
        (_, 0) => "leads",
        (1, _) => "opportunity",
        (all, n) if all == n => "opportunities",
        _ => "leads and opportunities",
    };
    format!("{} {noun}", items.len())
}

/// The items in reading order: what asks for something before what is done already.
fn ordered(items: &[Item]) -> Vec<&Item> {
    let mut ordered: Vec<&Item> = items.iter().collect();
    ordered.sort_by_key(|item| moved(item.notice));
    ordered
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_bundle_is_named_by_what_it_holds() {
        let lead = sample::item(Notice::Reminder);
        let gone = sample::item(Notice::Recycled);
        let mut deal = sample::item(Notice::Violation);
        deal.record.object = "opportunity".to_owned();
        let check = |items: &[&Item], says: &str| {
            let items: Vec<Item> = items.iter().map(|item| (*item).clone()).collect();
            assert_eq!(heading(&items), says);
        };
        check(&[&lead, &lead], "2 leads need you");
        check(&[&gone, &gone], "2 leads moved");
        check(&[&lead, &gone, &gone], "1 lead needs you, 2 leads moved");
        check(&[&deal, &deal], "2 opportunities need you");
        check(&[&deal, &lead], "2 leads and opportunities need you");
    }

    #[test]
    fn what_asks_for_something_comes_before_what_is_done() {
        let items = [sample::item(Notice::Recycled), sample::item(Notice::Breach), sample::item(Notice::Reminder)];
        let order: Vec<Notice> = ordered(&items).iter().map(|item| item.notice).collect();
        assert_eq!(order, [Notice::Breach, Notice::Reminder, Notice::Recycled]);
    }

    #[test]
    fn a_record_without_a_name_still_has_one() {
        let mut item = sample::item(Notice::Reminder);
        item.record.name = "\n\t".to_owned();
        item.record.company = Some("  ".to_owned());
        assert_eq!(title(&cleaned(&item).record), "Unnamed lead");
    }
}
