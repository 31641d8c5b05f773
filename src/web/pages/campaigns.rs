//! `/campaigns`: what each campaign, or each source, brought in a period; the same as CSV.

use super::super::Web;
use super::super::asked::{Asked, Unasked};
use super::super::figures::Figures;
use super::super::numbers::money;
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::choices::{Choice, Choices, PATIENCE, Shown, address, refuse};
use super::{Nav, html, tell};
use crate::chart::{Flow, Stage, Theme};
use crate::report::figures::{Amounts, Campaign};
use crate::report::layout::{Stamp, What, percent, table, thousands, to_csv};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;
use std::cmp::Reverse;
use std::time::Duration;

pub(super) const ROUTES: &[Entry] = &[
    get("/campaigns", Permission::Look, |route| route.to(campaigns)),
    get("/campaigns.csv", Permission::Look, |route| route.to(csv)),
];

/// The table shows so many; CSV has them all.
const ROWS: usize = 200;
/// The picture shows so many.
const BARS: usize = 12;
const WIDE: f64 = 720.0;
const NARROW: f64 = 320.0;
/// A download waits a little rather than be asked for again.
const DOWNLOAD: Duration = Duration::from_secs(5);

/// What is asked for; programs leave `sort` out.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    connection: String,
    #[serde(default)]
    period: String,
    /// `source`, or empty for campaigns.
    #[serde(default)]
    by: String,
    /// A column; the greatest first, but names from A to Z.
    #[serde(default)]
    sort: Sort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Name,
    Inquiries,
    #[default]
    Delivered,
    Accepted,
    Rejected,
    Converted,
    Opportunities,
    Won,
    Amount,
    Neglected,
}

/// The columns in their order, with what stands over them.
const COLUMNS: [(Sort, &str, &str); 10] = [
    (Sort::Name, "name", "Name"),
    (Sort::Inquiries, "inquiries", "Inquiries"),
    (Sort::Delivered, "delivered", "Delivered"),
    (Sort::Accepted, "accepted", "Accepted"),
    (Sort::Rejected, "rejected", "Rejected"),
    (Sort::Converted, "converted", "Converted"),
    (Sort::Opportunities, "opportunities", "Opportunities"),
    (Sort::Won, "won", "Won"),
    (Sort::Amount, "amount", "Won amount"),
    (Sort::Neglected, "neglected", "Lost to neglect"),
];

#[derive(Template)]
#[template(path = "campaigns.html")]
struct Page {
    nav: Nav,
    choices: Choices,
    kinds: Vec<Choice>,
    sort: &'static str,
    here: String,
    csv: String,
    /// `Campaign` or `Source`.
    kind: &'static str,
    title: String,
    period: String,
    currency: String,
    shown: Shown,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// More rows than are shown.
    left_out: usize,
    /// What the picture shows.
    drawn: &'static str,
    wide: String,
    narrow: String,
}

struct Column {
    label: &'static str,
    href: String,
    is_sorted: bool,
    is_number: bool,
}

struct Row {
    name: String,
    href: String,
    inquiries: String,
    delivered: String,
    accepted: String,
    accepted_share: String,
    rejected: String,
    /// Each with its number.
    reasons: Vec<String>,
    converted: String,
    opportunities: String,
    won: String,
    amount: String,
    /// What could not be added to the amount.
    besides: Vec<String>,
    neglected: String,
}

impl Wanted {
    fn asked(&self) -> Asked {
        Asked { connection: self.connection.clone(), period: self.period.clone(), by: String::new() }
    }

    fn is_by_source(&self) -> Result<bool, Unasked> {
        match self.by.as_str() {
            "" | "campaign" => Ok(false),
            "source" => Ok(true),
            _ => Err(Unasked::NoSuchSplit),
        }
    }

    fn address(&self, path: &str, sort: &str) -> String {
        let parts = [("connection", &*self.connection), ("period", &*self.period), ("by", &*self.by), ("sort", sort)];
        address(path, &parts)
    }
}

async fn campaigns(web: Data<Web>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    match page(&web, &visitor, &wanted).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(why) => refuse(&visitor, &why),
    }
}

async fn page(web: &Web, visitor: &Visitor, wanted: &Wanted) -> Result<Page, Unasked> {
    let (asked, by_source) = (wanted.asked(), wanted.is_by_source()?);
    let site = asked.site(web)?;
    let (now, zone) = (web.engine.clock.now(), site.agreement.zone());
    let shown = Shown::of(asked.figures(web, &site, None, PATIENCE).await?, &zone, now);
    let lines = shown.report.as_ref().map(|r| if by_source { &r.by_source } else { &r.by_campaign });
    let mut lines: Vec<&Campaign> = lines.into_iter().flatten().collect();
    sort(&mut lines, wanted.sort);
    let left_out = lines.len().saturating_sub(ROWS);
    lines.truncate(ROWS);
    let flow = flow(&lines, wanted, by_source);
    let column = column_of(wanted.sort);
    Ok(Page {
        nav: Nav::at("/campaigns", visitor),
        choices: Choices::of(web, &asked, &site),
        kinds: [("", "Campaign"), ("source", "Source")].map(|(v, label)| Choice::new(v, label, &wanted.by)).into(),
        sort: column.1,
        here: wanted.address("/campaigns", column.1),
        csv: wanted.address("/campaigns.csv", ""),
        kind: if by_source { "Source" } else { "Campaign" },
        title: format!("{}, version {}", site.agreement.title, site.agreement.version),
        period: shown.report.as_ref().map(|r| r.period.to_string()).unwrap_or_default(),
        currency: shown.report.as_ref().and_then(|r| r.currency.clone()).unwrap_or_default(),
        columns: columns(wanted),
        drawn: if wanted.sort == Sort::Name { column_of(Sort::Delivered).2 } else { column.2 },
        wide: flow.linked(WIDE, &Theme::PAGE),
        narrow: flow.linked(NARROW, &Theme::PAGE),
        rows: lines.iter().map(|line| row(line, wanted, by_source)).collect(),
        left_out,
        shown,
    })
}

fn column_of(sort: Sort) -> (Sort, &'static str, &'static str) {
    COLUMNS.into_iter().find(|(column, ..)| *column == sort).unwrap_or(COLUMNS[0])
}

fn columns(wanted: &Wanted) -> Vec<Column> {
    let column = |(sort, name, label): (Sort, &str, &'static str)| Column {
        label,
        href: wanted.address("/campaigns", name),
        is_sorted: sort == wanted.sort,
        is_number: sort != Sort::Name,
    };
    COLUMNS.into_iter().map(column).collect()
}

/// What a column counts; of names nothing.
fn counted(line: &Campaign, sort: Sort) -> i64 {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    match sort {
        Sort::Name => 0,
        Sort::Inquiries => count(line.inquiries),
        Sort::Delivered => count(line.qualified),
        Sort::Accepted => count(line.accepted),
        Sort::Rejected => count(rejected(line)),
        Sort::Converted => count(line.converted),
        Sort::Opportunities => count(line.opportunities),
        Sort::Won => count(line.won),
        Sort::Amount => line.revenue.sum.hundredths(),
        Sort::Neglected => count(line.neglected),
    }
}

/// Of equal ones by name, so that the order is always the same.
fn sort(lines: &mut [&Campaign], by: Sort) {
    lines.sort_by(|a, b| {
        let order = Reverse(counted(a, by)).cmp(&Reverse(counted(b, by)));
        order.then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase())).then_with(|| a.name.cmp(&b.name))
    });
}

fn rejected(line: &Campaign) -> u64 {
    line.rejected.values().sum()
}

fn named(line: &Campaign) -> &str {
    if line.name.is_empty() { "(none)" } else { &line.name }
}

/// Its waterfall beside those of the others.
fn to_waterfall(wanted: &Wanted, by_source: bool) -> String {
    let by = if by_source { "source" } else { "campaign" };
    address("/waterfall", &[("connection", &wanted.connection), ("period", &wanted.period), ("by", by)])
}

fn row(line: &Campaign, wanted: &Wanted, by_source: bool) -> Row {
    let share = (line.qualified > 0).then(|| percent(line.accepted as f64 / line.qualified as f64));
    let reason = |(reason, n): (&String, &u64)| {
        format!("{} {}", if reason.is_empty() { "(erased)" } else { reason }, thousands(*n))
    };
    Row {
        name: named(line).to_owned(),
        href: to_waterfall(wanted, by_source),
        inquiries: thousands(line.inquiries),
        delivered: thousands(line.qualified),
        accepted: thousands(line.accepted),
        accepted_share: share.unwrap_or_default(),
        rejected: thousands(rejected(line)),
        reasons: line.rejected.iter().map(reason).collect(),
        converted: thousands(line.converted),
        opportunities: thousands(line.opportunities),
        won: thousands(line.won),
        amount: money(line.revenue.sum),
        besides: besides(&line.revenue),
        neglected: thousands(line.neglected),
    }
}

fn besides(amounts: &Amounts) -> Vec<String> {
    let missing = (amounts.missing > 0).then(|| format!("{} without an amount", thousands(amounts.missing)));
    let others = amounts.no_rate.iter().map(|(code, sum)| format!("{code} {}, no rate agreed", money(*sum)));
    missing.into_iter().chain(others).collect()
}

/// The greatest in the column by which the table is sorted.
fn flow(lines: &[&Campaign], wanted: &Wanted, by_source: bool) -> Flow {
    let by = if wanted.sort == Sort::Name { Sort::Delivered } else { wanted.sort };
    let stage = |line: &&Campaign| {
        let n = counted(line, by);
        Stage {
            label: named(line).to_owned(),
            count: n.max(0) as f64,
            shown: if by == Sort::Amount { money(line.revenue.sum) } else { thousands(n.max(0).unsigned_abs()) },
            href: to_waterfall(wanted, by_source),
            onward: None,
            back: None,
        }
    };
    let title = format!("{} by {}", column_of(by).2, if by_source { "source" } else { "campaign" });
    Flow { title, stages: lines.iter().take(BARS).map(stage).collect(), loop_back: None }
}

async fn csv(web: Data<Web>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    match csv_of(&web, &wanted).await {
        Ok(Some(file)) => served(file),
        Ok(None) => {
            let text = "This takes as long as there are records. Go back and ask again in a moment.";
            tell(&visitor, StatusCode::ACCEPTED, "Being counted", text)
        }
        Err(why) => refuse(&visitor, &why),
    }
}

/// A table to be downloaded.
pub struct File {
    name: String,
    text: String,
}

pub fn served(File { name, text }: File) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(text)
}

/// All lines of the table, as CSV. `None`: it is being counted for the first time.
///
/// # Errors
/// What was asked for is not there, or the database does not answer.
pub async fn csv_of(web: &Web, wanted: &Wanted) -> Result<Option<File>, Unasked> {
    let (asked, by_source) = (wanted.asked(), wanted.is_by_source()?);
    let site = asked.site(web)?;
    let Figures::Made(report) = asked.figures(web, &site, None, DOWNLOAD).await? else { return Ok(None) };
    let (what, kind) = if by_source { (What::Sources, "sources") } else { (What::Campaigns, "campaigns") };
    let period = report.period.to_string();
    let stamp = Stamp { connection: report.connection.as_str(), period: &period };
    let text = to_csv(&[(stamp, table(&report, what))]);
    Ok(Some(File { name: format!("{kind}-{}-{period}.csv", report.connection), text }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::money::Money;

    fn line(name: &str, delivered: u64, amount: i64) -> Campaign {
        let revenue = Amounts { sum: Money::from_hundredths(amount), ..Amounts::default() };
        Campaign { name: name.into(), qualified: delivered, revenue, ..Campaign::default() }
    }

    #[test]
    fn the_greatest_come_first_and_equals_by_name() {
        let (a, b, c) = (line("b", 2, 5), line("a", 2, 9), line("C", 7, 0));
        let names = |by: Sort| {
            let mut lines = [&a, &b, &c];
            sort(&mut lines, by);
            lines.map(|line| line.name.clone())
        };
        assert_eq!(names(Sort::Delivered), ["C", "a", "b"]);
        assert_eq!(names(Sort::Amount), ["a", "b", "C"]);
        assert_eq!(names(Sort::Name), ["a", "b", "C"]);
    }
}
