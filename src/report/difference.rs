//! What would differ between two versions of an agreement, from the facts that each comes to over
//! the same records: counts by party, clock and kind, and the leads concerned. Replaying is not
//! done here, nor is it decided how the difference is laid out.

use crate::agreement::Agreement;
use crate::record::{Fact, FactKind, RecordKey, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What is compared, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    InTime,
    Late,
    Breach,
    Notice,
    Task,
    Reassigned,
    Recycled,
    Nurtured,
    Violation,
}

impl Kind {
    /// The kind of thing that a fact is, if it is compared.
    pub fn of(fact: FactKind) -> Option<Self> {
        Some(match fact {
            FactKind::Met => Kind::InTime,
            FactKind::MetLate => Kind::Late,
            FactKind::Breached => Kind::Breach,
            FactKind::Notified => Kind::Notice,
            FactKind::TaskCreated => Kind::Task,
            FactKind::Reassigned => Kind::Reassigned,
            FactKind::Recycled => Kind::Recycled,
            FactKind::Nurtured => Kind::Nurtured,
            FactKind::ViolationOpened => Kind::Violation,
            _ => return None,
        })
    }

    /// The word for it in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::InTime => "in_time",
            Kind::Late => "late",
            Kind::Breach => "breaches",
            Kind::Notice => "notices",
            Kind::Task => "tasks",
            Kind::Reassigned => "reassigned",
            Kind::Recycled => "recycled",
            Kind::Nurtured => "nurtured",
            Kind::Violation => "violations",
        }
    }

    /// The words for it in a table.
    pub fn in_words(self) -> &'static str {
        match self {
            Kind::InTime => "done in time",
            Kind::Late => "done late",
            Kind::Breach => "deadlines missed",
            Kind::Notice => "notices",
            Kind::Task => "tasks",
            Kind::Reassigned => "reassigned",
            Kind::Recycled => "recycled",
            Kind::Nurtured => "moved to nurture",
            Kind::Violation => "violations",
        }
    }
}

/// From the first moment up to, and without, the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// What one record came to under one version.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub agreement: &'a Agreement,
    pub facts: &'a [Fact],
    /// From when on it is a guess.
    pub diverged: Option<Timestamp>,
}

/// One record under both versions.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    pub key: &'a RecordKey,
    pub name: &'a str,
    pub old: Side<'a>,
    pub new: Side<'a>,
}

/// Whom and what a count is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Who owes it; empty where nobody is named.
    pub party: String,
    /// The clock, requirement or handoff; empty where none is concerned.
    pub source: String,
    pub kind: Kind,
}

/// How something differs for one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    OnlyOld(Timestamp),
    OnlyNew(Timestamp),
    /// At another moment.
    Moved {
        old: Timestamp,
        new: Timestamp,
    },
}

/// A record for which something differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    pub key: RecordKey,
    pub name: String,
    pub how: How,
    /// It comes after the record's story took another turn than the recorded one.
    pub guess: bool,
}

/// One subject's counts and the records that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub old: u64,
    pub new: u64,
    /// How many differences there are; `leads` may be cut.
    pub differences: u64,
    pub leads: Vec<Lead>,
}

/// What would differ, over all records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub records: u64,
    pub changes: u64,
    /// Records whose story takes another turn than the recorded one, under the old and the new terms.
    pub diverged_old: u64,
    pub diverged_new: u64,
    pub lines: BTreeMap<Subject, Line>,
    /// At most so many leads a line.
    keep: usize,
}

impl Difference {
    /// Nothing compared yet; at most so many leads a line are kept.
    pub fn new(keep: usize) -> Self {
        Self { keep, ..Self::default() }
    }

    /// Compares one record. Facts outside of the window are left out.
    pub fn compare(&mut self, window: Window, record: &Compared<'_>) {
        self.records += 1;
        self.diverged_old += u64::from(record.old.diverged.is_some());
        self.diverged_new += u64::from(record.new.diverged.is_some());
        let (mut old, mut new) = (moments(window, record.old), moments(window, record.new));
        let subjects: BTreeSet<Subject> = old.keys().chain(new.keys()).cloned().collect();
        for subject in subjects {
            let (before, after) = (old.remove(&subject).unwrap_or_default(), new.remove(&subject).unwrap_or_default());
            let line = self.lines.entry(subject).or_default();
            line.old += before.len() as u64;
            line.new += after.len() as u64;
            for how in pair(before, after) {
                line.tell(self.keep, record, how);
            }
        }
    }

    /// Takes in what was found over other records; these come after the ones here.
    pub fn add(&mut self, other: Difference) {
        self.records += other.records;
        self.changes += other.changes;
        self.diverged_old += other.diverged_old;
        self.diverged_new += other.diverged_new;
        for (subject, more) in other.lines {
            let line = self.lines.entry(subject).or_default();
            line.old += more.old;
            line.new += more.new;
            line.differences += more.differences;
            let room = self.keep.saturating_sub(line.leads.len());
            line.leads.extend(more.leads.into_iter().take(room));
        }
    }

    /// The lines in which something differs.
    pub fn differing(&self) -> impl Iterator<Item = (&Subject, &Line)> {
        self.lines.iter().filter(|(_, line)| line.differences > 0)
    }
}

impl Line {
    fn tell(&mut self, keep: usize, record: &Compared<'_>, how: How) {
        self.differences += 1;
        if self.leads.len() < keep {
            let after = |side: Side<'_>, at: Timestamp| side.diverged.is_some_and(|d| at >= d);
            let guess = match how {
                How::OnlyOld(at) => after(record.old, at) || after(record.new, at),
                How::OnlyNew(at) => after(record.new, at) || after(record.old, at),
                How::Moved { old, new } => after(record.old, old) || after(record.new, new),
            };
            let (key, name) = (record.key.clone(), record.name.to_owned());
            self.leads.push(Lead { key, name, how, guess });
        }
    }
}

/// When each thing happened, by subject and in order.
fn moments(window: Window, side: Side<'_>) -> BTreeMap<Subject, Vec<Timestamp>> {
    let mut found: BTreeMap<Subject, Vec<Timestamp>> = BTreeMap::new();
    for fact in side.facts.iter().filter(|f| window.holds(f.at)) {
        if let Some(kind) = Kind::of(fact.kind) {
            let subject = Subject { party: party(side.agreement, fact), source: fact.source.to_string(), kind };
            found.entry(subject).or_default().push(fact.at);
        }
    }
    found.values_mut().for_each(|moments| moments.sort_unstable());
    found
}

/// Who owes a clock, whoever has the record; a violation names its party itself.
fn party(agreement: &Agreement, fact: &Fact) -> String {
    let own = (fact.kind != FactKind::ViolationOpened).then(|| agreement.clock_named(&fact.source)).flatten();
    let party = own.map(|clock| &clock.party).or(fact.party.as_ref());
    party.map_or_else(String::new, |party| party.as_str().to_owned())
}

/// What happened at the same moment is the same; of the rest the first answers the first.
fn pair(old: Vec<Timestamp>, new: Vec<Timestamp>) -> Vec<How> {
    let (mut only_old, mut only_new) = (Vec::new(), new);
    for at in old {
        match only_new.iter().position(|other| *other == at) {
            Some(same) => drop(only_new.remove(same)),
            None => only_old.push(at),
        }
    }
    let moved = only_old.len().min(only_new.len());
    let both = only_old.iter().zip(&only_new).map(|(old, new)| How::Moved { old: *old, new: *new });
    let gone = only_old.iter().skip(moved).map(|at| How::OnlyOld(*at));
    let come = only_new.iter().skip(moved).map(|at| How::OnlyNew(*at));
    both.chain(gone).chain(come).collect()
}
