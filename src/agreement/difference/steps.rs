//! The steps of a clock: who is told, what is taken away, and when.

use super::clocks::Owed;
use super::deadline::{self, Length};
use super::{Line, Verdict, Way, words};
use crate::agreement::calendar::Calendar;
use crate::agreement::model::{Move, Span, Step, StepAt};
use crate::agreement::span::span_in_words;
use crate::record::Elapsed;

/// A step and the name that the author gave it, if any.
type Named<'a> = (&'a Step, Option<&'a str>);

/// The lines for the steps of a clock. Texts are without a title.
pub(super) fn lines(old: Owed<'_>, new: Owed<'_>) -> Vec<Line> {
    let (was, is) = (steps(old), steps(new));
    let pairs = paired(&was, &is);
    let (party, calendar) = (words::party(&new.clock.party), new.agreement.calendar_of(new.clock));
    let mut lines = Vec::new();
    for (j, step) in is.iter().enumerate() {
        match pairs.iter().find(|(_, to)| *to == j) {
            Some((i, _)) => lines.extend(changed(was[*i], *step, &party, calendar)),
            None => lines.push(alone("new step", *step, Way::Stricter, &party)),
        }
    }
    let gone = (0..was.len()).filter(|i| !pairs.iter().any(|(from, _)| from == i));
    lines.extend(gone.map(|i| alone("step gone", was[i], Way::Looser, &party)));
    if pairs.windows(2).any(|two| two[0].1 > two[1].1) {
        lines.push(Line::plain("its steps stand in another order".to_owned()));
    }
    lines
}

fn steps<'a>(owed: Owed<'a>) -> Vec<Named<'a>> {
    let name = |i: usize| owed.table["steps"][i]["name"].as_str();
    owed.clock.steps.iter().enumerate().map(|(i, step)| (step, name(i))).collect()
}

/// Which step became which: by name (which is the moment, unless the author gave one), then by what is done.
fn paired(was: &[Named<'_>], is: &[Named<'_>]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let same: [fn(&Step, &Step) -> bool; 2] = [|a, b| a.name == b.name || a.at == b.at, |a, b| acts(a) == acts(b)];
    for same in same {
        for (i, (old, _)) in was.iter().enumerate() {
            let free = |j: &usize| !pairs.iter().any(|(from, to)| *from == i || to == j);
            if let Some(j) = (0..is.len()).filter(free).find(|j| same(old, is[*j].0)) {
                pairs.push((i, j));
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

fn changed(
    (was, was_named): Named<'_>,
    (is, is_named): Named<'_>,
    party: &str,
    calendar: Option<&Calendar>,
) -> Option<Line> {
    let (before, after) = (acts(was), acts(is));
    let named = (was_named != is_named).then(|| name_change(was_named, is_named));
    let text = match (was.at == is.at, before == after) {
        (true, true) => format!("the step {} {}", moment(is.at), named?),
        (true, false) => format!("{}: {before} → {after}", moment(is.at)),
        (false, true) => format!("{after}: {} → {}", moment(was.at), moment(is.at)),
        (false, false) => format!("{}: {before} → {}: {after}", moment(was.at), moment(is.at)),
    };
    let way = taken(was, is, calendar);
    Some(Line { text, verdict: way.map(|way| Verdict { way, party: party.to_owned() }) })
}

fn name_change(was: Option<&str>, is: Option<&str>) -> String {
    match (was, is) {
        (Some(was), Some(is)) => format!("was called {}, is called {}", words::quoted(was), words::quoted(is)),
        (None, Some(is)) => format!("is now called {}", words::quoted(is)),
        (Some(was), None) => format!("is no longer called {}", words::quoted(was)),
        (None, None) => String::new(),
    }
}

fn alone(what: &str, (step, named): Named<'_>, way: Way, party: &str) -> Line {
    let name = named.map(|name| format!(", called {}", words::quoted(name))).unwrap_or_default();
    let verdict = step.moves.is_some().then(|| Verdict { way, party: party.to_owned() });
    Line { text: format!("{what} {}: {}{name}", moment(step.at), acts(step)), verdict }
}

/// Whether the record is taken away sooner, or at all: that alone weighs on whoever owes.
fn taken(was: &Step, is: &Step, calendar: Option<&Calendar>) -> Option<Way> {
    match (&was.moves, &is.moves) {
        (None, Some(_)) => Some(Way::Stricter),
        (Some(_), None) => Some(Way::Looser),
        (Some(_), Some(_)) => {
            let length = |span| Length { span, calendar };
            deadline::way(length(past_deadline(was.at)?), length(past_deadline(is.at)?), None)
        }
        (None, None) => None,
    }
}

/// How long after the deadline; `None` before it, where no record is taken away.
fn past_deadline(at: StepAt) -> Option<Span> {
    match at {
        StepAt::After(span) => Some(span),
        StepAt::Due | StepAt::Share(1.0) => Some(Span::Elapsed(Elapsed::ZERO)),
        StepAt::Share(_) | StepAt::Before(_) => None,
    }
}

fn moment(at: StepAt) -> String {
    match at {
        StepAt::Share(share) => format!("at {} of the time", words::percent(share)),
        StepAt::Before(span) => format!("{} before the deadline", span_in_words(span)),
        StepAt::Due => "at the deadline".to_owned(),
        StepAt::After(span) => format!("{} after the deadline", span_in_words(span)),
    }
}

fn acts(step: &Step) -> String {
    let mut acts = Vec::new();
    if !step.notify.is_empty() {
        let who: Vec<String> = step.notify.iter().map(words::audience).collect();
        acts.push(format!("tell {}", words::listed(&who)));
    }
    acts.extend(step.task.as_ref().map(|task| format!("make the task {}", words::quoted(task))));
    acts.extend(step.flag.then(|| "flag the record".to_owned()));
    acts.extend(words::values(&step.set).into_iter().map(|set| format!("set {set}")));
    acts.extend(step.moves.as_ref().map(|moves| match moves {
        Move::Reassign(to) => format!("reassign it to {}", words::party(to)),
        Move::Recycle => "recycle it".to_owned(),
        Move::Nurture => "send it to nurture".to_owned(),
    }));
    if acts.is_empty() { "nothing is done".to_owned() } else { acts.join(", ") }
}
