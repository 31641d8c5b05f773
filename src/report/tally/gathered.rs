//! What one commitment gathers over one period, before anything is concluded from it.

use super::percentile::Length;
use crate::report::figures::Amounts;
use crate::report::money::{Money, Worth};

#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// What was counted, or the good part of the whole.
    pub part: u64,
    pub whole: u64,
    /// In the whole, and may still become part of it.
    pub open: u64,
    /// Not in the whole yet, and may come into it.
    pub waiting: u64,
    /// Recycled and returned passes, which stand beside.
    pub again: u64,
    /// Found by a first import, nobody knows since when.
    pub undated: u64,
    /// Left out: a dispute was upheld.
    pub excused: u64,
    /// Left out: the values are erased.
    pub erased: u64,
    pub money: Money,
    pub of_money: Amounts,
    pub lengths: Vec<Length>,
    /// Answers within the target, and those still unanswered that may come to be.
    pub within: u64,
    pub within_open: u64,
}

impl Gathered {
    /// What was left out or stands beside, in words.
    pub fn notes(&self) -> Vec<String> {
        let amounts = &self.of_money;
        let mut notes = Vec::new();
        let mut note = |n: u64, what: &str| {
            if n > 0 {
                notes.push(format!("{n} {what}"));
            }
        };
        note(self.open, "still open");
        note(self.waiting, "waiting to be decided");
        note(self.again, "more recycled or returned");
        note(self.undated, "found by the first import, of unknown date, not counted");
        note(self.excused, "excused by a dispute");
        note(self.erased, "left out, their values erased");
        note(amounts.missing, "without an amount");
        for (currency, sum) in &amounts.no_rate {
            notes.push(format!("{sum} {currency} not added: no rate agreed"));
        }
        notes
    }
}

impl Amounts {
    /// Adds one record's amount to where it belongs.
    pub(super) fn add(&mut self, worth: &Worth, amount: Option<f64>) {
        match worth {
            Worth::Known(money) => self.sum += *money,
            Worth::Missing => self.missing += 1,
            Worth::NoRate(currency) => {
                let sum = self.no_rate.entry(currency.clone()).or_default();
                *sum += Money::from_units(amount.unwrap_or_default());
            }
        }
    }
}
