//! The answer of a simulation as its page shows it: by party and clock what differs, with the leads
//! concerned, as `leadpact simulate` prints it.

use crate::engine::simulate::{Answer, Terms};
use crate::record::Timestamp;
use crate::report::difference::{How, Lead, Line, Subject};
use jiff::tz::TimeZone;

pub struct Shown {
    pub old: String,
    pub new: String,
    pub old_hash: String,
    pub new_hash: String,
    pub days: String,
    pub records: String,
    pub changes: String,
    pub is_empty: bool,
    pub diverged_old: String,
    pub diverged_new: String,
    pub diverged: bool,
    pub rows: Vec<Row>,
}

/// What differs of one kind.
pub struct Row {
    pub party: String,
    pub clock: String,
    pub kind: &'static str,
    pub old: String,
    pub new: String,
    pub change: String,
    pub leads: Vec<Concerned>,
    pub total: u64,
    /// Not named.
    pub more: u64,
}

/// A lead for which it differs.
pub struct Concerned {
    pub name: String,
    pub story: String,
    pub how: String,
    pub guess: bool,
}

pub fn shown(answer: &Answer) -> Shown {
    let found = &answer.difference;
    let terms = |terms: &Terms| format!("{}, {} ({})", terms.title, terms.version, terms.origin);
    Shown {
        old: terms(&answer.old),
        new: terms(&answer.new),
        old_hash: answer.old.hash.clone(),
        new_hash: answer.new.hash.clone(),
        days: match (answer.from, answer.to) {
            (None, None) => "all that was recorded".to_owned(),
            (Some(from), None) => format!("from {from} on"),
            (None, Some(to)) => format!("up to {to}"),
            (Some(from), Some(to)) => format!("{from} to {to}"),
        },
        records: number(found.records),
        changes: number(found.changes),
        is_empty: found.changes == 0,
        diverged: found.diverged_old + found.diverged_new > 0,
        diverged_old: number(found.diverged_old),
        diverged_new: number(found.diverged_new),
        rows: found.differing().map(|(subject, line)| row(&answer.zone, subject, line)).collect(),
    }
}

fn row(zone: &TimeZone, subject: &Subject, line: &Line) -> Row {
    let or = |text: &str, instead: &str| if text.is_empty() { instead.to_owned() } else { text.replace('_', " ") };
    Row {
        party: or(&subject.party, "nobody in particular"),
        clock: if subject.source.is_empty() { "the record itself".to_owned() } else { subject.source.clone() },
        kind: subject.kind.in_words(),
        old: number(line.old),
        new: number(line.new),
        change: match line.new.abs_diff(line.old) {
            0 => "as many".to_owned(),
            more if line.new > line.old => format!("+{}", number(more)),
            less => format!("−{}", number(less)),
        },
        leads: line.leads.iter().map(|lead| concerned(zone, lead)).collect(),
        total: line.differences,
        more: line.differences.saturating_sub(line.leads.len() as u64),
    }
}

fn concerned(zone: &TimeZone, lead: &Lead) -> Concerned {
    let at = |t: Timestamp| t.in_zone(zone);
    let how = match lead.how {
        How::OnlyOld(t) => format!("only under the old terms, {}", at(t)),
        How::OnlyNew(t) => format!("only under the new terms, {}", at(t)),
        How::Moved { old, new } => format!("{} → {}", at(old), at(new)),
    };
    let name = if lead.name.is_empty() { lead.key.id.to_string() } else { lead.name.clone() };
    Concerned { name, story: super::super::record::path(&lead.key), how, guess: lead.guess }
}

/// With commas between thousands.
fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0, 12, 999, 1_000, 1_234_567].map(number), ["0", "12", "999", "1,000", "1,234,567"]);
    }
}
