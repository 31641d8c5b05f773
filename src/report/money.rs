//! Amounts as whole hundredths of a currency's unit, so that sums are exact in any order. An amount
//! is converted and rounded once, when it is taken from its record.

use crate::agreement::model::Currency;
use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::AddAssign;

/// An amount in hundredths of the base currency's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i64);

impl Money {
    /// From an amount as CRMs have it, rounded half away from zero; what no sum can hold is cut off.
    pub fn from_units(amount: f64) -> Self {
        // The cast saturates, and takes what is no number for nothing.
        Self((amount * 100.0).round() as i64)
    }

    pub const fn from_hundredths(hundredths: i64) -> Self {
        Self(hundredths)
    }

    pub const fn hundredths(self) -> i64 {
        self.0
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl fmt::Display for Money {
    /// `1234.50`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

impl Serialize for Money {
    /// As text, so that no reader makes it a binary fraction.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// What an amount is worth to a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worth {
    Known(Money),
    /// No amount stands on the record.
    Missing,
    /// An amount in a currency for which no rate was agreed; it is never added to the others.
    NoRate(String),
}

/// Converts an amount into the agreement's currency. Without `[currency]`, or where the record names
/// no currency, the amount is taken as it is.
pub fn worth(currency: Option<&Currency>, amount: Option<f64>, code: Option<&str>) -> Worth {
    let Some(amount) = amount.filter(|a| a.is_finite()) else { return Worth::Missing };
    let code = code.map(str::trim).filter(|c| !c.is_empty());
    match (currency, code) {
        (Some(agreed), Some(code)) if !agreed.base.eq_ignore_ascii_case(code) => {
            match agreed.rates.iter().find(|(name, _)| name.eq_ignore_ascii_case(code)) {
                Some((_, rate)) => Worth::Known(Money::from_units(amount * rate)),
                None => Worth::NoRate(code.to_uppercase()),
            }
        }
        _ => Worth::Known(Money::from_units(amount)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_many_small_amounts_are_exact() {
        let mut sum = Money::default();
        (0..1_000_000).for_each(|_| sum += Money::from_units(0.1));
        assert_eq!(sum.to_string(), "100000.00");
        assert_eq!(Money::from_units(-0.05).to_string(), "-0.05");
    }

    #[test]
    fn an_amount_without_a_rate_is_worth_nothing_that_could_be_added() {
        let agreed = Currency { base: "USD".into(), rates: [("EUR".to_owned(), 1.08)].into() };
        let in_dollars = |amount, code| worth(Some(&agreed), amount, code);
        assert_eq!(in_dollars(Some(100.0), Some("eur")), Worth::Known(Money::from_units(108.0)));
        assert_eq!(in_dollars(Some(100.0), Some("USD")), Worth::Known(Money::from_units(100.0)));
        assert_eq!(in_dollars(Some(100.0), None), Worth::Known(Money::from_units(100.0)));
        assert_eq!(in_dollars(Some(100.0), Some("CHF")), Worth::NoRate("CHF".into()));
        assert_eq!(in_dollars(None, Some("USD")), Worth::Missing);
        assert_eq!(in_dollars(Some(f64::NAN), None), Worth::Missing);
    }
}
