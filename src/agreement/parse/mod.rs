//! From `agreement.toml` to the agreement that the daemon enforces: one file for each part of it.
//! Every problem is noted with its place, and reading goes on. Files are read by the caller.

mod calendars;
mod clocks;
mod commitments;
mod context;
mod handoffs;
mod hash;
mod parties;
mod recycling;
mod stages;
mod steps;
mod values;

pub(super) use context::StageHead;

use super::document::{self, Reader, Sink};
use super::lint;
use super::lint::stages::{Both, Sets};
use super::model::{Agreement, NamedCalendar, Stage};
use super::problem::Report;
use crate::record::{Elapsed, Timestamp};
use calendars::Included;
use clocks::Clocks;
use commitments::Measured;
use context::Context;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use recycling::SetAt;
use toml::de::DeTable;

/// How long a form may be filled in, unless the agreement says otherwise.
const SETTLE: Elapsed = Elapsed::from_secs(15);

/// An agreement without errors.
#[derive(Debug)]
pub struct Parsed {
    pub agreement: Agreement,
    /// What the hash is taken of: the document as JSON, then each included file's name and contents.
    pub canonical: serde_json::Value,
    pub warnings: Report,
}

/// Reads an agreement. `file` is the name that problems are shown under; `include` reads a file that
/// the agreement names (`holidays_ics`), or says why it cannot.
///
/// # Errors
/// A report of all errors and warnings, if there is at least one error. A file that TOML's grammar
/// refuses has that one error alone.
pub fn parse(file: &str, text: &str, include: &dyn Fn(&str) -> Result<String, String>) -> Result<Parsed, Report> {
    let table = document::parse(file, text)?;
    let sink = Sink::new(text);
    let agreement = read(table.get_ref(), &sink, include);
    let report = sink.into_report(file);
    match agreement {
        Some((agreement, canonical)) if !report.has_errors() => Ok(Parsed { agreement, canonical, warnings: report }),
        _ => Err(report),
    }
}

/// What stands at the top of the file.
struct Head {
    title: String,
    version: String,
    summary: String,
    effective: Option<Date>,
    review_by: Option<Date>,
    settle: Elapsed,
    apply_to_open: bool,
}

/// `None` only where something was noted as an error.
fn read<'a>(
    table: &'a DeTable<'a>,
    sink: &'a Sink<'a>,
    include: &dyn Fn(&str) -> Result<String, String>,
) -> Option<(Agreement, serde_json::Value)> {
    let mut root = Reader::root(table, "the agreement", sink);
    let mut included = Included { read: include, files: vec![] };
    let (mut cx, calendars) = calendars(&mut root, sink, &mut included);
    let head = head(&mut root, &cx);

    cx.dictionary = stages::dictionary(&mut root, sink);
    let mut tables = root.table("parties").map(|t| t.entry_tables("[parties.*]")).unwrap_or_default();
    parties::heads(&mut cx, &mut tables);
    let (heads, drafts) = stages::heads(&mut root, sink);
    cx.scope_stages = heads.iter().map(|head| (head.name.text.to_owned(), head.in_waterfall())).collect();
    cx.stages = heads;
    cx.has_recycling = root.has("recycling");
    cx.has_nurture = root.has("nurture");

    let parties = parties::parties(&cx, tables);
    let stages = stages::stages(&cx, drafts);
    let (mut clocks, mut sets) = (Clocks::new(), Vec::new());
    let (mut handoffs, handoff_names) = handoffs::handoffs(&cx, &mut root, &mut clocks, &mut sets);
    handoffs::derive_answers(&mut handoffs, &stages);
    let requirements = handoffs::requirements(&cx, &mut root, &mut clocks);
    let recycling = recycling::recycling(&cx, &mut root);
    let nurture = recycling::nurture(&cx, &mut root);
    let freezes = recycling::freezes(&cx, &mut root);
    let measured = Measured { handoffs: &handoff_names, clocks: &clocks };
    let commitments = commitments::commitments(&cx, &mut root, &measured);
    let reviews = parties::reviews(&cx, &mut root);
    let resolutions = parties::resolutions(&cx, &mut root);
    let currency = parties::currency(&cx, &mut root);
    root.finish();
    sets.extend(recycling.as_ref().map(|(_, set)| ("recycling", set.clone())));
    sets.extend(nurture.as_ref().map(|(_, set)| ("nurture", set.clone())));
    check_stages(&cx, &stages, &sets);

    let head = head?;
    let canonical = hash::canonical(table, &included.files);
    let agreement = Agreement {
        hash: hash::hash(&canonical),
        effective_at: head.effective.map_or(Timestamp::MIN, |day| recycling::midnight(day, &cx.zone)),
        title: head.title,
        version: head.version,
        summary: head.summary,
        effective: head.effective,
        review_by: head.review_by,
        settle: head.settle,
        apply_to_open: head.apply_to_open,
        calendars: calendars.into_iter().flatten().collect(),
        calendar: cx.calendar,
        parties,
        dictionary: cx.dictionary,
        stages: stages.into_iter().collect::<Option<_>>()?,
        handoffs,
        clocks: clocks.read.into_iter().collect::<Option<_>>()?,
        requirements,
        recycling: recycling.map(|(recycling, _)| recycling),
        nurture: nurture.map(|(nurture, _)| nurture),
        freezes,
        commitments,
        reviews,
        resolutions,
        currency,
    };
    Some((agreement, canonical))
}

/// The calendars, and a context that knows nothing but them.
fn calendars<'a>(
    root: &mut Reader<'a>,
    sink: &'a Sink<'a>,
    included: &mut Included<'_>,
) -> (Context<'a>, Vec<Option<NamedCalendar>>) {
    let tables = root.table("calendars").map(|t| t.entry_tables("[calendars.*]")).unwrap_or_default();
    let names: Vec<&str> = tables.iter().map(|(name, _)| name.text).collect();
    let calendars: Vec<_> =
        tables.into_iter().map(|(name, table)| calendars::calendar(&name, table, sink, included)).collect();
    let mut cx = Context::new(sink, names);
    cx.calendar = match root.text("calendar") {
        Some(word) => cx.calendar(&word),
        // The only one there is needs no mention.
        None => (calendars.len() == 1).then_some(0),
    };
    let own = cx.calendar.and_then(|i| calendars[i].as_ref());
    cx.zone = own.map_or(TimeZone::UTC, |own| own.calendar.zone().clone());
    (cx, calendars)
}

fn head(root: &mut Reader<'_>, cx: &Context<'_>) -> Option<Head> {
    let (title, version) = (root.need_text("title"), root.need_text("version"));
    let summary = root.text("summary").map_or_else(String::new, |word| word.text.trim().to_owned());
    let (effective, review_by) = (root.date("effective"), root.date("review_by"));
    if let (Some(effective), Some(review)) = (&effective, &review_by)
        && review.value < effective.value
    {
        let message = format!("`review_by` lies before `effective`, {}", effective.value);
        cx.sink.error_with(review.span.clone(), message, "an agreement is reviewed after it took effect");
    }
    let settle = root.text("settle").and_then(|word| cx.elapsed(&word)).unwrap_or(SETTLE);
    let apply_to_open = root.flag("apply_to_open").is_some_and(|flag| flag.value);
    Some(Head {
        title: title?.text.to_owned(),
        version: version?.text.to_owned(),
        summary,
        effective: effective.map(|date| date.value),
        review_by: review_by.map(|date| date.value),
        settle,
        apply_to_open,
    })
}

fn check_stages(cx: &Context<'_>, stages: &[Option<Stage>], sets: &[(&'static str, SetAt)]) {
    let both: Vec<Both<'_, '_>> = cx.stages.iter().zip(stages.iter().map(Option::as_ref)).collect();
    lint::stages::check(&both, cx.sink);
    for (table, (values, span)) in sets {
        lint::stages::check_set(&Sets { table, values, span: span.clone() }, &both, cx.sink);
    }
}
