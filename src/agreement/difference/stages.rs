//! The terms: stages with the conditions that recognise them, and the data that conditions speak of.

use super::condition::Called;
use super::meet::{Met, meet, named, order};
use super::pair::{Pair, change, keys};
use super::{Line, Versions, words};
use crate::agreement::model::{Ending, Stage};
use crate::record::Object;
use serde_json::Value;

pub(super) fn terms(v: Versions<'_>) -> Vec<Line> {
    let (old, new) = (named(&v.old.document["stage"]), named(&v.new.document["stage"]));
    let (was, is) = (&v.old.agreement.stages, &v.new.agreement.stages);
    let mut lines = Vec::new();
    for met in meet(&old, &new) {
        match met {
            Met::New(j) => lines.push(added(is, j)),
            Met::Gone(i) => lines.push(Line::plain(format!("{} is gone", called(&was[i])))),
            Met::Both(i, j) => lines.extend(stage((&was[i], old[i].1), (&is[j], new[j].1))),
        }
    }
    lines.extend(order("stages", &old, &new));
    lines.extend(data(&v.old.document["data"], &v.new.document["data"]));
    lines
}

fn called(stage: &Stage) -> String {
    format!("{} ({})", stage.term, stage.name)
}

fn added(stages: &[Stage], at: usize) -> Line {
    let after = match at.checked_sub(1).and_then(|i| stages.get(i)) {
        Some(before) => format!("after {}", before.name),
        None => "as the first".to_owned(),
    };
    let stage = &stages[at];
    Line::plain(format!("{} is new, {after}: {} with {}", called(stage), object(stage.of), stage.when.sentence()))
}

fn object(object: Object) -> &'static str {
    match object {
        Object::Lead => "leads",
        Object::Opportunity => "opportunities",
    }
}

fn stage((was, old): (&Stage, &Value), (is, new): (&Stage, &Value)) -> Vec<Line> {
    let mut pair = Pair::new(called(is), old, new);
    pair.name(was.name.as_str(), is.name.as_str());
    pair.text("term", "its term is", Some(words::quoted(&was.term)), Some(words::quoted(&is.term)));
    let means = |s: &Stage| (!s.means.is_empty()).then(|| words::quoted(&s.means));
    pair.text("means", "meaning", means(was), means(is));
    pair.text("of", "a stage of", Some(object(was.of).to_owned()), Some(object(is.of).to_owned()));
    let called = Called { label: "recognised by", noun: "its rule" };
    pair.condition("when", called, Some(&was.when), Some(&is.when), None);
    pair.text("ends", "ends a record as", was.ends.map(ending), is.ends.map(ending));
    pair.finish()
}

fn ending(ending: Ending) -> String {
    let word = match ending {
        Ending::Won => "won",
        Ending::Lost => "lost",
        Ending::Rejected => "rejected",
        Ending::Nurture => "nurtured",
    };
    word.to_owned()
}

fn type_in_words(name: &str) -> String {
    match name {
        "text" => "text".to_owned(),
        "bool" => "yes or no".to_owned(),
        other => format!("a {other}"),
    }
}

/// The declared fields are told from the file: the model has those of the dictionary among them.
fn data(old: &Value, new: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    for kind in keys(old, new) {
        let (was, is) = (&old[kind], &new[kind]);
        let of = |table: &Value, field: &str| table[field].as_str().map(type_in_words);
        let changes = keys(was, is).into_iter().filter_map(|f| change(&format!("`{f}` is"), of(was, f), of(is, f)));
        let title = if kind == "lead" { "Data of leads" } else { "Data of opportunities" };
        lines.extend(changes.map(|text| Line::plain(format!("{title}: {text}"))));
    }
    lines
}
