//! What is wrong with a file that people wrote, and how it is shown: file, line, column, the
//! offending text with carets, and a suggestion. For the agreement and the daemon's configuration
//! alike; what counts as a problem is decided elsewhere.

mod source;

use super::predicate::closest;
use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};
use std::fmt;
use std::ops::Range;

/// Whether a problem stops the file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong or doubtful in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the file; `None` when it is about the file as a whole.
    pub span: Option<Range<usize>>,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub severity: Severity,
}

impl Problem {
    pub fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into(), help: None, severity: Severity::Error }
    }

    pub fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// About the file as a whole.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self { span: None, message: message.into(), help: None, severity: Severity::Error }
    }

    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All problems of one file, with its text to show them in.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The name that people know the file by.
    pub file: String,
    pub text: String,
    pub problems: Vec<Problem>,
}

impl Report {
    pub fn new(file: impl Into<String>, text: impl Into<String>, problems: Vec<Problem>) -> Self {
        let mut report = Self { file: file.into(), text: text.into(), problems };
        report.problems.sort_by_key(|p| p.span.as_ref().map_or(0, |s| s.start));
        report.problems.dedup();
        report
    }

    /// A file that TOML's grammar, or a type that serde reads, refuses. Serde stops at the first error.
    pub fn from_toml_error(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim().to_owned();
        let help = unknown_field(&message).and_then(|(name, keys)| did_you_mean(name, &keys));
        let message = match unknown_field(&message) {
            Some((name, _)) => format!("unknown key `{name}`"),
            None => message,
        };
        Self::new(file, text, vec![Problem { span: error.span(), message, help, severity: Severity::Error }])
    }

    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == Severity::Error)
    }

    /// How many errors and how many warnings.
    pub fn counts(&self) -> (usize, usize) {
        let errors = self.problems.iter().filter(|p| p.severity == Severity::Error).count();
        (errors, self.problems.len() - errors)
    }

    /// Line and column of a byte of the file, both from 1; the column counts characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        source::position(&self.text, byte)
    }

    /// All problems for a terminal, in the order of the file.
    pub fn render(&self, color: bool) -> String {
        let styles = if color { ThemeStyles::ansi() } else { ThemeStyles::none() };
        // Carets rather than a line: what is underlined must also show where a font draws lines thin.
        let characters = ThemeCharacters { underline: '^', underbar: '^', ..ThemeCharacters::unicode() };
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
            .with_context_lines(1)
            .with_wrap_lines(false)
            .with_links(false)
            .without_syntax_highlighting();
        let mut out = String::new();
        for problem in &self.problems {
            let shown = source::Shown::new(self, problem);
            // Writing to a String cannot fail.
            let _ = handler.render_report(&mut out, &shown);
        }
        out
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}

/// The suggestion for a name that is none of those possible: the closest one, else all of them.
/// `None` when nothing is possible. What is possible for several reasons is named once.
pub fn did_you_mean(name: &str, possible: &[&str]) -> Option<String> {
    if let Some(closest) = closest(name, possible.iter().copied()) {
        return Some(format!("did you mean `{closest}`?"));
    }
    let first = |(place, p): &(usize, &&str)| !possible[..*place].contains(p);
    let listed: Vec<String> = possible.iter().enumerate().filter(first).map(|(_, p)| format!("`{p}`")).collect();
    match listed.as_slice() {
        [] => None,
        [only] => Some(format!("only {only} is possible here")),
        _ => Some(format!("possible here: {}", listed.join(", "))),
    }
}

/// Serde's `unknown field `x`, expected one of `a`, `b`` taken apart.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (name, rest) = rest.split_once('`')?;
    let keys = rest.split('`').skip(1).step_by(2).collect();
    Some((name, keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_with_line_column_carets_and_help() {
        let text = "a = 1\nname = \"é\" \nkéy = 2\n";
        let at = text.find("kéy").expect("there");
        let problem = Problem::error(at..at + 4, "unknown key `kéy`").with_help("did you mean `key`?");
        let shown = Report::new("x.toml", text, vec![problem]).render(false);
        assert!(shown.contains("[x.toml:3:1]"), "{shown}");
        assert!(shown.contains("3 │ kéy = 2\n   · ^^^\n"), "{shown}");
        assert!(shown.contains("help: did you mean `key`?"), "{shown}");
        assert!(!shown.contains("name ="), "only the offending line is shown: {shown}");
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = "a = \"ééé\" # x\n";
        let at = text.find('#').expect("there");
        let report = Report::new("x.toml", text, vec![Problem::warning(at..at + 1, "here")]);
        assert_eq!(report.position(at), (1, 11));
        assert!(report.render(false).contains("[x.toml:1:11]"), "{}", report.render(false));
    }

    #[test]
    fn a_problem_at_the_very_end_is_still_shown() {
        let text = "a = [";
        let error = text.parse::<toml::Table>().expect_err("unfinished");
        let shown = Report::from_toml_error("x.toml", text, &error).render(false);
        assert!(shown.contains("[x.toml:1:"), "{shown}");
    }

    #[test]
    fn what_is_possible_is_named_once() {
        let said = did_you_mean("wrong", &["client_id", "login_url", "client_id"]);
        assert_eq!(said.as_deref(), Some("possible here: `client_id`, `login_url`"));
    }

    #[test]
    fn serdes_unknown_keys_say_which_are_possible() {
        #[derive(serde::Deserialize, Debug)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only read by serde")]
        struct Server {
            listen: String,
            public_url: Option<String>,
        }
        let text = "listen = \"x\"\nlisten_on = 1\n";
        let error = toml::from_str::<Server>(text).expect_err("unknown key");
        let report = Report::from_toml_error("x.toml", text, &error);
        assert_eq!(report.problems[0].message, "unknown key `listen_on`");
        assert!(report.problems[0].help.as_deref().is_some_and(|h| h.contains("`listen`")), "{report:?}");
        assert_eq!(report.problems[0].span, Some(13..22));
    }
}
