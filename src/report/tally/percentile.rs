//! Percentiles by nearest rank: of n lengths in order, the p-th is number ceil(p · n). No length is
//! made up that nobody took, and anyone can check it by sorting.

use crate::record::Elapsed;
use crate::report::figures::Time;

/// One answer's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Length {
    pub ms: i64,
    /// It is still unanswered: it took so long at least.
    pub censored: bool,
}

/// The rank, from 1, of a percentile among so many.
pub(super) fn rank(p: f64, of: usize) -> usize {
    // A little less than a whole number is that number: 0.9 · 10 is 9.
    ((p * of as f64 - 1e-9).ceil() as usize).clamp(1, of.max(1))
}

/// The percentile of these lengths, and whether those still unanswered may make it longer.
pub(super) fn percentile(lengths: &mut [Length], p: f64, business: bool) -> Option<Time> {
    lengths.sort_unstable();
    let rank = rank(p, lengths.len());
    let found = lengths.get(rank - 1)?;
    // Of equal lengths those that are known come first: one behind the rank cannot move it.
    let at_least = lengths[..rank].iter().any(|l| l.censored);
    Some(Time { length: Elapsed::from_millis(found.ms), business, at_least, of: lengths.len() as u64 })
}

/// The median of lengths that are all known.
pub(super) fn median(mut lengths: Vec<i64>) -> Option<Elapsed> {
    lengths.sort_unstable();
    lengths.get(rank(0.5, lengths.len()) - 1).copied().map(Elapsed::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ms: &[i64]) -> Vec<Length> {
        ms.iter().map(|ms| Length { ms: *ms, censored: false }).collect()
    }

    fn p(lengths: &mut [Length], p: f64) -> (i64, bool) {
        let time = percentile(lengths, p, false).unwrap();
        (time.length.as_millis(), time.at_least)
    }

    #[test]
    fn a_percentile_is_a_length_that_somebody_took() {
        assert_eq!(p(&mut known(&[30, 10, 20, 40]), 0.5), (20, false));
        assert_eq!(p(&mut known(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), 0.9), (9, false));
        assert_eq!(p(&mut known(&[7]), 0.9), (7, false));
        assert_eq!(percentile(&mut [], 0.5, false), None);
    }

    #[test]
    fn an_unanswered_run_only_makes_those_figures_uncertain_that_it_can_move() {
        let mut lengths = known(&[10, 20, 30]);
        lengths.push(Length { ms: 90, censored: true });
        assert_eq!(p(&mut lengths.clone(), 0.5), (20, false));
        assert_eq!(p(&mut lengths, 0.9), (90, true));
        let mut lengths = known(&[10, 20, 30]);
        lengths.push(Length { ms: 5, censored: true });
        assert_eq!(p(&mut lengths, 0.5), (10, true));
        let mut lengths = known(&[10, 20, 30]);
        lengths.push(Length { ms: 20, censored: true });
        assert_eq!(p(&mut lengths.clone(), 0.5), (20, false), "two are known to be no longer");
        assert_eq!(p(&mut lengths, 0.75), (20, true));
    }
}
