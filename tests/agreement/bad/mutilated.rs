//! The example with every line lost, cut or changed in turn: never a panic, never a refusal without
//! an error, never a part that is dropped in silence.

use crate::{EXAMPLE, read};

fn count(text: &str, part: &str) -> usize {
    text.lines().filter(|line| line.trim().starts_with(part)).count()
}

fn check(text: &str) {
    match read(text) {
        Err(report) => {
            assert!(report.has_errors(), "refused without an error:\n{text}");
            assert!(report.problems.iter().all(|p| p.span.is_some()), "without a place: {report}");
            assert!(report.render(true).len() > 20);
        }
        Ok(parsed) => {
            let a = parsed.agreement;
            let read = [a.stages.len(), a.handoffs.len(), a.requirements.len(), a.commitments.len(), a.reviews.len()];
            let parts = ["[[stage]]", "[[handoff]]", "[[requirement]]", "[[commitment]]", "[[review]]"];
            assert_eq!(read, parts.map(|part| count(text, part)), "{text}");
            assert_eq!(a.clocks.len(), count(text, "[[handoff.clock]]") + a.requirements.len());
            assert_eq!(
                (a.freezes.len(), a.resolutions.len()),
                (count(text, "[[freeze]]"), count(text, "[[resolution]]"))
            );
        }
    }
}

const VALUES: [&str; 7] = ["7", "\"\"", "[]", "{}", "[\"é\"]", "true", "'''\nx\n'''"];

/// The example with line `i` changed by `change`.
fn with_line(i: usize, change: impl Fn(&str) -> String) -> String {
    let lines = EXAMPLE.lines().enumerate().map(|(n, line)| if n == i { change(line) } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_line_can_be_lost_or_changed() {
    for (i, line) in EXAMPLE.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        check(&with_line(i, |_| String::new()));
        if let Some((key, _)) = line.split_once('=') {
            // One of the values in turn, since a calendar is compiled each time.
            let value = VALUES[i % VALUES.len()];
            check(&with_line(i, |_| format!("{key}= {value}")));
        }
    }
}

#[test]
fn the_file_can_end_anywhere() {
    for end in (0..EXAMPLE.len()).step_by(397).filter(|end| EXAMPLE.is_char_boundary(*end)) {
        check(&EXAMPLE[..end]);
    }
}
