//! Commitments: what is measured over a period, and the target.

use super::condition::Called;
use super::deadline::{self, Length};
use super::meet::{Met, meet, named, order};
use super::pair::{Bears, Pair, change};
use super::{Line, Verdict, Version, Versions, Way, condition, words};
use crate::agreement::calendar::Calendar;
use crate::agreement::model::{Agreement, Commitment, Measure, Period, Target};
use crate::agreement::predicate::Predicate;
use crate::agreement::span::span_in_words;
use serde_json::Value;

pub(super) fn commitments(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (named(&v.old.document["commitment"]), named(&v.new.document["commitment"]));
    let (was, is) = (&v.old.agreement.commitments, &v.new.agreement.commitments);
    let mut lines = Vec::new();
    for met in meet(&old, &new) {
        match met {
            Met::New(j) => lines.push(alone("is new", &is[j], Way::Stricter)),
            Met::Gone(i) => lines.push(alone("is gone", &was[i], Way::Looser)),
            Met::Both(i, j) => lines.extend(commitment(v, (&was[i], old[i].1), (&is[j], new[j].1))),
        }
    }
    lines.extend(order("commitments", &old, &new));
    lines
}

fn alone(what: &str, c: &Commitment, way: Way) -> Line {
    let (by, to, every) = (words::party(&c.by), words::party(&c.to), words::period(c.period));
    let text = format!("{} {what}: {by} promises {to} {} a {every}", c.name, target(c.target));
    Line { text, verdict: Some(Verdict { way, party: by }) }
}

type Side<'a> = (&'a Commitment, &'a Value);

fn commitment(v: Versions<'_>, (was, old): Side<'_>, (is, new): Side<'_>) -> Vec<Line> {
    let mut pair = Pair::new(&is.name, old, new);
    pair.name(&was.name, &is.name);
    pair.text("by", "promised by", Some(words::party(&was.by)), Some(words::party(&is.by)));
    pair.text("to", "promised to", Some(words::party(&was.to)), Some(words::party(&is.to)));
    pair.tell("measure", measure(v, was, is));
    let text = change("target", Some(target(was.target)), Some(target(is.target)));
    let way = harder((v.old, was), (v.new, is)).map(|way| Verdict { way, party: words::party(&is.by) });
    pair.tell("target", text.map(|text| Line { text, verdict: way }).into_iter().collect());
    pair.tell("period", period(was, is));
    let credit = |c: &Commitment| c.credit.as_deref().map(words::quoted);
    pair.text("credit", "if it is missed:", credit(was), credit(is));
    pair.finish()
}

/// The same number is more work in a shorter time; a share is not.
fn period(was: &Commitment, is: &Commitment) -> Vec<Line> {
    let text = change("measured every", Some(words::period(was.period).into()), Some(words::period(is.period).into()));
    let Some(text) = text else { return vec![] };
    let long = |period| match period {
        Period::Week => 1,
        Period::Month => 2,
        Period::Quarter => 3,
    };
    let counted = matches!((&was.target, &is.target), (Target::AtLeast(a), Target::AtLeast(b)) if a == b);
    let way = if long(is.period) < long(was.period) { Way::Stricter } else { Way::Looser };
    vec![Line { text, verdict: counted.then(|| Verdict { way, party: words::party(&is.by) }) }]
}

fn measure(v: Versions<'_>, was: &Commitment, is: &Commitment) -> Vec<Line> {
    if let (Some((label, old)), Some((same, new))) = (over(&was.measure), over(&is.measure))
        && label == same
    {
        let noun = "what is counted";
        return condition::lines(Called { label, noun }, Some(old), Some(new), None::<Bears<'_>>);
    }
    let say = |version: Version<'_>, c: &Commitment| Some(measured(version.agreement, &c.measure));
    change("measured is", say(v.old, was), say(v.new, is)).map(Line::plain).into_iter().collect()
}

/// A share of the opportunities that a condition takes.
fn over(measure: &Measure) -> Option<(&'static str, &Predicate)> {
    match measure {
        Measure::CloseRatio(of) => Some(("counting the opportunities where", of)),
        Measure::RevenueShare(of) => Some(("counting the won revenue where", of)),
        _ => None,
    }
}

fn measured(a: &Agreement, measure: &Measure) -> String {
    let stage = |i: &usize| a.stages[*i].name.to_string();
    let clock = |i: &usize| words::quoted(&a.clocks[*i].name);
    match measure {
        Measure::Count(at) => format!("how many reach {}", stage(at)),
        Measure::Defined(i) => {
            format!("the share that meets the definition of {}", words::quoted(&a.handoffs[*i].name))
        }
        Measure::Conversion(from, to) => format!("the share that comes from {} to {}", stage(from), stage(to)),
        Measure::OnTime(i) => format!("the share of {} that is met in time", clock(i)),
        Measure::Median(i) => format!("the median time of {}", clock(i)),
        Measure::P90(i) => format!("the 90th percentile of the time of {}", clock(i)),
        Measure::CloseRatio(of) => format!("the close ratio where {}", of.sentence()),
        Measure::RevenueShare(of) => format!("the share of won revenue where {}", of.sentence()),
        Measure::Complete { field, stage: at } => format!("the share at {} with {}", stage(at), words::field(field)),
        Measure::Attested(every) => format!("somebody's word, every {}", words::period(*every)),
    }
}

fn target(target: Target) -> String {
    match target {
        Target::AtLeast(n) => format!("at least {n}"),
        Target::AtMost(n) => format!("at most {n}"),
        Target::ShareAtLeast(1.0) => "100%".to_owned(),
        Target::ShareAtLeast(share) => format!("at least {}", words::percent(share)),
        Target::ShareAtMost(share) => format!("at most {}", words::percent(share)),
        Target::Within(span) => format!("within {}", span_in_words(span)),
        Target::Yes => "somebody's word".to_owned(),
    }
}

fn harder((a, was): (Version<'_>, &Commitment), (b, is): (Version<'_>, &Commitment)) -> Option<Way> {
    use Target::{AtLeast, AtMost, ShareAtLeast, ShareAtMost, Within};
    let up = |old: f64, new: f64| match new.partial_cmp(&old)? {
        std::cmp::Ordering::Greater => Some(Way::Stricter),
        std::cmp::Ordering::Less => Some(Way::Looser),
        std::cmp::Ordering::Equal => None,
    };
    match (was.target, is.target) {
        (AtLeast(old), AtLeast(new)) | (ShareAtLeast(old), ShareAtLeast(new)) => up(old, new),
        (AtMost(old), AtMost(new)) | (ShareAtMost(old), ShareAtMost(new)) => up(new, old),
        (Within(old), Within(new)) => {
            let (old, new) =
                (Length { span: old, calendar: calendar(a, was) }, Length { span: new, calendar: calendar(b, is) });
            deadline::way(old, new, None)
        }
        _ => None,
    }
}

/// The calendar of the clock whose time is measured.
fn calendar<'a>(version: Version<'a>, commitment: &Commitment) -> Option<&'a Calendar> {
    match commitment.measure {
        Measure::Median(clock) | Measure::P90(clock) => version.agreement.calendar_of(&version.agreement.clocks[clock]),
        _ => None,
    }
}
