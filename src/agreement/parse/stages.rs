//! `[[stage]]` and `[data.*]`: the terms of the agreement and the fields that their conditions speak of.

use super::context::{Context, StageHead, Unique};
use crate::agreement::dictionary::{self, RESERVED, TYPES, WORDS};
use crate::agreement::document::{Reader, Sink, Word};
use crate::agreement::model::{Dictionary, Ending, Stage};
use crate::record::{Object, StageName};

/// The dictionary with what `[data.lead]` and `[data.opportunity]` add.
pub(super) fn dictionary<'a>(root: &mut Reader<'a>, sink: &Sink<'_>) -> Dictionary {
    let mut all = dictionary::standard();
    let Some(mut data) = root.table("data") else { return all };
    for (key, object) in [("lead", Object::Lead), ("opportunity", Object::Opportunity)] {
        let Some(table) = data.table(key) else { continue };
        for (name, of) in table.entry_words() {
            declare(&mut all, object, &name, &of, sink);
        }
    }
    data.finish();
    all
}

fn declare(all: &mut Dictionary, object: Object, name: &Word<'_>, of: &Word<'_>, sink: &Sink<'_>) {
    let Some(kind) = dictionary::type_named(of.text) else {
        sink.unknown("type", of, TYPES);
        return;
    };
    if let Some(problem) = bad_name(name.text) {
        sink.error_with(name.span.clone(), problem, "name it otherwise and map it in the connection");
        return;
    }
    let fields = match object {
        Object::Lead => &mut all.lead,
        Object::Opportunity => &mut all.opportunity,
    };
    match fields.get(name.text) {
        Some(known) if *known != kind => {
            let message = format!("`{}` is a field of the dictionary already, of type {}", name.text, known.as_str());
            sink.error_with(of.span.clone(), message, "leave it out, or name another field");
        }
        Some(_) => {}
        None => {
            fields.insert(crate::record::FieldName::new(name.text).as_str(), kind);
        }
    }
}

fn bad_name(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!("`{name}` is written by leadpact itself and cannot be declared"));
    }
    if WORDS.contains(&name) {
        return Some(format!("`{name}` is a word of the condition language and cannot be a field"));
    }
    let shape = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (!shape).then(|| format!("`{name}` cannot stand in a condition: only lower-case letters, digits and `_` can"))
}

/// A stage's table, read but for its condition.
pub(super) struct StageDraft<'a> {
    pub term: Option<Word<'a>>,
    pub means: Option<Word<'a>>,
}

/// What others must know of each stage, and the rest of it, in the same order.
pub(super) fn heads<'a>(root: &mut Reader<'a>, sink: &Sink<'_>) -> (Vec<StageHead<'a>>, Vec<StageDraft<'a>>) {
    if !root.has("stage") {
        sink.error_with(root.span(), "the agreement names no stages", "add at least one [[stage]]");
    }
    let mut unique = Unique::new("stage");
    root.tables("stage", "[[stage]]").into_iter().map(|reader| head(reader, sink, &mut unique)).unzip()
}

fn head<'a>(mut r: Reader<'a>, sink: &Sink<'_>, unique: &mut Unique<'a>) -> (StageHead<'a>, StageDraft<'a>) {
    let name = r.need_text("name");
    if let Some(name) = &name {
        unique.check(sink, name);
    }
    let object = r.need_text("of").and_then(|of| object(&of, sink));
    let ends = r.text("ends").and_then(|ends| ending(&ends, sink));
    let when = r.need_text("when");
    let draft = StageDraft { term: r.need_text("term"), means: r.text("means") };
    let name = name.unwrap_or(Word { text: "", span: r.span() });
    r.finish();
    // A wrong `of` is noted; until it is mended the condition is judged as a lead's.
    (StageHead { name, object: object.unwrap_or(Object::Lead), ends, when }, draft)
}

fn object(word: &Word<'_>, sink: &Sink<'_>) -> Option<Object> {
    let object = Object::parse(word.text);
    if object.is_none() {
        sink.unknown("kind of record", word, &["lead", "opportunity"]);
    }
    object
}

fn ending(word: &Word<'_>, sink: &Sink<'_>) -> Option<Ending> {
    match word.text {
        "won" => Some(Ending::Won),
        "lost" => Some(Ending::Lost),
        "rejected" => Some(Ending::Rejected),
        "nurture" => Some(Ending::Nurture),
        _ => {
            sink.unknown("ending", word, &["won", "lost", "rejected", "nurture"]);
            None
        }
    }
}

/// The stages with their conditions; `None` in place of one that is wrong, which is noted.
pub(super) fn stages(cx: &Context<'_>, drafts: Vec<StageDraft<'_>>) -> Vec<Option<Stage>> {
    cx.stages.iter().zip(drafts).map(|(head, draft)| stage(cx, head, &draft)).collect()
}

fn stage(cx: &Context<'_>, head: &StageHead<'_>, draft: &StageDraft<'_>) -> Option<Stage> {
    let when = cx.stage_condition(head.when.as_ref()?, head.object)?;
    Some(Stage {
        name: StageName::new(head.name.text),
        term: draft.term.as_ref()?.text.to_owned(),
        means: draft.means.as_ref().map_or_else(String::new, |w| w.text.trim().to_owned()),
        of: head.object,
        when,
        ends: head.ends,
    })
}
