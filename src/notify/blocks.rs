//! Slack's Block Kit blocks of a message, built in code: what comes from a CRM is escaped here,
//! once, and every limit of Slack's block reference is kept. Nothing is sent from here.

use super::words::{self, Listing};
use super::{Item, answers, text};
use crate::record::effect::Notice;
use serde_json::{Value, json};

/// Slack's limits, in characters.
const HEADER: usize = 150;
const FIELD: usize = 2_000;
/// The parts of a section, chosen so that their sum stays below Slack's 3,000 characters.
const LINK: usize = 1_500;
const NAME: usize = 400;
const SENTENCE: usize = 900;

/// The blocks of one item, or of a bundle.
pub fn of(listing: &Listing) -> Value {
    match &listing.items[..] {
        [item] => single(item),
        _ => bundle(listing),
    }
}

fn single(item: &Item) -> Value {
    let mut blocks = vec![header(&headline(item)), section(item)];
    blocks.extend(next(item).map(|says| context(&says)));
    blocks.extend(answers::buttons(&item.answers));
    blocks.extend(item.answers.preferences.as_deref().map(answers::preferences));
    Value::Array(blocks)
}

fn bundle(listing: &Listing) -> Value {
    let mut blocks = vec![header(&listing.heading)];
    blocks.extend(listing.items.iter().map(row));
    if listing.more > 0 {
        blocks.push(context(&format!("and {} more", listing.more)));
    }
    blocks.extend(listing.items.iter().find_map(|item| item.answers.preferences.as_deref()).map(answers::preferences));
    Value::Array(blocks)
}

/// Says nothing that comes from a CRM: it is what a phone shows first.
fn headline(item: &Item) -> String {
    let clock = &item.clock;
    match item.notice {
        Notice::Reminder => {
            let due = item.relative.as_ref().or(item.deadline.as_ref()).map_or("soon", String::as_str);
            format!("Due {due}: {clock}")
        }
        Notice::Breach => format!("Overdue: {clock}"),
        Notice::Recycled => format!("Went back: {clock}"),
        Notice::Reassigned => format!("Changed hands: {clock}"),
        Notice::Nurtured => format!("Moved to nurture: {clock}"),
        Notice::Violation => format!("Please complete: {clock}"),
        Notice::Undone => format!("Undone: {clock}"),
        Notice::Contested => format!("Contested: {clock}"),
    }
}

fn section(item: &Item) -> Value {
    let says = format!("{} {}", named(item), text::slack(&sentence(item), SENTENCE));
    json!({ "type": "section", "text": mrkdwn(&says), "fields": fields(item) })
}

/// What follows the record's name.
fn sentence(item: &Item) -> String {
    let who = item.owner.as_deref().unwrap_or(&item.party);
    let receiver = item.receiver.as_deref();
    let late = format!("because “{}” was not done in time.", item.clock);
    match item.notice {
        Notice::Reminder => format!("is waiting for {who}."),
        Notice::Breach => format!("is still waiting for {who}, and the promised time has passed."),
        Notice::Recycled => format!("went back to {}, {late}", receiver.unwrap_or("the queue")),
        Notice::Reassigned => format!("is now with {}, {late}", receiver.unwrap_or(&item.party)),
        Notice::Nurtured => format!("moved to nurture, {late}"),
        Notice::Violation if item.missing.is_empty() => format!("is not as agreed in “{}”.", item.clock),
        Notice::Violation => format!("still needs {}.", item.missing.join(", ")),
        Notice::Undone => {
            format!(
                "is with {} again: a person had the move for “{}” undone.",
                receiver.unwrap_or("nobody"),
                item.clock
            )
        }
        Notice::Contested => {
            format!("was moved for “{}” and changed back by something else, twice. It stays as it is.", item.clock)
        }
    }
}

fn fields(item: &Item) -> Vec<Value> {
    let clock = match &item.handoff {
        Some(handoff) => format!("{} ({handoff})", item.clock),
        None => item.clock.clone(),
    };
    let who = if words::moved(item.notice) {
        field("Now with", item.receiver.as_deref().unwrap_or("the queue"))
    } else {
        field("Owner", item.owner.as_deref().unwrap_or("nobody yet"))
    };
    let due = words::when(item).unwrap_or_else(|| "—".to_owned());
    vec![who, field("Due", &due), field("Clock", &clock), field("Party", &item.party)]
}

pub(super) fn field(label: &str, value: &str) -> Value {
    let room = FIELD - label.len() - 3;
    let value = if value.is_empty() { "—" } else { value };
    mrkdwn(&format!("*{label}*\n{}", text::slack(value, room)))
}

/// One item of a bundle: name, clock and deadline, and what happens next.
fn row(item: &Item) -> Value {
    let mut says = format!("{}\n{}", named(item), text::slack(&words::summary(item), NAME));
    if let Some(next) = &item.next {
        says.push('\n');
        says.push_str(&text::slack(next, NAME));
    }
    let mut row = json!({ "type": "section", "text": mrkdwn(&says) });
    if let Some(menu) = answers::menu(&item.answers) {
        row["accessory"] = menu;
    }
    row
}

/// The record's name, a link where it has one, and its company.
fn named(item: &Item) -> String {
    let record = &item.record;
    let link = record.url.as_deref().map(|url| text::slack_link(url, &record.name, NAME));
    let name = match link.filter(|link| link.len() <= LINK) {
        Some(link) => format!("*{link}*"),
        None => format!("*{}*", text::slack(&record.name, NAME)),
    };
    match &record.company {
        Some(company) => format!("{name} ({})", text::slack(company, NAME)),
        None => name,
    }
}

fn next(item: &Item) -> Option<String> {
    let label = if words::moved(item.notice) { "Next:" } else { "If nothing is done," };
    item.next.as_ref().map(|next| format!("{label} {next}"))
}

pub(super) fn header(says: &str) -> Value {
    // Plain text knows no markup and needs no escaping.
    let says = text::cut(says, HEADER);
    json!({ "type": "header", "text": { "type": "plain_text", "text": says, "emoji": false } })
}

pub(super) fn context(says: &str) -> Value {
    json!({ "type": "context", "elements": [mrkdwn(&text::slack(says, FIELD))] })
}

/// `verbatim`: Slack must not go looking for `@names` and `#channels` in a lead's name.
pub(super) fn mrkdwn(escaped: &str) -> Value {
    json!({ "type": "mrkdwn", "text": escaped, "verbatim": true })
}
