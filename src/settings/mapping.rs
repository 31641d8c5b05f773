//! How a connection calls what the agreement speaks of: fields, values, parties, touches. Whether
//! the agreement knows these names is judged later (`check`); here they are kept with their places.

use super::connection::Crm;
use super::values::choice;
use super::{Named, What};
use crate::agreement::document::{Reader, Sink, Word};
use crate::crm::connection::{Roster, TouchBy, Touches};
use crate::crm::salesforce::id;
use crate::record::{ConnectionName, FieldName, Object, OwnerId, PartyName};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::DeValue;

pub(super) type Values = BTreeMap<(Object, FieldName), Vec<(String, Vec<String>)>>;

/// The kinds of touch that can be counted.
const TOUCHES: [&str; 4] = ["call", "email", "meeting", "task"];

/// Collects the names that a connection uses.
pub(super) struct Names<'n> {
    pub connection: Option<ConnectionName>,
    pub names: &'n mut Vec<Named>,
}

impl Names<'_> {
    fn note(&mut self, what: What, word: &Word<'_>) {
        if let Some(connection) = self.connection.clone() {
            self.names.push(Named { connection, what, name: word.text.to_owned(), span: word.span.clone() });
        }
    }
}

/// The tables of both objects, `[connection.fields.lead]` and `.opportunity`.
fn objects<'a>(reader: Option<Reader<'a>>) -> Vec<(Object, Reader<'a>)> {
    let Some(mut reader) = reader else { return vec![] };
    let lead = reader.table("lead").map(|r| (Object::Lead, r));
    let opportunity = reader.table("opportunity").map(|r| (Object::Opportunity, r));
    reader.finish();
    lead.into_iter().chain(opportunity).collect()
}

pub(super) fn fields(
    reader: Option<Reader<'_>>,
    sink: &Sink<'_>,
    names: &mut Names<'_>,
) -> BTreeMap<(Object, FieldName), String> {
    let mut fields = BTreeMap::new();
    for (object, reader) in objects(reader) {
        for (name, value) in reader.entries() {
            names.note(What::Field(object), &name);
            if let Some(theirs) = crm_text(sink, value, "the CRM's name of a field") {
                fields.insert((object, FieldName::new(name.text)), theirs);
            }
        }
    }
    fields
}

/// Text of the CRM, which is never empty.
fn crm_text(sink: &Sink<'_>, value: &Spanned<DeValue<'_>>, what: &str) -> Option<String> {
    let text = value.get_ref().as_str();
    match text {
        Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
        Some(_) => {
            sink.error(value.span(), format!("{what} is empty"));
            None
        }
        None => {
            sink.error(value.span(), format!("{what} must be text"));
            None
        }
    }
}

pub(super) fn values(reader: Option<Reader<'_>>, sink: &Sink<'_>, names: &mut Names<'_>) -> Values {
    let mut all = BTreeMap::new();
    for (object, reader) in objects(reader) {
        for (field, reader) in reader.entry_tables("the values of `*`") {
            names.note(What::Values(object), &field);
            let entries = reader.entries();
            let pairs = entries.iter().map(|(logical, value)| (logical.text.to_owned(), crm_values(sink, value)));
            all.insert((object, FieldName::new(field.text)), pairs.collect());
            twice(sink, &entries);
        }
    }
    all
}

/// One value of the CRM, or several.
fn crm_values(sink: &Sink<'_>, value: &Spanned<DeValue<'_>>) -> Vec<String> {
    const WHAT: &str = "a value of the CRM";
    match value.get_ref().as_array() {
        Some(list) if list.is_empty() => {
            sink.error_with(value.span(), "no value of the CRM", "for example \"MQL\" or [\"MQL\", \"READY\"]");
            vec![]
        }
        Some(list) => list.iter().filter_map(|v| crm_text(sink, v, WHAT)).collect(),
        None => crm_text(sink, value, WHAT).into_iter().collect(),
    }
}

/// A value of the CRM that stands for two logical ones would always be read as the first.
fn twice(sink: &Sink<'_>, entries: &[(Word<'_>, &Spanned<DeValue<'_>>)]) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (logical, value) in entries {
        let single = std::slice::from_ref(*value);
        for theirs in value.get_ref().as_array().map_or(single, |list| &**list) {
            let Some(text) = theirs.get_ref().as_str() else { continue };
            let first = *seen.entry(text.trim().to_lowercase()).or_insert(logical.text);
            if first != logical.text {
                sink.error(theirs.span(), format!("this value of the CRM is read as `{first}` already"));
            }
        }
    }
}

pub(super) fn parties(
    reader: Option<Reader<'_>>,
    crm: Option<Crm>,
    sink: &Sink<'_>,
    names: &mut Names<'_>,
) -> BTreeMap<PartyName, Roster> {
    let Some(reader) = reader else { return BTreeMap::new() };
    let mut parties = BTreeMap::new();
    for (name, reader) in reader.entry_tables("the party `*`") {
        names.note(What::Party, &name);
        if let Some(roster) = roster(reader, crm, sink) {
            parties.insert(PartyName::new(name.text), roster);
        }
    }
    parties
}

fn roster(mut reader: Reader<'_>, crm: Option<Crm>, sink: &Sink<'_>) -> Option<Roster> {
    const FORMS: &str = "{ members = [\"…\"] }, { queue = \"…\" } or { unassigned = true }";
    let ways = ["members", "queue", "unassigned"].map(|key| reader.has(key)).into_iter().filter(|has| *has).count();
    let roster = if ways == 1 { the_way(&mut reader, crm, sink) } else { None };
    if ways != 1 {
        sink.error_with(reader.span(), "a party needs exactly one way to take records", FORMS);
    }
    reader.finish();
    roster
}

fn the_way(reader: &mut Reader<'_>, crm: Option<Crm>, sink: &Sink<'_>) -> Option<Roster> {
    if reader.has("members") {
        return Some(Roster::Members(owners(reader.need_texts("members"), crm, sink)));
    }
    if reader.has("queue") {
        let word = reader.need_text("queue")?;
        if crm == Some(Crm::HubSpot) {
            let message = "HubSpot has no queues: this id is written as the owner";
            sink.note(crate::agreement::problem::Problem::warning(word.span.clone(), message));
        }
        return Some(Roster::Queue(OwnerId::new(owner(word.text, crm))));
    }
    let flag = reader.flag("unassigned")?;
    if !flag.value {
        sink.error_with(flag.span, "`unassigned` can only be true", "or name members or a queue instead");
    }
    Some(Roster::Unassigned)
}

fn owners(words: Vec<Word<'_>>, crm: Option<Crm>, sink: &Sink<'_>) -> Vec<String> {
    for word in words.iter().filter(|word| word.text.trim().is_empty()) {
        sink.error(word.span.clone(), "an owner's id or e-mail address is empty");
    }
    words.iter().map(|word| owner(word.text, crm)).collect()
}

/// Salesforce's setup pages show ids of 15 characters, its API answers with 18.
fn owner(text: &str, crm: Option<Crm>) -> String {
    let text = text.trim();
    match crm {
        Some(Crm::Salesforce) if !text.contains('@') => id::normalise(text).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

pub(super) fn touches(reader: Option<Reader<'_>>, crm: Option<Crm>, sink: &Sink<'_>) -> Touches {
    let every = || TOUCHES.map(str::to_owned).to_vec();
    let Some(mut reader) = reader else {
        return Touches { types: every(), by: TouchBy::Party, automation_users: vec![] };
    };
    let types = if reader.has("types") { touch_types(&mut reader, sink) } else { every() };
    let ways = [("owner", TouchBy::Owner), ("party", TouchBy::Party), ("anyone", TouchBy::Anyone)];
    let by = choice(&mut reader, sink, "by", &ways).unwrap_or(TouchBy::Party);
    let automation = owners(reader.texts("automation_users"), crm, sink);
    reader.finish();
    Touches { types, by, automation_users: automation.into_iter().map(OwnerId::new).collect() }
}

fn touch_types(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Vec<String> {
    let words = reader.need_texts("types");
    for word in words.iter().filter(|word| !TOUCHES.contains(&word.text)) {
        super::values::not_possible(sink, word, "types", &TOUCHES);
    }
    words.into_iter().map(|word| word.text.to_owned()).collect()
}
