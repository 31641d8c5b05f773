//! Counting over all records: tales go in one by one, leads before opportunities, and a report comes
//! out. Only sums are kept, the times of runs decided in the periods, and of leads those that became
//! opportunities. How each table counts is in its file.

mod campaigns;
mod clocks;
mod delays;
mod frame;
mod gathered;
mod handoffs;
mod measure;
mod percentile;
mod verdict;
mod waterfall;
mod words;

use super::course::Course;
use super::figures::{Dimension, Report};
use super::tale::{Attestation, Tale};
use super::terms::Terms;
use super::window::Window;
use crate::agreement::model::Agreement;
use crate::record::field::well_known;
use crate::record::{ConnectionName, Elapsed, Object, OwnerId, Timestamp, Value};
use frame::Frame;
use measure::Slot;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    pub connection: ConnectionName,
    pub terms: Terms,
    pub period: Window,
    /// The moment up to which everything is known.
    pub now: Timestamp,
    /// What the waterfall is split by, beside the whole.
    pub by: Option<Dimension>,
    pub attestations: Vec<Attestation>,
    /// What owners are called.
    pub names: HashMap<OwnerId, String>,
}

/// The lead that an opportunity was made of.
#[derive(Clone, Debug, Default)]
struct Origin {
    source: Option<String>,
    campaign: Option<String>,
    /// Conversions, by the place of their slot, that wait for what becomes of the opportunity.
    waiting: Vec<usize>,
}

/// A report in the making.
pub struct Tally {
    question: Question,
    frame: Frame,
    /// For each commitment its periods, the measured one last.
    commitments: Vec<Vec<Slot>>,
    clocks: clocks::Clocks,
    handoffs: handoffs::Handoffs,
    delays: delays::Delays,
    waterfall: waterfall::Falls,
    campaigns: campaigns::Campaigns,
    origins: HashMap<String, Origin>,
    erased: u64,
}

impl Tally {
    pub fn new(question: Question) -> Self {
        let agreement = question.terms.measuring(&question.period, question.now).clone();
        let frame = Frame::new(&question, agreement.clone(), question.period);
        let commitments = (0..agreement.commitments.len()).map(|i| slots(&question, &agreement, i)).collect();
        Self {
            waterfall: waterfall::Falls::new(&agreement, question.by),
            clocks: clocks::Clocks::default(),
            handoffs: handoffs::Handoffs::new(&agreement),
            delays: delays::Delays::default(),
            campaigns: campaigns::Campaigns::new(&agreement),
            origins: HashMap::new(),
            erased: 0,
            commitments,
            frame,
            question,
        }
    }

    /// Counts one record in. All leads must come before the first opportunity.
    pub fn add(&mut self, tale: Tale) {
        let mut course = Course::of(tale);
        if course.merged || course.passes.is_empty() {
            return;
        }
        self.erased += u64::from(course.latest.is_none());
        let origin = self.origin_of(&mut course);
        let mut waiting = Vec::new();
        for (place, slot) in self.commitments.iter_mut().flatten().enumerate() {
            // Once for each lead that it was made of.
            let leads = origin.iter().flat_map(|o| &o.waiting).filter(|waiting| **waiting == place);
            leads.for_each(|_| slot.settle(&course));
            if slot.add(&course) {
                waiting.push(place);
            }
        }
        self.clocks.add(&self.frame, &course);
        self.handoffs.add(&self.frame, &course);
        self.delays.add(&self.frame, &course);
        self.waterfall.add(&self.frame, &course);
        self.campaigns.add(&self.frame, &course);
        self.keep(&course, waiting);
    }

    /// The lead that this opportunity was made of; its source and campaign stand for its own.
    fn origin_of(&self, course: &mut Course) -> Option<Origin> {
        if course.object() != Object::Opportunity {
            return None;
        }
        let origin = self.origins.get(course.key.id.as_str())?.clone();
        let w = well_known();
        for (name, of_lead) in [(w.source, &origin.source), (w.campaign, &origin.campaign)] {
            if let (Some(text), Some(latest)) = (of_lead, course.latest.as_mut()) {
                latest.fields.set(name, Value::text(text), Timestamp::MIN);
            }
        }
        course.source = origin.source.clone().or(course.source.take());
        course.campaign = origin.campaign.clone().or(course.campaign.take());
        Some(origin)
    }

    fn keep(&mut self, course: &Course, waiting: Vec<usize>) {
        let Some(opportunity) = course.opportunity().filter(|_| course.object() == Object::Lead) else { return };
        let origin = self.origins.entry(opportunity.to_owned()).or_default();
        // Of several leads the first that has a source tells it.
        origin.source = origin.source.take().or_else(|| course.source.clone());
        origin.campaign = origin.campaign.take().or_else(|| course.campaign.clone());
        origin.waiting.extend(waiting);
    }

    /// The report, once every record was counted in.
    pub fn finish(self) -> Report {
        let Self { question, frame, commitments, .. } = self;
        let agreement = frame.agreement.clone();
        let name = |owner: &OwnerId| question.names.get(owner).cloned();
        let handoffs = self.handoffs.finish(&agreement);
        Report {
            connection: question.connection.clone(),
            period: frame.window,
            from: frame.window.from,
            until: frame.window.until,
            now: question.now,
            is_open: !frame.window.is_over(question.now),
            title: agreement.title.clone(),
            version: agreement.version.clone(),
            agreement: agreement.hash.to_string(),
            currency: agreement.currency.as_ref().map(|c| c.base.clone()),
            commitments: commitments.into_iter().filter_map(|s| measure::commitment(s, &question)).collect(),
            clocks: self.clocks.finish(&frame, &name),
            acceptance: handoffs.acceptance,
            rejections: handoffs.rejections,
            violations: handoffs.violations,
            recycles: handoffs.recycles,
            neglected: handoffs.neglected,
            delays: self.delays.finish(),
            waterfall: self.waterfall.finish(&agreement, &name),
            by_campaign: campaigns::lines(self.campaigns.by_campaign),
            by_source: campaigns::lines(self.campaigns.by_source),
            notes: notes(self.erased),
        }
    }
}

fn notes(erased: u64) -> Vec<String> {
    match erased {
        0 => Vec::new(),
        1 => vec!["The values of 1 record were erased; its facts count, its fields and amounts cannot.".to_owned()],
        n => {
            vec![format!("The values of {n} records were erased; their facts count, their fields and amounts cannot.")]
        }
    }
}

/// How many periods the trend shows, the measured one included.
const TREND: usize = 6;

/// The periods of one commitment, each under the version that measures it; versions that do not
/// have it, and periods before anything was agreed, are left out.
fn slots(question: &Question, agreement: &Arc<Agreement>, index: usize) -> Vec<Slot> {
    let commitment = &agreement.commitments[index];
    let zone = question.terms.zone();
    let last = question.period.until - Elapsed::from_millis(1);
    let mut window = Window::containing(commitment.period, last.min(question.now.max(question.period.from)), &zone);
    let mut slots = Vec::new();
    for place in 0..TREND {
        let version = if place == 0 { agreement } else { question.terms.measuring(&window, question.now) };
        let same = version.commitments.iter().position(|c| c.name == commitment.name && c.period == commitment.period);
        if let Some(index) = same.filter(|_| place == 0 || window.until > question.terms.since()) {
            slots.push(Slot::new(Frame::new(question, version.clone(), window), index));
        }
        window = window.before(&zone);
    }
    slots.reverse();
    slots
}

/// The text of what is not set.
fn or_empty(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

type Sorted<T> = BTreeMap<String, T>;
