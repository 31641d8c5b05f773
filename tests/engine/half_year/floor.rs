//! The people of a fictional half year: who does what to which lead, and when. They know nothing of
//! leadpact; they only see the CRM's records, its moves included.

use super::edit::{Cell, Edit, Gone};
use leadpact::record::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Arrive,
    Qualify,
    Answer,
    HandOn,
    Touch,
    Work,
    Hold,
    GoOn,
    Promote,
    FillIn,
    Close,
    Review,
    Correct,
    Reopen,
    Revive,
    GiveBack,
    Delete,
    Merge,
}

type Planned = Reverse<(i64, u32, usize, Deed)>;

#[derive(Clone, Debug, Default)]
struct Lead {
    status: &'static str,
    owner: &'static str,
    touches: f64,
    source: &'static str,
    campaign: &'static str,
    opportunity: Option<usize>,
    /// Grows with every move, so that what was planned before it is forgotten.
    turn: u32,
}

pub const TELE: [&str; 3] = ["70", "71", "72"];
pub const FIELD: [&str; 4] = ["80", "81", "82", "83"];
const SOURCES: [&str; 3] = ["Marketing", "Partner", "Outbound"];
const CAMPAIGNS: [&str; 4] = ["Newsletter", "Webinar", "Trade fair", "=SUM(A1)"];
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The sales floor.
pub struct Floor {
    rng: StdRng,
    agenda: BinaryHeap<Planned>,
    leads: Vec<Lead>,
    deals: Vec<usize>,
}

impl Floor {
    /// So many leads, arriving evenly from `from` on for half a year.
    pub fn new(seed: u64, leads: usize, from: Timestamp, until: Timestamp) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut agenda = BinaryHeap::new();
        let length = (until - from).as_millis() - 40 * DAY;
        for lead in 0..leads {
            let at = from.as_millis() + rng.random_range(0..length);
            agenda.push(Reverse((at, 0, lead, Deed::Arrive)));
        }
        Self { rng, agenda, leads: vec![Lead::default(); leads], deals: Vec::new() }
    }

    /// When the next thing happens.
    pub fn next(&self) -> Option<Timestamp> {
        self.agenda.peek().map(|Reverse((at, ..))| Timestamp::from_millis(*at))
    }

    /// The next edit, if what was planned still makes sense.
    pub fn act(&mut self) -> Option<Edit> {
        let Reverse((at, turn, lead, deed)) = self.agenda.pop()?;
        if turn != self.leads[lead].turn {
            return None;
        }
        self.play(at, lead, deed)
    }

    /// leadpact moved a lead: its new owner takes it from there.
    pub fn moved(&mut self, at: Timestamp, id: &str, owner: Option<&str>, status: Option<&str>) {
        let Some(i) = id.strip_prefix('L').and_then(|n| n.parse::<usize>().ok()) else { return };
        let known = |name: Option<&str>| TELE.iter().chain(&FIELD).find(|o| Some(**o) == name).copied();
        let lead = &mut self.leads[i];
        lead.turn += 1;
        lead.owner = known(owner).unwrap_or(lead.owner);
        match status {
            Some("Qualified by marketing") => lead.status = "Qualified by marketing",
            Some("Nurture") => lead.status = "Nurture",
            _ => {}
        }
        match lead.status {
            "Qualified by marketing" => self.plan(at.as_millis(), i, Deed::Answer, 1, 30),
            "Nurture" => self.plan(at.as_millis(), i, Deed::Revive, 200, 2_000),
            _ => {}
        }
    }

    /// The re-organisation: one salesperson's leads go to another, all at once.
    pub fn reorganise(&mut self, at: Timestamp, from: &'static str, to: &'static str) -> Vec<Edit> {
        let mut edits = Vec::new();
        for i in 0..self.leads.len() {
            if self.leads[i].owner == from && self.leads[i].opportunity.is_none() {
                self.leads[i].owner = to;
                edits.push(self.edit(at.as_millis(), i, "admin", vec![("owner", text(to))]));
            }
        }
        edits
    }

    fn plan(&mut self, at: i64, lead: usize, deed: Deed, least: i64, most: i64) {
        let minutes = self.rng.random_range(least * 60..most * 60);
        let turn = self.leads[lead].turn;
        // Nothing falls on a full minute: people do not.
        let odd = self.rng.random_range(1..59_999);
        self.agenda.push(Reverse((at + minutes * 60_000 + odd, turn, lead, deed)));
    }

    fn chance(&mut self, share: f64) -> bool {
        self.rng.random_bool(share)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.random_range(0..of.len())]
    }

    fn edit(&self, at: i64, lead: usize, by: &str, values: Vec<(&'static str, Cell)>) -> Edit {
        let values = values.into_iter().collect();
        Edit { at, object: "lead", id: format!("L{lead}"), by: by.to_owned(), values, gone: None, seen: at }
    }

    fn play(&mut self, at: i64, i: usize, deed: Deed) -> Option<Edit> {
        match deed {
            Deed::Arrive => Some(self.arrive(at, i)),
            Deed::Qualify => Some(self.qualify(at, i)),
            Deed::Answer => self.answer(at, i),
            Deed::HandOn => Some(self.hand_on(at, i)),
            Deed::Touch => Some(self.touch(at, i)),
            Deed::Work => {
                self.plan(at, i, Deed::Touch, 2, 60);
                Some(self.set_status(at, i, "Working"))
            }
            Deed::Hold => Some(self.edit(at, i, self.leads[i].owner, vec![("on_hold", Cell::Flag(true))])),
            Deed::GoOn => Some(self.edit(at, i, self.leads[i].owner, vec![("on_hold", Cell::Flag(false))])),
            Deed::Promote => Some(self.promote(at, i)),
            Deed::FillIn => self.fill_in(at, i),
            Deed::Close => self.close(at, i),
            Deed::Review => self.review(at, i),
            Deed::Correct => self.correct(at, i),
            Deed::Reopen => self.reopen(at, i),
            Deed::Revive => Some(self.qualify(at, i)),
            Deed::Delete => Some(self.go(at, i, Gone::Deleted)),
            Deed::Merge => {
                let other = (0..self.leads.len()).find(|n| *n != i && !self.leads[*n].status.is_empty())?;
                Some(self.go(at, i, Gone::MergedInto(format!("L{other}"))))
            }
            Deed::GiveBack => Some(self.give_back(at, i)),
        }
    }

    /// Somebody tidies the CRM up.
    fn go(&mut self, at: i64, i: usize, how: Gone) -> Edit {
        self.leads[i].turn += 1;
        (self.leads[i].owner, self.leads[i].status) = ("", "");
        Edit { gone: Some(how), ..self.edit(at, i, "admin", Vec::new()) }
    }

    /// Field sales finds that it was too early.
    fn give_back(&mut self, at: i64, i: usize) -> Edit {
        let (before, owner) = (self.leads[i].owner, self.pick(&TELE));
        let lead = &mut self.leads[i];
        (lead.status, lead.owner) = ("Qualified by marketing", owner);
        lead.turn += 1;
        self.plan(at, i, Deed::Answer, 1, 30);
        self.edit(at, i, before, vec![("status", text("Qualified by marketing")), ("owner", text(owner))])
    }

    /// The amount was wrong.
    fn correct(&mut self, at: i64, i: usize) -> Option<Edit> {
        let deal = self.leads[i].opportunity?;
        let amount = f64::from(self.rng.random_range(100..90_000_i32)) + 0.1;
        Some(self.of_deal(at, deal, vec![("amount", Cell::Number(amount))]))
    }

    /// A lost deal comes back to life.
    fn reopen(&mut self, at: i64, i: usize) -> Option<Edit> {
        let deal = self.leads[i].opportunity?;
        self.plan(at, i, Deed::Close, 48, 600);
        Some(self.of_deal(at, deal, vec![("status", text("open"))]))
    }

    fn arrive(&mut self, at: i64, i: usize) -> Edit {
        let (source, campaign) = (self.pick(&SOURCES), self.pick(&CAMPAIGNS));
        let mail = if self.chance(0.1) { "gmail.com" } else { "firm.example" };
        let score = f64::from(self.rng.random_range(35..100_i32));
        let mut values = vec![
            ("name", text(&format!("Lead {i}"))),
            ("email", text(&format!("person{i}@{mail}"))),
            ("status", text("Open")),
            ("source", text(source)),
            ("campaign", text(campaign)),
            ("score", Cell::Number(score)),
            ("touches", Cell::Number(0.0)),
        ];
        if self.chance(0.93) {
            values.push(("company", text("Firm, Inc.")));
        }
        if self.chance(0.05) {
            values.push(("customer", Cell::Flag(true)));
        }
        (self.leads[i].source, self.leads[i].campaign, self.leads[i].status) = (source, campaign, "Open");
        let ready = score >= 50.0 || self.chance(0.3);
        if ready {
            self.plan(at, i, Deed::Qualify, 1, 70);
        }
        if self.chance(0.05) {
            self.plan(at, i, Deed::Delete, 20, 900);
        } else if i > 0 && self.chance(0.05) {
            self.plan(at, i, Deed::Merge, 20, 900);
        }
        self.edit(at, i, "form", values)
    }

    fn qualify(&mut self, at: i64, i: usize) -> Edit {
        let owner = self.pick(&TELE);
        let lead = &mut self.leads[i];
        (lead.status, lead.owner) = ("Qualified by marketing", owner);
        if self.chance(0.93) {
            self.plan(at, i, Deed::Answer, 0, 14);
        } else {
            self.plan(at, i, Deed::Answer, 30, 200);
        }
        self.edit(at, i, "marketing", vec![("status", text("Qualified by marketing")), ("owner", text(owner))])
    }

    fn answer(&mut self, at: i64, i: usize) -> Option<Edit> {
        let owner = self.leads[i].owner;
        if self.chance(0.12) {
            self.leads[i].status = "Rejected";
            let reason = self.pick(&["duplicate", "Student", "wrong contact data", "no time", ""]);
            let mut values = vec![("status", text("Rejected"))];
            values.push(("reject_reason", if reason.is_empty() { Cell::Nothing } else { text(reason) }));
            if reason == "no time" || reason.is_empty() {
                self.plan(at, i, Deed::FillIn, 1, 60);
            }
            return Some(self.edit(at, i, owner, values));
        }
        let next = if self.chance(0.85) { Deed::HandOn } else { Deed::Touch };
        self.plan(at, i, next, 2, 120);
        Some(self.set_status(at, i, "Accepted"))
    }

    fn set_status(&mut self, at: i64, i: usize, status: &'static str) -> Edit {
        self.leads[i].status = status;
        self.edit(at, i, self.leads[i].owner, vec![("status", text(status))])
    }

    fn hand_on(&mut self, at: i64, i: usize) -> Edit {
        let (before, owner) = (self.leads[i].owner, self.pick(&FIELD));
        let mut values = vec![("status", text("Qualified by teleprospecting")), ("owner", text(owner))];
        for field in ["budget", "authority", "need", "timeframe"] {
            if self.chance(0.96) {
                values.push((field, text("yes")));
            }
        }
        let lead = &mut self.leads[i];
        (lead.status, lead.owner) = ("Qualified by teleprospecting", owner);
        if self.chance(0.8) {
            self.plan(at, i, Deed::Touch, 0, 40);
        }
        self.edit(at, i, before, values)
    }

    fn touch(&mut self, at: i64, i: usize) -> Edit {
        self.leads[i].touches += 1.0;
        let (touches, status, owner) = (self.leads[i].touches, self.leads[i].status, self.leads[i].owner);
        match status {
            "Accepted" => self.plan(at, i, Deed::HandOn, 4, 100),
            "Qualified by teleprospecting" => self.plan(at, i, Deed::Work, 1, 50),
            "Working" if self.chance(0.05) => self.plan(at, i, Deed::GiveBack, 1, 30),
            _ if touches < 6.0 && self.chance(0.75) => self.plan(at, i, Deed::Touch, 6, 70),
            _ if self.chance(0.85) => self.plan(at, i, Deed::Promote, 10, 160),
            _ => {}
        }
        if status == "Working" && self.chance(0.1) {
            self.plan(at, i, Deed::Hold, 1, 4);
            self.plan(at, i, Deed::GoOn, 30, 90);
        }
        self.edit(at, i, owner, vec![("touches", Cell::Number(touches))])
    }

    fn promote(&mut self, at: i64, i: usize) -> Edit {
        let deal = self.deals.len();
        self.deals.push(i);
        self.leads[i].opportunity = Some(deal);
        self.leads[i].turn += 1;
        self.plan(at, i, Deed::FillIn, 0, 60);
        if self.chance(0.08) {
            self.plan(at, i, Deed::Merge, 100, 900);
        }
        let values = vec![("opportunity", text(&format!("O{deal}"))), ("converted", Cell::Flag(true))];
        self.edit(at, i, self.leads[i].owner, values)
    }

    /// What a form still lacked; for a deal also its first values.
    fn fill_in(&mut self, at: i64, i: usize) -> Option<Edit> {
        if self.leads[i].status == "Rejected" {
            return Some(self.edit(at, i, self.leads[i].owner, vec![("reject_reason", text("duplicate"))]));
        }
        let deal = self.leads[i].opportunity?;
        let close = jiff::Timestamp::from_millisecond(at + 30 * DAY).ok()?.strftime("%Y-%m-%d").to_string();
        let mut values = vec![("close_date", text(&close))];
        if self.chance(0.9) {
            let amount = f64::from(self.rng.random_range(100..90_000_i32)) + 0.25;
            values.push(("amount", Cell::Number(amount)));
        }
        self.plan(at, i, Deed::Close, 48, 1_000);
        Some(self.of_deal(at, deal, values))
    }

    fn close(&mut self, at: i64, i: usize) -> Option<Edit> {
        let deal = self.leads[i].opportunity?;
        if self.chance(0.35) {
            if self.chance(0.3) {
                self.plan(at, i, Deed::Correct, 24, 500);
            }
            return Some(self.of_deal(at, deal, vec![("status", text("won"))]));
        }
        self.plan(at, i, Deed::Review, 2, 300);
        if self.chance(0.2) {
            self.plan(at, i, Deed::Reopen, 24, 600);
        }
        Some(self.of_deal(at, deal, vec![("status", text("lost")), ("loss_reason", text("price"))]))
    }

    fn review(&mut self, at: i64, i: usize) -> Option<Edit> {
        let deal = self.leads[i].opportunity?;
        Some(self.of_deal(at, deal, vec![("loss_review", text("They chose a cheaper one."))]))
    }

    fn of_deal(&self, at: i64, deal: usize, values: Vec<(&'static str, Cell)>) -> Edit {
        let by = self.leads[self.deals[deal]].owner.to_owned();
        let values = values.into_iter().collect();
        Edit { at, object: "opportunity", id: format!("O{deal}"), by, values, gone: None, seen: at }
    }

    /// The deal that a promotion makes in the CRM, in the same moment.
    pub fn deal_of(&mut self, edit: &Edit) -> Option<Edit> {
        let Some(Cell::Text(id)) = edit.values.get("opportunity") else { return None };
        let deal: usize = id.strip_prefix('O')?.parse().ok()?;
        let currency = self.pick(&["USD", "EUR", "GBP", "JPY"]);
        let values = vec![
            ("name", text(&format!("Deal {deal}"))),
            ("status", text("open")),
            ("owner", text(&edit.by)),
            ("currency", text(currency)),
        ];
        Some(self.of_deal(edit.at, deal, values))
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}
