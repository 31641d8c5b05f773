//! A message becomes words: subject, text and HTML by templates, Slack's blocks in code.
//! Nothing is sent from here.

use super::templates::{TemplateError, Templates};
use super::words::{self, Listing};
use super::{Item, Message, RecordItem, Rendered, blocks, sample, text};
use crate::record::effect::Notice;
use minijinja::{Value, context};

/// Mail programs show less than this.
pub(super) const SUBJECT: usize = 200;

/// What a CRM takes as the subject of a task (Salesforce's `Task.Subject`).
const TITLE: usize = 255;

/// The message in every form that a channel may want. A message without items is an error of the
/// caller and says so.
pub fn render(templates: &Templates, message: &Message) -> Result<Rendered, TemplateError> {
    if message.items.is_empty() {
        return Err(TemplateError {
            file: "message".to_owned(),
            line: None,
            message: "there is nothing to say".to_owned(),
        });
    }
    let listing = Listing::of(&message.items);
    let (subject, text, html) = words_of(templates, &listing)?;
    Ok(Rendered { key: message.key.clone(), subject, text, html, blocks: blocks::of(&listing) })
}

/// The title of a task, from a template of the agreement: one line of at most 255 characters.
pub fn task_title(template: &str, item: &Item) -> Result<String, TemplateError> {
    let title = Templates::line(template, item_context(&words::cleaned(item)))?;
    Ok(text::cut(&text::line(&title), TITLE))
}

/// Whether a task's title can be made from this template, tried on made-up records.
pub fn check_title(template: &str) -> Result<(), TemplateError> {
    task_title(template, &sample::item(Notice::Breach))?;
    task_title(template, &sample::bare(Notice::Breach)).map(|_| ())
}

/// Subject, text and HTML.
pub(super) fn words_of(templates: &Templates, listing: &Listing) -> Result<(String, String, String), TemplateError> {
    let (name, context) = match &listing.items[..] {
        [item] => (item.notice.as_str(), item_context(item)),
        _ => ("bundle", bundle_context(listing)),
    };
    let plain = format!("{name}.txt");
    let (subject, text) = split(templates, &plain, &templates.fill(&plain, context.clone())?)?;
    let html = templates.fill(&format!("{name}.html"), context)?;
    Ok((subject, text, html))
}

/// The first line of a filled `.txt` is the subject, the rest the text.
pub(super) fn split(templates: &Templates, name: &str, filled: &str) -> Result<(String, String), TemplateError> {
    let (first, rest) = filled.split_once('\n').unwrap_or((filled, ""));
    let subject = first
        .split_once(':')
        .filter(|(label, _)| label.trim().eq_ignore_ascii_case("subject"))
        .map(|(_, subject)| text::cut(&text::line(subject), SUBJECT))
        .filter(|subject| !subject.is_empty())
        .ok_or_else(|| templates.error(name, 1, "the first line must be `Subject: …`"))?;
    Ok((subject, format!("{}\n", rest.trim())))
}

fn item_context(item: &Item) -> Value {
    context! {
        notice => item.notice.as_str(),
        moved => words::moved(item.notice),
        title => words::title(&item.record),
        summary => words::summary(item),
        when => words::when(item),
        record => record_context(&item.record),
        clock => &item.clock,
        handoff => &item.handoff,
        party => &item.party,
        owner => &item.owner,
        deadline => &item.deadline,
        relative => &item.relative,
        missing => item.missing.clone(),
        next => &item.next,
        receiver => &item.receiver,
        links => links_context(item),
        preferences => &item.answers.preferences,
    }
}

fn links_context(item: &Item) -> Vec<Value> {
    item.answers.links.iter().map(|link| context! { label => &link.label, url => &link.url }).collect()
}

pub(super) fn record_context(record: &RecordItem) -> Value {
    context! {
        name => &record.name,
        url => &record.url,
        object => &record.object,
        company => &record.company,
        stage => &record.stage,
    }
}

fn bundle_context(listing: &Listing) -> Value {
    let listed: Vec<Value> = listing.items.iter().map(item_context).collect();
    context! {
        heading => &listing.heading,
        count => listed.len() + listing.more,
        more => listing.more,
        items => listed,
        preferences => listing.items.iter().find_map(|item| item.answers.preferences.as_ref()),
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
