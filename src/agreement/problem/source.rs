//! A file's text as miette shows it: whole lines of the offending text and nothing around it,
//! columns in characters (miette's own sources count bytes).

use super::{Problem, Report, Severity};
use miette::{Diagnostic, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::fmt;
use std::ops::Range;

/// Line and column, both from 1; the column counts characters.
pub(super) fn position(text: &str, byte: usize) -> (usize, usize) {
    let byte = floor(text, byte);
    let start = line_start(text, byte);
    let line = text[..start].matches('\n').count() + 1;
    (line, text[start..byte].chars().count() + 1)
}

fn floor(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

fn line_start(text: &str, byte: usize) -> usize {
    text[..byte].rfind('\n').map_or(0, |i| i + 1)
}

fn line_end(text: &str, byte: usize) -> usize {
    text[byte..].find('\n').map_or(text.len(), |i| byte + i)
}

/// One problem of a report, ready for miette.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    problem: &'a Problem,
    lines: Lines<'a>,
    span: Option<Range<usize>>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(report: &'a Report, problem: &'a Problem) -> Self {
        let span = problem.span.clone().map(|span| first_line(&report.text, span));
        Self { problem, lines: Lines { file: &report.file, text: &report.text }, span }
    }
}

/// The part of a span that stands on its first line: a table's span may cover many.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start).min(line_end(text, start));
    start..end
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            Some(_) => f.write_str(&self.problem.message),
            None => write!(f, "{}: {}", self.lines.file, self.problem.message),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.lines)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new(None, span.start, span.len()))))
    }
}

#[derive(Debug)]
struct Lines<'a> {
    file: &'a str,
    text: &'a str,
}

impl SourceCode for Lines<'_> {
    /// miette asks without context for the position in the heading, and with context for what it shows.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = floor(self.text, span.offset());
        let end = line_end(self.text, floor(self.text, span.offset() + span.len()).max(start));
        let (line, column) = position(self.text, start);
        let (from, column) = if before == 0 { (start, column - 1) } else { (line_start(self.text, start), 0) };
        let data = &self.text.as_bytes()[from..end];
        let count = self.text[from..end].matches('\n').count() + 1;
        let span = SourceSpan::new(from.into(), end - from);
        let contents = MietteSpanContents::new_named(self.file.to_owned(), data, span, line - 1, column, count);
        Ok(Box::new(contents))
    }
}
