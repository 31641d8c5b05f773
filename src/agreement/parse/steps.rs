//! The steps of a clock: where each stands and what it does. Their order is judged in `lint/timeline`.

use super::context::Context;
use super::values::values;
use crate::agreement::document::{Reader, Word};
use crate::agreement::lint::timeline::{self, Placed};
use crate::agreement::model::{Move, Span, Step, StepAt};
use crate::record::Object;
use std::ops::Range;
use std::sync::Arc;

/// What steps must know of their clock.
pub(super) struct OfClock {
    pub object: Object,
    /// `None` when the clock's own length is wrong, which is noted.
    pub within: Option<Span>,
    pub calendar: Option<usize>,
}

/// Reads `steps`; those that are wrong are left out, and noted.
pub(super) fn steps(cx: &Context<'_>, clock: &mut Reader<'_>, of: &OfClock) -> Vec<Step> {
    let mut placed = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    for table in clock.tables("steps", "a step") {
        let (at, step) = read(cx, table, of);
        if let (Some((at, span)), Some(step)) = (at, step) {
            if steps.iter().any(|s| s.name == step.name) {
                let message = format!("this clock has two steps named `{}`", step.name);
                cx.sink.error_with(span.clone(), message, "move one, join their actions, or give one a `name`");
            }
            placed.push(Placed { at, span });
            steps.push(step);
        }
    }
    if let Some(within) = of.within {
        timeline::check(within, &placed, cx.sink);
    }
    steps
}

type PlacedAt = Option<(StepAt, Range<usize>)>;

fn read(cx: &Context<'_>, mut r: Reader<'_>, of: &OfClock) -> (PlacedAt, Option<Step>) {
    let word = r.need_text("at");
    let at = word.as_ref().and_then(|word| step_at(cx, word, of.calendar));
    let name = r.text("name").or(word.clone());
    let notify = r.texts("notify").iter().filter_map(|word| cx.audience(word)).collect();
    let task = r.text("task").and_then(|word| template(cx, &word));
    let flag = r.flag("flag").is_some_and(|flag| flag.value);
    let set = r.table("set").map(|table| values(cx, table, of.object)).unwrap_or_default();
    let moves = moves(cx, &mut r, of.object, at);
    let acts = flag || moves.is_some() || ["notify", "task", "set", "reassign"].iter().any(|key| r.has(key));
    if !acts {
        let help = "add `notify`, `task`, `flag`, `set`, `reassign`, `recycle` or `nurture`";
        cx.sink.error_with(r.span(), "this step does nothing", help);
    }
    r.finish();
    let step = at.zip(name).map(|(at, name)| Step { name: Arc::from(name.text), at, notify, task, flag, set, moves });
    (at.zip(word.map(|word| word.span)), step)
}

/// The action that takes the record from its owner; at most one, and not before the deadline.
fn moves(cx: &Context<'_>, r: &mut Reader<'_>, object: Object, at: Option<StepAt>) -> Option<Move> {
    let mut found: Vec<(&'static str, Option<Move>)> = Vec::new();
    if let Some(word) = r.text("reassign") {
        found.push(("reassign", cx.party(&word).map(Move::Reassign)));
    }
    for (key, the_move, declared) in
        [("recycle", Move::Recycle, cx.has_recycling), ("nurture", Move::Nurture, cx.has_nurture)]
    {
        let Some(flag) = r.flag(key).filter(|flag| flag.value) else { continue };
        if !declared {
            let table = if key == "recycle" { "recycling" } else { "nurture" };
            let message = format!("`{key} = true`, but the agreement does not say how");
            cx.sink.error_with(flag.span.clone(), message, format!("add a [{table}] table"));
        }
        if object == Object::Opportunity {
            let message = format!("only a lead can be {key}d, and this clock runs over opportunities");
            cx.sink.error_with(flag.span, message, "notify someone, or reassign it");
        }
        found.push((key, Some(the_move)));
    }
    if let Some((key, _)) = found.first()
        && matches!(at, Some(StepAt::Before(_)) | Some(StepAt::Share(..1.0)))
    {
        let message = format!("`{key}` before the deadline would take a record whose promise can still be kept");
        cx.sink.error_with(r.span_of(key), message, "put it at `due` or after it, such as `+2bh`");
    }
    if let [(first, _), (second, _), ..] = found[..] {
        let message = format!("a step can {first} or {second}, not both");
        cx.sink.error_with(r.span_of(second), message, "make them two steps");
    }
    found.into_iter().next().and_then(|(_, the_move)| the_move)
}

/// `50%`, `-30bm`, `due`, `+2bh`.
fn step_at(cx: &Context<'_>, word: &Word<'_>, calendar: Option<usize>) -> Option<StepAt> {
    let text = word.text.trim();
    if text == "due" {
        return Some(StepAt::Due);
    }
    if let Some(share) = text.strip_suffix('%') {
        return step_share(cx, word, share);
    }
    let rest = Word { text: text.trim_start_matches(['+', '-']).trim(), span: word.span.clone() };
    let read = |at: fn(Span) -> StepAt| {
        let span = cx.span(&rest)?;
        cx.check_calendar(span, calendar, word.span.clone());
        Some(at(span))
    };
    match text.chars().next() {
        Some('-') => read(StepAt::Before),
        Some('+') => read(StepAt::After),
        _ => {
            let help = match crate::agreement::span::parse_span(text) {
                Ok(_) => format!("write `-{text}` for before the deadline, `+{text}` for after it"),
                Err(_) => "write `50%`, `-30bm`, `due` or `+2bh`".to_owned(),
            };
            cx.sink.error_with(word.span.clone(), format!("`{text}` is no point of a clock"), help);
            None
        }
    }
}

fn step_share(cx: &Context<'_>, word: &Word<'_>, share: &str) -> Option<StepAt> {
    match share.trim().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Some(StepAt::Share(percent / 100.0)),
        Ok(_) => {
            let message = format!("`{}` does not lie between the start and the deadline", word.text);
            cx.sink.error_with(word.span.clone(), message, "a point after the deadline is written `+2bh`");
            None
        }
        Err(_) => {
            cx.sink.error(word.span.clone(), format!("`{}` is no share", word.text));
            None
        }
    }
}

/// A task's title must be a template that can be rendered later.
fn template(cx: &Context<'_>, word: &Word<'_>) -> Option<Arc<str>> {
    match minijinja::Environment::new().template_from_str(word.text) {
        Ok(_) => Some(Arc::from(word.text)),
        Err(e) => {
            let message = format!("this template cannot be read: {}", e.detail().unwrap_or("syntax error"));
            cx.sink.error_with(word.span.clone(), message, "write `{{ record.name }}` for the record's name");
            None
        }
    }
}
