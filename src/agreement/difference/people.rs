//! Parties, who signs, reviews and conflict-resolution steps.

use super::meet::{Met, meet, named, order};
use super::pair::Pair;
use super::{Line, Versions, words};
use crate::agreement::model::{Address, Agreement, OnHoliday, Party, Resolution, Review};
use crate::agreement::span::span_in_words;
use serde_json::Value;

pub(super) fn parties(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (entries(&v.old.document["parties"]), entries(&v.new.document["parties"]));
    let find = |a: &Agreement, name: &str| a.parties.iter().position(|p| p.name.as_str() == name);
    let mut lines = Vec::new();
    for met in meet(&old, &new) {
        match met {
            Met::New(j) => lines.push(Line::plain(format!("The party {} is new", words::quoted(new[j].0)))),
            Met::Gone(i) => lines.push(Line::plain(format!("The party {} is gone", words::quoted(old[i].0)))),
            Met::Both(i, j) => {
                let (a, b) = (v.old.agreement, v.new.agreement);
                if let (Some(was), Some(is)) = (find(a, old[i].0), find(b, new[j].0)) {
                    lines.extend(party((a, &a.parties[was], old[i].1), (b, &b.parties[is], new[j].1)));
                }
            }
        }
    }
    lines
}

fn entries(table: &Value) -> Vec<(&str, &Value)> {
    table.as_object().into_iter().flatten().map(|(name, table)| (name.as_str(), table)).collect()
}

type Side<'a> = (&'a Agreement, &'a Party, &'a Value);

fn party((a, was, old): Side<'_>, (b, is, new): Side<'_>) -> Vec<Line> {
    let mut pair = Pair::new(capital(&words::party(&is.name)), old, new);
    pair.name(was.name.as_str(), is.name.as_str());
    let signs = |p: &Party| p.signs.as_ref().map(|s| format!("{}, {} ({})", s.name, s.title, s.email));
    pair.text("signs", "signed by", signs(was), signs(is));
    let calendar = |a: &Agreement, p: &Party| p.calendar.map(|i| words::quoted(&a.calendars[i].name));
    pair.text("calendar", "its calendar is", calendar(a, was), calendar(b, is));
    let manager = |p: &Party| p.manager.as_ref().map(words::address);
    pair.text("manager", "where the CRM names no manager, told is", manager(was), manager(is));
    pair.list("notify", "its channels", &addresses(&was.notify), &addresses(&is.notify), None);
    pair.finish()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn addresses(list: &[Address]) -> Vec<String> {
    list.iter().map(words::address).collect()
}

pub(super) fn reviews(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (named(&v.old.document["review"]), named(&v.new.document["review"]));
    let (was, is) = (&v.old.agreement.reviews, &v.new.agreement.reviews);
    let mut lines = Vec::new();
    for met in meet(&old, &new) {
        match met {
            Met::New(j) => lines.push(Line::plain(format!("{} is new: {}", is[j].name, rhythm(&is[j])))),
            Met::Gone(i) => lines.push(Line::plain(format!("{} is gone", was[i].name))),
            Met::Both(i, j) => lines.extend(review((&was[i], old[i].1), (&is[j], new[j].1))),
        }
    }
    lines.extend(order("reviews", &old, &new));
    lines
}

fn rhythm(review: &Review) -> String {
    let day = review.on.map(|day| format!(" on {day:?}")).unwrap_or_default();
    format!("every {}{day} at {}", words::period(review.every), time(review))
}

fn time(review: &Review) -> String {
    review.time.strftime("%H:%M").to_string()
}

fn review((was, old): (&Review, &Value), (is, new): (&Review, &Value)) -> Vec<Line> {
    let mut pair = Pair::new(&is.name, old, new);
    pair.name(&was.name, &is.name);
    let every = |r: &Review| Some(words::period(r.every).to_owned());
    pair.text("every", "held every", every(was), every(is));
    let on = |r: &Review| r.on.map(|day| format!("{day:?}"));
    pair.text("on", "held on", on(was), on(is));
    pair.text("time", "held at", Some(exactly(was)), Some(exactly(is)));
    let holiday = |r: &Review| {
        let how = match r.on_holiday {
            OnHoliday::NextOpenDay => "held on the next open day",
            OnHoliday::Skip => "left out",
            OnHoliday::Anyway => "held all the same",
        };
        Some(how.to_owned())
    };
    pair.text("holiday", "on a holiday it is", holiday(was), holiday(is));
    pair.list("send_to", "sent to", &addresses(&was.send_to), &addresses(&is.send_to), None);
    let topics = |r: &Review| -> Vec<String> { r.topics.iter().map(|topic| words::quoted(topic)).collect() };
    pair.list("topics", "topics", &topics(was), &topics(is), None);
    pair.finish()
}

/// With seconds where it has some.
fn exactly(review: &Review) -> String {
    if review.time.second() == 0 { time(review) } else { review.time.to_string() }
}

pub(super) fn resolutions(v: Versions<'_>) -> Vec<Line> {
    let (was, is) = (&v.old.agreement.resolutions, &v.new.agreement.resolutions);
    let (old, new) = (&v.old.document["resolution"], &v.new.document["resolution"]);
    // What stands the same at both ends is the same; what lies between is told by its place.
    let alike = |(i, j): (usize, usize)| old[i] == new[j];
    let few = was.len().min(is.len());
    let head = (0..few).take_while(|i| alike((*i, *i))).count();
    let tail = (1..=few - head).take_while(|i| alike((was.len() - i, is.len() - i))).count();
    let mut lines = Vec::new();
    for i in head..was.len().max(is.len()) - tail {
        let title = format!("Step {} of a dispute", i + 1);
        match (was[..was.len() - tail].get(i), is[..is.len() - tail].get(i)) {
            (Some(was), Some(is)) => lines.extend(resolution(title, (was, &old[i]), (is, &new[i]))),
            (None, Some(is)) => lines.push(Line::plain(format!("{title} is new: {}", turn(is)))),
            (Some(was), None) => lines.push(Line::plain(format!("{title} is gone: {}", turn(was)))),
            (None, None) => {}
        }
    }
    lines
}

fn turn(step: &Resolution) -> String {
    let who: Vec<String> = step.who.iter().map(words::audience).collect();
    format!("{}, within {}", words::listed(&who), span_in_words(step.within))
}

fn resolution(title: String, (was, old): (&Resolution, &Value), (is, new): (&Resolution, &Value)) -> Vec<Line> {
    let mut pair = Pair::new(title, old, new);
    let within = |step: &Resolution| Some(span_in_words(step.within));
    pair.text("within", "settled within", within(was), within(is));
    let who = |step: &Resolution| -> Vec<String> { step.who.iter().map(words::audience).collect() };
    pair.list("who", "who settles it", &who(was), &who(is), None);
    pair.finish()
}
