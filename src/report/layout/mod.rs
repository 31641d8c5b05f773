//! Reports as tables: for a terminal or as CSV; and as JSON. What the tables say is in `tables` and `scorecard`;
//! here is what a table is, and how it is drawn.

mod csv;
mod json;
mod scorecard;
mod tables;

pub use csv::{Stamp, lines, to_csv};
pub use json::json;
pub use scorecard::{figure, forecast, percent};
pub use tables::{What, table};

/// Rows under named columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub title: String,
    pub columns: Vec<&'static str>,
    /// Columns that a terminal has no room for; CSV has them all.
    pub undrawn: &'static [&'static str],
    pub rows: Vec<Vec<Cell>>,
    /// Stands below the rows, each in a sentence.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Names and sentences, maybe from a CRM.
    Text(String),
    /// Numbers, as they are written.
    Number(String),
    Nothing,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Cell::Text(text.into())
    }

    /// A number that is zero more often than not: zero is shown as nothing.
    pub fn seldom(n: u64) -> Self {
        if n == 0 { Cell::Nothing } else { Cell::from(n) }
    }

    fn shown(&self) -> &str {
        match self {
            Cell::Text(text) | Cell::Number(text) => text,
            Cell::Nothing => "",
        }
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Self {
        Cell::Number(n.to_string())
    }
}

impl<T> From<Option<T>> for Cell
where
    Cell: From<T>,
{
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Cell::Nothing, Cell::from)
    }
}

/// How wide a table may be.
pub const WIDTH: usize = 120;
/// No column is cut below this.
const NARROW: usize = 8;

impl Table {
    /// Drawn for a terminal, at most [`WIDTH`] columns wide: columns without anything in them are left
    /// out, then the widest text gives way.
    pub fn to_text(&self) -> String {
        self.without_empty_columns().draw_whole()
    }

    fn without_empty_columns(&self) -> Table {
        let filled = |i: usize| self.rows.iter().any(|row| !row[i].shown().is_empty());
        let drawn = |i: &usize| !self.undrawn.contains(&self.columns[*i]) && filled(*i);
        let kept: Vec<usize> = (0..self.columns.len()).filter(drawn).collect();
        let columns = kept.iter().map(|i| self.columns[*i]).collect();
        let rows = self.rows.iter().map(|row| kept.iter().map(|i| row[*i].clone()).collect()).collect();
        Table { title: self.title.clone(), columns, undrawn: &[], rows, notes: self.notes.clone() }
    }

    fn draw_whole(&self) -> String {
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| printable(cell.shown())).collect()).collect();
        let widths = self.widths(&rows);
        let mut text = format!("{}\n", printable(&self.title));
        if rows.is_empty() {
            text.push_str("  nothing in this period\n");
        } else {
            let heads: Vec<String> = self.columns.iter().map(|c| (*c).to_owned()).collect();
            self.draw(&mut text, &heads, &widths);
            rows.iter().for_each(|row| self.draw(&mut text, row, &widths));
        }
        for note in &self.notes {
            wrap(&mut text, &printable(note));
        }
        text
    }

    fn widths(&self, rows: &[Vec<String>]) -> Vec<usize> {
        let longest = |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max();
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, head)| longest(i).unwrap_or(0).max(head.chars().count()))
            .collect();
        // Two before each column.
        while widths.iter().sum::<usize>() + 2 * widths.len() > WIDTH {
            match widths.iter_mut().filter(|w| **w > NARROW).max() {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        widths
    }

    fn draw(&self, text: &mut String, row: &[String], widths: &[usize]) {
        let mut line = String::new();
        for (i, (cell, width)) in row.iter().zip(widths).enumerate() {
            let cell = cut(cell, *width);
            let space = " ".repeat(width - cell.chars().count());
            let (before, after) = if self.is_number(i) { (space.as_str(), "") } else { ("", space.as_str()) };
            line.push_str(&format!("  {before}{cell}{after}"));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }

    /// Columns of numbers are drawn to the right.
    fn is_number(&self, column: usize) -> bool {
        let is = |row: &Vec<Cell>| !matches!(row.get(column), Some(Cell::Text(_)));
        !self.rows.is_empty() && self.rows.iter().all(is)
    }
}

/// What a terminal would act on is not passed on to it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A note over as many lines as it needs.
fn wrap(text: &mut String, note: &str) {
    let mut line = String::from("  -");
    for word in note.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH && line.trim() != "-" {
            text.push_str(&line);
            text.push('\n');
            line = String::from("   ");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_never_wider_than_a_terminal() {
        let long = "a very long name of a clock that somebody was fond of ".repeat(4);
        let row = vec![Cell::text(&long), Cell::from(7), Cell::text(&long), Cell::Nothing];
        let table = Table {
            title: "Clocks".into(),
            columns: vec!["clock", "runs", "why", "empty"],
            undrawn: &[],
            rows: vec![row],
            notes: vec![long.clone(), "x".repeat(300)],
        };
        let text = table.to_text();
        let words = text.lines().filter(|line| !line.contains("xxx"));
        assert!(words.clone().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains('…') && text.contains(" 7 ") && !text.contains("empty"), "{text}");
    }

    #[test]
    fn what_a_terminal_would_act_on_is_not_shown() {
        let rows = vec![vec![Cell::text("\u{1b}[2J\nbad")]];
        let table = Table { title: "T".into(), columns: vec!["name"], undrawn: &[], rows, notes: vec![] };
        assert_eq!(table.to_text(), "T\n  name\n   [2J bad\n");
    }
}
