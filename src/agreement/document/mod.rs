//! A TOML file as spanned values, and readers that take it apart by hand. Serde would stop at the
//! first error; a reader notes every problem and goes on. What the keys mean is not known here.

mod reader;
mod value;

pub use reader::Reader;
pub use value::{Datum, Word, kind};

use super::problem::{Problem, Report};
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeTable;

/// Where readers note what is wrong.
#[derive(Debug)]
pub struct Sink<'a> {
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Sink<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, problems: RefCell::default() }
    }

    pub fn note(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    pub fn error(&self, span: Range<usize>, message: impl Into<String>) {
        self.note(Problem::error(span, message));
    }

    /// An error with a suggestion.
    pub fn error_with(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.note(Problem::error(span, message).with_help(help));
    }

    /// A name that is none of those possible.
    pub fn unknown(&self, what: &str, name: &Word<'_>, possible: &[&str]) {
        let mut problem = Problem::error(name.span.clone(), format!("unknown {what} `{}`", name.text));
        problem.help = super::problem::did_you_mean(name.text, possible);
        self.note(problem);
    }

    pub fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|p| p.severity == super::problem::Severity::Error)
    }

    /// All that was noted, as a report over the file.
    pub fn into_report(self, file: &str) -> Report {
        Report::new(file, self.text, self.problems.into_inner())
    }

    /// The bytes of the file that a part of a word's text stands at; the whole word where escapes or
    /// line continuations make that unclear.
    pub fn inside(&self, word: &Word<'_>, part: Range<usize>) -> Range<usize> {
        let raw = self.text.get(word.span.clone()).unwrap_or_default();
        match raw.find(word.text) {
            Some(offset) if !word.text.is_empty() && part.end <= word.text.len() => {
                let start = word.span.start + offset;
                start + part.start..start + part.end.max(part.start)
            }
            _ => word.span.clone(),
        }
    }
}

/// Parses the file; only TOML's own grammar is judged.
///
/// # Errors
/// A report with the one syntax error that TOML's parser stopped at.
pub fn parse<'a>(file: &str, text: &'a str) -> Result<Spanned<DeTable<'a>>, Report> {
    DeTable::parse(text).map_err(|e| Report::from_toml_error(file, text, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a small table and answers all messages with their lines.
    fn read(text: &str) -> Vec<(usize, String, Option<String>)> {
        let table = parse("t.toml", text).expect("well-formed");
        let sink = Sink::new(text);
        let mut root = Reader::root(table.get_ref(), "the file", &sink);
        root.need_text("title");
        root.date("effective");
        root.texts("fields");
        root.count("times");
        root.time("time");
        if let Some(inner) = root.table("inner") {
            inner.finish();
        }
        for mut stage in root.tables("stage", "[[stage]]") {
            stage.need_text("name");
            stage.finish();
        }
        root.finish();
        let report = sink.into_report("t.toml");
        let line = |p: &Problem| report.position(p.span.clone().expect("every problem has a place").start).0;
        report.problems.iter().map(|p| (line(p), p.message.clone(), p.help.clone())).collect()
    }

    #[test]
    fn every_problem_of_a_file_is_noted_at_once() {
        let text = "titel = \"x\"\neffective = \"soon\"\nfields = [\"a\", 2]\ntimes = 0\ninner = 3\ntime = 09:00:00\n\n[[stage]]\nnme = \"a\"\n\n[[stage]]\nname = \"\"\n";
        let seen = read(text);
        let expect = [
            (1, "the file has no `title`", Some("add `title = …`")),
            (1, "unknown key `titel` in the file", Some("did you mean `title`?")),
            (2, "`effective` must be a date, this is text", Some("for example 2027-01-04")),
            (3, "an entry of `fields` must be text, this is a number", None),
            (4, "`times` must be a whole number from 1, this is a number", None),
            (5, "`inner` must be a table, this is a number", Some("for example { … }")),
            (8, "[[stage]] has no `name`", Some("add `name = …`")),
            (9, "unknown key `nme` in [[stage]]", Some("did you mean `name`?")),
            (12, "`name` is empty", None),
        ];
        let seen: Vec<_> = seen.iter().map(|(l, m, h)| (*l, m.as_str(), h.as_deref())).collect();
        assert_eq!(seen, expect);
    }

    #[test]
    fn a_part_of_a_text_is_found_in_the_file_whatever_its_quotes() {
        for text in ["when = 'a == b'", "when = \"a == b\"", "when = '''a == b'''", "when = '''\na == b'''"] {
            let table = parse("t.toml", text).expect("well-formed");
            let sink = Sink::new(text);
            let word = Reader::root(table.get_ref(), "t", &sink).text("when").expect("text");
            assert_eq!(&text[sink.inside(&word, 5..6)], "b");
        }
        let text = r#"when = "a == \"b\"""#;
        let table = parse("t.toml", text).expect("well-formed");
        let sink = Sink::new(text);
        let word = Reader::root(table.get_ref(), "t", &sink).text("when").expect("text");
        assert_eq!(&text[sink.inside(&word, 5..6)], r#""a == \"b\"""#, "escapes: the whole text");
    }
}
