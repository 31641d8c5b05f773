//! The scorecard of a half year, computed a second time from the raw changes: naively, record by
//! record, and with nothing of leadpact's core, calendars or report. What the two agreements say is
//! written out by hand here. Only what both arrive at is compared.

use super::edit::{Cell, Edit, Gone};
use super::offices::{Office, berlin, kolkata};
use std::collections::BTreeMap;

/// From then on the second agreement holds: 2027-04-01T04:00:00Z.
pub const SWITCH: i64 = 1_806_552_000_000;
/// How far everything is known: 2027-07-05T04:00:00Z.
pub const END: i64 = 1_814_760_000_000;

const HOUR: i64 = 3_600_000;

/// Stages of the waterfall by place, and the status that shows them.
const WATERFALL: [(&str, &str); 7] = [
    ("Open", "inquiry"),
    ("Qualified by marketing", "mql"),
    ("Accepted", "tal"),
    ("Qualified by teleprospecting", "tql"),
    ("Working", "sal"),
    ("open", "sql"),
    ("won", "won"),
];
pub const MQL: usize = 1;
pub const TAL: usize = 2;
pub const TQL: usize = 3;
pub const SAL: usize = 4;
pub const SQL: usize = 5;
pub const WON: usize = 6;
const REASONS: [&str; 4] = ["duplicate", "student", "wrong contact data", "outside territory"];

fn place(status: &str) -> Option<usize> {
    WATERFALL.iter().position(|(s, _)| *s == status)
}

fn is_ending(status: &str) -> bool {
    matches!(status, "won" | "lost" | "Rejected" | "Nurture")
}

/// One way of a record through the waterfall.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// First or revived: what marketing delivered.
    pub delivered: bool,
    pub reached: [Option<i64>; 7],
    /// At a handoff, by its stage: when, whether the definition held, and whether nothing was missing.
    pub handed: BTreeMap<usize, (i64, bool, bool)>,
    pub endings: Vec<(i64, String)>,
    pub converted: bool,
}

/// One run of a clock.
#[derive(Clone, Debug)]
pub struct Run {
    pub clock: &'static str,
    deadline: i64,
    touches: f64,
    /// What is left of the time while it stands still.
    left: Option<i64>,
    ended: bool,
    pub breached: Option<i64>,
    pub answered: Option<i64>,
}

impl Run {
    pub fn decided(&self) -> Option<i64> {
        self.breached.or(self.answered)
    }
}

/// One record, as far as it was played.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub lead: bool,
    pub fields: BTreeMap<&'static str, Cell>,
    /// The status that counts: a rejection without a reason does not.
    pub status: String,
    pub since: i64,
    pub passes: Vec<Pass>,
    pub runs: Vec<Run>,
    pub merged: bool,
    gone: bool,
    /// When it was put among the rejected without an agreed reason, until there was one.
    pub unreasoned: Option<i64>,
}

impl Record {
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.fields.get(name) {
            Some(Cell::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        match self.fields.get(name) {
            Some(Cell::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub fn is_set(&self, name: &str) -> bool {
        !matches!(self.fields.get(name), None | Some(Cell::Nothing)) && self.text(name).is_some()
            || self.number(name).is_some()
    }

    fn flag(&self, name: &str) -> bool {
        self.fields.get(name) == Some(&Cell::Flag(true))
    }

    fn touches(&self) -> f64 {
        self.number("touches").unwrap_or(0.0)
    }

    fn pass(&mut self) -> &mut Pass {
        self.passes.last_mut().unwrap()
    }

    fn has_reached(&self, stage: usize) -> bool {
        self.passes.last().is_some_and(|pass| pass.reached[stage].is_some())
    }

    /// Deadlines that passed before this moment.
    pub fn pass_deadlines(&mut self, at: i64) {
        for run in &mut self.runs {
            if !run.ended && run.breached.is_none() && run.left.is_none() && run.deadline < at {
                run.breached = Some(run.deadline);
            }
        }
    }

    fn open(&mut self) -> Vec<usize> {
        (0..self.runs.len()).filter(|i| !self.runs[*i].ended).collect()
    }

    /// All changes of one moment.
    pub fn change(&mut self, edits: &[&Edit]) {
        let (at, second) = (edits[0].at, edits.iter().any(|edit| edit.seen > SWITCH));
        self.pass_deadlines(at);
        if self.gone {
            return;
        }
        if let Some(gone) = edits.iter().find_map(|edit| edit.gone.as_ref()) {
            self.gone = true;
            self.merged = matches!(gone, Gone::MergedInto(_));
            return self.runs.iter_mut().for_each(|run| run.ended = true);
        }
        let before = self.clone();
        edits.iter().for_each(|edit| self.fields.extend(edit.values.clone()));
        let raw = self.text("status").unwrap_or_default().to_owned();
        let news = self.entered(&before, &raw, at);
        if news {
            self.status.clone_from(&raw);
            self.since = at;
            self.begin_pass(&before, edits.iter().any(|edit| edit.by == "leadpact"));
            self.reach(at);
        }
        let made = self.lead && self.is_set("opportunity") && !before.is_set("opportunity");
        if made {
            self.pass().converted = true;
            (0..=SQL).for_each(|stage| {
                self.pass().reached[stage].get_or_insert(at);
            });
        }
        self.end_runs(&before, at, second, made || (news && is_ending(&raw)));
        self.start_runs(at, second, news);
    }

    /// Whether it is in another stage than before.
    fn entered(&mut self, before: &Record, raw: &str, at: i64) -> bool {
        if raw == self.status || raw.is_empty() {
            return false;
        }
        let reason = self.text("reject_reason").unwrap_or_default().to_lowercase();
        if raw == "Rejected" && !REASONS.contains(&&*reason) {
            if before.text("status") != Some("Rejected") {
                self.unreasoned = Some(at);
            }
            return false;
        }
        if raw == "Rejected" {
            self.unreasoned = None;
        }
        true
    }

    fn begin_pass(&mut self, before: &Record, by_leadpact: bool) {
        let Some(now) = place(&self.status) else { return };
        let handoffs = |stage: usize| usize::from(stage >= MQL) + usize::from(stage >= TQL);
        let was = place(&before.status).filter(|_| before.status != "won");
        let first = self.passes.is_empty();
        let revived = !first && is_ending(&before.status);
        let recycled = by_leadpact && now == MQL;
        let returned = self.lead && was.is_some_and(|was| handoffs(now) < handoffs(was));
        if first || revived || recycled || returned {
            self.runs.iter_mut().for_each(|run| run.ended = true);
            self.passes.push(Pass { delivered: first || revived, ..Pass::default() });
        }
    }

    fn reach(&mut self, at: i64) {
        if let Some(now) = place(&self.status) {
            let from = if self.lead { 0 } else { SQL };
            (from..=now).for_each(|stage| {
                self.pass().reached[stage].get_or_insert(at);
            });
        }
        if is_ending(&self.status) {
            let ending = (at, self.status.clone());
            self.pass().endings.push(ending);
        }
    }

    /// What a clock waits for.
    fn has(&self, clock: &str, touches: f64) -> bool {
        let promoted = self.has_reached(SQL);
        match clock {
            "Accept or reject" => self.has_reached(TAL) || self.status == "Rejected",
            "First follow-up" => self.touches() - touches >= 1.0,
            "Follow-up depth" => self.touches() - touches >= 6.0 || promoted,
            "Promote or disqualify" | "Stay in touch" => promoted || self.status == "Nurture",
            "Working at all" => self.has_reached(SAL),
            "Value and timeframe of an opportunity" => self.is_set("amount") && self.is_set("close_date"),
            "Win/loss review" => self.is_set("loss_reason") && self.is_set("loss_review"),
            _ => panic!("{clock}?"),
        }
    }

    fn end_runs(&mut self, before: &Record, at: i64, second: bool, over: bool) {
        let touched = self.touches() > before.touches();
        let given = self.text("owner") != before.text("owner") && before.is_set("owner");
        for i in self.open() {
            let Run { clock, touches, .. } = self.runs[i];
            let answered = self.has(clock, touches);
            let again = match clock {
                "Stay in touch" => touched || given,
                "First follow-up" => given,
                _ => false,
            };
            if answered || (clock == "Stay in touch" && touched && !over) {
                self.runs[i].answered = Some(at);
            }
            self.runs[i].ended = answered || over || again || (clock == "Stay in touch" && self.flag("customer"));
            if again && !answered && !over && !self.flag("customer") {
                self.start(clock, at, second);
            }
            if clock == "Promote or disqualify" && !self.runs[i].ended {
                self.hold(i, at);
            }
        }
    }

    /// Time stands still while the lead is on hold.
    fn hold(&mut self, i: usize, at: i64) {
        let (office, held) = (berlin(), self.flag("on_hold"));
        let run = &mut self.runs[i];
        match run.left {
            None if held && run.breached.is_none() => run.left = Some(office.open_between(at, run.deadline)),
            Some(left) if !held => {
                run.deadline = office.after(at, left);
                run.left = None;
            }
            _ => {}
        }
    }

    fn start_runs(&mut self, at: i64, second: bool, news: bool) {
        if self.lead && !self.gone && place(&self.status).is_some() {
            for stage in [MQL, TQL] {
                if self.has_reached(stage) && !self.pass().handed.contains_key(&stage) {
                    let (defined, complete) = self.as_agreed(stage);
                    self.pass().handed.insert(stage, (at, defined, complete));
                    let clocks: &[&'static str] = if stage == MQL { &["Accept or reject"] } else { &OF_FIELD };
                    clocks.iter().for_each(|clock| self.start(clock, at, second));
                }
            }
        }
        if !self.lead && news {
            match &*self.status {
                "open" => self.start("Value and timeframe of an opportunity", at, second),
                "lost" => self.start("Win/loss review", at, second),
                _ => {}
            }
        }
    }

    fn as_agreed(&self, stage: usize) -> (bool, bool) {
        let all = |names: &[&str]| names.iter().all(|name| self.is_set(name));
        if stage == TQL {
            let complete = all(&["budget", "authority", "need", "timeframe"]);
            return (complete, complete);
        }
        let mail = self.text("email").is_some_and(|mail| !mail.ends_with("@gmail.com"));
        let scored = self.number("score").is_some_and(|score| score >= 60.0);
        (mail && scored, all(&["company", "source", "campaign"]))
    }

    fn start(&mut self, clock: &'static str, at: i64, second: bool) {
        let deadline = deadline(clock, at, second);
        let touches = self.touches();
        let answered = self.has(clock, touches).then_some(at);
        let ended = answered.is_some() || (clock == "Stay in touch" && self.flag("customer"));
        self.runs.push(Run { clock, deadline, touches, left: None, ended, breached: None, answered });
        if clock == "Promote or disqualify" && !ended {
            self.hold(self.runs.len() - 1, at);
        }
    }
}

const OF_FIELD: [&str; 5] =
    ["First follow-up", "Follow-up depth", "Promote or disqualify", "Stay in touch", "Working at all"];

fn deadline(clock: &str, at: i64, second: bool) -> i64 {
    let field: Office = berlin();
    match clock {
        "Accept or reject" => kolkata().after(at, if second { 6 * HOUR } else { 4 * HOUR }),
        "First follow-up" => field.after(at, 8 * HOUR),
        "Follow-up depth" => field.days_after(at, 10),
        "Promote or disqualify" => field.days_after(at, if second { 12 } else { 15 }),
        "Stay in touch" | "Win/loss review" => field.days_after(at, 5),
        "Working at all" => at + 60 * HOUR,
        "Value and timeframe of an opportunity" => field.days_after(at, 1),
        _ => panic!("{clock}?"),
    }
}

/// Every record of the half year at its end.
pub fn play(edits: &[Edit]) -> BTreeMap<String, Record> {
    let mut moments: BTreeMap<(&str, i64), Vec<&Edit>> = BTreeMap::new();
    edits.iter().for_each(|edit| moments.entry((&edit.id, edit.at)).or_default().push(edit));
    let mut records: BTreeMap<String, Record> = BTreeMap::new();
    for ((id, _), edits) in moments {
        let record = records.entry(id.to_owned()).or_default();
        record.lead = edits[0].object == "lead";
        record.change(&edits);
    }
    records.values_mut().for_each(|record| record.pass_deadlines(END));
    records
}
