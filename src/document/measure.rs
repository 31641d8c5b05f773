//! How high a block will be, by the conservative widths of `chart::text`. HTML and slides set the same sizes, so one
//! estimate serves both.

use super::block::{Block, Grid, Text};
use crate::chart::Chart;
use crate::chart::text::{bold_width, break_lines};

/// Line to line, as a multiple of the type size.
pub const LEADING: f64 = 1.2;
/// Between two blocks of a column, in points.
pub const GAP: f64 = 4.0;
/// Before a heading that is not the first of its column.
pub const BEFORE_PART: f64 = 11.0;
pub const BEFORE_CLAUSE: f64 = 7.0;
/// How far the items of a list stand in, as a multiple of the type size; numbers need more room than bullets.
const INDENT: f64 = 1.1;
const INDENT_NUMBERED: f64 = 1.8;
/// Between two items.
pub const BETWEEN_ITEMS: f64 = 1.5;
/// Left and right, above and below the text of a cell.
pub const CELL: (f64, f64) = (5.0, 3.0);

/// The type size of a heading on a page of this size.
pub fn heading_size(level: u8, size: f64) -> f64 {
    match level {
        1 => 30.0,
        2 => 24.0,
        3 => size + 2.0,
        _ => size,
    }
}

pub fn indent(ordered: bool, size: f64) -> f64 {
    size * if ordered { INDENT_NUMBERED } else { INDENT }
}

/// The space before a block that follows another.
pub fn gap_before(block: &Block) -> f64 {
    match block {
        Block::Heading { level: 4, .. } => BEFORE_CLAUSE,
        Block::Heading { .. } => BEFORE_PART,
        _ => GAP,
    }
}

/// Lines of a text at a width.
pub fn lines(text: &Text, size: f64, width: f64) -> usize {
    let letters: Vec<(char, bool)> = text.0.iter().flat_map(|run| run.text.chars().map(|c| (c, run.bold))).collect();
    break_lines(&letters, size, width).len()
}

/// The height of a block without the space before it.
pub fn height(block: &Block, size: f64, width: f64) -> f64 {
    let line = size * LEADING;
    match block {
        Block::Heading { level, text } => {
            let size = heading_size(*level, size);
            lines(&Text::bold(text), size, width) as f64 * size * LEADING
        }
        Block::Paragraph(text) => lines(text, size, width) as f64 * line,
        Block::List { ordered, items } => {
            let indent = indent(*ordered, size);
            let lines: usize = items.iter().map(|item| lines(item, size, width - indent)).sum();
            lines as f64 * line + items.len().saturating_sub(1) as f64 * BETWEEN_ITEMS
        }
        Block::Table(grid) => head_height(grid, size, width) + row_heights(grid, size, width).iter().sum::<f64>(),
        Block::Timeline(timeline) => timeline.draw(width).height,
    }
}

/// The widths of a table's columns: as its shares say, but where a word would be broken, wide enough for it, the others
/// giving way. Where not all words can be kept whole, the longest are broken.
pub fn columns(grid: &Grid, size: f64, width: f64) -> Vec<f64> {
    let mut least = least(grid, size);
    while least.iter().sum::<f64>() >= width {
        let longest = least.iter().copied().fold(0.0, f64::max);
        least.iter_mut().filter(|least| **least >= longest).for_each(|least| *least *= 0.8);
    }
    let mut fixed: Vec<Option<f64>> = vec![None; least.len()];
    loop {
        let widths = shared(&grid.shares, &fixed, width);
        let narrow = (0..widths.len()).find(|at| fixed[*at].is_none() && widths[*at] < least[*at]);
        let Some(narrow) = narrow else { return widths };
        fixed[narrow] = Some(least[narrow]);
    }
}

/// Whether a table must break words at this size.
pub fn breaks_words(block: &Block, size: f64, width: f64) -> bool {
    matches!(block, Block::Table(grid) if least(grid, size).iter().sum::<f64>() >= width)
}

/// How wide each column must be to keep its words whole.
fn least(grid: &Grid, size: f64) -> Vec<f64> {
    (0..grid.shares.len()).map(|at| longest_word(grid, at, size) + 2.0 * CELL.0).collect()
}

/// What is not fixed shares what the fixed columns leave.
fn shared(shares: &[f64], fixed: &[Option<f64>], width: f64) -> Vec<f64> {
    let open: f64 = shares.iter().zip(fixed).filter(|(_, fixed)| fixed.is_none()).map(|(share, _)| share).sum();
    let rest = width - fixed.iter().flatten().sum::<f64>();
    shares.iter().zip(fixed).map(|(share, fixed)| fixed.unwrap_or(share / open * rest)).collect()
}

fn longest_word(grid: &Grid, at: usize, size: f64) -> f64 {
    let cells = grid.rows.iter().filter_map(|row| row.get(at)).map(Text::to_plain).chain(grid.head.get(at).cloned());
    let words = cells.map(|text| text.split(' ').map(|word| bold_width(word, size)).fold(0.0, f64::max));
    // Rounded up, so that a word is not broken for the last bit of a number.
    words.fold(0.0, f64::max).ceil()
}

pub fn head_height(grid: &Grid, size: f64, width: f64) -> f64 {
    let cells: Vec<Text> = grid.head.iter().map(Text::bold).collect();
    row_height(&cells, &columns(grid, size, width), size)
}

pub fn row_heights(grid: &Grid, size: f64, width: f64) -> Vec<f64> {
    let columns = columns(grid, size, width);
    grid.rows.iter().map(|row| row_height(row, &columns, size).max(grid.least)).collect()
}

fn row_height(cells: &[Text], columns: &[f64], size: f64) -> f64 {
    let tallest = cells.iter().zip(columns).map(|(cell, column)| lines(cell, size, column - 2.0 * CELL.0)).max();
    tallest.unwrap_or(1) as f64 * size * LEADING + 2.0 * CELL.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(cells: &[&str], shares: &[f64]) -> Grid {
        let rows = vec![cells.iter().map(Text::plain).collect()];
        let head = cells.iter().map(|_| "A".to_owned()).collect();
        Grid { caption: String::new(), head, shares: shares.to_vec(), rows, least: 0.0 }
    }

    #[test]
    fn a_column_is_wide_enough_for_its_longest_word_and_the_others_give_way() {
        let grid = grid(&["to teleprospecting", "a b c d e f g"], &[0.2, 0.8]);
        let widths = columns(&grid, 12.0, 300.0);
        assert!(widths[0] - 2.0 * CELL.0 >= bold_width("teleprospecting", 12.0), "{widths:?}");
        assert!((widths.iter().sum::<f64>() - 300.0).abs() < 1e-9);
    }

    #[test]
    fn words_too_long_for_the_table_are_broken_rather_than_lost() {
        let long = "x".repeat(200);
        let grid = grid(&[&long, "short"], &[0.5, 0.5]);
        let widths = columns(&grid, 12.0, 300.0);
        assert!(widths[1] - 2.0 * CELL.0 >= bold_width("short", 12.0), "{widths:?}");
        let block = Block::Table(grid);
        assert!(height(&block, 12.0, 300.0) > 5.0 * 12.0 * LEADING);
    }

    #[test]
    fn more_text_is_higher() {
        let block = |text: &str| Block::list([text.to_owned(), "second".to_owned()]);
        assert!(height(&block(&"word ".repeat(40)), 12.0, 200.0) > height(&block("word"), 12.0, 200.0) + 40.0);
    }
}
