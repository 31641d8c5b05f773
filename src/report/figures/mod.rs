//! What a report answers. Plain values with their sentences; how they are laid out is not here.

mod commitment;
mod rest;

pub use commitment::{Commitment, Figure, Forecast, Measured, Point, Time, Verdict};
pub use rest::{
    Acceptance, Amounts, Campaign, ClockLine, Delay, Ending, Part, Rejection, StageLine, Violations, Waterfall,
};

use super::window::Window;
use crate::record::{ConnectionName, Timestamp};
use serde::Serialize;

/// Everything that was measured over one period of one connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub connection: ConnectionName,
    pub period: Window,
    /// Milliseconds since 1970, as all times here; `until` is exclusive.
    pub from: Timestamp,
    pub until: Timestamp,
    /// The moment up to which everything is known.
    pub now: Timestamp,
    /// Whether the period is still running.
    pub is_open: bool,
    /// The version of the agreement that measures the period.
    pub title: String,
    pub version: String,
    pub agreement: String,
    /// The currency that amounts are in, if one was agreed.
    pub currency: Option<String>,
    /// Every commitment of both sides, in the agreement's order.
    pub commitments: Vec<Commitment>,
    /// The clocks by party and owner: first each party as a whole, then its owners.
    pub clocks: Vec<ClockLine>,
    pub acceptance: Vec<Acceptance>,
    pub rejections: Vec<Rejection>,
    pub violations: Vec<Violations>,
    /// Passes that began because leadpact took the lead back.
    pub recycles: u64,
    /// Passes lost to neglect: a handoff's clock was missed and nothing came of it.
    pub neglected: u64,
    pub delays: Vec<Delay>,
    /// The whole first, then a part for each value of what was asked for (`by`).
    pub waterfall: Waterfall,
    pub by_campaign: Vec<Campaign>,
    pub by_source: Vec<Campaign>,
    /// What had to be left out, each in a sentence.
    pub notes: Vec<String>,
}

/// What the waterfall may be split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    Source,
    Campaign,
    Party,
    Owner,
}
