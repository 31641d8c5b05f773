//! What people do with leads and opportunities, and how probably. When they do it is planned in
//! `mod.rs` by their habits.

use super::habits::{Habit, Work};
use super::leads::{self, pick};
use super::{Deed, Function, SalesFloor};
use crate::record::{Elapsed, Timestamp};
use crate::sandbox::event::{By, CrmKind};
use crate::sandbox::record::{StoredRecord, Values, datetime, is_closed};
use crate::sandbox::vocabulary::{self, property};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value as Json, json};

const REASONS: [&str; 4] = ["duplicate", "student", "wrong contact data", "outside territory"];
const BUDGETS: [&str; 3] = ["20,000 USD", "75,000 USD", "approved for this year"];
const LOSSES: [&str; 3] = ["price", "no decision", "competitor"];
/// HubSpot's association from a deal to a contact.
const DEAL_TO_CONTACT: u32 = 3;

impl SalesFloor {
    fn lead_object(&self) -> &'static str {
        vocabulary::lead_object(self.world.crm)
    }

    fn lead_property(&self, logical: &'static str) -> &'static str {
        property(self.world.crm, self.lead_object(), logical)
    }

    fn lead(&self, id: &str) -> Option<StoredRecord> {
        let record = self.world.get(self.lead_object(), id).filter(|r| !r.archived)?;
        // A converted lead is finished.
        (record.get("IsConverted") != json!(true)).then_some(record)
    }

    fn status_of(&self, lead: &StoredRecord) -> String {
        vocabulary::logical_status(self.world.crm, &lead.text(self.lead_property("status"))).to_owned()
    }

    fn owner_of(&self, lead: &StoredRecord) -> String {
        lead.text(self.lead_property("owner"))
    }

    /// Sets logical fields of a lead; the logical status becomes the CRM's. A record that is gone by
    /// now is left alone.
    fn set(&self, id: &str, values: &[(&'static str, Json)], by: &str) {
        let crm = self.world.crm;
        let value = |(logical, value): &(&'static str, Json)| match (*logical, value.as_str()) {
            ("status", Some(status)) => json!(in_crm(crm, status)),
            _ => value.clone(),
        };
        let values: Values = values.iter().map(|v| (self.lead_property(v.0).to_owned(), value(v))).collect();
        let _gone = self.world.change(self.lead_object(), id, values, By::Person(by.to_owned()));
    }

    pub(super) fn new_lead(&mut self) {
        let values = leads::invent(self.world.crm, &mut self.rng);
        let marketer = self.staff.quickest(Function::Marketing).id;
        let by = if self.rng.random_bool(0.5) { By::Form } else { By::Person(marketer.clone()) };
        let mut values = values;
        values.insert(self.lead_property("owner").to_owned(), json!(marketer));
        self.world.create(self.lead_object(), values, by);
    }

    /// Open minutes until whoever has the lead does something about it.
    pub(super) fn minutes_until_deed(&self, id: &str, rng: &mut StdRng) -> Option<f64> {
        let lead = self.lead(id)?;
        let (function, work) = match self.status_of(&lead).as_str() {
            "Open" => return Habit::Quick.minutes(Work::Qualify, rng),
            "Qualified by marketing" => (Function::Teleprospecting, Work::Answer),
            "Accepted" => (Function::Teleprospecting, Work::AskFor),
            "Qualified by teleprospecting" => (Function::FieldSales, Work::FirstCall),
            "Working" => (Function::FieldSales, Work::NextCall),
            _ => return None,
        };
        match self.staff.find(&self.owner_of(&lead), function) {
            Some(owner) => owner.habit.minutes(work, rng),
            None => Habit::Quick.minutes(Work::PickUp, rng),
        }
    }

    pub(super) fn work_on(&mut self, id: &str, now: Timestamp) {
        let Some(lead) = self.lead(id) else { return };
        let owner = self.owner_of(&lead);
        let thought = self.thoughts.get(id).copied().unwrap_or_default();
        let mut rng = self.rng_for(id, thought | 1 << 32);
        match self.status_of(&lead).as_str() {
            "Open" => self.pass_on(id),
            "Qualified by marketing" => match self.staff.find(&owner, Function::Teleprospecting).is_some() {
                true => self.answer(&lead, &owner, &mut rng),
                false => self.pick_up(id, Function::Teleprospecting),
            },
            "Accepted" => self.qualify(id, &owner, &mut rng),
            "Qualified by teleprospecting" | "Working" => {
                match self.staff.find(&owner, Function::FieldSales).is_some() {
                    true => self.follow_up(&lead, &owner, now, &mut rng),
                    false => self.pick_up(id, Function::FieldSales),
                }
            }
            _ => {}
        }
    }

    fn pass_on(&mut self, id: &str) {
        let marketer = self.staff.quickest(Function::Marketing).id;
        let to = self.staff.next(Function::Teleprospecting).id;
        self.set(id, &[("status", json!("Qualified by marketing")), ("owner", json!(to))], &marketer);
    }

    fn pick_up(&self, id: &str, function: Function) {
        let who = self.staff.quickest(function).id;
        self.set(id, &[("owner", json!(who))], &who);
    }

    /// Bad leads are rejected often, good ones seldom; now and then without a reason.
    fn answer(&self, lead: &StoredRecord, owner: &str, rng: &mut StdRng) {
        let score: f64 = lead.text(self.lead_property("score")).parse().unwrap_or_default();
        let is_bad = score < 60.0
            || lead.text(self.lead_property("email")).ends_with("@gmail.com")
            || lead.text(self.lead_property("company")).is_empty();
        if !rng.random_bool(if is_bad { 0.6 } else { 0.08 }) {
            return self.set(&lead.id, &[("status", json!("Accepted"))], owner);
        }
        let mut values = vec![("status", json!("Rejected"))];
        if rng.random_bool(0.75) {
            values.push(("reject_reason", json!(pick(&REASONS, rng))));
        }
        self.set(&lead.id, &values, owner);
    }

    /// Mostly all four answers are written down, sometimes the timeframe is forgotten.
    fn qualify(&mut self, id: &str, owner: &str, rng: &mut StdRng) {
        if rng.random_bool(0.12) {
            return self.set(id, &[("status", json!("Nurture"))], owner);
        }
        let to = self.staff.next(Function::FieldSales).id;
        let mut values = vec![
            ("budget", json!(pick(&BUDGETS, rng))),
            ("authority", json!("decides together with finance")),
            ("need", json!("replace what they have")),
            ("status", json!("Qualified by teleprospecting")),
            ("owner", json!(to)),
        ];
        if rng.random_bool(0.85) {
            values.push(("timeframe", json!("this quarter")));
        }
        self.set(id, &values, owner);
    }

    fn follow_up(&mut self, lead: &StoredRecord, owner: &str, now: Timestamp, rng: &mut StdRng) {
        let is_first = self.status_of(lead) != "Working";
        if !is_first && self.contacts(&lead.id) >= rng.random_range(3..7) {
            return self.decide(lead, owner, now, rng);
        }
        self.contact(&lead.id, owner);
        match is_first {
            true => self.set(&lead.id, &[("status", json!("Working"))], owner),
            // Nothing else changed, so nobody would think of it again.
            false => self.think(&lead.id, now),
        }
    }

    fn decide(&mut self, lead: &StoredRecord, owner: &str, now: Timestamp, rng: &mut StdRng) {
        match rng.random_range(0..100) {
            0..70 => self.promote(lead, owner, now, rng),
            70..85 => self.set(&lead.id, &[("status", json!("Nurture"))], owner),
            // It is simply forgotten.
            _ => {}
        }
    }

    /// How often somebody called.
    fn contacts(&self, id: &str) -> usize {
        match self.world.crm {
            CrmKind::HubSpot => self.world.field("contacts", id, "touches").parse().unwrap_or_default(),
            CrmKind::Salesforce => self.world.all("Task").iter().filter(|task| task.text("WhoId") == id).count(),
        }
    }

    /// HubSpot counts by itself; in Salesforce a call is a completed task.
    fn contact(&self, id: &str, by: &str) {
        let now = self.world.now();
        match self.world.crm {
            CrmKind::HubSpot => {
                let count = self.contacts(id) + 1;
                self.set(id, &[("touches", json!(count)), ("last_touch", json!(now.to_string()))], by);
            }
            CrmKind::Salesforce => {
                let fields = [
                    ("Subject", json!("Call")),
                    ("Status", json!("Completed")),
                    ("TaskSubtype", json!("Call")),
                    ("WhoId", json!(id)),
                    ("OwnerId", json!(by)),
                    ("CompletedDateTime", json!(datetime(now))),
                ];
                let values = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                self.world.create("Task", values, By::Person(by.to_owned()));
            }
        }
    }

    /// An opportunity is made of the lead, not always with its value and date.
    fn promote(&mut self, lead: &StoredRecord, owner: &str, now: Timestamp, rng: &mut StdRng) {
        let by = By::Person(owner.to_owned());
        let is_complete = rng.random_bool(0.5);
        let values = self.deal_values(lead, owner, is_complete, rng);
        let object = vocabulary::opportunity_object(self.world.crm);
        let deal = self.world.create(object, values, by.clone());
        match self.world.crm {
            CrmKind::HubSpot => {
                self.world.associate(("deals", &deal), ("contacts", &lead.id), DEAL_TO_CONTACT, by);
            }
            CrmKind::Salesforce => self.convert(&lead.id, &deal, by),
        }
        if !is_complete && rng.random_bool(0.8) {
            self.plan(now, rng.random_range(60.0..900.0), Deed::FillIn { deal: deal.clone() });
        }
        self.plan(now, rng.random_range(900.0..3000.0), Deed::Close { deal });
    }

    fn convert(&self, lead: &str, opportunity: &str, by: By) {
        let values = Values::from([
            ("IsConverted".to_owned(), json!(true)),
            ("ConvertedOpportunityId".to_owned(), json!(opportunity)),
            ("ConvertedDate".to_owned(), json!(day_after(self.world.now(), 0))),
        ]);
        let _gone = self.world.change("Lead", lead, values, by);
    }

    fn deal_values(&self, lead: &StoredRecord, owner: &str, is_complete: bool, rng: &mut StdRng) -> Values {
        let crm = self.world.crm;
        let object = vocabulary::opportunity_object(crm);
        let mut values = Values::new();
        let mut set = |logical, value: Json| values.insert(property(crm, object, logical).to_owned(), value);
        let company = lead.text(self.lead_property("company"));
        set("name", json!(if company.is_empty() { lead.name() } else { company }));
        set("owner", json!(owner));
        set("source", json!(lead.text(self.lead_property("source"))));
        set("campaign", json!(lead.text(self.lead_property("campaign"))));
        set("stage_name", json!(if crm == CrmKind::HubSpot { "appointmentscheduled" } else { "Prospecting" }));
        let close = self.close_date(rng);
        if is_complete {
            set("amount", amount(rng));
        }
        // Salesforce demands a date of every opportunity and fills one in at a conversion.
        if is_complete || crm == CrmKind::Salesforce {
            set("close_date", close);
        }
        if crm == CrmKind::HubSpot {
            set("currency", json!("USD"));
            values.insert("pipeline".to_owned(), json!("default"));
        }
        values
    }

    fn close_date(&self, rng: &mut StdRng) -> Json {
        let date = day_after(self.world.now(), rng.random_range(20..90));
        match self.world.crm {
            CrmKind::HubSpot => json!(format!("{date}T00:00:00Z")),
            CrmKind::Salesforce => json!(date),
        }
    }

    /// Value and date, which were missing.
    pub(super) fn fill_in(&mut self, deal: &str) {
        let mut rng = self.rng_for(deal, 1);
        let values = [("amount", amount(&mut rng)), ("close_date", self.close_date(&mut rng))];
        self.set_deal(deal, &values);
    }

    /// Won or lost; a loss is not always explained.
    pub(super) fn close(&mut self, deal: &str) {
        let mut rng = self.rng_for(deal, 2);
        let is_hubspot = self.world.crm == CrmKind::HubSpot;
        if rng.random_bool(0.45) {
            return self.set_deal(deal, &[("stage_name", json!(if is_hubspot { "closedwon" } else { "Closed Won" }))]);
        }
        let mut values = vec![("stage_name", json!(if is_hubspot { "closedlost" } else { "Closed Lost" }))];
        if rng.random_bool(0.5) {
            values.push(("loss_reason", json!(pick(&LOSSES, &mut rng))));
            values.push(("loss_review", json!("They compared three offers; ours came last.")));
        }
        self.set_deal(deal, &values);
    }

    /// The owner changes an open deal.
    fn set_deal(&self, deal: &str, values: &[(&'static str, Json)]) {
        let (crm, object) = (self.world.crm, vocabulary::opportunity_object(self.world.crm));
        let Some(record) = self.world.get(object, deal).filter(|r| !r.archived && !is_closed(r)) else { return };
        let owner = record.text(property(crm, object, "owner"));
        let values = values.iter().map(|(logical, value)| (property(crm, object, logical).to_owned(), value.clone()));
        let _gone = self.world.change(object, deal, values.collect(), By::Person(owner));
    }
}

/// The CRM's value of a logical status that is not known at compile time.
fn in_crm(crm: CrmKind, status: &str) -> String {
    let known = vocabulary::HUBSPOT_STATUSES.iter().find(|(logical, _)| *logical == status);
    match (crm, known) {
        (CrmKind::HubSpot, Some((_, theirs))) => (*theirs).to_owned(),
        _ => status.to_owned(),
    }
}

fn amount(rng: &mut StdRng) -> Json {
    json!(rng.random_range(4..80) * 2500)
}

/// The date so many days later, in UTC.
fn day_after(now: Timestamp, days: i64) -> String {
    let later = now + Elapsed::from_secs(days * 24 * 3600);
    later.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
