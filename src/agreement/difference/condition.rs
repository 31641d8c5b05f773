//! What changed in a condition, part by part: what is asked for now, no longer, or differently, and
//! whether that is more or less than before.

use super::pair::Bears;
use super::{Line, Way};
use crate::agreement::predicate::{Joined, Part, Predicate};
use std::cmp::Ordering;

/// How sentences speak of a condition.
#[derive(Clone, Copy)]
pub(super) struct Called {
    /// Before the whole condition: `met when`.
    pub label: &'static str,
    /// What asks for its parts: `the definition`.
    pub noun: &'static str,
}

/// The lines for two versions of a condition. Texts are without a title.
pub(super) fn lines(
    called: Called,
    old: Option<&Predicate>,
    new: Option<&Predicate>,
    bears: Option<Bears<'_>>,
) -> Vec<Line> {
    let Called { label, .. } = called;
    let verdict = |way: Option<Way>| way.zip(bears.as_ref()).map(|(way, bears)| bears.verdict(way));
    let appears = bears.as_ref().map(|bears| bears.appears);
    match (old, new) {
        (None, None) => vec![],
        (None, Some(new)) => {
            vec![Line { text: format!("now {label} {}", new.sentence()), verdict: verdict(appears) }]
        }
        (Some(old), None) => {
            let text = format!("no longer {label} {}", old.sentence());
            vec![Line { text, verdict: verdict(appears.map(Way::reverse)) }]
        }
        (Some(old), Some(new)) if old.sentence() == new.sentence() => vec![],
        (Some(old), Some(new)) => {
            let found = parts(called, old, new)
                .unwrap_or_else(|| vec![(format!("{label} {} → {}", old.sentence(), new.sentence()), asked(old, new))]);
            // What bears says is of asking for more.
            let way = |way: Option<Way>| match (way, bears.as_ref()) {
                (Some(way), Some(bears)) if bears.more == Way::Looser => Some(way.reverse()),
                (way, _) => way,
            };
            found.into_iter().map(|(text, asks)| Line { text, verdict: verdict(way(asks)) }).collect()
        }
    }
}

/// Each part that changed, and whether more (`Stricter`) or less is asked for by it. `None` where the
/// whole condition tells it better: the parts are joined otherwise, or none stayed.
fn parts(called: Called, old: &Predicate, new: &Predicate) -> Option<Vec<(String, Option<Way>)>> {
    let ((was_joined, was), (is_joined, is)) = (old.parts(), new.parts());
    let any = match (was_joined, is_joined) {
        (Joined::Alone, Joined::Alone) => return None,
        (was, is) if was != is && was != Joined::Alone && is != Joined::Alone => return None,
        (was, is) => was == Joined::Any || is == Joined::Any,
    };
    let gone: Vec<&Part> = was.iter().filter(|part| !says(&is, part)).collect();
    let mut come: Vec<&Part> = is.iter().filter(|part| !says(&was, part)).collect();
    let mut lines = Vec::new();
    let mut dropped = Vec::new();
    for part in gone {
        match come.iter().position(|other| other.about == part.about) {
            Some(at) => lines.push(changed(called.noun, part, come.remove(at))),
            None => dropped.push(part),
        }
    }
    let stayed = was.len() > dropped.len() && is.len() > come.len();
    let same_parts = lines.is_empty() && dropped.is_empty() && come.is_empty();
    if !stayed || same_parts {
        return None;
    }
    let Called { label, noun } = called;
    // One of several ways is told as the whole would be; one of several demands is a demand less or more.
    let (drop, add) = match any {
        true => ((format!("no longer {label}"), Way::Stricter), (format!("now also {label}"), Way::Looser)),
        false => (
            (format!("{noun} no longer asks that"), Way::Looser),
            (format!("{noun} now also asks that"), Way::Stricter),
        ),
    };
    let line = |(verb, way): &(String, Way), part: &Part| (format!("{verb} {}", part.sentence), Some(*way));
    lines.extend(dropped.into_iter().map(|part| line(&drop, part)));
    lines.extend(come.into_iter().map(|part| line(&add, part)));
    Some(lines)
}

fn says(parts: &[Part], part: &Part) -> bool {
    parts.iter().any(|other| other.sentence == part.sentence)
}

fn changed(noun: &str, old: &Part, new: &Part) -> (String, Option<Way>) {
    (format!("{noun} asks that {} → {}", old.sentence, new.sentence), more(old, new))
}

fn more(old: &Part, new: &Part) -> Option<Way> {
    match new.bound.zip(old.bound).and_then(|(new, old)| new.beside(old))? {
        Ordering::Greater => Some(Way::Stricter),
        Ordering::Less => Some(Way::Looser),
        Ordering::Equal => None,
    }
}

/// Whether the whole asks for more, where either is a single comparison over the same.
fn asked(old: &Predicate, new: &Predicate) -> Option<Way> {
    let ((_, was), (_, is)) = (old.parts(), new.parts());
    match (&was[..], &is[..]) {
        ([was], [is]) if was.about == is.about => more(was, is),
        _ => None,
    }
}
