//! The agreement as the daemon enforces it: names resolved, durations read, conditions compiled.
//! Made by `parse`; no rule is applied here. What is measured or met over a period is in `period`.

mod period;

pub use period::{Commitment, Currency, Measure, OnHoliday, Period, Resolution, Review, Target};

use crate::agreement::calendar::Calendar;
use crate::agreement::predicate::Predicate;
use crate::record::change::FieldValues;
use crate::record::{Elapsed, FieldName, FieldType, Object, PartyName, StageName, Timestamp};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One version of an agreement, complete.
#[derive(Debug)]
pub struct Agreement {
    /// SHA-256 in hex over the canonical form (keys sorted, comments and layout gone, included files in).
    pub hash: Arc<str>,
    pub title: String,
    pub version: String,
    pub summary: String,
    /// The day from which it is in effect; `effective_at` is its midnight in the agreement's zone.
    pub effective: Option<Date>,
    pub effective_at: Timestamp,
    pub review_by: Option<Date>,
    /// How long a form may be filled in before what it lacks is judged.
    pub settle: Elapsed,
    /// Whether a new version recomputes open runs.
    pub apply_to_open: bool,
    pub calendars: Vec<NamedCalendar>,
    /// Index into `calendars`: the one used unless a party or a clock names another.
    pub calendar: Option<usize>,
    pub parties: Vec<Party>,
    pub dictionary: Dictionary,
    /// In waterfall order, as written.
    pub stages: Vec<Stage>,
    pub handoffs: Vec<Handoff>,
    /// All clocks: those of handoffs in their order, then one for each requirement.
    pub clocks: Vec<Clock>,
    pub requirements: Vec<Requirement>,
    pub recycling: Option<Recycling>,
    pub nurture: Option<Nurture>,
    pub freezes: Vec<Freeze>,
    pub commitments: Vec<Commitment>,
    pub reviews: Vec<Review>,
    pub resolutions: Vec<Resolution>,
    pub currency: Option<Currency>,
}

#[derive(Debug)]
pub struct NamedCalendar {
    pub name: String,
    pub calendar: Calendar,
}

#[derive(Debug)]
pub struct Party {
    pub name: PartyName,
    pub signs: Option<Signatory>,
    /// Index into `Agreement::calendars`.
    pub calendar: Option<usize>,
    pub manager: Option<Address>,
    pub notify: Vec<Address>,
}

#[derive(Debug, Clone)]
pub struct Signatory {
    pub name: String,
    pub title: String,
    pub email: String,
}

/// A channel that the agreement names itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// With its `#`.
    Slack(Arc<str>),
    Email(Arc<str>),
}

/// Whom a step or a resolution names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Audience {
    Owner,
    /// The record's party: the receiver of its latest handoff, or the requirement's `by`.
    Party,
    Manager,
    PartyNamed(PartyName),
    Address(Address),
}

/// The declared fields of leads and opportunities, dictionary and `[data.*]` together.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    pub lead: BTreeMap<&'static str, FieldType>,
    pub opportunity: BTreeMap<&'static str, FieldType>,
}

impl Dictionary {
    pub fn of(&self, object: Object) -> &BTreeMap<&'static str, FieldType> {
        match object {
            Object::Lead => &self.lead,
            Object::Opportunity => &self.opportunity,
        }
    }

    /// The declared type of a field; `None` when it is not declared for this object.
    pub fn type_of(&self, object: Object, name: FieldName) -> Option<FieldType> {
        self.of(object).get(name.as_str()).copied()
    }
}

/// How a pass can end; `won` stands in the waterfall, the others beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    Won,
    Lost,
    Rejected,
    Nurture,
}

#[derive(Debug)]
pub struct Stage {
    pub name: StageName,
    pub term: String,
    pub means: String,
    pub of: Object,
    pub when: Predicate,
    pub ends: Option<Ending>,
}

impl Stage {
    /// Stages without an ending, and `won`, are the waterfall.
    pub fn in_waterfall(&self) -> bool {
        matches!(self.ends, None | Some(Ending::Won))
    }
}

#[derive(Debug)]
pub struct Handoff {
    pub name: Arc<str>,
    pub from: PartyName,
    pub to: PartyName,
    /// Index of the stage at which the record is handed over.
    pub at: usize,
    pub definition: Option<Predicate>,
    pub requires: Vec<FieldName>,
    pub reject: Option<Rejection>,
    /// What the receiver's acceptance writes, when it is given in Slack or an e-mail.
    pub accept: Written,
    /// By how much the owner's next notice is put off when they ask for it.
    pub snooze: Span,
    /// Indexes into `Agreement::clocks`.
    pub clocks: Vec<usize>,
}

#[derive(Debug)]
pub struct Rejection {
    /// Index of the stage that means rejected.
    pub stage: usize,
    pub reason: FieldName,
    /// As written; compared without regard to case and outer spaces.
    pub allowed: Vec<String>,
    /// What it writes beside the reason, when it is given in Slack or an e-mail.
    pub writes: Written,
}

/// What an answer writes to the record; nothing: it is not offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    pub set: FieldValues,
    /// The agreement says so itself; else it follows from the stage that is meant.
    pub is_said: bool,
}

/// What a clock belongs to; an index into `handoffs` or `requirements`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockOf {
    Handoff(usize),
    Requirement(usize),
}

#[derive(Debug)]
pub struct Clock {
    /// Unique in the agreement.
    pub name: Arc<str>,
    pub of: ClockOf,
    pub object: Object,
    /// Index of the stage whose reaching starts it.
    pub starts_at: usize,
    /// Who owes it.
    pub party: PartyName,
    pub until: Until,
    pub pauses: Option<Predicate>,
    pub cancels: Option<Predicate>,
    pub within: Span,
    /// Index into `calendars`: the clock's own, else the owing party's, else the agreement's.
    pub calendar: Option<usize>,
    pub restarts_on_owner: bool,
    pub restarts_on_touch: bool,
    /// In the order of their moments.
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub enum Until {
    Condition(Predicate),
    /// A requirement: all these fields are set.
    Filled(Vec<FieldName>),
}

/// A length of time and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// `90s 30m 4h 2d`: time on the wall; a day is 24 hours.
    Elapsed(Elapsed),
    /// `30bm 4bh`: open time of the calendar.
    Open(Elapsed),
    /// `15bd`: the same wall time so many open days on.
    OpenDays(i32),
}

/// Where a step stands on its clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepAt {
    /// A share (0 to 1) of the time from start to deadline, as the clock counts it.
    Share(f64),
    Before(Span),
    Due,
    After(Span),
}

#[derive(Debug)]
pub struct Step {
    /// Its own name, else its `at` as written; unique in its clock.
    pub name: Arc<str>,
    pub at: StepAt,
    pub notify: Vec<Audience>,
    /// A template.
    pub task: Option<Arc<str>>,
    pub flag: bool,
    pub set: FieldValues,
    pub moves: Option<Move>,
}

/// A step that takes the record from its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    Reassign(PartyName),
    Recycle,
    Nurture,
}

#[derive(Debug)]
pub struct Requirement {
    pub name: Arc<str>,
    pub by: PartyName,
    /// Index of the stage from which on the fields are mandatory.
    pub since: usize,
    pub fields: Vec<FieldName>,
    /// Index into `Agreement::clocks`.
    pub clock: usize,
}

#[derive(Debug)]
pub struct Recycling {
    pub to: PartyName,
    pub quiet: bool,
    pub set: FieldValues,
    pub at_most: Option<RecycleCap>,
    pub exclude: Option<Predicate>,
    pub spare: Elapsed,
    pub stop_above: StopAbove,
    pub pace: Option<Pace>,
}

/// At most so many recycles within the time; then the lead goes to nurture (or stays, `then = "stop"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecycleCap {
    pub times: u32,
    pub within: Elapsed,
    pub then_nurture: bool,
}

/// The breaker: above this, every recycle of the connection is held for a person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StopAbove {
    pub count: u32,
    pub share_of_open: f64,
    pub share_of_owner: f64,
    pub within: Elapsed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub per_minute: Option<u32>,
    pub per_owner_and_day: Option<u32>,
}

#[derive(Debug)]
pub struct Nurture {
    pub set: FieldValues,
    pub to: Option<PartyName>,
}

/// No recycling from the first to the last day, both included, in the agreement's zone.
#[derive(Debug, Clone)]
pub struct Freeze {
    pub first: Date,
    pub last: Date,
    pub from: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
    pub why: String,
}

impl Agreement {
    /// The same terms, judging from this moment on whatever the day of effect: a replay asks what
    /// would have been if they had held then. The hash stays, since the text does.
    #[must_use]
    pub fn judging_from(self, at: Timestamp) -> Self {
        Self { effective_at: at, ..self }
    }

    pub fn party(&self, name: &PartyName) -> Option<&Party> {
        self.parties.iter().find(|p| &p.name == name)
    }

    /// The agreement's own zone: its calendar's, else UTC.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        self.calendar.map_or(jiff::tz::TimeZone::UTC, |i| self.calendars[i].calendar.zone().clone())
    }

    /// The zone that a party reads its deadlines in: its calendar's, else the agreement's.
    pub fn zone_of(&self, party: Option<&PartyName>) -> jiff::tz::TimeZone {
        let own = party.and_then(|name| self.party(name)).and_then(|p| p.calendar);
        own.map_or_else(|| self.zone(), |i| self.calendars[i].calendar.zone().clone())
    }

    pub fn calendar_of(&self, clock: &Clock) -> Option<&Calendar> {
        clock.calendar.map(|i| &self.calendars[i].calendar)
    }

    pub fn clock_named(&self, name: &str) -> Option<&Clock> {
        self.clocks.iter().find(|c| &*c.name == name)
    }

    pub fn stage_index(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|s| s.name.as_str() == name)
    }
}
