//! `[[handoff]]` and `[[requirement]]`: who passes what to whom, and what must be filled in.

use super::clocks::{self, Clocks, Owed};
use super::context::{Context, Unique, plural};
use super::recycling::SetAt;
use super::values::values;
use crate::agreement::dictionary::KEPT;
use crate::agreement::document::{Reader, Word};
use crate::agreement::model::{ClockOf, Ending, Handoff, Rejection, Requirement, Span, Stage, Until, Written};
use crate::agreement::predicate::Atom;
use crate::record::change::FieldValues;
use crate::record::{Elapsed, FieldName, FieldType, Object};
use std::sync::Arc;

/// The handoffs, and their names in the order of the file.
pub(super) fn handoffs<'a>(
    cx: &Context<'a>,
    root: &mut Reader<'a>,
    clocks: &mut Clocks<'a>,
    sets: &mut Vec<(&'static str, SetAt)>,
) -> (Vec<Handoff>, Vec<&'a str>) {
    let mut unique = Unique::new("handoff");
    let mut seen: Vec<(usize, &str)> = Vec::new();
    let mut names = Vec::new();
    let mut all = Vec::new();
    for (index, mut r) in root.tables("handoff", "[[handoff]]").into_iter().enumerate() {
        let name = r.need_text("name");
        if let Some(name) = &name {
            unique.check(cx.sink, name);
        }
        let name_text = name.as_ref().map_or("", |name| name.text);
        names.push(name_text);
        let at = stage(cx, &mut r);
        if let Some((at, word)) = &at {
            if let Some((_, other)) = seen.iter().find(|(stage, _)| stage == at) {
                let message = format!("`{other}` hands over at `{}` already", word.text);
                let help = "a record's party is the receiver of its latest handoff: give each its own stage";
                cx.sink.error_with(word.span.clone(), message, help);
            }
            seen.push((*at, name_text));
        }
        all.extend(handoff(cx, r, (index, name), at.map(|(at, _)| at), clocks, sets));
    }
    (all, names)
}

/// `at` or `on`, which mean the same.
fn stage<'a>(cx: &Context<'_>, r: &mut Reader<'a>) -> Option<(usize, Word<'a>)> {
    let word = match (r.text("at"), r.text("on")) {
        (Some(at), None) => at,
        (None, Some(on)) => on,
        (Some(_), Some(on)) => {
            cx.sink.error_with(on.span, "`at` and `on` mean the same", "keep one of them");
            return None;
        }
        (None, None) => {
            if !r.has("at") && !r.has("on") {
                let message = "[[handoff]] does not say at which stage";
                cx.sink.error_with(r.span(), message, "add `at = \"STAGE\"`");
            }
            return None;
        }
    };
    let index = cx.waterfall_stage(&word)?;
    Some((index, word))
}

fn handoff<'a>(
    cx: &Context<'a>,
    mut r: Reader<'a>,
    (index, name): (usize, Option<Word<'a>>),
    at: Option<usize>,
    clocks: &mut Clocks<'a>,
    sets: &mut Vec<(&'static str, SetAt)>,
) -> Option<Handoff> {
    let object = at.map_or(Object::Lead, |at| cx.stages[at].object);
    let from = r.need_text("from").and_then(|word| cx.party(&word));
    let to = r.need_text("to").and_then(|word| cx.party(&word));
    let definition = r.text("definition").and_then(|word| cx.condition(&word, object, false));
    let requires = fields(cx, object, &r.texts("requires"));
    let reject = r.table("reject").and_then(|table| rejection(cx, table, object, sets));
    let accept = r.table("accept").map_or_else(Written::default, |table| accepted(cx, table, object, sets));
    let calendar = to.as_ref().map_or(cx.calendar, |party| cx.calendar_of_party(party));
    let snooze =
        r.text("snooze").and_then(|word| clocks::length(cx, &word, calendar)).unwrap_or_else(|| hour(calendar));
    let owed = Owed { of: ClockOf::Handoff(index), object, starts_at: at, party: to.clone() };
    let tables = r.tables("clock", "[[handoff.clock]]");
    let clocks = tables.into_iter().map(|table| clocks.handoff_clock(cx, table, &owed)).collect();
    r.finish();
    let name = Arc::from(name?.text);
    Some(Handoff { name, from: from?, to: to?, at: at?, definition, requires, reject, accept, snooze, clocks })
}

fn fields(cx: &Context<'_>, object: Object, words: &[Word<'_>]) -> Vec<FieldName> {
    words.iter().filter_map(|word| cx.field(object, word)).collect()
}

fn rejection(
    cx: &Context<'_>,
    mut r: Reader<'_>,
    object: Object,
    sets: &mut Vec<(&'static str, SetAt)>,
) -> Option<Rejection> {
    let stage = r.need_text("stage").and_then(|word| rejected_stage(cx, &word, object));
    let reason = r.need_text("reason").and_then(|word| reason(cx, &word, object));
    let allowed = r.need_texts("allowed").iter().map(|word| word.text.to_owned()).collect();
    let set = r.table("set").map(|table| values(cx, table, object));
    sets.extend(set.clone().map(|set| ("handoff.reject", (set, r.span_of("set")))));
    let writes = Written { is_said: set.is_some(), set: set.unwrap_or_default() };
    r.finish();
    Some(Rejection { stage: stage?, reason: reason?, allowed, writes })
}

/// `accept = { set = { … } }`: an empty `set` takes the button away.
fn accepted(cx: &Context<'_>, mut r: Reader<'_>, object: Object, sets: &mut Vec<(&'static str, SetAt)>) -> Written {
    r.need("set");
    let set = r.table("set").map(|table| values(cx, table, object)).unwrap_or_default();
    sets.push(("handoff.accept", (set.clone(), r.span_of("set"))));
    r.finish();
    Written { set, is_said: true }
}

/// An hour, of business time where there is a calendar.
fn hour(calendar: Option<usize>) -> Span {
    const HOUR: Elapsed = Elapsed::from_secs(3_600);
    if calendar.is_some() { Span::Open(HOUR) } else { Span::Elapsed(HOUR) }
}

/// What answers write where the agreement does not say: what makes the stage after the handoff's true,
/// or the rejecting one, where that is plainly a matter of fields having certain values.
pub(super) fn derive_answers(handoffs: &mut [Handoff], stages: &[Option<Stage>]) {
    for handoff in handoffs {
        let object = stages[handoff.at].as_ref().map(|stage| stage.of);
        let beyond = stages.iter().skip(handoff.at + 1).flatten().find(|stage| stage.in_waterfall());
        if !handoff.accept.is_said {
            let next = beyond.filter(|stage| Some(stage.of) == object && stage.ends.is_none());
            handoff.accept.set = next.map(plainly).unwrap_or_default();
        }
        if let Some(reject) = handoff.reject.as_mut().filter(|reject| !reject.writes.is_said) {
            reject.writes.set = stages[reject.stage].as_ref().map(plainly).unwrap_or_default();
        }
    }
}

/// The values that a stage's condition asks for, and nothing else; empty where it asks for more than
/// values that we may write.
fn plainly(stage: &Stage) -> FieldValues {
    let Some([way]) = stage.when.ways().map(|ways| <[_; 1]>::try_from(ways).unwrap_or_default()) else {
        return FieldValues::new();
    };
    let value = |atom: &Atom| match atom {
        Atom::Is(field, value) if !KEPT.contains(&field.as_str()) => Some((*field, value.clone())),
        _ => None,
    };
    way.iter().map(value).collect::<Option<_>>().unwrap_or_default()
}

fn rejected_stage(cx: &Context<'_>, word: &Word<'_>, object: Object) -> Option<usize> {
    let index = cx.stage(word)?;
    let stage = &cx.stages[index];
    if stage.ends == Some(Ending::Rejected) && stage.object == object {
        return Some(index);
    }
    let message = format!("`{}` is no stage that ends {} as rejected", word.text, plural(object));
    let rejected = cx.stages.iter().find(|s| s.ends == Some(Ending::Rejected) && s.object == object);
    let help = match rejected {
        Some(stage) => format!("did you mean `{}`?", stage.name.text),
        None => "add `ends = \"rejected\"` to the stage that means so".to_owned(),
    };
    cx.sink.error_with(word.span.clone(), message, help);
    None
}

fn reason(cx: &Context<'_>, word: &Word<'_>, object: Object) -> Option<FieldName> {
    let field = cx.field(object, word)?;
    let of = cx.dictionary.type_of(object, field)?;
    if of != FieldType::Text {
        let message = format!("a reason is text, and `{}` is a {}", word.text, of.as_str());
        cx.sink.error(word.span.clone(), message);
    }
    Some(field)
}

pub(super) fn requirements<'a>(cx: &Context<'a>, root: &mut Reader<'a>, clocks: &mut Clocks<'a>) -> Vec<Requirement> {
    let mut unique = Unique::new("requirement");
    let tables = root.tables("requirement", "[[requirement]]");
    tables.into_iter().enumerate().filter_map(|(i, r)| requirement(cx, r, i, clocks, &mut unique)).collect()
}

fn requirement<'a>(
    cx: &Context<'a>,
    mut r: Reader<'a>,
    index: usize,
    clocks: &mut Clocks<'a>,
    unique: &mut Unique<'a>,
) -> Option<Requirement> {
    let name = r.need_text("name");
    if let Some(name) = &name {
        unique.check(cx.sink, name);
    }
    let by = r.need_text("by").and_then(|word| cx.party(&word));
    let since = r.need_text("since").and_then(|word| cx.stage(&word));
    let object = since.map_or(Object::Lead, |since| cx.stages[since].object);
    let words = r.need_texts("fields");
    // Without a known stage it is unknown whose fields they are.
    let fields = if since.is_some() { fields(cx, object, &words) } else { vec![] };
    let owed = Owed { of: ClockOf::Requirement(index), object, starts_at: since, party: by.clone() };
    let clock = clocks.requirement_clock(cx, &mut r, name.clone(), Until::Filled(fields.clone()), &owed);
    r.finish();
    Some(Requirement { name: Arc::from(name?.text), by: by?, since: since?, fields, clock })
}
