//! Rows of the outbox, the inbox and the letters as sentences: what it is, where it goes, how it went.

use super::{Called, Id, Shown, Tab};
use crate::agreement::answer;
use crate::crm::connection::Platform;
use crate::crm::{Event, Says, VerifiedDelivery};
use crate::engine::Site;
use crate::notify::{Destination, Rendered};
use crate::record::effect::Notice;
use crate::record::{Action, Ask, ConnectionName, Effect, Order, Outcome, PartyName, Recipient, RecordKey, Timestamp};
use crate::store::inbox::{InboxRow, Kind};
use crate::store::outbox::Lane;
use crate::store::{StoreError, inbox_list, letter_list, outbox};
use crate::web::Web;

/// So many records of a delivery are named in a list.
const NAMED: usize = 3;

/// Effects in words.
///
/// # Errors
/// When the database cannot be read.
pub async fn effects(web: &Web, rows: &[outbox::Listed]) -> Result<Vec<Shown>, StoreError> {
    let called = Called::of(web, rows.iter().map(|row| row.row.effect.record.clone()).collect()).await?;
    Ok(rows.iter().map(|listed| of_effect(web, &called, listed)).collect())
}

fn of_effect(web: &Web, called: &Called, listed: &outbox::Listed) -> Shown {
    let (row, effect) = (&listed.row, &listed.row.effect);
    let (connection, key) = (effect.record.connection.clone(), effect.key.as_str().to_owned());
    Shown {
        id: Id { tab: Tab::Outbox, connection: connection.clone(), key }.word(),
        what: what(effect, called),
        to: to(effect, web.engine.site(connection.as_str()).as_deref()),
        connection,
        sort: Lane::of(&effect.action).as_str(),
        record: Some(effect.record.clone()),
        record_name: Some(called.record(&effect.record).to_owned()),
        at: listed.updated,
        attempts: row.attempts,
        next: matches!(listed.state.as_str(), "due" | "held").then_some(row.not_before),
        said: row.outcome.as_deref().and_then(ended),
        waits: listed.state == "parked",
        state: listed.state.clone(),
    }
}

/// What an effect does, with the record's name: `recycle Jonas Berg to teleprospecting`.
pub fn what(effect: &Effect, called: &Called) -> String {
    let name = called.record(&effect.record);
    let about = if effect.source.is_empty() { String::new() } else { format!(" ({})", effect.source) };
    match &effect.action {
        Action::Read => format!("read {name}"),
        Action::Notify { notice, .. } => format!("{}: {name}{about}", tidings(*notice)),
        Action::Task { title } => format!("task: {}", titled(title, name)),
        Action::Reassign { to } => format!("reassign {name} within {}{about}", party(to)),
        Action::Recycle { to, .. } => format!("recycle {name} to {}{about}", party(to)),
        Action::Nurture { .. } => format!("move {name} to nurture{about}"),
        Action::Set { set } => {
            let names: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
            format!("set {} on {name}{about}", names.join(", "))
        }
        Action::Undo { by, .. } => format!("undo a move of {name}, asked by {by}"),
        Action::Answer { by, reply, .. } => {
            format!("write onto {name}: {}{about}", answer::in_words(&reply.answer, by, &reply.via))
        }
        Action::Note { text } => format!("note on {name}: {text}"),
        Action::Annotate => format!("write its state onto {name}"),
    }
}

/// A task's title as far as it can be told without the record: with its name.
fn titled(title: &str, name: &str) -> String {
    let mut text = String::with_capacity(title.len() + name.len());
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((inner, after)) = after.split_once("}}") else { break };
        text.push_str(if inner.trim() == "record.name" { name } else { "…" });
        rest = after;
    }
    text.push_str(rest.trim_start_matches("{{"));
    text
}

fn tidings(notice: Notice) -> &'static str {
    match notice {
        Notice::Reminder => "reminder",
        Notice::Breach => "notice of a breach",
        Notice::Recycled => "news of a recycled lead",
        Notice::Reassigned => "news of a reassigned lead",
        Notice::Nurtured => "news of a lead in nurture",
        Notice::Violation => "notice of a violation",
        Notice::Undone => "news of an undone move",
        Notice::Contested => "notice of a contested lead",
    }
}

fn party(name: &PartyName) -> String {
    name.as_str().replace('_', " ")
}

/// Where an effect goes.
pub fn to(effect: &Effect, site: Option<&Site>) -> String {
    match &effect.action {
        Action::Notify { to, .. } => match to {
            Recipient::Owner => "the owner".to_owned(),
            Recipient::Person(_) => "the former owner".to_owned(),
            Recipient::Manager => "the owner's manager".to_owned(),
            Recipient::Slack(channel) => format!("Slack {channel}"),
            Recipient::Email(address) => address.to_string(),
        },
        _ => site.map_or_else(|| "the CRM".to_owned(), |site| crm(site).to_owned()),
    }
}

pub fn crm(site: &Site) -> &'static str {
    match site.connection.platform {
        Platform::HubSpot(_) => "HubSpot",
        Platform::Salesforce(_) => "Salesforce",
        Platform::Generic(_) => "the CRM",
    }
}

/// How a try ended, from what the table has: an outcome, or the error of a try that is made again.
fn ended(text: &str) -> Option<String> {
    match serde_json::from_str::<Outcome>(text) {
        Ok(Outcome::Parked { error }) => Some(error),
        Ok(Outcome::Dropped { reason }) => Some(reason),
        Ok(Outcome::Done { note, .. }) => note,
        Ok(Outcome::WouldHave) => None,
        Err(_) => Some(text.to_owned()).filter(|text| !text.is_empty()),
    }
}

/// One thing that a row of the inbox says about a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    pub record: RecordKey,
    pub at: Timestamp,
    pub text: String,
}

/// What a row of the inbox says; the error where it cannot be read.
pub fn says(site: &Site, row: &InboxRow) -> Result<Vec<Stated>, String> {
    let key =
        |object, id: &crate::record::RecordId| RecordKey { connection: site.name().clone(), object, id: id.clone() };
    let of = |event: Event| Stated { record: key(event.object, &event.id), at: event.at, text: event_text(&event) };
    match row.kind {
        Kind::Delivery => {
            let delivery = VerifiedDelivery::from_inbox(row.body.clone().into_bytes());
            Ok(site.crm.events(&delivery).map_err(|e| e.to_string())?.events.into_iter().map(of).collect())
        }
        Kind::Event => serde_json::from_str(&row.body).map(|event| vec![of(event)]).map_err(|e| e.to_string()),
        Kind::Order => {
            let order: Order = serde_json::from_str(&row.body).map_err(|e| e.to_string())?;
            Ok(vec![Stated { record: key(order.object, &order.id), at: row.received_at, text: order_text(&order) }])
        }
    }
}

fn event_text(event: &Event) -> String {
    match &event.says {
        Says::Changed(values) if values.is_empty() => "created".to_owned(),
        Says::Changed(values) => {
            let one = |(name, value): &(crate::record::FieldName, crate::record::Value)| format!("{name} = {value}");
            values.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Says::ReadIt => "to be read".to_owned(),
        Says::Deleted => "deleted".to_owned(),
        Says::Restored => "restored".to_owned(),
        Says::Erased => "to be forgotten, for privacy".to_owned(),
        Says::Merged { into } => format!("merged into {into}"),
    }
}

fn order_text(order: &Order) -> String {
    let what = match &order.ask {
        Ask::Exclude { .. } => "leave it alone",
        Ask::Include { .. } => "treat it like any other again",
        Ask::Undo { .. } => "undo a move",
        Ask::Answer(reply) => {
            return format!("answer to {}: {}", reply.clock, answer::in_words(&reply.answer, &order.by, &reply.via));
        }
        Ask::Erase => "forget it, for privacy",
    };
    format!("{what}, asked by {}", order.by)
}

/// Whom a delivery is from, and what it says, or why that cannot be told.
type Read = (&'static str, Result<Vec<Stated>, String>);

/// Rows of the inbox in words.
///
/// # Errors
/// When the database cannot be read.
pub async fn rows(web: &Web, rows: &[inbox_list::Listed]) -> Result<Vec<Shown>, StoreError> {
    let read = |listed: &inbox_list::Listed| {
        let site = web.engine.site(listed.connection.as_str())?;
        Some((crm(&site), says(&site, &listed.row)))
    };
    let read: Vec<_> = rows.iter().map(read).collect();
    let first = |said: &Option<Read>| {
        let records = said.as_ref().and_then(|(_, said)| said.as_ref().ok()).into_iter().flatten();
        records.take(NAMED).map(|one| one.record.clone()).collect::<Vec<_>>()
    };
    let called = Called::of(web, read.iter().flat_map(first).collect()).await?;
    let shown = |(listed, read): (&inbox_list::Listed, Option<Read>)| {
        let (from, said) = read.unwrap_or(("the CRM", Err(String::new())));
        of_row(listed, from, &said, &called)
    };
    Ok(rows.iter().zip(read).map(shown).collect())
}

fn of_row(listed: &inbox_list::Listed, from: &str, said: &Result<Vec<Stated>, String>, called: &Called) -> Shown {
    let row = &listed.row;
    let only = said.as_ref().ok().filter(|said| said.len() == 1).map(|said| said[0].record.clone());
    Shown {
        id: Id { tab: Tab::Inbox, connection: listed.connection.clone(), key: row.id.clone() }.word(),
        connection: listed.connection.clone(),
        state: listed.state.clone(),
        sort: row.kind.as_str(),
        what: match (row.kind, said) {
            (_, Err(_)) => format!("what cannot be read, {} bytes", row.body.len()),
            (Kind::Order, Ok(said)) => said.first().map(|one| one.text.clone()).unwrap_or_default(),
            (_, Ok(said)) => changes(said, called),
        },
        to: match row.kind {
            Kind::Order => "a person's order".to_owned(),
            Kind::Delivery | Kind::Event => format!("from {from}"),
        },
        record_name: only.as_ref().map(|key| called.record(key).to_owned()),
        record: only,
        at: row.received_at,
        attempts: row.attempts,
        next: None,
        said: row.error.clone(),
        waits: listed.state == "parked",
    }
}

/// `2 changes of Jonas Berg and Amy Ng`
fn changes(said: &[Stated], called: &Called) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in said.iter().take(NAMED).map(|one| called.record(&one.record)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let others = if said.len() > NAMED { " and others" } else { "" };
    match said.len() {
        0 => "nothing that concerns us".to_owned(),
        1 => format!("a change of {}", names.join("")),
        n => format!("{n} changes of {}{others}", names.join(", ")),
    }
}

/// A letter in words.
pub fn letter(listed: &letter_list::Listed) -> Shown {
    let subject = serde_json::from_str::<Rendered>(&listed.body).map(|says| says.subject);
    let route: Vec<Destination> = serde_json::from_str(&listed.destinations).unwrap_or_default();
    let connection: ConnectionName = listed.connection.clone();
    Shown {
        id: Id { tab: Tab::Letters, connection: connection.clone(), key: listed.key.clone() }.word(),
        connection,
        state: listed.state.clone(),
        sort: "letter",
        what: subject.unwrap_or_else(|_| "a letter that cannot be read".to_owned()),
        to: route.first().map(destination).unwrap_or_else(|| "nobody".to_owned()),
        record: None,
        record_name: None,
        at: listed.created_at,
        attempts: listed.attempts,
        next: (listed.state == "due").then_some(listed.not_before),
        said: listed.note.clone(),
        waits: listed.state == "failed",
    }
}

/// Where a message goes, with people already looked up.
pub fn destination(to: &Destination) -> String {
    match to {
        Destination::SlackChannel(channel) => format!("Slack {channel}"),
        Destination::SlackMember { email } => format!("Slack message to {email}"),
        Destination::Email { address, .. } => address.clone(),
    }
}

/// A state as people say it; the table's word is the badge's colour.
pub fn state(word: &str) -> &str {
    match word {
        "sending" | "again" => "on its way",
        "dropped" => "not done",
        "would_have" => "would have",
        "received" => "waiting",
        other => other,
    }
}
