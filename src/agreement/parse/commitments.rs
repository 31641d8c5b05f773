//! `[[commitment]]`: what is measured over a period, and the target it must reach.

use super::clocks::Clocks;
use super::context::{Context, Unique};
use super::parties::period;
use crate::agreement::document::{Reader, Word};
use crate::agreement::model::{Commitment, Measure, Period, Target};
use crate::agreement::span::parse_span;
use crate::record::Object;

/// What commitments can be measured by, as the file calls it.
const KINDS: [&str; 10] = [
    "count",
    "defined",
    "conversion",
    "on_time",
    "median",
    "p90",
    "close_ratio",
    "revenue_share",
    "complete",
    "attested",
];

/// What measures speak of beside the context.
pub(super) struct Measured<'c, 'a> {
    pub handoffs: &'c [&'a str],
    pub clocks: &'c Clocks<'a>,
}

pub(super) fn commitments<'a>(cx: &Context<'a>, root: &mut Reader<'a>, of: &Measured<'_, 'a>) -> Vec<Commitment> {
    let mut unique = Unique::new("commitment");
    root.tables("commitment", "[[commitment]]").into_iter().filter_map(|r| commitment(cx, r, of, &mut unique)).collect()
}

fn commitment<'a>(
    cx: &Context<'a>,
    mut r: Reader<'a>,
    of: &Measured<'_, 'a>,
    unique: &mut Unique<'a>,
) -> Option<Commitment> {
    let name = r.need_text("name");
    if let Some(name) = &name {
        unique.check(cx.sink, name);
    }
    let by = r.need_text("by").and_then(|word| cx.party(&word));
    let to = r.need_text("to").and_then(|word| cx.party(&word));
    r.need("measure");
    let measure = r.table("measure").and_then(|table| measure(cx, table, of));
    let target_word = r.need_text("target");
    let target = target_word.as_ref().and_then(|word| read_target(cx, word));
    if let (Some(measure), Some(target), Some(word)) = (&measure, target, &target_word) {
        check_target(cx, measure, target, word, of);
    }
    let period = r.need_text("period").and_then(|word| period(cx, &word));
    let credit = r.text("credit").map(|word| word.text.to_owned());
    r.finish();
    let name = name?.text.to_owned();
    Some(Commitment { name, by: by?, to: to?, measure: measure?, target: target?, period: period?, credit })
}

fn measure(cx: &Context<'_>, mut r: Reader<'_>, of: &Measured<'_, '_>) -> Option<Measure> {
    let named: Vec<&str> = KINDS.into_iter().filter(|kind| r.has(kind)).collect();
    let kind = match named[..] {
        [kind] => kind,
        [] if r.entries().is_empty() => {
            cx.sink.error_with(r.span(), "nothing is measured", format!("name one of {}", KINDS.join(", ")));
            return None;
        }
        // The key that is there is unknown, and `finish` says so.
        [] => {
            r.finish();
            return None;
        }
        [_, second, ..] => {
            cx.sink.error_with(r.span_of(second), "a commitment is measured by one thing", "make them two commitments");
            return None;
        }
    };
    let measure = one_measure(cx, &mut r, kind, of);
    r.finish();
    measure
}

fn one_measure(cx: &Context<'_>, r: &mut Reader<'_>, kind: &str, of: &Measured<'_, '_>) -> Option<Measure> {
    let clock = |word: Word<'_>| of.clocks.named(cx, &word);
    match kind {
        "count" => r.text("count").and_then(|word| cx.stage(&word)).map(Measure::Count),
        "defined" => r.text("defined").and_then(|word| handoff(cx, &word, of)).map(Measure::Defined),
        "conversion" => conversion(cx, r),
        "on_time" => r.text("on_time").and_then(clock).map(Measure::OnTime),
        "median" => r.text("median").and_then(clock).map(Measure::Median),
        "p90" => r.text("p90").and_then(clock).map(Measure::P90),
        "close_ratio" => {
            r.text("close_ratio").and_then(|w| cx.condition(&w, Object::Opportunity, false)).map(Measure::CloseRatio)
        }
        "revenue_share" => r
            .text("revenue_share")
            .and_then(|w| cx.condition(&w, Object::Opportunity, false))
            .map(Measure::RevenueShare),
        "complete" => complete(cx, r),
        _ => r.text("attested").and_then(|word| attested(cx, &word)).map(Measure::Attested),
    }
}

fn handoff(cx: &Context<'_>, word: &Word<'_>, of: &Measured<'_, '_>) -> Option<usize> {
    let found = of.handoffs.iter().position(|name| *name == word.text);
    if found.is_none() {
        cx.sink.unknown("handoff", word, of.handoffs);
    }
    found
}

fn conversion(cx: &Context<'_>, r: &mut Reader<'_>) -> Option<Measure> {
    let words = r.texts("conversion");
    let [from, to] = &words[..] else {
        let help = "write the stage before and the stage after, such as [\"mql\", \"tal\"]";
        cx.sink.error_with(r.span_of("conversion"), "a conversion leads from one stage to another", help);
        return None;
    };
    let (first, second) = (cx.stage(from), cx.stage(to));
    let (first, second) = (first?, second?);
    let waterfall = cx.stages[first].in_waterfall() && cx.stages[second].in_waterfall();
    if first == second || (waterfall && second < first) {
        let message = format!("no record goes from `{}` to `{}`", from.text, to.text);
        cx.sink.error_with(to.span.clone(), message, "name the earlier stage first");
    }
    Some(Measure::Conversion(first, second))
}

fn complete(cx: &Context<'_>, r: &mut Reader<'_>) -> Option<Measure> {
    let field = r.text("complete");
    let stage = r.need_text("stage").and_then(|word| cx.stage(&word))?;
    let field = cx.field(cx.stages[stage].object, &field?)?;
    Some(Measure::Complete { field, stage })
}

fn attested(cx: &Context<'_>, word: &Word<'_>) -> Option<Period> {
    match word.text {
        "weekly" => Some(Period::Week),
        "monthly" => Some(Period::Month),
        "quarterly" => Some(Period::Quarter),
        _ => {
            cx.sink.unknown("period", word, &["weekly", "monthly", "quarterly"]);
            None
        }
    }
}

fn read_target(cx: &Context<'_>, word: &Word<'_>) -> Option<Target> {
    let target = target(word.text);
    if let Err(message) = &target {
        let help = "write it like `>= 400`, `>= 95%`, `<= 4bh`, `100%` or `yes`";
        cx.sink.error_with(word.span.clone(), message.clone(), help);
    }
    target.ok()
}

/// `>= 400`, `>= 95%`, `<= 4bh`, `100%` (at least), `4bh` (at most), `yes`.
fn target(text: &str) -> Result<Target, String> {
    let text = text.trim();
    if text == "yes" {
        return Ok(Target::Yes);
    }
    let (least, rest) = match (text.strip_prefix(">="), text.strip_prefix("<=")) {
        (Some(rest), _) => (Some(true), rest.trim()),
        (_, Some(rest)) => (Some(false), rest.trim()),
        _ => (None, text),
    };
    let unreadable = || format!("`{text}` is no target");
    if let Some(percent) = rest.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| unreadable())?;
        return match percent {
            0.0..=100.0 if least == Some(false) => Ok(Target::ShareAtMost(percent / 100.0)),
            0.0..=100.0 => Ok(Target::ShareAtLeast(percent / 100.0)),
            _ => Err(format!("`{text}` is no share: it lies between 0% and 100%")),
        };
    }
    if let Ok(number) = rest.parse::<f64>() {
        return match number {
            n if !n.is_finite() || n < 0.0 => Err(unreadable()),
            n if least == Some(false) => Ok(Target::AtMost(n)),
            n => Ok(Target::AtLeast(n)),
        };
    }
    match (parse_span(rest), least) {
        (Ok(_), Some(true)) => Err(format!("`{text}` would ask for slowness: a time is a target from above")),
        (Ok(span), _) => Ok(Target::Within(span)),
        (Err(_), _) => Err(unreadable()),
    }
}

fn check_target(cx: &Context<'_>, measure: &Measure, target: Target, word: &Word<'_>, of: &Measured<'_, '_>) {
    use Target::{AtLeast, AtMost, ShareAtLeast, ShareAtMost, Within, Yes};
    let (fits, what, help) = match measure {
        Measure::Count(_) => (matches!(target, AtLeast(_) | AtMost(_)), "a number of records", ">= 400"),
        Measure::Median(_) | Measure::P90(_) => (matches!(target, Within(_)), "a time", "<= 4bh"),
        Measure::Attested(_) => (target == Yes, "somebody's word", "yes"),
        _ => (matches!(target, ShareAtLeast(_) | ShareAtMost(_)), "a share", ">= 95%"),
    };
    if !fits {
        let message = format!("`{}` cannot be the target here: {what} is measured", word.text);
        cx.sink.error_with(word.span.clone(), message, format!("write it like `{help}`"));
    }
    if let (Measure::Median(clock) | Measure::P90(clock), Within(span)) = (measure, target)
        && let Some(clock) = of.clocks.read.get(*clock).and_then(Option::as_ref)
    {
        cx.check_calendar(span, clock.calendar, word.span.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::model::Span;
    use crate::record::Elapsed;

    #[test]
    fn targets_say_what_they_compare() {
        for (text, expect) in [
            (">= 400", Target::AtLeast(400.0)),
            ("400", Target::AtLeast(400.0)),
            ("<= 3", Target::AtMost(3.0)),
            (">= 95%", Target::ShareAtLeast(0.95)),
            ("100%", Target::ShareAtLeast(1.0)),
            ("<= 5 %", Target::ShareAtMost(0.05)),
            ("<= 4bh", Target::Within(Span::Open(Elapsed::from_secs(4 * 3600)))),
            ("2d", Target::Within(Span::Elapsed(Elapsed::from_secs(2 * 86_400)))),
            ("yes", Target::Yes),
        ] {
            assert_eq!(target(text), Ok(expect), "{text}");
        }
        for text in ["", "lots", ">= 120%", ">= 4bh", "> 5", ">= -1", "nan"] {
            assert!(target(text).is_err(), "{text}");
        }
    }
}
