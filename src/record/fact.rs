//! What happened under the agreement: an entry of the journal. Every report, timeline and audit
//! reads facts and nothing else.

use super::{Actor, OwnerId, PartyName, StageName, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

macro_rules! fact_kinds {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// The kinds of fact, with their names in the journal and the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FactKind { $(#[serde(rename = $text)] $name),+ }

        impl FactKind {
            /// All kinds, in the order in which they are written here.
            pub const ALL: &[FactKind] = &[$(FactKind::$name),+];

            pub fn as_str(self) -> &'static str {
                match self { $(FactKind::$name => $text),+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(FactKind::$name),)+ _ => None }
            }
        }
    };
}

fact_kinds! {
    Imported = "imported",
    PassBegan = "pass_began",
    StageEntered = "stage_entered",
    HandedOver = "handed_over",
    DefinitionFailed = "definition_failed",
    ClockStarted = "clock_started",
    Paused = "paused",
    Resumed = "resumed",
    Met = "met",
    MetLate = "met_late",
    Breached = "breached",
    Withdrawn = "withdrawn",
    Cancelled = "cancelled",
    Transferred = "transferred",
    Answered = "answered",
    StepFired = "step_fired",
    Skipped = "skipped",
    Notified = "notified",
    TaskCreated = "task_created",
    Reassigned = "reassigned",
    Recycled = "recycled",
    Nurtured = "nurtured",
    FieldsSet = "fields_set",
    Recomputed = "recomputed",
    Spared = "spared",
    Held = "held",
    Contested = "contested",
    WouldHave = "would_have",
    Undone = "undone",
    Dropped = "dropped",
    ViolationOpened = "violation_opened",
    ViolationClosed = "violation_closed",
    Flagged = "flagged",
    Unflagged = "unflagged",
    Rejected = "rejected",
    Converted = "converted",
    Parked = "parked",
    Merged = "merged",
    Deleted = "deleted",
    Restored = "restored",
    // The owner became another one; the item is the new owner's id, empty for nobody.
    Assigned = "assigned",
    // Ended as nurture, after it had been accepted or worked; before that it is a rejection.
    Disqualified = "disqualified",
    // A person told leadpact to leave a record alone, and to go on with it.
    Excluded = "excluded",
    Included = "included",
    // Everything that was kept of the person was erased.
    Erased = "erased",
    // What the breaker held was let go, or given up, by a person.
    Released = "released",
    Discarded = "discarded",
    // What had been given up is tried again, by a person's wish.
    Replayed = "replayed",
    // The agreement's own life; these concern no record.
    Offered = "version_offered",
    Activated = "version_activated",
    Signed = "signed",
    Informed = "informed",
    Confirmed = "confirmed",
    Attested = "attested",
    Reviewed = "reviewed",
    Setting = "setting",
    // A breach, rejection or violation that somebody disputes; the item is the dispute's id.
    Disputed = "disputed",
    Climbed = "dispute_climbed",
    Upheld = "dispute_upheld",
    Dismissed = "dispute_dismissed",
    DisputeWithdrawn = "dispute_withdrawn",
}

impl FactKind {
    /// Whether the fact follows from the record's history alone. Only such facts are withdrawn when
    /// a late change tells another story; what was done stays done.
    pub fn is_derived(self) -> bool {
        use FactKind::*;
        !matches!(
            self,
            Withdrawn
                | StepFired
                | Skipped
                | Notified
                | TaskCreated
                | WouldHave
                | Dropped
                | Held
                | Parked
                | Flagged
                | Recomputed
                | Unflagged
                | Excluded
                | Included
                | Erased
                | Released
                | Discarded
                | Replayed
                | Offered
                | Activated
                | Signed
                | Informed
                | Confirmed
                | Attested
                | Reviewed
                | Setting
                | Disputed
                | Climbed
                | Upheld
                | Dismissed
                | DisputeWithdrawn
        )
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub kind: FactKind,
    /// When it happened: the deadline of a breach, the CRM's time of a change; not when we saw it.
    pub at: Timestamp,
    pub pass: u32,
    /// The clock, requirement or handoff concerned; empty when none is.
    pub source: Arc<str>,
    /// Which run of that clock in this pass, from 1; 0 when no clock is concerned.
    pub run: u32,
    /// Step, violated handoff part, or effect key: what tells two alike apart.
    pub item: Arc<str>,
    pub party: Option<PartyName>,
    pub owner: Option<OwnerId>,
    pub stage: Option<StageName>,
    pub by: Actor,
    /// Deadline, condition terms with the values seen, texts: what `explain` shows.
    pub detail: serde_json::Map<String, serde_json::Value>,
}

impl Fact {
    /// A fact that concerns no record: about the agreement, a person or the connection as a whole.
    pub fn of_no_record(
        kind: FactKind,
        at: Timestamp,
        item: &str,
        detail: serde_json::Map<String, serde_json::Value>,
    ) -> Self {
        Self {
            kind,
            at,
            pass: 0,
            source: Arc::from(""),
            run: 0,
            item: Arc::from(item),
            party: None,
            owner: None,
            stage: None,
            by: Actor::Unknown,
            detail,
        }
    }

    /// Of which kind the fact is that this withdrawal takes back; `None` when it is no withdrawal.
    pub fn takes_back(&self) -> Option<FactKind> {
        let named = Some(&*self.item).filter(|_| self.kind == FactKind::Withdrawn)?;
        let about = format!("{}/{}/{}/", self.pass, self.source, self.run);
        FactKind::parse(named.strip_prefix(&about)?.split('/').next()?)
    }

    /// Same key, same fact; the moment belongs to what may be corrected.
    pub fn key(&self) -> String {
        format!("{}/{}/{}/{}/{}", self.pass, self.source, self.run, self.kind.as_str(), self.item)
    }
}
