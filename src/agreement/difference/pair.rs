//! One table of the agreement in both versions: each key is told once, by whoever knows what it means,
//! and `finish` names those that changed without a word said about them.

use super::condition::{self, Called};
use super::deadline::{self, Length};
use super::{Line, Verdict, Way, words};
use crate::agreement::predicate::Predicate;
use crate::agreement::span::span_in_words;
use crate::record::PartyName;
use serde_json::Value;

/// Whom a key bears on, and which way.
#[derive(Clone, Copy)]
pub(super) struct Bears<'a> {
    pub on: &'a PartyName,
    /// When it is said at all and was not before.
    pub appears: Way,
    /// When there is more of it, or more is asked for by it.
    pub more: Way,
}

impl<'a> Bears<'a> {
    /// More of it is stricter for the party.
    pub fn stricter(on: &'a PartyName) -> Self {
        Self { on, appears: Way::Stricter, more: Way::Stricter }
    }

    /// More of it is looser for the party.
    pub fn looser(on: &'a PartyName) -> Self {
        Self { on, appears: Way::Looser, more: Way::Looser }
    }

    pub fn verdict(&self, way: Way) -> Verdict {
        Verdict { way, party: words::party(self.on) }
    }
}

pub(super) struct Pair<'a> {
    title: String,
    old: &'a Value,
    new: &'a Value,
    /// Keys that were told of, and whether there was something to say.
    told: Vec<(&'static str, bool)>,
    lines: Vec<Line>,
}

impl<'a> Pair<'a> {
    /// The title stands before each line: a name as the agreement has it.
    pub fn new(title: impl Into<String>, old: &'a Value, new: &'a Value) -> Self {
        Self { title: title.into(), old, new, told: vec![], lines: vec![] }
    }

    /// Adds what was found out about a key.
    pub fn tell(&mut self, key: &'static str, lines: Vec<Line>) {
        self.told.push((key, !lines.is_empty()));
        let title = &self.title;
        self.lines.extend(lines.into_iter().map(|line| Line { text: format!("{title}: {}", line.text), ..line }));
    }

    /// Leaves a key to others.
    pub fn leave(&mut self, key: &'static str) {
        self.told.push((key, true));
    }

    /// Something that a key says in one phrase, or does not say.
    pub fn text(&mut self, key: &'static str, label: &str, old: Option<String>, new: Option<String>) {
        let line = change(label, old, new).map(Line::plain);
        self.tell(key, line.into_iter().collect());
    }

    /// Whether a name changed: the new one stands in the title.
    pub fn name(&mut self, old: &str, new: &str) {
        let line = (old != new).then(|| Line::plain(format!("was called {}", words::quoted(old))));
        self.tell("name", line.into_iter().collect());
    }

    /// A list whose entries each mean something by themselves.
    pub fn list(&mut self, key: &'static str, label: &str, old: &[String], new: &[String], bears: Option<Bears<'_>>) {
        self.tell(key, list(label, old, new, bears));
    }

    pub fn condition(
        &mut self,
        key: &'static str,
        called: Called,
        old: Option<&Predicate>,
        new: Option<&Predicate>,
        bears: Option<Bears<'_>>,
    ) {
        self.tell(key, condition::lines(called, old, new, bears));
    }

    /// How long somebody has.
    pub fn length(&mut self, key: &'static str, label: &str, old: Length<'_>, new: Length<'_>, owes: &PartyName) {
        let text = change(label, Some(span_in_words(old.span)), Some(span_in_words(new.span)));
        let line = text.map(|text| {
            let way = deadline::way(old, new, None);
            Line { text, verdict: way.map(|way| Verdict { way, party: words::party(owes) }) }
        });
        self.tell(key, line.into_iter().collect());
    }

    /// All lines; keys that differ and were not told of are named as they are written.
    pub fn finish(mut self) -> Vec<Line> {
        let changed: Vec<&str> =
            keys(self.old, self.new).into_iter().filter(|key| self.old[*key] != self.new[*key]).collect();
        let told = |key: &str| self.told.iter().filter(|(k, _)| *k == key).map(|(_, said)| *said).reduce(|a, b| a || b);
        let mut same = Vec::new();
        for key in changed {
            match told(key) {
                Some(true) => {}
                Some(false) => same.push(format!("`{key}`")),
                None => {
                    let text =
                        format!("{}: `{key}` {} → {}", self.title, written(&self.old[key]), written(&self.new[key]));
                    self.lines.push(Line::plain(text));
                }
            }
        }
        if !same.is_empty() {
            let means =
                if same.len() == 1 { "is written differently and means" } else { "are written differently and mean" };
            self.lines.push(Line::plain(format!(
                "{}: {} {means} the same as before",
                self.title,
                words::listed(&same)
            )));
        }
        self.lines
    }
}

/// `label old → new`, `now label new`, `no longer label old`; `None` where nothing changed.
pub(super) fn change(label: &str, old: Option<String>, new: Option<String>) -> Option<String> {
    match (old, new) {
        (old, new) if old == new => None,
        (Some(old), Some(new)) => Some(format!("{label} {old} → {new}")),
        (None, Some(new)) => Some(format!("now {label} {new}")),
        (Some(old), None) => Some(format!("no longer {label} {old}")),
        (None, None) => None,
    }
}

/// What came, what went, and whether what stayed stands in another order.
pub(super) fn list(label: &str, old: &[String], new: &[String], bears: Option<Bears<'_>>) -> Vec<Line> {
    let (gone, come) = (without(old, new), without(new, old));
    if let ([gone], [come]) = (&gone[..], &come[..]) {
        return vec![Line::plain(format!("{label}: {gone} → {come}"))];
    }
    let line = |words: &[String], what: &str, way: Option<Way>| {
        let verdict = way.zip(bears).map(|(way, bears)| bears.verdict(way));
        (!words.is_empty()).then(|| Line { text: format!("{label}: {} {what}", words::listed(words)), verdict })
    };
    let more = bears.map(|bears| bears.more);
    let mut lines: Vec<Line> = line(&come, "added", more).into_iter().collect();
    lines.extend(line(&gone, "taken out", more.map(Way::reverse)));
    if lines.is_empty() && old != new {
        lines.push(Line::plain(format!("{label}, in another order: {}", words::listed(new))));
    }
    lines
}

/// The entries of `list` that `other` has not, or not as often.
fn without(list: &[String], other: &[String]) -> Vec<String> {
    let mut other = other.to_vec();
    let mut rest = list.to_vec();
    rest.retain(|entry| match other.iter().position(|o| o == entry) {
        Some(at) => {
            other.remove(at);
            false
        }
        None => true,
    });
    rest
}

/// The keys of both tables, sorted, each once.
pub(super) fn keys<'v>(old: &'v Value, new: &'v Value) -> Vec<&'v str> {
    let keys = |table: &'v Value| table.as_object().into_iter().flat_map(|table| table.keys().map(String::as_str));
    let mut all: Vec<&str> = keys(old).chain(keys(new)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn written(value: &Value) -> String {
    if value.is_null() { "(not there)".to_owned() } else { value.to_string() }
}
