//! A table of a slide: a real `a:tbl`, with a first row that is known as the heading.

use super::shape::{Frame, INK, Look, emu, fill, paragraph, place, run, runs};
use crate::chart::text::escape;
use crate::document::block::{Grid, Text};
use crate::document::measure::{CELL, columns, head_height, row_heights};

const RULE: &str = "B9C2CC";
const HEAD_FILL: &str = "E6EEF5";
const HEAD_INK: &str = "12304F";

pub(super) fn table(id: u32, grid: &Grid, frame: Frame, size: f64) -> String {
    let widths: String =
        columns(grid, size, frame.width).iter().map(|wide| format!("<a:gridCol w=\"{}\"/>", emu(*wide))).collect();
    let head = Look { size, bold: true, color: HEAD_INK };
    let head: String = grid.head.iter().map(|text| cell(&run(text, head), size, "t", Some(HEAD_FILL))).collect();
    let head = row(&head, head_height(grid, size, frame.width));
    // Rows with room for a signature are written at their foot.
    let anchor = if grid.least > 0.0 { "b" } else { "t" };
    let body: String = grid
        .rows
        .iter()
        .zip(row_heights(grid, size, frame.width))
        .map(|(cells, height)| row(&cells.iter().map(|text| body_cell(text, size, anchor)).collect::<String>(), height))
        .collect();
    format!(
        "<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id=\"{id}\" name=\"Table {id}\" descr=\"{}\"/><p:cNvGraphicFramePr>\
         <a:graphicFrameLocks noGrp=\"1\"/></p:cNvGraphicFramePr><p:nvPr/></p:nvGraphicFramePr><p:xfrm>{}</p:xfrm>\
         <a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/table\"><a:tbl><a:tblPr \
         firstRow=\"1\"/><a:tblGrid>{widths}</a:tblGrid>{head}{body}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>",
        escape(&grid.caption),
        place(frame)
    )
}

fn row(cells: &str, height: f64) -> String {
    format!("<a:tr h=\"{}\">{cells}</a:tr>", emu(height))
}

fn body_cell(text: &Text, size: f64, anchor: &str) -> String {
    cell(&runs(text, Look { size, bold: false, color: INK }), size, anchor, None)
}

fn cell(runs: &str, size: f64, anchor: &str, ground: Option<&str>) -> String {
    let (side, above) = (emu(CELL.0), emu(CELL.1 - 0.25));
    let none = |edge: &str| format!("<a:{edge} w=\"0\"><a:noFill/></a:{edge}>");
    let ground = ground.map_or_else(|| "<a:noFill/>".to_owned(), fill);
    format!(
        "<a:tc><a:txBody><a:bodyPr/><a:lstStyle/>{}</a:txBody><a:tcPr marL=\"{side}\" marR=\"{side}\" marT=\"{above}\" \
         marB=\"{above}\" anchor=\"{anchor}\">{}{}{}<a:lnB w=\"6350\">{}</a:lnB>{ground}</a:tcPr></a:tc>",
        paragraph(runs, size, 0.0, "", ""),
        none("lnL"),
        none("lnR"),
        none("lnT"),
        fill(RULE)
    )
}
