//! Money as pages write it. Counts are `report::layout::thousands`.

use crate::report::layout::thousands;
use crate::report::money::Money;

/// `12,340.50`
pub fn money(money: Money) -> String {
    let hundredths = money.hundredths();
    let sign = if hundredths < 0 { "-" } else { "" };
    let whole = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", thousands(whole / 100), whole % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_its_thousands_set_apart() {
        assert_eq!(money(Money::from_hundredths(-123_456_705)), "-1,234,567.05");
    }
}
