//! What changed between two versions of an agreement, in words that those who sign can read: part by
//! part, and for deadlines, targets and conditions whether it is stricter or looser, and for whom. The
//! canonical form is compared beside the model, so that nothing which changes the hash goes unsaid.

mod calendars;
mod clocks;
mod commitments;
mod condition;
mod deadline;
mod handoffs;
mod meet;
mod pair;
mod people;
mod recycling;
mod stages;
mod steps;
mod whole;
mod words;

use super::model::Agreement;
use super::parse::Parsed;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// All that changed, in the order of the agreement; no groups when both versions say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub groups: Vec<Group>,
}

/// What changed in one part of the agreement; at least one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub part: &'static str,
    pub lines: Vec<Line>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// A sentence without its full stop: `Accept or reject: due after 4 business hours → 2 business hours`.
    pub text: String,
    /// What it means for whoever owes; `None` where that cannot be told, or nobody owes it.
    pub verdict: Option<Verdict>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub way: Way,
    /// The party, in words.
    pub party: String,
}

/// Whether more is asked of somebody than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Stricter,
    Looser,
    /// A deadline that comes earlier for some starts and later for others.
    Mixed,
}

/// How many changes weigh on a party, and which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub stricter: usize,
    pub looser: usize,
    pub mixed: usize,
}

/// One version, as it was understood and as it was written.
#[derive(Clone, Copy)]
struct Version<'a> {
    agreement: &'a Agreement,
    document: &'a Value,
    /// Name and contents of each included file.
    included: &'a Value,
}

#[derive(Clone, Copy)]
struct Versions<'a> {
    old: Version<'a>,
    new: Version<'a>,
}

/// A part, the keys of the file that it covers, and who tells its changes.
type Teller = (&'static str, &'static [&'static str], fn(Versions<'_>) -> Vec<Line>);

const PARTS: [Teller; 11] = [
    (
        "As a whole",
        &["title", "version", "effective", "review_by", "calendar", "settle", "apply_to_open", "summary"],
        whole::whole,
    ),
    ("Calendars", &["calendars"], calendars::calendars),
    ("Parties", &["parties"], people::parties),
    ("Terms", &["stage", "data"], stages::terms),
    ("Handoffs", &["handoff"], handoffs::handoffs),
    ("Recycling", &["recycling", "nurture", "freeze"], recycling::recycling),
    ("Mandatory fields", &["requirement"], handoffs::requirements),
    ("Commitments", &["commitment"], commitments::commitments),
    ("Reviews", &["review"], people::reviews),
    ("Conflicts", &["resolution"], people::resolutions),
    ("Currency", &["currency"], whole::currency),
];

/// Tells two versions apart.
pub fn difference(old: &Parsed, new: &Parsed) -> Difference {
    if old.agreement.hash == new.agreement.hash {
        return Difference { groups: vec![] };
    }
    let versions = Versions { old: Version::of(old), new: Version::of(new) };
    let told = PARTS.iter().map(|(part, keys, tell)| Group { part, lines: lines_of(versions, keys, *tell) });
    let mut groups: Vec<Group> = told.filter(|group| !group.lines.is_empty()).collect();
    let rest = unheard_of(versions);
    if !rest.is_empty() {
        groups.push(Group { part: "Other", lines: rest });
    }
    Difference { groups }
}

/// What a part's teller says; a key that changed and that it has no word for is named all the same.
fn lines_of(versions: Versions<'_>, keys: &[&'static str], tell: fn(Versions<'_>) -> Vec<Line>) -> Vec<Line> {
    let changed: Vec<&str> = keys.iter().copied().filter(|key| versions.differ(key)).collect();
    let lines = tell(versions);
    if lines.is_empty() && !changed.is_empty() {
        return changed.into_iter().map(unsaid).collect();
    }
    lines
}

fn unsaid(key: &str) -> Line {
    Line::plain(format!("`{key}` changed in a way that no sentence tells: compare the files"))
}

/// Keys that belong to no part: a key that this page was not told of must not be passed over in silence.
fn unheard_of(versions: Versions<'_>) -> Vec<Line> {
    let known = |key: &str| PARTS.iter().any(|(_, keys, _)| keys.contains(&key));
    let keys = pair::keys(versions.old.document, versions.new.document);
    keys.into_iter().filter(|key| !known(key) && versions.differ(key)).map(unsaid).collect()
}

impl<'a> Version<'a> {
    fn of(parsed: &'a Parsed) -> Self {
        let (document, included) = (&parsed.canonical[0], &parsed.canonical[1]);
        Self { agreement: &parsed.agreement, document, included }
    }
}

impl Versions<'_> {
    /// Whether a key at the top of the file has another value.
    fn differ(&self, key: &str) -> bool {
        self.old.document[key] != self.new.document[key]
    }
}

impl Line {
    fn plain(text: String) -> Self {
        Self { text, verdict: None }
    }
}

impl Difference {
    /// Whether both versions say the same.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// All lines, whatever their part.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.groups.iter().flat_map(|group| &group.lines)
    }

    /// For each party that something became stricter or looser for, by name.
    pub fn tally(&self) -> Vec<(String, Tally)> {
        let mut tally: BTreeMap<String, Tally> = BTreeMap::new();
        for verdict in self.lines().filter_map(|line| line.verdict.as_ref()) {
            let of = tally.entry(verdict.party.clone()).or_default();
            match verdict.way {
                Way::Stricter => of.stricter += 1,
                Way::Looser => of.looser += 1,
                Way::Mixed => of.mixed += 1,
            }
        }
        tally.into_iter().collect()
    }
}

impl Way {
    fn reverse(self) -> Self {
        match self {
            Way::Stricter => Way::Looser,
            Way::Looser => Way::Stricter,
            Way::Mixed => Way::Mixed,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stricter, looser, mixed } = self;
        write!(f, "{stricter} stricter, {looser} looser")?;
        if *mixed > 0 { write!(f, ", {mixed} now one and now the other") } else { Ok(()) }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.verdict {
            None => Ok(()),
            Some(Verdict { way: Way::Stricter, party }) => write!(f, " (stricter for {party})"),
            Some(Verdict { way: Way::Looser, party }) => write!(f, " (looser for {party})"),
            Some(Verdict { way: Way::Mixed, party }) => {
                write!(f, " (for {party} stricter at some hours, looser at others)")
            }
        }
    }
}

impl fmt::Display for Difference {
    /// Each part with its lines, for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return writeln!(f, "They say the same.");
        }
        for group in &self.groups {
            writeln!(f, "{}", group.part)?;
            group.lines.iter().try_for_each(|line| writeln!(f, "  - {line}"))?;
        }
        Ok(())
    }
}
