//! How high a block will be, by the conservative widths of `chart::text`. HTML and slides set the same sizes, so one
//! estimate serves both.

use super::block::{Block, Grid, Text};
use crate::chart::Chart;
use crate::chart::text::break_lines;

/// Line to line, as a multiple of the type size.
pub const LEADING: f64 = 1.2;
/// Between two blocks of a column, in points.
pub const GAP: f64 = 4.0;
/// Before a heading that is not the first of its column.
pub const BEFORE_PART: f64 = 11.0;
pub const BEFORE_CLAUSE: f64 = 7.0;
/// How far the items of a list stand in.
pub const INDENT: f64 = 13.0;
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
        Block::List { items, .. } => {
            let lines: usize = items.iter().map(|item| lines(item, size, width - INDENT)).sum();
            lines as f64 * line + items.len().saturating_sub(1) as f64 * BETWEEN_ITEMS
        }
        Block::Table(grid) => head_height(grid, size, width) + row_heights(grid, size, width).iter().sum::<f64>(),
        Block::Timeline(timeline) => timeline.draw(width).height,
    }
}

/// The widths of a table's columns.
pub fn columns(grid: &Grid, width: f64) -> Vec<f64> {
    let whole: f64 = grid.shares.iter().sum();
    grid.shares.iter().map(|share| share / whole * width).collect()
}

pub fn head_height(grid: &Grid, size: f64, width: f64) -> f64 {
    let cells: Vec<Text> = grid.head.iter().map(Text::bold).collect();
    row_height(&cells, &columns(grid, width), size)
}

pub fn row_heights(grid: &Grid, size: f64, width: f64) -> Vec<f64> {
    let columns = columns(grid, width);
    grid.rows.iter().map(|row| row_height(row, &columns, size).max(grid.least)).collect()
}

fn row_height(cells: &[Text], columns: &[f64], size: f64) -> f64 {
    let tallest = cells.iter().zip(columns).map(|(cell, column)| lines(cell, size, column - 2.0 * CELL.0)).max();
    tallest.unwrap_or(1) as f64 * size * LEADING + 2.0 * CELL.1
}
