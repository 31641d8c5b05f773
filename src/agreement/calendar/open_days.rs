//! Open days as a table: how many lie before a day, and which day is the n-th. Days are local civil days of the
//! calendar's zone, counted from day 0. Outside of the table every day is open.

use super::DAYS;

#[derive(Debug)]
pub(super) struct OpenDays {
    /// The open days, in order.
    days: Vec<u32>,
    /// For each day of the table, and one more: how many open days lie before it.
    before: Vec<u32>,
}

impl OpenDays {
    pub fn new(open: &[bool]) -> Self {
        debug_assert_eq!(open.len() as i64, DAYS);
        let mut days = Vec::new();
        let mut before = Vec::with_capacity(open.len() + 1);
        for (day, is_open) in open.iter().enumerate() {
            before.push(days.len() as u32);
            if *is_open {
                days.push(day as u32);
            }
        }
        before.push(days.len() as u32);
        Self { days, before }
    }

    pub fn is_open(&self, day: i64) -> bool {
        self.before(day + 1) > self.before(day)
    }

    /// The `by`-th open day after `day`, or before it when negative; `day` itself is not counted. `by` is not zero.
    pub fn step(&self, day: i64, by: i32) -> i64 {
        let by = i64::from(by);
        if by > 0 { self.nth(self.before(day + 1) + by - 1) } else { self.nth(self.before(day) + by) }
    }

    /// How many open days lie between day 0 and this one; negative before day 0.
    fn before(&self, day: i64) -> i64 {
        match self.before.get(day.max(0) as usize) {
            _ if day < 0 => day,
            Some(count) => i64::from(*count),
            None => self.days.len() as i64 + (day - DAYS),
        }
    }

    /// The open day with so many open days between day 0 and it.
    fn nth(&self, n: i64) -> i64 {
        match self.days.get(n.max(0) as usize) {
            _ if n < 0 => n,
            Some(day) => i64::from(*day),
            None => DAYS + (n - self.days.len() as i64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only days 3, 4 and 8 are open.
    fn three_days() -> OpenDays {
        let mut open = vec![false; DAYS as usize];
        for day in [3, 4, 8] {
            open[day] = true;
        }
        OpenDays::new(&open)
    }

    #[test]
    fn the_day_itself_is_not_counted_in_either_direction() {
        let days = three_days();
        assert_eq!((days.step(3, 1), days.step(3, 2), days.step(5, 1)), (4, 8, 8));
        assert_eq!((days.step(8, -1), days.step(8, -2), days.step(5, -1)), (4, 3, 4));
    }

    #[test]
    fn outside_of_the_table_every_day_is_open() {
        let days = three_days();
        assert_eq!((days.step(8, 1), days.step(8, 3)), (DAYS, DAYS + 2));
        assert_eq!((days.step(3, -1), days.step(-1, 1)), (-1, 3));
        assert_eq!((days.step(DAYS, -1), days.step(DAYS + 5, -2)), (8, DAYS + 3));
        assert!(days.is_open(-1) && days.is_open(DAYS) && days.is_open(3) && !days.is_open(5));
    }
}
