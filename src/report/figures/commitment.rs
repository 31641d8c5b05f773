//! A commitment as measured: its figure, the verdict, what is to be expected, and the trend.

use crate::record::{Elapsed, PartyName};
use crate::report::money::Money;
use crate::report::window::Window;
use serde::Serialize;

/// A commitment and how it was kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Commitment {
    pub name: String,
    pub by: PartyName,
    pub to: PartyName,
    /// What is measured, in words: `mql reached`, `First follow-up on time`.
    pub measure: String,
    /// As in the agreement, in words: `at least 400`, `at most 4 business hours`.
    pub target: String,
    pub measured: Measured,
    /// What the agreement gives for a miss; set only where it was missed and the agreement names something.
    pub credit: Option<String>,
    /// The last six of its periods, the measured one last.
    pub trend: Vec<Point>,
}

/// One period of the trend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    pub period: Window,
    pub figure: Figure,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The commitment's own period: the one in which the report's period ends (or now lies).
    pub period: Window,
    pub figure: Figure,
    pub verdict: Verdict,
    /// Where it is still undecided: what is to be expected.
    pub forecast: Option<Forecast>,
    /// By how much the target is missed, in words; set only with [`Verdict::Missed`].
    pub short_by: Option<String>,
    /// What stands beside the figure or was left out, each in a sentence: `12 waiting to be judged`.
    pub notes: Vec<String>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Figure {
    /// There was nothing to measure.
    Nothing,
    /// Records.
    Count {
        count: u64,
    },
    /// A share of records, runs or passes.
    Share {
        part: u64,
        whole: u64,
    },
    /// A share of an amount in the agreement's currency.
    MoneyShare {
        part: Money,
        whole: Money,
    },
    Time(Time),
    /// What a person attested; `None` while nobody did.
    Word {
        answer: Option<bool>,
    },
}

/// A percentile of answer times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Time {
    /// Milliseconds.
    pub length: Elapsed,
    /// Counted in business time.
    pub business: bool,
    /// Some are still unanswered, and the true figure is longer or the same.
    pub at_least: bool,
    /// How many runs were measured.
    pub of: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Attained,
    Missed,
    /// Not decided yet: the period runs, or what is still open can turn it.
    Open,
    /// Nothing to measure.
    NoData,
}

/// What an undecided figure may come to: a count or a share (0 to 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Forecast {
    pub expected: f64,
    /// If all that is open now fails, and if all of it succeeds.
    pub worst: Option<f64>,
    pub best: Option<f64>,
    /// Whether the expected figure reaches the target.
    pub attains: bool,
}
