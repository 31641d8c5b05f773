//! Stages: whether a record can be at each of them, whether they stand in order, and whether what
//! leadpact writes leads to one.

use crate::agreement::document::{Sink, Word};
use crate::agreement::model::{Ending, Stage};
use crate::agreement::parse::StageHead;
use crate::agreement::predicate::{Atom, Way, closest};
use crate::agreement::problem::Problem;
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Object, Value};
use std::ops::Range;

/// A stage as the file has it, and as it was compiled; `None` where its condition is wrong.
pub(in crate::agreement) type Both<'s, 'a> = (&'s StageHead<'a>, Option<&'s Stage>);

/// Notes stages that are out of order and those that no record can be at.
pub(in crate::agreement) fn check(stages: &[Both<'_, '_>], sink: &Sink<'_>) {
    check_order(stages, sink);
    for (i, (head, stage)) in stages.iter().enumerate() {
        if let (Some(word), Some(stage)) = (&head.when, stage) {
            check_reachable(word, head, stage, &stages[i + 1..], sink);
        }
    }
}

/// A lead becomes an opportunity and never the other way round.
fn check_order(stages: &[Both<'_, '_>], sink: &Sink<'_>) {
    let mut waterfall = stages.iter().map(|(head, _)| head).filter(|head| head.in_waterfall());
    let Some(first) = waterfall.find(|head| head.object == Object::Opportunity) else { return };
    for head in waterfall.filter(|head| head.object == Object::Lead) {
        let message =
            format!("`{}` is a lead's stage and stands after `{}`, an opportunity's", head.name.text, first.name.text);
        let help = "stages stand in waterfall order; those of leads come first";
        sink.error_with(head.name.span.clone(), message, help);
    }
}

/// A record is at the last listed stage whose condition holds. Each way for this one to hold must
/// leave room for not being at a later one.
fn check_reachable(word: &Word<'_>, head: &StageHead<'_>, stage: &Stage, later: &[Both<'_, '_>], sink: &Sink<'_>) {
    let Some(ways) = stage.when.ways() else { return };
    let possible: Vec<&Way> = ways.iter().filter(|way| !contradicts_itself(way)).collect();
    if possible.is_empty() {
        let message = format!("no record can ever be at `{}`: its condition contradicts itself", head.name.text);
        sink.error_with(word.span.clone(), message, "a field has one value at a time; `||` joins alternatives");
        return;
    }
    let mut shadows: Vec<&str> = Vec::new();
    for way in &possible {
        match later.iter().find(|(_, other)| other.is_some_and(|other| other.of == stage.of && takes(other, way))) {
            Some((other, _)) if !shadows.contains(&other.name.text) => shadows.push(other.name.text),
            Some(_) => {}
            None => return,
        }
    }
    let names: Vec<String> = shadows.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "the stage `{}` is unreachable: whatever meets its condition is at {}, which comes later",
        head.name.text,
        names.join(" or ")
    );
    sink.error_with(
        word.span.clone(),
        message,
        "a record is at the last stage whose condition holds: change one of them",
    );
}

/// Whether whatever meets all atoms of `way` meets the stage's condition too.
fn takes(stage: &Stage, way: &Way) -> bool {
    let implied = |atom: &Atom| way.contains(atom) || matches!(atom, Atom::Set(f) if is_set(way, *f));
    stage.when.ways().is_some_and(|ways| ways.iter().any(|other| other.iter().all(implied)))
}

fn is_set(way: &Way, field: crate::record::FieldName) -> bool {
    way.iter().any(|atom| matches!(atom, Atom::Is(f, _) | Atom::Set(f) if *f == field))
}

fn contradicts_itself(way: &Way) -> bool {
    way.iter().any(|atom| match atom {
        Atom::Is(field, value) => {
            way.iter().any(|other| matches!(other, Atom::Is(f, v) if f == field && v != value))
                || way.contains(&Atom::Unset(*field))
        }
        Atom::Set(field) => way.contains(&Atom::Unset(*field)),
        Atom::Never => true,
        _ => false,
    })
}

/// What leadpact sets on a lead, by which table, and where the file says so.
pub(in crate::agreement) struct Sets<'s> {
    pub table: &'static str,
    pub values: &'s FieldValues,
    pub span: Range<usize>,
}

/// A status that leadpact writes must be one that a stage knows, else the lead would fall out of the waterfall.
pub(in crate::agreement) fn check_set(sets: &Sets<'_>, stages: &[Both<'_, '_>], sink: &Sink<'_>) {
    let Some((_, status)) = sets.values.iter().find(|(name, _)| *name == well_known().status) else { return };
    let leads = || stages.iter().filter_map(|(_, stage)| *stage).filter(|stage| stage.of == Object::Lead);
    // A stage whose condition has no plain ways might be the one.
    if leads().any(|stage| stage.when.ways().is_none()) || stages.iter().any(|(_, stage)| stage.is_none()) {
        return;
    }
    match leads().rfind(|stage| statuses(stage).contains(status)) {
        None => note_unknown_status(sets, status, leads(), sink),
        Some(stage) => check_ending(sets, stage, sink),
    }
}

fn note_unknown_status<'s>(sets: &Sets<'_>, status: &Value, leads: impl Iterator<Item = &'s Stage>, sink: &Sink<'_>) {
    let known: Vec<Value> = leads.flat_map(statuses).collect();
    let message = format!("no stage of leads has the status `{status}` that [{}] sets", sets.table);
    let mut problem = Problem::error(sets.span.clone(), message);
    let texts = known.iter().filter_map(Value::as_text);
    problem.help = status.as_text().and_then(|s| closest(s, texts)).map(|s| format!("did you mean `{s}`?"));
    sink.note(problem);
}

fn check_ending(sets: &Sets<'_>, stage: &Stage, sink: &Sink<'_>) {
    let name = &stage.name;
    if sets.table == "recycling" && !stage.in_waterfall() {
        let message = format!("[recycling] sets a lead to `{name}`, which is an ending: it would not be worked again");
        sink.error_with(sets.span.clone(), message, "set the status of the stage at which it is handed over");
    }
    let meant = match sets.table {
        "handoff.accept" => (!stage.in_waterfall()).then_some("is an ending and accepts nothing"),
        "handoff.reject" => (stage.ends != Some(Ending::Rejected)).then_some("does not end as rejected"),
        _ => None,
    };
    if let Some(why) = meant {
        sink.error(sets.span.clone(), format!("[{}] sets a record to `{name}`, which {why}", sets.table));
    }
    if sets.table == "nurture" && stage.ends != Some(Ending::Nurture) {
        let message = format!("[nurture] sets a lead to `{name}`, which does not end as nurture");
        sink.note(Problem::warning(sets.span.clone(), message).with_help("its clocks would start again"));
    }
}

/// The values of `status` that a stage's condition names.
fn statuses(stage: &Stage) -> Vec<Value> {
    let status = |atom: Atom| match atom {
        Atom::Is(field, value) if field == well_known().status => Some(value),
        _ => None,
    };
    stage.when.ways().unwrap_or_default().into_iter().flatten().filter_map(status).collect()
}
