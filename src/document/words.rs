//! The sentences of an agreement that are not conditions: when a step comes, what it does, what is measured, which
//! target. Conditions speak for themselves (`Predicate::sentence`), lengths of time too (`span_in_words`).

use crate::agreement::Agreement;
use crate::agreement::model::{Address, Audience, Measure, Move, Period, Span, Step, StepAt, Target};
use crate::agreement::span::span_in_words;
use crate::record::change::FieldValues;
use crate::record::{FieldName, PartyName, Value};
use jiff::civil::{Date, Weekday};

/// `field sales`
pub fn party(name: &PartyName) -> String {
    name.as_str().replace('_', " ")
}

/// `close date`
pub fn field(name: FieldName) -> String {
    name.as_str().replace('_', " ")
}

pub fn fields(names: &[FieldName]) -> String {
    join(&names.iter().map(|name| field(*name)).collect::<Vec<_>>(), "and")
}

/// `a`; `a and b`; `a, b and c`.
pub fn join(words: &[String], by: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} {by} {last}", most.join(", ")),
    }
}

/// The same with a capital letter, to open a sentence.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// `4 January 2027`
pub fn day(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

pub fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

pub fn period(period: Period) -> &'static str {
    match period {
        Period::Week => "week",
        Period::Month => "month",
        Period::Quarter => "quarter",
    }
}

pub fn address(address: &Address) -> &str {
    match address {
        Address::Slack(text) | Address::Email(text) => text,
    }
}

/// An address of the agreement; the mailbox of someone who signs it by that person's name.
pub fn recipient(agreement: &Agreement, to: &Address) -> String {
    let signatories = agreement.parties.iter().filter_map(|party| party.signs.as_ref());
    let mut named = signatories.filter(|who| matches!(to, Address::Email(email) if **email == *who.email));
    named.next().map_or_else(|| address(to).to_owned(), |who| who.name.clone())
}

/// `the owner and the manager`. `of` is the party that the record is with.
pub fn audience(agreement: &Agreement, who: &[Audience], of: Option<&PartyName>) -> String {
    let one = |who: &Audience| match who {
        Audience::Owner => "the owner".to_owned(),
        Audience::Manager => "the manager".to_owned(),
        Audience::Party => of.map_or_else(|| "the owner's team".to_owned(), party),
        Audience::PartyNamed(name) => party(name),
        Audience::Address(to) => recipient(agreement, to),
    };
    join(&who.iter().map(one).collect::<Vec<_>>(), "and")
}

/// `status becomes “Nurture”`
pub fn set(values: &FieldValues) -> String {
    let one = |(name, value): &(FieldName, Value)| match value {
        Value::Null => format!("{} is cleared", field(*name)),
        value => format!("{} becomes “{value}”", field(*name)),
    };
    join(&values.iter().map(one).collect::<Vec<_>>(), "and")
}

/// Where a step stands on its clock: `30 business minutes before the deadline`.
pub fn step_at(at: StepAt) -> String {
    match at {
        StepAt::Share(share) => format!("at {} of the time", percent(share)),
        StepAt::Before(span) => format!("{} before the deadline", span_in_words(span)),
        StepAt::Due => "at the deadline".to_owned(),
        StepAt::After(span) => format!("{} after the deadline", span_in_words(span)),
    }
}

/// What a step does: `the owner and the manager are told; the lead is recycled`.
pub fn step_does(agreement: &Agreement, step: &Step, of: &PartyName, object: &str) -> String {
    let mut deeds = Vec::new();
    match step.notify.len() {
        0 => {}
        1 => deeds.push(format!("{} is told", audience(agreement, &step.notify, Some(of)))),
        _ => deeds.push(format!("{} are told", audience(agreement, &step.notify, Some(of)))),
    }
    deeds.extend(step.task.as_deref().map(|task| format!("the owner gets the task “{}”", blanks(task))));
    if step.flag {
        deeds.push(format!("the {object} is flagged in the CRM"));
    }
    if !step.set.is_empty() {
        deeds.push(set(&step.set));
    }
    deeds.extend(step.moves.as_ref().map(|moves| match moves {
        Move::Reassign(to) => format!("the {object} goes to somebody else of {}", party(to)),
        Move::Recycle => format!("the {object} is recycled"),
        Move::Nurture => format!("the {object} goes to nurture"),
    }));
    deeds.join("; ")
}

/// A template as a form with blanks: `{{ record.name }}` is `[record name]`.
fn blanks(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) = rest.split_once("{{").and_then(|(b, r)| Some((b, r.split_once("}}")?))) {
        out.push_str(before);
        out.push_str(&format!("[{}]", name.trim().replace(['.', '_'], " ")));
        rest = after;
    }
    out + rest
}

/// `95%`; no more digits than were written, up to two.
pub fn percent(share: f64) -> String {
    format!("{}%", digits(share * 100.0))
}

fn digits(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `at least 95%`, `within 4 business hours`, `yes`
pub fn target(target: Target) -> String {
    match target {
        Target::AtLeast(number) => format!("at least {}", digits(number)),
        Target::AtMost(number) => format!("at most {}", digits(number)),
        Target::ShareAtLeast(share) if share >= 1.0 => percent(share),
        Target::ShareAtLeast(share) => format!("at least {}", percent(share)),
        Target::ShareAtMost(share) => format!("at most {}", percent(share)),
        Target::Within(span) => format!("within {}", span_in_words(span)),
        Target::Yes => "yes".to_owned(),
    }
}

/// What a commitment is measured by.
pub fn measure(agreement: &Agreement, measure: &Measure) -> String {
    let term = |at: &usize| format!("“{}”", agreement.stages[*at].term);
    let clock = |at: &usize| format!("“{}”", agreement.clocks[*at].name);
    match measure {
        Measure::Count(stage) => format!("Records that became {}", term(stage)),
        Measure::Defined(handoff) => {
            format!("Share of “{}” that met its definition", agreement.handoffs[*handoff].name)
        }
        Measure::Conversion(from, to) => format!("Share of {} that became {}", term(from), term(to)),
        Measure::OnTime(at) => format!("Share of {} that was done in time", clock(at)),
        Measure::Median(at) => format!("Median time of {}", clock(at)),
        Measure::P90(at) => format!("Time within which 90% of {} are done", clock(at)),
        Measure::CloseRatio(which) => format!("Share won of decided opportunities where {}", which.sentence()),
        Measure::RevenueShare(which) => format!("Share of won revenue from opportunities where {}", which.sentence()),
        Measure::Complete { field: name, stage } => {
            format!("Share of {} with {} set", term(stage), field(*name))
        }
        Measure::Attested(every) => format!("A named person attests to it every {}", period(*every)),
    }
}

/// How far on its clock a step stands, for a picture: 0 at the start, 1 at the deadline. A business day is taken for
/// eight hours where it meets open time, and for a day where it meets time on the wall.
pub fn position(at: StepAt, within: Span) -> f64 {
    let part = |span| length(span, within) / length(within, span).max(1.0);
    match at {
        StepAt::Share(share) => share,
        StepAt::Before(span) => (1.0 - part(span)).max(0.0),
        StepAt::Due => 1.0,
        StepAt::After(span) => 1.0 + part(span),
    }
}

fn length(span: Span, beside: Span) -> f64 {
    const HOUR: f64 = 3_600_000.0;
    match (span, beside) {
        (Span::Elapsed(length) | Span::Open(length), _) => length.as_millis() as f64,
        (Span::OpenDays(days), Span::Elapsed(_)) => f64::from(days) * 24.0 * HOUR,
        (Span::OpenDays(days), _) => f64::from(days) * 8.0 * HOUR,
    }
}

/// A step's moment on a picture: `50%`, `−30 min`, `+2 h`. The words stand beside it.
pub fn short(at: StepAt) -> String {
    match at {
        StepAt::Share(share) => percent(share),
        StepAt::Before(span) => format!("−{}", brief(span)),
        StepAt::Due => "due".to_owned(),
        StepAt::After(span) => format!("+{}", brief(span)),
    }
}

fn brief(span: Span) -> String {
    let words = span_in_words(span).replace("business ", "");
    let (number, unit) = words.split_once(' ').unwrap_or((&words, ""));
    let unit = match unit.trim_end_matches('s') {
        "second" => "s",
        "minute" => "min",
        "hour" => "h",
        "day" => "d",
        other => other,
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Elapsed;

    const MINUTE: i64 = 60_000;

    fn open(minutes: i64) -> Span {
        Span::Open(Elapsed::from_millis(minutes * MINUTE))
    }

    #[test]
    fn moments_of_steps_are_told_in_words() {
        assert_eq!(step_at(StepAt::Before(open(30))), "30 business minutes before the deadline");
        assert_eq!(step_at(StepAt::Share(0.5)), "at 50% of the time");
        assert_eq!(step_at(StepAt::After(Span::OpenDays(1))), "1 business day after the deadline");
        assert_eq!(short(StepAt::Before(open(30))), "−30 min");
        assert_eq!(short(StepAt::After(Span::OpenDays(2))), "+2 d");
    }

    #[test]
    fn a_step_stands_where_its_time_comes() {
        assert!((position(StepAt::Before(open(60)), open(240)) - 0.75).abs() < 1e-9);
        assert!((position(StepAt::After(Span::OpenDays(1)), Span::OpenDays(10)) - 1.1).abs() < 1e-9);
        assert!((position(StepAt::Before(open(240)), Span::OpenDays(1)) - 0.5).abs() < 1e-9);
        assert_eq!(position(StepAt::Before(open(600)), open(60)), 0.0);
    }

    #[test]
    fn targets_keep_their_digits() {
        assert_eq!(target(Target::ShareAtLeast(0.95)), "at least 95%");
        assert_eq!(target(Target::ShareAtMost(0.075)), "at most 7.5%");
        assert_eq!(target(Target::ShareAtLeast(1.0)), "100%");
        assert_eq!(target(Target::AtLeast(400.0)), "at least 400");
        assert_eq!(target(Target::Within(open(240))), "within 4 business hours");
    }

    #[test]
    fn a_template_is_a_form_with_blanks() {
        assert_eq!(
            blanks("Accept or reject {{ record.name }} by {{ due }}."),
            "Accept or reject [record name] by [due]."
        );
        assert_eq!(blanks("{{ open"), "{{ open");
    }

    #[test]
    fn lists_are_joined_as_people_join_them() {
        let words = |n: usize| ["a", "b", "c"].map(str::to_owned)[..n].to_vec();
        assert_eq!([0, 1, 2, 3].map(|n| join(&words(n), "and")), ["", "a", "a and b", "a, b and c"]);
        assert_eq!(capital("élan"), "Élan");
    }
}
