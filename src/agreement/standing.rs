//! Where one record stands under the agreement: what the core keeps between two decisions. It is
//! the fold of the record's history, plus what was already done about it (steps fired, writes in
//! flight), which history cannot tell.

pub use super::answer::{Given, GivenState};
pub use super::echo::OwnWrite;
use crate::record::change::FieldValues;
use crate::record::{EffectKey, Fields, OwnerId, PartyName, RecordId, RecordKey, StageName, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub key: RecordKey,
    /// Hash of the agreement that made the last decision; empty before the first.
    pub agreement: Arc<str>,
    pub fields: Fields,
    pub stage: Option<StageName>,
    /// The furthest waterfall stage of this pass.
    pub furthest: Option<StageName>,
    pub pass: u32,
    pub pass_kind: PassKind,
    pub pass_began: Timestamp,
    /// Name of the latest handoff of this pass.
    pub handoff: Option<Arc<str>>,
    pub party: Option<PartyName>,
    /// The runs of this pass; those of earlier passes are in the journal.
    pub runs: Vec<Run>,
    /// Names of clocks whose start holds, so that only the edge starts a run.
    pub on: Vec<Arc<str>>,
    /// A rejection whose reason is not agreed yet.
    pub rejection: Option<PendingRejection>,
    /// Handoffs whose definition and required fields wait for a read.
    pub checks: Vec<Check>,
    pub violations: Vec<Violation>,
    /// When it was recycled, by the CRM's clock.
    pub recycles: Vec<Timestamp>,
    /// From whom we took it; avoided when it is given out again.
    pub earlier_owners: Vec<OwnerId>,
    /// When the latest handoff of this pass was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<Timestamp>,
    /// The last touch that is known of, in whichever pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touched: Option<Timestamp>,
    /// Our last moves, so that they can be undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Moved>,
    /// How often something else changed a move of ours back, since a person did anything.
    #[serde(default)]
    pub changed_back: u32,
    /// Since when something else contests what we do: see [`Standing::is_contested`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Timestamp>,
    /// Of which contest people were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest_told: Option<Timestamp>,
    /// A person's order to leave it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Excluded>,
    /// When a person last ordered to treat it like any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub included: Option<Timestamp>,
    /// How many undos were ordered, to tell their keys apart.
    #[serde(default)]
    pub undos: u32,
    /// What people answered lately, from Slack or an e-mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Given>,
    /// What it was since when, for facts that are told later than they happened. The latest alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    pub gone: Option<Gone>,
    /// The last read: the CRM's clock, and the record's modification time.
    pub last_read: Option<ReadMark>,
    /// A read was asked for and has not come yet.
    pub reading: bool,
    /// How many reads were asked for, to tell their keys apart.
    pub reads: u32,
    /// Recent writes of ours, so that their echoes are known.
    pub own_writes: Vec<OwnWrite>,
    /// What we last asked to be written into our own fields on the record.
    pub annotation: Option<Annotation>,
    pub annotations: u32,
    /// Whether the connection maps `due`, `clock` or `last_action`.
    pub shows_due: bool,
    /// The last thing done about the record, in words.
    pub last_action: Option<String>,
    /// The latest moment that the fold has looked at: an older change is late.
    pub folded_to: Timestamp,
    /// When to look again.
    pub wake_at: Option<Timestamp>,
    /// The standing when this version of the agreement became active: late changes are folded
    /// from here, since what came before was judged under other terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Box<Standing>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassKind {
    #[default]
    First,
    /// Taken back by us.
    Recycled,
    /// Came back from an ending.
    Revived,
    /// Fell back to an earlier handoff's stage by anyone's hand.
    Returned,
}

impl PassKind {
    pub fn as_str(self) -> &'static str {
        match self {
            PassKind::First => "first",
            PassKind::Recycled => "recycled",
            PassKind::Revived => "revived",
            PassKind::Returned => "returned",
        }
    }

    /// Whether the sender answers for what was handed over in such a pass.
    pub fn is_delivery(self) -> bool {
        matches!(self, PassKind::First | PassKind::Revived)
    }
}

/// A move of ours that landed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    pub effect: EffectKey,
    pub at: Timestamp,
    /// Who got the record.
    pub to: Option<PartyName>,
    pub wrote: FieldValues,
    /// What stood in these fields before.
    pub before: FieldValues,
    /// The owner who became an earlier one by it.
    pub took_from: Option<OwnerId>,
    pub is_recycle: bool,
    /// Something else has changed it back.
    pub changed_back: bool,
}

/// A person's order to leave a record alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// `None`: for good.
    pub until: Option<Timestamp>,
    pub why: String,
    /// Who asked, in words.
    pub by: String,
}

/// Whose a record was, and at which stage, from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<PartyName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the clock.
    pub clock: Arc<str>,
    /// From 1 in each pass.
    pub number: u32,
    pub started: Timestamp,
    /// While paused: where it stood when it was paused.
    pub deadline: Timestamp,
    pub paused: Option<Timestamp>,
    pub breached: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// Touches on the record when the run began; `None` while unknown.
    pub touches_before: Option<f64>,
    pub spared: Option<Spared>,
    /// From an import with an unknown start: measured, but nothing fires.
    #[serde(default)]
    pub silent: bool,
    pub steps: Vec<StepRun>,
}

impl Run {
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spared {
    pub at: Timestamp,
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRun {
    pub name: Arc<str>,
    pub at: Timestamp,
    /// When its notices were sent on their way, working hours included; an acting step keeps its
    /// distance from that.
    pub noticed: Option<Timestamp>,
    pub state: StepState,
    /// Effects that were issued and have not settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<EffectKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Pending,
    Fired,
    Skipped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRejection {
    pub at: Timestamp,
    pub handoff: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub handoff: Arc<str>,
    pub at: Timestamp,
    /// Judged on a read made at or after this moment.
    pub due: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    pub kind: ViolationKind,
    /// Name of the handoff or the requirement.
    pub source: Arc<str>,
    pub pass: u32,
    pub since: Timestamp,
    /// Who owes it.
    pub party: Option<PartyName>,
    /// Missing fields, or the terms that failed, in words.
    pub what: Vec<String>,
    /// Whether it stands on the record in the CRM: a requirement's is flagged by its step.
    pub flagged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// The definition was not met at the handoff.
    Definition,
    /// Fields that the handoff or a requirement asks for are missing.
    Missing,
    /// Rejected without an agreed reason.
    Rejection,
    /// Converted without an opportunity.
    Conversion,
}

impl ViolationKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ViolationKind::Definition => "definition",
            ViolationKind::Missing => "missing",
            ViolationKind::Rejection => "rejection",
            ViolationKind::Conversion => "conversion",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    Deleted,
    MergedInto(RecordId),
    /// What was kept of the person was erased: nothing is known, and nothing is learnt any more.
    Erased,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    pub at: Timestamp,
    pub modified: Timestamp,
}

/// What our own fields on the record should say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    pub violation: String,
    pub due: Option<Timestamp>,
    pub clock: Option<Arc<str>>,
    pub last_action: Option<String>,
}

impl Standing {
    /// A record of which nothing is known yet.
    pub fn new(key: RecordKey) -> Self {
        Self {
            key,
            agreement: Arc::from(""),
            fields: Fields::default(),
            stage: None,
            furthest: None,
            pass: 0,
            pass_kind: PassKind::First,
            pass_began: Timestamp::MIN,
            handoff: None,
            party: None,
            runs: Vec::new(),
            on: Vec::new(),
            rejection: None,
            checks: Vec::new(),
            violations: Vec::new(),
            recycles: Vec::new(),
            earlier_owners: Vec::new(),
            handed_over: None,
            touched: None,
            moves: Vec::new(),
            changed_back: 0,
            contested: None,
            contest_told: None,
            excluded: None,
            included: None,
            undos: 0,
            answers: Vec::new(),
            phases: Vec::new(),
            gone: None,
            last_read: None,
            reading: false,
            reads: 0,
            own_writes: Vec::new(),
            annotation: None,
            annotations: 0,
            shows_due: false,
            last_action: None,
            folded_to: Timestamp::MIN,
            wake_at: None,
            base: None,
        }
    }

    /// What stays of a record whose person was erased: which it was, so that nothing that is still on
    /// its way brings it back.
    pub fn erased(&self) -> Self {
        let kept = Self::new(self.key.clone());
        let (agreement, folded_to) = (self.agreement.clone(), self.folded_to);
        Self { agreement, folded_to, pass: self.pass, gone: Some(Gone::Erased), ..kept }
    }

    pub fn is_erased(&self) -> bool {
        self.gone == Some(Gone::Erased)
    }

    /// The owner by the CRM; `None` for nobody.
    pub fn owner(&self) -> Option<OwnerId> {
        self.fields.get(crate::record::field::well_known().owner).as_text().map(OwnerId::new)
    }

    /// The record's name, for people; its id where it has none.
    pub fn name(&self) -> &str {
        self.fields.get(crate::record::field::well_known().name).as_text().unwrap_or(self.key.id.as_str())
    }

    /// Whether something else keeps changing back what we move, and nobody has ordered to go on.
    pub fn is_contested(&self) -> bool {
        self.contested.is_some_and(|at| self.included.is_none_or(|included| at > included))
    }

    pub fn run(&self, clock: &str, number: u32) -> Option<&Run> {
        self.runs.iter().find(|r| &*r.clock == clock && r.number == number)
    }

    pub fn open_runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|r| r.is_open())
    }
}
