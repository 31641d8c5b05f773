//! The tables beside the scorecard: clocks, acceptance, rejections, violations, delays, the
//! waterfall, campaigns. Times are in milliseconds, as the clock concerned counts them unless said otherwise.

use super::{Dimension, Time};
use crate::record::{Elapsed, OwnerId, PartyName, StageName};
use crate::report::money::Money;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a clock was kept, by a party as a whole (`owner` is `None`) or by one of its owners.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockLine {
    pub clock: String,
    pub party: Option<PartyName>,
    /// `Some("")` collects the runs of records that nobody owned.
    pub owner: Option<OwnerId>,
    /// The person's name, where the CRM told it.
    pub owner_name: Option<String>,
    /// Decided in the period: met, met late or breached and unanswered.
    pub runs: u64,
    pub met: u64,
    pub late: u64,
    /// Breached and never answered, so far.
    pub breached: u64,
    /// Running now with a deadline in the period, undecided.
    pub open: u64,
    /// Left out: a dispute about the breach was upheld.
    pub excused: u64,
    pub median: Option<Time>,
    pub p90: Option<Time>,
}

/// What became of the records handed over in the period, first and revived passes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Acceptance {
    pub handoff: String,
    pub from: PartyName,
    pub to: PartyName,
    pub delivered: u64,
    /// Handed over again: recycled or returned.
    pub again: u64,
    /// Reached the next stage of the waterfall in that pass.
    pub accepted: u64,
    pub rejected: u64,
    /// Neither so far, and still in that pass.
    pub waiting: u64,
}

/// Rejections of the period with one reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rejection {
    pub handoff: String,
    pub party: Option<PartyName>,
    /// Empty where the reason was erased.
    pub reason: String,
    pub count: u64,
    /// Of them: somebody had tried before, and nobody had. What the journal does not say is in neither.
    pub worked: u64,
    pub unworked: u64,
    /// Left out of the count: a dispute about them was upheld.
    pub excused: u64,
}

/// Violations of one kind that one party answers for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violations {
    /// `definition`, `missing`, `rejection` or `conversion`.
    pub kind: String,
    /// The handoff or requirement.
    pub source: String,
    pub party: Option<PartyName>,
    /// In the period.
    pub opened: u64,
    pub closed: u64,
    /// At the period's end, or now.
    pub open: u64,
    pub excused: u64,
}

/// Where the time of answers went: until the owner could know, and after that.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Delay {
    pub clock: String,
    pub party: Option<PartyName>,
    /// Answers that were measured.
    pub answers: u64,
    pub business: bool,
    pub system_median: Elapsed,
    pub human_median: Elapsed,
    pub system_total: Elapsed,
    pub human_total: Elapsed,
    /// Of the system's time: until a person owned it, and until the CRM had told us.
    pub unowned_total: Elapsed,
    pub untold_total: Elapsed,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waterfall {
    pub by: Option<Dimension>,
    pub parts: Vec<Part>,
}

/// The waterfall of all records, or of those with one source, campaign, party or owner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// `None`: of all records. Empty: of those where it is not set.
    pub value: Option<String>,
    /// In waterfall order.
    pub stages: Vec<StageLine>,
    pub endings: Vec<Ending>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageLine {
    pub stage: StageName,
    pub term: String,
    /// Passes that entered it in the period, first and revived.
    pub entered: u64,
    pub first: u64,
    pub revived: u64,
    pub recycled: u64,
    pub returned: u64,
    /// Of those entered: reached the next stage so far, and may still.
    pub converted: u64,
    pub open: u64,
    /// Share that reached the next stage; none for the last, or where nothing was entered.
    pub rate: Option<f64>,
    /// Share of the first stage that comes so far: the product of the rates before.
    pub cumulative: Option<f64>,
    /// Median time on the wall from this stage to the next, of those that reached it.
    pub median_to_next: Option<Elapsed>,
    /// Of opportunities entered.
    pub amounts: Option<Amounts>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ending {
    pub stage: StageName,
    pub term: String,
    /// Passes of any kind that ended so in the period.
    pub entered: u64,
    pub amounts: Option<Amounts>,
}

/// Amounts in the agreement's currency, and what could not be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amounts {
    pub sum: Money,
    /// Records without an amount.
    pub missing: u64,
    /// Sums in currencies without an agreed rate, each in its own.
    pub no_rate: BTreeMap<String, Money>,
}

/// What one campaign, or one source, brought in the period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Campaign {
    /// Empty for records without one.
    pub name: String,
    /// Entered the first stage of the waterfall.
    pub inquiries: u64,
    /// Reached the stage of the first handoff.
    pub qualified: u64,
    /// Reached the stage after that.
    pub accepted: u64,
    /// Rejected by reason, as the agreement or the CRM writes it in small letters; empty where it was erased. Passes of
    /// any kind; without those about which a dispute was upheld.
    pub rejected: BTreeMap<String, u64>,
    /// Leads of which an opportunity was made, or that got as far.
    pub converted: u64,
    pub opportunities: u64,
    pub won: u64,
    pub revenue: Amounts,
    /// Passes lost to neglect.
    pub neglected: u64,
}
