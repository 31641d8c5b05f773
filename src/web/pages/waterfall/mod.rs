//! `/waterfall`: the stages with what went on from each, what came back and how it ended; the records behind a bar are
//! in `list`.

pub mod list;

use super::super::Web;
use super::super::asked::{Asked, Unasked};
use super::super::numbers::money;
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::choices::{Choice, Choices, PATIENCE, Shown, address, refuse};
use super::{Nav, html};
use crate::agreement::Agreement;
use crate::chart::{Flow, Return, Stage, Theme};
use crate::record::Object;
use crate::report::figures::{Amounts, Part, Report, StageLine};
use crate::report::layout::{percent, thousands};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;

pub(super) const ROUTES: &[Entry] = &[
    get("/waterfall", Permission::Look, |route| route.to(waterfall)),
    get("/waterfall/stage", Permission::Look, |route| route.to(list::stage)),
];

/// Of a split so many parts are drawn; CSV and API have them all.
const PARTS: usize = 50;
/// Widths of the picture: on a screen, and on a phone.
const WIDE: f64 = 720.0;
const NARROW: f64 = 320.0;

pub(super) const SPLITS: [(&str, &str); 5] =
    [("", "Not split"), ("source", "Source"), ("campaign", "Campaign"), ("party", "Party"), ("owner", "Owner")];

#[derive(Template)]
#[template(path = "waterfall.html")]
struct Page {
    nav: Nav,
    choices: Choices,
    splits: Vec<Choice>,
    here: String,
    title: String,
    period: String,
    currency: String,
    shown: Shown,
    falls: Vec<Fall>,
    /// Parts that are not drawn.
    left_out: usize,
    is_empty: bool,
}

/// The waterfall of all records or of one part.
struct Fall {
    /// `None`: of all.
    name: Option<String>,
    wide: String,
    narrow: String,
    rows: Vec<Row>,
    endings: Vec<End>,
}

struct Row {
    term: String,
    href: String,
    again_href: String,
    entered: String,
    again: Option<String>,
    onward: String,
    median: String,
    open: String,
    so_far: String,
    amount: String,
}

struct End {
    term: String,
    href: String,
    entered: String,
    amount: String,
}

async fn waterfall(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    match page(&web, &visitor, &asked).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(why) => refuse(&visitor, &why),
    }
}

async fn page(web: &Web, visitor: &Visitor, asked: &Asked) -> Result<Page, Unasked> {
    let (site, by) = (asked.site(web)?, asked.dimension()?);
    let (now, zone) = (web.engine.clock.now(), site.agreement.zone());
    let shown = Shown::of(asked.figures(web, &site, by, PATIENCE).await?, &zone, now);
    let parts = shown.report.as_ref().map(|report| report.waterfall.parts.as_slice()).unwrap_or_default();
    let falls = shown.report.iter().flat_map(|report| {
        let links = Links { asked, connection: site.name().as_str(), agreement: &site.agreement, report };
        report.waterfall.parts.iter().take(PARTS + 1).map(move |part| links.fall(part)).collect::<Vec<_>>()
    });
    let is_empty =
        parts.first().is_some_and(|part| part.stages.iter().all(|s| s.entered + s.recycled + s.returned == 0));
    Ok(Page {
        nav: Nav::at("/waterfall", visitor),
        choices: Choices::of(web, asked, &site),
        splits: SPLITS.iter().map(|(value, label)| Choice::new(value, label, &asked.by)).collect(),
        here: address("/waterfall", &[("connection", &asked.connection), ("period", &asked.period), ("by", &asked.by)]),
        title: format!("{}, version {}", site.agreement.title, site.agreement.version),
        period: shown.report.as_ref().map(|r| r.period.to_string()).unwrap_or_default(),
        currency: shown.report.as_ref().and_then(|r| r.currency.clone()).unwrap_or_default(),
        falls: falls.collect(),
        left_out: parts.len().saturating_sub(PARTS + 1),
        is_empty,
        shown,
    })
}

/// Where the bars of a report lead to.
#[derive(Clone, Copy)]
struct Links<'a> {
    asked: &'a Asked,
    connection: &'a str,
    agreement: &'a Agreement,
    report: &'a Report,
}

impl Links<'_> {
    fn list(&self, part: &Part, stage: &str, passes: &str) -> String {
        let period = self.report.period.to_string();
        let mut parts =
            vec![("stage", stage), ("connection", self.connection), ("period", period.as_str()), ("passes", passes)];
        if let Some(value) = &part.value {
            parts.extend([("by", self.asked.by.as_str()), ("value", value.as_str())]);
        }
        let none = part.value.as_deref() == Some("");
        let path = address("/waterfall/stage", &parts);
        // What is not set is asked for by an empty value, which the address otherwise leaves out.
        if none { format!("{path}&value=") } else { path }
    }

    fn fall(&self, part: &Part) -> Fall {
        let name = part.value.as_deref().map(|v| if v.is_empty() { "(none)".to_owned() } else { v.to_owned() });
        let title = format!("Waterfall{}", name.as_ref().map_or(String::new(), |name| format!(" of {name}")));
        let (last, to) = (part.stages.len().saturating_sub(1), came_back_to(&part.stages));
        let stages = part.stages.iter().enumerate().map(|(at, line)| {
            let stage = self.stage(part, line, at == last);
            // What came back to a later stage counts as having reached the earlier ones, but did not begin there.
            Stage { back: stage.back.filter(|_| to.is_some_and(|to| at >= to)), ..stage }
        });
        let flow = Flow { title, stages: stages.collect(), loop_back: self.last_of_leads(part).zip(to) };
        Fall {
            name,
            wide: flow.linked(WIDE, &Theme::PAGE),
            narrow: flow.linked(NARROW, &Theme::PAGE),
            rows: part.stages.iter().map(|line| self.row(part, line)).collect(),
            endings: part
                .endings
                .iter()
                .map(|end| End {
                    term: end.term.clone(),
                    href: self.list(part, end.stage.as_str(), "all"),
                    entered: thousands(end.entered),
                    amount: amount(end.amounts.as_ref()),
                })
                .collect(),
        }
    }

    /// Only leads come back.
    fn last_of_leads(&self, part: &Part) -> Option<usize> {
        part.stages
            .iter()
            .rposition(|line| self.agreement.stages.iter().any(|s| s.name == line.stage && s.of == Object::Lead))
    }

    fn stage(&self, part: &Part, line: &StageLine, is_last: bool) -> Stage {
        let back = again(line).map(|shown| Return {
            count: (line.recycled + line.returned) as f64,
            shown,
            href: self.list(part, line.stage.as_str(), "again"),
        });
        Stage {
            label: line.term.clone(),
            count: line.entered as f64,
            shown: thousands(line.entered),
            href: self.list(part, line.stage.as_str(), ""),
            onward: (!is_last).then(|| onward(line)),
            back,
        }
    }

    fn row(&self, part: &Part, line: &StageLine) -> Row {
        let share = |rate: Option<f64>| rate.map_or("–".to_owned(), percent);
        Row {
            term: line.term.clone(),
            href: self.list(part, line.stage.as_str(), ""),
            again_href: self.list(part, line.stage.as_str(), "again"),
            entered: thousands(line.entered),
            again: again(line),
            onward: line
                .rate
                .map_or("–".to_owned(), |rate| format!("{} ({})", thousands(line.converted), percent(rate))),
            median: line.median_to_next.map_or("–".to_owned(), |length| length.to_string()),
            open: thousands(line.open),
            so_far: share(line.cumulative),
            amount: amount(line.amounts.as_ref()),
        }
    }
}

/// The furthest stage that all that came back has reached: where it began again.
fn came_back_to(stages: &[StageLine]) -> Option<usize> {
    let count = |line: &StageLine| line.recycled + line.returned;
    let most = stages.iter().map(count).max().filter(|most| *most > 0)?;
    stages.iter().rposition(|line| count(line) == most)
}

/// `12 recycled, 3 returned`; nothing where nothing came back.
fn again(line: &StageLine) -> Option<String> {
    let told = [(line.recycled, "recycled"), (line.returned, "returned")];
    let told: Vec<String> =
        told.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", thousands(*n))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// `42% went on (168), 12 still open, median 2h 5m`
fn onward(line: &StageLine) -> String {
    let Some(rate) = line.rate else { return "nothing to go on".to_owned() };
    let open = if line.open > 0 { format!(", {} still open", thousands(line.open)) } else { String::new() };
    let median = line.median_to_next.map_or(String::new(), |length| format!(", median {length}"));
    format!("{} went on ({}){open}{median}", percent(rate), thousands(line.converted))
}

fn amount(amounts: Option<&Amounts>) -> String {
    amounts.map_or(String::new(), |a| money(a.sum))
}
