//! What a page is made of, whatever it is printed as: headings, paragraphs, lists, tables, small charts.

use crate::chart::Timeline;

/// A stretch of text in one weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub text: String,
    pub bold: bool,
}

/// One paragraph's worth of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<Run>);

#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Level 3 opens a part of a page, level 4 a part of that. (1 and 2 are the titles of document and page.)
    Heading {
        level: u8,
        text: String,
    },
    Paragraph(Text),
    List {
        ordered: bool,
        items: Vec<Text>,
    },
    Table(Grid),
    Timeline(Timeline),
}

/// A table: its columns share the width as the numbers say.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// For screen readers; it is not shown.
    pub caption: String,
    pub head: Vec<String>,
    pub shares: Vec<f64>,
    pub rows: Vec<Vec<Text>>,
    /// Rows are at least so high, in points.
    pub least: f64,
}

impl Text {
    /// In plain letters. Line ends and repeated spaces of the agreement's file are layout, and become one space.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Text::default().and(text)
    }

    pub fn bold(text: impl AsRef<str>) -> Self {
        Text::default().and_bold(text)
    }

    #[must_use]
    pub fn and(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Run { text: one_line(text.as_ref()), bold: false });
        self
    }

    #[must_use]
    pub fn and_bold(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Run { text: one_line(text.as_ref()), bold: true });
        self
    }

    /// Without the weights.
    pub fn to_plain(&self) -> String {
        self.0.iter().map(|run| run.text.as_str()).collect()
    }
}

/// Spaces at the ends stay, since runs meet there.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Space characters of other widths too; only the one that forbids a break stays what it is.
        let is_space = c.is_whitespace() && c != '\u{a0}';
        match (is_space, out.ends_with(' ')) {
            (true, true) => {}
            (true, false) => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

impl Block {
    pub fn paragraph(text: impl AsRef<str>) -> Self {
        Block::Paragraph(Text::plain(text))
    }

    pub fn heading(level: u8, text: impl AsRef<str>) -> Self {
        Block::Heading { level, text: one_line(text.as_ref()) }
    }

    pub fn list(items: impl IntoIterator<Item = String>) -> Self {
        Block::List { ordered: false, items: items.into_iter().map(Text::plain).collect() }
    }
}
