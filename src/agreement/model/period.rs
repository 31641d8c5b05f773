//! What both sides promise over a period rather than per record, and how they meet about it:
//! commitments, reviews, conflict-resolution steps, the currency that amounts are compared in.

use super::{Address, Audience, Span};
use crate::agreement::predicate::Predicate;
use crate::record::{FieldName, PartyName};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    Week,
    Month,
    Quarter,
}

#[derive(Debug)]
pub struct Commitment {
    pub name: String,
    pub by: PartyName,
    pub to: PartyName,
    pub measure: Measure,
    pub target: Target,
    pub period: Period,
    pub credit: Option<String>,
}

#[derive(Debug)]
pub enum Measure {
    /// Records that reached this stage (index).
    Count(usize),
    /// Share of handed-over records that met the definition of this handoff (index).
    Defined(usize),
    /// Share of records at the first stage that reached the second.
    Conversion(usize, usize),
    /// Share of runs of this clock (index) that were met in time.
    OnTime(usize),
    /// Median time of a clock (index), and its 90th percentile.
    Median(usize),
    P90(usize),
    /// Share of decided opportunities that were won, of those that the condition takes.
    CloseRatio(Predicate),
    /// Share of won revenue whose opportunities the condition takes.
    RevenueShare(Predicate),
    /// Share of records at this stage (index) whose field is set.
    Complete {
        field: FieldName,
        stage: usize,
    },
    /// A named person says so, each period.
    Attested(Period),
}

/// `>= 95%`, `<= 4bh`, `100%`, `yes`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Shares are 0 to 1.
    ShareAtLeast(f64),
    ShareAtMost(f64),
    Within(Span),
    Yes,
}

#[derive(Debug)]
pub struct Review {
    pub name: String,
    pub every: Period,
    pub on: Option<jiff::civil::Weekday>,
    pub time: jiff::civil::Time,
    pub on_holiday: OnHoliday,
    pub send_to: Vec<Address>,
    pub topics: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHoliday {
    NextOpenDay,
    Skip,
    Anyway,
}

#[derive(Debug)]
pub struct Resolution {
    pub within: Span,
    pub who: Vec<Audience>,
}

#[derive(Debug, Clone)]
pub struct Currency {
    pub base: String,
    /// One unit of the key in the base currency.
    pub rates: BTreeMap<String, f64>,
}
