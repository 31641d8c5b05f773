//! The document as one HTML file: no scripts, nothing loaded from elsewhere. On a screen the pages lie one beneath the
//! other; printed, each fills a landscape sheet.

use super::block::{Block, Grid, Text};
use super::layout::{Column, Document, Kind, MARGIN, PAGE, Page};
use super::measure::{self, gap_before, heading_size};
use crate::chart::text::escape;
use crate::chart::{Chart, Theme};

const STYLE: &str = include_str!("../../templates/document.css");

/// A complete HTML file.
pub fn html(document: &Document) -> String {
    let pages: String = document.pages.iter().enumerate().map(|(at, p)| page(document, at, p)).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width={}\">\n<title>{} – {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{pages}</main>\n\
         </body>\n</html>\n",
        (PAGE.0 / 0.75).ceil(),
        escape(&document.title),
        escape(&document.version),
    )
}

fn page(document: &Document, at: usize, page: &Page) -> String {
    let class = match page.kind {
        Kind::Cover => "cover",
        Kind::Slide => "slide",
        Kind::Signatures => "slide signatures",
    };
    let number = at + 1;
    let title = match page.kind {
        Kind::Cover => format!(
            "<header><h1 id=\"page-{number}\">{}</h1><p>{}</p></header>",
            escape(&page.title),
            escape(&page.subtitle)
        ),
        _ => format!("<h2 id=\"page-{number}\">{}</h2>", escape(&page.title)),
    };
    let columns: String = page.columns.iter().map(|c| column(c, page.size)).collect();
    format!(
        "<section class=\"{class}\" aria-labelledby=\"page-{number}\" style=\"font-size:{}pt\">\n{title}\n{columns}\
         <footer style=\"left:{MARGIN}pt;right:{MARGIN}pt\"><span>{}</span><span>{number} of {}</span></footer>\n\
         </section>\n",
        page.size,
        escape(&document.footer()),
        document.pages.len(),
    )
}

fn column(column: &Column, size: f64) -> String {
    let top = column.blocks.first().map_or(0.0, |placed| placed.y);
    let blocks: String = column
        .blocks
        .iter()
        .enumerate()
        .map(|(at, placed)| {
            let gap = if at == 0 { 0.0 } else { gap_before(&placed.block) };
            block(&placed.block, gap, size, column.width)
        })
        .collect();
    format!(
        "<div class=\"column\" style=\"left:{:.2}pt;top:{top:.2}pt;width:{:.2}pt\">\n{blocks}</div>\n",
        column.x, column.width
    )
}

fn block(block: &Block, gap: f64, size: f64, width: f64) -> String {
    let style = format!("margin-top:{gap}pt");
    match block {
        Block::Heading { level, text } => {
            let size = heading_size(*level, size);
            format!("<h{level} style=\"{style};font-size:{size}pt\">{}</h{level}>\n", escape(text))
        }
        Block::Paragraph(text) => format!("<p style=\"{style}\">{}</p>\n", runs(text)),
        Block::List { ordered, items } => {
            let tag = if *ordered { "ol" } else { "ul" };
            let items: String = items.iter().map(|item| format!("<li>{}</li>", runs(item))).collect();
            format!("<{tag} style=\"{style}\">{items}</{tag}>\n")
        }
        Block::Table(grid) => table(grid, &style, size, width),
        Block::Timeline(timeline) => {
            format!("<div class=\"chart\" style=\"{style}\">{}</div>\n", timeline.draw(width).svg(&Theme::LIGHT))
        }
    }
}

fn runs(text: &Text) -> String {
    let run = |run: &super::block::Run| match run.bold {
        true => format!("<strong>{}</strong>", escape(&run.text)),
        false => escape(&run.text),
    };
    text.0.iter().map(run).collect()
}

fn table(grid: &Grid, style: &str, size: f64, width: f64) -> String {
    let columns: String =
        measure::columns(grid, size, width).iter().map(|wide| format!("<col style=\"width:{wide:.2}pt\">")).collect();
    let head: String = grid.head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", escape(cell))).collect();
    let row = |cells: &Vec<Text>| {
        let cells = cells.iter().enumerate().map(|(at, cell)| match at {
            0 => format!("<th scope=\"row\">{}</th>", runs(cell)),
            _ => format!("<td>{}</td>", runs(cell)),
        });
        format!("<tr style=\"height:{}pt\">{}</tr>", grid.least, cells.collect::<String>())
    };
    let rows: String = grid.rows.iter().map(row).collect();
    let caption = escape(&grid.caption);
    format!(
        "<table style=\"{style}\"><caption>{caption}</caption><colgroup>{columns}</colgroup><thead><tr>{head}</tr>\
         </thead><tbody>{rows}</tbody></table>\n"
    )
}
