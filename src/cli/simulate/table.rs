//! The answer of `simulate` as people read it on a terminal: what differs, by party and clock, with
//! the leads concerned.

use crate::engine::simulate::{Answer, Terms};
use crate::record::Timestamp;
use crate::report::difference::{Difference, How, Lead, Line, Subject};
use std::fmt::{self, Write};

pub(super) fn table(answer: &Answer) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write(&mut text, answer);
    text
}

fn write(text: &mut String, answer: &Answer) -> fmt::Result {
    head(text, answer)?;
    let found = &answer.difference;
    let (mut party, mut source) = (None, None);
    for (subject, line) in found.differing() {
        if party != Some(&subject.party) {
            writeln!(text, "\n{}", or(&subject.party, "nobody in particular"))?;
            (party, source) = (Some(&subject.party), None);
        }
        if source != Some(&subject.source) {
            writeln!(text, "  {}", or(&plain(&subject.source), "the record itself"))?;
            source = Some(&subject.source);
        }
        counts(text, subject, line)?;
        for lead in &line.leads {
            writeln!(text, "      {}", sentence(answer, lead))?;
        }
        let more = line.differences - line.leads.len() as u64;
        if more > 0 {
            writeln!(text, "      and {} more: --all names them", number(more))?;
        }
    }
    foot(text, found)
}

fn head(text: &mut String, answer: &Answer) -> fmt::Result {
    let found = &answer.difference;
    let days = match (answer.from, answer.to) {
        (None, None) => String::new(),
        (Some(from), None) => format!(", counted from {from} on"),
        (None, Some(to)) => format!(", counted up to {to}"),
        (Some(from), Some(to)) => format!(", counted from {from} to {to}"),
    };
    let (records, changes) = (number(found.records), number(found.changes));
    writeln!(text, "{}: {changes} recorded changes of {records} records replayed{days}", answer.connection)?;
    let terms = |terms: &Terms| format!("{}, {} ({})", plain(&terms.title), plain(&terms.version), terms.origin);
    writeln!(text, "  old  {}", terms(&answer.old))?;
    writeln!(text, "  new  {}", terms(&answer.new))
}

fn counts(text: &mut String, subject: &Subject, line: &Line) -> fmt::Result {
    let change = match line.new.abs_diff(line.old) {
        0 => "as many".to_owned(),
        more if line.new > line.old => format!("+{}", number(more)),
        less => format!("-{}", number(less)),
    };
    let what = subject.kind.in_words();
    writeln!(text, "    {what:<22} {:>9} → {:<9} {change}", number(line.old), number(line.new))
}

fn sentence(answer: &Answer, lead: &Lead) -> String {
    let at = |t: Timestamp| t.in_zone(&answer.zone);
    let how = match lead.how {
        How::OnlyOld(t) => format!("only old  {}", at(t)),
        How::OnlyNew(t) => format!("only new  {}", at(t)),
        How::Moved { old, new } => format!("moved     {} → {}", at(old), at(new)),
    };
    let (object, id) = (lead.key.object, plain(lead.key.id.as_str()));
    let guess = if lead.guess { "  (a guess)" } else { "" };
    format!("{how}  {} ({object} {id}){guess}", plain(&lead.name))
}

fn foot(text: &mut String, found: &Difference) -> fmt::Result {
    if found.changes == 0 {
        return writeln!(text, "\nNothing was recorded yet.");
    }
    if found.differing().next().is_none() {
        writeln!(text, "\nNothing would have been different.")?;
    }
    if found.diverged_old + found.diverged_new > 0 {
        writeln!(
            text,
            "\nRecords that would have been moved otherwise than they were: {} under the old terms, {} under the new.\n\
             What people did afterwards, they did with the record as it was: from there on it is a guess.",
            number(found.diverged_old),
            number(found.diverged_new)
        )?;
    }
    Ok(())
}

/// Names come from the CRM: nothing in them may move the cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn or<'t>(text: &'t str, instead: &'t str) -> &'t str {
    if text.is_empty() { instead } else { text }
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

    #[test]
    fn a_name_from_the_crm_cannot_write_over_the_table() {
        assert_eq!(plain("Zoë\u{1b}[2J\r\nÜnal"), "Zoë\u{fffd}[2J\u{fffd}\u{fffd}Ünal");
    }
}
