//! Open time as a table: where each open stretch begins and ends and how much open time lies before it.
//! Finds a stretch by moment or by amount of open time through an index of buckets, each a handful of stretches.
//! Knows nothing of zones, days or agreements. Times are milliseconds of the table (since day 0 00:00 UTC).

use super::{DAY_MS, DAY_S, DAYS};

/// The end of the table; from here on, as before 0, every moment is open.
const END_MS: i64 = DAYS * DAY_MS;

/// An open stretch in seconds of the table: 51 years fit into 32 bits, and three stretches into a cache line.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: u32,
    /// Closing time, which is open still.
    end: u32,
    /// Open seconds of the table before it.
    before: u32,
}

impl Stretch {
    fn start_ms(self) -> i64 {
        i64::from(self.start) * 1000
    }

    fn end_ms(self) -> i64 {
        i64::from(self.end) * 1000
    }

    fn before_ms(self) -> i64 {
        i64::from(self.before) * 1000
    }
}

#[derive(Debug)]
pub(super) struct OpenTime {
    /// In order; none is empty, none touches the next.
    stretches: Vec<Stretch>,
    /// For each UTC day, and one more: how many stretches end before its midnight.
    by_day: Vec<u32>,
    /// For each multiple of `1 << shift` milliseconds of open time: how many stretches have less before them.
    by_amount: Vec<u32>,
    shift: u32,
    /// All open time of the table.
    total: i64,
}

impl OpenTime {
    /// From open stretches `(start, end)` in seconds of the table, sorted and within it; touching ones become one.
    pub fn new(pieces: impl Iterator<Item = (i64, i64)>) -> Self {
        let (stretches, total) = join(pieces);
        let shift = bucket_bits(total, stretches.len());
        let by_day = counts(DAYS + 1, |bucket| bucket * DAY_MS, &stretches, |s| s.end_ms());
        let by_amount = counts((total >> shift) + 2, |bucket| bucket << shift, &stretches, |s| s.before_ms());
        Self { stretches, by_day, by_amount, shift, total }
    }

    pub fn is_never(&self) -> bool {
        self.stretches.is_empty()
    }

    /// `t` itself when open, else the next opening.
    pub fn next_open(&self, t: i64) -> i64 {
        if !(0..END_MS).contains(&t) {
            return t;
        }
        self.stretches.get(self.ending_from(t)).map_or(END_MS, |s| s.start_ms().max(t))
    }

    /// Open time from the beginning of the table to `t`; negative before it.
    pub fn open_before(&self, t: i64) -> i64 {
        if t < 0 {
            return t;
        }
        if t >= END_MS {
            return self.total + (t - END_MS);
        }
        match self.stretches.get(self.ending_from(t)) {
            Some(s) => s.before_ms() + (t - s.start_ms()).max(0),
            None => self.total,
        }
    }

    /// The moment with so much open time between it and `from`. On its way forward it stops at closing time, on its
    /// way back at an opening: at whichever it meets first.
    pub fn add(&self, from: i64, by: i64) -> i64 {
        if by == 0 {
            return self.next_open(from);
        }
        let amount = self.open_before(from).saturating_add(by);
        if by > 0 { self.first_with(amount) } else { self.last_with(amount) }
    }

    /// The earliest moment with this much open time before it.
    fn first_with(&self, amount: i64) -> i64 {
        if amount <= 0 {
            return amount;
        }
        if amount > self.total {
            return amount.saturating_sub(self.total).saturating_add(END_MS);
        }
        self.moment(amount, |before| before < amount)
    }

    /// The latest moment with this much open time before it.
    fn last_with(&self, amount: i64) -> i64 {
        if amount < 0 {
            return amount;
        }
        if amount >= self.total {
            return amount.saturating_sub(self.total).saturating_add(END_MS);
        }
        self.moment(amount, |before| before <= amount)
    }

    /// Where the last stretch whose open time before it passes `reached` has this amount behind it.
    fn moment(&self, amount: i64, reached: impl Fn(i64) -> bool) -> i64 {
        let bucket = (amount >> self.shift) as usize;
        let (low, high) = (self.by_amount[bucket] as usize, self.by_amount[bucket + 1] as usize);
        let i = low + self.stretches[low..high].partition_point(|s| reached(s.before_ms()));
        let s = self.stretches[i - 1];
        s.start_ms() + (amount - s.before_ms())
    }

    /// The index of the first stretch that ends at `t` or later; `t` lies within the table.
    fn ending_from(&self, t: i64) -> usize {
        let day = (t / DAY_MS) as usize;
        let (low, high) = (self.by_day[day] as usize, self.by_day[day + 1] as usize);
        low + self.stretches[low..high].partition_point(|s| s.end_ms() < t)
    }
}

fn join(pieces: impl Iterator<Item = (i64, i64)>) -> (Vec<Stretch>, i64) {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut open = 0;
    for (start, end) in pieces {
        debug_assert!(0 <= start && start < end && end <= DAYS * DAY_S);
        match stretches.last_mut() {
            Some(last) if i64::from(last.end) == start => last.end = end as u32,
            _ => stretches.push(Stretch { start: start as u32, end: end as u32, before: open as u32 }),
        }
        open += end - start;
    }
    stretches.shrink_to_fit();
    (stretches, open * 1000)
}

/// Buckets of about the average stretch, so that there are no more of them than stretches.
fn bucket_bits(total: i64, stretches: usize) -> u32 {
    let average = (total as u64) / (stretches.max(1) as u64);
    average.max(1).next_power_of_two().trailing_zeros()
}

/// For each bucket, how many stretches have a key below the bucket's beginning.
fn counts(buckets: i64, begin: impl Fn(i64) -> i64, stretches: &[Stretch], key: impl Fn(Stretch) -> i64) -> Vec<u32> {
    let mut below = 0;
    (0..buckets)
        .map(|bucket| {
            let begin = begin(bucket);
            while below < stretches.len() && key(stretches[below]) < begin {
                below += 1;
            }
            below as u32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    /// Open 9 to 12 on days 1 and 2.
    fn two_mornings() -> OpenTime {
        OpenTime::new((1..=2).map(|day| (day * DAY_S + 9 * HOUR, day * DAY_S + 12 * HOUR)))
    }

    fn at(day: i64, hour: i64) -> i64 {
        (day * DAY_S + hour * HOUR) * 1000
    }

    #[test]
    fn counting_forward_stops_at_closing_time_and_back_at_an_opening() {
        let time = two_mornings();
        assert_eq!(time.add(at(1, 9), 3 * HOUR * 1000), at(1, 12));
        assert_eq!(time.add(at(1, 9), 3 * HOUR * 1000 + 1), at(2, 9) + 1);
        assert_eq!(time.add(at(2, 10), -HOUR * 1000), at(2, 9));
        assert_eq!(time.add(at(2, 10), -HOUR * 1000 - 1), at(1, 12) - 1);
    }

    #[test]
    fn touching_pieces_become_one_stretch() {
        let time = OpenTime::new([(0, DAY_S), (DAY_S, 2 * DAY_S)].into_iter());
        assert_eq!(time.stretches.len(), 1);
        assert_eq!(time.total, 2 * DAY_MS);
    }

    #[test]
    fn outside_of_the_table_every_moment_is_open() {
        let time = two_mornings();
        assert_eq!(time.next_open(-5), -5);
        assert_eq!(time.next_open(at(3, 0)), END_MS);
        assert_eq!(time.add(at(3, 0), 7), END_MS + 7);
        assert_eq!(time.add(END_MS + 7, -7), END_MS);
        assert_eq!(time.add(at(1, 9) + 1, -2), -1);
        assert_eq!(time.open_before(END_MS + 7) - time.open_before(-7), 6 * HOUR * 1000 + 14);
    }

    #[test]
    fn the_ends_of_all_time_do_not_overflow() {
        let time = two_mornings();
        for t in [i64::MIN / 4, 0, i64::MAX / 4] {
            time.add(t, i64::MAX);
            time.add(t, i64::MIN);
            time.next_open(t);
        }
    }
}
