//! How `leadpact doctor` shows its checks: one line each for whoever pipes them, and folded to the
//! width of a terminal for whoever reads them there.

use crate::engine::doctor::{Check, Verdict};
use std::io::IsTerminal;

/// The widest that is still read with ease.
const WIDEST: usize = 110;
/// Where nobody says how wide the terminal is.
const USUAL: usize = 100;
/// Below the words, which follow the verdict.
const INDENT: &str = "      ";

pub(super) fn print(checks: &[Check]) {
    let terminal = std::io::stdout().is_terminal();
    let color = terminal && std::env::var_os("NO_COLOR").is_none();
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = terminal.then(|| columns.unwrap_or(USUAL).clamp(40, WIDEST));
    checks.iter().for_each(|check| println!("{}", line(check, color, width)));
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (ok, warned, failed) = (count(Verdict::Ok), count(Verdict::Warn), count(Verdict::Fail));
    println!("\n{ok} ok, {warned} to look at, {failed} failed.");
}

/// `fail  acme-hubspot: clock: this machine is 6m ahead of the CRM → let this machine …`; with a
/// width, folded, and the fix on a line of its own.
fn line(check: &Check, color: bool, width: Option<usize>) -> String {
    let (word, code) = match check.verdict {
        Verdict::Ok => ("ok  ", "32"),
        Verdict::Warn => ("warn", "33"),
        Verdict::Fail => ("fail", "31"),
    };
    let word = if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() };
    // What others answered may hold anything; a line stays a line.
    let plain = |text: String| text.replace(|c: char| c.is_control(), " ");
    let said = plain(format!("{}: {}: {}", check.about, check.what, check.found));
    let fix = check.fix.as_ref().map(|fix| plain(format!("→ {fix}")));
    match (width, fix) {
        (None, Some(fix)) => format!("{word}  {said} {fix}"),
        (None, None) => format!("{word}  {said}"),
        (Some(width), fix) => {
            let parts = [Some(said), fix].into_iter().flatten();
            let folded: Vec<String> = parts.map(|part| fold(&part, width - INDENT.len())).collect();
            format!("{word}  {}", folded.join(&format!("\n{INDENT}")))
        }
    }
}

/// Breaks between words; a word that is longer than a line stands alone.
fn fold(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join(&format!("\n{INDENT}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_terminal_no_line_is_wider_than_it_and_the_fix_begins_one() {
        let check = Check::fail("acme", "clock", "this machine is 6m ahead of the CRM", "let it keep its time by NTP");
        let shown = line(&check, false, Some(40));
        assert_eq!(
            shown,
            "fail  acme: clock: this machine is 6m\n      ahead of the CRM\n      → let it keep its time by NTP"
        );
        assert!(shown.lines().all(|line| line.chars().count() <= 40));
    }

    #[test]
    fn piped_every_check_is_one_line_whatever_others_answered() {
        let check = Check::warn("acme", "CRM", "<html>\n\x1b[31mgone", "wait");
        assert_eq!(line(&check, false, None), "warn  acme: CRM: <html>  [31mgone → wait");
    }
}
