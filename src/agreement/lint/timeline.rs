//! Whether the steps of a clock stand in the order of their moments. Where calendars decide, only
//! what holds on every calendar is an error; what holds on an ordinary one is a warning.

use crate::agreement::document::Sink;
use crate::agreement::model::{Span, StepAt};
use crate::agreement::problem::Problem;
use std::ops::Range;

/// A step's point, and where the file says so.
pub(in crate::agreement) struct Placed {
    pub at: StepAt,
    pub span: Range<usize>,
}

/// What a length is counted in; lengths of different kinds cannot be compared for sure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Elapsed,
    Open,
    OpenDays,
}

/// A business day for comparing: eight hours, in milliseconds.
const NOMINAL_DAY: f64 = 8.0 * 3_600_000.0;

fn kind(span: Span) -> Kind {
    match span {
        Span::Elapsed(_) => Kind::Elapsed,
        Span::Open(_) => Kind::Open,
        Span::OpenDays(_) => Kind::OpenDays,
    }
}

/// Milliseconds of wall time or of open time.
fn length(span: Span) -> f64 {
    match span {
        Span::Elapsed(length) | Span::Open(length) => length.as_millis() as f64,
        Span::OpenDays(days) => f64::from(days) * NOMINAL_DAY,
    }
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Verdict {
    Fine,
    Doubtful,
    Wrong,
}

/// Notes each step that stands before the one listed ahead of it, or before the clock's start.
pub(in crate::agreement) fn check(within: Span, steps: &[Placed], sink: &Sink<'_>) {
    for step in steps {
        let message = "this step lies before the start of its clock";
        note(before_start(within, step.at), step, message, "bring it closer to the deadline", sink);
    }
    for pair in steps.windows(2) {
        let [earlier, later] = pair else { continue };
        let message = "this step is due before the one listed ahead of it";
        let help = "list the steps in the order of their moments";
        note(order(within, earlier.at, later.at), later, message, help, sink);
    }
}

fn note(verdict: Verdict, step: &Placed, message: &str, help: &str, sink: &Sink<'_>) {
    match verdict {
        Verdict::Fine => {}
        Verdict::Wrong => sink.error_with(step.span.clone(), format!("steps out of order: {message}"), help),
        Verdict::Doubtful => {
            let message = format!("steps out of order: {message}, if a business day has eight hours");
            sink.note(Problem::warning(step.span.clone(), message).with_help(help));
        }
    }
}

fn before_start(within: Span, at: StepAt) -> Verdict {
    match at {
        StepAt::Before(span) => judge(length(span) > length(within), kind(span), kind(within)),
        _ => Verdict::Fine,
    }
}

/// Whether `later` may stand after `earlier`.
fn order(within: Span, earlier: StepAt, later: StepAt) -> Verdict {
    use StepAt::{After, Before, Share};
    let (phase_a, phase_b) = (phase(earlier), phase(later));
    if phase_a != phase_b {
        return if phase_a > phase_b { Verdict::Wrong } else { Verdict::Fine };
    }
    match (earlier, later) {
        (Share(a), Share(b)) => judge(a > b, Kind::Elapsed, Kind::Elapsed),
        (Before(a), Before(b)) => judge(length(a) < length(b), kind(a), kind(b)),
        (After(a), After(b)) => judge(length(a) > length(b), kind(a), kind(b)),
        (Share(a), Before(b)) => share_after(within, a, b, |share, before| share > before),
        (Before(a), Share(b)) => share_after(within, b, a, |share, before| before > share),
        _ => Verdict::Fine,
    }
}

/// A share of open days is counted in open time, so it lies where a day before the deadline only may.
fn share_after(within: Span, share: f64, before: Span, wrong: fn(f64, f64) -> bool) -> Verdict {
    let (at_share, at_before) = (share * length(within), length(within) - length(before));
    let exact = kind(within) == kind(before) && kind(within) != Kind::OpenDays;
    match judge(wrong(at_share, at_before), kind(within), kind(before)) {
        Verdict::Wrong if !exact => Verdict::Doubtful,
        verdict => verdict,
    }
}

/// 0 before the deadline, 1 at it, 2 after it.
fn phase(at: StepAt) -> u8 {
    match at {
        StepAt::Share(..1.0) | StepAt::Before(_) => 0,
        StepAt::Share(_) | StepAt::Due => 1,
        StepAt::After(_) => 2,
    }
}

fn judge(wrong: bool, a: Kind, b: Kind) -> Verdict {
    match (wrong, a == b) {
        (false, _) => Verdict::Fine,
        (true, true) => Verdict::Wrong,
        // Wall time against business time: nobody can say.
        (true, false) if a == Kind::Elapsed || b == Kind::Elapsed => Verdict::Fine,
        (true, false) => Verdict::Doubtful,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Elapsed;
    use StepAt::{After, Before, Due, Share};

    const HOUR: i64 = 3_600;

    fn h(hours: i64) -> Span {
        Span::Elapsed(Elapsed::from_secs(hours * HOUR))
    }

    fn bh(hours: i64) -> Span {
        Span::Open(Elapsed::from_secs(hours * HOUR))
    }

    fn bd(days: i32) -> Span {
        Span::OpenDays(days)
    }

    #[test]
    fn steps_that_are_surely_out_of_order_are_wrong() {
        for (within, a, b) in [
            (bh(4), Due, Share(0.5)),
            (bh(4), After(bh(1)), Due),
            (bh(4), After(bh(2)), After(bh(1))),
            (bh(4), Before(bh(1)), Before(bh(2))),
            (bh(4), Share(0.9), Before(bh(2))),
            (bh(4), Before(bh(1)), Share(0.5)),
            (h(4), Share(0.9), Before(h(2))),
            (bd(4), Share(0.9), Share(0.5)),
            (bh(4), Due, Before(h(2))),
        ] {
            assert_eq!(order(within, a, b), Verdict::Wrong, "{a:?} {b:?}");
            assert_eq!(order(within, b, a), Verdict::Fine, "{b:?} {a:?}");
        }
    }

    #[test]
    fn what_an_ordinary_calendar_decides_is_doubtful() {
        assert_eq!(order(bh(40), After(bd(1)), After(bh(4))), Verdict::Doubtful);
        assert_eq!(order(bd(10), Share(0.9), Before(bd(3))), Verdict::Doubtful);
        assert_eq!(before_start(bh(4), Before(bd(1))), Verdict::Doubtful);
    }

    #[test]
    fn wall_time_and_business_time_are_not_compared() {
        assert_eq!(order(bh(4), After(h(90)), After(bh(1))), Verdict::Fine);
        assert_eq!(before_start(bh(4), Before(h(90))), Verdict::Fine);
    }

    #[test]
    fn a_step_before_the_start_is_wrong_and_at_the_start_is_not() {
        assert_eq!(before_start(bh(4), Before(bh(5))), Verdict::Wrong);
        assert_eq!(before_start(bh(4), Before(bh(4))), Verdict::Fine);
    }
}
