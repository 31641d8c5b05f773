//! A half year's scorecard, held against what `recount` finds in the raw changes: every commitment and
//! every clock, for each month and quarter.

use super::recount::{END, MQL, Pass, Record, Run, SWITCH, TAL, TQL, WON, play};
use super::{FIRST, HalfYear, SECOND, read};
use crate::world::{Store, acme};
use leadpact::engine::measure;
use leadpact::record::{Elapsed, Timestamp};
use leadpact::report::figures::{Figure, Report};
use leadpact::report::tally::Question;
use leadpact::report::window::Window;
use std::collections::{BTreeMap, HashMap};

/// The raw changes, replayed, with what was upheld.
struct Recount {
    records: BTreeMap<String, Record>,
    /// Kind, id and moment.
    upheld: Vec<(&'static str, String, i64)>,
}

impl Recount {
    fn of(played: &HalfYear) -> Self {
        let upheld = played.upheld.iter().map(|u| (u.kind, u.id.clone(), u.at)).collect();
        Self { records: play(&played.edits), upheld }
    }

    fn counted(&self) -> impl Iterator<Item = (&String, &Record)> {
        self.records.iter().filter(|(_, record)| !record.merged)
    }

    fn is_upheld(&self, kind: &str, id: &str, at: i64) -> bool {
        self.upheld.iter().any(|(k, i, a)| (*k, &**i, *a) == (kind, id, at))
    }

    /// Source of the lead that an opportunity was made of.
    fn source(&self, opportunity: &str) -> Option<&str> {
        let of = |lead: &&Record| lead.text("opportunity") == Some(opportunity);
        self.records.values().find(of)?.text("source")
    }

    fn runs(&self, clock: &str, window: &Window) -> Vec<&Run> {
        let mut found = Vec::new();
        for (id, record) in self.counted() {
            let excused = |run: &Run| run.breached.is_some_and(|at| self.is_upheld("breached", id, at));
            let decided = |run: &Run| run.decided().is_some_and(|at| is_in(window, at));
            found.extend(record.runs.iter().filter(|run| run.clock == clock && decided(run) && !excused(run)));
        }
        found
    }

    /// Passes that marketing delivered and that reached a stage in this period, each with its lead.
    fn delivered(&self, stage: usize, window: &Window) -> Vec<(&Record, &Pass)> {
        let reached = |pass: &Pass| pass.reached[stage].is_some_and(|at| is_in(window, at));
        let leads = self.counted().filter(|(_, record)| record.lead);
        let passes = leads.flat_map(|(_, record)| record.passes.iter().map(move |pass| (record, pass)));
        passes.filter(|(_, pass)| pass.delivered && reached(pass)).collect()
    }

    fn defined(&self, stage: usize, window: &Window) -> (u64, u64) {
        let leads = self.counted().filter(|(_, record)| record.lead);
        let handed = leads.flat_map(|(id, record)| {
            let delivered = record.passes.iter().filter(|pass| pass.delivered);
            delivered.filter_map(|pass| pass.handed.get(&stage)).map(move |handed| (id, *handed))
        });
        let (mut part, mut whole) = (0, 0);
        for (id, (at, defined, complete)) in handed.filter(|(_, (at, ..))| is_in(window, *at)) {
            // Who was wrongly said to miss the definition is left out, unless something was missing as well.
            if complete && self.is_upheld("definition_failed", id, at) {
                continue;
            }
            part += u64::from(defined && complete);
            whole += 1;
        }
        (part, whole)
    }

    fn won(&self, lead: &Record) -> bool {
        let opportunity = lead.text("opportunity").and_then(|id| self.records.get(id));
        opportunity.is_some_and(|o| o.passes.iter().any(|pass| pass.reached[WON].is_some()))
    }

    fn conversion(&self, from: usize, window: &Window, to: impl Fn(&Record, &Pass) -> bool) -> (u64, u64) {
        let all = self.delivered(from, window);
        (all.iter().filter(|(record, pass)| to(record, pass)).count() as u64, all.len() as u64)
    }

    fn closed(&self, window: &Window) -> impl Iterator<Item = (&String, &Record)> {
        let closed = |record: &Record| !record.lead && matches!(&*record.status, "won" | "lost");
        self.counted().filter(move |(_, record)| closed(record) && is_in(window, record.since))
    }

    fn close_ratio(&self, window: &Window) -> (u64, u64) {
        let ours = self.closed(window).filter(|(id, _)| self.source(id) == Some("Marketing"));
        ours.fold((0, 0), |(part, whole), (_, record)| (part + u64::from(record.status == "won"), whole + 1))
    }

    /// In cents.
    fn revenue(&self, window: &Window) -> (u64, u64) {
        self.closed(window).filter(|(_, record)| record.status == "won").fold((0, 0), |(part, whole), (id, record)| {
            let rate = match record.text("currency") {
                Some("USD") => 1.0,
                Some("EUR") => 1.08,
                Some("GBP") => 1.27,
                _ => 0.0,
            };
            let cents = (record.number("amount").unwrap_or(0.0) * rate * 100.0).round() as u64;
            (part + if self.source(id) == Some("Marketing") { cents } else { 0 }, whole + cents)
        })
    }

    fn complete(&self, field: &str, status: &str, window: &Window) -> (u64, u64) {
        let (mut part, mut whole) = (0, 0);
        for (id, record) in self.counted() {
            for (at, ending) in record.passes.iter().flat_map(|pass| &pass.endings) {
                if ending == status && is_in(window, *at) && !self.is_upheld("rejected", id, *at) {
                    whole += 1;
                    part += u64::from(record.is_set(field));
                }
            }
            whole += u64::from(status == "Rejected" && record.unreasoned.is_some_and(|at| is_in(window, at)));
        }
        (part, whole)
    }

    /// What a commitment's figure should be: part and whole, or a count and nothing.
    fn figure(&self, name: &str, window: &Window) -> Option<(u64, u64)> {
        let on_time = |clock: &str| {
            let runs = self.runs(clock, window);
            (runs.iter().filter(|run| run.breached.is_none()).count() as u64, runs.len() as u64)
        };
        let accepted = |_: &Record, pass: &Pass| pass.reached[TAL].is_some();
        let won = |record: &Record, pass: &Pass| pass.converted && self.won(record);
        Some(match name {
            "Qualified leads delivered" => (self.delivered(MQL, window).len() as u64, 0),
            "Leads that meet the definition" => self.defined(MQL, window),
            "Qualified as agreed" => self.defined(TQL, window),
            "Leads accepted" => self.conversion(MQL, window, accepted),
            "Accepted leads won" => self.conversion(TAL, window, won),
            "Share of closed revenue sourced by marketing" => self.revenue(window),
            "Close ratio of marketing-sourced opportunities" => self.close_ratio(window),
            "First follow-ups on time" => on_time("First follow-up"),
            "Touches kept up" => on_time("Stay in touch"),
            "Rejections with a reason" => self.complete("reject_reason", "Rejected", window),
            "Lost deals reviewed" => self.complete("loss_review", "lost", window),
            _ => return None,
        })
    }
}

fn is_in(window: &Window, at: i64) -> bool {
    window.contains(Timestamp::from_millis(at)) && at <= END
}

fn reported(figure: &Figure) -> Option<(u64, u64)> {
    match figure {
        Figure::Nothing => Some((0, 0)),
        Figure::Count { count } => Some((*count, 0)),
        Figure::Share { part, whole } => Some((*part, *whole)),
        Figure::MoneyShare { part, whole } => {
            let cents = |money: &leadpact::report::money::Money| money.to_string().replace('.', "").parse().unwrap();
            Some((cents(part), cents(whole)))
        }
        Figure::Time(_) | Figure::Word { .. } => None,
    }
}

async fn report(played: &HalfYear, period: Window) -> Report {
    let db = &played.world.engine.db;
    let question = Question {
        connection: acme(),
        terms: measure::terms(db, None, &std::sync::Arc::new(read(SECOND))).await.unwrap(),
        period,
        now: Timestamp::from_millis(END),
        by: None,
        attestations: Vec::new(),
        names: HashMap::new(),
    };
    measure::measure(db, question).await.unwrap()
}

/// Compares one report. Answers how many numbers that were other than zero.
fn compare(report: &Report, recount: &Recount) -> usize {
    let mut numbers = 0;
    for commitment in &report.commitments {
        for point in &commitment.trend {
            let (Some(found), Some(expected)) =
                (reported(&point.figure), recount.figure(&commitment.name, &point.period))
            else {
                continue;
            };
            assert_eq!(found, expected, "{}, {}", commitment.name, point.period);
            numbers += usize::from(found.0 > 0) + usize::from(found.1 > 0);
        }
    }
    for line in report.clocks.iter().filter(|line| line.owner.is_none()) {
        let runs = recount.runs(&line.clock, &report.period);
        let count = |f: fn(&Run) -> bool| runs.iter().filter(|run| f(run)).count() as u64;
        let met = count(|run| run.breached.is_none());
        let late = count(|run| run.breached.is_some() && run.answered.is_some());
        let expected = (runs.len() as u64, met, late, runs.len() as u64 - met - late);
        assert_eq!((line.runs, line.met, line.late, line.breached), expected, "{}, {}", line.clock, report.period);
        numbers += 4;
    }
    numbers
}

#[tokio::test]
async fn a_half_years_scorecard_is_what_the_raw_changes_say() {
    let played = HalfYear::play(Store::sqlite().await, 3, 40, Elapsed::from_secs(3 * 3_600)).await;
    let recount = Recount::of(&played);
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let mut numbers = 0;
    let periods = ["01", "02", "03", "04", "05", "06", "Q1", "Q2"].map(|name| format!("2027-{name}"));
    for name in periods {
        let report = report(&played, Window::parse(&name, &zone).unwrap()).await;
        let first = report.until.as_millis() <= SWITCH;
        assert_eq!(report.version, read(if first { FIRST } else { SECOND }).version);
        numbers += compare(&report, &recount);
    }
    assert!(numbers > 300, "only {numbers} numbers were compared");
    assert!(recount.records.values().any(|record| record.merged), "nobody was merged away");
    assert!(played.upheld.len() == 3 && played.edits.iter().any(|edit| edit.by == "leadpact"));
}
