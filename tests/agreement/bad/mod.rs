//! Agreements with a mistake: each is refused at the place of the mistake, with a message and a suggestion.

mod mutilated;
mod rules;
mod words;

use crate::{EXAMPLE, example_with, read};
use leadpact::agreement::problem::{Report, Severity};

/// In place of `passage` of the example stands `by`. The problem must begin where `at` first stands in
/// that line of the changed file (the start of `by` when `at` is empty).
struct Bad {
    passage: &'static str,
    by: &'static str,
    at: &'static str,
    message: &'static str,
    help: &'static str,
}

fn bad(passage: &'static str, by: &'static str, at: &'static str, message: &'static str, help: &'static str) -> Bad {
    Bad { passage, by, at, message, help }
}

/// Line and column in characters, counted here by other means than the report's.
fn place(text: &str, byte: usize) -> String {
    let before: Vec<&str> = text[..byte].split('\n').collect();
    format!("[agreement.toml:{}:{}]", before.len(), before[before.len() - 1].chars().count() + 1)
}

fn check(severity: Severity, cases: &[Bad]) {
    for case in cases {
        let text = example_with(case.passage, case.by);
        let start = EXAMPLE.find(case.passage).expect("checked");
        let at = start + text[start..].find(case.at).expect("`at` stands in the changed file");
        let report = match severity {
            Severity::Error => read(&text).expect_err(case.by),
            Severity::Warning => read(&text).unwrap_or_else(|r| panic!("{}\n{r}", case.by)).warnings,
        };
        let found = report.problems.iter().filter(|p| p.severity == severity).any(|p| {
            let one = Report::new(&*report.file, &*report.text, vec![p.clone()]).render(false);
            one.contains(&place(&text, at)) && one.contains(case.message) && one.contains(case.help)
        });
        assert!(found, "expected {} {} / {}\nin\n{report}", place(&text, at), case.message, case.help);
    }
}
