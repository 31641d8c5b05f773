//! Measures and targets in words, as tables and review packs show them.

use crate::agreement::model::{Agreement, Measure, Target};
use crate::agreement::span::span_in_words;

/// What is measured: `mql reached`, `First follow-up on time`.
pub(super) fn measure(agreement: &Agreement, measure: &Measure) -> String {
    let stage = |index: &usize| agreement.stages[*index].name.as_str();
    let clock = |index: &usize| agreement.clocks[*index].name.as_ref();
    match measure {
        Measure::Count(at) => format!("{} reached", stage(at)),
        Measure::Defined(handoff) => format!("{}: as defined", agreement.handoffs[*handoff].name),
        Measure::Conversion(from, to) => format!("{} to {}", stage(from), stage(to)),
        Measure::OnTime(of) => format!("{} on time", clock(of)),
        Measure::Median(of) => format!("median of {}", clock(of)),
        Measure::P90(of) => format!("90th percentile of {}", clock(of)),
        Measure::CloseRatio(of) => format!("won of those decided where {}", of.sentence()),
        Measure::RevenueShare(of) => format!("won revenue where {}", of.sentence()),
        Measure::Complete { field, stage: at } => format!("{field} set at {}", stage(at)),
        Measure::Attested(_) => "a person's word".to_owned(),
    }
}

/// A target: `at least 95%`, `at most 4 business hours`.
pub(super) fn target(target: Target) -> String {
    match target {
        Target::AtLeast(n) => format!("at least {n}"),
        Target::AtMost(n) => format!("at most {n}"),
        Target::ShareAtLeast(share) => format!("at least {}", percent(share)),
        Target::ShareAtMost(share) => format!("at most {}", percent(share)),
        Target::Within(span) => format!("at most {}", span_in_words(span)),
        Target::Yes => "yes".to_owned(),
    }
}

/// `95%`, `37.5%`.
pub(super) fn percent(share: f64) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    format!("{percent}%")
}
